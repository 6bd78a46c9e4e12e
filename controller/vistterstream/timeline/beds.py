"""Which sounds play along at a frame, from where in their files, and how loud. Pure.

A sound's place in its file follows from the frame alone: its first sample belongs to the start of its cue's
first frame, and everything after follows sample by sample.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from vistterstream.timeline.easing import ease
from vistterstream.timeline.evaluate import TimelineIndex, wrap
from vistterstream.timeline.plan import SILENCE, AudioCuePlan, GainPoint


@dataclass(frozen=True, slots=True)
class Bed:
    """A sound at a frame: its cue, and the frames since its file began to play.

    Two beds of the same file, with ages that differ by the frames between, are one sound that goes on.
    """

    cue: AudioCuePlan
    age: int

    def volume(self, age: int) -> float:
        """The factor at the start of the frame of that age, ducking left out; frames go evenly from one to
        the next. A cue that ends is silent from its end on, so that it does not click.
        """
        cue = self.cue
        factor = cue.gain * _curve(cue.curve, age)
        if age < cue.fade_in:
            factor *= age / cue.fade_in
        left = self._left(age)
        if left is not None and left < max(cue.fade_out, 1):
            factor *= max(left, 0) / max(cue.fade_out, 1)
        return factor

    def _left(self, age: int) -> int | None:
        """Frames of the cue that are left; None where it has no end."""
        cue = self.cue
        return None if cue.end is None or cue.through else cue.end - cue.start - age


def beds(timeline: TimelineIndex, passed: int) -> tuple[Bed, ...]:
    """What plays along after `passed` elapsed frames."""
    position = wrap(timeline, passed)
    if position is None:
        return ()
    return tuple(_bed(cue, position, passed) for cue in timeline.audio_at(position))


def coming(timeline: TimelineIndex, passed: int, horizon: int) -> list[Bed]:
    """What plays now or starts within `horizon` frames; what has not started has a negative age, the frames
    until then. Costs as much as there are such cues.
    """
    now = wrap(timeline, passed) if passed >= 0 else passed
    if now is None:
        return []
    found = list(beds(timeline, passed))
    found += _starting(timeline, now, 0, horizon)
    if timeline.loop and now + horizon >= timeline.length:
        again = _starting(timeline, -1, timeline.length - now - 1, horizon)
        found += [bed for bed in again if not bed.cue.through or now < 0]
    return found


def _starting(timeline: TimelineIndex, now: int, distance: int, horizon: int) -> list[Bed]:
    """The cues that start after position `now`, itself `distance` frames away, within the horizon."""
    found = []
    for cue in timeline.audio_from(now):
        until = distance + cue.start - now
        if until > horizon:
            break
        found.append(Bed(cue, -until))
    return found


def _bed(cue: AudioCuePlan, position: int, passed: int) -> Bed:
    return Bed(cue, passed if cue.through else position - cue.start)


def _curve(points: tuple[GainPoint, ...], age: float) -> float:
    """The factor of a curve of gains, which goes in dB."""
    if not points:
        return 1.0
    index = bisect_right(points, age, key=lambda point: point.frame)
    before, after = points[max(index - 1, 0)], points[min(index, len(points) - 1)]
    decibels = before.decibels
    if before is not after:
        share = (age - before.frame) / (after.frame - before.frame)
        decibels += (after.decibels - before.decibels) * ease(str(after.easing), share)
    return 0.0 if decibels <= SILENCE else 10 ** (decibels / 20)
