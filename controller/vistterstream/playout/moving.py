"""Layers that move: drawn once, and put on each frame where they are, to a fraction of a pixel.

Between pixels values are interpolated linearly, premultiplied by alpha. A layer that is only moved keeps,
beside its luma, the mean of the 2x2 square at every pixel as its chroma, so that a move by any fraction is
the weighted sum of neighbours there too; every other layer is warped in full resolution, then halved.
What comes out is a `Sprite`, blended like those that stand still.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Protocol

from vistterstream.playout.geometry import FAR, Rect, View
from vistterstream.playout.images import Animation, animation
from vistterstream.playout.layers import piece
from vistterstream.playout.pieces import Piece, Tell, Unusable
from vistterstream.playout.sliding import Slider
from vistterstream.playout.sprites import Sprite
from vistterstream.playout.turning import Turner
from vistterstream.resources.overlay import ImageLayer, Layer, Play
from vistterstream.timeline.tracks import Motion, Pose

MAX_MOVING_PIXELS = 12_000_000
"""Pixels of all layers of an overlay that move, all frames of animations and texts of tickers included."""
_EVERYWHERE = Rect(-FAR, -FAR, 2 * FAR, 2 * FAR)

_FINEST = 4  # a layer that grows is drawn at most so much larger than its size


class _Drawn(Protocol):
    """A drawn layer that can be posed."""

    def posed(self, pose: Pose) -> Sprite | None:
        """What it looks like in that pose; None where nothing shows."""


class Room:
    """How many pixels the layers of an overlay that move may still have together."""

    def __init__(self, pixels: int = MAX_MOVING_PIXELS) -> None:
        self._left = pixels

    def take(self, pixels: int) -> None:
        """Use so many of them. Raises Unusable where there are no more."""
        if pixels > self._left:
            raise Unusable(
                f"The layers of this overlay that move have more than {MAX_MOVING_PIXELS // 1_000_000} "
                "million pixels together; make some smaller, or let them stand still."
            )
        self._left -= pixels


class Mover:
    """A layer that moves. For one thread."""

    def __init__(
        self, layer: Layer, motion: Motion, view: View, rate: Fraction, room: Room, tell: Tell
    ) -> None:
        """Draws it, once for each of its texts or pictures. Raises Unusable."""
        self._motion = motion
        self._last: tuple[tuple[Pose, int], Sprite | None] | None = None
        self._times: _Times | None = None
        finer = 1 if motion.moves_only else min(max(round(motion.largest), 1), _FINEST)
        large = replace(view, width=view.width * finer, height=view.height * finer)
        if layer.image is not None and layer.image.play is not Play.STILL:
            frames = _animation(layer, layer.image, large, tell)
            self._times = _Times(frames.starts, layer.image.play, rate)
            pieces: list[Piece | None] = list(frames.pieces)
            room.take(sum(drawn.seen.width * drawn.seen.height for drawn in frames.pieces))
        else:
            pieces = [_taking(room, one, large, tell) for one in _variants(layer, motion)]
        self._drawn = [
            None if drawn is None else _posable(drawn, layer, motion, view, finer) for drawn in pieces
        ]

    @property
    def constant(self) -> bool:
        """Whether it looks the same in every frame."""
        return self._motion.constant and len(self._drawn) == 1

    def sprite(self, age: int, length: int | None) -> Sprite | None:
        """What it looks like `age` frames after its overlay entered, in a cue of `length` frames."""
        pose = self._motion.at(age, length)
        number = pose.text or 0 if self._times is None else self._times.at(age)
        if self._last is None or self._last[0] != (pose, number):
            drawn = self._drawn[number] if self._drawn else None
            self._last = ((pose, number), None if drawn is None else drawn.posed(pose))
        return self._last[1]


def _taking(room: Room, layer: Layer, view: View, tell: Tell) -> Piece | None:
    drawn = piece(layer, view, _EVERYWHERE, tell)
    if drawn is not None:
        room.take(drawn.seen.width * drawn.seen.height)
    return drawn


def _variants(layer: Layer, motion: Motion) -> Iterator[Layer]:
    """The layer with each of its texts."""
    if layer.text is None or not motion.texts:
        yield layer
    else:
        for text in motion.texts:
            yield layer.model_copy(update={"text": layer.text.model_copy(update={"value": text})})


def _posable(drawn: Piece, layer: Layer, motion: Motion, view: View, finer: int) -> _Drawn:
    if motion.moves_only:
        return Slider(drawn, layer, view)
    return Turner(drawn, layer, view, finer, colored=motion.colored)


def _animation(layer: Layer, image: ImageLayer, view: View, tell: Tell) -> Animation:
    """The frames of an animation, or the one picture that stands in for it."""
    try:
        return animation(image, layer.position, view, _EVERYWHERE, tell)
    except Unusable:
        drawn = piece(layer, view, _EVERYWHERE, tell)  # with its fallback; raises again without one
        return Animation(() if drawn is None else (drawn,), (0.0, 1000.0))


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
