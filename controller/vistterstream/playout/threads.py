"""How many threads x264 gets: one where one is plenty, FFmpeg's own choice where it might not be.

Threads cost: with three of them instead of one the same pictures take a tenth more processor time, and come
out two frames later (docs/decisions/0020). But an encoder that is too slow is worse than a dear one, so
one thread is for what should take half a core at most, and is given up where it is not enough.
"""

from __future__ import annotations

import os
from collections import deque
from fractions import Fraction
from functools import cache
from pathlib import Path

from vistterstream.resources.output import Encoding, Preset
from vistterstream.resources.program import Format

_LIGHT = (Preset.ULTRAFAST, Preset.SUPERFAST, Preset.VERYFAST)
_PIXELS = 1280 * 720 * 30  # a second; takes a third to half of a core with 256-bit vectors
_WINDOW = 10.0  # seconds that are looked at together
_REPEATED = 2  # seconds of pictures
_SPARE = 0.5  # processors


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


def idle_seconds() -> float:
    """Seconds for which processors of this machine had nothing to do, all together (proc_stat(5)); 0 where
    that is not to be known.
    """
    try:
        fields = Path("/proc/stat").read_text().partition("\n")[0].split()
        return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0


class Shortage:
    """Whether one thread is not enough though others could help, looked at every half second."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int, float]] = deque()

    def seen(self, now: float, repeated: int, rate: Fraction) -> bool:
        """Whether more than two seconds of pictures were repeated within ten while half a processor had
        nothing to do. `now` is monotonic, `repeated` a count, `rate` in frames a second.

        On a machine that is busy altogether more threads would only cost more.
        """
        idle = idle_seconds()
        self._marks.append((now, repeated, idle))
        while now - self._marks[0][0] > _WINDOW:
            self._marks.popleft()
        since, before, rested = self._marks[0]
        short = repeated - before > _REPEATED * rate
        return short and idle - rested > _SPARE * (now - since)
