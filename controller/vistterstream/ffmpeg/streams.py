"""Reads what FFmpeg says about an input: codec, size, rate, whether there is sound."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STREAM = re.compile(r"Stream #0:\d+(?:\[0x[0-9a-f]+\])?(?:\([^)]*\))?: (Video|Audio): (\w+)(.*)")
_SIZE = re.compile(r"[ ,](\d{2,5})x(\d{2,5})\b")
_COLOR = re.compile(r"\byuvj?4\w+\(([^)]*)\)")
_BT601 = ("smpte170m", "bt470bg", "fcc")
_RATE = re.compile(r"\b(\d+(?:\.\d+)?) fps\b")


@dataclass(frozen=True)
class VideoStream:
    """What a camera sends: codec name, size in pixels, frames a second as FFmpeg prints it.

    `matrix` is "bt601" where the stream says that its colours are coded so, else "bt709".
    """

    codec: str
    width: int
    height: int
    frame_rate: str | None
    matrix: str = "bt709"


@dataclass(frozen=True)
class AudioStream:
    """What a camera sends: codec name."""

    codec: str


def parse_stream(line: str) -> VideoStream | AudioStream | None:
    """The stream that a line of FFmpeg's input dump describes; None for any other line."""
    match = _STREAM.search(line)
    if match is None:
        return None
    kind, codec, rest = match.groups()
    if kind == "Audio":
        return AudioStream(codec)
    size = _SIZE.search(rest)
    if size is None:
        return None
    rate = _RATE.search(rest)
    color = _COLOR.search(rest)
    matrix = "bt601" if color and any(name in color[1] for name in _BT601) else "bt709"
    return VideoStream(codec, int(size[1]), int(size[2]), rate[1] if rate else None, matrix)
