"""From how far a file has come to its picture and its sound: the one rule, on air and offline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import NamedTuple

from vistterstream.ffmpeg.failures import Failure
from vistterstream.playout.sound import samples_before
from vistterstream.resources.camera import CameraSource, CameraSpec, FileSource
from vistterstream.resources.timeline import ClipEnd
from vistterstream.timeline.evaluate import TimelineIndex, round_half_up
from vistterstream.timeline.plan import CameraPlan, ClipPlan
from vistterstream.timeline.reels import CameraReel, ClipReel, Turn, standing_in


class AtEnd(Enum):
    """What follows the last picture."""

    LOOP = "loop"  # the first again
    STOP = "stop"  # nothing
    HOLD = "hold"  # the last one, without sound


class Place(NamedTuple):
    """A picture of a file and the sample at which its sound starts, both from its beginning; `silent` where
    the picture stands and has no sound.
    """

    picture: int
    sample: int
    silent: bool


@dataclass(frozen=True, slots=True)
class Reel:
    """What of a file belongs to which program frame.

    `turn` says how far it has come at a program frame, `start` is the picture that a loop goes back to.
    """

    rate: Fraction
    turn: Callable[[int], Turn]
    at_end: AtEnd
    start: int = 0

    def lacks(self, length: int) -> Failure | None:
        """That a file of `length` pictures has none to begin with."""
        if self.start < length:
            return None
        start, end = (f"{round(float(frames / self.rate), 3):g} s" for frames in (self.start, length))
        return Failure(
            "InPointTooLate",
            f"The in-point, {start}, lies behind the last picture: the file lasts {end}. "
            "Give an earlier one.",
        )

    def place(self, number: int, length: int) -> Place | None:
        """What program frame `number` shows of a file of `length` pictures; None after its end."""
        turn = self.turn(number)
        if self.start >= length:
            return None
        picture, first = turn.picture, turn.first
        if picture >= length:
            if self.at_end is AtEnd.STOP:
                return None
            if self.at_end is AtEnd.HOLD:
                return Place(length - 1, samples_before(length, self.rate), silent=True)
        picture, first = self._within(picture, length), self._within(first, length)
        since = max(turn.since, number - (picture - self.start))
        if since != turn.since:
            first = self.start  # it has begun anew meanwhile
        passed = samples_before(number, self.rate) - samples_before(since, self.rate)
        return Place(picture, samples_before(first, self.rate) + passed, turn.still)

    def _within(self, picture: int, length: int) -> int:
        if picture < length:
            return picture
        return self.start + (picture - self.start) % (length - self.start)


def clip_reel(clip: ClipPlan, index: TimelineIndex, rate: Fraction, epoch_wall_ns: int) -> Reel:
    """The rule for a clip on the timeline."""
    turns = ClipReel(index, rate, epoch_wall_ns, clip)
    return Reel(rate, turns.turn, AtEnd(clip.at_end.value), clip.start)


def clip_camera(clip: ClipPlan) -> CameraSpec:
    """The camera that gives the pictures of a clip."""
    file = FileSource(path=clip.file, loop=clip.at_end is ClipEnd.LOOP)
    return CameraSpec(source=CameraSource(file=file))


def pictures(end: Fraction, rate: Fraction) -> int:
    """How many pictures a file that lasts `end` seconds has at `rate`."""
    return max(1, round_half_up(end * rate))


def camera_reel(
    camera: CameraPlan,
    cameras: Iterable[CameraPlan],
    index: TimelineIndex,
    rate: Fraction,
    epoch_wall_ns: int,
) -> Reel:
    """The rule for the file of `camera`, one of `cameras`, on the timeline."""
    file = camera.spec.source.file
    assert file is not None
    turns = CameraReel(index, rate, epoch_wall_ns, standing_in(camera.name, cameras), file.loop)
    return Reel(rate, turns.turn, AtEnd.LOOP if file.loop else AtEnd.STOP)
