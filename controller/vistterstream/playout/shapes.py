"""Draws rectangles and QR codes."""

from __future__ import annotations

import numpy as np

from vistterstream.playout.frames import Bytes
from vistterstream.playout.geometry import Rect, View, side_of
from vistterstream.playout.pieces import Piece, Unusable, bounded
from vistterstream.resources.overlay import Position, QrLayer, RectangleLayer


def rectangle_piece(shape: RectangleLayer, position: Position, view: View, bounds: Rect) -> Piece | None:
    """A rectangle, its corners round where it has a radius. Raises Unusable."""
    rect = view.place(position, side_of(shape.width, view.scale_x), side_of(shape.height, view.scale_y))
    seen = bounded(rect, bounds)
    if seen.empty:
        return None
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


def qr_piece(code: QrLayer, position: Position, view: View, bounds: Rect) -> Piece | None:
    """A QR code; its squares have whole pixels, so that they stay sharp; what is left over is its edge."""
    import segno  # here, because most programs show none

    if not code.value.strip():
        return None
    try:
        made = segno.make_qr(code.value, error=code.correction.value[0], boost_error=True)
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
