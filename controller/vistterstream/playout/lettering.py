"""Sets text: lines, each of runs in one font and one direction, in the order in which they stand.

A paragraph is looked at once, before it is broken into lines: its directions (`bidi`), where its lines may
end (`breaks`), and its fonts. A character that the wanted font lacks is taken from another that has it
(`typefaces.having`), the whole cluster at once: a letter with its marks, an emoji with its modifiers. What
no font has is left out, and told. Within a run HarfBuzz shapes and mirrors.
"""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from PIL import Image, ImageDraw

from vistterstream.playout import bidi, breaks, typefaces
from vistterstream.playout.typefaces import Font

_ZWJ = "\u200d"
_LINE = 64  # characters that are measured to begin with, where a word is to be broken
_HYPHEN = "-"
_UNDRAWN = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{breaks.SOFT_HYPHEN}]|{bidi.CONTROLS.pattern}")
"""What is seen to before anything is drawn, and has no place in a run."""
_Look = tuple[Font, float]
"""A font, and the factor that brings it to size."""


class Span(NamedTuple):
    """The characters of a paragraph that make a line, and whether a hyphen ends it."""

    start: int
    end: int
    hyphen: bool = False


@dataclass(frozen=True)
class Run:
    """Text in one font and direction. `factor` scales a font that has its pictures in one size only."""

    text: str
    font: Font
    direction: str | None = None
    factor: float = 1.0

    @cached_property
    def width(self) -> float:
        """Width in pixels."""
        return float(self.font.getlength(self.text, direction=self.direction)) * self.factor


@dataclass(frozen=True)
class Line:
    """A line of text, ready to be drawn. `font` is the one wanted; `leftward`, how its paragraph runs."""

    runs: tuple[Run, ...]
    font: Font
    leftward: bool = False
    missing: frozenset[str] = frozenset()

    @cached_property
    def width(self) -> float:
        """Width in pixels."""
        return sum(run.width for run in self.runs)

    @cached_property
    def reach(self) -> tuple[int, int]:
        """Pixels that letters of other fonts reach above and below what the wanted font asks for."""
        above = below = 0
        ascent, descent = self.font.getmetrics()
        for run in self.runs:
            if run.font is not self.font:
                _, top, _, bottom = run.font.getbbox(run.text, anchor="ls", direction=run.direction)
                above = max(above, math.ceil(-top * run.factor - ascent))
                below = max(below, math.ceil(bottom * run.factor - descent))
        return above, below

    def draw(
        self, letters: Image.Image, pictures: Image.Image, x: float, baseline: float, stroke: float = 0.0
    ) -> None:
        """Put the coverage of letters on `letters` (L), and what has colours of its own on `pictures` (RGBA).

        With a `stroke` the letters are as much thicker on each side, and pictures are left out.
        """
        pen = ImageDraw.Draw(letters)
        for run in self.runs:
            if run.factor == 1.0:
                pen.text(
                    (x, baseline),
                    run.text,
                    255,
                    run.font,
                    anchor="ls",
                    direction=run.direction,
                    stroke_width=stroke,
                )
            elif not stroke:
                _draw_pictures(run, pictures, x, baseline)
            x += run.width


def _draw_pictures(run: Run, pictures: Image.Image, x: float, baseline: float) -> None:
    """Emoji are pictures of one size: drawn in that, then scaled."""
    left, top, right, bottom = run.font.getbbox(run.text, anchor="ls")
    width, height = int(right - left), int(bottom - top)
    if width <= 0 or height <= 0:
        return
    sheet = Image.new("RGBA", (width, height))
    ImageDraw.Draw(sheet).text(
        (-left, -top), run.text, (0, 0, 0, 255), run.font, anchor="ls", embedded_color=True
    )
    size = max(round(width * run.factor), 1), max(round(height * run.factor), 1)
    scaled = sheet.resize(size, Image.Resampling.BOX if run.factor < 0.1 else Image.Resampling.LANCZOS)
    place = round(x + left * run.factor), round(baseline + top * run.factor)
    pictures.alpha_composite(*_clipped(scaled, place, pictures.size))


def _clipped(
    picture: Image.Image, place: tuple[int, int], size: tuple[int, int]
) -> tuple[Image.Image, tuple[int, int]]:
    """The part of `picture` at `place` that lies on a ground of that size; `alpha_composite` wants it so."""
    left, top = max(-place[0], 0), max(-place[1], 0)
    right = max(min(picture.width, size[0] - place[0]), left)
    bottom = max(min(picture.height, size[1] - place[1]), top)
    at = min(max(place[0], 0), size[0]), min(max(place[1], 0), size[1])
    return picture.crop((left, top, right, bottom)), at


class Paragraph:
    """A text without line breaks, in a font and in others where that lacks a character."""

    def __init__(self, text: str, font: Font) -> None:
        self._text, self._font = text, font
        self._directions = bidi.resolved(text)
        self._missing = set[str]()
        self._looks: list[_Look | None] | None = None  # each character's; None where nothing is drawn
        odd = any(self._directions.levels) or _UNDRAWN.search(text)
        if odd or not all(typefaces.has(font, character) for character in set(text)):
            self._looks = list(self._chosen())

    @property
    def whole(self) -> Span:
        """All of it in one line."""
        return Span(0, len(self._text))

    def line(self, span: Span) -> Line:
        """A line of it."""
        start, end, hyphen = span
        leftward = self._directions.base == 1
        if self._looks is None:
            text = self._text[start:end] + _HYPHEN * hyphen
            return Line((Run(text, self._font),), self._font, leftward)
        levels = bidi.of_line(self._directions, start, end)
        letters = [
            (character, look, level)
            for character, look, level in zip(
                self._text[start:end], self._looks[start:end], levels, strict=True
            )
            if look is not None
        ]
        if hyphen and typefaces.has(self._font, _HYPHEN):
            letters.append((_HYPHEN, (self._font, 1.0), self._directions.levels[end - 1]))
        runs, heights = [], []
        for (look, level), group in groupby(letters, key=lambda letter: letter[1:]):
            runs.append(_run("".join(letter[0] for letter in group), look, level))
            heights.append(level)
        missing = self._missing.intersection(self._text[start:end])
        return Line(
            tuple(runs[place] for place in bidi.order(heights)), self._font, leftward, frozenset(missing)
        )

    def wrapped(self, width: float) -> Iterator[Span]:
        """Its lines, not wider than `width` pixels; a word that is longer than a line is broken."""
        start = end = 0  # of the line that is being filled, with the spaces behind it
        used = 0.0
        for stop in [*breaks.opportunities(self._text), len(self._text)]:
            visible, spaces = self._measured(end, stop)
            total = used + visible
            if start < end and abs(total - width) <= self._font.size:  # letters may stand closer together
                total = self._measured(start, stop)[0]
            if start < end and total > width:
                yield self._ended(start, end)
                start, total = end, visible
            while total > width and self._next(start) < stop:
                cut = self._fitting(start, stop, width)
                yield Span(start, cut)
                start, total = cut, self._advance(cut, stop, width)
            end, used = stop, total + spaces
            if self._text[stop - 1 : stop] == breaks.SOFT_HYPHEN:
                used -= self._hyphen
        yield self._ended(start, end)._replace(hyphen=False)

    def cut(self, span: Span, width: float) -> Span:
        """The beginning of a line that is not wider than `width` pixels."""
        if span.start == span.end or self._width(span.start, span.end) <= width:
            return span
        return Span(span.start, self._fitting(span.start, span.end, width))

    def _ended(self, start: int, end: int) -> Span:
        """The line of those characters, without the spaces at its end."""
        end = start + len(self._text[start:end].rstrip())
        return Span(start, end, hyphen=self._text[start:end].endswith(breaks.SOFT_HYPHEN))

    def _measured(self, start: int, stop: int) -> tuple[float, float]:
        """The width of what would be seen if a line ended there, and nearly that of the spaces after it."""
        seen = self._ended(start, stop)
        width = self._width(start, seen.end) + self._hyphen * seen.hyphen
        return width, self._space * (stop - seen.end)

    @cached_property
    def _space(self) -> float:
        return float(self._font.getlength(" "))

    @cached_property
    def _hyphen(self) -> float:
        return float(self._font.getlength(_HYPHEN))

    def _width(self, start: int, end: int) -> float:
        if self._looks is None:
            return float(self._font.getlength(self._text[start:end]))
        return self.line(Span(start, end)).width

    def _advance(self, start: int, stop: int, enough: float) -> float:
        """The width up to `stop`, or of a beginning that is wider than `enough`: that is all to know."""
        width, seen = 0.0, self._ended(start, stop)
        for end in _ends(start, seen.end):
            width = self._width(start, end)
            if width > enough + self._font.size:
                break
        return width + self._hyphen * seen.hyphen

    def _fitting(self, start: int, stop: int, width: float) -> int:
        """Where a line from `start` ends that is as full as can be; it holds a cluster at least."""
        low = start + 1
        high = next((end for end in _ends(start, stop) if self._width(start, end) > width), stop)
        while high - low > 1:
            middle = (low + high) // 2
            if self._width(start, middle) <= width:
                low = middle
            else:
                high = middle
        last = self._starts[bisect_right(self._starts, low) - 1]
        return last if last > start else self._next(start)

    def _next(self, start: int) -> int:
        """Where the cluster after that at `start` begins."""
        place = bisect_right(self._starts, start)
        return self._starts[place] if place < len(self._starts) else len(self._text)

    @cached_property
    def _starts(self) -> list[int]:
        """Where clusters begin."""
        return [start for start, _ in _clusters(self._text)]

    def _chosen(self) -> Iterator[_Look | None]:
        """The look of each character. A space has that of what is before it, so that runs are long."""
        known = dict[str, tuple[_Look, frozenset[str]]]()
        before: _Look = (self._font, 1.0)
        installed = typefaces.installed()
        for _, cluster in _clusters(self._text):
            missing = frozenset[str]()
            if not (cluster.isspace() and before[1] == 1.0):
                if cluster not in known:
                    known[cluster] = _look(cluster, self._font, installed)
                before, missing = known[cluster]
                self._missing |= missing
            for character in cluster:
                yield None if character in missing or _UNDRAWN.match(character) else before


def line(text: str, font: Font) -> Line:
    """`text` without line breaks, set in `font` and in others where that lacks a character."""
    paragraph = Paragraph(text, font)
    return paragraph.line(paragraph.whole)


def _run(text: str, look: _Look, level: int) -> Run:
    """A run of one level. Pillow's shaper looks for directions of its own; an override tells it ours."""
    font, factor = look
    if not typefaces.SHAPES:
        return Run(_turned(text) if level % 2 else text, font, None, factor)
    if not bidi.uniform(text, level):
        text = f"{bidi.OVERRIDES[level % 2]}{text}{bidi.POP}"
    return Run(text, font, "rtl" if level % 2 else "ltr", factor)


def _turned(text: str) -> str:
    """Text that runs to the left as it stands, where nobody shapes it."""
    return bidi.mirrored("".join(cluster for _, cluster in reversed(list(_clusters(text)))))


def _ends(start: int, stop: int) -> Iterator[int]:
    """Ends of beginnings, each twice as long as the one before, up to `stop`."""
    length = _LINE
    while start + length < stop:
        yield start + length
        length *= 2
    yield stop


def _clusters(text: str) -> Iterator[tuple[int, str]]:
    """Characters with what belongs to them, and where each starts (a part of UAX #29)."""
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or not _joins(text, start, index):
            yield start, text[start:index]
            start = index


def _joins(text: str, start: int, index: int) -> bool:
    character = text[index]
    if unicodedata.category(character).startswith("M") or character == _ZWJ or text[index - 1] == _ZWJ:
        return True
    if "\U0001f3fb" <= character <= "\U0001f3ff" or "\U000e0020" <= character <= "\U000e007f":
        return True
    flags = "\U0001f1e6" <= character <= "\U0001f1ff" and "\U0001f1e6" <= text[index - 1] <= "\U0001f1ff"
    return flags and (index - start) % 2 == 1


def _look(cluster: str, font: Font, installed: typefaces.Installed) -> tuple[_Look, frozenset[str]]:
    """The look of a cluster, and which of its characters nobody has; those are not drawn."""
    needed = [character for character in cluster if not typefaces.ignorable(character)]
    pictured = "\ufe0f" in cluster
    plain = all(typefaces.has(font, character) for character in needed)
    if plain and not pictured:
        return (font, 1.0), frozenset()
    found = typefaces.having(needed, font.size, installed, pictured=pictured)
    if plain and (found is None or found[1] == 1.0):  # there is no picture of it
        return (font, 1.0), frozenset()
    if found:
        return found, frozenset()
    base = next((c for c in needed if typefaces.has(font, c)), None)
    look = (font, 1.0) if base else typefaces.having(needed[:1], font.size, installed) or (font, 1.0)
    return look, frozenset(c for c in needed if not typefaces.has(look[0], c))
