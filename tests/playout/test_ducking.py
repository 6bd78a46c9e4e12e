"""Ducking: a bed goes down while it is loud, and how far follows from the last frames alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playout.sounds import sine
from vistterstream.playout.ducking import Levels, loudness, window
from vistterstream.playout.sound import silence
from vistterstream.timeline.plan import DuckPlan

DUCK = DuckPlan(threshold=1e-4, factor=0.25, attack=4, hold=3, release=8)
LOUD, SOFT = 0.01, 1e-6


def followed(duck: DuckPlan, levels: list[float], start: int = 0) -> list[tuple[float, float]]:
    known, found = Levels(), []
    for number, level in enumerate(levels, start):
        known.put(number, level)
        found.append(known.factors(duck, number))
    return found


def test_a_full_sine_has_half_the_square_of_full_scale_and_the_louder_channel_counts() -> None:
    assert loudness(sine(1000, 1.0, 0.1)) == pytest.approx(0.5, abs=1e-3)
    assert loudness(sine(1000, 0.0, 0.1, right=0.1)) == pytest.approx(0.005, rel=1e-2)
    assert loudness(np.full((100, 2), -32768, np.int16)) == 1.0
    assert loudness(silence(100)) == loudness(silence(0)) == 0.0


def test_it_goes_down_in_the_attack_stays_for_the_hold_and_comes_up_in_the_release() -> None:
    ends = [end for _, end in followed(DUCK, [SOFT] * 2 + [LOUD] * 6 + [SOFT] * 20)]
    decibels = np.log(ends) / np.log(0.25)
    assert decibels[:9] == pytest.approx([0, 0, 0.25, 0.5, 0.75, 1, 1, 1, 1])
    assert decibels[7 + 3] == pytest.approx(1)
    assert all(np.diff(decibels[10:]) <= 0)
    assert decibels[7 + 3 + 8] > 0
    assert decibels[7 + 3 + 8 + 4] == 0


def test_each_frame_starts_where_the_one_before_ended() -> None:
    found = followed(DUCK, [SOFT, LOUD, SOFT, SOFT, LOUD] + [SOFT] * 20)
    assert [start for start, _ in found[1:]] == [end for _, end in found[:-1]]
    assert found[0] == (1.0, 1.0)


@pytest.mark.slow
@given(st.lists(st.sampled_from([LOUD, SOFT]), min_size=40, max_size=80), st.integers(0, 3 * 10**9))
def test_it_depends_on_its_window_alone(levels: list[float], start: int) -> None:
    whole = followed(DUCK, levels, start)
    cut = len(levels) - window(DUCK)
    assert followed(DUCK, levels[cut:], start + cut)[-1] == whole[-1]


def test_what_is_forgotten_or_was_never_known_is_silent() -> None:
    levels = Levels()
    levels.put(7, LOUD)
    assert levels.factors(DUCK, 7)[1] < 1
    assert levels.factors(DUCK, 7 + 4096) == (1.0, 1.0)
    levels.forget()
    assert levels.factors(DUCK, 7) == (1.0, 1.0)


def test_silence_is_as_far_down_as_it_goes() -> None:
    duck = DUCK.model_copy(update={"factor": 0.0, "attack": 1})
    assert followed(duck, [LOUD])[0][1] == pytest.approx(10**-4.8)
