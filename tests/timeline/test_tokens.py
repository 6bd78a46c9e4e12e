"""Tokens in the texts of an overlay."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vistterstream.resources.overlay import Layer, OverlaySpec
from vistterstream.timeline.plan import OverlayInstance
from vistterstream.timeline.tokens import dressed, filled, tokens

_COUNTDOWN = {"duration": "1m", "format": "{{ what }} in %M:%S", "done": "{{ what }}!"}
_EVERY: dict[str, dict[str, Any]] = {
    "text": {"text": {"value": "{{what}} a"}},
    "keyframes": {
        "text": {"value": "-"},
        "tracks": [{"property": "text", "keyframes": [{"at": "0s", "text": "now {{ what }}"}]}],
    },
    "ticker": {"ticker": {"value": "{{  what  }}\n{{ other }}"}},
    "qr": {"qr": {"value": "https://{{ what }}"}},
    "countdown": {"countdown": _COUNTDOWN},
    "clock": {"clock": {"format": "%H {{ what }}"}},
}


def layer(name: str) -> Layer:
    return Layer.model_validate({"name": name, **_EVERY[name]})


def fill(layer: Layer, **values: str) -> tuple[Layer, list[str], list[str]]:
    missing: list[str] = []
    told: list[str] = []
    return filled(layer, values, missing.append, told.append), missing, told


def test_each_sort_of_layer_with_texts_of_its_own_has_tokens() -> None:
    spec = OverlaySpec(layers=tuple(layer(name) for name in _EVERY))
    assert tokens(spec) == {"what", "other"}
    assert {name for name in _EVERY if tokens(layer(name))} == set(_EVERY)


def test_values_take_the_place_of_tokens_wherever_they_stand() -> None:
    text, missing, told = fill(layer("text"), what="A")
    assert text.text is not None
    assert text.text.value == "A a"
    keyframes, _, _ = fill(layer("keyframes"), what="B")
    assert keyframes.tracks[0].keyframes[0].text == "now B"
    ticker, _, _ = fill(layer("ticker"), what="C", other="D\nE")
    assert ticker.ticker is not None
    assert ticker.ticker.value == "C\nD\nE"
    code, _, _ = fill(layer("qr"), what="example.com")
    assert code.qr is not None
    assert code.qr.value == "https://example.com"
    assert (missing, told) == ([], [])


def test_countdowns_and_clocks_take_their_values_as_text_and_not_as_a_format() -> None:
    countdown, _, _ = fill(layer("countdown"), what="50 %M\nsale")
    assert countdown.countdown is not None
    assert countdown.countdown.format == "50 %%M sale in %M:%S"
    assert countdown.countdown.done == "50 %M sale!"
    clock, _, _ = fill(layer("clock"), what="100 %")
    assert clock.clock is not None
    assert clock.clock.format == "%H 100 %%"


def test_a_token_without_value_is_named_and_shows_nothing() -> None:
    ticker, missing, _ = fill(layer("ticker"), other="D")
    assert ticker.ticker is not None
    assert ticker.ticker.value == "\nD"
    assert missing == ["what"]


def test_a_qr_code_is_never_cut_off() -> None:
    code, _, told = fill(layer("qr"), what="x" * 1020)
    assert code.qr is not None
    assert code.qr.value == " ", "which shows nothing"
    assert told == ["with its values it has 1028 characters, at most 1024 can be shown; it is left out"]


def test_what_has_no_tokens_stays_what_it_is() -> None:
    plain = Layer.model_validate({"name": "a", "text": {"value": "{ {what} } {{ 1 }}"}})
    assert fill(plain, what="A")[0].text == plain.text
    bar = Layer.model_validate({"name": "a", "rectangle": {"width": 1, "height": 1, "color": "#FFFFFF"}})
    assert fill(bar)[0] is bar


def with_fallback(**fallback: Any) -> Layer:
    return Layer.model_validate(
        {
            "name": "a",
            "ticker": {"value": "{{ news }}"},
            "opacity": 0.5,
            "enter": {"duration": "1s"},
            "fallback": fallback,
        }
    )


def test_a_layer_that_lacks_a_value_gives_way_to_its_fallback() -> None:
    instead, missing, _ = fill(with_fallback(text={"value": "No news from {{ town }}"}), town="Skagen")
    assert missing == ["news"]
    assert (instead.ticker, instead.fallback) == (None, None)
    assert instead.text is not None
    assert instead.text.value == "No news from Skagen"
    assert (instead.opacity, instead.enter) == (0.5, with_fallback(text={"value": ""}).enter)
    assert Layer.model_validate(instead.dump()) == instead


def test_a_layer_that_has_its_values_keeps_its_fallback_for_when_it_cannot_be_drawn() -> None:
    layer, missing, _ = fill(with_fallback(text={"value": "No news from {{ town }}"}), news="Fog")
    assert missing == [], "a token of the fallback alone is not missed"
    assert layer.ticker is not None
    assert layer.ticker.value == "Fog"
    assert layer.stand_in is not None
    assert layer.stand_in.text is not None
    assert layer.stand_in.text.value == "No news from "


def weather(**values: str) -> OverlayInstance:
    sources = [
        {"name": "wind", "url": "http://example.org/a"},
        {"name": "sky", "url": "http://example.org/a", "default": "clear"},
    ]
    layers = [
        {"name": "words", "text": {"value": "{{ town }}: {{ wind }}, {{ sky }}"}},
        {"name": "code", "qr": {"value": "{{ wind }}"}, "fallback": {"text": {"value": "no wind"}}},
    ]
    spec = OverlaySpec.model_validate({"layers": layers, "data": sources})
    return OverlayInstance(id="weather", overlay="weather", spec=spec, values=values)


def said(instance: OverlayInstance, **texts: str) -> list[str]:
    done = dressed(instance, lambda _, source: texts.get(source.name), lambda sentence: None)
    assert OverlaySpec.model_validate(done.dump()) == done
    assert done.data == ()
    contents = [layer.text or layer.qr for layer in done.layers]
    return [content.value for content in contents if content is not None]


def test_an_overlay_is_dressed_in_its_values_and_its_data() -> None:
    assert said(weather(town="Skagen"), wind="7 kn") == ["Skagen: 7 kn, clear", "7 kn"]
    assert said(weather(), wind="{{ town }}", sky="") == [": {{ town }}, ", "{{ town }}"]
    assert said(weather(town="Skagen")) == ["Skagen: , clear", "no wind"]


_TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")) | st.sampled_from("%\n{}"), max_size=200)


@given(value=_TEXTS, name=st.sampled_from(sorted(_EVERY)), times=st.integers(1, 30))
def test_whatever_the_values_are_a_layer_can_be_read_back(value: str, name: str, times: int) -> None:
    done, _, _ = fill(layer(name), what=value * times, other=value)
    assert Layer.model_validate(done.dump()) == done
