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

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Generic, TypeGuard, TypeVar
from zoneinfo import ZoneInfo

from vistterstream.resources.program import PlaybackState
from vistterstream.resources.timeline import TransitionType
from vistterstream.timeline.easing import ease
from vistterstream.timeline.plan import (
    IMAGE,
    AudioCuePlan,
    DailyPlan,
    OverlayCuePlan,
    PlaybackPlan,
    TimelinePlan,
    TransitionPlan,
    VideoCuePlan,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MIXING = (TransitionType.CROSSFADE, TransitionType.WIPE)


@dataclass(frozen=True, slots=True)
class Picture:
    """What one frame of the timeline shows.

    `camera` is the source that fills the frame: the name of a Camera, `CLIP` or `IMAGE` and an id, or
    None for the slate. During a `transition` it is the one that goes out, `incoming` the one that comes in,
    and `mix` how far it has come, 0 to 1, with its easing. `sound` is the share of the incoming sound at the
    start and at the end of the frame; `gains` are factors of the two sounds at its end. `overlays` holds
    pairs of instance id and age (frames since the overlay entered), from the bottom up. `cue` is the index
    of the video cue, None in a gap.
    """

    camera: str | None
    incoming: str | None = None
    mix: float = 0.0
    overlays: tuple[tuple[str, int], ...] = ()
    cue: int | None = None
    transition: TransitionPlan | None = None
    sound: tuple[float, float] = (0.0, 0.0)
    gains: tuple[float, float] = (1.0, 1.0)
    lengths: tuple[int | None, ...] = field(default=(), compare=False)
    """For each of `overlays` the frames of its cue, None where it never ends; for how it goes."""


_Along = TypeVar("_Along", OverlayCuePlan, AudioCuePlan)


class _Spans(Generic[_Along]):
    """Cues that may overlap: from each frame of `starts` on those at the same place in `cues` are shown."""

    def __init__(self, cues: tuple[_Along, ...]) -> None:
        self.starts: list[int] = []
        self.cues: list[tuple[_Along, ...]] = []
        edges = [(cue.start, 1, index) for index, cue in enumerate(cues)]
        edges += [(cue.end, 0, index) for index, cue in enumerate(cues) if cue.end is not None]
        edges.sort()
        shown: list[int] = []  # in the order of the cues
        for number, (frame, comes, index) in enumerate(edges, 1):
            if comes:
                insort(shown, index)
            else:
                del shown[bisect_left(shown, index)]
            if number == len(edges) or edges[number][0] != frame:
                self.starts.append(frame)
                self.cues.append(tuple([cues[index] for index in shown]))

    def at(self, position: int) -> tuple[_Along, ...]:
        """Those that are shown at the frame."""
        index = bisect_right(self.starts, position) - 1
        return self.cues[index] if index >= 0 else ()

    def coming(self, position: int) -> Iterator[_Along]:
        """Those that start after the frame, in order of time."""
        for index in range(bisect_right(self.starts, position), len(self.starts)):
            start = self.starts[index]
            yield from (cue for cue in self.cues[index] if cue.start == start)


class Daily:
    """When each day's first frame is. Immutable but for a memory of the last answer; any thread may ask."""

    def __init__(self, plan: DailyPlan) -> None:
        self._zone = ZoneInfo(plan.time_zone)
        self._time = timedelta(seconds=plan.second)
        self._last: tuple[tuple[Fraction, int], int, int] | None = None

    def day(self, n: int, rate: Fraction, epoch_wall_ns: int) -> tuple[int, int]:
        """The program frames of the last occurrence at or before frame `n`, and of the one after.

        Parameters as of `elapsed`; a frame belongs to the occurrence nearest to its instant.
        """
        key, last = (rate, epoch_wall_ns), self._last
        if last is None or last[0] != key or not last[1] <= n < last[2]:
            last = (key, *self._find(n, rate, epoch_wall_ns))
            self._last = last
        return last[1], last[2]

    def _find(self, n: int, rate: Fraction, epoch_wall_ns: int) -> tuple[int, int]:
        seconds = (epoch_wall_ns + int(n * 1_000_000_000 / rate)) // 1_000_000_000
        day = (_EPOCH + timedelta(seconds=seconds)).astimezone(self._zone).date()
        found = sorted(
            -round_half_up(Fraction(epoch_wall_ns - self._instant(day + timedelta(days=by)), 10**9) * rate)
            for by in range(-2, 4)  # a zone may skip a day when it changes sides of the date line
        )
        following = bisect_right(found, n)
        return found[following - 1], found[following]

    def _instant(self, day: date) -> int:
        """Unix time, in ns, of the occurrence of a day.

        A time that the clocks skip is as much later as they skip (PEP 495, fold 0); of one that they show
        twice, the first is meant.
        """
        wall = datetime(day.year, day.month, day.day, tzinfo=self._zone) + self._time
        return (wall.astimezone(UTC) - _EPOCH) // _MICROSECOND * 1000


class _Playback:
    """A `PlaybackPlan`, ready to be asked."""

    def __init__(self, plan: PlaybackPlan) -> None:
        self.state = plan.state
        self.frame = plan.frame
        self.since_ns = None if plan.since is None else _nanoseconds(plan.since)

    def since(self, rate: Fraction, epoch_wall_ns: int) -> int | None:
        """The program frame from which on it holds; None: it always does. Parameters as of `elapsed`."""
        if self.since_ns is None:
            return None
        return round_half_up(Fraction(self.since_ns - epoch_wall_ns, 1_000_000_000) * rate)


class TimelineIndex:
    """A `TimelinePlan`, sorted for looking up frames. Immutable; any thread may ask."""

    def __init__(self, plan: TimelinePlan) -> None:
        self.plan = plan
        self.length = plan.length
        self.loop = plan.loop
        self.endless = not plan.loop and any(cue.end is None for cue in plan.along)
        self.anchor_ns = None if plan.anchor is None else _nanoseconds(plan.anchor)
        self.daily = None if plan.daily is None else Daily(plan.daily)
        self.playback = None if plan.playback is None else _Playback(plan.playback)
        self._video = plan.video
        self._starts = [cue.start for cue in plan.video]
        self._overlays = _Spans(plan.overlays)
        self.ducks = any(cue.duck is not None for cue in plan.audio)
        self._audio = _Spans(plan.audio)

    def video_at(self, position: int) -> int | None:
        """Index of the video cue that covers the frame."""
        index = bisect_right(self._starts, position) - 1
        return index if index >= 0 and position < self._video[index].end else None

    def before(self, index: int) -> VideoCuePlan | None:
        """The cue shown just before cue `index` starts, None for a gap.

        In a loop the last frame comes before the first, also on the first round: frame 0 looks the same
        each time.
        """
        start = self._video[index].start
        if index > 0:
            previous = self._video[index - 1]
            return previous if previous.end == start else None
        last = self._video[-1]
        return last if self.loop and start == 0 and last.end == self.length else None

    def overlays_at(self, position: int) -> tuple[tuple[str, int], ...]:
        """Pairs of instance id and age, from the bottom up."""
        return tuple((cue.instance, position - cue.start) for cue in self._overlays.at(position))

    def lengths_at(self, position: int) -> tuple[int | None, ...]:
        """The frames of each of those cues; None of one that never ends."""
        return tuple(None if cue.end is None else cue.end - cue.start for cue in self._overlays.at(position))

    def audio_at(self, position: int) -> tuple[AudioCuePlan, ...]:
        """The audio cues that play at the frame."""
        return self._audio.at(position)

    def audio_from(self, position: int) -> Iterator[AudioCuePlan]:
        """The audio cues that start after the frame, in order of time."""
        return self._audio.coming(position)

    def last_of_cue(self, passed: int) -> int:
        """The elapsed frame that is the last of the video cue which `passed` is in; itself in a gap."""
        position = wrap(self, passed)
        index = None if position is None else self.video_at(position)
        if position is None or index is None:
            return passed
        return passed + self._video[index].end - 1 - position

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
    same for every n: nothing drifts. With a daily anchor that is so for each day: the frames count from its
    last occurrence. A playback puts the timeline at its own place, from its instant on.
    """
    playback = timeline.playback
    if playback is None or not _holds(timeline, playback, n, rate, epoch_wall_ns):
        return _anchored(timeline, n, rate, epoch_wall_ns)
    since = playback.since(rate, epoch_wall_ns)
    if since is None:  # paused, always
        return playback.frame or 0
    there = playback.frame
    if there is None:
        there = _anchored(timeline, since, rate, epoch_wall_ns)
    if playback.state is PlaybackState.PAUSED:
        return there
    if playback.state is PlaybackState.HELD:
        return min(there + n - since, timeline.last_of_cue(there))
    return there + n - since


def directed(timeline: TimelineIndex, n: int, rate: Fraction, epoch_wall_ns: int) -> PlaybackPlan | None:
    """The playback that says where the timeline is at program frame `n`; None where its anchor does.
    Parameters as of `elapsed`.
    """
    playback = timeline.playback
    if playback is None or not _holds(timeline, playback, n, rate, epoch_wall_ns):
        return None
    return timeline.plan.playback


def _holds(timeline: TimelineIndex, playback: _Playback, n: int, rate: Fraction, epoch_wall_ns: int) -> bool:
    """Whether the playback is in force at program frame `n`."""
    since = playback.since(rate, epoch_wall_ns)
    if since is None:
        return True
    over = not _stands(playback) and _another_day(timeline, n, since, rate, epoch_wall_ns)
    return n >= since and not over


def _stands(playback: _Playback | None) -> bool:
    """Whether the timeline is kept from going on."""
    return playback is not None and playback.state is not PlaybackState.PLAYING


def _another_day(timeline: TimelineIndex, n: int, since: int, rate: Fraction, epoch_wall_ns: int) -> bool:
    """Whether a daily anchor has started the timeline anew between frames `since` and `n`."""
    return timeline.daily is not None and timeline.daily.day(n, rate, epoch_wall_ns)[0] > since


def _anchored(timeline: TimelineIndex, n: int, rate: Fraction, epoch_wall_ns: int) -> int:
    """What `elapsed` is where the anchor alone says it."""
    if timeline.daily is not None:
        return n - timeline.daily.day(n, rate, epoch_wall_ns)[0]
    if timeline.anchor_ns is None:
        return n
    return n + round_half_up(Fraction(epoch_wall_ns - timeline.anchor_ns, 1_000_000_000) * rate)


def restart(timeline: TimelineIndex, n: int, rate: Fraction, epoch_wall_ns: int) -> int | None:
    """Frames from program frame `n` until a daily anchor starts the timeline again; None where there is
    none. Parameters as of `elapsed`.
    """
    if timeline.daily is None or _stands(timeline.playback):
        return None
    return timeline.daily.day(n, rate, epoch_wall_ns)[1] - n


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

    In a transition of d frames, frame k of it (from 0) has come the share (k+1)/(d+1) of its way, eased:
    neither its first nor its last frame shows one picture alone. The sound goes from k/d to (k+1)/d within
    the frame, evenly. A transition from a gap comes in over the slate; a mixture of a picture with itself
    shows nothing, and is none.
    """
    if position is None:
        return Picture(None)
    overlays, lengths = timeline.overlays_at(position), timeline.lengths_at(position)
    index = timeline.video_at(position)
    if index is None:
        return Picture(None, overlays=overlays, lengths=lengths)
    cue = timeline.cue(index)
    source, how, gain = cue.source, cue.transition, cue.gain
    k = position - cue.start
    if how is not None and k < how.frames:
        last = timeline.before(index)
        outgoing, gone = (None, 1.0) if last is None else (last.source, last.gain)
        if outgoing == source:  # the same sound: its gain alone goes over
            gain = gone + (gain - gone) * (k + 1) / how.frames
        if outgoing != source or how.type not in _MIXING:
            share = ease(how.easing, (k + 1) / (how.frames + 1))
            mix = min(max(share, 0.0), 1.0)
            sound = (0.0, 0.0) if outgoing == source else (k / how.frames, (k + 1) / how.frames)
            gains = (gain if outgoing == source else gone, gain)
            return Picture(outgoing, source, mix, overlays, index, how, sound, gains, lengths)
    return Picture(source, overlays=overlays, cue=index, gains=(gain, gain), lengths=lengths)


def needed(
    timeline: TimelineIndex, passed: int | None, horizon: int, again: int | None = None
) -> dict[str, int]:
    """The cameras and clips that the frames from now to `horizon` frames ahead show, each with the frames
    until then.

    `passed` is a position, or elapsed frames (then also what comes after an anchor that still lies ahead
    is found); None needs nothing. A camera that is on air, or goes out in a crossfade, is needed in 0
    frames. `again` is what `restart` says. Costs as much as there are cues within the horizon, and never
    more than all cues twice.
    """
    found: dict[str, int] = {}
    if passed is not None:
        now = wrap(timeline, passed) if passed >= 0 else passed
        if now is not None:
            _needed_from(timeline, now, horizon, found)
    if again is not None and again <= horizon:
        _upcoming(timeline, -1, again - 1, horizon, found)
    return found


def _needed_from(timeline: TimelineIndex, now: int, horizon: int, found: dict[str, int]) -> None:
    """Add what position `now` (negative before an anchor) shows, and what comes after it."""
    if now >= 0:
        shown = picture(timeline, now)
        found.update((name, 0) for name in (shown.camera, shown.incoming) if _moves(name))
    _upcoming(timeline, now, 0, horizon, found)
    if timeline.loop and now + horizon >= timeline.length:
        _upcoming(timeline, -1, timeline.length - now - 1, horizon, found)


def _upcoming(timeline: TimelineIndex, now: int, distance: int, horizon: int, found: dict[str, int]) -> None:
    """Add the cameras of the cues that start after `now`, itself `distance` frames away."""
    for index in timeline.cues_from(now):
        cue = timeline.cue(index)
        until = distance + cue.start - now
        if until > horizon:
            break
        if _moves(cue.source):
            found.setdefault(cue.source, until)
        outgoing = timeline.before(index) if cue.fade else None
        # Before an anchor the first cue of a loop already fades from the last.
        if outgoing is not None and _moves(outgoing.source):
            found.setdefault(outgoing.source, until)


def _moves(source: str | None) -> TypeGuard[str]:
    """Whether it is a camera or a clip."""
    return source is not None and not source.startswith(IMAGE)


def round_half_up(value: Fraction) -> int:
    """The nearest integer; the upper one of two that are equally near (also below zero)."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def _nanoseconds(instant: str) -> int:
    """Unix time in ns of an ISO 8601 instant with a zone; exact, datetimes have whole microseconds."""
    return (datetime.fromisoformat(instant) - _EPOCH) // _MICROSECOND * 1000
