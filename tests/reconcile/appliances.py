"""A controller with fake playouts, on the virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from reconcile.fakes import FakeHost, FakePlayout
from reconcile.objects import key
from reconcile.virtual import VirtualLoop
from vistterstream.reconcile.controller import Controller, OnExit
from vistterstream.resources.conditions import Condition, find_condition
from vistterstream.resources.kinds import Key, Resource
from vistterstream.store.store import Store


@dataclass
class Running:
    """A controller at work."""

    controller: Controller
    store: Store
    host: FakeHost
    state_dir: Path

    def get(self, kind: str, name: str) -> Resource:
        """The object with its newest status."""
        found = self.store.get(key(kind, name))
        assert found is not None, f"there is no {kind} {name}"
        return found

    def condition(self, kind: str, name: str, type_: str = "Ready") -> Condition:
        """A condition of an object."""
        found = find_condition(self.get(kind, name).status.conditions, type_)
        assert found is not None, f"{kind} {name} has no condition {type_}"
        return found

    def conditions(self, kind: str, name: str) -> dict[str, str]:
        """Status and reason by type, such as ``True OnAir``."""
        return {one.type: f"{one.status} {one.reason}" for one in self.get(kind, name).status.conditions}

    def events(self, regarding: Key | None = None) -> list[str]:
        """The reasons of all events, oldest first."""
        return [event.reason for event in self.store.events(regarding)]

    def said(self, reason: str) -> str:
        """The message of the last event of that reason."""
        return [event.message for event in self.store.events() if event.reason == reason][-1]

    def playout(self, name: str = "main") -> FakePlayout:
        """The running playout of a program."""
        return self.host.of(name)


@asynccontextmanager
async def running(
    store: Store,
    host: FakeHost,
    state_dir: Path,
    *,
    on_exit: OnExit = OnExit.LEAVE,
    settled: bool = True,
    seconds: float = 3.0,
) -> AsyncIterator[Running]:
    """Run a controller for the while; it has had `seconds` when this is entered."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.wait_for_threads()
    controller = Controller(state_dir, store, host=host, on_exit=on_exit)
    async with anyio.create_task_group() as tasks:
        await tasks.start(controller.run)
        if settled:
            controller.sources_settled()
        await anyio.sleep(seconds)
        yield Running(controller, store, host, state_dir)
        tasks.cancel_scope.cancel()


async def settle(seconds: float = 3.0, condition: Callable[[], bool] = lambda: True) -> None:
    """Let time pass on the virtual clock."""
    await anyio.sleep(seconds)
    assert condition()
