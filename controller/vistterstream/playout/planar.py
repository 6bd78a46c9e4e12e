"""A picture's planes that can be put at any fraction of a pixel."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from vistterstream.playout.frames import HALF, Bytes, Floats, Planes, Words, premultiplied
from vistterstream.playout.geometry import Rect, even_up
from vistterstream.playout.plain import Plain, parted, plain_areas, sprites_of
from vistterstream.playout.sprites import MOSAIC_SAMPLES, Look, Looks, Mosaic, Sprite

_PAD = 2  # transparent pixels left and above in a `Planar`'s planes; as many or more right and below
_QUARTERS = 4  # the alpha of chroma is kept in quarters
_FINER = _QUARTERS  # times as large are rests that are kept at whole pixels
_SMALL = 6  # a `_Phase` is for what has at most this part of a picture's samples of luma
_KEPT = 16  # phases
_PHASES = 4  # bytes kept in phases for each pixel
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
        self._rests, self._lights = (np.empty(0, np.uint16) for _ in range(2))
        self.plain = tuple(self._plain(area) for area in plain_areas(pixels))
        self._phases = _Phases(self._phase, _PHASES * tall * wide)

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        planes = [self._luma, self._alpha, self._rests, self._lights]
        planes += [plane for row in self._chroma for column in row for plane in column]
        return sum(plane.nbytes for plane in planes) + self._phases.nbytes

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

    def _plain(self, area: Rect) -> Plain:
        """That area of one colour. Where it is transparent, it goes on beyond the edges of the picture."""
        x, y = area.x + _PAD, area.y + _PAD
        luma, alpha = self._luma.item(y, x), self._alpha.item(y, x)
        u, v, quarters = (plane.item(y // 2, x // 2) for plane in self._chroma[y % 2][x % 2])
        values = 255 - alpha, luma + HALF, 255 - round(quarters / _QUARTERS), u + HALF, v + HALF
        return Plain(area if alpha or quarters else self._beyond(area), values)

    def _beyond(self, area: Rect) -> Rect:
        left, top = (side if side else -_PAD for side in area[:2])
        right, bottom = area.x + area.width, area.y + area.height
        right += 2 * _PAD if right == self.width else 0
        bottom += 2 * _PAD if bottom == self.height else 0
        return Rect(left, top, right - left, bottom - top)

    def at(self, left: float, top: float, bounds: Rect) -> Looks:
        """The part within `bounds` (even) of the picture put with its corner at `left`, `top`.

        It is good until the next question: the memory is used again.
        """
        whole_x, whole_y = math.floor(left), math.floor(top)
        whole = Rect(whole_x, whole_y, self.width + 1, self.height + 1).widened()
        seen = whole.common(bounds)
        if seen.empty:
            return ()
        # What is cut off at the edge of the picture has no phase: each place would need one of its own.
        phase = self._phase_at(left, top, whole) if self.plain and seen == whole else None
        if phase is not None:
            return self._phased(phase, left, top)
        plain, others = parted(seen, [_inside(one.area, left, top) for one in self.plain])
        end = _samples(others)
        rests, lights = self._scratch(end)
        tiles = self._tiles(others, left, top, rests, lights)
        rich: Sequence[Look] = tiles
        if len(tiles) > 1 and end <= MOSAIC_SAMPLES:
            rich = [Mosaic(tuple(others), rests, lights)]
        return (*sprites_of(self.plain, plain), *rich)

    def _phase_at(self, left: float, top: float, whole: Rect) -> _Phase | None:
        """What `_phased` needs there; None where that is no gain.

        It follows from the place alone: rounding may differ from `at`, and a frame must not depend on others.
        """
        x, y = math.floor(left), math.floor(top)
        seen = _moved(whole, x % 2 - x, y % 2 - y)
        return self._phases.of(x % 2, y % 2, left > x, top > y, seen)

    def _phased(self, phase: _Phase, left: float, top: float) -> Looks:
        """The same as `at`: one sum makes all rests, and one all lights."""
        whole_x, whole_y = math.floor(left), math.floor(top)
        x, y = whole_x - phase.x, whole_y - phase.y
        flats = sprites_of(self.plain, [(number, _moved(part, x, y)) for number, part in phase.plain])
        rests, lights = self._scratch(phase.samples)
        shares = [down * across for down in _shares(top - whole_y) for across in _shares(left - whole_x)]
        taps = list(zip(phase.taps, shares, strict=True))
        _sum([(tap[0], share / _FINER) for tap, share in taps], 0.0, rests)
        _sum([(tap[1], share) for tap, share in taps], 0.0, lights)
        return (*flats, Mosaic(tuple(_moved(tile, x, y) for tile in phase.tiles), rests, lights))

    def _phase(self, x: int, y: int, across: bool, down: bool, seen: Rect) -> _Phase | None:
        """The phase of places from `x`, `y` on, if there are fractions across and down."""
        left, top = x + across / 2, y + down / 2
        plain, tiles = parted(seen, [_inside(one.area, left, top) for one in self.plain])
        samples = _samples(tiles)
        if not 0 < samples <= min(self._luma.size // _SMALL, MOSAIC_SAMPLES):
            return None
        taps = []
        for below in (0, 1) if down else (0,):
            for beside in (0, 1) if across else (0,):
                rests, lights = (np.empty(samples, np.uint16) for _ in range(2))
                self._tiles(tiles, x + beside, y + below, rests, lights, _FINER)
                taps.append((rests, lights))
        return _Phase(x, y, plain, tiles, samples, taps)

    def _scratch(self, samples: int) -> tuple[Words, Words]:
        """Room for rests and lights, which is used again."""
        if self._rests.size < samples:
            self._rests, self._lights = (np.empty(samples, np.uint16) for _ in range(2))
        return self._rests[:samples], self._lights[:samples]

    def _tiles(
        self, tiles: Sequence[Rect], left: float, top: float, rests: Words, lights: Words, finer: int = 1
    ) -> list[Sprite]:
        """Parts, filled into `rests` (so many times as large) and `lights`, as of a `Mosaic`."""
        made, end = list[Sprite](), 0
        for tile in tiles:
            start, end = end, end + tile.width * tile.height * 3 // 2
            made.append(self._tile(tile, left, top, rests[start:end], lights[start:end], finer))
        return made

    def _tile(self, tile: Rect, left: float, top: float, rests: Words, lights: Words, finer: int) -> Sprite:
        whole_x, whole_y = math.floor(left), math.floor(top)
        across, down = left - whole_x, top - whole_y
        x, y = tile.x - whole_x + _PAD, tile.y - whole_y + _PAD  # of the first pixel, in the padded planes
        half = Rect(tile.x // 2, tile.y // 2, tile.width // 2, tile.height // 2)
        luma = tile.width * tile.height
        rest, light = (plane[:luma].reshape(tile.height, tile.width) for plane in (rests, lights))
        _between(self._alpha, x, y, tile, across, down, (-finer, 255 * finer), rest)
        _between(self._luma, x, y, tile, across, down, (1, HALF), light)
        chroma_rest, chroma_light = (
            plane[luma:].reshape(2, half.height, half.width) for plane in (rests, lights)
        )
        for part, out in enumerate(chroma_light):
            self._chroma_between(part, x, y, half, across, down, (1, HALF), out)
        turned = (-finer / _QUARTERS, 255 * finer)
        self._chroma_between(2, x, y, half, across, down, turned, chroma_rest[0])
        np.copyto(chroma_rest[1], chroma_rest[0])
        return Sprite(*tile, planes=Planes(rest, light, chroma_rest[0], chroma_light))

    def _chroma_between(
        self,
        part: int,
        x: int,
        y: int,
        half: Rect,
        across: float,
        down: float,
        linear: tuple[float, float],
        out: Words,
    ) -> None:
        """Chroma of the squares from (x, y) on: the means there and one pixel left and above, weighted; times
        a, plus b.
        """
        scale, offset = linear
        terms = []
        for row, share in zip((y, y - 1), _shares(down), strict=False):
            for column, other in zip((x, x - 1), _shares(across), strict=False):
                plane = self._chroma[row % 2][column % 2][part]
                top, left = row // 2, column // 2
                terms.append(
                    (plane[top : top + half.height, left : left + half.width], share * other * scale)
                )
        _sum(terms, offset, out)


class _Phase(NamedTuple):
    """What a picture looks like at places that are whole even numbers of pixels apart, but for the weights.

    `x` and `y` are the whole pixels of one of them. There `plain` are its areas of one colour and `tiles` the
    rest, `samples` their number; `taps` rests (`_FINER` times as large) and lights of the tiles, at whole
    pixels: there, and with what lies beside and above.
    """

    x: int
    y: int
    plain: list[tuple[int, Rect]]
    tiles: list[Rect]
    samples: int
    taps: list[tuple[Words, Words]]

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return sum(rests.nbytes + lights.nbytes for rests, lights in self.taps)


_Key = tuple[int, int, bool, bool, Rect]


class _Phases:
    """Phases that were needed last, up to so many bytes."""

    def __init__(self, make: Callable[[int, int, bool, bool, Rect], _Phase | None], limit: int) -> None:
        self._make, self._limit = make, limit
        self._kept: dict[_Key, _Phase | None] = {}

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return sum(phase.nbytes for phase in self._kept.values() if phase is not None)

    def of(self, *key: *_Key) -> _Phase | None:
        """The phase of a place by its whole pixels, whether it has fractions, and the part that is seen."""
        if key not in self._kept:
            self._kept[key] = self._make(*key)
            while (self.nbytes > self._limit or len(self._kept) > _KEPT) and len(self._kept) > 1:
                del self._kept[next(iter(self._kept))]
        return self._kept[key]


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
    terms = [
        (plane[row : row + seen.height, column : column + seen.width], share * other * scale)
        for row, share in zip((y, y - 1), _shares(down), strict=False)
        for column, other in zip((x, x - 1), _shares(across), strict=False)
    ]
    _sum(terms, offset, out)


def _inside(area: Rect, left: float, top: float) -> Rect:
    """What has one colour where that area of a picture has, put with its corner at `left`, `top`; even."""
    x, y = even_up(math.ceil(left + area.x)), even_up(math.ceil(top + area.y))
    right = math.floor(left + area.x + area.width) // 2 * 2
    bottom = math.floor(top + area.y + area.height) // 2 * 2
    return Rect(x, y, max(right - x, 0), max(bottom - y, 0))


def _shares(fraction: float) -> tuple[float, ...]:
    """The weights of a pixel and of the one before it, where that has one."""
    return (1.0 - fraction, fraction) if fraction else (1.0,)


def _samples(tiles: Iterable[Rect]) -> int:
    return sum(tile.width * tile.height * 3 // 2 for tile in tiles)


def _moved(rect: Rect, x: int, y: int) -> Rect:
    return Rect(rect.x + x, rect.y + y, rect.width, rect.height)


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
