"""The time of day in frames: each frame has the next number, and the clock on the wall is never far."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.timeline.daytime import frames_since_midnight, timecode_of, timecode_of_day

NTSC = Fraction(30000, 1001)
RATES = [Fraction(24000, 1001), Fraction(25), NTSC, Fraction(30), Fraction(50), Fraction(60000, 1001)]
LONDON, OSLO = ZoneInfo("Europe/London"), ZoneInfo("Europe/Oslo")
NOON = int(datetime(2026, 5, 17, 12, tzinfo=UTC).timestamp()) * 10**9


def at(year: int, month: int, day: int, hour: int = 0) -> int:
    """Unix time in ns of an instant in UTC."""
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 10**9


@given(st.integers(0, 10**9), st.sampled_from(RATES), st.integers(0, 10**7))
def test_each_frame_has_the_next_number_whatever_instant_the_program_began_at(
    nanoseconds: int, rate: Fraction, first: int
) -> None:
    epoch = at(2026, 1, 10) + nanoseconds
    numbers = [frames_since_midnight(first + step, rate, epoch, LONDON) for step in range(40)]
    assert all(later - earlier == 1 or later == 0 for earlier, later in pairwise(numbers))


@given(st.integers(0, 86400 * 10**9), st.sampled_from(RATES), st.integers(0, 10**8))
def test_it_is_the_number_of_the_frame_nearest_to_that_time_of_day(
    nanoseconds: int, rate: Fraction, number: int
) -> None:
    epoch = at(2026, 1, 10) + nanoseconds
    midnight = at(2026, 1, 10)
    passed = Fraction(epoch - midnight, 10**9) + number / rate
    off = frames_since_midnight(number, rate, epoch, LONDON) - (passed % 86400) * rate
    day = 86400 * rate
    assert min(abs(off), abs(off - day), abs(off + day)) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("rate", "number", "text"),
    [
        (Fraction(25), 0, "12:00:00:00"),
        (Fraction(25), 24, "12:00:00:24"),
        (Fraction(25), 25 * 3600 + 1, "13:00:00:01"),
        (Fraction(60), 59, "12:00:00:59"),
    ],
)
def test_at_whole_rates_it_is_the_clock(rate: Fraction, number: int, text: str) -> None:
    assert timecode_of_day(number, rate, NOON, ZoneInfo("UTC")) == text


def test_at_30000_1001_drop_frame_keeps_up_with_the_clock() -> None:
    for hour in range(24):
        instant = at(2026, 1, 10, hour)
        text = timecode_of_day(0, NTSC, instant, LONDON)
        assert ";" in text
        hours, minutes, rest = text.split(":")
        seconds, frames = rest.split(";")
        shown = Fraction(int(hours) * 3600 + int(minutes) * 60 + int(seconds)) + Fraction(int(frames), 30)
        assert abs(shown - hour * 3600) < Fraction(1, 10)


def test_midnight_is_zero_in_the_zone_of_the_clock() -> None:
    assert timecode_of_day(0, Fraction(25), at(2026, 5, 16, 22), OSLO) == "00:00:00:00"
    assert timecode_of_day(-1, Fraction(25), at(2026, 5, 16, 22), OSLO) == "23:59:59:24"
    ntsc = [timecode_of_day(number, NTSC, at(2026, 1, 10), LONDON) for number in (-4, -3, -2, -1, 0)]
    assert ntsc[-1] == "00:00:00;00"
    assert ntsc[0] in {"23:59:59;29", "00:00:00;00"}  # a day has two or three frames more than numbers


def test_it_follows_the_clock_when_that_is_put_forward_and_back() -> None:
    forward, back = at(2026, 3, 29, 1), at(2026, 10, 25, 1)
    assert [timecode_of_day(n, Fraction(25), forward, OSLO) for n in (-1, 0)] == [
        "01:59:59:24",
        "03:00:00:00",
    ]
    assert [timecode_of_day(n, Fraction(25), back, OSLO) for n in (-1, 0)] == ["02:59:59:24", "02:00:00:00"]


def test_that_of_a_timeline_is_drop_frame_where_the_rate_has_it() -> None:
    assert timecode_of(1800, NTSC) == "00:01:00;02"
    assert timecode_of(1800, Fraction(30)) == "00:01:00:00"
    assert timecode_of(1800, Fraction(24000, 1001)) == "00:01:15:00"
