"""Making and judging pictures."""

from __future__ import annotations

import subprocess

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from vistterstream.playout.frames import Bytes, Frame

Floats = NDArray[np.float64]


def noise(width: int, height: int, seed: int = 1) -> Frame:
    """A frame of random values over the whole legal range."""
    random = np.random.default_rng(seed)
    frame = Frame(width, height)
    frame.y[:] = random.integers(16, 236, frame.y.shape, np.uint8)
    frame.uv[:] = random.integers(16, 241, frame.uv.shape, np.uint8)
    return frame


def twin(frame: Frame) -> Frame:
    """An equal frame."""
    copy = Frame(frame.width, frame.height)
    copy.copy_from(frame)
    return copy


def to_yuv(rgb: Bytes) -> tuple[Floats, Floats, Floats]:
    """Y, U, V in full precision, by BT.709-6 item 3 written out plainly."""
    red, green, blue = (rgb[..., channel].astype(np.float64) / 255 for channel in range(3))
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748


def quarters(plane: Floats) -> Floats:
    """The mean of each 2x2 square."""
    height, width = plane.shape
    mean: Floats = plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    return mean


def over(frame: Frame, rgba: Bytes, x: int, y: int, opacity: float) -> tuple[Floats, Floats, Floats]:
    """The planes of `rgba` laid over `frame` at (x, y), in full precision: what blending should give."""
    alpha = np.zeros((frame.height, frame.width))
    height, width, _ = rgba.shape
    alpha[y : y + height, x : x + width] = rgba[..., 3] / 255 * opacity
    planes = []
    for number, value in enumerate(to_yuv(rgba[..., :3])):
        light = np.zeros_like(alpha)
        light[y : y + height, x : x + width] = value
        light *= alpha
        if number == 0:
            planes.append(frame.y * (1 - alpha) + light)
        else:
            planes.append(frame.uv[number - 1] * (1 - quarters(alpha)) + quarters(light))
    return planes[0], planes[1], planes[2]


def distance(frame: Frame, planes: tuple[Floats, Floats, Floats]) -> float:
    """The largest difference in code values."""
    found = (frame.y, frame.u, frame.v)
    return max(float(np.abs(plane - wanted).max()) for plane, wanted in zip(found, planes, strict=True))


def ffmpeg(arguments: list[str], data: bytes) -> bytes:
    """What FFmpeg makes of `data`."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *arguments]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True, timeout=60).stdout
