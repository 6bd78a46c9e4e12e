"""Text in the middle of a picture of ours: the slate, and what stands in for a missing picture."""

from __future__ import annotations

import textwrap

import numpy as np
from PIL import Image, ImageDraw

from vistterstream.playout import typefaces


def caption(picture: Image.Image, text: str, *, edged: bool) -> None:
    """Write `text` into the middle, in as large letters as fit, dark on light or light on dark.

    On a picture the letters get an edge in the other shade.
    """
    width, height = picture.size
    pen = ImageDraw.Draw(picture)
    size = height / 11
    while True:
        font = typefaces.typeface(typefaces.DEFAULT_FAMILY, size)
        columns = max(int(width * 0.84 / max(font.getlength("n"), 1)), 8)
        lines = [part for line in text.splitlines() for part in textwrap.wrap(line, columns) or [""]]
        wrapped = "\n".join(lines)
        left, top, right, bottom = pen.multiline_textbbox((0, 0), wrapped, font, align="center")
        if (right - left <= width * 0.92 and bottom - top <= height * 0.9) or size < 9:
            break
        size *= 0.85
    light = np.asarray(picture.convert("L").resize((8, 8))).mean() > 150
    ink, edge = ("#121521", "#FFFFFF") if light else ("#F4F6FB", "#121521")
    place = ((width - left - right) / 2, (height - top - bottom) / 2)
    pen.multiline_text(
        place, wrapped, ink, font, align="center", stroke_width=size / 24 if edged else 0, stroke_fill=edge
    )
