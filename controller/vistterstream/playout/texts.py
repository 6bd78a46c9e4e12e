"""Draws text layers: wrapped, aligned, with outline, shadow and background."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from vistterstream.playout import lettering, typefaces
from vistterstream.playout.frames import Bytes
from vistterstream.playout.geometry import Rect, View, nearest, shares
from vistterstream.playout.pieces import Bounds, Piece, Tell, bounded
from vistterstream.resources.overlay import Align, Anchor, ClockLayer, CountdownLayer, Position, TextLayer
from vistterstream.resources.quantities import Color

LARGEST_LETTERS = 2
"""Largest font size, in heights of the picture; beyond it one letter would take gigabytes."""
Inked = TextLayer | ClockLayer | CountdownLayer
"""What is written in one colour, on a ground or none."""
_ALIGNED = {Align.LEFT: 0.0, Align.CENTER: 0.5, Align.RIGHT: 1.0}


def text_piece(style: TextLayer, position: Position, view: View, bounds: Bounds, tell: Tell) -> Piece | None:
    """The lines of a text on what lies under them. Raises Unusable."""
    font = font_of(style.font, style.size, view, tell)
    lines = _block(style, font, view, tell)
    padding = nearest(style.padding * view.scale) if style.background is not None else 0
    area = lines.area(position, view, padding)
    box = lines.around(area, padding)
    reach = lines.height // 2 + _reach(style, view)  # letters may reach out of their box
    surrounded = style.shadow is not None or style.outline is not None
    seen = bounded(box.grown(reach), bounds, 2 if surrounded else 1)
    if seen.empty or not style.value.strip():
        return None
    shown = [aligned(style.align, position.anchor, leftward=line.leftward) for line in lines.lines]
    letters, pictures = lines.drawn(area, seen, shown)
    under = ground(style, box, seen)
    if surrounded:
        width = style.outline.width * view.scale if style.outline is not None else 0.0
        around, _ = lines.drawn(area, seen, shown, stroke=width) if width else (letters, pictures)
        under = _surrounded(style, under, around, pictures, view)
    rgba = inked(letters, style, under)
    if pictures.getbbox() is not None:
        rgba = np.asarray(Image.alpha_composite(Image.fromarray(rgba), pictures))
        under = Image.alpha_composite(under, pictures)
    return Piece(rgba, seen, box, np.asarray(letters), np.asarray(under))


def aligned(align: Align | None, anchor: Anchor, *, leftward: bool) -> float:
    """The share of a line's free space that lies at its left.

    Without `align` lines stand as anchored; text that runs to the left, anchored at its left, starts at the
    right of its box all the same.
    """
    if align in _ALIGNED:
        return _ALIGNED[align]
    share = shares(anchor)[0]
    starts, ends = float(leftward), float(not leftward)
    if align is None:
        return share if share else starts
    return starts if align is Align.START else ends


def _block(style: TextLayer, font: typefaces.Font, view: View, tell: Tell) -> _Block:
    """The lines of a text, wrapped, as many and as long as the picture could show at all."""
    texts = style.value.replace("\t", "    ").splitlines() or [""]
    limit = 2 * view.width
    most = 2 * view.height // max(nearest(sum(font.getmetrics()) * style.line_spacing), 1) + 1
    lines: list[lettering.Line] = []
    complete = True
    for text in texts:
        if len(lines) >= most:
            complete = False
            break
        shown = text if style.width is not None else cut(text, font, limit, None)
        paragraph = lettering.Paragraph(shown, font)
        spans = [paragraph.whole]
        if style.width is not None:
            setting = paragraph.wrapped(style.width * view.scale_x)
            spans = list(islice(setting, most - len(lines) + 1))  # one more says that there are more
        kept = [paragraph.cut(span, limit) for span in spans[: most - len(lines)]]
        complete = complete and shown == text and kept == spans
        lines += [paragraph.line(span) for span in kept]
    if not complete:
        tell("The text is far larger than the picture and is cut off; make it shorter or smaller.")
    tell_missing(lines, tell)
    return _Block(lines, *font.getmetrics(), style.line_spacing)


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines of text, measured in program pixels. Ascent and descent are those of the layer's own font."""

    lines: list[lettering.Line]
    ascent: int
    descent: int
    spacing: float

    @property
    def height(self) -> int:
        """Of one line."""
        return max(self.ascent + self.descent, 1)

    def baselines(self) -> list[int]:
        """How far below the top each line stands.

        Other fonts move no line, but where their letters would touch those of the line above.
        """
        step = max(nearest(self.height * self.spacing), 1)
        places = [self.ascent]
        for upper, lower in pairwise(self.lines):
            over = upper.reach[1] + lower.reach[0]
            places.append(places[-1] + step + max(over - max(step - self.height, 0), 0))
        return places

    def area(self, position: Position, view: View, padding: int) -> Rect:
        """Where the lines stand, without the padding around them."""
        width = math.ceil(max(line.width for line in self.lines))
        height = self.baselines()[-1] + self.height - self.ascent
        x, y, _, _ = view.place(position, width + 2 * padding, height + 2 * padding)
        return Rect(x + padding, y + padding, width, height)

    def around(self, area: Rect, padding: int) -> Rect:
        """The box of the text: padded, and higher where letters of other fonts reach out of the padding."""
        above = max(self.lines[0].reach[0], padding) if padding else 0
        below = max(self.lines[-1].reach[1], padding) if padding else 0
        return Rect(area.x - padding, area.y - above, area.width + 2 * padding, area.height + above + below)

    def drawn(
        self, area: Rect, seen: Rect, aligned: Sequence[float], stroke: float = 0.0
    ) -> tuple[Image.Image, Image.Image]:
        """Coverage of the letters in the part of the picture that is `seen`, and emoji; see `Line.draw`.

        `aligned` tells which share of the free space of each line lies at its left.
        """
        letters = Image.new("L", (seen.width, seen.height))
        pictures = Image.new("RGBA", letters.size)
        for line, baseline, share in zip(self.lines, self.baselines(), aligned, strict=True):
            left = area.x - seen.x + (area.width - line.width) * share
            line.draw(letters, pictures, left, area.y - seen.y + baseline, stroke)
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
    """Say which characters no font has, and whether letters are not shaped."""
    if any(typefaces.unshaped(run.text) for line in lines for run in line.runs):
        tell("Letters that join or change shape are drawn one by one; install FriBidi, Debian's libfribidi0.")
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
