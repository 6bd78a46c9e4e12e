"""A projector shows the picture that belongs to the frame: late, after a jump, paused, in the next round."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from peers.vistter import command_line
from playout.clips import LENGTH, numbered_clip, read_number
from playout.plans import FORMAT, FPS
from playout.waiting import eventually
from vistterstream.base.clocks import steady_ns
from vistterstream.playout.clock import Epoch, Ticker
from vistterstream.playout.projector import Projector
from vistterstream.playout.reel import AtEnd, Reel
from vistterstream.playout.sound import samples_of
from vistterstream.timeline.reels import Turn

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]
RATE = FORMAT.frame_rate.fraction


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Air:
    """A clock that shows the projector in each frame, and what it showed: by frame, the picture's number."""

    def __init__(self, projector: Projector) -> None:
        self.projector = projector
        self.shown: dict[int, int | None] = {}
        self.fresh: dict[int, bool] = {}
        self.last = -1

    def tick(self, number: int, _repeat: bool) -> None:
        samples = samples_of(number, RATE)
        usable = self.projector.usable(number, samples)
        taken = self.projector.take(number, samples, usable)
        assert (taken is not None) == usable
        self.shown[number] = None if taken is None else read_number(taken.frame)
        self.fresh[number] = taken is not None and taken.fresh
        self.last = number

    async def reach(self, frame: int) -> None:
        await eventually(lambda: self.last >= frame, 20)


@asynccontextmanager
async def on_air(turn: Callable[[int], Turn], at_end: AtEnd, *, hold: float = 0.0) -> AsyncIterator[Air]:
    projector = Projector("film", str(numbered_clip()), FORMAT, os.environ)
    projector.hold = hold
    projector.follow(Reel(RATE, turn, at_end))
    projector.want(True)
    air = Air(projector)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(projector.run)
        projector.take(0, 3200, False)
        await eventually(lambda: projector.usable(0, 3200), 20)
        epoch = Epoch(steady_ns(), time.time_ns())
        ticker = Ticker(lambda: epoch, RATE, air.tick, lambda _frame: None)
        ticker.start()
        try:
            yield air
        finally:
            await anyio.to_thread.run_sync(ticker.stop)
            tasks.cancel_scope.cancel()
    assert ticker.failure is None


def decoding_threads(projector: Projector) -> str:
    assert projector.pid is not None
    argv = command_line(projector.pid)
    return argv[argv.index("-threads") + 1]


def exact(air: Air, picture: Callable[[int], int | None], *, first: int = 0, late: int = FPS) -> None:
    """Each picture is that of its frame; on a busy machine some, at most `late`, may be missing."""
    fresh = {n: air.shown[n] for n, fresh in air.fresh.items() if fresh and n >= first}
    assert not {n: (found, picture(n)) for n, found in fresh.items() if found != picture(n)}
    missing = [n for n, fresh in air.fresh.items() if not fresh and n >= first]
    assert len(missing) <= late, missing


async def test_a_late_start_shows_the_picture_of_the_frame_and_every_round_begins_in_time() -> None:
    behind = 10**6 * LENGTH + 37
    async with on_air(lambda n: Turn(n + behind, behind, 0), AtEnd.LOOP) as air:
        await air.reach(3 * LENGTH)
    exact(air, lambda n: (n + behind) % LENGTH)


async def test_a_jump_that_can_be_foreseen_costs_nothing() -> None:
    def turn(number: int) -> Turn:
        return Turn(number, 0, 0) if number < 40 else Turn(number - 40 + 3, 3, 40)

    async with on_air(turn, AtEnd.LOOP) as air:
        await air.reach(70)
    exact(air, lambda n: n if n < 40 else n - 37)


async def test_a_jump_that_cannot_be_foreseen_keeps_the_last_picture_and_then_is_exact() -> None:
    async with on_air(lambda n: Turn(n, 0, 0), AtEnd.LOOP, hold=2.0) as air:
        await air.reach(20)
        air.projector.follow(Reel(RATE, lambda n: Turn(n + 31, 31, 0), AtEnd.LOOP))
        jumped = air.last
        await air.reach(jumped + 40)
    assert all(air.shown[n] is not None for n in range(jumped - 2, jumped + 40)), "no slate in between"
    exact(air, lambda n: (n + 31) % LENGTH, first=jumped + 2, late=2 * FPS - 2)
    assert air.fresh[jumped + 40]


async def test_a_pause_keeps_the_picture_without_sound_and_goes_on_from_it() -> None:
    def turn(number: int) -> Turn:
        return Turn(min(number, 30) + max(number - 50, 0), 0, 0, still=30 < number <= 50)

    async with on_air(turn, AtEnd.LOOP) as air:
        await air.reach(75)
    exact(air, lambda n: min(n, 30) + max(n - 50, 0))


async def test_a_file_that_holds_shows_its_last_picture_for_ever() -> None:
    async with on_air(lambda n: Turn(n, 0, 0), AtEnd.HOLD) as air:
        await air.reach(LENGTH + 20)
    exact(air, lambda n: min(n, LENGTH - 1))


async def test_an_in_point_behind_the_end_is_told() -> None:
    projector = Projector("film", str(numbered_clip()), FORMAT, os.environ)
    projector.follow(Reel(RATE, lambda n: Turn(n + LENGTH, LENGTH, 0), AtEnd.HOLD, LENGTH))
    projector.want(True)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(projector.run)
        await eventually(lambda: projector.failure is not None, 20)
        tasks.cancel_scope.cancel()
    assert projector.failure is not None
    assert projector.failure.reason == "InPointTooLate"
    assert not projector.usable(0, 3200)


async def test_a_frozen_process_gives_way_and_is_replaced_in_the_next_round() -> None:
    async with on_air(lambda n: Turn(n, 0, 0), AtEnd.LOOP, hold=0.5) as air:
        await air.reach(3)
        assert air.projector.pid is not None
        os.kill(air.projector.pid, signal.SIGSTOP)
        await eventually(lambda: not air.projector.usable(air.last, 3200), 10)
        assert air.last < LENGTH, "what was read ahead is shown, and held for half a second, no longer"
        await eventually(lambda: air.fresh[air.last], 15)
        again = air.last
        await air.reach(again + FPS)
    exact(air, lambda n: n % LENGTH, first=again)


async def test_two_threads_decode_from_where_one_was_too_slow_for_a_second() -> None:
    async with on_air(lambda n: Turn(n, 0, 0), AtEnd.HOLD) as air:
        assert decoding_threads(air.projector) == "1"
        slow = air.projector.pid
        assert slow is not None
        os.kill(slow, signal.SIGSTOP)
        await eventually(lambda: air.projector.pid not in (slow, None), 15)
        assert decoding_threads(air.projector) == "2"
        await eventually(lambda: air.fresh[air.last], 15)


async def test_a_file_that_is_replaced_is_played_from_its_next_round(tmp_path: Path) -> None:
    file = tmp_path / "film.mp4"
    file.write_bytes(numbered_clip().read_bytes())
    projector = Projector("film", str(file), FORMAT, os.environ)
    projector.follow(Reel(RATE, lambda n: Turn(n, 0, 0), AtEnd.LOOP))
    projector.want(True)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(projector.run)
        projector.take(0, 3200, False)
        await eventually(lambda: projector.usable(0, 3200))
        file.unlink()
        assert projector.take(0, 3200, True) is not None, "what is open plays on"
        projector.take(30, 3200, False)
        await eventually(lambda: projector.usable(30, 3200))
        projector.take(LENGTH - 5, 3200, False)
        await eventually(lambda: projector.failure is not None and projector.failure.reason == "FileNotFound")
        file.write_bytes(numbered_clip().read_bytes())
        projector.take(LENGTH, 3200, False)
        await eventually(lambda: projector.usable(LENGTH, 3200), 20)
        await eventually(lambda: projector.failure is None)
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_file_that_failed_is_tried_again_as_soon_as_it_is_another(
    tmp_path: Path, wanted: bool
) -> None:
    file = tmp_path / "film.mp4"
    projector = Projector("film", str(file), FORMAT, os.environ)
    projector.follow(Reel(RATE, lambda n: Turn(n, 0, 0), AtEnd.LOOP))
    projector.want(True)

    def reason() -> str:
        return projector.failure.reason if projector.failure is not None else ""

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(projector.run)
        projector.take(0, 3200, False)
        await eventually(lambda: reason() == "FileNotFound")
        projector.want(wanted)
        for _ in range(20):  # by itself it would not be tried again before the test is over
            projector._backoff.next()
        projector._retry_at = time.monotonic() + 1000
        file.write_bytes(os.urandom(100_000))
        await eventually(lambda: reason() == "InvalidData")
        projector._retry_at = time.monotonic() + 1000
        file.unlink()
        await eventually(lambda: reason() == "FileNotFound")
        projector._retry_at = time.monotonic() + 1000
        file.symlink_to(numbered_clip())
        await eventually(lambda: reason() == "")
        if wanted:
            await eventually(lambda: projector.usable(0, 3200))
        tasks.cancel_scope.cancel()


async def test_a_clock_that_goes_on_while_it_is_asked_what_is_needed_costs_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    projector = Projector("film", str(numbered_clip()), FORMAT, os.environ)
    projector.follow(Reel(RATE, lambda n: Turn(n, 0, 0), AtEnd.HOLD))
    projector.want(True)
    needed, asked = projector._needed, 0

    def overtaken() -> list[int]:
        nonlocal asked
        found = needed()
        if projector.number is not None and projector.usable(projector.number + 1, 3200):
            asked += 1
            assert projector.take(projector.number + 1, 3200, True) is not None
        return found

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(projector.run)
        projector.take(0, 3200, False)
        await eventually(lambda: projector.usable(0, 3200), 20)
        pid = projector.pid
        monkeypatch.setattr(projector, "_needed", overtaken)
        await eventually(lambda: asked > 20, 20)
        assert projector.pid == pid
        tasks.cancel_scope.cancel()
