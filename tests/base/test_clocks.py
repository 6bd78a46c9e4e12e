"""The clock that programs run on."""

from __future__ import annotations

import time
from pathlib import Path

from vistterstream.base.clocks import steady_ns


def test_the_clock_counts_from_boot_with_the_time_spent_suspended() -> None:
    before = steady_ns()
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    after = steady_ns()
    assert before / 1e9 - 0.02 <= uptime <= after / 1e9 + 0.02
    assert before >= time.monotonic_ns() - 1_000_000_000
