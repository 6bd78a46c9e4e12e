"""Real-time priority."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from peers.waiting import until
from vistterstream.ffmpeg.processes import Child
from vistterstream.playout import priority


def policies(wanted: int) -> tuple[bool, int, int]:
    """What a thread is told that asks, and what it has got then."""
    found: list[tuple[bool, int, int]] = []

    def look() -> None:
        granted = priority.ask(wanted)
        policy = os.sched_getscheduler(0)
        found.append((granted, policy, os.sched_getparam(0).sched_priority))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join(5)
    return found[0]


def test_a_thread_has_what_it_was_told_and_no_other_thread_has_it() -> None:
    before = os.sched_getscheduler(0)
    granted, policy, level = policies(priority.AHEAD)
    assert (policy, level) == ((os.SCHED_RR, priority.AHEAD) if granted else (os.SCHED_OTHER, 0))
    assert os.sched_getscheduler(0) == before


def test_a_thread_that_yields_it_is_an_ordinary_one_again() -> None:
    found: list[int] = []

    def look() -> None:
        priority.ask(priority.PLAYOUT)
        priority.yield_it()
        found.append(os.sched_getscheduler(0))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join(5)
    assert found == [os.SCHED_OTHER]


def test_the_processes_of_a_playout_are_ordinary_ones() -> None:
    code = "import os; print(os.sched_getscheduler(0))"
    found: list[str] = []

    def look() -> None:
        priority.ask(priority.PLAYOUT)
        child = Child.spawn(
            ["sh", "-c", 'sleep 0.1; exec "$@"', "sh", sys.executable, "-c", code],
            role="child",
            environment=os.environ,
            stdout=True,
        )
        assert child.stdout is not None
        found.append(child.stdout.read().decode())
        until(lambda: child.status is not None, 5, "it ends")
        child.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join(10)
    assert found == [f"{os.SCHED_OTHER}\n"]


def test_one_at_a_time_makes_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priority, "_MARK", f"\0haste-{os.getpid()}")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    found: list[int] = []

    def look() -> None:
        granted = priority.ask(priority.PLAYOUT)
        priority.yield_it()
        with priority.haste():
            found.append(os.sched_getscheduler(0))
            another = threading.Thread(target=hasten)
            another.start()
            another.join(5)
        found.append(os.sched_getscheduler(0))
        found.append(os.SCHED_RR if granted else os.SCHED_OTHER)

    def hasten() -> None:
        priority.yield_it()  # it has what the thread has that started it
        with priority.haste():
            found.append(os.sched_getscheduler(0))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join(10)
    hasty, other, after, wanted = found
    assert hasty == wanted
    assert (other, after) == (os.SCHED_OTHER, os.SCHED_OTHER)


def test_what_cannot_be_granted_is_told() -> None:
    assert policies(1000)[0] is False


def test_the_clock_comes_first() -> None:
    assert priority.CLOCK > priority.AHEAD > priority.PLAYOUT > 0
