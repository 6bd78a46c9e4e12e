"""Where a picture has one colour: such areas are blended by a factor and a sum instead of pixel by pixel.

Most of a lower third, a panel or a logo is such an area: its ground, or nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from vistterstream.playout.frames import Bytes, Floats, Planes, repeated
from vistterstream.playout.geometry import Rect
from vistterstream.playout.sprites import Sprite

Values = NDArray[np.unsignedinteger]
"""Pixels as whole numbers, (height, width, any), that are equal where the pixels are."""
SPLIT = 1 << 14
"""Pixels: a smaller area is quicker blended as it is than as a part of its own."""

_SIZES = 16  # of an area, for which planes are kept: they change as it grows, or slides over an edge
_MOST = 4  # areas
_CELL = 8  # pixels; areas are looked for in squares of that side, or of more where that would be many
_CELLS = 1024


class Plain:
    """An area of one colour in a picture, ready to be put where it is seen. Any thread may ask."""

    def __init__(self, area: Rect, values: tuple[int, int, int, int, int]) -> None:
        """`values` are rest and light of luma, rest of chroma, and light of U and of V, as in `Planes`."""
        self.area = area
        self._values = values
        self.kept: dict[tuple[int, int], Planes] = {}

    def sprite(self, place: Rect) -> Sprite | None:
        """Its colour, at that place; None where it is transparent."""
        rest, light, chroma_rest, u, v = self._values
        if rest == chroma_rest == 255:
            return None
        size = place.width, place.height
        planes = self.kept.get(size)
        if planes is None:
            if len(self.kept) >= _SIZES:
                self.kept.clear()
            self.kept[size] = planes = repeated((rest, light), chroma_rest, (u, v), *size)
        return Sprite(*place, planes=planes)


def sprites_of(plain: Sequence[Plain], parts: Iterable[tuple[int, Rect]]) -> list[Sprite]:
    """What is seen of the areas, by their numbers."""
    sprites = [plain[number].sprite(part) for number, part in parts]
    return [one for one in sprites if one is not None]


def in_parts(sprite: Sprite, pixels: Bytes, place: Rect) -> tuple[Sprite, ...]:
    """The sprite of `pixels`, which stand at `place`: side by side what has one colour, and the rest."""
    seen = Rect(sprite.x, sprite.y, sprite.width, sprite.height)
    inside = [
        Rect(place.x + area.x, place.y + area.y, area.width, area.height).narrowed()
        for area in plain_areas(pixels)
    ]
    plain, others = parted(seen, inside)
    if not plain:
        return (sprite,)
    flat = [Plain(part, _values(sprite, part)).sprite(part) for _, part in plain]
    return (*(one for one in flat if one is not None), *(_cut(sprite, part) for part in others))


def _values(sprite: Sprite, part: Rect) -> tuple[int, int, int, int, int]:
    """Of the first pixel there."""
    planes, x, y = sprite.planes, part.x - sprite.x, part.y - sprite.y
    u, v = planes.chroma_light[:, y // 2, x // 2].tolist()
    return planes.rest.item(y, x), planes.light.item(y, x), planes.chroma_rest.item(y // 2, x // 2), u, v


def _cut(sprite: Sprite, part: Rect) -> Sprite:
    """A part of a sprite, with memory of its own."""
    planes, x, y = sprite.planes, part.x - sprite.x, part.y - sprite.y
    luma = (slice(y, y + part.height), slice(x, x + part.width))
    chroma = (slice(y // 2, (y + part.height) // 2), slice(x // 2, (x + part.width) // 2))
    cut = Planes(
        planes.rest[luma].copy(),
        planes.light[luma].copy(),
        planes.chroma_rest[chroma].copy(),
        planes.chroma_light[:, *chroma].copy(),
    )
    return Sprite(*part, planes=cut)


def plain_areas(pixels: Bytes | Floats) -> tuple[Rect, ...]:
    """The largest rectangles of equal pixels in a picture, (height, width, 4), of `SPLIT` pixels or more.

    They do not overlap by more than their edges; at most four.
    """
    height, width = pixels.shape[:2]
    if height * width < SPLIT:
        return ()
    values: Values = np.ascontiguousarray(pixels).view(np.uint32 if pixels.dtype == np.uint8 else np.uint64)
    if pixels.dtype == np.uint8:  # not multiplied by their alpha: what is transparent is all the same
        values = np.where(pixels[..., 3:] == 0, np.uint32(0), values)
    side = _CELL
    while (height // side) * (width // side) > _CELLS:
        side *= 2
    labels = _labels(values, side)
    found: list[Rect] = []
    while len(found) < _MOST and np.count_nonzero(labels) * side * side >= SPLIT:
        cells = _largest(labels.tolist())
        if cells.width * cells.height * side * side < SPLIT:
            break
        labels[cells.y : cells.y + cells.height, cells.x : cells.x + cells.width] = 0
        area = Rect(cells.x * side, cells.y * side, cells.width * side, cells.height * side)
        found.append(_stretched(values, area, side))
    return tuple(found)


def parted(seen: Rect, areas: Sequence[Rect], first: int = 0) -> tuple[list[tuple[int, Rect]], list[Rect]]:
    """`seen` cut into what lies in one of the areas (its number, and the part) and the rest, side by side.

    Only areas from the `first` on are looked at; what is left of one after the cuts counts where it has
    `SPLIT` pixels. All rectangles are even.
    """
    for number in range(first, len(areas)):
        part = areas[number].common(seen)
        if part.width * part.height < SPLIT:
            continue
        plain, rest = [(number, part)], list[Rect]()
        for side in _around(seen, part):
            more, others = parted(side, areas, number + 1)
            plain += more
            rest += others
        return plain, rest
    return [], [seen]


def _around(outer: Rect, inner: Rect) -> list[Rect]:
    """What is left of `outer` above, below, left and right of `inner`."""
    right, bottom = inner.x + inner.width, inner.y + inner.height
    sides = [
        Rect(outer.x, outer.y, outer.width, inner.y - outer.y),
        Rect(outer.x, bottom, outer.width, outer.y + outer.height - bottom),
        Rect(outer.x, inner.y, inner.x - outer.x, inner.height),
        Rect(right, inner.y, outer.x + outer.width - right, inner.height),
    ]
    return [side for side in sides if not side.empty]


def _labels(values: Values, side: int) -> NDArray[np.intp]:
    """For each square a number that says which colour all of it has; 0 where it has more than one."""
    down, across = values.shape[0] // side, values.shape[1] // side
    corners = np.ascontiguousarray(values[: down * side : side, : across * side : side])
    even = np.empty((down, across), bool)
    for row in range(down):
        band = values[row * side : (row + 1) * side, : across * side].reshape(side, across, side, -1)
        even[row] = (band == corners[row][np.newaxis, :, np.newaxis]).all(axis=(0, 2, 3))
    colors = corners.reshape(down * across, -1)
    _, numbers = np.unique(colors, axis=0, return_inverse=True)
    return np.where(even, numbers.reshape(down, across) + 1, 0)


def _largest(labels: list[list[int]]) -> Rect:
    """The largest rectangle of equal labels other than 0."""
    best, most = Rect(0, 0, 0, 0), 0
    heights, above = [0] * len(labels[0]), [0] * len(labels[0])
    for row, line in enumerate(labels):
        heights = [
            0 if not label else heights[column] + 1 if label == above[column] else 1
            for column, label in enumerate(line)
        ]
        above = line
        open_at: list[tuple[int, int]] = []  # columns where rectangles of rising heights begin
        for column in range(len(line) + 1):
            changes = column == len(line) or (column > 0 and line[column] != line[column - 1])
            height = 0 if column == len(line) else heights[column]
            start = column
            while open_at and (changes or open_at[-1][1] >= height):
                start, tall = open_at.pop()
                if (column - start) * tall > most:
                    most = (column - start) * tall
                    best = Rect(start, row + 1 - tall, column - start, tall)
            if changes:
                start = column
            if height:
                open_at.append((start, height))
    return best


def _stretched(values: Values, area: Rect, most: int) -> Rect:
    """The area with what is of its colour beside it: up to `most` pixels on each side."""
    color = values[area.y, area.x]
    left, top, right, bottom = area.x, area.y, area.x + area.width, area.y + area.height
    height, width = values.shape[:2]
    for _ in range(most):
        left -= left > 0 and bool((values[top:bottom, left - 1] == color).all())
        right += right < width and bool((values[top:bottom, right] == color).all())
        top -= top > 0 and bool((values[top - 1, left:right] == color).all())
        bottom += bottom < height and bool((values[bottom, left:right] == color).all())
    return Rect(left, top, right - left, bottom - top)
