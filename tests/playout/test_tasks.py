"""Running things by name: replaced one after the other, ended when told, never taking others down."""

from __future__ import annotations

import io
import threading

import anyio
import pytest
import structlog

from reconcile.virtual import BACKEND
from vistterstream.base import logs
from vistterstream.playout.tasks import Running

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> object:
    """Time jumps: nothing here waits for anything real."""
    return BACKEND


class Thing:
    """Notes when it starts and ends; takes `ending` seconds to end, or fails as often as told."""

    def __init__(self, said: list[str], name: str, *, ending: float = 0.0, failures: int = 0) -> None:
        self.said, self.name, self.ending, self.failures = said, name, ending, failures

    async def run(self) -> None:
        self.said.append(f"{self.name} starts")
        if self.failures:
            self.failures -= 1
            raise RuntimeError("broken")
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(self.ending)
            self.said.append(f"{self.name} ends")


async def test_things_run_until_they_are_removed() -> None:
    said: list[str] = []
    async with anyio.create_task_group() as tasks:
        running: Running[Thing] = Running(tasks)
        running.put("a", Thing(said, "a"))
        running.put("b", Thing(said, "b"))
        await anyio.sleep(1)
        assert [*running] == ["a", "b"]
        assert [name for name, _ in running.items()] == ["a", "b"]
        assert [thing.name for thing in running.values()] == ["a", "b"]
        running.remove("a")
        assert running.get("a") is None
        assert running.get("b") is not None
        await anyio.sleep(1)
        assert said == ["a starts", "b starts", "a ends"]
        running.remove("nobody")
        await running.stop()
    assert said[-1] == "b ends"


async def test_a_successor_starts_when_the_one_before_has_ended_and_nobody_waits_for_that() -> None:
    said: list[str] = []
    async with anyio.create_task_group() as tasks:
        running: Running[Thing] = Running(tasks)
        running.put("a", Thing(said, "first", ending=3))
        await anyio.sleep(1)
        started = anyio.current_time()
        running.put("a", Thing(said, "second"))
        assert anyio.current_time() == started
        assert running.values()[0].name == "second"
        await anyio.sleep(2.9)
        assert said == ["first starts"]
        await anyio.sleep(0.2)
        assert said == ["first starts", "first ends", "second starts"]
        await running.stop()


async def test_what_comes_back_after_it_was_removed_waits_for_its_predecessor_too() -> None:
    said: list[str] = []
    async with anyio.create_task_group() as tasks:
        running: Running[Thing] = Running(tasks)
        running.put("a", Thing(said, "first", ending=3))
        await anyio.sleep(1)
        running.remove("a")
        await anyio.sleep(1)
        running.put("a", Thing(said, "second"))
        await anyio.sleep(5)
        assert said == ["first starts", "first ends", "second starts"]
        await running.stop()


async def test_one_that_is_replaced_before_its_turn_never_starts() -> None:
    said: list[str] = []
    async with anyio.create_task_group() as tasks:
        running: Running[Thing] = Running(tasks)
        running.put("a", Thing(said, "first", ending=3))
        await anyio.sleep(1)
        running.put("a", Thing(said, "second"))
        running.put("a", Thing(said, "third"))
        await anyio.sleep(5)
        assert said == ["first starts", "first ends", "third starts"]
        await running.stop()


async def test_stopping_waits_for_everything_that_is_on_its_way_out() -> None:
    said: list[str] = []
    async with anyio.create_task_group() as tasks:
        running: Running[Thing] = Running(tasks)
        for name, ending in (("slow", 5.0), ("quick", 0.0)):
            running.put(name, Thing(said, name, ending=ending))
        await anyio.sleep(1)
        running.remove("slow")
        running.put("slow", Thing(said, "other", ending=1))
        started = anyio.current_time()
        await running.stop()
        assert anyio.current_time() - started == pytest.approx(5, abs=1.1)
    assert sorted(said) == ["quick ends", "quick starts", "slow ends", "slow starts"]


async def test_a_thing_that_fails_starts_again_and_the_others_go_on() -> None:
    said: list[str] = []
    log = io.StringIO()
    logs.configure(stream=log)
    try:
        async with anyio.create_task_group() as tasks:
            running: Running[Thing] = Running(tasks)
            running.put("bad", Thing(said, "bad", failures=2))
            running.put("good", Thing(said, "good"))
            await anyio.sleep(1.5)
            assert said == ["bad starts", "good starts", "bad starts"]
            await anyio.sleep(1)
            assert said.count("bad starts") == 3
            assert "good ends" not in said
            await running.stop()
    finally:
        structlog.reset_defaults()
    assert log.getvalue().count("RuntimeError: broken") == 2
    assert '"worker": "bad"' in log.getvalue()


async def test_cancelling_from_outside_ends_everything() -> None:
    said: list[str] = []
    with anyio.move_on_after(1):
        async with anyio.create_task_group() as tasks:
            running: Running[Thing] = Running(tasks)
            running.put("a", Thing(said, "a", ending=1))
            await anyio.sleep(0.5)
            running.put("a", Thing(said, "b"))
            await anyio.sleep_forever()
    assert said == ["a starts", "a ends"]


async def test_stopping_ends_where_everything_was_cancelled_from_outside_before() -> None:
    said: list[str] = []
    with anyio.fail_after(10):
        with anyio.move_on_after(1):
            async with anyio.create_task_group() as tasks:
                running: Running[Thing] = Running(tasks)
                running.put("a", Thing(said, "a", ending=1))
                try:
                    await anyio.sleep_forever()
                finally:
                    with anyio.CancelScope(shield=True):
                        await anyio.sleep(3)
                        await running.stop()
    assert said == ["a starts", "a ends"]


async def test_another_thread_may_look_while_things_come_and_go() -> None:
    failures: list[BaseException] = []
    done = threading.Event()
    async with anyio.create_task_group() as tasks:
        running: Running[Thing] = Running(tasks)

        def look() -> None:
            try:
                while not done.is_set():
                    assert len(running.values()) <= 50
                    assert len(running.items()) <= 50
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=look)
        thread.start()
        for turn in range(10):
            for number in range(50):
                running.put(str(number), Thing([], "x"))
            if turn % 2:
                for number in range(50):
                    running.remove(str(number))
            await anyio.sleep(0.01)
        done.set()
        thread.join()
        await running.stop()
    assert not failures
