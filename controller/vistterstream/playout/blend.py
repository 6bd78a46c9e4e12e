"""Blending translucent pictures onto frames, in place: exact arithmetic, no allocation."""

from __future__ import annotations

import cv2
import numpy as np

from vistterstream.playout.frames import Bytes, Frame, Words
from vistterstream.playout.sprites import Sprite

_BAND = 1 << 16  # pixels blended at a time, so that what is read twice is still in the processor's cache
_TABLES = 256  # kept, of 256 bytes each


class Blender:
    """Blends sprites onto frames of one width. Has scratch memory, so it is for one thread."""

    def __init__(self, width: int) -> None:
        self._sums: Words = np.empty(max(_BAND, width), np.uint16)
        self._carries: Words = np.empty_like(self._sums)
        self._solid: Bytes = np.empty(self._sums.size, np.uint8)
        self._tables: dict[tuple[int, int, float], Bytes] = {}

    def blend(
        self, out: Frame, sprite: Sprite, opacity: float = 1.0, at: tuple[int, int] | None = None
    ) -> None:
        """Put the sprite on `out`, its alpha times `opacity`; at its own place, or `at` (even, within)."""
        if opacity <= 0.0:
            return
        x, y = at or (sprite.x, sprite.y)
        width, height, planes = sprite.width, sprite.height, sprite.planes
        put = self._flat if planes.flat else self._plane
        put(out.y[y : y + height, x : x + width], planes.rest, planes.light, opacity)
        across, down = slice(x // 2, (x + width) // 2), slice(y // 2, (y + height) // 2)
        for plane, light in zip((out.u, out.v), planes.chroma_light, strict=True):
            put(plane[down, across], planes.chroma_rest, light, opacity)

    def _flat(self, target: Bytes, rest: Words, light: Words, opacity: float) -> None:
        """The same as `_plane` where `rest` and `light` are the same everywhere: by a table of 256 values."""
        key = int(rest[0, 0]), int(light[0, 0]), opacity
        table = self._tables.get(key)
        if table is None:
            if len(self._tables) >= _TABLES:
                self._tables.clear()
            table = np.arange(256, dtype=np.uint8).reshape(1, 256)
            self._plane(table, rest[:1, :1], light[:1, :1], opacity)
            self._tables[key] = table
        cv2.LUT(target, table, dst=target)

    def _plane(self, target: Bytes, rest: Words, light: Words, opacity: float) -> None:
        """Target = round((target * rest + light) / 255), a band of rows at a time; see `Planes`.

        The division is exact: for x below 65536 - 255, round(x / 255) is (x + 128 + ((x + 128) >> 8)) >> 8
        (Blinn, "Three wrongs make a right", 1995); `light` holds the 128. An opacity below 1 mixes the
        result with what was there.
        """
        height, width = target.shape
        rows = max(_BAND // width, 1)
        for top in range(0, height, rows):
            band = slice(top, top + rows)
            part = target[band]
            sums = self._sums[: part.size].reshape(part.shape)
            carries = self._carries[: part.size].reshape(part.shape)
            np.copyto(sums, part)
            sums *= rest[band]
            sums += light[band]
            np.right_shift(sums, 8, out=carries)
            sums += carries
            sums >>= 8
            if opacity >= 1.0:
                np.copyto(part, sums, casting="unsafe")
            else:
                solid = self._solid[: part.size].reshape(part.shape)
                np.copyto(solid, sums, casting="unsafe")
                cv2.addWeighted(part, 1.0 - opacity, solid, opacity, 0.0, dst=part)
