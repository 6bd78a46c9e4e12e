"""Timecode and frames, at every rate, exactly."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.resources.quantities import TimelinePosition
from vistterstream.resources.timecode import DROP_RATES, frame_of, nominal, text_of

NTSC, NTSC60 = Fraction(30000, 1001), Fraction(60000, 1001)
RATES = [
    Fraction(24000, 1001),
    *map(Fraction, (24, 25)),
    NTSC,
    *map(Fraction, (30, 50)),
    NTSC60,
    Fraction(60),
]
DROPS = [(rate, False) for rate in RATES] + [(rate, True) for rate in DROP_RATES]
TEN_YEARS = 10 * 366 * 24 * 3600 * 60


@given(st.sampled_from(DROPS), st.integers(0, TEN_YEARS))
def test_a_frame_has_a_timecode_and_that_means_the_frame(how: tuple[Fraction, bool], frame: int) -> None:
    rate, drop = how
    written = TimelinePosition.parse(text_of(frame, rate, drop=drop))
    assert written.frames(rate) == frame


@given(
    st.sampled_from(DROPS),
    st.tuples(st.integers(0, 9999), st.integers(0, 59), st.integers(0, 59), st.integers(0, 59)),
)
def test_a_timecode_is_that_of_its_frame_or_refused(
    how: tuple[Fraction, bool], parts: tuple[int, int, int, int]
) -> None:
    rate, drop = how
    hours, minutes, seconds, frames = parts
    text = f"{hours:02}:{minutes:02}:{seconds:02}{';' if drop else ':'}{frames:02}"
    left_out = drop and parts[2] == 0 and parts[1] % 10 and parts[3] < DROP_RATES[rate]
    try:
        frame = frame_of(*parts, rate, drop=drop)
    except ValueError:
        assert left_out or parts[3] >= nominal(rate)
    else:
        assert not left_out
        assert text_of(frame, rate, drop=drop) == text


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "drop"), DROPS)
def test_timecodes_of_successive_frames_rise_for_twenty_minutes(rate: Fraction, drop: bool) -> None:
    texts = [text_of(frame, rate, drop=drop) for frame in range(1200 * nominal(rate))]
    assert texts == sorted(set(texts))


@pytest.mark.parametrize(
    ("text", "rate", "frame"),
    [
        ("00:00:59;29", NTSC, 1799),
        ("00:01:00;02", NTSC, 1800),
        ("00:10:00;00", NTSC, 17982),
        ("01:00:00;00", NTSC, 107892),
        ("24:00:00;00", NTSC, 2589408),
        ("00:01:00;04", NTSC60, 3600),
        ("01:00:00;00", NTSC60, 215784),
        ("01:00:00:00", NTSC, 108000),
        ("01:00:00:00", Fraction(24000, 1001), 86400),
        ("00:01:23:12", Fraction(25), 2087),
    ],
)
def test_well_known_timecodes(text: str, rate: Fraction, frame: int) -> None:
    assert TimelinePosition.parse(text).frames(rate) == frame


def test_a_year_of_drop_frame_timecode_at_29_97_ends_on_the_exact_frame() -> None:
    year = TimelinePosition.parse(f"{365 * 24}:00:00;00").frames(NTSC)
    assert year == 365 * 2589408
    clock = TimelinePosition.parse(f"{365 * 24}h").frames(NTSC)
    assert clock == Fraction(365 * 24 * 3600 * 30000, 1001)
    # ST 12-1: drop-frame runs slow against the clock by 86.4 ms a day (2.589408 frames); exactly so here
    assert clock - year == 365 * (Fraction(86400 * 30000, 1001) - 2589408)


@pytest.mark.parametrize(
    ("text", "rate", "sentence"),
    [
        ("00:00:00:30", NTSC, "has frame number 30; a second has the numbers 00 to 29"),
        ("00:00:00:24", Fraction(24000, 1001), "00 to 23"),
        (
            "00:00:01;00",
            Fraction(25),
            "drop-frame timecode (with a semicolon), which 25 frames a second does not",
        ),
        ("00:00:01;00", Fraction(24000, 1001), "which 24000/1001 frames a second does not"),
        ("00:01:00;03", NTSC60, "left out by drop-frame timecode; the minute begins at 00:01:00;04"),
    ],
)
def test_what_a_rate_does_not_have_is_refused(text: str, rate: Fraction, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        TimelinePosition.parse(text).frames(rate)


@pytest.mark.parametrize("text", ["00:01:00;00", "00:01:00;01", "10:59:00;01"])
def test_numbers_that_drop_frame_leaves_out_at_every_rate_are_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match="left out by drop-frame timecode"):
        TimelinePosition.parse(text)


@pytest.mark.parametrize(
    ("text", "seconds", "frames"), [("1m30s", 90, 2250), ("120f", None, 120), ("50ms", Fraction(1, 20), 1.25)]
)
def test_a_position_is_a_duration_or_frames(text: str, seconds: Fraction | None, frames: Fraction) -> None:
    position = TimelinePosition.parse(text)
    assert (position.seconds, position.frames(Fraction(25))) == (seconds, frames)
    assert str(position) == text


@pytest.mark.parametrize(
    "text", ["", "12", "-5f", "1.5f", "00:00:00", "00:60:00:00", "1:00:00:00", "0:0:0;0"]
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time such as"):
        TimelinePosition.parse(text)


@pytest.mark.parametrize(
    ("text", "zero"), [("0f", True), ("0h0s", True), ("00:00:00:00", True), ("0.1s", False)]
)
def test_no_time_at_all_is_known_without_a_rate(text: str, zero: bool) -> None:
    assert TimelinePosition.parse(text).zero is zero


def test_no_timecode_drops_at_other_rates() -> None:
    with pytest.raises(ValueError, match="no drop-frame timecode at 25"):
        text_of(1, Fraction(25), drop=True)
