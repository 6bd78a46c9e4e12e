from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from vistterstream.resources.overlay import Layer, OverlaySpec, TickerLayer

LAYERS: list[dict[str, Any]] = [
    {"name": "logo", "image": {"file": "logo.png", "width": 200}},
    {"name": "title", "text": {"value": "{{ title }}\nsecond line", "background": "#121521CC"}},
    {"name": "bar", "rectangle": {"width": 10, "height": 10, "color": "#FFFFFF"}},
    {"name": "time", "clock": {"timeZone": "Europe/Oslo", "format": "%H:%M"}},
    {"name": "code", "frameCode": {}},
]


def test_an_overlay_reads_back_from_its_json_form() -> None:
    spec = OverlaySpec.model_validate({"layers": LAYERS})
    assert OverlaySpec.model_validate(spec.dump()) == spec


def fade(*keyframes: tuple[str, float]) -> Layer:
    frames = [{"at": at, "value": value} for at, value in keyframes]
    return Layer.model_validate({**LAYERS[0], "tracks": [{"property": "opacity", "keyframes": frames}]})


def test_keyframes_stand_in_order_of_time() -> None:
    assert len(fade(("0s", 0), ("1ms", 1), ("1s", 0.5)).tracks[0].keyframes) == 3
    with pytest.raises(ValidationError, match=r"keyframes\[2\].at: 1s is not later"):
        fade(("0s", 0), ("1000ms", 1), ("1s", 0.5))


def test_a_ticker_runs() -> None:
    for speed in (-0.5, 1):
        assert TickerLayer.model_validate({"value": "news", "speed": speed}).speed == speed
    with pytest.raises(ValidationError, match="speed: a ticker without speed never comes in"):
        TickerLayer.model_validate({"value": "news", "speed": 0})


def test_a_property_has_one_track() -> None:
    track = {"property": "opacity", "keyframes": [{"at": "0s", "value": 1}]}
    with pytest.raises(ValidationError, match=r"tracks\[1\].property: opacity has a track already"):
        Layer.model_validate({**LAYERS[0], "tracks": [track, track]})


@pytest.mark.parametrize("content", [{}, {"image": {"file": "a"}, "frameCode": {}}])
def test_a_layer_is_of_one_sort(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"exactly one of image, text, rectangle, clock, .*frameCode"):
        Layer.model_validate({"name": "a", **content})


@pytest.mark.parametrize("text", ["\x1b[31m", "bell\x07"])
def test_text_that_cannot_be_drawn_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="control characters"):
        Layer.model_validate({"name": "a", "text": {"value": text}})


class TestClock:
    @pytest.mark.parametrize(
        ("clock", "path", "words"),
        [
            ({"format": "%-Z"}, ("format",), "%-d for a number without a leading zero"),
            ({"format": "%-"}, ("format",), "is not known here"),
            ({"locale": "no"}, ("locale",), "the language 'no' is not known here"),
            ({"timecode": "timeOfDay", "format": "%H"}, ("format",), "goes with no timecode"),
            ({"timecode": "timeOfDay", "locale": "nb"}, ("locale",), "goes with no timecode"),
            ({"timecode": "timeline", "timeZone": "Europe/Oslo"}, ("timeZone",), "goes with no timecode"),
        ],
    )
    def test_what_does_not_go_together_is_refused_with_its_place(
        self, clock: dict[str, str], path: tuple[str, ...], words: str
    ) -> None:
        with pytest.raises(ValidationError) as caught:
            Layer.model_validate({"name": "c", "clock": clock})
        said = str(caught.value)
        assert words in said
        assert path[0] in said

    def test_timecode_of_the_time_of_day_has_a_zone(self) -> None:
        clock = {"timecode": "timeOfDay", "timeZone": "Europe/Oslo"}
        layer = Layer.model_validate({"name": "c", "clock": clock})
        assert Layer.model_validate(layer.dump()) == layer, "defaults that are written out do no harm"
