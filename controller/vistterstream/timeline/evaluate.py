"""What a frame shows: pure functions of the frame number, so that live and offline give the same frames.

Everything here counts whole frames. A `TimelineIndex` is built once per plan; after that each question
costs a binary search. Nothing remembers what was asked before, so the order of questions does not matter.

Three numbers tell where a program stands:

- the *program frame* n, counted from the program's epoch and never reset;
- the *elapsed* frames of the timeline, `elapsed()`: negative before its anchor, larger than its length
  after its end, growing by one with each program frame;
- the *position*, `position()`: the frame of the timeline that is shown, None where there is none.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from vistterstream.resources.overlay import AnimatedProperty, Easing, Layer
from vistterstream.timeline.easing import ease
from vistterstream.timeline.plan import OverlayCuePlan, TimelinePlan, VideoCuePlan

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Picture:
    """What one frame of the timeline shows.

    `camera` is the picture that fills the frame, None for the slate. During a crossfade it is the picture
    that goes out, `incoming` the one that comes in, and `mix` the share of the latter, between 0 and 1.
    `overlays` holds pairs of instance id and age (frames since the overlay entered), from the bottom up.
    `cue` is the index of the video cue, None in a gap.
    """

    camera: str | None
    incoming: str | None = None
    mix: float = 0.0
    overlays: tuple[tuple[str, int], ...] = ()
    cue: int | None = None


@dataclass(frozen=True, slots=True)
class _Span:
    """The overlay cues that frames from `start` on show, from the bottom up."""

    start: int
    cues: tuple[OverlayCuePlan, ...]


class TimelineIndex:
    """A `TimelinePlan`, sorted for looking up frames. Immutable; any thread may ask."""

    def __init__(self, plan: TimelinePlan) -> None:
        self.plan = plan
        self.length = plan.length
        self.loop = plan.loop
        self.endless = not plan.loop and any(cue.end is None for cue in plan.overlays)
        self.anchor_ns = None if plan.anchor is None else _nanoseconds(plan.anchor)
        self._video = plan.video
        self._starts = [cue.start for cue in plan.video]
        self._spans = _spans(plan.overlays)
        self._span_starts = [span.start for span in self._spans]

    def video_at(self, position: int) -> int | None:
        """Index of the video cue that covers the frame."""
        index = bisect_right(self._starts, position) - 1
        return index if index >= 0 and position < self._video[index].end else None

    def before(self, index: int) -> str | None:
        """The camera shown just before cue `index` starts, None for the slate.

        In a loop the last frame comes before the first, also on the first round: frame 0 looks the same
        each time.
        """
        start = self._video[index].start
        if index > 0:
            previous = self._video[index - 1]
            return previous.camera if previous.end == start else None
        last = self._video[-1]
        return last.camera if self.loop and start == 0 and last.end == self.length else None

    def overlays_at(self, position: int) -> tuple[tuple[str, int], ...]:
        """Pairs of instance id and age, from the bottom up."""
        index = bisect_right(self._span_starts, position) - 1
        if index < 0:
            return ()
        return tuple((cue.instance, position - cue.start) for cue in self._spans[index].cues)

    def cues_from(self, position: int) -> range:
        """Indices of the video cues that start after the frame."""
        return range(bisect_right(self._starts, position), len(self._starts))

    def cue(self, index: int) -> VideoCuePlan:
        """Video cue number `index`."""
        return self._video[index]


def elapsed(timeline: TimelineIndex, n: int, rate: Fraction, epoch_wall_ns: int) -> int:
    """Frames of the timeline that have passed at program frame `n`; negative before its anchor.

    `rate` is in frames a second; `epoch_wall_ns` is the Unix time, in ns, of program frame 0. With an
    anchor the offset between the two counts is (epoch - anchor) * rate, rounded once, so that it is the
    same for every n: nothing drifts.
    """
    if timeline.anchor_ns is None:
        return n
    return n + round_half_up(Fraction(epoch_wall_ns - timeline.anchor_ns, 1_000_000_000) * rate)


def position(timeline: TimelineIndex, n: int, rate: Fraction, epoch_wall_ns: int) -> int | None:
    """The frame of the timeline that program frame `n` shows: None before its anchor, and after its end
    unless it loops. Parameters as of `elapsed`.
    """
    return wrap(timeline, elapsed(timeline, n, rate, epoch_wall_ns))


def wrap(timeline: TimelineIndex, passed: int) -> int | None:
    """The position after `passed` elapsed frames."""
    if passed < 0:
        return None
    if timeline.loop:
        return passed % timeline.length
    return passed if passed < timeline.length or timeline.endless else None


def picture(timeline: TimelineIndex, position: int | None) -> Picture:
    """What the frame of the timeline shows; the slate alone where `position` is None.

    In a crossfade of d frames, frame k of it (from 0) has mix (k+1)/(d+1): neither its first nor its last
    frame shows one picture alone. A crossfade from a gap comes in over the slate; one from a camera to
    itself shows nothing, and is none.
    """
    if position is None:
        return Picture(None)
    overlays = timeline.overlays_at(position)
    index = timeline.video_at(position)
    if index is None:
        return Picture(None, overlays=overlays)
    cue = timeline.cue(index)
    k = position - cue.start
    if k < cue.fade:
        outgoing = timeline.before(index)
        if outgoing != cue.camera:
            return Picture(outgoing, cue.camera, (k + 1) / (cue.fade + 1), overlays, index)
    return Picture(cue.camera, overlays=overlays, cue=index)


def needed(timeline: TimelineIndex, passed: int | None, horizon: int) -> dict[str, int]:
    """The cameras that the frames from now to `horizon` frames ahead show, each with the frames until then.

    `passed` is a position, or elapsed frames (then also what comes after an anchor that still lies ahead
    is found); None needs nothing. A camera that is on air, or goes out in a crossfade, is needed in 0
    frames. Costs as much as there are cues within the horizon, and never more than all cues twice.
    """
    if passed is None:
        return {}
    now = wrap(timeline, passed) if passed >= 0 else passed
    if now is None:
        return {}
    found: dict[str, int] = {}
    if now >= 0:
        shown = picture(timeline, now)
        found = {name: 0 for name in (shown.camera, shown.incoming) if name is not None}
    _upcoming(timeline, now, 0, horizon, found)
    if timeline.loop and now + horizon >= timeline.length:
        _upcoming(timeline, -1, timeline.length - now - 1, horizon, found)
    return found


def _upcoming(timeline: TimelineIndex, now: int, distance: int, horizon: int, found: dict[str, int]) -> None:
    """Add the cameras of the cues that start after `now`, itself `distance` frames away."""
    for index in timeline.cues_from(now):
        cue = timeline.cue(index)
        until = distance + cue.start - now
        if until > horizon:
            break
        found.setdefault(cue.camera, until)
        outgoing = timeline.before(index) if cue.fade else None
        if outgoing is not None:  # before an anchor the first cue of a loop already fades from the last
            found.setdefault(outgoing, until)


class Curve:
    """A property over time, from the keyframes of its track; constant without one.

    Times are taken in frames of the program, as real numbers: a keyframe need not fall on a frame.
    """

    def __init__(self, layer: Layer, rate: Fraction, property: AnimatedProperty) -> None:
        track = next((track for track in layer.tracks if track.property is property), None)
        if track is None:
            self._times, self._values = [0.0], [float(getattr(layer, property.value))]
            self._easings = [Easing.LINEAR]
        else:
            self._times = [float(keyframe.at.seconds * rate) for keyframe in track.keyframes]
            self._values = [keyframe.value for keyframe in track.keyframes]
            self._easings = [keyframe.easing for keyframe in track.keyframes]

    @property
    def constant(self) -> float | None:
        """The value, if it is always the same."""
        return self._values[0] if len(set(self._values)) == 1 else None

    def at(self, age: int) -> float:
        """The value `age` frames after the overlay entered; a keyframe's easing leads up to it."""
        index = bisect_right(self._times, age)
        if index == 0:
            return self._values[0]
        if index == len(self._times):
            return self._values[-1]
        start, end = self._values[index - 1], self._values[index]
        share = (age - self._times[index - 1]) / (self._times[index] - self._times[index - 1])
        return start + (end - start) * ease(self._easings[index], share)


def opacity(layer: Layer, age_frames: int, rate: Fraction) -> float:
    """The opacity of the layer `age_frames` after its overlay entered: its track's value where it has one."""
    return Curve(layer, rate, AnimatedProperty.OPACITY).at(age_frames)


def round_half_up(value: Fraction) -> int:
    """The nearest integer; the upper one of two that are equally near (also below zero)."""
    return (value + Fraction(1, 2)).__floor__()


def _spans(cues: tuple[OverlayCuePlan, ...]) -> list[_Span]:
    """The frames at which the set of shown overlays changes, and the set from there on."""
    entering: dict[int, list[int]] = {}
    leaving: dict[int, list[int]] = {}
    for index, cue in enumerate(cues):
        entering.setdefault(cue.start, []).append(index)
        if cue.end is not None:
            leaving.setdefault(cue.end, []).append(index)
    shown: set[int] = set()
    spans = []
    for start in sorted(entering.keys() | leaving.keys()):
        shown.difference_update(leaving.get(start, ()))
        shown.update(entering.get(start, ()))
        spans.append(_Span(start, tuple(cues[index] for index in sorted(shown))))
    return spans


def _nanoseconds(instant: str) -> int:
    """Unix time in ns of an ISO 8601 instant with a zone; exact, datetimes have whole microseconds."""
    return (datetime.fromisoformat(instant) - _EPOCH) // _MICROSECOND * 1000
