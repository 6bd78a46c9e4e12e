"""What one layer contributes to a frame: sprites with their opacities, from the bottom up.

`item_of` draws a layer, slowly, off the clock thread; what it returns answers for each frame, fast, on the
clock thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Protocol

from vistterstream.playout import framecode
from vistterstream.playout.clocks import YEAR_1970, Clock
from vistterstream.playout.geometry import View
from vistterstream.playout.layers import rasterise
from vistterstream.playout.moving import Mover, Room
from vistterstream.playout.pieces import DRAWING_ERRORS, Tell, Unusable
from vistterstream.playout.sprites import Sprite, SpriteCache
from vistterstream.playout.ticker import Ticker
from vistterstream.resources.overlay import FrameCodeLayer, Layer, Play, Position
from vistterstream.timeline.tracks import Motion, Opacity


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame, as an overlay sees it: frames since it entered, and of its cue (None: it never ends); the
    program's frame number and its time of day, with a zone.
    """

    age: int
    length: int | None
    number: int
    wall: datetime


Shown = tuple[Sprite, float]
"""A piece of picture, and its opacity: more than 0, at most 1."""


class Item(Protocol):
    """A layer, ready for the air."""

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """What there is to blend, from the bottom up. For the clock thread; good until the next question."""

    def draw_at_once(self) -> None:
        """Have every frame right rather than in time: for frames that are made offline."""

    def close(self) -> None:
        """Let go of threads."""


class _Plain:
    """An item without threads."""

    def draw_at_once(self) -> None:
        """Nothing is ever late."""

    def close(self) -> None:
        """There is nothing to let go of."""


class Still(_Plain):
    """A layer that stands still; `curve` where its opacity moves."""

    def __init__(self, sprite: Sprite, curve: Opacity | None) -> None:
        self.sprite, self._curve = sprite, curve
        self._solid = ((sprite, 1.0),)

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """The one sprite."""
        if self._curve is None:
            return self._solid
        opacity = self._curve.at(moment.age, moment.length)
        return ((self.sprite, opacity),) if opacity > 0 else ()


class Moving(_Plain):
    """A layer that moves or changes its shape, colour or text."""

    def __init__(self, mover: Mover, curve: Opacity) -> None:
        self.mover, self._curve = mover, curve

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """It, where it is now."""
        opacity = self._curve.at(moment.age, moment.length)
        sprite = self.mover.sprite(moment.age, moment.length) if opacity > 0 else None
        return () if sprite is None else ((sprite, opacity),)


class Code(_Plain):
    """A frameCode layer: the program's frame number for machines."""

    def __init__(self, x: int, y: int, square: int) -> None:
        self._x, self._y, self._square = x, y, square

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """The squares of this frame."""
        value = framecode.pack(framecode.PROGRAM, moment.number)
        return ((framecode.sprite(self._x, self._y, value, self._square), 1.0),)


class Clocked:
    """A clock layer, or a countdown."""

    def __init__(self, clock: Clock, curve: Opacity, rate: Fraction | None = None) -> None:
        """`rate`: frames a second, of a clock whose time is the age of its overlay."""
        self.clock, self._curve, self._rate = clock, curve, rate

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """Its face at this time."""
        opacity = self._curve.at(moment.age, moment.length)
        if opacity <= 0:
            return ()
        wall = moment.wall
        if self._rate is not None:
            wall = YEAR_1970 + timedelta(microseconds=int(moment.age * 1_000_000 / self._rate))
        sprite = self.clock.sprite(wall)
        return () if sprite is None else ((sprite, opacity),)

    def draw_at_once(self) -> None:
        """Draw each text when it is due."""
        self.clock.draw_at_once()

    def close(self) -> None:
        """End the thread that draws ahead."""
        self.clock.close()


class Running(_Plain):
    """A ticker layer."""

    def __init__(self, ticker: Ticker, curve: Opacity) -> None:
        self.ticker, self._curve = ticker, curve

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """The band, and the text on it."""
        opacity = self._curve.at(moment.age, moment.length)
        if opacity <= 0:
            return ()
        sprites = (self.ticker.band, self.ticker.sprite(moment.age))
        return [(sprite, opacity) for sprite in sprites if sprite is not None]


@dataclass(frozen=True, slots=True)
class Studio:
    """Where and with what the layers of an overlay are drawn: for `item_of`."""

    view: View
    rate: Fraction
    cache: SpriteCache
    room: Room
    wall: datetime
    """The time of day that clocks start from."""


def item_of(layer: Layer, studio: Studio, tell: Tell) -> Item | None:
    """The layer, drawn, or if it cannot be, what stands in for it; None where nothing shows.

    `tell` gets a sentence for each thing that is wrong.
    """
    wrong: list[str] = []
    item = _item_of(layer, studio, wrong.append)
    for sentence in wrong:
        tell(sentence)
    instead = layer.stand_in if item is None and wrong else None
    return item if instead is None else _item_of(instead, studio, tell)


def _item_of(layer: Layer, studio: Studio, tell: Tell) -> Item | None:
    rate, view = studio.rate, studio.view
    curve = Opacity(layer, rate)
    if layer.frame_code is not None:
        return _code(layer.frame_code, layer.position, view, tell)
    if layer.clock is not None:
        return Clocked(Clock(layer.clock, layer.position, view, studio.wall, tell), curve)
    if layer.countdown is not None:
        aged = layer.countdown.duration is not None
        start = YEAR_1970 if aged else studio.wall
        clock = Clock(layer.countdown, layer.position, view, start, tell)
        return Clocked(clock, curve, rate if aged else None)
    constant = curve.constant
    motion = Motion(layer, rate)
    if not motion.still or layer.ticker or (layer.image and layer.image.play is not Play.STILL):
        return _moving(layer, motion, curve, studio, tell)
    sprite = rasterise(layer, view, 1.0 if constant is None else constant, studio.cache, tell)
    if sprite is None:
        return None
    return Still(sprite, curve if constant is None else None)


def _moving(layer: Layer, motion: Motion, curve: Opacity, studio: Studio, tell: Tell) -> Item | None:
    """A layer that is not as its position says; one that never changes is posed here and now."""
    view, rate, room = studio.view, studio.rate, studio.room
    try:
        if layer.ticker is not None:
            return Running(Ticker(layer.ticker, layer.position, view, rate, room, tell), curve)
        mover = Mover(layer, motion, view, rate, room, tell)
    except Unusable as error:
        tell(str(error))
        return None
    except DRAWING_ERRORS as error:
        tell(f"It cannot be drawn ({error}); use another font, or a smaller size.")
        return None
    if mover.constant:
        sprite = mover.sprite(0, None)
        return None if sprite is None else Still(sprite, curve)
    return Moving(mover, curve)


def _code(layer: FrameCodeLayer, position: Position, view: View, tell: Tell) -> Code | None:
    square = layer.square - layer.square % 2
    rect = view.place(position, framecode.BITS * square, square)
    if rect.width > view.width or rect.height > view.height:
        tell(
            f"The frame code is {rect.width} pixels wide and the program {view.width}; "
            f"set frameCode.square to {view.width // framecode.BITS // 2 * 2} or less."
        )
        return None
    x = min(max(rect.x, 0), view.width - rect.width)
    y = min(max(rect.y, 0), view.height - rect.height)
    return Code(x - x % 2, y - y % 2, square)
