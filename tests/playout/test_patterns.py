"""Test patterns: pictures and sound as pure functions of the frame number."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playout.pictures import noise
from vistterstream.playout import framecode
from vistterstream.playout.frames import Frame
from vistterstream.playout.patterns import (
    SAMPLE_RATE,
    TONE_PEAK,
    TestPattern,
    _time_code,
    code_square,
    first_sample,
)
from vistterstream.resources.camera import Pattern, TestPatternSource
from vistterstream.resources.program import Format

PATTERNS = list(Pattern)
RATES = ["24000/1001", "25", "30000/1001", "30", "60"]


def pattern(width: int = 640, height: int = 360, rate: str = "30", **source: Any) -> TestPattern:
    format = Format.model_validate({"width": width, "height": height, "frameRate": rate})
    return TestPattern(TestPatternSource.model_validate(source), format)


def rendered(made: TestPattern, k: int, width: int = 640, height: int = 360) -> Frame:
    out = noise(width, height, seed=k % 7)  # what was there before does not matter
    made.render(k, out)
    return out


class TestPictures:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", PATTERNS)
    def test_a_frame_depends_on_its_number_alone(self, name: Pattern) -> None:
        one, other = pattern(pattern=name, label="Pier"), pattern(pattern=name, label="Pier")
        forward = [bytes(rendered(one, k).buffer) for k in range(40)]
        backward = [bytes(rendered(other, k).buffer) for k in reversed(range(40))]
        assert forward == backward[::-1]

    @pytest.mark.slow
    @pytest.mark.parametrize("name", PATTERNS)
    def test_each_frame_differs_from_the_one_before_so_that_a_frozen_picture_is_seen(
        self, name: Pattern
    ) -> None:
        made = pattern(pattern=name)
        frames = [bytes(rendered(made, k).buffer) for k in range(100)]
        assert len(set(frames)) == 100

    @pytest.mark.parametrize("name", PATTERNS)
    @pytest.mark.parametrize(
        ("width", "height"),
        [(64, 64), (66, 64), (320, 180), (200, 120), (1280, 720), (720, 1280), (3840, 64), (64, 2160)],
    )
    def test_every_size_is_filled(self, name: Pattern, width: int, height: int) -> None:
        made = pattern(width, height, pattern=name, label="A long label that has no room in a small picture")
        for k in (0, 1, 59, 12345, 10**9):
            out = Frame(width, height)
            out.data[:] = 255  # no legal value: whatever is not painted over shows
            made.render(k, out)
            assert out.y.max() <= 235
            assert out.uv.max() <= 240

    @pytest.mark.parametrize("name", PATTERNS)
    def test_all_values_are_legal(self, name: Pattern) -> None:
        made = pattern(pattern=name, number=200, color="#FFEE00")
        for k in range(0, 600, 37):
            out = rendered(made, k)
            assert out.y.min() >= 16
            assert out.y.max() <= 235
            assert out.uv.min() >= 16
            assert out.uv.max() <= 240

    def test_the_bars_are_those_of_75_percent(self) -> None:
        out = rendered(pattern(pattern="bars"), 0)
        centres = [(2 * bar + 1) * 640 // 14 for bar in range(7)]
        found = [(int(out.y[100, x]), int(out.u[50, x // 2]), int(out.v[50, x // 2])) for x in centres]
        # SMPTE RP 177 matrices, 75 % bars in BT.709 limited range
        assert found == [
            (180, 128, 128),
            (168, 44, 136),
            (145, 147, 44),
            (133, 63, 52),
            (63, 193, 204),
            (51, 109, 212),
            (28, 212, 120),
        ]

    @pytest.mark.parametrize("name", [Pattern.MOTION, Pattern.GRID])
    def test_the_colour_is_the_user_s(self, name: Pattern) -> None:
        red = rendered(pattern(pattern=name, color="#D02020"), 0)
        blue = rendered(pattern(pattern=name, color="#2020D0"), 0)
        assert red.v.mean() > blue.v.mean()
        assert red.u.mean() < blue.u.mean()

    def test_the_label_is_shown(self) -> None:
        one, other = (rendered(pattern(label=label), 5) for label in ("Pier", "Quay"))
        assert one.buffer != other.buffer
        named, plain = rendered(pattern(label="bars"), 5), rendered(pattern(), 5)
        assert named.buffer == plain.buffer  # without a label, the pattern's name

    @pytest.mark.parametrize("label", [" ", "\u200b", "Ж" * 64, "🙂"])
    def test_odd_labels_do_no_harm(self, label: str) -> None:
        rendered(pattern(label=label), 1)


class TestNumbers:
    @pytest.mark.parametrize("name", PATTERNS)
    @pytest.mark.parametrize(("width", "square"), [(1280, 16), (640, 16), (512, 16), (320, 10), (64, 2)])
    def test_a_numbered_pattern_says_which_and_counts(self, name: Pattern, width: int, square: int) -> None:
        assert code_square(width) == square
        made = pattern(width, 180, pattern=name, number=7)
        for k in (0, 1, 1000, 2**24 + 3):
            out = rendered(made, k, width, 180)
            value = framecode.read(out.y, 0, 0, square)
            assert value is not None
            assert framecode.unpack(value) == (7, k % 2**24)

    @pytest.mark.parametrize("name", PATTERNS)
    def test_without_a_number_there_is_no_code(self, name: Pattern) -> None:
        assert framecode.read(rendered(pattern(pattern=name), 3).y, 0, 0, 16) is None


class TestTimeCode:
    def test_it_counts_frames_within_seconds(self) -> None:
        assert [_time_code(k, Fraction(25)) for k in (0, 24, 25, 25 * 3600 * 25)] == [
            "00:00:00:00",
            "00:00:00:24",
            "00:00:01:00",
            "01:00:00:00",
        ]

    @given(st.integers(0, 10**9), st.sampled_from(RATES))
    def test_its_seconds_are_those_of_real_time(self, k: int, rate: str) -> None:
        hours, minutes, seconds, frames = map(int, _time_code(k, Fraction(rate)).split(":"))
        exact = Fraction(k) / Fraction(rate)
        assert hours * 3600 + minutes * 60 + seconds == int(exact) % 86400
        assert frames == int((exact - int(exact)) * Fraction(rate))


class TestSound:
    @pytest.mark.parametrize("rate", RATES)
    def test_frames_join_without_a_seam_into_the_exact_tone(self, rate: str) -> None:
        made = pattern(rate=rate, tone=997)
        sound = np.concatenate([made.tone(k) for k in range(200)])
        time = np.arange(len(sound)) / SAMPLE_RATE
        exact = np.sin(2 * np.pi * 997 * time) * TONE_PEAK
        assert np.abs(sound - exact[:, None]).max() <= 0.51

    def test_the_tone_is_the_same_after_a_year(self) -> None:
        made, k = pattern(rate="30000/1001", tone=440), 365 * 24 * 3600 * 30
        first = first_sample(k, Fraction(30000, 1001))
        exact = [np.sin(2 * np.pi * (440 * (first + n) % SAMPLE_RATE) / SAMPLE_RATE) for n in range(1600)]
        assert np.abs(made.tone(k)[:1600, 0] - np.array(exact) * TONE_PEAK).max() <= 0.51

    @given(st.integers(0, 10**10), st.sampled_from(RATES))
    def test_samples_never_drift_from_frames(self, k: int, rate: str) -> None:
        exact = Fraction(k) / Fraction(rate) * SAMPLE_RATE
        assert 0 <= exact - first_sample(k, Fraction(rate)) < 1

    def test_as_many_samples_as_belong_to_a_frame(self) -> None:
        made = pattern(rate="30000/1001", tone=440)
        counts = [made.tone(k).shape for k in range(5)]
        assert counts == [(1601, 2), (1602, 2), (1601, 2), (1602, 2), (1602, 2)]
        assert sum(count for count, _ in counts) == 8008
        assert made.tone(0).dtype == np.int16

    def test_no_tone_is_silence(self) -> None:
        sound = pattern(rate="25").tone(7)
        assert sound.shape == (1920, 2)
        assert not sound.any()

    def test_nobody_can_spoil_the_tone_for_others(self) -> None:
        with pytest.raises(ValueError, match="read-only"):
            pattern(tone=440).tone(0)[0] = 1
