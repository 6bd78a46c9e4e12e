from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from store.objects import key
from vistterstream.base.redaction import redact
from vistterstream.store.events import MESSAGE_LIMIT, EventType, NewEvent
from vistterstream.store.store import Store


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Any:
    store = Store(tmp_path / "store.sqlite3", now=clock, remembered_events=20, remembered_events_each=5)
    yield store
    store.close()


def event(name: str, message: str, reason: str = "Stalled") -> NewEvent:
    return NewEvent(key(name), reason, message, EventType.WARNING, reporter="camera")


def test_the_same_event_is_counted_and_keeps_when_it_first_came(store: Store, clock: Clock) -> None:
    store.record(event("wharf", "no frames"))
    clock.now += timedelta(minutes=5)
    store.record(event("wharf", "no frames"))
    [found] = store.events()
    assert (found.count, found.first, found.last) == (2, "2026-05-17T09:30:00Z", "2026-05-17T09:35:00Z")
    assert (found.type, found.reason, found.reporter) == (EventType.WARNING, "Stalled", "camera")


def test_events_are_told_apart_by_object_reason_and_message(store: Store) -> None:
    store.record(event("wharf", "no frames"))
    store.record(event("pier", "no frames"))
    store.record(event("wharf", "no picture"))
    store.record(event("wharf", "no frames", reason="Lost"))
    assert len(store.events()) == 4
    assert len(store.events(key("wharf"))) == 3


def test_since_gives_what_was_said_after_it_repeated_events_too(store: Store) -> None:
    store.record(event("wharf", "one"))
    store.record(event("wharf", "two"))
    since = store.events()[-1].version
    assert store.events(since=since) == []
    store.record(event("wharf", "one"))
    assert [found.message for found in store.events(since=since)] == ["one"]


def test_an_object_with_many_events_does_not_push_out_those_of_others(store: Store) -> None:
    store.record(event("pier", "once"))
    for number in range(100):
        store.record(event("wharf", f"try {number}"))
    assert [found.message for found in store.events(key("pier"))] == ["once"]
    assert [found.message for found in store.events(key("wharf"))] == [f"try {n}" for n in range(95, 100)]


def test_only_so_many_are_kept_and_the_oldest_go_first(store: Store) -> None:
    for number in range(60):
        store.record(event(f"camera-{number}", "no frames"))
    assert [found.regarding.name for found in store.events()] == [f"camera-{n}" for n in range(40, 60)]


def test_a_secret_in_a_message_is_never_written(store: Store, tmp_path: Path) -> None:
    redact.learn(["hunter2-planted"])
    store.record(event("wharf", "rtsp://admin:pa:ss@10.0.0.2/live refused hunter2-planted"))
    store.close()
    text = (tmp_path / "store.sqlite3").read_bytes()
    assert b"hunter2-planted" not in text
    assert b"pa:ss" not in text
    assert b"10.0.0.2/live" in text


def test_a_long_message_is_shortened(store: Store) -> None:
    store.record(event("wharf", "x" * 5000))
    [found] = store.events()
    assert len(found.message) == MESSAGE_LIMIT
    assert found.message.endswith("…")


def test_events_survive_a_restart(store: Store, tmp_path: Path) -> None:
    store.record(event("wharf", "no frames"))
    before = store.events()
    store.close()
    again = Store(tmp_path / "store.sqlite3")
    assert again.events() == before
    again.close()
