"""The store: desired state, status, events, references, and a watch over all of it.

Everything is held in memory and written through to one SQLite file. There is one `Store` for a file and one
task at a time in it: its methods do not await, so that from the event loop each is one step. A write that
returned survives ``kill -9``; desired state survives a power cut too.
"""

from __future__ import annotations

import builtins
import json
import re
import uuid
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from vistterstream.base import logs
from vistterstream.base.errors import TemporaryError
from vistterstream.base.redaction import redact
from vistterstream.resources.conditions import timestamp
from vistterstream.resources.kinds import Key, Resource, Secret
from vistterstream.resources.references import references
from vistterstream.store.database import Database
from vistterstream.store.errors import Conflict, Gone, Invalid
from vistterstream.store.events import Event, EventTable, NewEvent
from vistterstream.store.fields import Document, Managers, merge, release, same, show
from vistterstream.store.records import (
    Record,
    decode_managers,
    differs_quietly,
    document_of,
    encode,
    encode_managers,
    says,
    says_the_same,
    without_values,
)
from vistterstream.store.watching import Change, ChangeType, Deleted, Signal

_MANAGER = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_VERSIONS_AHEAD = 10_000  # versions taken from the file at a time

_READ_OBJECTS = (
    "SELECT kind, namespace, name, uid, created, created_version, version, generation, document, "
    "managers, status FROM objects ORDER BY version"
)
_READ_DELETED = (
    "SELECT kind, namespace, name, uid, created, created_version, version, generation, document, "
    "'{}', '{}' FROM deleted ORDER BY version"
)

_log = logs.get("store")


class Outcome(StrEnum):
    """What an apply came to (kubectl's words)."""

    CREATED = "created"
    CONFIGURED = "configured"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Applied:
    """The object after an apply."""

    resource: Resource
    change: Outcome


class Store:
    """Objects by `Key`. `path` is made (mode 0600) where it is missing; its folder must exist.

    Raises PermanentError at the start for a file that is damaged, of a newer version or in use. `now`
    returns an instant with a zone. Writes raise TemporaryError while the disk is full; statuses are told
    from memory meanwhile.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        remembered_deletions: int = 500,
        remembered_events: int = 1000,
        remembered_events_each: int = 50,
    ) -> None:
        self._now = now
        self._database = Database(path)
        self._events = EventTable(self._database, limit=remembered_events, limit_each=remembered_events_each)
        self._remembered_deletions = remembered_deletions
        self._records: dict[Key, Record] = {}  # in the order of versions
        self._referrers: dict[Key, set[Key]] = {}
        self._deleted: builtins.list[Deleted] = []
        self._unsaved: set[Key] = set()  # whose status is newer here than in the file
        self._signal = Signal()
        self._event_signal = Signal()
        self._closed = False
        try:
            self._read()
            # Versions up to the ceiling may have been used before an end that was not a close.
            self._version = self._ceiling = self._database.meta("version_ceiling")
            self._last_change = self._last_event = self._version
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """End all watches and close the file. Calling it again does nothing."""
        if self._closed:
            return
        self._closed = True
        self._signal.close()
        self._event_signal.close()
        with suppress(TemporaryError), self._database.transaction(durable=True):
            self._database.set_meta("version_ceiling", self._version)
        self._database.close()

    @property
    def resource_version(self) -> int:
        """The version of the last write."""
        return self._version

    # Reading

    def get(self, key: Key) -> Resource | None:
        """The object, or None."""
        record = self._records.get(key)
        return record.resource if record else None

    def list(self, kind: str | None = None, namespace: str | None = None) -> tuple[list[Resource], int]:
        """The objects in order of kind, namespace and name, and the version to watch from."""
        keys = sorted(
            key for key in self._records if kind in (None, key.kind) and namespace in (None, key.namespace)
        )
        return [self._records[key].resource for key in keys], self._version

    def referrers(self, key: Key) -> set[Key]:
        """The objects that name `key`, whether it exists or not."""
        return set(self._referrers.get(key, ()))

    def owner(self, key: Key) -> str | None:
        """The manager that owns the whole object: the first that still applies it. None without object."""
        record = self._records.get(key)
        return record.owner if record else None

    def applied_by(self, manager: str) -> builtins.list[Resource]:
        """The objects of which `manager` owns fields, or that it made."""
        return [record.resource for record in self._records.values() if manager in record.managers]

    def managers(self, key: Key) -> dict[str, builtins.list[str]]:
        """The fields that each manager owns, such as ``spec.stallAfter``."""
        record = self._records.get(key)
        return {
            manager: sorted(show(path) for path in owned)
            for manager, owned in (record.managers if record else {}).items()
        }

    # Writing

    @contextmanager
    def batch(self) -> Iterator[None]:
        """What is written inside is written as one: all of it or, after an exception, nothing.

        For bursts: one wait for the disk instead of one for each object, and watchers see the end only.
        Nothing inside may await. A refused write inside (Conflict, Invalid) that is caught there does not
        undo the others.
        """
        with self._transaction(durable=True):
            yield

    def apply(self, resource: Resource, *, manager: str, force: bool = False) -> Applied:
        """Let the object be what `manager` says, by the rules of server-side apply (see fields.py).

        `generation` grows when what is asked for changes. Raises Conflict when another manager set a field
        to another value, unless `force` takes it over; Invalid when the outcome is not a valid object.
        """
        _check_manager(manager)
        key = resource.key
        old, wanted = self._records.get(key), document_of(resource)
        merged = merge(old.document if old else {}, old.managers if old else {}, manager, wanted, force=force)
        if merged.rivals and not force:
            raise Conflict(key, [(show(path), other) for path, other in merged.rivals])
        known = says(merged.document, resource, wanted)
        if old is None:
            return self._create(key, merged.document, merged.managers, known)
        return self._change(old, merged.document, merged.managers, known)

    def delete(self, key: Key, *, manager: str, force: bool = False) -> bool:
        """Remove the object; False where there is none. Raises Conflict where `manager` does not own it
        as a whole, unless forced.
        """
        _check_manager(manager)
        record = self._records.get(key)
        if record is None:
            return False
        if record.owner not in (None, manager) and not force:
            raise Conflict(key, [("", str(record.owner))])
        self._remove(record)
        return True

    def release(self, key: Key, *, manager: str) -> bool:
        """`manager` gives up what it owns of the object, which goes when nobody is left. True if it went.

        Where the rest alone would not be valid, the values stay, without an owner.
        """
        _check_manager(manager)
        record = self._records.get(key)
        if record is None or manager not in record.managers:
            return False
        merged = release(record.document, record.managers, manager)
        if not merged.managers:
            self._remove(record)
            return True
        try:
            self._change(record, merged.document, merged.managers)
        except Invalid:
            self._change(record, record.document, merged.managers)
        return False

    def set_status(self, key: Key, status: Mapping[str, Any]) -> bool:
        """Replace the object's status. False when it was that already, or the object is gone.

        Raises Invalid for a status that is not of the kind's form; TemporaryError while the disk is full:
        then readers and watchers have it all the same, until the end of this process.
        """
        old = self._records.get(key)
        if old is None or (same(old.status, status) and key not in self._unsaved):
            return False
        said = json.loads(encode(status))
        new = replace(old, status=said, version=self._version + 1, known=old.resource)
        try:
            with self._transaction(durable=False):
                self._database.run(
                    "UPDATE objects SET version = ?, status = ? "
                    "WHERE kind = ? AND namespace = ? AND name = ?",
                    [new.version, encode(new.status), *_where(key)],
                )
                self._put(new)
        except TemporaryError:
            self._keep_unsaved(old, new)
            raise
        self._unsaved.discard(key)
        return True

    # Events

    def record(self, event: NewEvent) -> None:
        """Write an event down, redacted; one that is known already is counted."""
        version = self._version + 1
        with self._transaction(durable=False):
            self._events.record(event, version, self._now())
            self._version = version
            self._last_event = version

    def events(self, regarding: Key | None = None, since: int = 0) -> builtins.list[Event]:
        """The events of a version after `since`, oldest first."""
        return self._events.read(regarding, since)

    async def watch_events(self, since: int, *, regarding: Key | None = None) -> AsyncGenerator[Event, None]:
        """The events after `since`, and those to come, until the store is closed."""
        while not self._closed:
            upto = self._version
            for event in self.events(regarding, since):
                yield event
            since = max(since, upto)
            await self._event_signal.wait_past(since)

    # Watching

    async def watch(self, since: int, *, kind: str | None = None) -> AsyncGenerator[Change, None]:
        """The changes after version `since`, and those to come, until the store is closed.

        Each object that changed since the watcher last looked comes once, as it is then; 0 begins with
        all objects as ADDED. Raises Gone when deletions after `since` have been forgotten, or `since` is
        not of this store: list, then watch from the list's version.
        """
        cursor = since
        while not self._closed:
            upto = self._version
            for change in self._changes(cursor, kind):
                yield change
            cursor = upto
            await self._signal.wait_past(cursor)

    def _changes(self, since: int, kind: str | None) -> builtins.list[Change]:
        if not 0 <= since <= self._version or 0 < since < self._forgotten:
            raise Gone(since, self._forgotten, self._version)
        changes = []
        for record in reversed(self._records.values()):
            if record.version <= since:
                break
            type_ = ChangeType.ADDED if record.created_version > since else ChangeType.MODIFIED
            changes.append(Change(type_, record.resource, record.version))
        for deleted in reversed(self._deleted):
            if deleted.version <= since:
                break
            if deleted.created_version <= since:
                changes.append(Change(ChangeType.DELETED, deleted.resource, deleted.version))
        return sorted(
            (change for change in changes if kind in (None, change.resource.kind)),
            key=lambda change: change.resource_version,
        )

    # Inside

    def _create(self, key: Key, document: Document, managers: Managers, known: Resource | None) -> Applied:
        version = self._version + 1
        record = Record(
            key=key,
            uid=str(uuid.uuid4()),
            created=timestamp(self._now()),
            created_version=version,
            version=version,
            generation=1,
            document=document,
            managers=managers,
            status={},
            known=known,
        )
        with self._transaction(durable=True):
            # OR REPLACE: a row that could not be read at the start is still there.
            self._database.run(
                "INSERT OR REPLACE INTO objects (kind, namespace, name, uid, created, created_version, "
                "version, generation, document, managers, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [*_where(key), *_row(record), encode_managers(managers), "{}"],
            )
            self._put(record)
        return Applied(record.resource, Outcome.CREATED)

    def _change(
        self, old: Record, document: Document, managers: Managers, known: Resource | None = None
    ) -> Applied:
        if same(document, old.document) and list(managers.items()) == list(old.managers.items()):
            return Applied(old.resource, Outcome.UNCHANGED)
        new = replace(old, document=document, managers=managers, known=known)
        quiet = differs_quietly(document, old.document)
        if not quiet:
            generation = old.generation + (not says_the_same(old.resource, new.resource))
            new = replace(new, generation=generation, version=self._version + 1, known=new.resource)
        with self._transaction(durable=True):
            self._database.run(
                "UPDATE objects SET version = ?, generation = ?, document = ?, managers = ? "
                "WHERE kind = ? AND namespace = ? AND name = ?",
                [new.version, new.generation, encode(document), encode_managers(managers), *_where(old.key)],
            )
            self._put(new)
        return Applied(new.resource, Outcome.UNCHANGED if quiet else Outcome.CONFIGURED)

    def _remove(self, old: Record) -> None:
        version = self._version + 1
        last = replace(old, document=without_values(old.key, old.document), status={}, version=version)
        with self._transaction(durable=True):
            self._database.run(
                "DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ?", _where(old.key)
            )
            self._database.run(
                "INSERT INTO deleted (kind, namespace, name, uid, created, created_version, version, "
                "generation, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [*_where(old.key), *_row(last)],
            )
            del self._records[old.key]
            self._refer(old.key, old.resource, None)
            self._deleted.append(Deleted(last.resource, old.created_version, version))
            self._version = self._last_change = version
            self._forget()

    def _forget(self) -> None:
        excess = len(self._deleted) - self._remembered_deletions
        if excess > 0:
            self._forgotten = self._deleted[excess - 1].version
            del self._deleted[:excess]
            self._database.run("DELETE FROM deleted WHERE version <= ?", [self._forgotten])
            self._database.set_meta("deletions_forgotten", self._forgotten)

    def _put(self, new: Record) -> None:
        """Take `new` into memory, last in the order of versions where its version is new."""
        old = self._records.get(new.key)
        if old is None or old.version != new.version:
            self._records.pop(new.key, None)
            self._version = self._last_change = new.version
        self._records[new.key] = new
        _learn(new.resource)
        if old is None or old.document is not new.document:
            self._refer(new.key, old.resource if old else None, new.resource)

    def _refer(self, key: Key, old: Resource | None, new: Resource | None) -> None:
        for target in {reference.target for reference in references(old)} if old else ():
            self._referrers[target].discard(key)
            if not self._referrers[target]:
                del self._referrers[target]
        for target in {reference.target for reference in references(new)} if new else ():
            self._referrers.setdefault(target, set()).add(key)

    def _keep_unsaved(self, old: Record, new: Record) -> None:
        """Have in memory a status that the file did not take, as far as the file has versions for it."""
        if self._database.in_transaction or new.version > self._ceiling:
            return
        self._unsaved.add(new.key)
        if not same(old.status, new.status):
            self._put(new)
            self._signal.ring(self._last_change)

    @contextmanager
    def _transaction(self, *, durable: bool) -> Iterator[None]:
        if self._database.in_transaction:
            yield
            return
        change, event = self._last_change, self._last_event
        version, ceiling = self._version, self._ceiling
        try:
            with self._database.transaction(durable=durable or version + 1 > self._ceiling):
                yield
                self._raise_ceiling()
        except BaseException:
            self._ceiling = ceiling
            if self._version != version:  # what was rolled back must not stay in memory
                self._read_again()
            raise
        if self._last_change > change:
            self._signal.ring(self._last_change)
        if self._last_event > event:
            self._event_signal.ring(self._last_event)

    def _raise_ceiling(self) -> None:
        """Keep the version in the file ahead of those in use.

        So no version is ever used twice, though the last statuses before a power cut may be lost, and a
        status costs no write of the counter.
        """
        if self._version > self._ceiling:
            self._ceiling = self._version + _VERSIONS_AHEAD
            self._database.set_meta("version_ceiling", self._ceiling)

    def _read_again(self) -> None:
        """Read everything from the file, but for the statuses that it did not take."""
        unsaved = [self._records[key] for key in self._unsaved if key in self._records]
        self._read()
        for newer in unsaved:
            if (known := self._records.get(newer.key)) is not None:
                self._records[newer.key] = replace(
                    known, status=newer.status, version=newer.version, known=known.resource
                )
        self._records = dict(sorted(self._records.items(), key=lambda item: item[1].version))

    def _read(self) -> None:
        """Read everything from the file."""
        self._records.clear()
        self._referrers.clear()
        self._deleted.clear()
        self._forgotten = self._database.meta("deletions_forgotten")
        for row in self._database.rows(_READ_OBJECTS):
            record = _read_record(row)
            if record is not None:
                self._records[record.key] = record
                _learn(record.resource)
                self._refer(record.key, None, record.resource)
        for row in self._database.rows(_READ_DELETED):
            record = _read_record(row)
            if record is not None:
                self._deleted.append(Deleted(record.resource, record.created_version, record.version))


def _read_record(row: tuple[Any, ...]) -> Record | None:
    kind, namespace, name, uid, created, created_version, version, generation, *texts = row
    key = Key(kind, namespace, name)
    try:
        document, managers, status = texts
        fields = (uid, created, created_version, version, generation, json.loads(document))
        return _without_bad_status(Record(key, *fields, decode_managers(managers), {}), json.loads(status))
    except (Invalid, json.JSONDecodeError) as error:  # of an older version with laxer rules, or a bad disk
        _log.error("object_not_readable", object=str(key), error=str(error))
        return None


def _without_bad_status(record: Record, status: Mapping[str, Any]) -> Record:
    """A status that another version wrote is no reason to lose the object; it will be written anew."""
    try:
        return replace(record, status=status, known=record.resource) if status else record
    except Invalid as error:
        _log.warning("status_not_readable", object=str(record.key), error=error.message)
        return record


def _learn(resource: Resource) -> None:
    """From here on the values of a Secret are masked in all that this process says."""
    if isinstance(resource, Secret):
        redact.learn(resource.values().values())


def _row(record: Record) -> tuple[Any, ...]:
    return (
        record.uid,
        record.created,
        record.created_version,
        record.version,
        record.generation,
        encode(record.document),
    )


def _where(key: Key) -> tuple[str, str, str]:
    return key.kind, key.namespace, key.name


def _check_manager(manager: str) -> None:
    if not _MANAGER.fullmatch(manager):
        raise Invalid(f"{manager!r} is not a manager's name: use lower-case letters, digits and -")
