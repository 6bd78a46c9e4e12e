"""What `render` and `simulate` work on: a program and its plan, from manifests alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vistterstream.base.errors import VistterError
from vistterstream.cli.console import console, counted, say
from vistterstream.cli.manifestfiles import located, read
from vistterstream.reconcile.planner import Objects, compiled
from vistterstream.resources.kinds import ObjectMeta, Program, Resource, Timeline
from vistterstream.resources.program import Playback, PlaybackState, ProgramSpec
from vistterstream.resources.quantities import TimelinePosition
from vistterstream.timeline.compile import Compiled, PlanError
from vistterstream.timeline.evaluate import TimelineIndex, restart, round_half_up
from vistterstream.timeline.plan import Plan

NAMESPACE = "default"
R = TypeVar("R", bound=Resource)
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_NS = 1_000_000_000
DEFAULT_EPOCH = "2000-01-01T00:00:00Z"
"""The instant of frame 0 where nothing says another: what clocks show must not depend on today."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: program frames, or an instant (Unix time, ns), before rate and epoch are known."""

    option: str
    text: str
    position: TimelinePosition | None
    instant_ns: int | None

    def frame(self, rate: Fraction, epoch_ns: int | None) -> int:
        """The program frame; an instant needs to know that of frame 0. Raises VistterError."""
        if self.position is not None:
            try:
                return round_half_up(self.position.frames(rate))
            except ValueError as error:
                raise VistterError(f"{self.option}: {error}.", reason="BadMoment") from error
        if epoch_ns is None or self.instant_ns is None:
            raise VistterError(
                f"{self.option} {self.text}: no instant belongs to the frames of this program, since its "
                "timeline has no anchor; give a time such as 90s, or the instant of frame 0 with --epoch.",
                reason="NoEpoch",
            )
        return round_half_up(Fraction(self.instant_ns - epoch_ns, _NS) * rate)


def moment(option: str, text: str) -> Moment:
    """What an option says; raises VistterError."""
    try:
        return Moment(option, text, TimelinePosition.parse(text), None)
    except ValueError:
        pass
    try:
        return Moment(option, text, None, instant(text))
    except ValueError:
        raise VistterError(
            f"{option} {text} is not a time such as 1m30s, 120f (frames) or 00:01:23:12 (timecode), nor an "
            "instant such as 2026-05-17T09:30:00+02:00.",
            reason="BadMoment",
        ) from None


def instant(text: str) -> int:
    """Unix time, in ns, of an instant with a zone; raises ValueError."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an instant such as 2026-05-17T09:30:00+02:00")
    whole = datetime.fromisoformat(match[1] + match[3])
    return int(whole.timestamp()) * _NS + int((match[2] or "0").ljust(9, "0"))


def epoch_of(option: str | None) -> int | None:
    """The instant that --epoch gives; raises VistterError."""
    if option is None:
        return None
    try:
        return instant(option)
    except ValueError as error:
        raise VistterError(f"--epoch: {error}.", reason="BadMoment") from None


def anchor(plan: Plan) -> int | None:
    """The instant of the timeline's first frame, if it has one; of one that starts each day, on the day of
    `DEFAULT_EPOCH`.
    """
    if plan.timeline is None:
        return None
    index = TimelineIndex(plan.timeline)
    if plan.timeline.daily is None:
        return index.anchor_ns
    base, rate = instant(DEFAULT_EPOCH), plan.format.frame_rate.fraction
    until = restart(index, 0, rate, base)
    assert until is not None  # it starts every day
    return base + round_half_up(until / rate * _NS)


def paused_note(objects: Objects, plan: Plan, name: str | None) -> str | None:
    """That a program does not play the timeline that is rendered as if it did; None where that is not so."""
    program = _of_kind(objects, Program).get(plan.program)
    if name is not None or program is None or plan.timeline is None:
        return None
    state = program.spec.playback.state
    if program.spec.timeline != plan.timeline.name or state is PlaybackState.PLAYING:
        return None
    return f"Program {plan.program} is {state.value}; add --program {plan.program} for what is on air."


def zone_of(name: str | None, plan: Plan) -> tzinfo:
    """The zone that --zone names; else that of the timeline's anchor, else that of this machine. Raises
    VistterError.
    """
    timeline = plan.timeline
    if name is None and timeline is not None and timeline.daily is not None:
        name = timeline.daily.time_zone
    if name is not None:
        try:
            return ZoneInfo(name)
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            message = f"--zone: there is no time zone {name}; give one such as Europe/Oslo or UTC."
            raise VistterError(message, reason="BadZone") from error
    anchor = timeline.anchor if timeline is not None else None
    start = datetime.fromisoformat(anchor) if anchor is not None else datetime.now().astimezone()
    return start.tzinfo or UTC


def daily_note(plan: Plan, epoch: str | None) -> str | None:
    """That a daily timeline is looked at on a day that nobody chose; None where that is not so."""
    timeline = plan.timeline
    daily = timeline.daily if timeline is not None else None
    if timeline is None or daily is None or epoch is not None:
        return None
    at = f"{daily.second // 3600:02}:{daily.second // 60 % 60:02}:{daily.second % 60:02}"
    return (
        f"Timeline {timeline.name} starts each day at {at} ({daily.time_zone}); the day here is "
        f"{DEFAULT_EPOCH[:10]}. Choose another with --epoch."
    )


def iso(ns: int) -> str:
    """An instant as people and programs read it, to the millisecond."""
    return datetime.fromtimestamp(ns // 1_000_000 / 1000, UTC).isoformat(timespec="milliseconds")


def world(manifests: Iterable[Path] | None) -> Objects | None:
    """The objects of the manifests; None where some are wrong, and then each error has been told."""
    paths = list(manifests) if manifests else [Path("manifests")]
    if not manifests and not paths[0].is_dir():
        raise VistterError(
            "There is no folder ./manifests; say with --manifests where they are.", reason="NoManifests"
        )
    loaded, _ = read(paths)
    for error in loaded.errors:
        console().print(str(error))
    if loaded.errors:
        say(f"{counted(len(loaded.errors), 'error')} in these manifests; nothing was done.", style="red")
    return None if loaded.errors else Objects(located(loaded))


def program_of(objects: Objects, name: str | None) -> Program:
    """The program of that name, or the only one; raises VistterError."""
    programs = _of_kind(objects, Program)
    if name is not None:
        return _named(programs, "Program", name)
    if len(programs) == 1:
        return next(iter(programs.values()))
    if not programs:
        raise VistterError("There is no Program in these manifests.", reason="NoProgram")
    raise VistterError(f"Say which program is meant: {_list(programs)}.", reason="WhichProgram")


def program_for(objects: Objects, timeline: str, name: str | None) -> Program:
    """The program that plays `timeline`: the one that is named, else the one that does, else the only one,
    else one of the usual format. Whether it is paused, or has been sent to another place, counts where it is
    named and plays that timeline; else the timeline is meant, not what a program does with it. Raises
    VistterError.
    """
    _named(_of_kind(objects, Timeline), "Timeline", timeline)
    programs = _of_kind(objects, Program)
    if name is not None:
        found = _named(programs, "Program", name)
    else:
        playing = {key: program for key, program in programs.items() if program.spec.timeline == timeline}
        fit = playing or programs
        if len(fit) > 1:
            raise VistterError(
                f"Several programs could play {timeline}: {_list(fit)}. Say with --program "
                "which format to make.",
                reason="WhichProgram",
            )
        found = next(iter(fit.values())) if fit else _usual(timeline)
    as_on_air = name is not None and found.spec.timeline == timeline
    playback = found.spec.playback if as_on_air else Playback()
    spec: ProgramSpec = found.spec.model_copy(update={"timeline": timeline, "playback": playback})
    return found.model_copy(update={"spec": spec})


def plan_of(objects: Objects, program: Program) -> Compiled:
    """The program's plan, without its outputs; raises VistterError."""
    try:
        found = compiled(objects, program, Path.cwd())
    except PlanError as error:
        raise VistterError(f"Timeline {program.spec.timeline}: {error}.", reason="InvalidTimeline") from error
    return found


def _usual(timeline: str) -> Program:
    return Program(metadata=ObjectMeta(name=timeline), spec=ProgramSpec())


def _of_kind(objects: Objects, model: type[R]) -> dict[str, R]:
    return {
        found.metadata.name: found
        for found in objects
        if isinstance(found, model) and found.metadata.namespace == NAMESPACE
    }


def _named(found: dict[str, R], kind: str, name: str) -> R:
    if name in found:
        return found[name]
    near = get_close_matches(name, found, 1)
    hint = f"; did you mean {near[0]}?" if near else f". There are: {_list(found)}." if found else "."
    raise VistterError(f"There is no {kind} {name} in these manifests{hint}", reason=f"No{kind}")


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
