"""Pictures as FFmpeg's pipes carry them: planar YUV 4:2:0, 8 bits, BT.709, limited range (yuv420p).

Luma runs from 16 to 235, chroma from 16 to 240 around 128 (ITU-R BT.709-6, 3.4 and 3.5). A chroma sample
stands for a square of 2×2 pixels.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

cv2.setNumThreads(1)  # one core does the pixels; the others belong to FFmpeg, and the clock wants no pool

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint16]
Floats = NDArray[np.float32]

BLACK = (16, 128, 128)
HALF = 127
"""Makes a whole division by 255 round: (x + 127) // 255 is the nearest to x / 255; there are no ties."""

_KR, _KB = 0.2126, 0.0722  # BT.709-6, 3.2
_KG = 1 - _KR - _KB
_TO_YUV = np.array(
    [
        [219 * _KR, 219 * _KG, 219 * _KB],
        [-112 * _KR / (1 - _KB), -112 * _KG / (1 - _KB), 112.0],
        [112.0, -112 * _KG / (1 - _KR), -112 * _KB / (1 - _KR)],
    ],
    np.float32,
) / np.float32(255)
_OFFSET = np.array([16, 128, 128], np.float32)
_BAND = 1 << 16  # pixels worked on at a time


class Frame:
    """One picture in one buffer: the Y plane, then U, then V, without padding.

    `data` is the buffer, (height * 3 // 2, width) uint8, and `buffer` the same as flat bytes, for pipes.
    `y` (height, width), `u` and `v` (height / 2, width / 2) and `uv` (2, height / 2, width / 2) are views.
    """

    __slots__ = ("buffer", "data", "height", "u", "users", "uv", "v", "width", "y")

    def __init__(self, width: int, height: int) -> None:
        """An uninitialised picture; `width` and `height` are even."""
        if width % 2 or height % 2:
            raise ValueError(f"{width}x{height}: a yuv420p picture needs even sides")
        self.width, self.height = width, height
        self.data: Bytes = np.empty((height * 3 // 2, width), np.uint8)
        self.buffer = self.data.data.cast("B")
        self.y: Bytes = self.data[:height]
        flat = self.data.reshape(-1)
        self.uv: Bytes = flat[width * height :].reshape(2, height // 2, width // 2)
        self.u: Bytes = self.uv[0]
        self.v: Bytes = self.uv[1]
        self.users = 1  # of a pool's frames: how many hold it

    def fill(self, color: tuple[int, int, int]) -> None:
        """One colour everywhere, given as Y, U, V."""
        self.y[:], self.u[:], self.v[:] = color

    def copy_from(self, other: Frame) -> None:
        """Become the same picture; the sizes are equal."""
        np.copyto(self.data, other.data)

    def put_rgb(self, rgb: Bytes) -> None:
        """Become the picture `rgb`, (height, width, 3) uint8."""
        rows = max(_BAND // self.width // 2 * 2, 2)
        for top in range(0, self.height, rows):
            y, u, v = _rgb_to_yuv(rgb[top : top + rows])
            half = slice(top // 2, (top + rows) // 2)
            self.y[top : top + rows] = _rounded(y)
            self.u[half] = _rounded(_quarters(u))
            self.v[half] = _rounded(_quarters(v))


class FramePool:
    """Frames that any thread takes and gives back: `count` of them allocated once, `extra` when needed.

    A frame taken has one user; `keep` adds one, `give` takes one away, and the frame is free again when
    nobody uses it. What was allocated beyond `count` is then let go.
    """

    def __init__(self, width: int, height: int, count: int, extra: int = 0) -> None:
        frames = [Frame(width, height) for _ in range(count)]
        for frame in frames:
            frame.fill(BLACK)  # touches every page now rather than on the air
        self._lock = threading.Lock()
        self._free = frames
        self._size = width, height
        self._extra = extra
        self._beyond = 0  # how many there are beyond `count`
        self.count = count

    @property
    def free(self) -> int:
        """How many of the `count` frames nobody uses; negative while more than those are in use."""
        return len(self._free) - self._beyond

    @property
    def picture_bytes(self) -> int:
        """Size of a frame."""
        width, height = self._size
        return width * height * 3 // 2

    def take(self) -> Frame | None:
        """A frame with the caller as its one user and any content; None when all are in use."""
        with self._lock:
            if self._free:
                frame = self._free.pop()
            elif self._beyond < self._extra:
                self._beyond += 1
                frame = Frame(*self._size)
            else:
                return None
            frame.users = 1
            return frame

    def keep(self, frame: Frame) -> Frame:
        """Another user for a frame in use; returns it."""
        with self._lock:
            if frame.users < 1:
                raise RuntimeError("a frame that nobody uses cannot be kept")
            frame.users += 1
            return frame

    def give(self, frame: Frame) -> None:
        """One user less; the frame may be overwritten once there is none."""
        with self._lock:
            if frame.users < 1:
                raise RuntimeError("a frame was given back twice")
            frame.users -= 1
            if frame.users:
                return
            if self._beyond:
                self._beyond -= 1  # whichever comes back first is let go
            else:
                self._free.append(frame)


@dataclass(frozen=True, slots=True)
class Planes:
    """A translucent picture ready for blending: out = round((out * rest + light) / 255), exactly.

    `rest` is 255 - alpha, and `light` the plane's value times alpha, plus `HALF` (for rounding). Luma arrays
    are (height, width), chroma (height / 2, width / 2) and (2, height / 2, width / 2); all uint16. A chroma
    sample is the mean of its four pixels, weighted by
    their alpha, so that what is transparent lends it no colour.
    """

    rest: Words
    light: Words
    chroma_rest: Words
    chroma_light: Words

    @property
    def flat(self) -> bool:
        """Whether it is one colour and alpha everywhere, kept once: arrays that repeat their one value."""
        return not any(self.rest.strides) and not any(self.light.strides)

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        if self.flat:
            return 0
        return self.rest.nbytes + self.light.nbytes + self.chroma_rest.nbytes + self.chroma_light.nbytes


def planes(rgba: Bytes) -> Planes:
    """The planes of `rgba`, (height, width, 4) uint8, both sides even, alpha not premultiplied.

    A band of rows is made at a time: what is made in between takes ten times what is kept.
    """
    height, width, _ = rgba.shape
    half = height // 2, width // 2
    made = Planes(
        rest=np.empty((height, width), np.uint16),
        light=np.empty((height, width), np.uint16),
        chroma_rest=np.empty(half, np.uint16),
        chroma_light=np.empty((2, *half), np.uint16),
    )
    rows = max(_BAND // max(width, 1) // 2 * 2, 2)
    for top in range(0, height, rows):
        _put_planes(rgba[top : top + rows], made, top)
    return made


def _put_planes(rgba: Bytes, made: Planes, top: int) -> None:
    """Fill the rows of `made` from `top` (even) on."""
    y, u, v = _rgb_to_yuv(rgba[..., :3])
    alpha = rgba[..., 3].astype(np.float32)
    sums = _quarters(alpha)
    chroma_alpha = _rounded(sums).astype(np.float32)
    weight = chroma_alpha / np.maximum(sums, np.float32(1e-6))
    band, half = slice(top, top + len(rgba)), slice(top // 2, (top + len(rgba)) // 2)
    made.rest[band] = 255 - alpha
    made.light[band] = _words(y * alpha)
    made.chroma_rest[half] = 255 - chroma_alpha
    for plane, light in zip((u, v), made.chroma_light, strict=True):
        light[half] = _words((_quarters(plane * alpha) * weight).astype(np.float32))


def flat_planes(rgba: Iterable[int], width: int, height: int) -> Planes:
    """The planes of one colour, with its alpha, everywhere; both sides even. It takes next to no memory."""
    one = planes(np.broadcast_to(np.array(list(rgba), np.uint8), (2, 2, 4)))
    u, v = one.chroma_light.reshape(2).tolist()
    luma = one.rest.item(0), one.light.item(0)
    return repeated(luma, one.chroma_rest.item(0), (u, v), width, height)


def repeated(
    luma: tuple[int, int], chroma_rest: int, chroma_light: tuple[int, int], width: int, height: int
) -> Planes:
    """Planes with the same values everywhere; `luma` is rest and light."""
    half = height // 2, width // 2
    rest, light, rest_of_chroma = (np.array(value, np.uint16) for value in (*luma, chroma_rest))
    lights = np.array(chroma_light, np.uint16).reshape(2, 1, 1)
    return Planes(
        rest=np.broadcast_to(rest, (height, width)),
        light=np.broadcast_to(light, (height, width)),
        chroma_rest=np.broadcast_to(rest_of_chroma, half),
        chroma_light=np.broadcast_to(lights, (2, *half)),
    )


def premultiplied(rgba: Bytes) -> Floats:
    """Y, U, V, each times alpha, and alpha (0 to 255) of `rgba`, (height, width, 4) uint8; float32.

    What is a sum or a mean of such pixels is right where alphas differ. A band of rows is made at a time, so
    that what is read again is still in the processor's cache: five times as fast.
    """
    height, width, _ = rgba.shape
    pixels = np.empty((height, width, 4), np.float32)
    rows = max(_BAND // max(width, 1), 1)
    for top in range(0, height if width else 0, rows):
        band = slice(top, top + rows)
        red, green, blue, alpha = (
            plane.astype(np.float32) for plane in cv2.split(np.ascontiguousarray(rgba[band]))
        )
        parts = []
        for (of_red, of_green, of_blue), offset in zip(_TO_YUV.tolist(), _OFFSET.tolist(), strict=True):
            mixed = cv2.addWeighted(red, of_red, green, of_green, offset)
            mixed = cv2.scaleAdd(blue, of_blue, mixed)
            parts.append(cv2.multiply(mixed, alpha))
        pixels[band] = cv2.merge([*parts, alpha])
    return pixels


def exact_yuv(rgb: Iterable[float]) -> tuple[float, float, float]:
    """The Y, U, V of one colour, each 0 to 255 in sRGB, not rounded."""
    y, u, v = (_TO_YUV @ np.array(list(rgb), np.float32) + _OFFSET).tolist()
    return y, u, v


def to_yuv(rgb: Iterable[int]) -> tuple[int, int, int]:
    """The Y, U, V of one colour, each 0 to 255 in sRGB."""
    pixel = np.array(list(rgb), np.uint8).reshape(1, 1, 3)
    y, u, v = (int(_rounded(plane)[0, 0]) for plane in _rgb_to_yuv(pixel))
    return y, u, v


def _rgb_to_yuv(rgb: Bytes) -> tuple[NDArray[np.float32], ...]:
    """Y, U, V of each pixel, unrounded."""
    values = rgb.astype(np.float32)
    return tuple(
        values[..., 0] * row[0] + values[..., 1] * row[1] + values[..., 2] * row[2] + offset
        for row, offset in zip(_TO_YUV, _OFFSET, strict=True)
    )


def _quarters(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of each 2×2 square."""
    mean: NDArray[np.float32] = (
        plane[0::2, 0::2] + plane[0::2, 1::2] + plane[1::2, 0::2] + plane[1::2, 1::2]
    ) * np.float32(0.25)
    return mean


def _rounded(values: NDArray[np.float32]) -> Bytes:
    rounded: Bytes = np.floor(values + np.float32(0.5)).astype(np.uint8)
    return rounded


def _words(values: NDArray[np.float32]) -> Words:
    words: Words = np.floor(values + np.float32(HALF + 0.5)).astype(np.uint16)
    return words
