"""Sound belongs to frames exactly, and mixes without steps."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.playout.sound import at_equal_power, crossfade, samples_before, samples_of, silence

RATES = [Fraction(25), Fraction(30), Fraction(60), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(1)]


@given(st.sampled_from(RATES), st.integers(-(10**9), 10**10))
def test_sound_never_drifts_from_the_picture(rate: Fraction, frame: int) -> None:
    exact = frame * 48_000 / rate
    assert exact - 1 < samples_before(frame, rate) <= exact


@given(st.sampled_from(RATES), st.integers(0, 10**9), st.integers(1, 200))
def test_the_samples_of_frames_add_up(rate: Fraction, frame: int, count: int) -> None:
    total = sum(samples_of(frame + index, rate) for index in range(count))
    assert total == samples_before(frame + count, rate) - samples_before(frame, rate)


@pytest.mark.parametrize(("rate", "sizes"), [(Fraction(30), {1600}), (Fraction(30000, 1001), {1601, 1602})])
def test_a_frame_has_its_share(rate: Fraction, sizes: set[int]) -> None:
    assert {samples_of(frame, rate) for frame in range(1000)} == sizes


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 2000))
def test_at_equal_power_the_squares_add_up_to_one_and_the_ends_are_whole(
    start: float, end: float, count: int
) -> None:
    incoming, outgoing = at_equal_power(start, end, count), at_equal_power(1 - start, 1 - end, count)
    assert incoming.dtype == np.float32
    assert np.abs(incoming**2 + outgoing**2 - 1).max() < 1e-6
    assert (at_equal_power(0, 0, count) == 0).all()
    assert (at_equal_power(1, 1, count) == 1).all()


def test_silence_is_silent() -> None:
    assert silence(3).tolist() == [[0, 0]] * 3
    assert silence(3).dtype == np.int16


def test_a_crossfade_goes_on_where_the_frame_before_ended() -> None:
    out, into = np.full((100, 2), 10_000, np.int16), np.full((100, 2), -10_000, np.int16)
    mixed = np.concatenate([crossfade(out, into, 0, 0.5), crossfade(out, into, 0.5, 1)])[:, 0]
    assert mixed[0] == 10_000
    steps = np.diff(mixed.astype(int))
    assert (steps == -100).all()


@given(st.integers(-32768, 32767), st.integers(-32768, 32767), st.floats(0, 1), st.floats(0, 1))
def test_a_crossfade_lies_between_the_two(a: int, b: int, start: float, end: float) -> None:
    out, into = np.full((8, 2), a, np.int16), np.full((8, 2), b, np.int16)
    mixed = crossfade(out, into, start, end)
    assert mixed.dtype == np.int16
    assert mixed.min() >= min(a, b)
    assert mixed.max() <= max(a, b)


def test_crossfading_a_sound_with_itself_changes_nothing() -> None:
    tone = np.arange(-800, 800, dtype=np.int16).reshape(-1, 2) * 20
    assert (crossfade(tone, tone, 0.25, 0.75) == tone).all()
