"""``vistter simulate``: what will be on air when, and what would go wrong, from the manifests alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, tzinfo
from fractions import Fraction
from pathlib import Path

from vistterstream.base.errors import VistterError
from vistterstream.base.files import sha256_of
from vistterstream.base.redaction import redact
from vistterstream.cli import scenes
from vistterstream.cli.console import Cell, Table, console, say
from vistterstream.playout.compositor import prepare
from vistterstream.playout.pictures import open_picture
from vistterstream.playout.pieces import Unusable
from vistterstream.resources.data import DataSource
from vistterstream.resources.program import PlaybackState
from vistterstream.resources.quantities import Duration
from vistterstream.timeline.changes import Stretch, walk
from vistterstream.timeline.compile import Compiled
from vistterstream.timeline.evaluate import TimelineIndex, elapsed, restart, round_half_up
from vistterstream.timeline.plan import CLIP, IMAGE, OverlayInstance, Plan

_NS = 1_000_000_000
_TOLD = 10  # gaps that are named one by one


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said; None where it said nothing."""

    program: str | None
    manifests: list[Path] | None
    at: str | None
    period: str | None
    epoch: str | None
    as_json: bool
    strict: bool
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """From program frame `frame` on, for `frames`, this is on air.

    `at` is the instant of that frame, or None where none belongs to it, and `seconds` those since program
    frame 0. `source` is a camera's name, a clip, an image, or None for the fallback; `transition` says how it
    comes in while that lasts, `outgoing` over what. `slate` tells that a cue asks for the fallback, `preset`
    where the camera is to look.
    """

    frame: int
    frames: int
    seconds: float
    at: str | None
    source: str | None
    transition: str | None
    outgoing: str | None
    overlays: tuple[str, ...]
    position: int | None
    slate: bool
    preset: str | None = None
    outgoing_slate: bool = False


def simulate(options: Options) -> int:
    """Print it; the exit status: 1 with --strict where something is to be warned of. Raises VistterError."""
    objects = scenes.world(options.manifests)
    if objects is None:
        return 1
    found = scenes.plan_of(objects, scenes.program_of(objects, options.program))
    plan = found.plan
    rate = plan.format.frame_rate.fraction
    epoch = _epoch(options, plan)
    first = 0 if options.at is None else scenes.moment("--at", options.at).frame(rate, epoch)
    end = first + max(1, round_half_up(_period(options.period) * rate))
    zone = scenes.zone_of(options.zone, plan)
    rows = list(_until_round(options, plan, _rows(plan, epoch, first, end)))
    end = rows[-1].frame + rows[-1].frames
    warnings = [
        redact(sentence) for sentence in (*_problems(found), *_assets(plan), *_gaps(plan, epoch, rows, zone))
    ]
    if options.as_json:
        form = {
            "program": plan.program,
            "timeline": plan.timeline.name if plan.timeline is not None else None,
            "playback": _state(plan).value,
            "frameRate": str(plan.format.frame_rate),
            "from": first,
            "to": end,
            "rows": [asdict(row) for row in rows],
            "warnings": warnings,
        }
        print(json.dumps(form, ensure_ascii=False))
    else:
        _introduce(plan, options, zone if rows[0].at is not None else None)
        _print(plan, rows, zone, round=_one_round(options, plan))
        for sentence in warnings:
            say(sentence, style="yellow")
    return 1 if warnings and options.strict else 0


def _epoch(options: Options, plan: Plan) -> int | None:
    """The instant of program frame 0: as given, the anchor's, or for a timeline without one that of --at."""
    given = scenes.epoch_of(options.epoch)
    if given is not None:
        return given
    at = scenes.moment("--at", options.at).instant_ns if options.at is not None else None
    fixed = plan.timeline is not None and plan.timeline.anchor is not None
    return at if at is not None and not fixed else scenes.anchor(plan)


def _period(text: str | None) -> Fraction:
    try:
        return Duration.parse(text or "24h").seconds
    except ValueError as error:
        raise VistterError(f"--for: {error}.", reason="BadMoment") from error


def _one_round(options: Options, plan: Plan) -> bool:
    """Whether one round of a loop is enough; programs that read JSON get what they asked for."""
    return (
        plan.timeline is not None
        and plan.timeline.loop
        and options.period is None
        and not options.as_json
        and _state(plan) is PlaybackState.PLAYING
    )


def _until_round(options: Options, plan: Plan, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows, or where one round is enough, those until it is over."""
    start: int | None = None
    for row in rows:
        start = row.frame if start is None and row.position is not None else start
        if start is not None and plan.timeline is not None and _one_round(options, plan):
            left = start + plan.timeline.length - row.frame
            if left <= row.frames:
                if left > 0:
                    yield replace(row, frames=left)
                return
        yield row


def _state(plan: Plan) -> PlaybackState:
    """Whether the program plays its timeline, as its playback says."""
    playback = plan.timeline.playback if plan.timeline is not None else None
    return playback.state if playback is not None else PlaybackState.PLAYING


def _introduce(plan: Plan, options: Options, zone: tzinfo | None) -> None:
    """What has to be known to read the table."""
    state = _state(plan)
    if state is not PlaybackState.PLAYING:
        since = plan.timeline.playback.since if plan.timeline and plan.timeline.playback else None
        when = f", since {since}" if since is not None else ""
        say(f"Program {plan.program} is {state.value}{when} (spec.playback): its timeline does not go on.")
    if zone is not None:
        note = scenes.daily_note(plan, options.epoch or (options.at if _is_instant(options.at) else None))
        if note is not None:
            say(note)
        say(f"Times are those of {zone}.")


def _is_instant(text: str | None) -> bool:
    return text is not None and scenes.moment("--at", text).instant_ns is not None


def _rows(plan: Plan, epoch: int | None, first: int, end: int) -> Iterator[Row]:
    """Everything that changes from frame `first` to `end`."""
    if plan.timeline is None:
        yield _row(plan, epoch, first, end, None, None)
        return
    rate, wall = plan.format.frame_rate.fraction, epoch or 0
    index = TimelineIndex(plan.timeline)
    before: tuple[int, Stretch | None] | None = None
    for at, stretch in walk(index, rate, wall, first, end):
        if before is not None:
            yield _row(plan, epoch, before[0], at, before[1], index)
        before = at, stretch
    if before is not None:
        yield _row(plan, epoch, before[0], end, before[1], index)


def _row(
    plan: Plan, epoch: int | None, start: int, end: int, stretch: Stretch | None, index: TimelineIndex | None
) -> Row:
    rate = plan.format.frame_rate.fraction
    names = {overlay.id: overlay.overlay for overlay in plan.overlays}
    shown = stretch.first if stretch is not None else None
    moving = stretch is not None and stretch.moving
    source = None if shown is None else shown.incoming if moving else shown.camera
    wall = None if epoch is None else epoch + start * _NS * rate.denominator // rate.numerator
    cue = None if shown is None else shown.cue
    passed = elapsed(index, start, rate, epoch or 0) if index is not None and stretch is not None else None
    return Row(
        frame=start,
        frames=end - start,
        seconds=float(start / rate),
        at=None if wall is None else scenes.iso(wall),
        source=_source_name(plan, source),
        transition=stretch.transition if stretch is not None else None,
        outgoing=_source_name(plan, shown.camera) if moving and shown is not None else None,
        overlays=tuple(names[id] for id, *_ in shown.overlays) if shown is not None else (),
        slate=cue is not None and source is None,
        preset=None if index is None or cue is None else index.cue(cue).preset,
        position=None if passed is None or index is None else passed % index.length if index.loop else passed,
        outgoing_slate=moving and index is not None and cue is not None and _from_slate(index, cue),
    )


def _from_slate(index: TimelineIndex, cue: int) -> bool:
    """Whether the cue before this one, with no gap between, is the slate."""
    before = index.before(cue)
    return before is not None and before.source is None


def _source_name(plan: Plan, source: str | None) -> str | None:
    """What people call a source."""
    files = {f"{IMAGE}{image.id}": f"image {image.called}" for image in plan.images}
    files |= {f"{CLIP}{clip.id}": f"clip {Path(clip.file).name}" for clip in plan.clips}
    return source if source is None else files.get(source, source)


# --- warnings -------------------------------------------------------------------------------------------


def _problems(found: Compiled) -> Iterator[str]:
    """What the manifests ask for and nobody can give."""
    for problem in found.problems:
        yield str(problem)
    if found.plan.timeline is None and not found.problems:
        yield f"Program {found.plan.program} names no timeline; only the fallback is shown."


def _assets(plan: Plan) -> Iterator[str]:
    """What cannot be shown, or heard, as it should."""
    yield from _drawing(plan)
    for camera in plan.cameras:
        file = camera.spec.source.file
        if file is not None and not Path(file.path).is_file():
            yield f"The file of camera {camera.name} does not exist: {file.path}"
    for clip, digest in sorted({(clip.file, clip.sha256 or "") for clip in plan.clips}):
        if not Path(clip).is_file():
            yield f"The clip of a cue does not exist: {clip}"
        elif digest and sha256_of(Path(clip)) != digest.lower():
            yield f"The clip of a cue is another than the manifest wants (sha256): {clip}"
    sounds = plan.timeline.audio if plan.timeline is not None else ()
    for sound in dict.fromkeys(sound.file for sound in sounds):
        if not Path(sound).is_file():
            yield f"The sound file of a cue does not exist: {sound}"


def _drawing(plan: Plan) -> Iterator[str]:
    """What the code that draws on air says of pictures, fonts and texts; data have their defaults."""
    scene = prepare(plan.format, plan.overlays, plan.fallback, wall=datetime.now(UTC), data=_defaults)
    try:
        if scene.slate_problem:
            yield f"Fallback: {scene.slate_problem}"
        for name, sentence in scene.problems.items():
            yield f"Overlay {name}: {sentence}"
    finally:
        scene.close()
    for image in plan.images:
        try:
            open_picture(Path(image.file))
        except Unusable as error:
            yield f"The image of a cue cannot be shown: {error}"


def _defaults(overlay: OverlayInstance, source: DataSource) -> str | None:
    return source.default


def _gaps(plan: Plan, epoch: int | None, rows: list[Row], zone: tzinfo) -> Iterator[str]:
    """Where the fallback is shown, overlays that show twice, and a timeline that ends."""
    if plan.timeline is None:
        return
    known = {camera.name for camera in plan.cameras}
    gaps = {
        (row.position, row.source): row
        for row in reversed(rows)
        if row.position is not None and not _is_there(row, known)
    }
    for row in sorted(gaps.values(), key=lambda row: row.frame)[:_TOLD]:
        why = "no video cue" if row.source is None else f"no Camera {row.source}"
        yield f"Gap: from {_when(row, zone)} the fallback is shown for {_length(plan, row)} ({why})."
    if len(gaps) > _TOLD:
        yield f"Gap: and {len(gaps) - _TOLD} more."
    yield from _ends(plan, epoch, rows, zone)
    yield from _overlaps(rows, zone)


def _ends(plan: Plan, epoch: int | None, rows: list[Row], zone: tzinfo) -> Iterator[str]:
    """That the timeline ends: for good, or until the next day."""
    assert plan.timeline is not None
    idle = [row for row in rows if row.position is None]
    if not idle:
        return
    if len(rows) == 1:
        yield "The timeline shows nothing in this period; the fallback is on air throughout."
        return
    rate = plan.format.frame_rate.fraction
    row = next((row for row in idle if row is not rows[0]), idle[0])  # rather one from its beginning
    left = restart(TimelineIndex(plan.timeline), row.frame, rate, epoch or 0)
    if left is not None:
        yield (
            f"Gap: from {_when(row, zone)} the fallback is shown for {Duration.of(left / rate)}, until the "
            "timeline begins again, as it does each day."
        )
    elif rows[-1] is idle[-1]:
        yield f"The timeline ends at {_when(rows[-1], zone)}; the fallback is shown from then on."


def _is_there(row: Row, cameras: Collection[str]) -> bool:
    """Whether what the timeline wants can be shown."""
    if row.source is None:
        return row.slate
    return row.source in cameras or row.source.startswith(("image ", "clip "))


def _overlaps(rows: Iterable[Row], zone: tzinfo) -> Iterator[str]:
    """The same overlay in two cues at a time: one usually hides the other."""
    told: set[str] = set()
    for row in rows:
        for name in row.overlays:
            if row.overlays.count(name) > 1 and name not in told:
                told.add(name)
                yield f"Overlap: from {_when(row, zone)} two cues show overlay {name} at the same time."


# --- the table ------------------------------------------------------------------------------------------


def _print(plan: Plan, rows: list[Row], zone: tzinfo, *, round: bool) -> None:
    """The table."""
    table = Table(("TIME", "FRAME", "FOR", "SOURCE", "TRANSITION", "OVERLAYS"), console())
    table.print([_cells(plan, row, zone) for row in rows])
    if round and plan.timeline is not None and any(row.position is not None for row in rows):
        length = Duration.of(Fraction(plan.timeline.length) / plan.format.frame_rate.fraction)
        say(f"This repeats every {length}; --for 24h writes all changes of a day.")


def _cells(plan: Plan, row: Row, zone: tzinfo) -> list[Cell]:
    there = _is_there(row, {camera.name for camera in plan.cameras})
    source = row.source or ("slate" if row.slate else "fallback")
    if row.source is not None and not there:
        source = f"fallback (no Camera {row.source})"
    if row.preset is not None and there:
        source += f" ({row.preset})"
    before = row.outgoing or ("slate" if row.outgoing_slate else "fallback")
    transition = f"{row.transition} from {before}" if row.transition else "-"
    return [
        (_when(row, zone), ""),
        (str(row.frame), ""),
        (_length(plan, row), ""),
        (source, "" if there else "warn"),
        (transition, "idle" if row.transition is None else ""),
        (", ".join(row.overlays) or "-", "" if row.overlays else "idle"),
    ]


def _when(row: Row, zone: tzinfo) -> str:
    if row.at is None:
        return _clock(Fraction(row.seconds).limit_denominator(1_000_000))
    return datetime.fromisoformat(row.at).astimezone(zone).isoformat(timespec="milliseconds")


def _length(plan: Plan, row: Row) -> str:
    return Duration.of(row.frames / plan.format.frame_rate.fraction)


def _clock(seconds: Fraction) -> str:
    milliseconds = round_half_up(seconds * 1000)
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{rest:03}"
