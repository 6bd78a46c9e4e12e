"""Pieces of picture at their places, ready for blending; and a cache of them, bounded by bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from vistterstream.playout.frames import Bytes, Planes, planes
from vistterstream.playout.geometry import Rect, even_up

CACHE_BYTES = 256 * 2**20


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


class SpriteCache:
    """Keeps what was drawn last, up to so many bytes. Safe to use from any thread."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._sprites: OrderedDict[str, Sprite] = OrderedDict()
        self._bytes = 0

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return self._bytes

    def get(self, key: str) -> Sprite | None:
        """What was put under the key, if it is still here."""
        with self._lock:
            sprite = self._sprites.get(key)
            if sprite is not None:
                self._sprites.move_to_end(key)
            return sprite

    def put(self, key: str, sprite: Sprite) -> None:
        """Keep it, and let go of what was used longest ago where there is no room."""
        with self._lock:
            old = self._sprites.pop(key, None)
            self._bytes += sprite.nbytes - (old.nbytes if old else 0)
            self._sprites[key] = sprite
            while self._bytes > self._limit and self._sprites:
                _, gone = self._sprites.popitem(last=False)
                self._bytes -= gone.nbytes


def sprite(rgba: Bytes, place: Rect, opacity: float = 1.0) -> Sprite | None:
    """The sprite of `rgba`, (height, width, 4), at `place`: trimmed to what shows, padded to the 2x2 grid."""
    if place.empty:
        return None
    alpha = np.floor(rgba[..., 3] * np.float32(opacity) + np.float32(0.5)).astype(np.uint8)
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
