"""How far a file has come at a program frame: pure functions of the plan, so that live and offline agree.

A file is a reel on a machine that the timeline drives. Nothing is remembered from frame to frame: after a
restart, an edit, a seek or a pause the same frame number asks for the same picture.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction

from vistterstream.timeline.changes import Appearances
from vistterstream.timeline.evaluate import TimelineIndex, elapsed, wrap
from vistterstream.timeline.plan import CLIP, CameraPlan, ClipPlan


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a reel stands at a program frame.

    `picture` is counted on from the file's first, also beyond its end; a reader takes off the rounds.
    `since` is the program frame from which on the file has gone on by a picture a frame, and `first` the
    picture then. `still`: the frame before showed the same picture, so that no sound belongs to this one.
    """

    picture: int
    first: int
    since: int
    still: bool = False


class CameraReel:
    """The file of a camera. Immutable; any thread may ask.

    A file that loops goes on by a picture for each frame whose cue names the camera, or one that it is the
    backup of, and stands while none does. One that does not loop starts anew whenever it comes up.
    """

    def __init__(
        self, index: TimelineIndex, rate: Fraction, epoch_wall_ns: int, cameras: Collection[str], loop: bool
    ) -> None:
        """`cameras` are those whose cues count, see `standing_in`."""
        self._index, self._rate, self._epoch_wall_ns = index, rate, epoch_wall_ns
        self._appearances = Appearances(index, cameras)
        self._loop = loop

    def turn(self, number: int) -> Turn:
        """Where it stands at program frame `number`; where it will go on, while it is not in the picture."""
        passed = elapsed(self._index, number, self._rate, self._epoch_wall_ns)
        since = self._appearances.since(passed)
        first = self._appearances.count(since) if self._loop else 0
        before = elapsed(self._index, number - 1, self._rate, self._epoch_wall_ns)
        return Turn(first + passed - since, first, number - (passed - since), before == passed)


class ClipReel:
    """The file of a clip. Immutable; any thread may ask.

    It begins with its in-point in the first frame of each cue that shows it. While none does, it stands
    there.
    """

    def __init__(self, index: TimelineIndex, rate: Fraction, epoch_wall_ns: int, clip: ClipPlan) -> None:
        self._index, self._rate, self._epoch_wall_ns = index, rate, epoch_wall_ns
        self._source, self._first = f"{CLIP}{clip.id}", clip.start

    def turn(self, number: int) -> Turn:
        """Where it stands at program frame `number`."""
        passed = elapsed(self._index, number, self._rate, self._epoch_wall_ns)
        before = elapsed(self._index, number - 1, self._rate, self._epoch_wall_ns)
        played = self._played(passed)
        return Turn(self._first + played, self._first, number - played, before == passed)

    def _played(self, passed: int) -> int:
        """Frames since the start of the cue that shows it; 0 where none does."""
        position = wrap(self._index, passed)
        at = None if position is None else self._index.video_at(position)
        if position is None or at is None:
            return 0
        cue = self._index.cue(at)
        if cue.source == self._source:
            return position - cue.start
        last = self._index.before(at) if position - cue.start < cue.fade else None
        if last is None or last.source != self._source:
            return 0
        return position - last.start + (self._index.length if last.start > cue.start else 0)


def standing_in(name: str, cameras: Iterable[CameraPlan]) -> set[str]:
    """The cameras for which `name` may be shown: itself, those that it is the backup of, and theirs.

    Whether they can be shown at the moment plays no part: a reel must not depend on that.
    """
    backups = {camera.name: camera.spec.backup for camera in cameras}
    found = {name}
    while more := {one for one, backup in backups.items() if backup in found and one not in found}:
        found |= more
    return found
