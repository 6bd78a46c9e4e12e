"""Rectangles of program pixels, and how a canvas lies on the program's picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from vistterstream.resources.overlay import Anchor, Area, Canvas, Position

FAR = 1 << 24
"""Farther away than anything stands that is looked at, in program pixels."""


class Rect(NamedTuple):
    """A rectangle of program pixels."""

    x: int
    y: int
    width: int
    height: int

    def within(self, width: int, height: int) -> Rect:
        """The part that lies in a picture of that size; no width or no height where nothing does."""
        left, top = max(self.x, 0), max(self.y, 0)
        right, bottom = min(self.x + self.width, width), min(self.y + self.height, height)
        return Rect(left, top, max(right - left, 0), max(bottom - top, 0))

    def common(self, other: Rect) -> Rect:
        """The part that lies in `other` too; no width or no height where nothing does."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Rect(left, top, max(right - left, 0), max(bottom - top, 0))

    def around(self, other: Rect) -> Rect:
        """The smallest rectangle that holds both."""
        left, top = min(self.x, other.x), min(self.y, other.y)
        right = max(self.x + self.width, other.x + other.width)
        bottom = max(self.y + self.height, other.y + other.height)
        return Rect(left, top, right - left, bottom - top)

    def grown(self, by: int) -> Rect:
        """The rectangle with `by` pixels more on each side."""
        return Rect(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def widened(self) -> Rect:
        """The smallest rectangle around it with even corners."""
        left, top = self.x // 2 * 2, self.y // 2 * 2
        return Rect(left, top, even_up(self.x + self.width - left), even_up(self.y + self.height - top))

    def narrowed(self) -> Rect:
        """The largest rectangle in it with even corners."""
        left, top = even_up(self.x), even_up(self.y)
        right, bottom = (self.x + self.width) // 2 * 2, (self.y + self.height) // 2 * 2
        return Rect(left, top, max(right - left, 0), max(bottom - top, 0))

    @property
    def empty(self) -> bool:
        """Whether it holds no pixel."""
        return not self.width or not self.height


EVERYWHERE = Rect(-FAR, -FAR, 2 * FAR, 2 * FAR)
"""Larger than all that is drawn."""


@dataclass(frozen=True, slots=True)
class View:
    """How a canvas lies on the program's picture; or, at the same scale, what is in the `box` of a group."""

    width: int  # of the program
    height: int
    canvas: Canvas
    box: tuple[int, int] | None = None  # width and height of the group, in program pixels
    area: Area = Area.CANVAS  # of what is looked at, the part that positions count from

    @property
    def scale_x(self) -> float:
        """Program pixels per canvas pixel, across."""
        return self.width / self.canvas.width

    @property
    def scale_y(self) -> float:
        """Program pixels per canvas pixel, down."""
        return self.height / self.canvas.height

    @property
    def scale(self) -> float:
        """The scale of what keeps its proportions: letters, and pictures without both sides given."""
        return min(self.scale_x, self.scale_y)

    @property
    def whole(self) -> Rect:
        """The program's picture, or the group's box."""
        return Rect(0, 0, *(self.box or (self.width, self.height)))

    def against(self, area: Area | None) -> View:
        """The same for a layer whose position counts from that area; without one from that of the canvas,
        in a group from its box.
        """
        if area is None:
            area = self.canvas.area if self.box is None else Area.CANVAS
        return self if area is self.area else replace(self, area=area)

    def of_group(self, width: int | None, height: int | None) -> View:
        """The view of a group in this one; of a side that is not given (canvas pixels) that is the area's."""
        share = self.area.share
        wide = nearest(self.whole.width * share) if width is None else side_of(width, self.scale_x)
        tall = nearest(self.whole.height * share) if height is None else side_of(height, self.scale_y)
        return replace(self, box=(max(wide, 1), max(tall, 1)), area=Area.CANVAS)

    def finer(self, times: int) -> View:
        """The same in so many times as many pixels."""
        box = None if self.box is None else (self.box[0] * times, self.box[1] * times)
        return replace(self, width=self.width * times, height=self.height * times, box=box)

    def place(self, position: Position, width: int, height: int) -> Rect:
        """Where a layer of that size (program pixels) stands."""
        x, y = self.exact(position.anchor, position.x, position.y, width, height)
        return Rect(nearest(x), nearest(y), width, height)

    def exact(self, anchor: Anchor, x: float, y: float, width: float, height: float) -> tuple[float, float]:
        """Left and top of a layer of that size (program pixels) that stands at `x`, `y` (canvas pixels)."""
        across, down = shares(anchor)
        outside = 1.0 - self.area.share
        right, lower = self.whole.width * outside * (0.5 - across), self.whole.height * outside * (0.5 - down)
        return (
            (self.whole.width - width) * across + x * self.scale_x + right,
            (self.whole.height - height) * down + y * self.scale_y + lower,
        )


def shares(anchor: Anchor) -> tuple[float, float]:
    """How far across and down the anchor point lies: 0, ½ or 1 each."""
    name = anchor.value.lower()
    across = 0.0 if "left" in name else 1.0 if "right" in name else 0.5
    down = 0.0 if "top" in name else 1.0 if "bottom" in name else 0.5
    return across, down


def side_of(length: float, scale: float) -> int:
    """A length in canvas pixels as program pixels, at least one."""
    return max(nearest(length * scale), 1)


def nearest(value: float) -> int:
    """The nearest whole number."""
    return math.floor(value + 0.5)


def even_up(length: int) -> int:
    """The smallest even number that is not less."""
    return length + length % 2
