"""A picture's planes that can be put at any fraction of a pixel."""

from __future__ import annotations

import math

import cv2
import numpy as np

from vistterstream.playout.frames import Floats, Planes, Words
from vistterstream.playout.geometry import Rect
from vistterstream.playout.sprites import Sprite

_PAD = 2  # transparent pixels left and above in a `Planar`'s planes; as many or more right and below
_QUARTERS = 4  # the alpha of chroma is kept in quarters


class Planar:
    """A picture's planes, prepared to be put at any fraction of a pixel; see `at`."""

    def __init__(self, pixels: Floats) -> None:
        """Takes premultiplied pixels, (height, width, 4): Y, U, V and alpha."""
        height, width, _ = pixels.shape
        tall, wide = height + height % 2 + 2 * _PAD + 2, width + width % 2 + 2 * _PAD + 2
        padded = np.zeros((tall, wide, 4), np.float32)
        padded[_PAD : _PAD + height, _PAD : _PAD + width] = pixels
        self.width, self.height = width, height
        self._luma = _whole(padded[..., 0])
        self._alpha = _whole(padded[..., 3])
        means = np.zeros_like(padded)
        means[:-1, :-1] = (padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]) / 4
        means[..., 3] *= _QUARTERS
        self._chroma = [
            [[_whole(means[row::2, column::2, part]) for part in (1, 2, 3)] for column in (0, 1)]
            for row in (0, 1)
        ]

        self._scratch = [np.empty(tall * wide, np.uint16) for _ in range(3)]

    def at(self, left: float, top: float, bounds: Rect) -> Sprite | None:
        """The part within `bounds` (even) of the picture put with its corner at `left`, `top`.

        It is good until the next question: the memory is used again.
        """
        whole_x, whole_y = math.floor(left), math.floor(top)
        seen = Rect(whole_x, whole_y, self.width + 1, self.height + 1).widened().common(bounds)
        if seen.empty:
            return None
        across, down = left - whole_x, top - whole_y
        x, y = seen.x - whole_x + _PAD, seen.y - whole_y + _PAD  # of the first pixel, in the padded planes
        count = seen.width * seen.height
        rest, light = (scratch[:count].reshape(seen.height, seen.width) for scratch in self._scratch[:2])
        _between(self._alpha, x, y, seen, across, down, (-1.0, 255.0), rest)
        _between(self._luma, x, y, seen, across, down, (1.0, 128.0), light)
        half = Rect(seen.x // 2, seen.y // 2, seen.width // 2, seen.height // 2)
        chroma = self._scratch[2][: 3 * count // 4].reshape(3, half.height, half.width)
        for part in range(3):
            self._chroma_between(part, x, y, half, across, down, chroma[part])
        return Sprite(*seen, planes=Planes(rest, light, chroma[2], chroma[:2]))

    def _chroma_between(
        self, part: int, x: int, y: int, half: Rect, across: float, down: float, out: Words
    ) -> None:
        """Chroma of the squares from (x, y) on: the means there and one pixel left and above, weighted."""
        scale, offset = (1.0, 128.0) if part < 2 else (-1.0 / _QUARTERS, 255.0)
        rows = [(y, 1.0 - down), (y - 1, down)] if down else [(y, 1.0)]
        columns = [(x, 1.0 - across), (x - 1, across)] if across else [(x, 1.0)]
        terms = []
        for row, share in rows:
            for column, other in columns:
                plane = self._chroma[row % 2][column % 2][part]
                top, left = row // 2, column // 2
                terms.append(
                    (plane[top : top + half.height, left : left + half.width], share * other * scale)
                )
        _sum(terms, offset, out)


def _between(
    plane: Words,
    x: int,
    y: int,
    seen: Rect,
    across: float,
    down: float,
    linear: tuple[float, float],
    out: Words,
) -> None:
    """`out` = `plane` from (x, y) on, shifted right and down by fractions of a pixel, times a, plus b."""
    scale, offset = linear
    rows = [(y, 1.0 - down), (y - 1, down)] if down else [(y, 1.0)]
    columns = [(x, 1.0 - across), (x - 1, across)] if across else [(x, 1.0)]
    terms = [
        (plane[row : row + seen.height, column : column + seen.width], share * other * scale)
        for row, share in rows
        for column, other in columns
    ]
    _sum(terms, offset, out)


def _sum(terms: list[tuple[Words, float]], offset: float, out: Words) -> None:
    """`out` = the weighted sum of one, two or four planes, rounded once."""
    if len(terms) == 1:
        (plane, weight), *_ = terms
        cv2.addWeighted(plane, weight, plane, 0.0, offset, dst=out)
    elif len(terms) == 2:
        (one, first), (other, second) = terms
        cv2.addWeighted(one, first, other, second, offset, dst=out)
    else:
        halves = [
            cv2.addWeighted(one, first, other, second, offset / 2, dtype=cv2.CV_32F)
            for (one, first), (other, second) in (terms[:2], terms[2:])
        ]
        cv2.add(halves[0], halves[1], dst=out, dtype=cv2.CV_16U)


def _whole(values: Floats) -> Words:
    words: Words = np.floor(values + np.float32(0.5)).astype(np.uint16)
    return np.ascontiguousarray(words)
