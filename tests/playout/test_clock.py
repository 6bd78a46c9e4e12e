"""Frames are due at exact instants, whatever happens to the machine, its clocks and the playout."""

from __future__ import annotations

import json
import threading
import time
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peers.waiting import until
from vistterstream.base.clocks import steady_ns
from vistterstream.base.processes import boot_id
from vistterstream.playout import clock
from vistterstream.playout.clock import NANOSECONDS, Epoch, Ticker, load_epoch, save_epoch

RATES = [Fraction(25), Fraction(30), Fraction(60), Fraction(30000, 1001), Fraction(24000, 1001)]
YEAR = 366 * 24 * 3600
EPOCH = Epoch(monotonic_ns=123_456_789, wall_ns=1_700_000_000 * NANOSECONDS)


@given(st.sampled_from(RATES), st.integers(0, YEAR * 60))
def test_a_frame_is_due_at_its_exact_instant_to_the_nanosecond_for_a_year(rate: Fraction, frame: int) -> None:
    exact = EPOCH.monotonic_ns + frame * NANOSECONDS / rate
    assert exact - 1 < EPOCH.due_ns(frame, rate) <= exact
    assert EPOCH.wall_of(frame, rate) - EPOCH.due_ns(frame, rate) == EPOCH.wall_ns - EPOCH.monotonic_ns


def test_a_thousand_and_one_seconds_are_thirty_thousand_frames_of_29_97() -> None:
    rate = Fraction(30000, 1001)
    assert EPOCH.due_ns(30000, rate) - EPOCH.monotonic_ns == 1001 * NANOSECONDS


@given(st.sampled_from(RATES), st.integers(-1000, YEAR * 60))
def test_the_frame_at_its_due_time_is_that_frame_and_a_nanosecond_later_the_next(
    rate: Fraction, frame: int
) -> None:
    due = EPOCH.due_ns(frame, rate)
    assert EPOCH.frame_at(due, rate) == frame
    assert EPOCH.frame_at(due + 1, rate) in (frame, frame + 1)  # due is rounded down
    assert EPOCH.frame_at(due + 2, rate) == frame + 1


@given(st.integers(-(10**15), 10**15), st.integers(0, 10**15))
def test_setting_the_wall_clock_moves_the_time_of_day_and_no_frame(step: int, passed: int) -> None:
    now, wall = EPOCH.monotonic_ns + passed, EPOCH.wall_ns + passed + step
    stepped = EPOCH.stepped(now, wall)
    assert stepped.due_ns(77, Fraction(30)) == EPOCH.due_ns(77, Fraction(30))
    if abs(step) > 100_000_000:
        assert stepped.wall_ns == EPOCH.wall_ns + step
        assert stepped.stepped(now, wall) is stepped
    else:
        assert stepped is EPOCH


# --- epoch.json -----------------------------------------------------------------------------------------


def test_the_epoch_of_a_new_program_is_now_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "epoch.json"
    before = steady_ns()
    epoch = load_epoch(file)
    assert before <= epoch.monotonic_ns <= steady_ns()
    assert load_epoch(file) == epoch
    assert json.loads(file.read_text())["boot_id"] == boot_id()


def test_after_a_reboot_the_count_goes_on_by_the_time_of_day(tmp_path: Path) -> None:
    file = tmp_path / "epoch.json"
    hour = 3600 * NANOSECONDS
    wall = time.time_ns() - hour
    stored = {"boot_id": "another", "monotonic_ns": 10**18, "wall_ns": wall}
    file.write_text(json.dumps(stored))
    epoch = load_epoch(file)
    assert epoch.wall_ns == wall
    assert abs(epoch.monotonic_ns - (steady_ns() - hour)) < NANOSECONDS
    frame = epoch.frame_at(steady_ns(), Fraction(30))
    assert 3600 * 30 <= frame <= 3600 * 30 + 30
    assert load_epoch(file) == epoch, "it is written down for this boot"


def test_a_wall_clock_that_was_set_while_no_playout_ran_is_followed(tmp_path: Path) -> None:
    file = tmp_path / "epoch.json"
    epoch = load_epoch(file)
    save_epoch(file, Epoch(epoch.monotonic_ns, epoch.wall_ns - 3600 * NANOSECONDS))
    again = load_epoch(file)
    assert again.monotonic_ns == epoch.monotonic_ns
    assert abs(again.wall_ns - epoch.wall_ns) < NANOSECONDS


def test_a_machine_without_a_battery_that_wakes_in_the_past_is_on_air_at_once(tmp_path: Path) -> None:
    file = tmp_path / "epoch.json"
    future = time.time_ns() + 24 * 3600 * NANOSECONDS
    file.write_text(json.dumps({"boot_id": "another", "monotonic_ns": 5, "wall_ns": future}))
    epoch = load_epoch(file)
    assert epoch.frame_at(steady_ns(), Fraction(30)) >= 0


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"boot_id": 1}', '{"boot_id":"x","monotonic_ns":"a","wall_ns":1}']
)
def test_an_epoch_that_cannot_be_read_starts_anew(tmp_path: Path, text: str) -> None:
    file = tmp_path / "epoch.json"
    file.write_text(text)
    epoch = load_epoch(file)
    assert abs(epoch.monotonic_ns - steady_ns()) < NANOSECONDS
    assert load_epoch(file) == epoch


# --- the thread -----------------------------------------------------------------------------------------


class Run:
    """A ticker at 100 frames/s whose ticks are noted."""

    def __init__(self, *, rate: Fraction = Fraction(100)) -> None:
        self.epoch = Epoch(steady_ns(), time.time_ns())
        self.rate = rate
        self.ticks: list[tuple[int, bool, int]] = []
        self.resyncs: list[int] = []
        self.block: dict[int, float] = {}
        self.fail_at: int | None = None
        self.ticker = Ticker(lambda: self.epoch, rate, self.tick, self.resyncs.append)

    def tick(self, number: int, repeat: bool) -> None:
        self.ticks.append((number, repeat, steady_ns()))
        if number in self.block:
            threading.Event().wait(self.block[number])
        if number == self.fail_at:
            raise RuntimeError("the mixer broke")

    def until_frame(self, number: int) -> None:
        until(lambda: self.ticker.frame >= number, 10, f"frame {number}")

    def numbers(self) -> list[int]:
        return [number for number, _, _ in self.ticks]


def test_every_frame_is_ticked_once_in_order_and_not_before_it_is_due() -> None:
    run = Run()
    run.ticker.start()
    run.until_frame(30)
    run.ticker.stop()
    assert run.numbers() == list(range(run.numbers()[0], run.ticker.frame))
    assert run.numbers()[0] <= 1
    assert all(at >= run.epoch.due_ns(number, run.rate) for number, _, at in run.ticks)
    assert not run.resyncs
    assert run.ticker.failure is None


def test_a_late_tick_is_made_up_for_and_only_far_behind_pictures_repeat() -> None:
    run = Run()
    run.block = {10: 0.45}
    run.ticker.start()
    run.until_frame(80)
    run.ticker.stop()
    assert run.numbers() == list(range(run.numbers()[0], run.ticker.frame)), "none is skipped"
    repeated = [number for number, repeat, _ in run.ticks if repeat]
    assert repeated
    assert repeated[0] == 11
    assert repeated == list(range(11, 11 + len(repeated)))
    assert run.ticker.repeated == len(repeated)
    assert 15 <= len(repeated) <= 40, "until no more than 200 ms are missing"
    assert run.ticker.late >= len(repeated)
    number, _, at = run.ticks[-1]
    assert at - run.epoch.due_ns(number, run.rate) < clock.BUDGET_NS, "it has caught up"


def test_after_a_long_standstill_the_count_goes_on_from_now() -> None:
    run = Run()
    run.ticker.start()
    run.until_frame(10)
    run.epoch = Epoch(run.epoch.monotonic_ns - 60 * NANOSECONDS, run.epoch.wall_ns)
    until(lambda: run.resyncs, 10, "it has resynced")
    run.until_frame(run.resyncs[0] + 5)
    run.ticker.stop()
    (frame,) = run.resyncs
    assert 6000 <= frame <= 6200
    assert frame in run.numbers()
    assert run.numbers() == sorted(run.numbers())


def test_what_breaks_the_clock_is_told() -> None:
    run = Run()
    run.fail_at = 5
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda args: None)
        run.ticker.start()
        until(lambda: not run.ticker.alive, 10, "the thread has ended")
    assert isinstance(run.ticker.failure, RuntimeError)
    run.ticker.stop()  # does nothing


def test_stopping_waits_for_the_frame_in_hand() -> None:
    run = Run()
    run.block = {5: 0.3}
    run.ticker.start()
    until(lambda: run.ticks and run.ticks[-1][0] == 5, 10, "frame 5 is in hand")
    run.ticker.stop()
    assert run.ticker.frame == 6
    assert not run.ticker.alive


def test_a_clock_that_never_started_can_be_stopped() -> None:
    Run().ticker.stop()
