"""Tickers: text drawn once, in one line, that runs through a band."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from PIL import Image

from vistterstream.playout import lettering
from vistterstream.playout.frames import Bytes, Floats, premultiplied
from vistterstream.playout.geometry import EVERYWHERE, Rect, View, nearest, side_of
from vistterstream.playout.moment import Moment
from vistterstream.playout.moving import State
from vistterstream.playout.pieces import MAX_LAYER_PIXELS, Bounds, Tell, bounded
from vistterstream.playout.planar import Planar
from vistterstream.playout.plates import Patch, Plate, looks_of
from vistterstream.playout.room import Room
from vistterstream.playout.sliding import Slider
from vistterstream.playout.sprites import Looks, Sprite, sprite
from vistterstream.playout.texts import cut, font_of, tell_missing, tinted
from vistterstream.resources.overlay import Layer, Position, TickerLayer
from vistterstream.timeline.tracks import Motion


@dataclass(frozen=True, slots=True)
class Strip:
    """The text of a ticker in one line, on nothing, again and again: as `rgba` from its `period` on.

    `band` is where it runs, `seen` the rows of it that are in the strip.
    """

    rgba: Bytes
    period: int
    band: Rect
    seen: Rect


def strip(ticker: TickerLayer, position: Position, view: View, bounds: Bounds, tell: Tell) -> Strip | None:
    """The strip of a ticker, one period and a band long, its rows within `bounds`; None if nothing shows.

    Raises Unusable.
    """
    font = font_of(ticker.font, ticker.size, view, tell)
    padding, gap = nearest(ticker.padding * view.scale_y), nearest(ticker.gap * view.scale_x)
    ascent, descent = font.getmetrics()
    longest = MAX_LAYER_PIXELS // max(ascent + descent, 1)
    texts = [text for text in ticker.value.replace("\t", "    ").splitlines() if text.strip()]
    lines = [lettering.line(cut(text, font, longest, None), font) for text in texts]
    tell_missing(lines, tell)
    above = max([padding, *(line.reach[0] for line in lines)])  # other fonts' letters may reach out of it
    below = max([padding, *(line.reach[1] for line in lines)])
    height = above + ascent + descent + below
    width = side_of(ticker.width, view.scale_x)
    x, y, _, _ = view.place(position, width, ascent + descent + 2 * padding)
    band = Rect(x, y + padding - above, width, height)
    seen = bounded(band, Bounds(EVERYWHERE)).common(bounds.rect)
    most = MAX_LAYER_PIXELS // max(height, 1) - band.width
    rightward = ticker.speed < 0
    lefts, period = list[int](), 0
    for line in reversed(lines) if rightward else lines:
        lefts.append(period + (gap if rightward else 0))
        period += math.ceil(line.width) + gap
    if not lines or seen.empty or not period:
        return None
    if period > most:
        tell("The text of the ticker is too long and is cut off; make it shorter, or smaller.")
        period = max(most, 1)
    bounds.take((period + band.width + 2) * seen.height)
    letters = Image.new("L", (period, height))
    pictures = Image.new("RGBA", letters.size)
    for line, left in zip(reversed(lines) if rightward else lines, lefts, strict=True):
        if left < period:
            line.draw(letters, pictures, left, above + ascent)
    inked = Image.alpha_composite(tinted(letters, ticker.color), pictures)
    once = np.asarray(inked)[seen.y - band.y :][: seen.height]
    if rightward:  # the end of the first line comes in first, and stands at the left edge to begin with
        once = np.roll(once, -band.width, axis=1)
    times = -(-(period + band.width + 2) // period)
    return Strip(np.tile(once, (1, times, 1))[:, : period + band.width + 2], period, band, seen)


def band(ticker: TickerLayer, drawn: Strip) -> Sprite | None:
    """The ground that a ticker runs on."""
    if ticker.background is None:
        return None
    color = np.array(ticker.background.rgba, np.uint8)
    return sprite(np.broadcast_to(color, (drawn.seen.height, drawn.seen.width, 4)), drawn.seen)


class Ticker:
    """Text that runs through a band, as a function of the age alone. For one thread."""

    def __init__(
        self, ticker: TickerLayer, position: Position, view: View, rate: Fraction, room: Room, tell: Tell
    ) -> None:
        """Draws all of its text. Raises Unusable."""
        self._view = view
        self._speed = Fraction(ticker.speed) * view.width / view.canvas.width / rate  # pixels a frame
        self._strip = strip(ticker, position, view, Bounds(view.whole, room.take_moving), tell)
        self._planar = None if self._strip is None else Planar(self._strip.rgba)
        self.band = None if self._strip is None else band(ticker, self._strip)

    def looks(self, age: int) -> Looks:
        """The text at that age: it comes in at the side, and runs again and again after that."""
        if self._strip is None or self._planar is None:
            return ()
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
            return ()
        shift = float((gone - place.width) % self._strip.period)
        return self._planar.at(place.x - shift, seen.y, window.widened().common(self._view.whole))


class Runner:
    """A ticker that is moved as a whole, or in a group. Any thread may ask."""

    def __init__(
        self, layer: Layer, motion: Motion, view: View, rate: Fraction, room: Room, tell: Tell
    ) -> None:
        """Draws all of its text. Raises Unusable."""
        assert layer.ticker is not None, "it is for tickers"
        self._layer, self._motion, self._view = layer, motion, view
        self._speed = Fraction(layer.ticker.speed) * view.width / view.canvas.width / rate  # pixels a frame
        self._strip = drawn = strip(layer.ticker, layer.position, view, room.anywhere, tell)
        self._ground = np.zeros((1, 1, 4), np.float32)
        if drawn is None:
            return
        if layer.ticker.background is not None:
            color = np.array(layer.ticker.background.rgba, np.uint8).reshape(1, 1, 4)
            self._ground = premultiplied(color)

    @property
    def constant(self) -> bool:
        """Whether it looks the same in every frame."""
        return self._strip is None

    def state(self, moment: Moment) -> State:
        """All that it depends on at that moment."""
        return State(self._motion.at(moment.age, moment.length), moment.age)

    def looks(self, state: Hashable) -> Looks:
        """The same as `patch`, ready for blending."""
        return looks_of(self.patch(state))

    def patch(self, state: Hashable) -> Patch | None:
        """Its band and the text in it."""
        assert isinstance(state, State), "it is what `state` gave"
        pose, age = state
        drawn = self._strip
        if drawn is None:
            return None
        place = drawn.band
        gone = age * self._speed
        first, last = 0, place.width
        if gone < 0:
            last = min(math.ceil(-gone), place.width)
        elif gone < place.width:
            first = math.floor(place.width - gone)
        pixels = np.empty((place.height, place.width, 4), np.float32)
        pixels[:] = self._ground
        if first < last:
            shift = float((gone - place.width) % drawn.period)
            _lay(pixels[:, first:last], _window(drawn.rgba, shift + first, last - first))
        whole = Plate(pixels, place, place)
        return Slider(whole, self._layer, self._view, planar=False).patch(pose)


def _window(rgba: Bytes, left: float, width: int) -> Floats:
    """Columns of a picture from `left` on, premultiplied, interpolated linearly."""
    whole = math.floor(left)
    pixels, share = premultiplied(rgba[:, whole : whole + width + 1]), left - whole
    return np.asarray(cv2.addWeighted(pixels[:, :-1], 1.0 - share, pixels[:, 1:], share, 0.0), np.float32)


def _lay(lower: Floats, upper: Floats) -> None:
    """Put premultiplied pixels upon others, in place."""
    lower *= 1.0 - upper[..., 3:] * np.float32(1 / 255)
    lower += upper
