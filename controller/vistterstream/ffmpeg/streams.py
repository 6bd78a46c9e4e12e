"""Reads what FFmpeg says about an input: codec, size, rate, whether there is sound."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

_STREAM = re.compile(r"Stream #0:\d+(?:\[0x[0-9a-f]+\])?(?:\([^)]*\))?: (Video|Audio): (\w+)(.*)")
_SIZE = re.compile(r"[ ,](\d{2,5})x(\d{2,5})\b")
_COLOR = re.compile(r"\byuvj?4\w+\(([^)]*)\)")
_BT601 = ("smpte170m", "bt470bg", "fcc")
_PLAIN = re.compile(r"[ ,]yuv420p(?:\(([^)]*)\))?[ ,]")
_PLAIN_WORDS = {"tv", "bt709", "unknown", "progressive", "left", "center", "topleft"}
_STRETCHED = re.compile(r"\bSAR (?!(\d+):\1 )")  # pixels that are not square
_INPUT = re.compile(r"Input #0, (\S+), from ")
_CHANGED = re.compile(r"Display Matrix|rotat|cropping", re.IGNORECASE)  # pictures are not what is coded
_TIME_BASE = re.compile(r"#tb 0: (\d+)/(\d+)$")  # of the framecrc muxer
_PACKET = re.compile(r"0, +-?\d+, +(-?\d+), +(\d+), ")  # decoding and presentation time, duration
_RATE = re.compile(r"\b(\d+(?:\.\d+)?) fps\b")


@dataclass(frozen=True)
class VideoStream:
    """What a camera sends: codec name, size in pixels, frames a second as FFmpeg prints it.

    `matrix` is "bt601" where the stream says that its colours are coded so, else "bt709"; `plain` tells that
    its pictures are coded as the program's are: planar 4:2:0 of 8 bits, progressive, limited range, BT.709,
    square pixels, or that it says nothing else.
    """

    codec: str
    width: int
    height: int
    frame_rate: str | None
    matrix: str = "bt709"
    plain: bool = False


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
    return VideoStream(codec, int(size[1]), int(size[2]), rate[1] if rate else None, matrix, _plain(rest))


def _plain(rest: str) -> bool:
    """Whether what is said after the codec's name is what the program's own pictures are."""
    found = _PLAIN.search(rest)
    if found is None or _STRETCHED.search(rest) is not None:
        return False
    return set(re.split(r", |/", found[1] or "tv")) <= _PLAIN_WORDS


@dataclass(frozen=True)
class Survey:
    """What is known of a media file before it is played.

    `container` is FFmpeg's name of its format, `end` the seconds from the file's start to the end of its last
    picture.
    """

    container: str
    video: VideoStream
    audio: AudioStream | None
    end: Fraction


class SurveyReader:
    """Reads what `commands.survey` prints: the dump of the input, and a line for each packet."""

    def __init__(self) -> None:
        self._container = ""
        self._video: VideoStream | None = None
        self._audio: AudioStream | None = None
        self._base: Fraction | None = None
        self._end = 0  # in units of _base

    def feed(self, line: str) -> bool:
        """Take a line; False where it is none of those."""
        if (packet := _PACKET.match(line)) is not None:
            self._end = max(self._end, int(packet[1]) + int(packet[2]))
        elif (base := _TIME_BASE.match(line)) is not None:
            self._base = Fraction(int(base[1]), int(base[2]))
        elif (found := _INPUT.search(line)) is not None:
            self._container = found[1]
        elif (stream := parse_stream(line)) is not None:
            self._remember(stream)
        elif _CHANGED.search(line) is not None and self._video is not None:
            self._video = replace(self._video, plain=False)
        else:
            return False
        return True

    def _remember(self, stream: VideoStream | AudioStream) -> None:
        if isinstance(stream, AudioStream):
            self._audio = self._audio or stream
        else:
            self._video = self._video or stream

    @property
    def found(self) -> Survey | None:
        """What the file is; None where it has no pictures, or too little was read of it."""
        if self._video is None or self._base is None or not self._end:
            return None
        return Survey(self._container, self._video, self._audio, self._end * self._base)
