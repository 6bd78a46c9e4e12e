"""The jitter buffer: sound and picture stay together, nothing is lost or doubled while all goes well."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from vistterstream.playout.frames import Frame
from vistterstream.playout.jitter import JitterBuffer, Taken
from vistterstream.playout.sound import Samples, samples_before, samples_of

RATES = [Fraction(25), Fraction(30), Fraction(30000, 1001), Fraction(60000, 1001), Fraction(24000, 1001)]
WRAP = 30_000


def numbered(start: int, count: int) -> bytes:
    """Samples that carry their own number (plus one, so that none is silence) in the two channels."""
    right, left = np.divmod(np.arange(start + 1, start + count + 1), WRAP)
    return np.stack([left, right], axis=1).astype(np.int16).tobytes()


def numbers_of(samples: Samples) -> list[int]:
    """The numbers that samples carry; -1 for silence."""
    numbers: list[int] = (samples[:, 0] + samples[:, 1].astype(np.int64) * WRAP - 1).tolist()
    return numbers


class Camera:
    """Puts numbered pictures and the sound that goes with them, a little ahead as FFmpeg interleaves it."""

    def __init__(self, buffer: JitterBuffer, rate: Fraction, *, sound: bool = True, ahead: int = 300) -> None:
        self.buffer, self.rate, self.sound, self.ahead = buffer, rate, sound, ahead
        self.sent = 0  # samples
        self.frames: list[Frame] = []
        self.numbers: dict[int, int] = {}
        self.released: list[Frame] = []

    def send(self, count: int = 1) -> None:
        for _ in range(count):
            if self.sound:
                due = samples_before(len(self.frames), self.rate) + self.ahead
                self.buffer.put_sound(numbered(self.sent, due - self.sent))
                self.sent = due
            frame = Frame(2, 2)
            self.numbers[id(frame)] = len(self.frames)
            self.frames.append(frame)
            self.released += self.buffer.put_frame(frame)

    def number(self, frame: Frame) -> int:
        return self.numbers[id(frame)]

    def take(self, samples: int) -> Taken | None:
        taken, released = self.buffer.take(samples)
        self.released += released
        return taken


def make(rate: Fraction, *, capacity: int = 12, sound: bool = True) -> Camera:
    return Camera(JitterBuffer(rate, capacity=capacity), rate, sound=sound)


@settings(max_examples=40)
@given(st.sampled_from(RATES), st.integers(0, 10**7), st.integers(1, 9))
def test_in_steady_state_every_picture_comes_once_and_no_sample_is_lost_or_doubled(
    rate: Fraction, first: int, depth: int
) -> None:
    camera = make(rate)
    camera.send(depth + 1)
    pictures: list[int] = []
    sound: list[int] = []
    for tick in range(12):
        taken = camera.take(samples_of(first + tick, rate))
        assert taken is not None
        assert taken.samples is not None
        assert taken.fresh
        pictures.append(camera.number(taken.frame))
        sound += numbers_of(taken.samples)
        camera.send()
    assert pictures == list(range(12))
    assert sound == list(range(len(sound)))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(RATES), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_whatever_comes_in_whatever_bursts_sound_belongs_to_its_picture(
    rate: Fraction, turns: list[tuple[int, int]]
) -> None:
    camera, ticks, shown = make(rate, capacity=6), 0, -1
    for puts, takes in turns:
        camera.send(puts)
        for _ in range(takes):
            taken = camera.take(samples_of(ticks, rate))
            ticks += 1
            if taken is None:
                assert shown == -1, "once it has shown something it always does"
                continue
            assert taken.samples is not None
            number, heard = camera.number(taken.frame), numbers_of(taken.samples)
            if not taken.fresh:
                assert number == shown
                assert set(heard) == {-1}, "a repeated picture brings silence"
                continue
            assert number > shown
            shown = number
            assert abs(heard[0] - samples_before(number, rate)) <= 1
            assert heard == list(range(heard[0], heard[0] + len(heard)))


class Bookkeeping(RuleBasedStateMachine):
    """No picture is given back twice, or while it is shown; none is forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.camera = make(Fraction(25), capacity=5, sound=False)
        self.ended = False

    @precondition(lambda self: not self.ended)
    @rule(count=st.integers(1, 8))
    def send(self, count: int) -> None:
        self.camera.send(count)

    @rule()
    def take(self) -> None:
        taken = self.camera.take(1920)
        if taken is not None:
            assert taken.frame is self.camera.buffer.current
            assert all(taken.frame is not frame for frame in self.camera.released)

    @rule()
    def end(self) -> None:
        self.ended = True
        self.camera.buffer.end()

    @invariant()
    def each_is_given_back_once_at_most(self) -> None:
        assert len({id(frame) for frame in self.camera.released}) == len(self.camera.released)

    def teardown(self) -> None:
        left = self.camera.buffer.clear()
        back = [*self.camera.released, *left]
        assert sorted(map(id, back)) == sorted(map(id, self.camera.frames))


TestBookkeeping = Bookkeeping.TestCase
TestBookkeeping.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


def test_nothing_is_shown_before_two_pictures_have_come() -> None:
    camera = make(Fraction(30), sound=False)
    assert camera.take(1600) is None
    camera.send()
    assert camera.take(1600) is None
    camera.send()
    taken = camera.take(1600)
    assert taken is not None
    assert taken.frame is camera.frames[0]


def test_a_camera_without_sound_gives_none_and_keeps_no_picture_back() -> None:
    camera = make(Fraction(30), sound=False)
    camera.send(2)
    for number in range(2):
        taken = camera.take(1600)
        assert taken is not None
        assert taken.frame is camera.frames[number]
        assert taken.samples is None


def test_a_camera_that_pauses_repeats_its_last_picture_and_says_so() -> None:
    camera = make(Fraction(30), sound=False)
    camera.send(2)
    taken = [camera.take(1600) for _ in range(5)]
    assert [item.fresh for item in taken if item is not None] == [True, True, False, False, False]
    assert camera.buffer.repeated == 3


def test_a_camera_that_runs_ahead_loses_its_oldest_pictures() -> None:
    camera = make(Fraction(30), capacity=4, sound=False)
    camera.send(10)
    assert camera.buffer.full
    assert camera.buffer.dropped == 6
    assert camera.released == camera.frames[:6]
    taken = camera.take(1600)
    assert taken is not None
    assert taken.frame is camera.frames[6]


def test_delay_that_crept_in_goes_again_one_frame_at_a_time() -> None:
    camera = make(Fraction(30), sound=False)
    camera.send(9)
    for _ in range(30 * 5 * 8):
        camera.take(1)
        camera.send()
    assert camera.buffer.dropped == 7, "of nine, two stay"


def test_what_has_ended_is_shown_to_the_last_picture() -> None:
    camera = make(Fraction(30))
    camera.send(3)
    camera.buffer.end()
    shown = [camera.take(1600) for _ in range(3)]
    assert [item.frame for item in shown if item is not None] == camera.frames


def test_a_single_picture_that_has_ended_can_be_shown() -> None:
    camera = make(Fraction(30), sound=False)
    camera.send()
    camera.buffer.end()
    assert camera.take(1600) is not None


def test_sound_that_is_missing_is_silence_and_what_follows_is_in_place() -> None:
    rate = Fraction(30)
    buffer = JitterBuffer(rate, capacity=12)
    buffer.put_sound(numbered(0, 1000))  # 600 short of the first frame
    for _ in range(3):
        buffer.put_frame(Frame(2, 2))
    taken, _ = buffer.take(1600)
    assert taken is not None
    assert taken.samples is not None
    assert numbers_of(taken.samples) == [*range(1000), *[-1] * 600]


def test_sound_that_runs_far_ahead_does_not_fill_the_memory() -> None:
    buffer = JitterBuffer(Fraction(30), capacity=12)
    for second in range(60):
        buffer.put_sound(numbered(second * 48_000, 48_000))
    assert len(buffer._sound) <= (12 + 64) * 1600 * 4
    for _ in range(3):
        buffer.put_frame(Frame(2, 2))
    taken, _ = buffer.take(1600)
    assert taken is not None
    assert taken.samples is not None
    assert set(numbers_of(taken.samples)) == {-1}, "what was given up is silence, not sound of later"


def test_a_camera_that_stands_by_keeps_the_newest_picture_and_the_one_in_hand() -> None:
    buffer = JitterBuffer(Fraction(30), capacity=4)
    frames = [Frame(2, 2) for _ in range(4)]
    released = [buffer.replace(frame) for frame in frames]
    assert buffer.current is frames[3]
    assert released == [[], [], [frames[0]], [frames[1]]]


@pytest.mark.parametrize("rate", RATES)
def test_a_gap_costs_the_sound_of_the_gap_alone(rate: Fraction) -> None:
    camera = make(rate, capacity=5)
    camera.send(20)  # fifteen are dropped
    taken = camera.take(samples_of(0, rate))
    assert taken is not None
    assert taken.samples is not None
    assert numbers_of(taken.samples)[0] == samples_before(15, rate)
