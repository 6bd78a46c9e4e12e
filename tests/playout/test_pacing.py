"""Waiting longer after each failure, and starting anew only after real work."""

from __future__ import annotations

import random

from vistterstream.playout.pacing import Backoff


def middle() -> random.Random:
    """Always the middle of the range."""
    source = random.Random(0)
    source.uniform = lambda a, b: (a + b) / 2  # type: ignore[method-assign]
    return source


def test_delays_double_up_to_the_most() -> None:
    backoff = Backoff(first=0.5, most=5.0, source=middle())
    assert [backoff.next() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_a_connection_that_leads_to_nothing_does_not_start_the_count_anew() -> None:
    backoff = Backoff(first=1.0, most=60.0, stable_after=10.0, source=middle())
    delays = []
    for _ in range(4):
        backoff.worked(9.9)
        delays.append(backoff.next())
    assert delays == [1.0, 2.0, 4.0, 8.0]


def test_real_work_starts_the_count_anew() -> None:
    backoff = Backoff(first=1.0, stable_after=10.0, source=middle())
    backoff.next()
    backoff.next()
    backoff.worked(10.0)
    assert backoff.next() == 1.0


def test_delays_are_spread_so_that_not_all_come_at_once() -> None:
    delays = {Backoff(first=1.0, source=random.Random(seed)).next() for seed in range(100)}
    assert len(delays) > 90
    assert 0.75 <= min(delays) < 0.85
    assert 1.15 < max(delays) <= 1.25


def test_years_of_failures_do_not_overflow() -> None:
    backoff = Backoff(most=15.0)
    backoff.failures = 10**9
    assert backoff.next() <= 15.0 * 1.25
