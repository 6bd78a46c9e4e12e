"""``vistter simulate``: what will be on air when, and what would go wrong, from the manifests alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from vistterstream.base.errors import VistterError
from vistterstream.base.numbered import numbered
from vistterstream.base.redaction import redact
from vistterstream.cli import scenes
from vistterstream.cli.console import Cell, Table, console, say
from vistterstream.resources.overlay import every_layer
from vistterstream.resources.quantities import Duration
from vistterstream.timeline.changes import Stretch, walk
from vistterstream.timeline.compile import Compiled
from vistterstream.timeline.evaluate import TimelineIndex, elapsed, round_half_up
from vistterstream.timeline.plan import CLIP, IMAGE, Plan

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
    rows = list(_rows(plan, epoch, first, end))
    warnings = [redact(sentence) for sentence in (*_problems(found), *_assets(plan), *_gaps(plan, rows, end))]
    if options.as_json:
        form = {
            "program": plan.program,
            "timeline": plan.timeline.name if plan.timeline is not None else None,
            "frameRate": str(plan.format.frame_rate),
            "from": first,
            "to": end,
            "rows": [asdict(row) for row in rows],
            "warnings": warnings,
        }
        console().print(json.dumps(form, ensure_ascii=False))
    else:
        _print(plan, rows, full=options.period is not None)
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
        slate=shown is not None and shown.cue is not None and source is None,
        preset=None if index is None or shown is None or shown.cue is None else index.cue(shown.cue).preset,
        position=None if passed is None or index is None else passed % index.length if index.loop else passed,
    )


def _source_name(plan: Plan, source: str | None) -> str | None:
    """What people call a source."""
    files = {f"{IMAGE}{image.id}": f"image {Path(image.file).name}" for image in plan.images}
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
    """Files that are not there."""
    if plan.fallback.image is not None and not Path(plan.fallback.image).is_file():
        yield f"The image of the fallback does not exist: {plan.fallback.image}"
    for camera in plan.cameras:
        file = camera.spec.source.file
        if file is not None and not Path(file.path).is_file():
            yield f"The file of camera {camera.name} does not exist: {file.path}"
    for clip in sorted({clip.file for clip in plan.clips}):
        if not Path(clip).is_file():
            yield f"The clip of a cue does not exist: {clip}"
    for image in plan.images:
        if not Path(image.file).is_file():
            yield f"The image of a cue does not exist: {image.file}"
    told: set[str] = set()
    for sound in plan.timeline.audio if plan.timeline is not None else ():
        if sound.file not in told and not Path(sound.file).is_file():
            told.add(sound.file)
            yield f"The sound file of a cue does not exist: {sound.file}"
    for overlay in plan.overlays:
        files = [
            (layer, file) for _, layer in every_layer(overlay.spec.layers) for _, file in layer.pictures()
        ]
        for layer, path in files:
            if path not in told and not Path(path).is_file():
                told.add(path)
                yield f"The image of overlay {overlay.overlay}, layer {layer.name}, does not exist: {path}"
        patterns = [
            (layer, file) for _, layer in every_layer(overlay.spec.layers) for _, file in layer.sequences()
        ]
        for layer, pattern in patterns:
            if pattern not in told and not numbered(Path(pattern)):
                told.add(pattern)
                yield f"Overlay {overlay.overlay}, layer {layer.name}, has no picture {pattern}"


def _gaps(plan: Plan, rows: list[Row], end: int) -> Iterator[str]:
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
        yield f"Gap: from {_when(row)} the fallback is shown for {_length(plan, row)} ({why})."
    if len(gaps) > _TOLD:
        yield f"Gap: and {len(gaps) - _TOLD} more."
    last = rows[-1]
    if last.position is None and len(rows) > 1:
        yield f"The timeline ends at {_when(last)}; the fallback is shown from then on."
    elif last.position is None:
        yield "The timeline shows nothing in this period; the fallback is on air throughout."
    yield from _overlaps(plan, rows)


def _is_there(row: Row, cameras: Collection[str]) -> bool:
    """Whether what the timeline wants can be shown."""
    if row.source is None:
        return row.slate
    return row.source in cameras or row.source.startswith(("image ", "clip "))


def _overlaps(plan: Plan, rows: Iterable[Row]) -> Iterator[str]:
    """The same overlay in two cues at a time: one usually hides the other."""
    told: set[str] = set()
    for row in rows:
        for name in row.overlays:
            if row.overlays.count(name) > 1 and name not in told:
                told.add(name)
                yield f"Overlap: from {_when(row)} two cues show overlay {name} at the same time."


# --- the table ------------------------------------------------------------------------------------------


def _print(plan: Plan, rows: list[Row], *, full: bool) -> None:
    """The table; of a loop one round, unless everything was asked for."""
    shown = rows if full else _one_round(plan, rows)
    table = Table(("TIME", "FRAME", "FOR", "SOURCE", "TRANSITION", "OVERLAYS"), console())
    table.print([_cells(plan, row) for row in shown])
    if len(shown) < len(rows) and plan.timeline is not None:
        length = _duration(Fraction(plan.timeline.length) / plan.format.frame_rate.fraction)
        say(f"This repeats every {length}; --for 24h writes all {len(rows)} changes.")


def _one_round(plan: Plan, rows: list[Row]) -> list[Row]:
    timeline = plan.timeline
    if timeline is None or not timeline.loop:
        return rows
    start = next((row.frame for row in rows if row.position is not None), None)
    return rows if start is None else [row for row in rows if row.frame < start + timeline.length]


def _cells(plan: Plan, row: Row) -> list[Cell]:
    there = _is_there(row, {camera.name for camera in plan.cameras})
    source = row.source or "fallback"
    if row.source is not None and not there:
        source = f"fallback (no Camera {row.source})"
    if row.preset is not None and there:
        source += f" ({row.preset})"
    transition = f"{row.transition} from {row.outgoing or 'fallback'}" if row.transition else "-"
    return [
        (_when(row), ""),
        (str(row.frame), ""),
        (_length(plan, row), ""),
        (source, "" if there else "warn"),
        (transition, "idle" if row.transition is None else ""),
        (", ".join(row.overlays) or "-", "" if row.overlays else "idle"),
    ]


def _when(row: Row) -> str:
    if row.at is None:
        return _clock(Fraction(row.seconds).limit_denominator(1_000_000))
    return datetime.fromisoformat(row.at).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _length(plan: Plan, row: Row) -> str:
    return _duration(row.frames / plan.format.frame_rate.fraction)


def _clock(seconds: Fraction) -> str:
    milliseconds = round_half_up(seconds * 1000)
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{rest:03}"


def _duration(seconds: Fraction) -> str:
    """A length of time as manifests have it: ``1m30s``, ``2.5s``."""
    milliseconds = round_half_up(seconds * 1000)
    whole, rest = divmod(milliseconds, 1000)
    parts = [(whole // 3600, "h"), (whole // 60 % 60, "m")]
    text = "".join(f"{number}{unit}" for number, unit in parts if number)
    last = f"{whole % 60}.{rest:03}".rstrip("0").rstrip(".")
    return text + (f"{last}s" if last != "0" or not text else "")
