"""Pieces of picture at their places, ready for blending; and a cache of them, bounded by bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from vistterstream.playout.frames import Bytes, Planes, Words, flat_planes, planes
from vistterstream.playout.geometry import Rect, even_up

CACHE_BYTES = 256 * 2**20
MOSAIC_SAMPLES = 1 << 16
"""The most that is blended in one go: more would not stay in the processor's cache meanwhile."""


@dataclass(frozen=True, slots=True)
class Sprite:
    """A piece of picture and its place: x, y, width and height are even and within the program."""

    x: int
    y: int
    width: int
    height: int
    planes: Planes

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return self.planes.nbytes


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Small pieces of picture, the `tiles`, that are blended in one go: each by itself costs more in calls
    than in arithmetic.

    `rest` and `light` are those of `Planes`, in one row: for each tile its Y, U and V.
    """

    tiles: tuple[Rect, ...]
    rest: Words
    light: Words

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return self.rest.nbytes + self.light.nbytes


Look = Sprite | Mosaic
"""What can be blended."""
Looks = tuple[Look, ...]
"""What there is to be seen of a layer, side by side."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What was drawn of a layer that stands still, side by side, and the pixels that it took.

    `still` and `moving` are those that `Room` was asked for.
    """

    looks: tuple[Look, ...]
    still: int = 0
    moving: int = 0

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return sum(one.nbytes for one in self.looks)


class SpriteCache:
    """Keeps what was drawn last, up to so many bytes. Safe to use from any thread."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._drawings: OrderedDict[str, Drawing] = OrderedDict()
        self._bytes = 0

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return self._bytes

    def get(self, key: str) -> Drawing | None:
        """What was put under the key, if it is still here."""
        with self._lock:
            drawing = self._drawings.get(key)
            if drawing is not None:
                self._drawings.move_to_end(key)
            return drawing

    def put(self, key: str, drawing: Drawing) -> None:
        """Keep it, and let go of what was used longest ago where there is no room."""
        with self._lock:
            old = self._drawings.pop(key, None)
            self._bytes += drawing.nbytes - (old.nbytes if old else 0)
            self._drawings[key] = drawing
            while self._bytes > self._limit and self._drawings:
                _, gone = self._drawings.popitem(last=False)
                self._bytes -= gone.nbytes


def sprite(rgba: Bytes, place: Rect, opacity: float = 1.0) -> Sprite | None:
    """The sprite of `rgba`, (height, width, 4), at `place`: trimmed to what shows, padded to the 2x2 grid."""
    if place.empty:
        return None
    alpha = _faded(opacity)[rgba[..., 3]]
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not len(rows):
        return None
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    x, y = place.x + int(left), place.y + int(top)
    odd_x, odd_y = x % 2, y % 2
    height, width = int(bottom - top), int(right - left)
    padded = np.zeros((even_up(odd_y + height), even_up(odd_x + width), 4), np.uint8)
    inner = padded[odd_y : odd_y + height, odd_x : odd_x + width]
    inner[..., :3] = rgba[top:bottom, left:right, :3]
    inner[..., 3] = alpha[top:bottom, left:right]
    return Sprite(
        x=x - odd_x,
        y=y - odd_y,
        width=padded.shape[1],
        height=padded.shape[0],
        planes=planes(padded),
    )


def flat_sprite(rgba: tuple[int, int, int, int], place: Rect, opacity: float = 1.0) -> Sprite | None:
    """The sprite of one colour at `place`, which lies on the 2x2 grid; the same as `sprite` would make."""
    *rgb, alpha = rgba
    alpha = int(_faded(opacity)[alpha])
    if place.empty or not alpha:
        return None
    return Sprite(*place, planes=flat_planes((*rgb, alpha), place.width, place.height))


def gathered(looks: Iterable[Look]) -> tuple[Look, ...]:
    """What lies side by side, the small sprites put together."""
    made: list[Look] = []
    small: list[Sprite] = []
    left = MOSAIC_SAMPLES
    for one in looks:
        if isinstance(one, Mosaic) or one.planes.flat or one.width * one.height * 3 // 2 > left:
            made.append(one)
        else:
            small.append(one)
            left -= one.width * one.height * 3 // 2
    return (*made, *([_mosaic(small)] if len(small) > 1 else small))


def _mosaic(sprites: Sequence[Sprite]) -> Mosaic:
    tiles = tuple(Rect(one.x, one.y, one.width, one.height) for one in sprites)
    rests: list[Words] = []
    lights: list[Words] = []
    for one in sprites:
        rests += [one.planes.rest, one.planes.chroma_rest, one.planes.chroma_rest]
        lights += [one.planes.light, one.planes.chroma_light]
    rest, light = (np.concatenate([part.reshape(-1) for part in parts]) for parts in (rests, lights))
    return Mosaic(tiles, rest, light)


def _faded(opacity: float) -> Bytes:
    """What becomes of each alpha, 0 to 255."""
    values = np.arange(256, dtype=np.uint8) * np.float32(opacity)
    faded: Bytes = np.floor(values + np.float32(0.5)).astype(np.uint8)
    return faded
