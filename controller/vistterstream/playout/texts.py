"""Draws text layers: wrapped, aligned, with outline, shadow and background."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from vistterstream.playout import lettering, typefaces
from vistterstream.playout.frames import Bytes
from vistterstream.playout.geometry import Rect, View, nearest, shares
from vistterstream.playout.pieces import Piece, Tell, bounded
from vistterstream.resources.overlay import Align, ClockLayer, CountdownLayer, Position, TextLayer
from vistterstream.resources.quantities import Color

LARGEST_LETTERS = 2
"""Largest font size, in heights of the picture; beyond it one letter would take gigabytes."""
Inked = TextLayer | ClockLayer | CountdownLayer
"""What is written in one colour, on a ground or none."""
_ALIGNED = {Align.LEFT: 0.0, Align.CENTER: 0.5, Align.RIGHT: 1.0}


def text_piece(style: TextLayer, position: Position, view: View, bounds: Rect, tell: Tell) -> Piece | None:
    """The lines of a text on what lies under them. Raises Unusable."""
    font = font_of(style.font, style.size, view, tell)
    lines = _paragraph(style, font, view, tell)
    padding = nearest(style.padding * view.scale) if style.background is not None else 0
    box = lines.box(position, view, padding)
    reach = lines.height // 2 + _reach(style, view)  # letters may reach out of their box
    seen = bounded(box.grown(reach), bounds)
    if seen.empty or not style.value.strip():
        return None
    share = _ALIGNED[style.align] if style.align else shares(position.anchor)[0]
    letters, pictures = lines.drawn(box, seen, padding, share)
    under = ground(style, box, seen)
    if style.shadow is not None or style.outline is not None:
        width = style.outline.width * view.scale if style.outline is not None else 0.0
        around, _ = lines.drawn(box, seen, padding, share, stroke=width) if width else (letters, pictures)
        under = _surrounded(style, under, around, pictures, view)
    rgba = inked(letters, style, under)
    if pictures.getbbox() is not None:
        rgba = np.asarray(Image.alpha_composite(Image.fromarray(rgba), pictures))
        under = Image.alpha_composite(under, pictures)
    return Piece(rgba, seen, box, np.asarray(letters), np.asarray(under))


def _paragraph(style: TextLayer, font: typefaces.Font, view: View, tell: Tell) -> _Paragraph:
    """The lines of a text, wrapped, as many and as long as the picture could show at all."""
    texts = style.value.replace("\t", "    ").splitlines() or [""]
    if style.width is not None:
        width = style.width * view.scale_x
        texts = [part for text in texts for part in lettering.wrapped(text, font, width)]
    ascent, descent = font.getmetrics()
    most = 2 * view.height // max(nearest((ascent + descent) * style.line_spacing), 1) + 1
    shown = [cut(text, font, 2 * view.width, None) for text in texts[:most]]
    if shown != texts:
        tell("The text is far larger than the picture and is cut off; make it shorter or smaller.")
    lines = [lettering.line(text, font) for text in shown]
    tell_missing(lines, tell)
    return _Paragraph(
        lines,
        ascent=max([ascent, *(line.ascent for line in lines)]),
        descent=max([descent, *(line.descent for line in lines)]),
        spacing=style.line_spacing,
    )


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """Lines of text, measured in program pixels."""

    lines: list[lettering.Line]
    ascent: int
    descent: int
    spacing: float

    @property
    def height(self) -> int:
        """Of one line."""
        return max(self.ascent + self.descent, 1)

    @property
    def step(self) -> int:
        """From one line to the next."""
        return max(nearest(self.height * self.spacing), 1)

    def box(self, position: Position, view: View, padding: int) -> Rect:
        """Where the box of the text stands."""
        width = math.ceil(max(line.width for line in self.lines)) + 2 * padding
        height = self.height + self.step * (len(self.lines) - 1)
        return view.place(position, width, height + 2 * padding)

    def drawn(
        self, box: Rect, seen: Rect, padding: int, share: float, stroke: float = 0.0
    ) -> tuple[Image.Image, Image.Image]:
        """Coverage of the letters in the part of the picture that is `seen`, and emoji; see `Line.draw`.

        `share` of the free space of each line lies at its left.
        """
        letters = Image.new("L", (seen.width, seen.height))
        pictures = Image.new("RGBA", letters.size)
        top = box.y - seen.y + padding + self.ascent
        for number, line in enumerate(self.lines):
            left = box.x - seen.x + padding + (box.width - 2 * padding - line.width) * share
            line.draw(letters, pictures, left, top + number * self.step, stroke)
        return letters, pictures


def _reach(style: TextLayer, view: View) -> int:
    """How far outline and shadow reach beyond letters, in program pixels."""
    outline = style.outline.width if style.outline is not None else 0.0
    shadow = style.shadow
    beyond = 0.0 if shadow is None else max(abs(shadow.right), abs(shadow.down)) + 3 * shadow.blur
    return math.ceil((outline + beyond) * view.scale)


def ground(style: Inked, box: Rect, seen: Rect) -> Image.Image:
    """What lies under the letters."""
    picture = Image.new("RGBA", (seen.width, seen.height))
    if style.background is not None:
        left, top = box.x - seen.x, box.y - seen.y
        picture.paste(style.background.rgba, (left, top, left + box.width, top + box.height))
    return picture


def _surrounded(
    style: TextLayer, under: Image.Image, around: Image.Image, pictures: Image.Image, view: View
) -> Image.Image:
    """`under` with shadow and outline of letters that, with their outline, cover `around`."""
    if style.shadow is not None:
        shadow = style.shadow
        shape = ImageChops.lighter(around, pictures.getchannel("A"))
        cast = Image.new("L", shape.size)
        cast.paste(shape, (nearest(shadow.right * view.scale), nearest(shadow.down * view.scale)))
        if shadow.blur:
            cast = cast.filter(ImageFilter.GaussianBlur(shadow.blur * view.scale))
        under = Image.alpha_composite(under, tinted(cast, shadow.color))
    if style.outline is not None:
        under = Image.alpha_composite(under, tinted(around, style.outline.color))
    return under


def inked(letters: Image.Image, style: Inked, under: Image.Image) -> Bytes:
    """RGBA of the letters (their coverage), coloured, on what lies under them."""
    ink = tinted(letters, style.color)
    if under.getchannel("A").getbbox() is None:
        return np.asarray(ink)
    return np.asarray(Image.alpha_composite(under, ink))


def tinted(coverage: Image.Image, color: Color) -> Image.Image:
    """Coverage in a colour."""
    *rgb, alpha = color.rgba
    ink = Image.new("RGBA", coverage.size, (*rgb, 0))
    ink.putalpha(coverage.point([round(value * alpha / 255) for value in range(256)]))
    return ink


def tell_missing(lines: Sequence[lettering.Line], tell: Tell) -> None:
    """Say which characters no font has."""
    missing = sorted({character for line in lines for character in line.missing})
    if missing:
        names = ", ".join(f"{character} (U+{ord(character):04X})" for character in missing[:5])
        tell(
            f"No font on this machine has {names}{' and others' if len(missing) > 5 else ''}; install one, "
            "such as Debian's fonts-noto-core, fonts-noto-cjk and fonts-noto-color-emoji."
        )


def font_of(family: str, canvas_size: int, view: View, tell: Tell) -> typefaces.Font:
    """The font at that size, or one that stands in for it."""
    size, most = canvas_size * view.scale, LARGEST_LETTERS * view.height
    if size > most:
        tell("The letters are larger than the picture and are made smaller; give a smaller size.")
        size = most
    try:
        return typefaces.typeface(family, size)
    except typefaces.UnknownFont:
        tell(f"There is no font {family!r} on this machine; install it, or use {typefaces.DEFAULT_FAMILY}.")
        return typefaces.typeface(typefaces.DEFAULT_FAMILY, size)


def cut(line: str, font: typefaces.Font, limit: int, figures: list[str] | None) -> str:
    """The longest beginning of `line` that is not wider than `limit` pixels."""
    if len(line) * font.size < limit or font.getlength(line, features=figures) <= limit:
        return line
    low, high = 0, len(line)
    while high - low > 1:
        middle = (low + high) // 2
        if font.getlength(line[:middle], features=figures) <= limit:
            low = middle
        else:
            high = middle
    return line[:low]
