from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from vistterstream.reconcile.queue import Backoff, NameQueue


def test_a_name_that_is_added_many_times_is_taken_once() -> None:
    queue = NameQueue[str]()
    for _ in range(10):
        queue.add("main", 1.0)
    assert queue.depth(1.0) == 1
    assert queue.take(1.0) == "main"
    queue.done("main")
    assert queue.take(9.0) is None
    assert queue.idle


def test_names_are_taken_in_order_of_their_time_then_of_their_arrival() -> None:
    queue = NameQueue[str]()
    queue.add("late", 2.0)
    queue.add("b", 1.0)
    queue.add("a", 1.0)
    assert [queue.take(3.0) for _ in range(4)] == ["b", "a", "late", None]


def test_a_name_is_not_taken_before_it_is_due() -> None:
    queue = NameQueue[str]()
    queue.add("main", 5.0)
    assert queue.take(4.999) is None
    assert queue.next_due() == 5.0
    assert queue.depth(4.0) == 0
    assert queue.take(5.0) == "main"


def test_the_earliest_time_that_was_asked_for_wins() -> None:
    queue = NameQueue[str]()
    assert queue.add("main", 5.0)
    assert queue.add("main", 1.0)
    assert not queue.add("main", 3.0)
    assert queue.next_due() == 1.0
    assert queue.take(1.0) == "main"
    queue.done("main")
    assert queue.take(10.0) is None, "the attempt at 5 s was overruled"


def test_what_is_added_during_the_work_waits_for_its_end() -> None:
    queue = NameQueue[str]()
    queue.add("main", 0.0)
    assert queue.take(0.0) == "main"
    queue.add("main", 0.0)
    assert queue.take(0.0) is None
    assert queue.next_due() is None, "there is nothing to wake up for until the work has ended"
    assert queue.depth(0.0) == 1
    queue.done("main")
    assert queue.take(0.0) == "main"


def test_work_on_one_name_does_not_hold_up_another() -> None:
    queue = NameQueue[str]()
    for name in ("stuck", "fine"):
        queue.add(name, 0.0)
    assert queue.take(0.0) == "stuck"
    queue.add("stuck", 0.0)
    assert queue.take(0.0) == "fine"


class QueueRules(RuleBasedStateMachine):
    """Against the plainest model there is: a mapping and a set."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = NameQueue[int]()
        self.due: dict[int, float] = {}
        self.working: set[int] = set()
        self.now = 0.0

    @rule(name=st.integers(0, 5), delay=st.integers(0, 5))
    def add(self, name: int, delay: int) -> None:
        self.queue.add(name, self.now + delay)
        self.due[name] = min(self.due.get(name, float("inf")), self.now + delay)

    @rule()
    def take(self) -> None:
        ready = [(due, name) for name, due in self.due.items() if due <= self.now]
        ready = [(due, name) for due, name in ready if name not in self.working]
        name = self.queue.take(self.now)
        if name is None:
            assert not ready
            return
        assert self.due[name] == min(ready)[0]
        del self.due[name]
        self.working.add(name)

    @precondition(lambda self: self.working)
    @rule()
    def done(self) -> None:
        name = min(self.working)
        self.working.remove(name)
        self.queue.done(name)

    @rule(seconds=st.integers(1, 4))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def agrees(self) -> None:
        free = [due for name, due in self.due.items() if name not in self.working]
        assert self.queue.next_due() == min(free, default=None)
        assert self.queue.depth(self.now) == sum(due <= self.now for due in self.due.values())
        assert self.queue.idle == (not self.due and not self.working)


TestQueueRules = pytest.mark.slow(QueueRules.TestCase)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_delay_is_never_longer_than_the_cap_nor_shorter_than_jitter_allows(
    failures: int, chance: float
) -> None:
    backoff = Backoff(first=0.5, cap=60.0, jitter=0.25)
    assert 0.375 <= backoff.delay(failures, chance) <= 60.0


def test_delays_double_up_to_the_cap() -> None:
    backoff = Backoff(first=1.0, cap=10.0, jitter=0.0)
    assert [backoff.delay(failures, 1.0) for failures in range(1, 6)] == [1.0, 2.0, 4.0, 8.0, 10.0]


def test_jitter_shortens_a_delay() -> None:
    assert Backoff(first=8.0, cap=10.0, jitter=0.5).delay(1, 0.5) == pytest.approx(6.0)
