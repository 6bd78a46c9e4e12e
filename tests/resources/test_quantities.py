from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from vistterstream.resources.quantities import (
    TICKS,
    BitRate,
    Color,
    Duration,
    FrameRate,
    PositiveTimelinePosition,
    Quantity,
    TimelinePosition,
    between,
    follows,
    ticks_of_a_frame,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", Fraction(1, 4)),
        ("0s", 0),
        ("10s", 10),
        ("1m30s", 90),
        ("2h", 7200),
        ("1h2m3s4ms", Fraction(3723004, 1000)),
        ("1m5ms", Fraction(60005, 1000)),
        ("5m", 300),
        ("0.1s", Fraction(1, 10)),
        ("1.5h", 5400),
    ],
)
def test_a_duration_is_exact(text: str, seconds: Fraction) -> None:
    assert Duration.parse(text).seconds == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "s",
        "-5s",
        "+5s",
        "5 s",
        "5S",
        "5sec",
        "1s1m",
        "1s1s",
        "5s\n",
        ".5s",
        "1e3s",
        "٣s",
        "1" * 70 + "s",
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration such as 250ms"):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("30", 30), ("30000/1001", Fraction(30000, 1001)), ("1", 1), ("120", 120), ("50/2", 25)],
)
def test_a_frame_rate_is_an_exact_fraction(text: str, rate: Fraction) -> None:
    assert FrameRate.parse(text).fraction == rate


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "29.97",
        "30fps",
        "30/0",
        "30/00",
        "0/00",
        "1/000",
        "121",
        "1/2",
        "-30",
        "30/",
        "0/0",
        "30/1\n",
    ],
)
def test_what_is_no_frame_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="frame rate"):
        FrameRate.parse(text)


@pytest.mark.parametrize(
    ("text", "bits"), [("4500k", 4_500_000), ("6M", 6_000_000), ("2.5M", 2_500_000), ("128000", 128_000)]
)
def test_a_bit_rate_is_in_bits_a_second(text: str, bits: int) -> None:
    assert BitRate.parse(text).bits_per_second == bits


@pytest.mark.parametrize("text", ["", "k", "4500 kbit/s", "4500K", "1G", "1", "201M", "-1M", "1e6"])
def test_what_is_no_bit_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="bit rate"):
        BitRate.parse(text)


def test_a_colour_has_red_green_blue_and_opacity() -> None:
    assert Color.parse("#F4f6FB").rgba == (0xF4, 0xF6, 0xFB, 255)
    assert Color.parse("#121521CC").rgba == (0x12, 0x15, 0x21, 0xCC)


@pytest.mark.parametrize("text", ["", "red", "#FFF", "F4F6FB", "#F4F6FG", "#F4F6FB0", "#F4F6FB\n"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="colour such as"):
        Color.parse(text)


@pytest.mark.slow
@given(st.from_regex(f"({Duration.pattern})|({BitRate.pattern})|({FrameRate.pattern})", fullmatch=True))
def test_whatever_has_the_right_form_is_taken_or_refused_with_a_sentence(text: str) -> None:
    for quantity in (Duration, BitRate, FrameRate):
        try:
            value = quantity.parse(text)
        except ValueError as error:
            assert " is not " in str(error)  # noqa: PT017
        else:
            assert value == text


@pytest.mark.parametrize("quantity", [Duration, FrameRate, BitRate, Color])
def test_what_is_no_text_is_answered_with_an_example(quantity: type[Quantity]) -> None:
    with pytest.raises(ValidationError, match=f"must be {quantity.example.partition('such')[0]}"):
        TypeAdapter(quantity).validate_python(30)


Bounded = TypeAdapter[Duration](Annotated[Duration, between("1s", "1m")])
Positive = TypeAdapter[TimelinePosition](PositiveTimelinePosition)


def test_bounds_are_allowed_and_what_is_beyond_them_is_not() -> None:
    assert [Bounded.validate_python(text) for text in ("1000ms", "60s")] == ["1000ms", "60s"]
    for text in ("999ms", "1m1ms"):
        with pytest.raises(ValidationError, match="is not between 1s and 1m"):
            Bounded.validate_python(text)


def test_a_positive_duration_is_longer_than_nothing() -> None:
    assert Positive.validate_python("1ms") == "1ms"
    with pytest.raises(ValidationError, match="no time at all"):
        Positive.validate_python("0h0s")


@pytest.mark.parametrize(
    ("later", "earlier", "answer"),
    [
        ("2s", "1s", True),
        ("1000ms", "1s", False),
        ("10f", "9f", True),
        ("9f", "9f", False),
        ("10f", "1s", None),
        ("00:00:02:00", "1s", None),
        ("00:00:02:00", "00:00:01:00", None),
    ],
)
def test_which_of_two_times_is_the_later_one_is_known_without_a_rate_where_it_can_be(
    later: str, earlier: str, answer: bool | None
) -> None:
    assert follows(TimelinePosition.parse(later), TimelinePosition.parse(earlier)) is answer


def test_a_quantity_is_written_as_it_was_read() -> None:
    adapter = TypeAdapter(Duration)
    assert adapter.dump_json(adapter.validate_json('"0060s"')) == b'"0060s"'


@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "60000/1001", "120"])
@pytest.mark.parametrize(
    "text",
    ["0s", "1s", "1h2m3.000000001s", "0.000000001ms", "999999999h", "7f", "00:01:23;12", "00:01:23:12"],
)
def test_ticks_are_frames_exactly(text: str, rate: str) -> None:
    position, at = TimelinePosition.parse(text), FrameRate.parse(rate).fraction
    try:
        frames = position.frames(at)
    except ValueError as error:  # drop-frame timecode at a rate without
        with pytest.raises(ValueError, match=re.escape(str(error))):
            position.ticks(at)
        return
    assert Fraction(position.ticks(at), ticks_of_a_frame(at)) == frames
    if position.seconds is not None:
        assert position.parts is not None
        assert Fraction(position.parts, TICKS) == position.seconds
    else:
        assert position.parts is None


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0s"),
        (2.0, "2s"),
        (61 / 30, "2.033s"),
        (Fraction(1, 2), "0.5s"),
        (90, "1m30s"),
        (3600, "1h"),
        (3661, "1h1m1s"),
    ],
)
def test_seconds_are_written_as_a_manifest_has_them(seconds: float | Fraction, written: str) -> None:
    made = Duration.of(seconds)
    assert str(made) == written
    assert Duration.parse(str(made)) == made
