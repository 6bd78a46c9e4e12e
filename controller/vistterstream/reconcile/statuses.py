"""Writes statuses: as soon as something changed, but at most once a second for each object.

Whoever learns something about an object asks for its status with `Statuses.request`; the status itself is
rendered at the moment of writing, from what is known then. So no writer can overwrite what another knew.

What the store refuses, on a full disk for instance, is tried again until it takes it. Meanwhile
`Statuses.problem` says so, and whether what can be read of the objects is old.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Protocol

import anyio

from vistterstream.base import logs
from vistterstream.base.errors import TemporaryError, VistterError
from vistterstream.base.metrics import Metrics
from vistterstream.reconcile.queue import NameQueue
from vistterstream.resources.kinds import Key, Resource
from vistterstream.resources.status import Status

log = logs.get("reconcile")

INTERVAL = 1.0
"""Seconds between two writes of one object's status."""
RETRY = 5.0
"""Seconds until what the store refused is tried again."""
GATHER = 0.02
"""Seconds that a first change waits for others that belong to it."""
_NOT_KEPT = "what is shown is so now, but is lost when the controller ends, and events are not kept"

Render = Callable[[Resource, datetime], Status]
"""The status of an object as of now. Raises nothing."""


class StatusStore(Protocol):
    """The part of the store that is written here."""

    def get(self, key: Key) -> Resource | None: ...  # noqa: D102
    def set_status(self, key: Key, status: dict[str, object]) -> bool: ...  # noqa: D102


class Statuses:
    """The queue of objects whose status is to be written."""

    def __init__(
        self,
        store: StatusStore,
        render: Render,
        metrics: Metrics,
        *,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        refused: Callable[[Key, str], None] = lambda _key, _problem: None,
    ) -> None:
        """`refused` is called once when the store begins to refuse, with the first object and why."""
        self._store = store
        self._render = render
        self._metrics = metrics
        self._wall = wall
        self._queue = NameQueue[Key]()
        self._written: dict[Key, float] = {}
        self._wake = anyio.Event()
        self._refused = refused
        self._unwritten: set[Key] = set()
        self.problem = ""  # why statuses cannot be written; empty while they can

    def request(self, *keys: Key) -> None:
        """Have the statuses of `keys` written."""
        now = anyio.current_time()
        for key in keys:
            if self._queue.add(key, max(now + GATHER, self._written.get(key, float("-inf")) + INTERVAL)):
                self._wake.set()

    async def run(self) -> None:
        """Write what is asked for, until cancelled."""
        while True:
            self._wake = anyio.Event()
            while (key := self._queue.take(anyio.current_time())) is not None:
                self._queue.done(key)
                self._write(key)
                await anyio.lowlevel.checkpoint()
            due = self._queue.next_due()
            with anyio.CancelScope(deadline=float("inf") if due is None else due):
                await self._wake.wait()

    def flush(self, keys: Iterable[Key]) -> None:
        """Write the statuses of `keys` now, whatever was written when: before the controller goes."""
        for key in keys:
            self._write(key)

    def _write(self, key: Key) -> None:
        resource = self._store.get(key)
        if resource is None:
            self._written.pop(key, None)
            return
        try:
            status = self._render(resource, self._wall()).dump()
        except Exception:  # a worker's edge: an object whose status fails must not silence the others
            log.exception("a status could not be rendered", object=str(key))
            self._written[key] = anyio.current_time()  # it is not tried again before the interval is over
            return
        try:
            written = self._store.set_status(key, status)
        except VistterError as error:
            self._keep(key, error)
            return
        self._taken(key, written)
        if written:
            self._written[key] = anyio.current_time()
            self._metrics.status_writes.labels(key.kind).inc()

    def _keep(self, key: Key, error: VistterError) -> None:
        """The store refused the status of `key`: it is asked again; said is that but once."""
        first = not self._unwritten
        self._unwritten.add(key)
        self._written[key] = anyio.current_time()
        self._queue.add(key, anyio.current_time() + RETRY)
        lost = _NOT_KEPT if isinstance(error, TemporaryError) else "what is shown of objects is old"
        self.problem = f"statuses cannot be written, {lost}: {error.message}"
        if first:
            log.error("statuses cannot be written", object=str(key), error=error.message)
            self._refused(key, self.problem)

    def _taken(self, key: Key, written: bool) -> None:
        """The store took the status of `key`, or has it already."""
        if not self._unwritten:
            return
        self._unwritten = set() if written else self._unwritten - {key}
        if not self._unwritten:
            self.problem = ""
            log.info("statuses can be written again")
