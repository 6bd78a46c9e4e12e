"""Overlays that come and go as one: what `enter` and `exit` of a cue look like."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from playout.pictures import noise
from vistterstream.playout.compositor import Scene, compose, prepare
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.resources.overlay import Envelope, OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.plan import OverlayInstance

WALL = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)
FORMAT = Format(width=640, height=360)
FADE = {"duration": "10f", "easing": "linear"}
SLIDE = {"duration": "12f", "slide": "left", "opacity": 1}
BOX = {"width": 200, "height": 100}
LAYERS: list[dict[str, Any]] = [
    {"name": "a", "rectangle": {**BOX, "color": "#FF0000"}},
    {"name": "b", "rectangle": {**BOX, "color": "#0000FF"}, "position": {"x": 50, "y": 30}},
    {"name": "c", "text": {"value": "Low tide", "size": 40}, "position": {"anchor": "bottom", "y": -20}},
    {"name": "d", "clock": {"size": 30}, "position": {"anchor": "topRight"}},
]
LENGTH = 60


@pytest.fixture
def scenes() -> Iterator[list[Scene]]:
    made: list[Scene] = []
    yield made
    for scene in made:
        scene.close()


def scene(made: list[Scene], layers: list[dict[str, Any]], enter: Any = None, exit: Any = None) -> Scene:
    spec = OverlaySpec.model_validate({"canvas": {"width": 640, "height": 360}, "layers": layers})
    enter, exit = (how and Envelope.model_validate(how) for how in (enter, exit))
    overlay = OverlayInstance(id="o", overlay="o", spec=spec, enter=enter, exit=exit)
    made.append(prepare(FORMAT, [overlay], Fallback(), wall=WALL))
    made[-1].draw_at_once()
    return made[-1]


def frame(scene: Scene, age: int, base: Frame | None = None) -> Frame:
    out = Frame(640, 360)
    base = base or noise(640, 360)
    compose(scene, out, base, None, 0.0, [("o", age, LENGTH)], 100 + age, WALL)
    return out


def far(one: Frame, other: Frame) -> int:
    return int(np.abs(one.data.astype(np.int16) - other.data.astype(np.int16)).max())


@pytest.mark.parametrize(("enter", "exit"), [(FADE, None), (None, FADE), (SLIDE, FADE), (FADE, SLIDE)])
def test_it_is_what_the_layers_in_a_group_are(scenes: list[Scene], enter: Any, exit: Any) -> None:
    base = noise(640, 360)
    whole = scene(scenes, LAYERS, enter, exit)
    group = {"name": "g", "group": {"layers": LAYERS}, "enter": enter, "exit": exit}
    grouped = scene(scenes, [group])
    for age in range(LENGTH):
        passing = (enter and age < 10) or (exit and age > LENGTH - 10)
        apart = far(frame(whole, age, base), frame(grouped, age, base))
        assert apart <= (0 if passing else 2), age  # what is laid on one by one is rounded more often


def test_between_coming_and_going_the_layers_are_themselves_to_the_bit(scenes: list[Scene]) -> None:
    whole, plain = scene(scenes, LAYERS, FADE, SLIDE), scene(scenes, LAYERS)
    base = noise(640, 360)
    for age in (10, 11, 30, 47, 48):
        assert frame(whole, age, base).buffer == frame(plain, age, base).buffer


def test_nothing_shines_through_while_it_fades(scenes: list[Scene]) -> None:
    base = Frame(640, 360)
    base.fill((16, 128, 128))

    def inside(age: int, layers: list[dict[str, Any]]) -> Bytes:
        return frame(scene(scenes, layers, FADE), age, base).y[60:90, 80:180]

    both, upper = inside(5, LAYERS[:2]), inside(5, LAYERS[1:2])
    assert np.abs(both.astype(int) - upper).max() <= 1


def test_what_its_layers_do_themselves_comes_on_top(scenes: list[Scene]) -> None:
    base = Frame(640, 360)
    base.fill((16, 128, 128))
    box = {"name": "a", "rectangle": {"width": 64, "height": 64, "color": "#FFFFFF"}, "enter": FADE}
    light = [int(frame(scene(scenes, [box], how), 5, base).y[32, 32]) for how in (None, FADE)]
    assert (light[0] - 16) / 219 == pytest.approx(0.5, abs=1 / 219)
    assert (light[1] - 16) / 219 == pytest.approx(0.25, abs=1.5 / 219)


def test_a_frame_code_stays_what_machines_read(scenes: list[Scene]) -> None:
    code = {"name": "f", "frameCode": {"square": 8}, "position": {"anchor": "bottomLeft"}}
    base = noise(640, 360)
    faded = frame(scene(scenes, [*LAYERS, code], FADE), 2, base)
    alone = frame(scene(scenes, [code]), 2, base)
    assert (faded.y[352:, :256] == alone.y[352:, :256]).all()


def test_groups_as_deep_as_they_may_be_come_in_as_one_too(scenes: list[Scene]) -> None:
    deep: dict[str, Any] = LAYERS[0]
    for name in ("x", "y", "z"):
        deep = {"name": name, "group": {"layers": [deep]}}
    made = scene(scenes, [deep, LAYERS[1]], FADE)
    assert not made.problems
    assert far(frame(made, 0), noise(640, 360)) == 0
    assert far(frame(made, 9), noise(640, 360)) > 0


def test_what_is_wrong_with_a_layer_is_told_once(scenes: list[Scene]) -> None:
    bad = {"name": "bad", "image": {"file": "/no/such.png"}}
    told = scene(scenes, [bad, LAYERS[0]], FADE).problems["o"]
    assert told == scene(scenes, [bad, LAYERS[0]]).problems["o"]
