"""The loop: names in, converged objects out. In the manner of kopf, on anyio.

**Level, not edge.** A handler is told which object to look at, never what happened to it. It reads the
newest state, observes reality, compares and acts, so it is right after an event that was lost, one that
came twice, and a restart at any line. That is why the queue holds names: a burst of writes collapses into
one call, and order does not matter.

**One worker per object, never two at once**, and as many objects at a time as there are: one that hangs or
keeps failing holds up no other. What changes while a handler works leads to another call afterwards.

**Who else must look.** When an object changes, everything that refers to it, directly or through others, is
enqueued too, from the store's reverse index; no reconciler writes that fan-out by hand.

**Failure.** `TemporaryError` asks for another attempt at a known time. `PermanentError` waits for the user:
the object, or something it refers to, has to change. Anything else is a fault of ours: logged with its
traceback, and tried again with capped exponential backoff and jitter, counted per object. Each outcome is
handed to `Loop.outcome`, which shows it as a condition.

**Changes that are not changes.** Writing a status makes a new resourceVersion but no new desired state; a
loop that reacted to it would chase its own tail. So the loop compares `fingerprint` and looks away.

Handlers are registered on a `Registry` with decorators::

    on: Registry[Appliance] = Registry()

    @on.reconcile("Output")
    async def reconcile(appliance: Appliance, output: Output) -> None: ...
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import anyio
from anyio.abc import TaskGroup, TaskStatus

from vistterstream.base import logs
from vistterstream.base.errors import PermanentError, TemporaryError, VistterError
from vistterstream.base.metrics import UNFORESEEN, Metrics
from vistterstream.base.redaction import redact
from vistterstream.reconcile.queue import Backoff, NameQueue
from vistterstream.resources.kinds import SOURCE_LINE, Key, Resource
from vistterstream.store.errors import Gone

log = logs.get("reconcile")

C = TypeVar("C")
R = TypeVar("R", bound=Resource)

Reconcile = Callable[[C, Any], Awaitable[None]]
Handler = Callable[[C, Key], Awaitable[None]]
ReconcileOf = Callable[[C, R], Awaitable[None]]


class Change(Protocol):
    """What a watch tells: an object was written or deleted."""

    @property
    def resource(self) -> Resource: ...  # noqa: D102
    @property
    def resource_version(self) -> int: ...  # noqa: D102


class Objects(Protocol):
    """The part of the store that the loop reads."""

    def get(self, key: Key, /) -> Resource | None: ...  # noqa: D102
    def list(self) -> tuple[list[Resource], int]: ...  # noqa: D102
    def watch(self, since: int, /) -> AsyncIterator[Change]: ...  # noqa: D102
    def referrers(self, key: Key, /) -> Collection[Key]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Timer(Generic[C]):
    """A handler that is called each `interval` seconds while the object exists."""

    interval: float
    handler: Handler[C]


class Registry(Generic[C]):
    """Which functions look after which kinds. `C` is the context they are called with.

    A kind has one ``reconcile``, called when anything about the object may differ from what is; one
    ``delete``, called when it is no longer there; and any number of timers and daemons. A daemon is a task
    that runs as long as the object exists; one that raises is started again with backoff.
    """

    def __init__(self) -> None:
        self.reconcilers: dict[str, Reconcile[C]] = {}
        self.deleters: dict[str, Handler[C]] = {}
        self.timers: dict[str, list[Timer[C]]] = {}
        self.daemons: dict[str, list[Handler[C]]] = {}

    def reconcile(self, kind: str) -> Callable[[ReconcileOf[C, R]], ReconcileOf[C, R]]:
        """Register what converges an object of `kind`."""

        def register(handler: ReconcileOf[C, R]) -> ReconcileOf[C, R]:
            _only_one(self.reconcilers, kind, "reconcile")
            self.reconcilers[kind] = handler
            return handler

        return register

    def delete(self, kind: str) -> Callable[[Handler[C]], Handler[C]]:
        """Register what cleans up after an object of `kind` that is gone."""

        def register(handler: Handler[C]) -> Handler[C]:
            _only_one(self.deleters, kind, "delete")
            self.deleters[kind] = handler
            return handler

        return register

    def timer(self, kind: str, *, interval: float) -> Callable[[Handler[C]], Handler[C]]:
        """Register what is to be done for each object of `kind` every `interval` seconds."""

        def register(handler: Handler[C]) -> Handler[C]:
            self.timers.setdefault(kind, []).append(Timer(interval, handler))
            return handler

        return register

    def daemon(self, kind: str) -> Callable[[Handler[C]], Handler[C]]:
        """Register a task for each object of `kind`."""

        def register(handler: Handler[C]) -> Handler[C]:
            self.daemons.setdefault(kind, []).append(handler)
            return handler

        return register

    def include(self, other: Registry[C]) -> None:
        """Take over everything that was registered on `other`."""
        for kind, reconciler in other.reconcilers.items():
            self.reconcile(kind)(reconciler)
        for kind, deleter in other.deleters.items():
            self.delete(kind)(deleter)
        for kind, timers in other.timers.items():
            self.timers.setdefault(kind, []).extend(timers)
        for kind, daemons in other.daemons.items():
            self.daemons.setdefault(kind, []).extend(daemons)


def _only_one(handlers: dict[str, Any], kind: str, what: str) -> None:
    if kind in handlers:
        raise ValueError(f"two handlers registered to {what} {kind}")


def fingerprint(resource: Resource) -> tuple[object, ...]:
    """What makes an object another than before, for the loop: everything that users write.

    Equal for two versions that differ in status, or in the line of the manifest, alone.
    """
    meta = resource.metadata
    annotations = {name: value for name, value in meta.annotations.items() if name != SOURCE_LINE}
    return meta.uid, meta.generation, meta.deletion_timestamp, annotations, meta.labels


@dataclass(slots=True)
class _Attendants:
    """The tasks that accompany one object, besides its worker."""

    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    ended: anyio.Event = field(default_factory=anyio.Event)
    lock: anyio.Lock = field(default_factory=anyio.Lock)  # keeps timers and the worker apart


@dataclass(slots=True)
class Loop(Generic[C]):
    """Calls the handlers of a `Registry` for the objects of a store, until it is cancelled.

    `outcome` is told after every attempt how it went: None, or the error. `chance` gives numbers from 0 to 1
    for the jitter. Time is the event loop's.
    """

    registry: Registry[C]
    context: C
    store: Objects
    metrics: Metrics
    outcome: Callable[[Key, VistterError | None], None]
    backoff: Backoff = field(default_factory=Backoff)
    chance: Callable[[], float] = random.random

    _queue: NameQueue[Key] = field(default_factory=NameQueue)
    _seen: dict[Key, tuple[object, ...]] = field(default_factory=dict)
    _failures: dict[Key, int] = field(default_factory=dict)
    _attendants: dict[Key, _Attendants] = field(default_factory=dict)
    _wake: anyio.Event = field(default_factory=anyio.Event)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until cancelled. `task_status` reports once every object of the store is in the queue."""
        self.metrics.expect(self.registry.reconcilers)
        self.metrics.queue_depth.set_function(lambda: self._queue.depth(anyio.current_time()))
        async with anyio.create_task_group() as tasks:
            since = self._relist()
            tasks.start_soon(self._watch, since)
            task_status.started()
            await self._dispatch(tasks)

    def enqueue(self, key: Key, *, delay: float = 0.0) -> None:
        """Have `key` looked at, `delay` seconds from now; an earlier time that was asked for stands."""
        if self._queue.add(key, anyio.current_time() + delay):
            self._wake.set()

    @property
    def idle(self) -> bool:
        """Nothing waits, now or later, and nothing is being worked on."""
        return self._queue.idle

    # What changed

    def _relist(self) -> int:
        """Enqueue all objects, and the names of those that vanished; returns the version of the list."""
        objects, version = self.store.list()
        vanished = self._seen.keys() - {resource.key for resource in objects}
        for resource in objects:
            self._seen[resource.key] = fingerprint(resource)
            self.enqueue(resource.key)
        for key in vanished:
            self._changed(key, None)
        return version

    async def _watch(self, since: int) -> None:
        while True:
            try:
                async for change in self.store.watch(since):
                    since = change.resource_version
                    key = change.resource.key
                    self._changed(key, self.store.get(key))
                return  # the store was closed
            except Gone:
                log.info("the watch was compacted away; listing everything again", since=since)
                since = self._relist()

    def _changed(self, key: Key, resource: Resource | None) -> None:
        """Enqueue `key` and all that depends on it, if it differs from what was seen last."""
        print_ = fingerprint(resource) if resource is not None else None
        if self._seen.get(key) == print_:
            return
        if print_ is None:
            del self._seen[key]
        else:
            self._seen[key] = print_
        for dependent in self._dependents(key):
            self.enqueue(dependent)

    def _dependents(self, key: Key) -> list[Key]:
        """`key` and everything that refers to it, directly or through others, nearest first."""
        found = {key: None}
        frontier = [key]
        while frontier:
            frontier = [
                referrer
                for name in frontier
                for referrer in sorted(self.store.referrers(name))
                if referrer not in found and not found.setdefault(referrer)
            ]
        return list(found)

    # Work

    async def _dispatch(self, tasks: TaskGroup) -> None:
        while True:
            self._wake = anyio.Event()
            while (key := self._queue.take(anyio.current_time())) is not None:
                tasks.start_soon(self._work, key, tasks, name=f"reconcile {key}")
            due = self._queue.next_due()
            with anyio.CancelScope(deadline=float("inf") if due is None else due):
                await self._wake.wait()

    async def _work(self, key: Key, tasks: TaskGroup) -> None:
        """One attempt at one object."""
        started = anyio.current_time()
        try:
            error = await self._attempt(key, tasks)
        finally:
            self._queue.done(key)
            self._wake.set()
        self.metrics.reconciled(key.kind, anyio.current_time() - started, error)
        self._settle(key, error)

    async def _attempt(self, key: Key, tasks: TaskGroup) -> VistterError | None:
        """Call the handler; returns the error it ended with, in words for the user."""
        try:
            await self._handle(key, tasks)
        except Exception as error:  # the worker's edge: whatever a handler raises concerns its object alone
            return _told(key, error)
        return None

    async def _handle(self, key: Key, tasks: TaskGroup) -> None:
        resource = self.store.get(key)
        if resource is None:
            await self._dismiss(key)
            if handler := self.registry.deleters.get(key.kind):
                await handler(self.context, key)
            return
        attendants = self._attend(key, tasks)
        async with attendants.lock:
            if reconcile := self.registry.reconcilers.get(key.kind):
                await reconcile(self.context, resource)

    def _settle(self, key: Key, error: VistterError | None) -> None:
        """Decide about the next attempt, and tell how this one went."""
        failures = self._failures.pop(key, 0)
        if isinstance(error, TemporaryError):
            self.enqueue(key, delay=error.delay)
        elif error is not None and not isinstance(error, PermanentError):
            self._failures[key] = failures + 1
            self.enqueue(key, delay=self.backoff.delay(failures + 1, self.chance()))
        self.outcome(key, error)

    # Daemons and timers

    def _attend(self, key: Key, tasks: TaskGroup) -> _Attendants:
        """See to it that the object's daemons and timers run."""
        attendants = self._attendants.get(key)
        if attendants is None:
            attendants = self._attendants[key] = _Attendants()
            if key.kind in self.registry.daemons or key.kind in self.registry.timers:
                tasks.start_soon(self._accompany, key, attendants, name=f"daemons of {key}")
            else:
                attendants.ended.set()
        return attendants

    async def _accompany(self, key: Key, attendants: _Attendants) -> None:
        try:
            with attendants.scope:
                async with anyio.create_task_group() as tasks:
                    for daemon in self.registry.daemons.get(key.kind, ()):
                        tasks.start_soon(self._keep, key, daemon)
                    for timer in self.registry.timers.get(key.kind, ()):
                        tasks.start_soon(self._keep, key, _ticking(timer, attendants.lock))
        finally:
            attendants.ended.set()

    async def _keep(self, key: Key, daemon: Handler[C]) -> None:
        """Run a daemon to its end, again after each failure; one that ran long enough starts afresh."""
        failures = 0
        while True:
            started = anyio.current_time()
            try:
                await daemon(self.context, key)
            except Exception as error:  # a worker's edge
                _told(key, error)
            else:
                return
            lasted = anyio.current_time() - started > self.backoff.cap
            failures = 1 if lasted else failures + 1
            await anyio.sleep(self.backoff.delay(failures, self.chance()))

    async def _dismiss(self, key: Key) -> None:
        """End the object's daemons and timers, and wait until they have ended."""
        attendants = self._attendants.pop(key, None)
        if attendants is not None:
            attendants.scope.cancel()
            await attendants.ended.wait()


def _ticking(timer: Timer[C], lock: anyio.Lock) -> Handler[C]:
    async def tick(context: C, key: Key) -> None:
        while True:
            await anyio.sleep(timer.interval)
            async with lock:
                await timer.handler(context, key)

    return tick


def _told(key: Key, error: Exception) -> VistterError:
    """`error` in words for the user; what nobody expected is logged with its traceback."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, VistterError):
        log.info("not converged", object=str(key), reason=error.reason, message=error.message)
        return error
    log.error("a handler failed", object=str(key), exc_info=error)
    said = redact(f"{type(error).__name__}: {error}")
    return VistterError(
        f"A fault inside VistterStream ({said}). It is tried again by itself; "
        "the controller's log has the details, please report them.",
        reason=UNFORESEEN,
    )
