"""Where what a timeline shows changes: found by its cues, without looking at each frame. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from vistterstream.timeline.evaluate import Picture, TimelineIndex, elapsed, picture, restart, wrap


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames `start` to `end` (not included; None: for ever) of a timeline show the same things.

    `first` is the picture of its first frame; later ones differ in `mix` and the overlays' ages alone.
    """

    start: int
    end: int | None
    first: Picture

    @property
    def cameras(self) -> tuple[str, ...]:
        """The cameras in the picture."""
        return tuple(name for name in (self.first.camera, self.first.incoming) if name is not None)

    @property
    def moving(self) -> bool:
        """Whether a transition is under way."""
        return _moving(self.first)

    @property
    def transition(self) -> str | None:
        """The type of the transition that is under way."""
        return self.first.transition.type.value if self.first.transition is not None else None


def stretches(index: TimelineIndex) -> list[Stretch]:
    """One round of the timeline, from frame 0 on, cut where something changes.

    Costs as much as there are cues.
    """
    plan = index.plan
    last = max([plan.length, *(cue.start + 1 for cue in plan.overlays)]) if index.endless else plan.length
    edges = {0, last}
    for cue in plan.video:
        edges |= {cue.start, cue.end}
    for overlay in plan.overlays:
        edges |= {overlay.start} if overlay.end is None else {overlay.start, overlay.end}
    starts = sorted(edge for edge in edges if 0 <= edge <= last)
    cuts = [cut for start, end in pairwise(starts) for cut in _cuts(index, start, end)]
    ends: list[int | None] = [*cuts[1:], None if index.endless else last]
    return [Stretch(start, end, picture(index, start)) for start, end in zip(cuts, ends, strict=True)]


def _cuts(index: TimelineIndex, start: int, end: int) -> list[int]:
    """`start`, and the frame before `end` at which a transition is over, if there is one."""
    if not _moving(picture(index, start)):
        return [start]
    low, high = start, end  # the transition runs at `low`, and is over at `high`
    while high - low > 1:
        middle = (low + high) // 2
        if _moving(picture(index, middle)):
            low = middle
        else:
            high = middle
    return [start] if high == end else [start, high]


def _moving(shown: Picture) -> bool:
    """Whether a transition is under way."""
    return shown.transition is not None


def walk(
    index: TimelineIndex, rate: Fraction, epoch_wall_ns: int, first: int, end: int
) -> Iterator[tuple[int, Stretch | None]]:
    """What program frames `first` to `end` (not included) show: the frame from which on, and the stretch of
    the timeline; None before and after it. The first stretch may have begun before `first`.

    Costs as much as there are changes.
    """
    round_ = stretches(index)
    starts = [stretch.start for stretch in round_]
    at, told = first, False
    last: Stretch | None = None
    while at < end:
        passed = elapsed(index, at, rate, epoch_wall_ns)
        where = wrap(index, passed)
        stretch = None if where is None else round_[bisect_right(starts, where) - 1]
        if not told or (stretch is not None and (stretch.start == where or stretch is not last)):
            yield at, stretch
        elif stretch is None and last is not None:
            yield at, None
        told, last = True, stretch
        following = [end]
        if stretch is not None and where is not None and stretch.end is not None:
            following.append(at + stretch.end - where)
        elif passed < 0:
            following.append(at - passed)
        again = restart(index, at, rate, epoch_wall_ns)
        if again is not None:
            following.append(at + again)
        at = _steady(index, rate, epoch_wall_ns, at, end, min(following))


def _steady(
    index: TimelineIndex, rate: Fraction, epoch_wall_ns: int, at: int, end: int, following: int
) -> int:
    """How far the timeline does, from frame `at`, what it does there: the first frame where it does not, at
    most `following` where it goes on, and `end` where it stands.
    """
    base = elapsed(index, at, rate, epoch_wall_ns)
    pace = 0 if elapsed(index, at + 1, rate, epoch_wall_ns) == base else 1

    def same(number: int) -> bool:
        return elapsed(index, number, rate, epoch_wall_ns) - base == pace * (number - at)

    low, high = at, following if pace else end
    if high <= at + 1 or same(high):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if same(middle) else (low, middle)
    return high


class Appearances:
    """When any of some cameras is in the picture, in elapsed frames of the timeline."""

    def __init__(self, index: TimelineIndex, cameras: Collection[str]) -> None:
        self._loop, self._length = index.loop, index.length
        self._spans: list[tuple[int, int]] = []
        for stretch in stretches(index):
            if not any(name in cameras for name in stretch.cameras):
                continue
            end = stretch.end if stretch.end is not None else 1 << 62
            if self._spans and self._spans[-1][1] == stretch.start:
                self._spans[-1] = (self._spans[-1][0], end)
            else:
                self._spans.append((stretch.start, end))
        self._starts = [start for start, _ in self._spans]
        self._before = [0]
        for start, end in self._spans:
            self._before.append(self._before[-1] + end - start)

    def count(self, passed: int) -> int:
        """Frames from elapsed frame 0 to `passed` (not included) that show them."""
        if passed <= 0:
            return 0
        round_, where = divmod(passed, self._length) if self._loop else (0, passed)
        number = bisect_right(self._starts, where) - 1
        within = (
            0
            if number < 0
            else self._before[number] + min(where, self._spans[number][1]) - self._starts[number]
        )
        return round_ * self._before[-1] + within

    def since(self, passed: int) -> int:
        """The elapsed frame since which they have been shown without a break; `passed` if they are not."""
        round_, where = divmod(passed, self._length) if self._loop else (0, passed)
        number = bisect_right(self._starts, where) - 1
        if passed < 0 or number < 0 or where >= self._spans[number][1]:
            return passed
        start = round_ * self._length + self._starts[number] if self._loop else self._starts[number]
        if self._loop and self._starts[number] == 0 and self._spans[-1][1] == self._length:
            whole = self._spans[-1][0] == 0
            start = 0 if whole else start - self._length + self._spans[-1][0]
        return max(start, 0)
