"""The models of sound, and levels in decibels."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from pydantic import ValidationError

from vistterstream.resources.audio import AudioCue, CueAudio, Duck
from vistterstream.resources.quantities import Gain, Threshold


@pytest.mark.parametrize(
    ("text", "decibels"),
    [("0dB", 0), ("-6dB", -6), ("+3dB", 3), ("-4.5dB", Fraction(-9, 2)), ("-96dB", -96), ("-6 dB", -6)],
)
def test_a_gain_is_exact(text: str, decibels: Fraction) -> None:
    assert Gain.parse(text).decibels == decibels


@pytest.mark.parametrize("text", ["", "6", "-6", "-6db", "6DB", "-100dB", "+25dB", "--6dB", "-6dB\n", "−6dB"])
def test_what_is_no_gain_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not (a gain|between)"):
        Gain.parse(text)


def test_a_threshold_is_a_level_of_full_scale() -> None:
    assert Threshold.parse("-35dB").decibels == -35
    with pytest.raises(ValueError, match="is not a level"):
        Threshold.parse("+3dB")


def test_without_fields_a_duck_has_values_that_do() -> None:
    duck = Duck()
    assert (duck.threshold, duck.amount) == ("-35dB", "-12dB")
    assert duck.attack.seconds < duck.release.seconds < 1


@pytest.mark.parametrize("name", ["attack", "hold", "release"])
def test_a_duck_looks_back_ten_seconds_at_most(name: str) -> None:
    assert Duck.model_validate({name: "10s"})
    with pytest.raises(ValidationError, match=r"10\.1s is longer than 10s"):
        Duck.model_validate({name: "10.1s"})


def test_a_cue_is_as_loud_as_it_comes_unless_told() -> None:
    assert not CueAudio().gain.decibels
    assert not CueAudio().mute
    with pytest.raises(ValidationError, match="volume"):
        CueAudio.model_validate({"volume": 3})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"duration": "1s", "fadeOut": "2s"}, "2s is longer than its cue"),
        ({"duration": "0s"}, "no time at all"),
        ({"curve": [{"at": "2s", "gain": "0dB"}, {"at": "1s", "gain": "0dB"}]}, "1s is not later than"),
    ],
)
def test_what_contradicts_itself_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AudioCue.model_validate({"file": "a.mp3"} | fields)
