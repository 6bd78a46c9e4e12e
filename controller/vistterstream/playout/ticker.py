"""Tickers: text drawn once, in one line, that runs through a band."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from PIL import Image

from vistterstream.playout import lettering
from vistterstream.playout.frames import Bytes
from vistterstream.playout.geometry import Rect, View, nearest, side_of
from vistterstream.playout.moving import Room
from vistterstream.playout.pieces import MAX_LAYER_PIXELS, Tell, bounded
from vistterstream.playout.planar import Planar
from vistterstream.playout.sprites import Sprite, sprite
from vistterstream.playout.texts import cut, font_of, tell_missing, tinted
from vistterstream.resources.overlay import Position, TickerLayer


@dataclass(frozen=True, slots=True)
class Strip:
    """The text of a ticker in one line, on nothing, again and again: as `rgba` from its `period` on.

    `band` is where it runs, `seen` the rows of it that are in the strip.
    """

    rgba: Bytes
    period: int
    band: Rect
    seen: Rect


def strip(ticker: TickerLayer, position: Position, view: View, tell: Tell) -> Strip | None:
    """The strip of a ticker, one period and a band long; None if nothing shows. Raises Unusable."""
    font = font_of(ticker.font, ticker.size, view, tell)
    padding, gap = nearest(ticker.padding * view.scale_y), nearest(ticker.gap * view.scale_x)
    ascent, descent = font.getmetrics()
    longest = MAX_LAYER_PIXELS // max(ascent + descent, 1)
    texts = [text for text in ticker.value.splitlines() if text.strip()]
    lines = [lettering.line(cut(text, font, longest, None), font) for text in texts]
    tell_missing(lines, tell)
    ascent = max([ascent, *(line.ascent for line in lines)])
    height = ascent + max([descent, *(line.descent for line in lines)]) + 2 * padding
    band = view.place(position, side_of(ticker.width, view.scale_x), height)
    seen = bounded(band, band).common(view.whole)
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
    letters = Image.new("L", (period, height))
    pictures = Image.new("RGBA", letters.size)
    for line, left in zip(reversed(lines) if rightward else lines, lefts, strict=True):
        if left < period:
            line.draw(letters, pictures, left, padding + ascent)
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
        self._strip = strip(ticker, position, view, tell)
        if self._strip is not None:
            room.take(self._strip.rgba.size // 4)
        self._planar = None if self._strip is None else Planar(self._strip.rgba)
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
