"""How many threads x264 gets: one where one is plenty, FFmpeg's own choice where it might not be.

Threads cost: with three of them instead of one the same pictures take a tenth more processor time, and come
out two frames later (docs/decisions/0020). But an encoder that is too slow is worse than a dear one, so
one thread is for what should take half a core at most, and is given up where it is not enough.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from vistterstream.resources.output import Encoding, Preset
from vistterstream.resources.program import Format

_LIGHT = (Preset.ULTRAFAST, Preset.SUPERFAST, Preset.VERYFAST)
_PIXELS = 1280 * 720 * 30  # a second; takes a third to half of a core with 256-bit vectors


@cache
def wide_vectors() -> bool:
    """Whether this processor has 256-bit integer vectors (AVX2), on which x264's speed hangs."""
    try:
        return " avx2 " in Path("/proc/cpuinfo").read_text().replace("\n", " ")
    except OSError:
        return False


def one_is_enough(encoding: Encoding, format: Format) -> bool:
    """Whether one thread should encode the program with time to spare, on this machine."""
    pixels = format.width * format.height * format.frame_rate.fraction
    return encoding.video.preset in _LIGHT and pixels <= _PIXELS and wide_vectors()
