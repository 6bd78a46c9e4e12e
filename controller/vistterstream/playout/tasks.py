"""Long-lived things by name: each runs in a task of its own until it is removed or replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from vistterstream.base import logs

_RESTART_DELAY = 1.0
_log = logs.get("playout")


class Runnable(Protocol):
    """Something that runs until it is cancelled, and then ends what it started."""

    async def run(self) -> None:
        """Run."""


T = TypeVar("T", bound=Runnable)


class _Entry(Generic[T]):
    def __init__(self, thing: T, after: _Entry[T] | None) -> None:
        self.thing = thing
        self.after = after
        self.scope = anyio.CancelScope()
        self.done = anyio.Event()


class Running(Generic[T]):
    """A set of running things. Replacing one waits until the one before has ended, without waiting here."""

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._entries: dict[str, _Entry[T]] = {}
        self._leaving: dict[str, _Entry[T]] = {}  # the newest of a name; it ends after those before it

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def get(self, name: str) -> T | None:
        """The thing of that name."""
        entry = self._entries.get(name)
        return entry.thing if entry is not None else None

    def items(self) -> list[tuple[str, T]]:
        """All names and things. From any thread."""
        return [(name, entry.thing) for name, entry in list(self._entries.items())]

    def values(self) -> list[T]:
        """All things. From any thread."""
        return [entry.thing for entry in list(self._entries.values())]

    def put(self, name: str, thing: T) -> None:
        """Run `thing` under that name, once what ran under it has ended."""
        self._retire(name)
        entry = self._entries[name] = _Entry(thing, self._leaving.get(name))
        self._tasks.start_soon(self._run, name, entry)

    def remove(self, name: str) -> None:
        """End what runs under that name; it may take its time."""
        self._retire(name)

    async def stop(self) -> None:
        """End everything, and wait for it."""
        for name in list(self._entries):
            self._retire(name)
        while self._leaving:
            await next(iter(self._leaving.values())).done.wait()

    def _retire(self, name: str) -> None:
        entry = self._entries.pop(name, None)
        if entry is not None and not entry.done.is_set():  # done: all was cancelled from outside
            self._leaving[name] = entry
            entry.scope.cancel()

    async def _run(self, name: str, entry: _Entry[T]) -> None:
        try:
            if entry.after is not None:
                await entry.after.done.wait()
            with entry.scope:
                await anyio.lowlevel.checkpoint()  # one that was replaced meanwhile does not start at all
                await self._keep_running(name, entry.thing)
        finally:
            if self._leaving.get(name) is entry:
                del self._leaving[name]
            entry.after = None
            entry.done.set()

    async def _keep_running(self, name: str, thing: T) -> None:
        while True:
            try:
                await thing.run()
            except Exception:  # the worker's edge: a defect in one thing must not end the others
                _log.exception("a worker failed and starts again", worker=name)
            await anyio.sleep(_RESTART_DELAY)
