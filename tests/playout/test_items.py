"""Layers of every kind that move: clocks, countdowns, tickers and frame codes as all others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from playout.pictures import noise
from vistterstream.playout import clocks, framecode
from vistterstream.playout.compositor import Scene, compose, prepare
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.playout.items import Clocked, Drawn, Running
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.plan import OverlayInstance

WALL = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)
CLOCK = {"clock": {"size": 40, "format": "%H:%M:%S"}}
TICKER = {"ticker": {"value": "High tide", "width": 300, "speed": 60, "size": 30, "background": "#402010"}}
CODE = {"frameCode": {"square": 8}}


def scene(layer: dict[str, Any]) -> Scene:
    document = {"canvas": {"width": 640, "height": 360}, "layers": [{"name": "l", **layer}]}
    overlay = OverlayInstance(id="o", overlay="o", spec=OverlaySpec.model_validate(document))
    made = prepare(Format(width=640, height=360), [overlay], Fallback(), wall=WALL)
    made.draw_at_once()
    assert not made.problems
    return made


def frame(made: Scene, age: int = 0, wall: datetime = WALL, length: int | None = None) -> Frame:
    base, out = Frame(640, 360), Frame(640, 360)
    base.fill((16, 128, 128))
    compose(made, out, base, None, 0.0, [("o", age, length)], age, wall)
    return out


def track(property: str, *keyframes: tuple[str, float]) -> dict[str, Any]:
    return {"property": property, "keyframes": [{"at": at, "value": value} for at, value in keyframes]}


def apart(one: Bytes, other: Bytes) -> int:
    return int(np.abs(one.astype(int) - other).max())


class TestClocks:
    def test_one_that_moves_is_where_it_should_be_and_says_the_time(self) -> None:
        moving = scene({**CLOCK, "tracks": [track("x", ("0s", 20), ("1s", 80)), track("y", ("0s", 40))]})
        assert isinstance(moving.items["o"][0], Drawn)
        for age in (0, 10, 30, 90):
            still = scene({**CLOCK, "position": {"x": min(20 + 2 * age, 80), "y": 40}})
            assert isinstance(still.items["o"][0], Clocked)
            wall = WALL + timedelta(seconds=age)
            assert apart(frame(moving, age, wall).data, frame(still, age, wall).data) <= 2

    def test_one_can_do_what_a_text_can(self) -> None:
        """Scale, turn, crop and colour, against a text that says the same (letters, since figures differ)."""
        tracks = [
            track("scale", ("0s", 0.5), ("1s", 1.5)),
            track("rotation", ("0s", -20), ("1s", 40)),
            track("cropLeft", ("0s", 0), ("1s", 0.3)),
            {
                "property": "color",
                "keyframes": [{"at": "0s", "color": "#FF0000"}, {"at": "1s", "color": "#00FF00"}],
            },
        ]
        style = {"size": 60, "background": "#203040", "padding": 10}
        place = {"position": {"anchor": "center"}, "tracks": tracks}
        clock = scene({"clock": {"format": "%a", **style}, **place})
        text = scene({"text": {"value": "Sun", **style}, **place})
        for age in (0, 13, 22, 30):
            assert apart(frame(clock, age).data, frame(text, age).data) <= 2

    def test_a_countdown_slides_in_and_out(self) -> None:
        layer = {
            "countdown": {"duration": "9s", "size": 40},
            "position": {"x": 50, "y": 60},
            "enter": {"duration": "1s", "slide": "left", "easing": "linear"},
            "exit": {"duration": "1s", "slide": "right", "easing": "linear"},
        }
        made = scene(layer)
        still = scene({"countdown": layer["countdown"], "position": layer["position"]})
        empty = frame(made, 0, length=120)
        assert (empty.y == 16).all()
        assert apart(frame(made, 45, length=120).data, frame(still, 45).data) <= 2
        left = np.flatnonzero((frame(made, 15, length=120).y > 60).any(axis=0)).max()
        right = np.flatnonzero((frame(made, 105, length=120).y > 60).any(axis=0)).min()
        assert left < 120
        assert right > 250
        assert (frame(made, 120, length=120).y == 16).all()

    def test_it_is_drawn_for_few_texts_at_a_time(self) -> None:
        made = scene({**CLOCK, "tracks": [track("x", ("0s", 0), ("9s", 90))]})
        for second in range(20):
            frame(made, second, WALL + timedelta(seconds=second))
        item = made.items["o"][0]
        assert isinstance(item, Drawn)
        assert isinstance(item._part, clocks.MovingClock)
        assert len(item._part._drawn) <= 8


class TestTickers:
    @pytest.mark.parametrize("age", [5, 77, 150, 400])
    def test_one_that_moves_runs_on(self, age: int) -> None:
        path = [track("x", ("0s", 0), ("1s", 100)), track("y", ("0s", 200), ("1s", 50))]
        moving, share = scene({**TICKER, "tracks": path}), min(age / 30, 1)
        assert isinstance(moving.items["o"][0], Drawn)
        still = scene({**TICKER, "position": {"x": round(100 * share), "y": round(200 - 150 * share)}})
        assert isinstance(still.items["o"][0], Running)
        if share == 1:
            assert apart(frame(moving, age).data, frame(still, age).data) <= 1
        else:
            rows = np.flatnonzero((frame(moving, age).y > 25).any(axis=1))
            assert rows.min() == pytest.approx(200 - 150 * share, abs=1)

    def test_it_slides_in(self) -> None:
        made = scene(
            {**TICKER, "position": {"anchor": "bottom"}, "enter": {"duration": "1s", "slide": "bottom"}}
        )
        assert (frame(made, 0).y == 16).all()
        still = scene({**TICKER, "position": {"anchor": "bottom"}})
        assert apart(frame(made, 60).data, frame(still, 60).data) <= 1


class TestFrameCodes:
    def test_one_that_moves_can_be_read_in_every_frame(self) -> None:
        path = [track("x", ("0s", 0), ("1s", 301)), track("y", ("0s", 11), ("1s", 333))]
        made = scene({**CODE, "tracks": path})
        for age in range(0, 60):
            share = min(age / 30, 1)
            x, y = int(301 * share + 0.5), int(11 + 322 * share + 0.5)
            out = frame(made, age)
            x = min(x, 640 - 256)
            value = framecode.read(out.y, x - x % 2, y - y % 2, 8)
            assert value == framecode.pack(framecode.PROGRAM, age)

    def test_it_slides_but_never_leaves_the_picture(self) -> None:
        made = scene(
            {**CODE, "position": {"x": 100}, "enter": {"duration": "1s", "slide": "left", "opacity": 1}}
        )
        assert framecode.read(frame(made, 0).y, 0, 0, 8) == framecode.pack(framecode.PROGRAM, 0)
        assert framecode.read(frame(made, 40).y, 100, 0, 8) == framecode.pack(framecode.PROGRAM, 40)

    def test_it_is_solid_on_any_picture(self) -> None:
        made = scene({**CODE, "position": {"x": 20, "y": 40}})
        base, out = noise(640, 360), Frame(640, 360)
        compose(made, out, base, None, 0.0, [("o", 7)], 12345, WALL)
        assert set(np.unique(out.y[40:48, 20:276])) == {16, 235}
        assert (out.uv[:, 20:24, 10:138] == 128).all()
        assert (out.y[48:] == base.y[48:]).all()
