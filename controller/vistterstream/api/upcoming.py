"""What comes next on a program: read from the plan that its playout runs, evaluated at the present frame."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from vistterstream.base.clocks import steady_ns
from vistterstream.timeline.evaluate import TimelineIndex, elapsed, restart, wrap
from vistterstream.timeline.plan import CLIP, IMAGE, Plan

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NS = 1_000_000_000


class Coming(NamedTuple):
    """In `frames` program frames from now `source` comes on air, as `Picture.camera` names it; None is the
    slate.
    """

    source: str | None
    frames: int


def coming(timeline: TimelineIndex, passed: int, limit: int) -> list[Coming]:
    """The next changes of the picture after `passed` elapsed frames of a timeline that goes on, at most
    `limit`.

    Two cues of one source that follow each other are no change.
    """
    now = wrap(timeline, passed) if passed >= 0 else passed
    if now is None or not timeline.plan.video:
        return []
    return list(islice(_changes(timeline, now), limit))


def _changes(timeline: TimelineIndex, now: int) -> Iterator[Coming]:
    shown = _source_at(timeline, now)
    rounds = 2 if timeline.loop else 1
    for lap in range(rounds):
        for start, source in _edges(timeline):
            at = start + lap * timeline.length
            if now < at and (lap == 0 or start <= now) and source != shown:
                yield Coming(source, at - now)
            if at > now:
                shown = source


def announced(
    timeline: TimelineIndex, frame: int, rate: Fraction, epoch_wall_ns: int, limit: int
) -> list[Coming]:
    """The next changes of the picture after program frame `frame`: none of a timeline that stands, and those
    of its next start where it starts each day. Parameters as of `elapsed`.
    """
    passed = elapsed(timeline, frame, rate, epoch_wall_ns)
    again = restart(timeline, frame, rate, epoch_wall_ns)
    found = [
        entry
        for entry in coming(timeline, passed, limit)
        if elapsed(timeline, frame + entry.frames, rate, epoch_wall_ns) == passed + entry.frames
    ]
    if again is None:
        return found
    before = found[-1].source if found else _source_at(timeline, wrap(timeline, passed))
    first = _source_at(timeline, 0)
    if first != before:
        found.append(Coming(first, again))
    found += [Coming(source, again + frames) for source, frames in coming(timeline, 0, limit)]
    return found[:limit]


def _source_at(timeline: TimelineIndex, now: int | None) -> str | None:
    index = timeline.video_at(now) if now is not None and now >= 0 else None
    return None if index is None else timeline.cue(index).source


def _edges(timeline: TimelineIndex) -> Iterator[tuple[int, str | None]]:
    """The frames where the picture may change, with what it shows from there: cues, and the gaps between."""
    end = 0
    for cue in timeline.plan.video:
        if cue.start > end:
            yield end, None
        yield cue.start, cue.source
        end = cue.end
    if end < timeline.length or not timeline.loop:
        yield end, None


@dataclass(frozen=True, slots=True)
class _Running:
    """A plan with the instant of program frame 0."""

    stamp: tuple[int, int]
    timeline: TimelineIndex | None
    names: dict[str, str]  # what people call clips and images
    rate: Fraction
    monotonic_ns: int
    wall_ns: int


class Upcoming:
    """Reads the plans in ``STATE/playout``; a plan is parsed again only when its file is another."""

    def __init__(self, playouts: Path) -> None:
        self._playouts = playouts
        self._known: dict[str, _Running] = {}

    def of(self, folder: str, limit: int = 5) -> list[tuple[str | None, float]]:
        """What comes next on the program whose playout lives in `folder`: cameras, and files by their name
        (None is the slate), with the seconds until then. Empty where nothing runs or nothing is planned.
        """
        running = self._running(folder)
        if running is None or running.timeline is None:
            return []
        age = Fraction(steady_ns() - running.monotonic_ns, _NS)
        frame = int(age * running.rate)
        found = announced(running.timeline, frame, running.rate, running.wall_ns, limit)
        return [
            (
                None if source is None else running.names.get(source, source),
                float((frame + frames) / running.rate - age),
            )
            for source, frames in found
        ]

    def _running(self, folder: str) -> _Running | None:
        path = self._playouts / folder / "plan.json"
        try:
            status = path.stat()
            known = self._known.get(folder)
            stamp = (status.st_ino, status.st_mtime_ns)
            if known is None or known.stamp != stamp:
                known = _read(path, stamp)
                self._known[folder] = known
        except (OSError, ValidationError, ValueError, KeyError):
            # No playout, or one of another version or an earlier boot: then nobody knows what comes next.
            self._known.pop(folder, None)
            return None
        return known


def _read(path: Path, stamp: tuple[int, int]) -> _Running:
    epoch = json.loads(path.with_name("epoch.json").read_bytes())
    if epoch["boot_id"] != _BOOT_ID.read_text().strip():
        raise ValueError("the playout ran before the machine was started again")
    plan = Plan.model_validate_json(path.read_bytes())
    return _Running(
        stamp=stamp,
        timeline=None if plan.timeline is None else TimelineIndex(plan.timeline),
        names={f"{IMAGE}{image.id}": image.called for image in plan.images}
        | {f"{CLIP}{clip.id}": Path(clip.file).name for clip in plan.clips},
        rate=plan.format.frame_rate.fraction,
        monotonic_ns=int(epoch["monotonic_ns"]),
        wall_ns=int(epoch["wall_ns"]),
    )
