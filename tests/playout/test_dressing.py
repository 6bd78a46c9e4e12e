"""Scenes whose overlays have data: what is drawn anew, what is taken over, and what stands in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from playout.plans import FORMAT, make_plan
from vistterstream.playout.compositor import Scene, compose, prepare
from vistterstream.playout.frames import Frame
from vistterstream.playout.offline import Offline
from vistterstream.resources.data import DataSource
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import Fallback
from vistterstream.timeline.plan import OverlayCuePlan, OverlayInstance, Plan

WALL = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)
CANVAS = {"width": FORMAT.width, "height": FORMAT.height}
BOX = {"rectangle": {"width": 60, "height": 40, "color": "#FF0000"}}
WIND = {"name": "wind", "url": "http://127.0.0.1:9/a.json"}


def instance(id: str, *layers: dict[str, Any], data: tuple[dict[str, Any], ...] = ()) -> OverlayInstance:
    named = [{"name": f"layer-{number}"} | layer for number, layer in enumerate(layers)]
    spec = OverlaySpec.model_validate({"canvas": CANVAS, "layers": named, "data": list(data)})
    return OverlayInstance(id=id, overlay=id, spec=spec)


def says(text: str | None) -> Callable[[OverlayInstance, DataSource], str | None]:
    return lambda _overlay, _source: text


@contextmanager
def scene(*overlays: OverlayInstance, **more: Any) -> Iterator[Scene]:
    made = prepare(FORMAT, overlays, Fallback(), wall=WALL, **more)
    try:
        yield made
    finally:
        made.close()


def picture(made: Scene, *ids: str, age: int = 0) -> bytes:
    """What the overlays look like on the slate."""
    out = Frame(FORMAT.width, FORMAT.height)
    compose(made, out, made.slate, None, 0.0, [(id, age, None) for id in ids], 0, WALL)
    return bytes(out.buffer)


SORTS: dict[str, dict[str, Any]] = {
    "text": {"text": {"value": "{{ wind }}"}},
    "ticker": {"ticker": {"value": "{{ wind }}", "width": 320}},
    "qr": {"qr": {"value": "{{ wind }}", "size": 100}},
    "countdown": {"countdown": {"duration": "9m", "format": "{{ wind }} %M:%S"}},
    "keyframes": {
        "text": {"value": "-"},
        "tracks": [{"property": "text", "keyframes": [{"at": "0s", "text": "{{ wind }}"}]}],
    },
}


@pytest.mark.parametrize("sort", SORTS)
def test_a_layer_with_data_looks_as_if_it_had_been_written_so(sort: str) -> None:
    written = instance("written", json.loads(json.dumps(SORTS[sort]).replace("{{ wind }}", "7 kn")))
    live = instance("live", SORTS[sort], data=(WIND,))
    with scene(live, written, data=says("7 kn")) as made:
        assert not made.problems
        assert picture(made, "live", age=40) == picture(made, "written", age=40) != picture(made, age=40)


def test_a_layer_without_its_value_gives_way_to_its_fallback_where_it_stands() -> None:
    place = {"position": {"anchor": "bottomRight", "x": -10, "y": -6}}
    ticker = SORTS["ticker"] | place | {"fallback": BOX}
    with scene(instance("a", ticker, data=(WIND,)), instance("b", BOX | place)) as made:
        assert picture(made, "a") == picture(made, "b") != picture(made)
        assert not made.problems, "who fetches it tells why"


def test_a_default_is_shown_before_a_fallback() -> None:
    live = instance("a", SORTS["text"] | {"fallback": BOX}, data=(WIND | {"default": "calm"},))
    with scene(live, instance("b", {"text": {"value": "calm"}})) as made:
        assert picture(made, "a") == picture(made, "b")


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ({"image": {"file": "/nowhere/logo.png"}}, "There is no picture /nowhere/logo.png"),
        ({"qr": {"value": "x" * 1000, "size": 40}}, "The QR code has"),
        ({"frameCode": {"square": 64}}, "The frame code is 2048 pixels wide"),
        ({"qr": {"value": "x" * 1000, "size": 40}, "rotation": 5}, "The QR code has"),
    ],
)
def test_what_cannot_be_drawn_gives_way_to_its_fallback_and_is_told(layer: dict[str, Any], said: str) -> None:
    moved = {name: layer[name] for name in ("rotation",) if name in layer}
    with scene(instance("a", layer | {"fallback": BOX}), instance("b", BOX | moved)) as made:
        assert picture(made, "a") == picture(made, "b") != picture(made)
        assert said in made.problems["a"]


def test_layers_in_a_group_have_data_and_fallbacks_of_their_own() -> None:
    place = {"position": {"anchor": "bottomRight"}}
    inner = [
        {"name": "words", **SORTS["text"]},
        {"name": "news", "ticker": {"value": "{{ news }}", "width": 200}, "fallback": BOX, **place},
    ]
    written = [
        {"name": "words", "text": {"value": "7 kn"}},
        {"name": "box", **BOX, **place},
    ]
    news = WIND | {"name": "news", "path": "/news"}
    live = instance("live", {"group": {"layers": inner}, "rotation": 3}, data=(WIND, news))
    plain = instance("plain", {"group": {"layers": written}, "rotation": 3})

    def wind_only(_overlay: OverlayInstance, source: DataSource) -> str | None:
        return "7 kn" if source.name == "wind" else None

    with scene(live, plain, data=wind_only) as made:
        assert not made.problems
        assert picture(made, "live") == picture(made, "plain") != picture(made)


def test_an_image_with_a_box_of_its_own_size_keeps_it(tmp_path: Path) -> None:
    image = {"file": str(tmp_path / "no.png"), "width": 80, "height": 30, "fallback": {"color": "#00FF00"}}
    box = {"rectangle": {"width": 80, "height": 30, "color": "#00FF00"}}
    with scene(instance("a", {"image": image, "fallback": BOX}), instance("b", box)) as made:
        assert picture(made, "a") == picture(made, "b")


def test_a_fallback_may_be_a_picture(tmp_path: Path) -> None:
    Image.new("RGB", (60, 40), "#FF0000").save(tmp_path / "red.png")
    layer = SORTS["text"] | {"fallback": {"image": {"file": str(tmp_path / "red.png")}}}
    with scene(instance("a", layer, data=(WIND,)), instance("b", BOX)) as made:
        assert picture(made, "a") == picture(made, "b")


class TestTakenOver:
    CLOCK = {"clock": {"format": "%H:%M:%S"}}

    def test_only_what_shows_the_data_is_drawn_anew(self) -> None:
        live, other = instance("live", SORTS["text"], data=(WIND,)), instance("other", self.CLOCK, BOX)
        with scene(live, other, data=says("7 kn")) as before:
            with scene(live, other, data=says("8 kn"), previous=before, same_plan=True) as after:
                assert after.items["other"] is before.items["other"]
                assert after.items["live"] is not before.items["live"]
                assert picture(after, "other") == picture(before, "other")
                assert picture(after, "live") != picture(before, "live")
            with scene(live, other, data=says("7 kn"), previous=before, same_plan=True) as after:
                assert after.items["live"] is before.items["live"]

    def test_another_plan_is_drawn_as_a_whole(self) -> None:
        other = instance("other", self.CLOCK)
        with scene(other) as before, scene(other, previous=before) as after:
            assert after.items["other"] is not before.items["other"]

    def test_what_had_a_problem_is_tried_again(self, tmp_path: Path) -> None:
        logo = instance("logo", {"image": {"file": str(tmp_path / "logo.png")}})
        with scene(logo) as before:
            assert before.problems
            Image.new("RGB", (60, 40), "#FF0000").save(tmp_path / "logo.png")
            with scene(logo, previous=before, same_plan=True) as after:
                assert not after.problems
                assert picture(after, "logo") != picture(before, "logo")

    def test_the_scene_before_leaves_what_was_taken_over_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        live, other = instance("live", SORTS["countdown"], data=(WIND,)), instance("other", self.CLOCK)
        before = prepare(FORMAT, [live, other], Fallback(), wall=WALL, data=says("7"))
        closed: list[str] = []
        for id, items in before.items.items():
            monkeypatch.setattr(items[0], "close", partial(closed.append, id))
        with scene(live, other, data=says("8"), previous=before, same_plan=True) as after:
            before.close(after)
            assert closed == ["live"]
        assert closed == ["live", "other"]


class TestOffline:
    def plan(self, tmp_path: Path, **source: Any) -> Plan:
        plan = make_plan(tmp_path)
        live = instance("weather", SORTS["text"], data=(WIND | source,))
        assert plan.timeline is not None
        cues = (OverlayCuePlan(start=0, end=plan.timeline.length, instance="weather"),)
        timeline = plan.timeline.model_copy(update={"overlays": cues})
        return plan.model_copy(update={"overlays": (live,), "timeline": timeline})

    def frame(self, plan: Plan, **data: str) -> tuple[bytes, list[str]]:
        program = Offline(plan, 0, data={name.replace("__", "."): text for name, text in data.items()})
        try:
            out = Frame(FORMAT.width, FORMAT.height)
            program.make(3, out)
            return bytes(out.buffer), program.problems
        finally:
            program.close()

    def test_a_value_that_is_given_is_shown_and_nothing_is_fetched(self, tmp_path: Path) -> None:
        given, problems = self.frame(self.plan(tmp_path), wind="7 kn")
        assert problems == []
        default, _ = self.frame(self.plan(tmp_path, default="7 kn"))
        assert given == default
        assert given != self.frame(self.plan(tmp_path), wind="8 kn")[0]

    def test_one_for_an_overlay_wins_over_one_for_all(self, tmp_path: Path) -> None:
        plan = self.plan(tmp_path)
        assert self.frame(plan, wind="7 kn", weather__wind="8 kn") == self.frame(plan, wind="8 kn")

    def test_what_is_not_given_is_told(self, tmp_path: Path) -> None:
        told = "Overlay weather: data wind is not fetched here, and there is no value to show; give one with "
        assert self.frame(self.plan(tmp_path))[1] == [f"{told}--data wind=TEXT."]
        assert "its default is shown" in self.frame(self.plan(tmp_path, default="–"))[1][0]


def test_a_changed_word_costs_no_more_than_its_own_overlay() -> None:
    """Sixteen overlays that take long to draw are not drawn again for a seventeenth that has changed."""
    text = {"value": "Skagen " * 30, "width": 300, "size": 20}
    heavy = [instance(f"heavy-{number}", {"text": text, "rotation": number}) for number in range(16)]
    live = instance("live", SORTS["text"], data=(WIND,))
    with scene(*heavy, live, data=says("7")) as before:
        with scene(*heavy, live, data=says("8"), previous=before, same_plan=True) as after:
            taken = [id for id in after.items if after.items[id] is before.items[id]]
        assert taken == [overlay.id for overlay in heavy]
        assert np.any(np.frombuffer(picture(before, "live"), np.uint8))
