"""From how far a file has come to its picture and its samples: none lost, none twice, whatever the rate."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.playout.reel import AtEnd, Place, Reel, pictures
from vistterstream.playout.sound import samples_before, samples_of
from vistterstream.timeline.reels import Turn

RATES = [Fraction(30), Fraction(30000, 1001), Fraction(60000, 1001), Fraction(24000, 1001)]


def places(reel: Reel, length: int, first: int, count: int) -> list[Place]:
    found = [reel.place(number, length) for number in range(first, first + count)]
    assert None not in found
    return [place for place in found if place is not None]


@pytest.mark.slow
@given(st.sampled_from(RATES), st.integers(1, 200), st.integers(0, 10**9), st.integers(0, 10**6), st.data())
def test_a_loop_gives_each_picture_once_with_sound_that_goes_on_without_a_break(
    rate: Fraction, length: int, since: int, first: int, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, length - 1))
    reel = Reel(rate, lambda n: Turn(first + start + n - since, first + start, since), AtEnd.LOOP, start)
    found = places(reel, length, since, 250)
    for number, (before, place) in enumerate(pairwise(found), start=since):
        if before.picture == length - 1:
            assert place.picture == start
            assert place.sample == samples_before(start, rate)
        else:
            assert place.picture == before.picture + 1
            assert place.sample == before.sample + samples_of(number, rate)
        assert abs(place.sample - samples_before(place.picture, rate)) <= 1


@pytest.mark.parametrize("rate", RATES)
def test_a_file_that_stops_has_no_place_after_its_end_and_one_that_holds_its_last_picture(
    rate: Fraction,
) -> None:
    def turn(number: int) -> Turn:
        return Turn(number - 5, 0, 5)

    assert Reel(rate, turn, AtEnd.STOP).place(5 + 9, 10) is not None
    assert Reel(rate, turn, AtEnd.STOP).place(5 + 10, 10) is None
    held = Reel(rate, turn, AtEnd.HOLD).place(5 + 300, 10)
    assert held is not None
    assert (held.picture, held.silent) == (9, True)


def test_a_start_behind_the_end_has_no_place_and_is_told() -> None:
    reel = Reel(Fraction(30), lambda n: Turn(n, 90, 0), AtEnd.HOLD, 90)
    for length, told in ((60, "2 s"), (90, "3 s")):
        assert reel.place(0, length) is None
        failure = reel.lacks(length)
        assert failure is not None
        assert f"The in-point, 3 s, lies behind the last picture: the file lasts {told}." in failure.message
    assert reel.place(0, 91) is not None
    assert reel.lacks(91) is None


def test_a_file_has_as_many_pictures_as_fit_and_one_at_least() -> None:
    assert pictures(Fraction(10), Fraction(30)) == 300
    assert pictures(Fraction(10), Fraction(30000, 1001)) == 300
    assert pictures(Fraction(1, 1000), Fraction(30)) == 1
