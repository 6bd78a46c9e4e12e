from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from reconcile.objects import apply, camera, key
from vistterstream.base.errors import TemporaryError
from vistterstream.base.metrics import Metrics
from vistterstream.reconcile.statuses import GATHER, INTERVAL, RETRY, Statuses
from vistterstream.resources.kinds import Key, Resource
from vistterstream.resources.status import CameraStatus, Status
from vistterstream.store.store import Store

pytestmark = pytest.mark.anyio

WHARF, PIER = key("Camera", "wharf"), key("Camera", "pier")


class Renderer:
    """Renders whatever a test says, and notes when it was asked to."""

    def __init__(self) -> None:
        self.program = "one"
        self.times: list[float] = []
        self.broken: set[str] = set()

    def __call__(self, resource: Resource, now: datetime) -> Status:
        self.times.append(round(anyio.current_time(), 3))
        if resource.metadata.name in self.broken:
            raise ZeroDivisionError
        return CameraStatus(program=self.program)


def program(store: Store, name: str = "wharf") -> Any:
    resource = store.get(key("Camera", name))
    assert resource is not None
    return resource.status.model_dump().get("program")


async def test_a_change_is_written_at_once_and_the_next_after_a_second(store: Store) -> None:
    apply(store, camera("wharf"))
    render, metrics = Renderer(), Metrics()
    statuses = Statuses(store, render, metrics, wall=lambda: datetime.now(UTC))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(statuses.run)
        await anyio.sleep(0.5)
        statuses.request(WHARF)
        await anyio.sleep(0.1)
        assert program(store) == "one"
        for name in ("two", "three", "four"):
            render.program = name
            statuses.request(WHARF)
            await anyio.sleep(0.1)
        assert program(store) == "one"
        await anyio.sleep(1)
        assert program(store) == "four"
        assert render.times == [0.5 + GATHER, 0.5 + GATHER + INTERVAL]
        tasks.cancel_scope.cancel()
    assert b'vistter_status_writes_total{kind="Camera"} 2.0' in metrics.render()


async def test_what_is_the_same_is_not_written_and_does_not_delay_what_is_not(store: Store) -> None:
    apply(store, camera("wharf"))
    render = Renderer()
    statuses = Statuses(store, render, Metrics())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(statuses.run)
        statuses.request(WHARF)
        await anyio.sleep(5)
        version = store.resource_version
        statuses.request(WHARF)
        await anyio.sleep(0.1)
        assert store.resource_version == version
        render.program = "two"
        statuses.request(WHARF)
        await anyio.sleep(0.1)
        assert program(store) == "two"
        tasks.cancel_scope.cancel()


async def test_one_object_whose_status_fails_does_not_silence_the_others(store: Store) -> None:
    apply(store, camera("wharf"), camera("pier"))
    render = Renderer()
    render.broken = {"wharf"}
    statuses = Statuses(store, render, Metrics())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(statuses.run)
        statuses.request(WHARF, PIER, key("Camera", "none"))
        await anyio.sleep(5)
        assert (program(store), program(store, "pier")) == (None, "one")
        render.broken.clear()
        statuses.request(WHARF)
        await anyio.sleep(5)
        assert program(store) == "one"
        tasks.cancel_scope.cancel()


async def test_at_the_end_everything_is_written_whatever_was_written_when(store: Store) -> None:
    apply(store, camera("wharf"))
    render = Renderer()
    statuses = Statuses(store, render, Metrics())
    statuses.flush([WHARF])
    render.program = "two"
    statuses.flush([WHARF])
    assert program(store) == "two"


class FullDisk:
    """A store on a disk that is full for a while."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.full = True

    def get(self, key: Key) -> Resource | None:
        return self._store.get(key)

    def set_status(self, key: Key, status: dict[str, object]) -> bool:
        if self.full:
            raise TemporaryError("The store cannot be written.", delay=5, reason="StoreUnavailable")
        return self._store.set_status(key, status)


async def test_a_full_disk_is_told_once_and_what_was_not_written_is_written_later(
    store: Store, log: io.StringIO
) -> None:
    apply(store, camera("wharf"), camera("pier"))
    disk, told = FullDisk(store), list[tuple[Key, str]]()
    statuses = Statuses(disk, Renderer(), Metrics(), refused=lambda key, problem: told.append((key, problem)))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(statuses.run)
        for _ in range(20):
            statuses.request(WHARF, PIER)
            await anyio.sleep(1)
        assert statuses.problem.endswith("The store cannot be written.")
        assert told == [(WHARF, statuses.problem)]
        disk.full = False
        await anyio.sleep(RETRY + 1)
        assert (program(store), program(store, "pier")) == ("one", "one")
        assert statuses.problem == ""
        tasks.cancel_scope.cancel()
    lines = log.getvalue().splitlines()
    assert [json.loads(line)["event"] for line in lines] == [
        "statuses cannot be written",
        "statuses can be written again",
    ]
    assert "Traceback" not in log.getvalue()


async def test_a_status_that_came_to_be_as_it_was_needs_no_writing(store: Store) -> None:
    apply(store, camera("wharf"))
    disk, render = FullDisk(store), Renderer()
    disk.full = False
    statuses = Statuses(disk, render, Metrics())
    statuses.flush([WHARF])
    disk.full, render.program = True, "two"
    statuses.flush([WHARF])
    assert statuses.problem
    disk.full, render.program = False, "one"
    statuses.flush([WHARF])
    assert statuses.problem == ""
