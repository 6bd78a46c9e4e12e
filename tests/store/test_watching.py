from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from store.objects import camera, key, make
from vistterstream.store.errors import Gone
from vistterstream.store.store import Store
from vistterstream.store.watching import Change, Signal

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite3", remembered_deletions=5)
    yield store
    store.close()


async def take(store: Store, since: int, count: int, *, kind: str | None = None) -> list[str]:
    """The next changes, as words."""
    seen: list[str] = []
    with anyio.fail_after(30):
        async with aclosing(store.watch(since, kind=kind)) as changes:
            async for change in changes:
                seen.append(words(change))
                if len(seen) == count:
                    return seen
    return seen


def words(change: Change) -> str:
    return f"{change.type} {change.resource.metadata.name}"


async def test_a_watch_from_a_list_sees_what_comes_after_it(store: Store) -> None:
    store.apply(camera("wharf"), manager="file")
    _, version = store.list()
    store.apply(camera("pier"), manager="file")
    store.apply(camera("wharf", stallAfter="5s"), manager="file")
    store.delete(key("pier"), manager="file")
    store.apply(camera("quay"), manager="file")
    assert await take(store, version, 2) == ["MODIFIED wharf", "ADDED quay"]


async def test_a_watcher_sees_each_change_while_it_keeps_up(store: Store) -> None:
    seen: list[str] = []
    async with anyio.create_task_group() as group:

        async def follow() -> None:
            seen.extend(await take(store, 0, 4))

        group.start_soon(follow)
        for step in (
            lambda: store.apply(camera("wharf"), manager="file"),
            lambda: store.apply(camera("wharf", stallAfter="5s"), manager="file"),
            lambda: store.set_status(key("wharf"), {"observedGeneration": 2}),
            lambda: store.delete(key("wharf"), manager="file"),
        ):
            await anyio.wait_all_tasks_blocked()
            step()
    assert seen == ["ADDED wharf", "MODIFIED wharf", "MODIFIED wharf", "DELETED wharf"]


async def test_several_watchers_see_the_same_in_the_same_order(store: Store) -> None:
    seen: dict[int, list[str]] = {}
    async with anyio.create_task_group() as group:

        async def follow(number: int) -> None:
            seen[number] = await take(store, 0, 20)

        for number in range(5):
            group.start_soon(follow, number)
        await anyio.wait_all_tasks_blocked()
        for number in range(20):
            store.apply(camera(f"camera-{number}"), manager="file")
    assert list(seen.values()) == [[f"ADDED camera-{n}" for n in range(20)]] * 5


async def test_a_batch_is_seen_as_one_and_only_when_it_is_written(store: Store) -> None:
    def written() -> None:
        with store.batch():
            store.apply(camera("wharf"), manager="file")
            store.apply(camera("wharf", stallAfter="5s"), manager="file")
            store.apply(camera("pier"), manager="file")

    def undone() -> None:
        with store.batch():
            store.apply(camera("quay"), manager="file")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        undone()
    written()
    assert await take(store, 0, 2) == ["ADDED wharf", "ADDED pier"]
    assert store.get(key("quay")) is None


async def test_a_watch_of_one_kind_sees_only_that(store: Store) -> None:
    store.apply(camera("wharf"), manager="file")
    store.apply(make("Program", "main", {}), manager="file")
    assert await take(store, 0, 1, kind="Program") == ["ADDED main"]


async def test_an_object_that_was_deleted_and_made_again_is_seen_as_both(store: Store) -> None:
    store.apply(camera("wharf"), manager="file")
    version = store.resource_version
    store.delete(key("wharf"), manager="file")
    store.apply(camera("wharf"), manager="file")
    assert await take(store, version, 2) == ["DELETED wharf", "ADDED wharf"]
    assert await take(store, 0, 1) == ["ADDED wharf"]


async def test_a_watch_resumes_after_a_restart(tmp_path: Path, store: Store) -> None:
    store.apply(camera("wharf"), manager="file")
    store.apply(camera("pier"), manager="file")
    version = store.resource_version
    store.apply(camera("quay"), manager="file")
    store.delete(key("wharf"), manager="file")
    store.close()
    again = Store(tmp_path / "store.sqlite3")
    assert await take(again, version, 2) == ["ADDED quay", "DELETED wharf"]
    again.close()


async def test_every_change_says_where_to_resume(store: Store) -> None:
    for name in ("wharf", "pier", "quay"):
        store.apply(camera(name), manager="file")
    versions = []
    async with aclosing(store.watch(0)) as changes:
        async for change in changes:
            versions.append(change.resource_version)
            assert change.resource.metadata.resource_version == str(change.resource_version)
            if len(versions) == 3:
                break
    assert await take(store, versions[1], 1) == ["ADDED quay"]


async def test_a_watch_from_before_what_is_remembered_is_gone(tmp_path: Path, store: Store) -> None:
    store.apply(camera("wharf"), manager="file")
    version = store.resource_version
    for number in range(10):
        store.apply(camera(f"camera-{number}"), manager="file")
        store.delete(key(f"camera-{number}"), manager="file")
    with pytest.raises(Gone):
        await take(store, version, 1)
    store.close()
    again = Store(tmp_path / "store.sqlite3", remembered_deletions=5)
    with pytest.raises(Gone):
        await take(again, version, 1)
    assert await take(again, 0, 1) == ["ADDED wharf"]
    again.close()


@pytest.mark.parametrize("since", [-1, 10_000_000])
async def test_a_version_that_never_was_is_gone(store: Store, since: int) -> None:
    with pytest.raises(Gone):
        await take(store, since, 1)


async def test_a_watch_that_fell_behind_what_is_remembered_ends_with_gone(store: Store) -> None:
    store.apply(camera("wharf"), manager="file")
    with anyio.fail_after(30):
        async with aclosing(store.watch(0)) as changes:
            await anext(changes)
            for number in range(10):
                store.apply(camera(f"camera-{number}"), manager="file")
                store.delete(key(f"camera-{number}"), manager="file")
            with pytest.raises(Gone):
                await anext(changes)


@pytest.mark.slow
async def test_a_slow_watcher_costs_no_memory_and_then_sees_the_end(store: Store) -> None:
    for number in range(10):
        store.apply(camera(f"camera-{number}"), manager="file")
    with anyio.fail_after(60):
        async with aclosing(store.watch(0)) as changes:
            await anext(changes)
            updates(store, 500)
            gc.collect()
            tracemalloc.start()
            updates(store, 2000)
            gc.collect()
            grown, _peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert grown < 300_000
            seen = [await anext(changes) for _ in range(9 + 10)]
    assert {words(change) for change in seen[9:]} == {f"MODIFIED camera-{n}" for n in range(10)}
    assert all(change.resource.status.observed_generation == 1999 for change in seen[9:])


def updates(store: Store, count: int) -> None:
    for number in range(count):
        for camera_number in range(10) if number == count - 1 else (number % 10,):
            store.set_status(key(f"camera-{camera_number}"), {"observedGeneration": number})


async def test_closing_the_store_ends_its_watches(store: Store) -> None:
    ended: list[str] = []
    async with anyio.create_task_group() as group:

        async def follow() -> None:
            async for _change in store.watch(0):
                pass
            async for _event in store.watch_events(0):
                pass
            ended.append("both")

        group.start_soon(follow)
        await anyio.wait_all_tasks_blocked()
        store.close()
    assert ended == ["both"]


async def test_a_watcher_that_left_is_forgotten(store: Store) -> None:
    for _ in range(20):
        with anyio.move_on_after(0.001):
            async with aclosing(store.watch(store.resource_version)) as changes:
                await anext(changes)
    assert not store._signal._waiting


async def test_a_signal_that_rang_before_does_not_make_anybody_wait() -> None:
    signal = Signal()
    signal.ring(5)
    with anyio.fail_after(1):
        assert await signal.wait_past(4)
    with anyio.move_on_after(0.01) as scope:
        await signal.wait_past(5)
    assert scope.cancelled_caught
