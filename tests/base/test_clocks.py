"""The steady clock counts on through a suspended machine, at the rate of the monotonic one."""

from __future__ import annotations

import time
from pathlib import Path

from vistterstream.base.clocks import steady_ns


def test_it_never_goes_back() -> None:
    times = [steady_ns() for _ in range(1000)]
    assert times == sorted(times)


def test_it_counts_from_the_boot_of_the_machine() -> None:
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    assert abs(steady_ns() / 1e9 - uptime) < 0.5


def test_it_is_at_least_the_monotonic_clock_and_as_fast() -> None:
    before = steady_ns() - time.monotonic_ns()
    after = steady_ns() - time.monotonic_ns()
    assert before > -1_000_000
    assert abs(after - before) < 50_000_000
