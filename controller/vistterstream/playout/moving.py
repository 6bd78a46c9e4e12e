"""Layers that move: drawn once, and put on each frame where they are, to a fraction of a pixel.

Between pixels values are interpolated linearly, premultiplied by alpha. A layer that is only moved keeps,
beside its luma, the mean of the 2x2 square at every pixel as its chroma, so that a move by any fraction is
the weighted sum of neighbours there too; every other layer is warped in full resolution, then halved.
What comes out is a `Sprite`, blended like those that stand still.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from vistterstream.playout.geometry import View
from vistterstream.playout.images import animation
from vistterstream.playout.layers import piece
from vistterstream.playout.masks import masked
from vistterstream.playout.moment import Moment
from vistterstream.playout.pieces import Piece, Tell
from vistterstream.playout.plates import Patch, looks_of, plate
from vistterstream.playout.room import Room
from vistterstream.playout.sliding import Slider
from vistterstream.playout.sprites import Looks
from vistterstream.playout.turning import Tint, Turner
from vistterstream.resources.overlay import Layer, Play
from vistterstream.timeline.tracks import Motion, Pose

_FINEST = 4  # a layer that grows is drawn at most so much larger than its size


class State(NamedTuple):
    """How a layer stands, and which of its texts or pictures it shows."""

    pose: Pose
    number: int


class Mover:
    """A layer that moves. What it looks like follows from its state, and that from its age.

    `patch` is for any thread, `looks` too unless it is `fast`; `shown` is for one.
    """

    def __init__(
        self,
        layer: Layer,
        motion: Motion,
        view: View,
        rate: Fraction,
        room: Room,
        tell: Tell,
        *,
        planar: bool = True,
    ) -> None:
        """Draws it, once for each of its texts or pictures. Raises Unusable.

        Without `planar`, `patch` must be used also for what only moves.
        """
        self._motion = motion
        self._last: tuple[State, Looks] | None = None
        self._times: _Times | None = None
        self.fast = motion.moves_only and planar
        finer = finer_for(motion)
        large = view.finer(finer)
        if layer.image is not None and layer.image.played is not Play.STILL:
            frames = animation(layer.image, layer.position, large, room.anywhere, tell)
            self._times = _Times(frames.starts, layer.image.played, rate)
            pieces: list[Piece | None] = [masked(one, layer.mask, large, tell) for one in frames.pieces]
        else:
            pieces = [piece(one, large, room.anywhere, tell) for one in _variants(layer, motion)]
        self._drawn = [
            None if drawn is None else posable(drawn, layer, motion, view, planar=planar, lasting=True)
            for drawn in pieces
        ]

    @property
    def constant(self) -> bool:
        """Whether it looks the same in every frame."""
        return self._motion.constant and len(self._drawn) == 1

    def state(self, moment: Moment) -> State:
        """All that it depends on at that moment."""
        return self._state(moment.age, moment.length)

    def _state(self, age: int, length: int | None) -> State:
        pose = self._motion.at(age, length)
        return State(pose, pose.text or 0 if self._times is None else self._times.at(age))

    def patch(self, state: Hashable) -> Patch | None:
        """What it looks like in that state, in full resolution."""
        assert isinstance(state, State), "it is what `state` gave"
        pose, number = state
        drawn = self._drawn[number] if self._drawn else None
        return None if drawn is None else drawn.patch(pose)

    def looks(self, state: Hashable) -> Looks:
        """The same, ready for blending."""
        assert isinstance(state, State), "it is what `state` gave"
        pose, number = state
        drawn = self._drawn[number] if self._drawn else None
        if isinstance(drawn, Turner) or (self.fast and drawn is not None):
            return drawn.looks(pose)
        return looks_of(self.patch(state))

    def shown(self, age: int, length: int | None) -> Looks:
        """What it looks like `age` frames after its overlay entered, in a cue of `length` frames.

        It is good until the next question.
        """
        state = self._state(age, length)
        if self._last is None or self._last[0] != state:
            self._last = (state, self.looks(state))
        return self._last[1]


def finer_for(motion: Motion) -> int:
    """How many times as large as its size a layer is drawn, so that it is sharp when it has grown."""
    return 1 if motion.moves_only else min(max(round(motion.largest), 1), _FINEST)


def _variants(layer: Layer, motion: Motion) -> Iterator[Layer]:
    """The layer with each of its texts."""
    if layer.text is None or not motion.texts:
        yield layer
    else:
        for text in motion.texts:
            yield layer.model_copy(update={"text": layer.text.model_copy(update={"value": text})})


def posable(
    drawn: Piece, layer: Layer, motion: Motion, view: View, *, planar: bool = True, lasting: bool = False
) -> Slider | Turner:
    """The piece, drawn `finer_for` the motion, ready to be posed in the view; `lasting` as of `Turner`."""
    if motion.moves_only:
        return Slider(plate(drawn), layer, view, planar=planar)
    tint = Tint(drawn) if motion.colored else None
    anchor, finer = layer.position.anchor, finer_for(motion)
    return Turner(plate(drawn), anchor, view, finer, tint, lasting=lasting)


class _Times:
    """Which frame of an animation is shown when."""

    def __init__(self, starts: Sequence[float], play: Play, rate: Fraction) -> None:
        self._starts = [Fraction(start).limit_denominator(1000) for start in starts]
        self._play, self._step = play, 1000 / rate  # ms

    def at(self, age: int) -> int:
        """The index of the frame shown at that age."""
        now, end = age * self._step, self._starts[-1]
        if self._play is Play.LOOP:
            now %= end
        elif self._play is Play.PING_PONG:
            now %= 2 * end
            now = now if now < end else 2 * end - now
        return min(bisect_right(self._starts, now), max(len(self._starts) - 1, 1)) - 1
