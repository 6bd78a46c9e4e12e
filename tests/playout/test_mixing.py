"""The program's sound: gains, beds, and no clicks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.playout.mixing import Bus, Part, Playing, memory, playing
from vistterstream.playout.sound import Samples, crossfade, samples_of
from vistterstream.timeline.beds import Bed
from vistterstream.timeline.evaluate import TimelineIndex
from vistterstream.timeline.plan import AudioCuePlan, DuckPlan, TimelinePlan

RATE = Fraction(30)
COUNT = 1600


class Files:
    """Files of one value each, or of samples that count; `asked` is what was taken."""

    def __init__(self, values: Mapping[str, int | None]) -> None:
        self.values = dict(values)
        self.asked: list[tuple[str, int, int]] = []

    def take(self, playing: Playing, start: int, count: int) -> Samples | None:
        self.asked.append((playing.file, start, count))
        value = self.values[playing.file]
        return None if value is None else np.full((count, 2), value, np.int16)


def level(value: int, gain: float = 1.0, name: str = "a", count: int = COUNT) -> Part:
    return Part(name, np.full((count, 2), value, np.int16), gain)


def cue(
    file: str = "bed", *, gain: float = 1.0, duck: DuckPlan | None = None, end: int = 900
) -> AudioCuePlan:
    return AudioCuePlan(start=0, end=end, file=file, gain=gain, duck=duck)


def mixed(
    bus: Bus, number: int, parts: Sequence[Part], beds: Sequence[Bed] = (), files: Files | None = None
) -> Samples:
    return bus.mix(number, parts, beds, files or Files({"bed": 1000}), measure=True)


def ends(samples: Samples) -> tuple[int, int]:
    return int(samples[0, 0]), int(samples[-1, 0])


def test_unlike_sounds_dip_at_equal_gain_and_not_at_equal_power() -> None:
    """Noise of two cameras, half a second into a crossfade of one: 3 dB softer, or as loud as before."""
    random = np.random.default_rng(1)
    one, other = (random.normal(0, 3000, (48_000, 2)).astype(np.int16) for _ in range(2))
    loud = {}
    for power in (False, True):
        found = []
        for number in range(14, 16):
            start, end = number / 30, (number + 1) / 30
            now = slice(number * COUNT, (number + 1) * COUNT)
            parts = [
                Part("a", one[now], 1.0, (1 - start, 1 - end), power),
                Part("b", other[now], 1.0, (start, end), power),
            ]
            found.append(mixed(Bus(RATE), number, parts))
        loud[power] = 20 * np.log10(np.concatenate(found).std() / 3000)
    assert loud[False] == pytest.approx(-3, abs=0.2)
    assert loud[True] == pytest.approx(0, abs=0.2)


def test_a_crossfade_at_equal_power_goes_on_from_frame_to_frame_without_a_step() -> None:
    bus, found = Bus(RATE), []
    for number in range(-1, 11):
        start, end = (min(max(n / 10, 0.0), 1.0) for n in (number, number + 1))
        parts = [level(10_000, name="a"), level(0, name="b")]
        if 0 <= number < 10:
            shares = ((1 - start, 1 - end), (start, end))
            parts = [
                Part(part.name, part.samples, 1.0, share, power=True)
                for part, share in zip(parts, shares, strict=True)
            ]
        else:
            parts = parts[:1] if number < 0 else parts[1:]
        found.append(mixed(bus, number, parts))
    heard = np.concatenate(found)[:, 0].astype(int)
    assert (heard[0], heard[-1]) == (10_000, 0)
    assert np.abs(np.diff(heard)).max() <= 2


def test_what_needs_no_gain_is_not_touched() -> None:
    part = level(1234)
    assert mixed(Bus(RATE), 0, [part]) is part.samples
    other = level(-99, name="b")
    parts = [Part("a", part.samples, 1.0, (0.75, 0.5)), Part("b", other.samples, 1.0, (0.25, 0.5))]
    assert part.samples is not None
    assert other.samples is not None
    assert (mixed(Bus(RATE), 0, parts) == crossfade(part.samples, other.samples, 0.25, 0.5)).all()


def test_without_sound_there_is_silence_of_the_right_length() -> None:
    rate = Fraction(30000, 1001)
    bus = Bus(rate)
    for number in range(7):
        assert mixed(bus, number, [Part("", None, 0.5)]).tolist() == [[0, 0]] * samples_of(number, rate)


def test_a_gain_holds_from_the_first_frame_and_is_rounded() -> None:
    assert (mixed(Bus(RATE), 0, [level(1001, 0.5)]) == 500).all()  # half to even
    assert (mixed(Bus(RATE), 0, [level(20_000, 3.0)]) == 32767).all()
    assert not mixed(Bus(RATE), 0, [level(20_000, 0.0)]).any()


def test_another_gain_of_the_same_camera_comes_within_a_frame() -> None:
    bus = Bus(RATE)
    mixed(bus, 0, [level(10_000)])
    step = mixed(bus, 1, [level(10_000, 0.0)])
    assert ends(step) == (10_000, 6)
    assert (np.abs(np.diff(step[:, 0].astype(int))) <= 7).all()
    assert not mixed(bus, 2, [level(10_000, 0.0)]).any()


def test_another_camera_has_its_own_gain_at_once() -> None:
    bus = Bus(RATE)
    mixed(bus, 0, [level(10_000, 0.0)])
    assert (mixed(bus, 1, [level(10_000, 0.5, name="b")]) == 5000).all()


def test_after_a_jump_nothing_is_remembered() -> None:
    bus = Bus(RATE)
    mixed(bus, 0, [level(10_000)])
    assert (mixed(bus, 5, [level(10_000, 0.5)]) == 5000).all()


class TestBeds:
    def test_a_bed_is_added_and_clipped(self) -> None:
        files = Files({"bed": 30_000})
        assert (mixed(Bus(RATE), 0, [level(-10_000)], [Bed(cue(), 0)], files) == 20_000).all()
        assert (mixed(Bus(RATE), 0, [level(10_000)], [Bed(cue(), 0)], files) == 32767).all()

    def test_its_place_in_the_file_follows_from_the_frame(self) -> None:
        rate, files = Fraction(30000, 1001), Files({"bed": 1})
        bus, position = Bus(rate), 0
        for age in range(30):
            mixed(bus, 1000 + age, [Part("", None, 1.0)], [Bed(cue(), age)], files)
            assert files.asked[-1] == ("bed", position, samples_of(1000 + age, rate))
            position += files.asked[-1][2]

    def test_one_that_comes_in_the_middle_of_its_cue_fades_in_and_one_that_starts_does_not(self) -> None:
        bus = Bus(RATE)
        mixed(bus, 0, [Part("", None, 1.0)])
        assert ends(mixed(bus, 1, [Part("", None, 1.0)], [Bed(cue(), 7)])) == (0, 999)
        assert ends(mixed(bus, 2, [Part("", None, 1.0)], [Bed(cue(), 8)])) == (1000, 1000)
        bus = Bus(RATE)
        mixed(bus, 0, [Part("", None, 1.0)])
        assert ends(mixed(bus, 1, [Part("", None, 1.0)], [Bed(cue(), 0)])) == (1000, 1000)

    def test_one_that_is_taken_away_fades_out(self) -> None:
        bus, files = Bus(RATE), Files({"bed": 1000})
        mixed(bus, 10, [Part("", None, 1.0)], [Bed(cue(), 7)], files)
        assert ends(mixed(bus, 11, [Part("", None, 1.0)], [], files)) == (1000, 1)
        assert files.asked[-1] == ("bed", 8 * COUNT, COUNT)
        assert not mixed(bus, 12, [Part("", None, 1.0)], [], files).any()
        assert len(files.asked) == 2

    def test_another_gain_comes_within_a_frame_and_the_file_goes_on(self) -> None:
        bus, files = Bus(RATE), Files({"bed": 10_000})
        mixed(bus, 10, [Part("", None, 1.0)], [Bed(cue(), 7)], files)
        assert ends(mixed(bus, 11, [Part("", None, 1.0)], [Bed(cue(gain=0.5), 8)], files)) == (10_000, 5003)
        assert ends(mixed(bus, 12, [Part("", None, 1.0)], [Bed(cue(gain=0.5), 9)], files)) == (5000, 5000)
        assert [start for _, start, _ in files.asked] == [7 * COUNT, 8 * COUNT, 9 * COUNT]

    def test_what_is_not_there_is_silent_and_fades_in_when_it_is(self) -> None:
        bus, files = Bus(RATE), Files({"bed": None})
        assert (mixed(bus, 0, [level(5)], [Bed(cue(), 0)], files) == 5).all()
        files.values["bed"] = 1000
        assert ends(mixed(bus, 1, [level(5)], [Bed(cue(), 1)], files)) == (5, 1004)

    def test_a_cue_that_ends_ends_in_silence(self) -> None:
        bus = Bus(RATE)
        found = [mixed(bus, n, [Part("", None, 1.0)], [Bed(cue(end=3), n)]) for n in range(3)]
        assert [ends(one) for one in found] == [(1000, 1000), (1000, 1000), (1000, 1)]
        assert not mixed(bus, 3, [Part("", None, 1.0)]).any()

    def test_two_of_the_same_are_heard_twice(self) -> None:
        found = playing([Bed(cue(), 3), Bed(cue(), 3), Bed(cue(), 4)], 10)
        assert [which for which, _ in found] == [
            Playing("bed", False, 7, 0),
            Playing("bed", False, 7, 1),
            Playing("bed", False, 6, 0),
        ]
        assert (mixed(Bus(RATE), 9, [level(0)], [Bed(cue(), 0), Bed(cue(), 0)]) == 2000).all()

    def test_it_goes_down_for_the_sound_of_the_pictures_and_comes_back(self) -> None:
        duck = DuckPlan(threshold=1e-3, factor=0.1, attack=1, hold=2, release=2)
        bus, beds = Bus(RATE), [Bed(cue(duck=duck), age) for age in range(12)]
        loud = [0, 0, 9000, 0, 0, 0, 0, 0, 0]
        found = [mixed(bus, n, [level(value)], [beds[n]]) - value for n, value in enumerate(loud)]
        assert [ends(one)[0] for one in found] == [1000, 1000, 1000, 100, 100, 100, 316, 1000, 1000]

    @pytest.mark.slow
    @given(st.integers(0, 60))
    def test_frames_made_from_the_middle_are_the_same(self, first: int) -> None:
        duck = DuckPlan(threshold=1e-3, factor=0.1, attack=3, hold=2, release=5)
        one = cue(duck=duck)
        plan = TimelinePlan(name="t", length=900, loop=False, audio=(one,))

        def run(numbers: range) -> Samples:
            bus, files = Bus(RATE), Files({"bed": 12_000})
            for number in numbers:
                loud = 8000 if number % 23 < 3 else 10
                sound = mixed(bus, number, [level(loud)], [Bed(one, number)], files)
            return sound

        start = max(0, first - memory(TimelineIndex(plan)))
        assert (run(range(start, first + 1)) == run(range(first + 1))).all()


def test_the_memory_is_that_of_the_longest_duck() -> None:
    assert memory(None) == 0
    assert memory(TimelineIndex(TimelinePlan(name="t", length=9, loop=False))) == 0
    plain = TimelinePlan(name="t", length=9, loop=False, audio=(cue(end=9),))
    assert memory(TimelineIndex(plain)) == 1
    duck = DuckPlan(threshold=0.1, factor=0.1, attack=3, hold=2, release=5)
    plan = plain.model_copy(update={"audio": (cue(end=9), cue(end=9, duck=duck))})
    assert memory(TimelineIndex(plan)) == 11


@pytest.mark.parametrize("gain", [0.3, 1.0])
def test_a_crossfade_has_the_gains_of_both(gain: float) -> None:
    one, two = np.full((COUNT, 2), 10_000, np.int16), np.full((COUNT, 2), 20_000, np.int16)
    parts = [Part("a", one, gain, (1.0, 0.5)), Part("b", two, 0.5, (0.0, 0.5))]
    found = mixed(Bus(RATE), 0, parts)[:, 0].astype(float)
    share = np.linspace(0, 0.5, COUNT, endpoint=False)
    assert found == pytest.approx(10_000 * gain * (1 - share) + 10_000 * share, abs=1)
