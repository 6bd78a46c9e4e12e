"""One thread encodes where one is plenty."""

from __future__ import annotations

from fractions import Fraction

import pytest

from playout.plans import ENCODING
from vistterstream.playout import threads
from vistterstream.playout.threads import Shortage, idle_seconds, one_is_enough
from vistterstream.resources.output import Encoding, Preset
from vistterstream.resources.program import Format
from vistterstream.resources.quantities import FrameRate


def with_preset(preset: Preset) -> Encoding:
    return ENCODING.model_copy(update={"video": ENCODING.video.model_copy(update={"preset": preset})})


@pytest.mark.parametrize(
    ("preset", "width", "height", "rate", "enough"),
    [
        (Preset.VERYFAST, 1280, 720, "30", True),
        (Preset.ULTRAFAST, 320, 180, "60", True),
        (Preset.FASTER, 1280, 720, "30", False),
        (Preset.VERYFAST, 1280, 720, "50", False),
        (Preset.ULTRAFAST, 1920, 1080, "30", False),
    ],
)
def test_one_thread_is_for_what_takes_half_a_core_at_most(
    preset: Preset, width: int, height: int, rate: str, enough: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    format = Format(width=width, height=height, frame_rate=FrameRate(rate))
    monkeypatch.setattr(threads, "wide_vectors", lambda: True)
    assert one_is_enough(with_preset(preset), format) is enough
    monkeypatch.setattr(threads, "wide_vectors", lambda: False)
    assert not one_is_enough(with_preset(preset), format), "a small processor gets all the threads there are"


@pytest.mark.parametrize(
    ("repeated_a_second", "idle_a_second", "expected"),
    [(10, 0.8, True), (10, 0.2, False), (5, 0.8, False), (0, 2.0, False)],
)
def test_more_threads_are_for_an_encoder_that_falls_behind_beside_idle_processors(
    repeated_a_second: int, idle_a_second: float, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortage, rate = Shortage(), Fraction(30)
    for second in range(60):
        monkeypatch.setattr(threads, "idle_seconds", lambda at=second: at * idle_a_second)
        seen = shortage.seen(1000.0 + second, repeated_a_second * second, rate)
        if second < 6:
            assert not seen, "not over a moment's trouble"
    assert seen is expected


def test_trouble_that_is_over_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    shortage, repeated = Shortage(), 0
    for second in range(60):
        monkeypatch.setattr(threads, "idle_seconds", lambda at=second: float(at))
        repeated += 50 if second == 3 else 1
        assert not shortage.seen(float(second), repeated, Fraction(30))


def test_idle_time_is_counted() -> None:
    assert idle_seconds() > 0
