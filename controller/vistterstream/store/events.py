"""Events: what happened, for people. The same thing said again is counted, and old ones are dropped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vistterstream.base.redaction import redact
from vistterstream.resources.conditions import timestamp
from vistterstream.resources.kinds import Key
from vistterstream.store.database import Database

MESSAGE_LIMIT = 1024
"""Characters of a message that are kept (the limit of events.k8s.io/v1)."""


class EventType(StrEnum):
    """Whether somebody should look."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened to `regarding`, which need not exist.

    `reason` is a CamelCase word, `message` a sentence, `reporter` the part of the program that says so.
    """

    regarding: Key
    reason: str
    message: str
    type: EventType = EventType.NORMAL
    reporter: str = "controller"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened `count` times. `first` and `last` are RFC 3339; `version` grows with each."""

    version: int
    regarding: Key
    type: EventType
    reason: str
    message: str
    reporter: str
    count: int
    first: str
    last: str


class EventTable:
    """The events in the database: at most `limit`, and at most `limit_each` about one object."""

    def __init__(self, database: Database, *, limit: int, limit_each: int) -> None:
        self._database = database
        self._limit = limit
        self._limit_each = limit_each

    def record(self, event: NewEvent, version: int, now: datetime) -> None:
        """Write it down, redacted and shortened, or count it."""
        message = redact(event.message)
        if len(message) > MESSAGE_LIMIT:
            message = message[: MESSAGE_LIMIT - 1] + "…"
        key = event.regarding
        where = [key.kind, key.namespace, key.name]
        instant = timestamp(now)
        self._database.run(
            "INSERT INTO events "
            "(version, kind, namespace, name, type, reason, message, reporter, count, first, last) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?) "
            "ON CONFLICT (kind, namespace, name, type, reason, message, reporter) "
            "DO UPDATE SET count = count + 1, last = excluded.last, version = excluded.version",
            [version, *where, event.type.value, event.reason, message, event.reporter, instant, instant],
        )
        self._database.run(
            "DELETE FROM events WHERE version <= (SELECT version FROM events "
            "WHERE kind = ? AND namespace = ? AND name = ? ORDER BY version DESC LIMIT 1 OFFSET ?) "
            "AND kind = ? AND namespace = ? AND name = ?",
            [*where, self._limit_each, *where],
        )
        self._database.run(
            "DELETE FROM events WHERE version <= "
            "(SELECT version FROM events ORDER BY version DESC LIMIT 1 OFFSET ?)",
            [self._limit],
        )

    def read(self, regarding: Key | None, since: int) -> list[Event]:
        """The events after `since`, oldest first."""
        query = (
            "SELECT version, kind, namespace, name, type, reason, message, reporter, count, first, last "
            "FROM events WHERE version > ?"
        )
        values: list[object] = [since]
        if regarding is not None:
            query += " AND kind = ? AND namespace = ? AND name = ?"
            values += [regarding.kind, regarding.namespace, regarding.name]
        return [
            Event(version, Key(kind, namespace, name), EventType(type_), *rest)
            for version, kind, namespace, name, type_, *rest in self._database.rows(
                f"{query} ORDER BY version", values
            )
        ]
