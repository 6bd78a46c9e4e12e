"""Draws the changing text of clocks and countdowns, fast enough for the clock thread."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vistterstream.playout import typefaces
from vistterstream.playout.frames import HALF, Planes, Words, to_yuv
from vistterstream.playout.geometry import Rect, View, nearest, shares
from vistterstream.playout.pieces import Bounds, Piece, Tell, bounded
from vistterstream.playout.sprites import Sprite
from vistterstream.playout.texts import cut, font_of, ground, inked
from vistterstream.resources.overlay import Anchor, ClockLayer, CountdownLayer, Position


class ClockFace:
    """Draws the changing text of a clock layer, fast: one colour on one ground, so planes come from tables.

    Digits are equally wide, so that nothing jumps. The box is widened to the 2x2 grid of the chroma.
    """

    def __init__(
        self, clock: ClockLayer | CountdownLayer, position: Position, view: View, tell: Tell
    ) -> None:
        self._font = font_of(clock.font, clock.size, view, tell)
        self._boxed = clock.background is not None
        self._padding = nearest(clock.padding * view.scale) if self._boxed else 0
        self._position, self._view = position, view
        ink, ground = clock.color.rgba, clock.background.rgba if clock.background else (0, 0, 0, 0)
        self._luma = _table(np.arange(256), ink, ground)
        self._chroma = _table(np.arange(4 * 255 + 1) / 4, ink, ground)

    def size(self, text: str) -> int:
        """How many pixels the clock showing `text` has."""
        _, seen = self._places(self._lines(text))
        return seen.width * seen.height

    def _lines(self, text: str) -> _Lines:
        return _lines(text, self._font, self._view, typefaces.figures(), _said)

    def _places(self, lines: _Lines) -> tuple[Rect, Rect]:
        """The box of the text, and what of it and its letters is in the picture."""
        box = lines.box(self._position, self._view, self._padding)
        seen = (box if self._boxed else box.grown(lines.height // 2)).widened()
        return box, seen.common(self._view.whole)

    def sprite(self, text: str) -> Sprite | None:
        """The clock showing `text`, solid; None if that is nothing."""
        lines = self._lines(text)
        box, seen = self._places(lines)
        if seen.empty or not text.strip():
            return None
        letters = np.asarray(lines.drawn(box, seen, self._padding, self._position.anchor))
        pairs = np.add(letters[:, 0::2], letters[:, 1::2], dtype=np.uint16)
        sums = pairs[0::2] + pairs[1::2]
        rest, light, _, _ = self._luma
        chroma_rest, _, light_u, light_v = self._chroma
        drawn = Planes(
            rest=rest.take(letters),
            light=light.take(letters),
            chroma_rest=chroma_rest.take(sums),
            chroma_light=np.stack([light_u.take(sums), light_v.take(sums)]),
        )
        return Sprite(*seen, planes=drawn)


def clock_piece(
    clock: ClockLayer | CountdownLayer,
    text: str,
    position: Position,
    view: View,
    bounds: Bounds,
    tell: Tell,
) -> Piece | None:
    """The clock showing `text`, to be moved; None if that is nothing. Raises Unusable."""
    font = font_of(clock.font, clock.size, view, tell)
    padding = nearest(clock.padding * view.scale) if clock.background is not None else 0
    lines = _lines(text, font, view, typefaces.figures(), tell)
    box = lines.box(position, view, padding)
    if not text.strip():
        return None
    seen = bounded(box.grown(lines.height // 2), bounds)
    letters = lines.drawn(box, seen, padding, position.anchor)
    under = ground(clock, box, seen)
    return Piece(inked(letters, clock, under), seen, box, np.asarray(letters), np.asarray(under))


def _table(
    coverage: NDArray[np.float64] | NDArray[np.int64],
    ink: tuple[int, int, int, int],
    ground: tuple[int, int, int, int],
) -> tuple[Words, Words, Words, Words]:
    """For each coverage (0 to 255) of letters on a ground, as in `Planes`: rest, and light of Y, U and V."""
    share = coverage / 255 * (ink[3] / 255)
    below = (1 - share) * (ground[3] / 255)
    solid = share + below
    alpha = np.floor(255 * solid + 0.5)
    ink_share = np.divide(share, solid, out=np.zeros_like(solid), where=solid > 0)
    lights = [
        np.floor(alpha * (top * ink_share + bottom * (1 - ink_share)) + HALF + 0.5).astype(np.uint16)
        for top, bottom in zip(to_yuv(ink[:3]), to_yuv(ground[:3]), strict=True)
    ]
    return (255 - alpha).astype(np.uint16), lights[0], lights[1], lights[2]


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines of text in one font, measured in program pixels."""

    lines: list[str]
    widths: list[float]
    height: int  # of one line
    font: typefaces.Font
    figures: list[str] | None

    def box(self, position: Position, view: View, padding: int) -> Rect:
        """Where the box of the text stands."""
        width = math.ceil(max(self.widths)) + 2 * padding
        return view.place(position, width, self.height * len(self.lines) + 2 * padding)

    def drawn(self, box: Rect, seen: Rect, padding: int, anchor: Anchor) -> Image.Image:
        """The coverage of the letters in the part of the picture that is `seen`; aligned as anchored."""
        letters = Image.new("L", (seen.width, seen.height))
        pen = ImageDraw.Draw(letters)
        share, _ = shares(anchor)
        top = box.y - seen.y + padding + self.font.getmetrics()[0]
        for number, (line, width) in enumerate(zip(self.lines, self.widths, strict=True)):
            left = box.x - seen.x + padding + (box.width - 2 * padding - width) * share
            place = (left, top + number * self.height)
            pen.text(place, line, 255, self.font, anchor="ls", features=self.figures)
        return letters


def _lines(text: str, font: typefaces.Font, view: View, figures: list[str] | None, tell: Tell) -> _Lines:
    """As many lines, and as long, as the picture could show at all."""
    ascent, descent = font.getmetrics()
    height = max(ascent + descent, 1)
    lines = text.replace("\t", "    ").splitlines() or [""]
    most = 2 * view.height // height + 1
    shown = [cut(line, font, 2 * view.width, figures) for line in lines[:most]]
    if shown != lines:
        tell("The text is far larger than the picture and is cut off; make it shorter or smaller.")
    return _Lines(shown, [font.getlength(line, features=figures) for line in shown], height, font, figures)


def _said(_sentence: str) -> None:
    """For what has been told already, or is told by somebody else."""
