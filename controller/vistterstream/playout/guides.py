"""Outlines of the safe areas, for looking at what was made offline. Nothing on air draws them."""

from __future__ import annotations

from vistterstream.playout.frames import Frame, to_yuv
from vistterstream.resources.overlay import Area

COLORS = {Area.ACTION_SAFE: (255, 208, 0), Area.TITLE_SAFE: (0, 224, 255)}
"""Red, green and blue of each outline."""


def draw(frame: Frame) -> None:
    """Draw the outline of each safe area; it lies just inside of the area, on even pixels."""
    thick = max(frame.height // 540, 1) * 2
    for area, color in COLORS.items():
        left, top = (round(side * (1 - area.share) / 4) * 2 for side in (frame.width, frame.height))
        _outline(frame, left, top, thick, to_yuv(color))


def _outline(frame: Frame, left: int, top: int, thick: int, color: tuple[int, int, int]) -> None:
    for plane, value, finer in zip((frame.y, frame.u, frame.v), color, (1, 2, 2), strict=True):
        x, y, line = left // finer, top // finer, thick // finer
        height, width = plane.shape
        inner = plane[y : height - y, x : width - x]
        inner[:line] = inner[-line:] = value
        inner[:, :line] = inner[:, -line:] = value
