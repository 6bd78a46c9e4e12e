"""Draws rectangles and QR codes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from vistterstream.playout.frames import Bytes
from vistterstream.playout.geometry import Rect, View, even_up, side_of
from vistterstream.playout.pieces import Bounds, Piece, Unusable, bounded
from vistterstream.playout.sprites import Sprite, flat_sprite, sprite
from vistterstream.resources.overlay import Position, QrLayer, RectangleLayer

_SPLIT = 1 << 14  # pixels; what has fewer is quicker blended as it is than in parts


def rectangle_piece(shape: RectangleLayer, position: Position, view: View, bounds: Bounds) -> Piece | None:
    """A rectangle, its corners round where it has a radius. Raises Unusable."""
    rect = _place(shape, position, view)
    seen = bounded(rect, bounds)
    return None if seen.empty else _filled(shape, rect, seen, view)


def rectangle_sprites(
    shape: RectangleLayer, position: Position, view: View, bounds: Bounds, opacity: float
) -> tuple[Sprite, ...]:
    """The same as sprites that lie side by side: what has one colour is one of next to no memory, and is
    blended much faster; only corners, and edges beside the 2x2 grid, have their pixels. Raises Unusable.
    """
    rect = _place(shape, position, view)
    seen = rect.common(bounds.rect)
    made: list[Sprite | None] = []
    for cell, flat in _cells(rect, seen, _radius(rect, shape, view)) if not seen.empty else ():
        if flat:
            made.append(flat_sprite(shape.color.rgba, cell, opacity))
        else:
            bounds.take(cell.width * cell.height)
            made.append(sprite(_filled(shape, rect, cell, view).rgba, cell, opacity))
    return tuple(one for one in made if one is not None)


def _cells(rect: Rect, seen: Rect, radius: float) -> Iterator[tuple[Rect, bool]]:
    """The parts of what is `seen` of a rectangle, and whether each has one colour and lies on the 2x2 grid.

    They are three columns, of which the middle one lies between the corners. All edges within are even.
    """
    left, right = _between(rect.x, rect.width, seen.x, seen.width, radius)
    top, bottom = _between(rect.y, rect.height, seen.y, seen.height, radius)
    if seen.width * seen.height < _SPLIT or left >= right:
        yield seen, radius == 0 and seen == seen.widened()
        return
    middle = Rect(left, seen.y, right - left, seen.height)
    yield from _rows(middle, even_up(seen.y), (seen.y + seen.height) // 2 * 2)
    for x, end in ((seen.x, left), (right, seen.x + seen.width)):
        column = Rect(x, seen.y, end - x, seen.height)
        if column.empty:
            continue
        if column.x % 2 == column.width % 2 == 0 and column.width * (bottom - top) >= _SPLIT:
            yield from _rows(column, top, bottom)
        else:
            yield column, False


def _rows(column: Rect, top: int, bottom: int) -> Iterator[tuple[Rect, bool]]:
    """What lies above, within and below the even rows `top` and `bottom`; within there is one colour."""
    for y, end in ((column.y, top), (top, bottom), (bottom, column.y + column.height)):
        if y < end:
            yield Rect(column.x, y, column.width, end - y), y == top


def _between(start: int, length: int, first: int, count: int, radius: float) -> tuple[int, int]:
    """From where to where, both even, a side that is seen from `first` on has no corners."""
    reach = math.ceil(radius)
    begin = even_up(max(start + reach, first))
    return begin, min(start + length - reach, first + count) // 2 * 2


def _place(shape: RectangleLayer, position: Position, view: View) -> Rect:
    return view.place(position, side_of(shape.width, view.scale_x), side_of(shape.height, view.scale_y))


def _radius(rect: Rect, shape: RectangleLayer, view: View) -> float:
    """The radius of its corners, in program pixels; 0 where that makes no difference."""
    radius = min(shape.radius * view.scale, rect.width / 2, rect.height / 2)
    return radius if radius >= 0.5 else 0.0


def _filled(shape: RectangleLayer, rect: Rect, seen: Rect, view: View) -> Piece:
    """The part of a rectangle that is `seen`."""
    rgba = np.broadcast_to(np.array(shape.color.rgba, np.uint8), (seen.height, seen.width, 4))
    if not shape.radius:
        return Piece(rgba, seen, rect, np.full(rgba.shape[:2], 255, np.uint8))
    ink = rounded_corners(rect, seen, shape.radius * view.scale)
    rgba = rgba.copy()
    rgba[..., 3] = np.floor(ink * (shape.color.rgba[3] / 255) + 0.5)
    return Piece(rgba, seen, rect, ink)


def rounded_corners(rect: Rect, seen: Rect, radius: float) -> Bytes:
    """Coverage, 0 to 255, of the part `seen` of a rectangle with round corners, by distance from its edge."""
    radius = min(radius, rect.width / 2, rect.height / 2)
    if radius < 0.5:
        return np.full((seen.height, seen.width), 255, np.uint8)
    x = np.arange(seen.width, dtype=np.float32) + np.float32(seen.x - rect.x + 0.5)
    y = np.arange(seen.height, dtype=np.float32) + np.float32(seen.y - rect.y + 0.5)
    across = np.maximum(np.abs(x - rect.width / 2) - (rect.width / 2 - radius), 0)
    down = np.maximum(np.abs(y - rect.height / 2) - (rect.height / 2 - radius), 0)
    beyond = np.hypot(across[np.newaxis, :], down[:, np.newaxis]) - radius
    coverage: Bytes = np.floor(np.clip(0.5 - beyond, 0, 1) * 255 + 0.5).astype(np.uint8)
    return coverage


def qr_piece(code: QrLayer, position: Position, view: View, bounds: Bounds) -> Piece | None:
    """A QR code; its squares have whole pixels, so that they stay sharp; what is left over is its edge."""
    import segno  # here, because most programs show none

    if not code.value.strip():
        return None
    try:
        made = segno.make_qr(
            code.value,
            error=code.correction.value[0],
            boost_error=True,
            encoding=None if code.value.isascii() else "utf-8",  # it would take Shift_JIS for much of it
        )
    except segno.DataOverflowError:
        raise Unusable(
            "A QR code cannot hold so much with this correction; give a shorter value, or less correction."
        ) from None
    cells = np.array([list(row) for row in made.matrix], bool)
    side = side_of(code.size, view.scale)
    rect = view.place(position, side, side)
    seen = bounded(rect, bounds)
    square = side // (len(cells) + 2 * code.quiet_zone)
    if square < 1:
        raise Unusable(f"The QR code has {len(cells)} squares a side and only {side} pixels; make it larger.")
    if seen.empty:
        return None
    edge = (side - len(cells) * square) // 2
    cells = np.pad(cells, 1)  # light all around
    rows, columns = (
        np.clip((np.arange(first, first + count) - edge) // square + 1, 0, len(cells) - 1)
        for first, count in ((seen.y - rect.y, seen.height), (seen.x - rect.x, seen.width))
    )
    dark = cells[rows[:, np.newaxis], columns]
    colors = np.array([code.background.rgba, code.color.rgba], np.uint8)
    return Piece(colors[dark.view(np.uint8)], seen, rect)
