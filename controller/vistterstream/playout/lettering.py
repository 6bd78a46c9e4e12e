"""Sets text: lines, each of runs in one font and one direction, in the order in which they stand.

A character that the wanted font lacks is taken from another that has it (`typefaces.having`), the whole
cluster at once: a letter with its marks, an emoji with its modifiers. Where fonts or directions meet in one
line, the order follows the Unicode Bidirectional Algorithm (UAX #9 without explicit embeddings); within a
run HarfBuzz shapes and mirrors. A line that one font can set alone is left to it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from PIL import Image, ImageDraw

from vistterstream.playout import typefaces
from vistterstream.playout.typefaces import Font

_ZWJ = "\u200d"
_STRONG = {"L": "L", "R": "R", "AL": "R"}
_LINE = 64  # characters that are measured to begin with, where a word is to be broken
_IDEOGRAPHS = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_NEVER_FIRST = set("、。，．！？）」』】〕》〉：；ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ")


@dataclass(frozen=True, slots=True)
class Run:
    """Text in one font and direction. `factor` scales a font that has its pictures in one size only."""

    text: str
    font: Font
    direction: str | None = None
    factor: float = 1.0

    @property
    def width(self) -> float:
        """Width in pixels."""
        return float(self.font.getlength(self.text, direction=self.direction)) * self.factor


@dataclass(frozen=True)
class Line:
    """A line of text, ready to be drawn."""

    runs: tuple[Run, ...]
    missing: frozenset[str] = frozenset()

    @cached_property
    def width(self) -> float:
        """Width in pixels."""
        return sum(run.width for run in self.runs)

    @cached_property
    def ascent(self) -> int:
        """Pixels above the baseline that its fonts ask for."""
        return max((round(run.font.getmetrics()[0] * run.factor) for run in self.runs), default=0)

    @cached_property
    def descent(self) -> int:
        """Pixels below the baseline that its fonts ask for."""
        return max((round(run.font.getmetrics()[1] * run.factor) for run in self.runs), default=0)

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


def line(text: str, font: Font) -> Line:
    """`text` without line breaks, set in `font` and in others where that lacks a character."""
    if all(typefaces.has(font, character) for character in set(text)):
        return Line((Run(text, font),))
    missing: set[str] = set()
    pieces: list[tuple[str, tuple[Font, float], int]] = []
    levels = _levels(text)
    before: tuple[Font, float] = (font, 1.0)
    for start, cluster in _clusters(text):
        chosen = before if cluster.isspace() and before[1] == 1.0 else _font_of(cluster, font)
        if chosen is None:
            missing.update(cluster)
            chosen = (font, 1.0)
        before = chosen
        pieces.append((cluster, chosen, levels[start]))
    runs = []
    for (chosen, level), group in groupby(pieces, key=lambda piece: (piece[1], piece[2])):
        direction = None if not typefaces.SHAPES else "rtl" if level % 2 else "ltr"
        runs.append((level, Run("".join(part[0] for part in group), chosen[0], direction, chosen[1])))
    return Line(tuple(_ordered(runs)), frozenset(missing))


def wrapped(text: str, font: Font, width: float) -> list[str]:
    """`text` in lines not wider than `width` pixels, broken between words, or within one that is too long."""
    lines: list[str] = []
    current, used = "", 0.0
    for word in _words(text):
        advance = line(word, font).width
        visible = line(word.rstrip(), font).width if word != word.rstrip() else advance
        if current and used + visible > width:
            lines.append(current.rstrip())
            current, used = "", 0.0
        while visible > width and len(word) > 1:
            fitting = _fitting(word, font, width)
            lines.append(word[:fitting])
            word = word[fitting:]
            advance = visible = _advance(word, font, width)
        current, used = current + word, used + advance
    return [*lines, current.rstrip()]


def _advance(word: str, font: Font, enough: float) -> float:
    """The width of `word`, or that of a beginning of it which is wider than `enough`: that is all to know."""
    for length in _lengths(word):
        width = line(word[:length], font).width
        if width > enough + font.size:
            break
    return width


def _lengths(word: str) -> Iterator[int]:
    """Lengths of beginnings of `word`, each twice the one before, up to all of it."""
    length = _LINE
    while length < len(word):
        yield length
        length *= 2
    yield len(word)


def _fitting(word: str, font: Font, width: float) -> int:
    """How many characters of `word` fit, at least one."""
    low = 1
    high = next((length for length in _lengths(word) if line(word[:length], font).width > width), len(word))
    while high - low > 1:
        middle = (low + high) // 2
        if line(word[:middle], font).width <= width:
            low = middle
        else:
            high = middle
    starts = [start for start, _ in _clusters(word[: low + 1]) if start > 0]
    return starts[-1] if starts else low


def _words(text: str) -> Iterator[str]:
    """The pieces between which a line may end, each with the space that follows it."""
    start = 0
    for index in range(1, len(text)):
        before, here = text[index - 1], text[index]
        ideographs = _IDEOGRAPHS.match(before) or _IDEOGRAPHS.match(here)
        if (before.isspace() and not here.isspace()) or (
            ideographs and here not in _NEVER_FIRST and not here.isspace()
        ):
            yield text[start:index]
            start = index
    yield text[start:]


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


def _font_of(cluster: str, font: Font) -> tuple[Font, float] | None:
    """The font for a cluster, and its factor; None where nobody has it."""
    needed = [character for character in cluster if not ignorable(character)]
    pictured = "\ufe0f" in cluster
    if not pictured and all(typefaces.has(font, character) for character in needed):
        return font, 1.0
    return typefaces.having(needed, font.size, pictured=pictured)


def ignorable(character: str) -> bool:
    """Whether a character shows nothing of its own."""
    return (
        character.isspace()
        or unicodedata.category(character) in {"Cf", "Cc"}
        or "\ufe00" <= character <= "\ufe0f"
    )


def _ordered(runs: Sequence[tuple[int, Run]]) -> list[Run]:
    """Runs as they stand from left to right: rule L2."""
    order = list(runs)
    for level in range(max((level for level, _ in order), default=0), 0, -1):
        start = 0
        while start < len(order):
            end = start
            while end < len(order) and order[end][0] >= level:
                end += 1
            order[start:end] = reversed(order[start:end])
            start = max(end, start + 1)
    return [run for _, run in order]


def _levels(text: str) -> list[int]:
    """The embedding level of each character; even runs to the right, odd to the left."""
    sorts = [unicodedata.bidirectional(character) or "L" for character in text]
    base = next((int(_STRONG[sort] == "R") for sort in sorts if sort in _STRONG), 0)
    if base == 0 and not any(sort in {"R", "AL", "AN"} for sort in sorts):
        return [0] * len(text)
    kinds = _resolved(sorts, "R" if base else "L")
    levels = []
    for kind in kinds:
        if base == 0:
            levels.append({"L": 0, "R": 1}.get(kind, 2))
        else:
            levels.append(1 if kind == "R" else 2)
    return levels


def _resolved(sorts: Sequence[str], base: str) -> list[str]:
    """L, R, EN or AN of each character (rules W1 to W7, N1 and N2)."""
    kinds: list[str] = []
    strong = raw = base
    for sort in sorts:
        if sort in _STRONG:
            strong, raw = _STRONG[sort], sort
        if sort == "NSM":
            kinds.append(kinds[-1] if kinds else base)
        elif sort == "EN":
            kinds.append("L" if strong == "L" else "AN" if raw == "AL" else "EN")
        else:
            kinds.append(_STRONG.get(sort, "AN" if sort == "AN" else "ON"))
    for index in range(1, len(kinds) - 1):  # 1,000 and 1.5 are one number
        if sorts[index] in {"CS", "ES"} and kinds[index - 1] == kinds[index + 1] in {"EN", "AN"}:
            kinds[index] = kinds[index - 1]
    index = 0
    while index < len(kinds):
        if kinds[index] != "ON":
            index += 1
            continue
        end = index
        while end < len(kinds) and kinds[end] == "ON":
            end += 1
        left = _side(kinds[index - 1]) if index else base
        right = _side(kinds[end]) if end < len(kinds) else base
        kinds[index:end] = [left if left == right else base] * (end - index)
        index = end
    return kinds


def _side(kind: str) -> str:
    """What a number counts as beside what is neutral: text that runs to the left."""
    return "L" if kind == "L" else "R"
