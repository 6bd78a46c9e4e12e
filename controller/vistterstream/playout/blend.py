"""Blending translucent pictures onto frames, in place: exact arithmetic, no allocation."""

from __future__ import annotations

import cv2
import numpy as np

from vistterstream.playout.frames import HALF, Bytes, Frame, Words
from vistterstream.playout.sprites import MOSAIC_SAMPLES, Look, Mosaic

_BAND = MOSAIC_SAMPLES  # samples blended at a time, so that what is read twice is still in the cache
_FULL = np.uint16(255)


class Blender:
    """Blends sprites onto frames of one width. Has scratch memory, so it is for one thread."""

    def __init__(self, width: int) -> None:
        self._make_room(max(_BAND, width))

    def blend(
        self, out: Frame, sprite: Look, opacity: float = 1.0, at: tuple[int, int] | None = None
    ) -> None:
        """Put the sprite on `out`, its alpha times `opacity`; at its own place, or `at` (even, within)."""
        if opacity <= 0.0:
            return
        if isinstance(sprite, Mosaic):
            self._mosaic(out, sprite, opacity)
            return
        x, y = at or (sprite.x, sprite.y)
        planes = sprite.planes
        luma, chroma = _window(out, x, y, sprite.width, sprite.height)
        put = self._flat if planes.flat else self._plane
        put(luma, planes.rest, planes.light, opacity)
        for plane, light in zip(chroma, planes.chroma_light, strict=True):
            put(plane, planes.chroma_rest, light, opacity)

    def _make_room(self, samples: int) -> None:
        self._sums: Words = np.empty(samples, np.uint16)
        self._solid: Bytes = np.empty(samples, np.uint8)
        self._below: Bytes = np.empty(samples, np.uint8)

    def _flat(self, target: Bytes, rest: Words, light: Words, opacity: float) -> None:
        """The same as `_plane` where `rest` and `light` are the same everywhere.

        Single precision is enough for that: results lie at least 1/510 from where rounding turns.
        """
        alpha, value = 255 - rest.item(0), light.item(0) - HALF
        rows = len(target) if opacity >= 1.0 else max(_BAND // target.shape[1], 1)
        for top in range(0, len(target), rows):
            part = target[top : top + rows]
            solid = part if opacity >= 1.0 else self._solid[: part.size].reshape(part.shape)
            cv2.convertScaleAbs(part, dst=solid, alpha=1.0 - alpha / 255, beta=value / 255)
            if opacity < 1.0:
                cv2.addWeighted(part, 1.0 - opacity, solid, opacity, 0.0, dst=part)

    def _plane(self, target: Bytes, rest: Words, light: Words, opacity: float) -> None:
        """Target = round((target * rest + light) / 255), a band of rows at a time.

        An opacity below 1 mixes the result with what was there.
        """
        height, width = target.shape
        rows = max(_BAND // width, 1)
        for top in range(0, height, rows):
            band = slice(top, top + rows)
            part = target[band]
            solid = part if opacity >= 1.0 else self._solid[: part.size].reshape(part.shape)
            self._solidly(part, rest[band], light[band], solid)
            if opacity < 1.0:
                cv2.addWeighted(part, 1.0 - opacity, solid, opacity, 0.0, dst=part)

    def _mosaic(self, out: Frame, mosaic: Mosaic, opacity: float) -> None:
        """The same for all tiles at once, gathered and put back. They are small, but need not be."""
        if mosaic.rest.size > self._below.size:
            self._make_room(mosaic.rest.size)
        below, solid = self._below[: mosaic.rest.size], self._solid[: mosaic.rest.size]
        windows = [window for tile in mosaic.tiles for window in _window(out, *tile)]
        start = 0
        for window in windows:
            np.copyto(below[start : start + window.size].reshape(window.shape), window)
            start += window.size
        self._solidly(below, mosaic.rest, mosaic.light, solid)
        if opacity < 1.0:
            cv2.addWeighted(below, 1.0 - opacity, solid, opacity, 0.0, dst=solid)
        start = 0
        for window in windows:
            np.copyto(window, solid[start : start + window.size].reshape(window.shape))
            start += window.size

    def _solidly(self, below: Bytes, rest: Words, light: Words, out: Bytes) -> None:
        """Out = round((below * rest + light) / 255), exactly; see `Planes`. `out` may be `below`."""
        sums = self._sums[: below.size].reshape(below.shape)
        np.copyto(sums, below)
        np.multiply(sums, rest, out=sums)
        np.add(sums, light, out=sums)
        np.floor_divide(sums, _FULL, out=sums)
        np.copyto(out, sums, casting="unsafe")


def _window(out: Frame, x: int, y: int, width: int, height: int) -> tuple[Bytes, Bytes]:
    """The luma and the chroma of a part of the frame: (height, width) and (2, height / 2, width / 2)."""
    across, down = slice(x // 2, (x + width) // 2), slice(y // 2, (y + height) // 2)
    return out.y[y : y + height, x : x + width], out.uv[:, down, across]
