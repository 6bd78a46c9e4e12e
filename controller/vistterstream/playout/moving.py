"""Layers that move: drawn once, and put on each frame where they are, to a fraction of a pixel.

Between pixels values are interpolated linearly, premultiplied by alpha. A layer that is only moved keeps,
beside its luma, the mean of the 2x2 square at every pixel as its chroma, so that a move by any fraction is
the weighted sum of neighbours there too; every other layer is warped in full resolution, then halved.
What comes out is a `Sprite`, blended like those that stand still.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Protocol

import cv2
import numpy as np

from vistterstream.playout.frames import Floats, Planes, Words, exact_yuv, premultiplied
from vistterstream.playout.raster import (
    Animation,
    Piece,
    Rect,
    Sprite,
    Tell,
    Unusable,
    View,
    animation,
    band,
    nearest,
    piece,
    shares,
    strip,
)
from vistterstream.resources.overlay import ImageLayer, Layer, Play, Position, Side, TickerLayer
from vistterstream.timeline.tracks import Motion, Pose, Rgba

MAX_MOVING_PIXELS = 12_000_000
"""Pixels of all layers of an overlay that move, all frames of animations and texts of tickers included."""

_FAR = 1 << 24
_EVERYWHERE = Rect(-_FAR, -_FAR, 2 * _FAR, 2 * _FAR)
_PAD = 2  # transparent pixels left and above in a `Slider`'s planes; as many or more right and below
_FINEST = 4  # a layer that grows is drawn at most so much larger than its size
_QUARTERS = 4  # the alpha of chroma is kept in quarters
_NO_CROP = (0.0, 0.0, 0.0, 0.0)


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


class Ticker:
    """Text that runs through a band, as a function of the age alone. For one thread."""

    def __init__(
        self, ticker: TickerLayer, position: Position, view: View, rate: Fraction, room: Room, tell: Tell
    ) -> None:
        """Draws all of its text. Raises Unusable."""
        self._view = view
        self._speed = Fraction(ticker.speed) * view.width / view.canvas.width / rate  # pixels a frame
        self._strip = strip(ticker, position, view, tell)
        if self._strip is not None:
            room.take(self._strip.rgba.size // 4)
        self._planar = None if self._strip is None else Planar(premultiplied(self._strip.rgba))
        self.band = None if self._strip is None else band(ticker, self._strip)

    def sprite(self, age: int) -> Sprite | None:
        """The text at that age: it comes in at the side, and runs again and again after that."""
        if self._strip is None or self._planar is None:
            return None
        place, seen = self._strip.band, self._strip.seen
        gone = age * self._speed
        window = seen
        if gone < 0:
            first = math.ceil(place.x - gone)
            window = seen.common(Rect(place.x, seen.y, max(first - place.x, 0), seen.height))
        elif gone < place.width:
            first = math.floor(place.x + place.width - gone)
            window = seen.common(Rect(first, seen.y, place.x + place.width - first, seen.height))
        if window.empty:
            return None
        shift = float((gone - place.width) % self._strip.period)
        return self._planar.at(place.x - shift, seen.y, window.widened().common(self._view.whole))


class Planar:
    """A picture's planes, prepared to be put at any fraction of a pixel; see `at`."""

    def __init__(self, pixels: Floats) -> None:
        """Takes premultiplied pixels, (height, width, 4): Y, U, V and alpha."""
        height, width, _ = pixels.shape
        tall, wide = height + height % 2 + 2 * _PAD + 2, width + width % 2 + 2 * _PAD + 2
        padded = np.zeros((tall, wide, 4), np.float32)
        padded[_PAD : _PAD + height, _PAD : _PAD + width] = pixels
        self.width, self.height = width, height
        self._luma = _whole(padded[..., 0])
        self._alpha = _whole(padded[..., 3])
        means = np.zeros_like(padded)
        means[:-1, :-1] = (padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]) / 4
        means[..., 3] *= _QUARTERS
        self._chroma = [
            [[_whole(means[row::2, column::2, part]) for part in (1, 2, 3)] for column in (0, 1)]
            for row in (0, 1)
        ]

        self._scratch = [np.empty(tall * wide, np.uint16) for _ in range(3)]

    def at(self, left: float, top: float, bounds: Rect) -> Sprite | None:
        """The part within `bounds` (even) of the picture put with its corner at `left`, `top`.

        It is good until the next question: the memory is used again.
        """
        whole_x, whole_y = math.floor(left), math.floor(top)
        seen = Rect(whole_x, whole_y, self.width + 1, self.height + 1).widened().common(bounds)
        if seen.empty:
            return None
        across, down = left - whole_x, top - whole_y
        x, y = seen.x - whole_x + _PAD, seen.y - whole_y + _PAD  # of the first pixel, in the padded planes
        count = seen.width * seen.height
        rest, light = (scratch[:count].reshape(seen.height, seen.width) for scratch in self._scratch[:2])
        _between(self._alpha, x, y, seen, across, down, (-1.0, 255.0), rest)
        _between(self._luma, x, y, seen, across, down, (1.0, 128.0), light)
        half = Rect(seen.x // 2, seen.y // 2, seen.width // 2, seen.height // 2)
        chroma = self._scratch[2][: 3 * count // 4].reshape(3, half.height, half.width)
        for part in range(3):
            self._chroma_between(part, x, y, half, across, down, chroma[part])
        return Sprite(*seen, planes=Planes(rest, light, chroma[2], chroma[:2]))

    def _chroma_between(
        self, part: int, x: int, y: int, half: Rect, across: float, down: float, out: Words
    ) -> None:
        """Chroma of the squares from (x, y) on: the means there and one pixel left and above, weighted."""
        scale, offset = (1.0, 128.0) if part < 2 else (-1.0 / _QUARTERS, 255.0)
        rows = [(y, 1.0 - down), (y - 1, down)] if down else [(y, 1.0)]
        columns = [(x, 1.0 - across), (x - 1, across)] if across else [(x, 1.0)]
        terms = []
        for row, share in rows:
            for column, other in columns:
                plane = self._chroma[row % 2][column % 2][part]
                top, left = row // 2, column // 2
                terms.append(
                    (plane[top : top + half.height, left : left + half.width], share * other * scale)
                )
        _sum(terms, offset, out)


def _between(
    plane: Words,
    x: int,
    y: int,
    seen: Rect,
    across: float,
    down: float,
    linear: tuple[float, float],
    out: Words,
) -> None:
    """`out` = `plane` from (x, y) on, shifted right and down by fractions of a pixel, times a, plus b."""
    scale, offset = linear
    rows = [(y, 1.0 - down), (y - 1, down)] if down else [(y, 1.0)]
    columns = [(x, 1.0 - across), (x - 1, across)] if across else [(x, 1.0)]
    terms = [
        (plane[row : row + seen.height, column : column + seen.width], share * other * scale)
        for row, share in rows
        for column, other in columns
    ]
    _sum(terms, offset, out)


def _sum(terms: list[tuple[Words, float]], offset: float, out: Words) -> None:
    """`out` = the weighted sum of one, two or four planes, rounded once."""
    if len(terms) == 1:
        (plane, weight), *_ = terms
        cv2.addWeighted(plane, weight, plane, 0.0, offset, dst=out)
    elif len(terms) == 2:
        (one, first), (other, second) = terms
        cv2.addWeighted(one, first, other, second, offset, dst=out)
    else:
        halves = [
            cv2.addWeighted(one, first, other, second, offset / 2, dtype=cv2.CV_32F)
            for (one, first), (other, second) in (terms[:2], terms[2:])
        ]
        cv2.add(halves[0], halves[1], dst=out, dtype=cv2.CV_16U)


class Slider:
    """A layer that keeps its shape and only moves.

    Where it comes to rest (at the last keyframes of x and y, or its position) it stands on whole pixels, as
    a layer that never moves does.
    """

    def __init__(self, drawn: Piece, layer: Layer, view: View) -> None:
        self._planar = Planar(premultiplied(drawn.rgba))
        self._view = view
        self._rest = _rest(layer)
        box, seen = drawn.box, drawn.seen
        left, top = view.exact(layer.position.anchor, *self._rest, box.width, box.height)
        self._home = Rect(
            nearest(left) + seen.x - box.x, nearest(top) + seen.y - box.y, seen.width, seen.height
        )

    def posed(self, pose: Pose) -> Sprite | None:
        """What it looks like in that pose."""
        left = self._home.x + (pose.x - self._rest[0]) * self._view.scale_x
        top = self._home.y + (pose.y - self._rest[1]) * self._view.scale_y
        across, down = _slid(pose, self._view, left, top, self._home.width, self._home.height)
        return self._planar.at(left + across, top + down, self._view.whole)


class Turner:
    """A layer that is scaled, turned, cropped or coloured; drawn `finer` times as large as its size."""

    def __init__(self, drawn: Piece, layer: Layer, view: View, finer: int, *, colored: bool) -> None:
        self._view, self._finer = view, finer
        self._anchor = layer.position.anchor
        self._piece = drawn
        box, seen = drawn.box, drawn.seen
        across, down = shares(self._anchor)
        self._pivot = (box.x - seen.x + box.width * across, box.y - seen.y + box.height * down)
        self._tint: _Tint | None = _Tint(drawn) if colored else None
        self._levels = [] if colored else [premultiplied(drawn.rgba)]

    def posed(self, pose: Pose) -> Sprite | None:
        """What it looks like in that pose."""
        scale = pose.scale / self._finer
        if scale <= 0:
            return None
        levels = self._levels
        if self._tint is not None and pose.color is not None:
            levels = [self._tint.colored(pose.color)]
        smaller = max(-math.log2(scale), 0.0)
        level = math.floor(smaller)
        finer = self._layered(levels, level, scale, pose)
        if finer is None or smaller == level:
            return _sprite(*finer) if finer is not None else None
        coarser = self._layered(levels, level + 1, scale, pose)
        if coarser is None:
            return None
        return _sprite(*_mixed(finer, coarser, smaller - level))

    def _layered(
        self, levels: list[Floats], level: int, scale: float, pose: Pose
    ) -> tuple[Floats, Rect] | None:
        """The premultiplied pixels of the picture, made of the drawn ones halved `level` times; and where."""
        pixels = _halved(levels, level)
        shrunk = 1 << level
        matrix = self._matrix(pose, scale * shrunk, shrunk)
        cut = self._cut(pose.crop, pixels.shape, shrunk)
        if cut is None:
            return None
        pixels, left, top = _cropped(pixels, *cut)
        matrix[:, 2] += matrix[:, :2] @ (left, top)
        return self._warped(pixels, matrix, pose)

    def _matrix(self, pose: Pose, scale: float, shrunk: int) -> Floats:
        """From places in the drawn pixels to places in the program, as a 2x3 matrix; slide left out."""
        angle = math.radians(pose.rotation)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) * scale
        x, y = self._view.exact(self._anchor, pose.x, pose.y, 0, 0)
        pivot = np.array(self._pivot) / shrunk
        return np.column_stack([turn, np.array([x, y]) - turn @ pivot])

    def _cut(
        self, crop: tuple[float, float, float, float], shape: tuple[int, ...], shrunk: int
    ) -> tuple[float, float, float, float] | None:
        """Left, top, right and bottom of what is kept of the drawn pixels; None where nothing is."""
        height, width = shape[:2]
        if crop == _NO_CROP:
            return 0.0, 0.0, float(width), float(height)
        box, seen = self._piece.box, self._piece.seen
        x, y = (box.x - seen.x) / shrunk, (box.y - seen.y) / shrunk
        wide, tall = box.width / shrunk, box.height / shrunk
        left = x + wide * crop[0] if crop[0] else 0.0
        top = y + tall * crop[1] if crop[1] else 0.0
        right = x + wide * (1 - crop[2]) if crop[2] else float(width)
        bottom = y + tall * (1 - crop[3]) if crop[3] else float(height)
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _warped(self, pixels: Floats, matrix: Floats, pose: Pose) -> tuple[Floats, Rect] | None:
        height, width = pixels.shape[:2]
        corners = matrix[:, :2] @ np.array([[0, width, 0, width], [0, 0, height, height]]) + matrix[:, 2:]
        (left, top), (right, bottom) = corners.min(axis=1), corners.max(axis=1)
        across, down = _slid(pose, self._view, left, top, right - left, bottom - top)
        if not all(math.isfinite(value) and abs(value) < _FAR for value in (left, top, right, bottom)):
            return None
        first_x, first_y = math.floor(left + across) - 1, math.floor(top + down) - 1
        seen = Rect(
            first_x,
            first_y,
            math.ceil(right + across) + 1 - first_x,
            math.ceil(bottom + down) + 1 - first_y,
        )
        seen = seen.widened().common(self._view.whole)
        if seen.empty:
            return None
        # Pixels are squares with their middle at a half; to OpenCV they are points at whole numbers.
        shift = matrix[:, :2] @ (0.5, 0.5) + (across - seen.x - 0.5, down - seen.y - 0.5)
        placed = np.column_stack([matrix[:, :2], matrix[:, 2] + shift])
        size = (seen.width, seen.height)
        warped = cv2.warpAffine(pixels, placed, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(warped, np.float32), seen


class _Tint:
    """Ink whose colour changes, on what lies under it."""

    def __init__(self, drawn: Piece) -> None:
        if drawn.ink is None:
            raise Unusable("Only text and rectangles can change their colour.")
        self._ink = drawn.ink.astype(np.float32)[..., np.newaxis] / np.float32(255)
        has_ground = drawn.under is not None and bool(drawn.under[..., 3].any())
        self._under = premultiplied(drawn.under) if has_ground and drawn.under is not None else None

    def colored(self, color: Rgba) -> Floats:
        """Premultiplied pixels with the ink in that colour."""
        red, green, blue, alpha = color
        ink = np.array([*exact_yuv((red, green, blue)), 1.0], np.float32) * np.float32(alpha)
        pixels: Floats = self._ink * ink
        if self._under is not None:
            pixels += self._under * (1 - self._ink * np.float32(alpha / 255))
        return pixels


def _halved(levels: list[Floats], level: int) -> Floats:
    """The drawn pixels halved `level` times: what shrinks must not flicker. `levels` keeps what was made."""
    while len(levels) <= level:
        height, width = (max((side + 1) // 2, 1) for side in levels[-1].shape[:2])
        even = np.zeros((2 * height, 2 * width, 4), np.float32)
        even[: levels[-1].shape[0], : levels[-1].shape[1]] = levels[-1]
        levels.append(np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.float32))
    return levels[level]


def _mixed(finer: tuple[Floats, Rect], coarser: tuple[Floats, Rect], share: float) -> tuple[Floats, Rect]:
    """Both laid together, the share of the latter as given (trilinear filtering)."""
    rect = finer[1].around(coarser[1])
    mixed = np.zeros((rect.height, rect.width, 4), np.float32)
    for (pixels, seen), weight in ((finer, 1 - share), (coarser, share)):
        part = mixed[seen.y - rect.y :, seen.x - rect.x :][: seen.height, : seen.width]
        part += pixels * np.float32(weight)
    return mixed, rect


def _cropped(pixels: Floats, left: float, top: float, right: float, bottom: float) -> tuple[Floats, int, int]:
    """The pixels within, those that are cut through weakened by what is cut off; and where they begin."""
    height, width = pixels.shape[:2]
    if (left, top, right, bottom) == (0.0, 0.0, float(width), float(height)):
        return pixels, 0, 0
    x, y = math.floor(left), math.floor(top)
    cut = pixels[y : math.ceil(bottom), x : math.ceil(right)].copy()
    columns = np.arange(x, x + cut.shape[1], dtype=np.float32)
    rows = np.arange(y, y + cut.shape[0], dtype=np.float32)
    across = np.clip(np.minimum(columns + 1, right) - np.maximum(columns, left), 0, 1)
    down = np.clip(np.minimum(rows + 1, bottom) - np.maximum(rows, top), 0, 1)
    cut *= across[np.newaxis, :, np.newaxis].astype(np.float32)
    cut *= down[:, np.newaxis, np.newaxis].astype(np.float32)
    return cut, x, y


def _sprite(pixels: Floats, seen: Rect) -> Sprite:
    """The sprite of premultiplied pixels, both sides even."""
    half = cv2.resize(pixels, (seen.width // 2, seen.height // 2), interpolation=cv2.INTER_AREA)
    y, alpha = (cv2.extractChannel(pixels, part) for part in (0, 3))
    _, u, v, chroma_alpha = cv2.split(half)
    return Sprite(
        *seen,
        planes=Planes(
            rest=_turned(alpha, -1.0, 255.0),
            light=_turned(y, 1.0, 128.0),
            chroma_rest=_turned(chroma_alpha, -1.0, 255.0),
            chroma_light=np.stack([_turned(u, 1.0, 128.0), _turned(v, 1.0, 128.0)]),
        ),
    )


def _turned(plane: cv2.typing.MatLike, scale: float, offset: float) -> Words:
    """`plane` times `scale` plus `offset`, as the nearest whole numbers."""
    return _words(cv2.addWeighted(plane, scale, plane, 0.0, offset, dtype=cv2.CV_16U))


def _rest(layer: Layer) -> tuple[float, float]:
    """Where its position comes to rest, in canvas pixels from its anchor."""
    last = {track.property.value: track.keyframes[-1].value for track in layer.tracks}
    x, y = last.get("x"), last.get("y")
    return (
        layer.position.x if x is None else x,
        layer.position.y if y is None else y,
    )


def _slid(
    pose: Pose, view: View, left: float, top: float, width: float, height: float
) -> tuple[float, float]:
    """How far a layer with that rectangle has slid, in program pixels."""
    if pose.slide is None:
        return 0.0, 0.0
    side, share, distance = pose.slide
    if side in (Side.LEFT, Side.RIGHT):
        whole = distance * view.scale_x if distance is not None else None
        way = left + width if side is Side.LEFT else view.width - left
        far = (whole if whole is not None else max(way, 0.0)) * share
        return (-far if side is Side.LEFT else far), 0.0
    whole = distance * view.scale_y if distance is not None else None
    way = top + height if side is Side.TOP else view.height - top
    far = (whole if whole is not None else max(way, 0.0)) * share
    return 0.0, (-far if side is Side.TOP else far)


def _whole(values: Floats) -> Words:
    words: Words = np.floor(values + np.float32(0.5)).astype(np.uint16)
    return np.ascontiguousarray(words)


def _words(values: object) -> Words:
    return np.asarray(values, np.uint16)
