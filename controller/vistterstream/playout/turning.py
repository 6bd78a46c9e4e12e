"""Layers that are scaled, turned, cropped or change their colour."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from vistterstream.playout.frames import HALF, Floats, exact_yuv, premultiplied
from vistterstream.playout.geometry import FAR, Rect, View, even_up, shares
from vistterstream.playout.pieces import Piece, Unusable
from vistterstream.playout.plain import Plain, parted, plain_areas, sprites_of
from vistterstream.playout.plates import Patch, Plate, looks_of, sprite_of
from vistterstream.playout.sliding import slid
from vistterstream.playout.sprites import Looks, Sprite, gathered
from vistterstream.resources.overlay import Anchor
from vistterstream.timeline.tracks import Pose, Rgba

_NO_CROP = (0.0, 0.0, 0.0, 0.0)


class Turner:
    """A layer that is scaled, turned, cropped or coloured; drawn `finer` times as large as its size.

    Any thread may ask.
    """

    def __init__(
        self,
        drawn: Plate,
        anchor: Anchor,
        view: View,
        finer: int = 1,
        tint: Tint | None = None,
        *,
        lasting: bool = False,
    ) -> None:
        """With a `tint` the pixels come from there, in the colour of the pose. What is `lasting` is worth a
        closer look, for the sake of `looks`.
        """
        self._view, self._finer, self._anchor = view, finer, anchor
        self._box, self._seen = drawn.box, drawn.seen
        across, down = shares(anchor)
        box, seen = drawn.box, drawn.seen
        self._pivot = (box.x - seen.x + box.width * across, box.y - seen.y + box.height * down)
        self._tint = tint
        self._levels: tuple[Floats, ...] = (drawn.pixels,) if tint is None else ()
        areas = plain_areas(drawn.pixels) if lasting and tint is None else ()
        self._plain = tuple(Plain(area, _flat(drawn.pixels[area.y, area.x])) for area in areas)

    def patch(self, pose: Pose) -> Patch | None:
        """What it looks like in that pose, in full resolution."""
        shots = self._shots(pose)
        if not shots:
            return None
        first = shots[0].patch(shots[0].seen)
        return first if len(shots) == 1 else _mixed(first, shots[1].patch(shots[1].seen), shots[1].share)

    def looks(self, pose: Pose) -> Looks:
        """The same, ready for blending. Where it only grows, what has one colour is not drawn at all."""
        if not self._plain or pose.rotation or pose.crop != _NO_CROP:
            return looks_of(self.patch(pose))
        shots = self._shots(pose)
        if not shots:
            return ()
        seen = shots[0].seen if len(shots) == 1 else shots[0].seen.around(shots[1].seen)
        inside = []
        for one in self._plain:
            common = seen
            for shot in shots:
                common = common.common(shot.inside(one.area))
            inside.append(common)
        plain, others = parted(seen, inside)
        tiles: list[Sprite] = []
        for rect in others:
            pixels, _ = shots[0].patch(rect)
            if len(shots) > 1:
                share = shots[1].share
                coarser, _ = shots[1].patch(rect)
                pixels = np.asarray(cv2.addWeighted(pixels, 1 - share, coarser, share, 0.0), np.float32)
            tiles.append(sprite_of((pixels, rect)))
        return (*sprites_of(self._plain, plain), *gathered(tiles))

    def _shots(self, pose: Pose) -> list[_Shot]:
        """What there is to be seen of it in that pose: nothing, or one picture, or two that are mixed."""
        scale = pose.scale / self._finer
        if scale <= 0:
            return []
        levels = self._levels
        if self._tint is not None and pose.color is not None:
            levels = (self._tint.colored(pose.color),)
        smaller = max(-math.log2(scale), 0.0)
        level = math.floor(smaller)
        levels = _halved(levels, level + (smaller != level))
        if self._tint is None:
            self._levels = levels
        shots = [self._layered(levels[level], level, scale, pose, 1.0)]
        if smaller != level:
            shots.append(self._layered(levels[level + 1], level + 1, scale, pose, smaller - level))
        seen = [shot for shot in shots if shot is not None]
        return seen if len(seen) == len(shots) else []

    def _layered(self, pixels: Floats, level: int, scale: float, pose: Pose, share: float) -> _Shot | None:
        """The drawn pixels halved `level` times, in that pose."""
        shrunk = 1 << level
        matrix = self._matrix(pose, scale * shrunk, shrunk)
        cut = self._cut(pose.crop, pixels.shape, shrunk)
        if cut is None:
            return None
        pixels, left, top = _cropped(pixels, *cut)
        return self._shot(pixels, matrix.after(left, top), pose, level, share)

    def _matrix(self, pose: Pose, scale: float, shrunk: int) -> _Affine:
        """From places in the drawn pixels to places in the program; slide left out."""
        angle = math.radians(pose.rotation)
        across, down = math.cos(angle) * scale, math.sin(angle) * scale
        x, y = self._view.exact(self._anchor, pose.x, pose.y, 0, 0)
        turn = _Affine(across, -down, x, down, across, y)
        return turn.after(-self._pivot[0] / shrunk, -self._pivot[1] / shrunk)

    def _cut(
        self, crop: tuple[float, float, float, float], shape: tuple[int, ...], shrunk: int
    ) -> tuple[float, float, float, float] | None:
        """Left, top, right and bottom of what is kept of the drawn pixels; None where nothing is."""
        height, width = shape[:2]
        if crop == _NO_CROP:
            return 0.0, 0.0, float(width), float(height)
        box, seen = self._box, self._seen
        x, y = (box.x - seen.x) / shrunk, (box.y - seen.y) / shrunk
        wide, tall = box.width / shrunk, box.height / shrunk
        left = x + wide * crop[0] if crop[0] else 0.0
        top = y + tall * crop[1] if crop[1] else 0.0
        right = x + wide * (1 - crop[2]) if crop[2] else float(width)
        bottom = y + tall * (1 - crop[3]) if crop[3] else float(height)
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _shot(self, pixels: Floats, matrix: _Affine, pose: Pose, level: int, share: float) -> _Shot | None:
        height, width = pixels.shape[:2]
        corners = [matrix.of(x, y) for x in (0, width) for y in (0, height)]
        (left, top), (right, bottom) = (
            tuple(choose(sides) for sides in zip(*corners, strict=True)) for choose in (min, max)
        )
        across, down = slid(pose, self._view, left, top, right - left, bottom - top)
        if not all(math.isfinite(value) and abs(value) < FAR for value in (left, top, right, bottom)):
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
        middles = matrix.after(0.5, 0.5).before(across - 0.5, down - 0.5)
        return _Shot(pixels, middles, seen, level, share)


class _Affine(NamedTuple):
    """(x, y) becomes (a x + b y + c, d x + e y + f)."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def of(self, x: float, y: float) -> tuple[float, float]:
        """What becomes of that place."""
        return self.a * x + self.b * y + self.c, self.d * x + self.e * y + self.f

    def after(self, x: float, y: float) -> _Affine:
        """The same after a move by that."""
        return _Affine(self.a, self.b, self.of(x, y)[0], self.d, self.e, self.of(x, y)[1])

    def before(self, x: float, y: float) -> _Affine:
        """The same, and then a move by that."""
        return _Affine(self.a, self.b, self.c + x, self.d, self.e, self.f + y)


@dataclass(frozen=True, slots=True)
class _Shot:
    """Pixels in a pose: what they look like from where they are `seen`.

    `matrix` leads from the middles of pixels to those of the program; they are the drawn ones halved
    `level` times, and have that `share` of what is shown.
    """

    pixels: Floats
    matrix: _Affine
    seen: Rect
    level: int
    share: float

    def patch(self, rect: Rect) -> Patch:
        """What there is in that rectangle of the program."""
        matrix = np.array(self.matrix.before(-rect.x, -rect.y)).reshape(2, 3)
        size = (rect.width, rect.height)
        warped = cv2.warpAffine(
            self.pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
        )
        return np.asarray(warped, np.float32), rect

    def inside(self, area: Rect) -> Rect:
        """What has one colour of the program where that area of the drawn pixels has; they are not turned.
        Even; a pixel on each side is given away.
        """
        scale, left, top = self.matrix.a, self.matrix.c, self.matrix.f
        times = 1 << self.level
        sides = ((area.x, area.width, left), (area.y, area.height, top))
        (x, right), (y, bottom) = (
            (
                even_up(math.ceil((-(-start // times) + 1) * scale + shift)),
                (math.floor(((start + length) // times - 2) * scale + shift) + 1) // 2 * 2,
            )
            for start, length, shift in sides
        )
        return Rect(x, y, max(right - x, 0), max(bottom - y, 0))


class Tint:
    """Ink whose colour changes, on what lies under it."""

    def __init__(self, drawn: Piece) -> None:
        if drawn.ink is None:
            raise Unusable("Only text and rectangles can change their colour.")
        self._ink = drawn.ink.astype(np.float32)[..., np.newaxis] / np.float32(255)
        has_ground = drawn.under is not None and bool(drawn.under[..., 3].any())
        self._under = premultiplied(drawn.under) if has_ground and drawn.under is not None else None
        mask = drawn.mask
        self._mask = None if mask is None else mask.astype(np.float32)[..., np.newaxis] / np.float32(255)

    def colored(self, color: Rgba) -> Floats:
        """Premultiplied pixels with the ink in that colour."""
        red, green, blue, alpha = color
        ink = np.array([*exact_yuv((red, green, blue)), 1.0], np.float32) * np.float32(alpha)
        pixels: Floats = self._ink * ink
        if self._under is not None:
            pixels += self._under * (1 - self._ink * np.float32(alpha / 255))
        if self._mask is not None:
            pixels *= self._mask
        return pixels


def _flat(pixel: Floats) -> tuple[int, int, int, int, int]:
    """Rest and light of luma, then of chroma, of a premultiplied pixel; as `sprite_of` has them."""
    *colors, alpha = pixel.tolist()
    y, u, v = (round(color + HALF) for color in colors)
    solid = round(alpha)
    return 255 - solid, y, 255 - solid, u, v


def _halved(levels: tuple[Floats, ...], level: int) -> tuple[Floats, ...]:
    """The drawn pixels, and them halved, up to `level` times: what shrinks must not flicker."""
    made = list(levels)
    while len(made) <= level:
        height, width = (max((side + 1) // 2, 1) for side in made[-1].shape[:2])
        even = np.zeros((2 * height, 2 * width, 4), np.float32)
        even[: made[-1].shape[0], : made[-1].shape[1]] = made[-1]
        made.append(np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.float32))
    return tuple(made)


def _mixed(finer: Patch, coarser: Patch, share: float) -> Patch:
    """Both laid together, the share of the latter as given (trilinear filtering)."""
    rect = finer[1].around(coarser[1])
    one, other = (_widened(patch, rect) for patch in (finer, coarser))
    return np.asarray(cv2.addWeighted(one, 1 - share, other, share, 0.0, dst=one), np.float32), rect


def _widened(patch: Patch, rect: Rect) -> Floats:
    """The pixels with as much transparency around them as fills `rect`."""
    pixels, seen = patch
    if seen == rect:
        return pixels
    left, top = seen.x - rect.x, seen.y - rect.y
    right, bottom = rect.width - left - seen.width, rect.height - top - seen.height
    return np.asarray(cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_CONSTANT), np.float32)


def _cropped(pixels: Floats, left: float, top: float, right: float, bottom: float) -> tuple[Floats, int, int]:
    """The pixels within, those that are cut through weakened by what is cut off; and where they begin."""
    height, width = pixels.shape[:2]
    if (left, top, right, bottom) == (0.0, 0.0, float(width), float(height)):
        return pixels, 0, 0
    x, y = math.floor(left), math.floor(top)
    cut = pixels[y : math.ceil(bottom), x : math.ceil(right)].copy()
    for one_by_one, first, last in ((cut.swapaxes(0, 1), left, right), (cut, top, bottom)):
        one_by_one[:1] *= np.float32(min(math.floor(first) + 1, last) - first)
        if len(one_by_one) > 1:
            one_by_one[-1:] *= np.float32(last - (math.ceil(last) - 1))
    return cut, x, y
