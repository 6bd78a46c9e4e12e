"""The SQLite file: opening, refusing, transactions. Nobody else imports sqlite3.

WAL, one connection, the file locked for this process alone. Desired state is committed with
``synchronous=FULL``, so that it survives a power cut once a call returned; status and events with NORMAL,
which survives the end of the process, and at a power cut loses the last of them at worst, never the file's
consistency (https://www.sqlite.org/pragma.html#pragma_synchronous). Both go through the one log in order.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from vistterstream.base.errors import PermanentError, TemporaryError

SCHEMA_VERSION = 1
_APPLICATION = 0x56535452  # "VSTR", in the file's header

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE objects (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    uid TEXT NOT NULL,
    created TEXT NOT NULL,              -- RFC 3339
    created_version INTEGER NOT NULL,
    version INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    document TEXT NOT NULL,             -- JSON: metadata, spec and so on, as the managers wrote them
    managers TEXT NOT NULL,             -- JSON: manager -> list of paths
    status TEXT NOT NULL,               -- JSON
    UNIQUE (kind, namespace, name)
);
CREATE TABLE deleted (                  -- the last objects that went, for watches that resume
    version INTEGER PRIMARY KEY,
    created_version INTEGER NOT NULL,
    kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    uid TEXT NOT NULL, created TEXT NOT NULL, generation INTEGER NOT NULL,
    document TEXT NOT NULL
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    type TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, reporter TEXT NOT NULL,
    count INTEGER NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL,
    UNIQUE (kind, namespace, name, type, reason, message, reporter)
);
CREATE INDEX events_by_version ON events (version);
"""


class Database:
    """An open store file. Raises PermanentError where it cannot or must not be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.in_transaction = False
        self._connection = self._open()

    def close(self) -> None:
        """Close the file; the log is folded into it."""
        self._connection.close()

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[None]:
        """Everything inside is written, or nothing; inside another transaction it is part of that.

        Raises TemporaryError where SQLite cannot write (a full disk).
        """
        if self.in_transaction:
            yield
            return
        with self._translated():
            self._connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._connection.execute("BEGIN IMMEDIATE")
        self.in_transaction = True
        try:
            yield
            with self._translated():
                self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite has rolled back by itself on a full disk
                self._connection.execute("ROLLBACK")
            raise
        finally:
            self.in_transaction = False

    def run(self, statement: str, values: Iterable[Any] = ()) -> int:
        """Execute a statement that writes; returns the number of rows it changed."""
        with self._translated():
            return self._connection.execute(statement, tuple(values)).rowcount

    def rows(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._translated():
            return self._connection.execute(query, tuple(values)).fetchall()

    def meta(self, name: str) -> int:
        """A number that the store keeps about itself; 0 where it was never set."""
        found = self.rows("SELECT value FROM meta WHERE name = ?", [name])
        return int(found[0][0]) if found else 0

    def set_meta(self, name: str, value: int) -> None:
        """Keep that number."""
        self.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", [name, value])

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise _failure(self.path, error) from error

    def _open(self) -> sqlite3.Connection:
        try:
            # SQLite gives its side files the mode of the main one. A file that is there is not opened here:
            # to close it would end the locks that this process may have on it (fcntl(2)).
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            self.path.chmod(0o600)
        except OSError as error:
            raise PermanentError(
                f"The store {self.path} cannot be opened: {error.strerror}. "
                "Make the state folder writable for this user, or name another with --state-dir.",
                reason="StoreUnusable",
            ) from error
        connection: sqlite3.Connection | None = None
        try:
            connection = sqlite3.connect(self.path, timeout=0.5, isolation_level=None)
            self._prepare(connection)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise _failure(self.path, error) from error
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")  # a second controller must not write here
        connection.execute("BEGIN IMMEDIATE")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        empty = not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        self._check(version, application, empty=empty)
        if not empty:
            complaints = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if complaints != "ok":
                raise sqlite3.DatabaseError(complaints.splitlines()[-1])
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")  # a deleted Secret leaves nothing in the file
        connection.execute("PRAGMA journal_size_limit=1048576")
        if empty:
            connection.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; "
                f"PRAGMA application_id={_APPLICATION}; COMMIT;"
            )

    def _check(self, version: int, application: int, *, empty: bool) -> None:
        if empty:
            return
        if application != _APPLICATION:
            raise PermanentError(
                f"The file {self.path} is an SQLite file, but not a VistterStream store. "
                "Move it away, or name another state folder with --state-dir.",
                reason="StoreUnusable",
            )
        if version > SCHEMA_VERSION:
            raise PermanentError(
                f"The store {self.path} was written by a newer VistterStream (store version {version}; "
                f"this one reads up to {SCHEMA_VERSION}). Install the newer one again, or name another "
                "state folder with --state-dir.",
                reason="StoreTooNew",
            )


def _failure(path: Path, error: sqlite3.DatabaseError) -> PermanentError | TemporaryError:
    code = (getattr(error, "sqlite_errorcode", None) or sqlite3.SQLITE_CORRUPT) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return PermanentError(
            f"The store {path} is in use by another process. End that one, or name another state folder "
            "with --state-dir.",
            reason="StoreInUse",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return PermanentError(
            f"The store {path} is damaged ({error}). Move it away and start again: what manifests describe "
            "is read from them anew; what was set by other means must be set again.",
            reason="StoreDamaged",
        )
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return TemporaryError(
            f"The store {path} cannot be written ({error}). Make room on the disk, or look after it.",
            delay=5,
            reason="StoreUnavailable",
        )
    return PermanentError(f"The store {path} cannot be used ({error}).", reason="StoreUnusable")
