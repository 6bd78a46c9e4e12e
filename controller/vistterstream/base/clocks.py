"""The clock that programs run on."""

from __future__ import annotations

import time


def steady_ns() -> int:
    """Nanoseconds since boot; never set back, and it goes on while the machine is suspended.

    CLOCK_BOOTTIME rather than CLOCK_MONOTONIC (clock_gettime(2)): a program's frame number is a function
    of time, also over the night that a laptop slept.
    """
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
