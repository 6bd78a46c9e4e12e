"""A picture's planes that can be put at any fraction of a pixel."""

from __future__ import annotations

import math

import cv2
import numpy as np

from vistterstream.playout.frames import Bytes, Floats, Planes, Words, premultiplied
from vistterstream.playout.geometry import Rect
from vistterstream.playout.sprites import Sprite

_PAD = 2  # transparent pixels left and above in a `Planar`'s planes; as many or more right and below
_QUARTERS = 4  # the alpha of chroma is kept in quarters
_SLAB = 400_000  # pixels prepared at a time: the work in between takes six times what is kept


class Planar:
    """A picture's planes, prepared to be put at any fraction of a pixel; see `at`."""

    def __init__(self, pixels: Floats | Bytes) -> None:
        """Takes premultiplied pixels, (height, width, 4): Y, U, V and alpha; or those of an RGBA picture."""
        self.height, self.width, _ = pixels.shape
        tall = self.height + self.height % 2 + 2 * _PAD + 2
        wide = self.width + self.width % 2 + 2 * _PAD + 2
        self._luma, self._alpha = (np.empty((tall, wide), np.uint16) for _ in range(2))
        quarter = tall // 2, wide // 2
        self._chroma = [
            [[np.empty(quarter, np.uint16) for _ in range(3)] for _column in (0, 1)] for _row in (0, 1)
        ]
        columns = max(_SLAB // tall // 2 * 2, 2)
        for start in range(0, wide, columns):
            self._prepare(pixels, start, min(start + columns, wide))
        self._scratch = [np.empty(tall * wide, np.uint16) for _ in range(3)]

    def _prepare(self, pixels: Floats | Bytes, start: int, end: int) -> None:
        """Fill columns `start` to `end`, both even, of the planes."""
        left, right = (min(max(column - _PAD, 0), self.width) for column in (start, end + 1))
        part = pixels[:, left:right]
        padded = np.zeros((len(self._luma), end + 1 - start, 4), np.float32)
        inner = padded[_PAD : _PAD + self.height, left + _PAD - start : right + _PAD - start]
        inner[:] = part if part.dtype == np.float32 else premultiplied(part.view(np.uint8))
        self._luma[:, start:end] = _whole(padded[:, :-1, 0])
        self._alpha[:, start:end] = _whole(padded[:, :-1, 3])
        means = np.zeros_like(padded[:, :-1])
        means[:-1] = (padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]) / 4
        means[..., 3] *= _QUARTERS
        for row in (0, 1):
            for column in (0, 1):
                for plane, kind in zip(self._chroma[row][column], (1, 2, 3), strict=True):
                    plane[:, start // 2 : end // 2] = _whole(means[row::2, column::2, kind])

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
