"""Safe areas: what positions count from, and their outlines offline (EBU R 95: 93 and 90 % of each side)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from playout.test_passing import far, frame, scene, scenes
from vistterstream.playout import guides
from vistterstream.playout.frames import Frame, to_yuv
from vistterstream.playout.geometry import Rect, View
from vistterstream.resources.overlay import Anchor, Area, Canvas, OverlaySpec, Position

__all__ = ["scenes"]  # a fixture

BOX = {"width": 40, "height": 20, "color": "#FFFFFF"}
HD = View(1920, 1080, Canvas())
EDGES = {Area.CANVAS: (0, 0), Area.ACTION_SAFE: (67, 38), Area.TITLE_SAFE: (96, 54)}
"""Canvas pixels left and above of each area at 1920x1080, rounded."""


def black() -> Frame:
    made = Frame(640, 360)
    made.fill((16, 128, 128))
    return made


def seen(made: Frame) -> Rect:
    rows, columns = np.nonzero(made.y > 100)
    left, top = int(columns.min()), int(rows.min())
    return Rect(left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1)


@pytest.mark.parametrize("area", Area)
@pytest.mark.parametrize("anchor", Anchor)
def test_an_anchor_is_a_point_of_the_area(area: Area, anchor: Anchor) -> None:
    left, top = EDGES[area]
    place = HD.against(area).place(Position(anchor=anchor, x=5, y=-7), 100, 50)
    across = {"left": left, "right": 1920 - left - 100}.get(_side(anchor, "left", "right"), 910)
    down = {"top": top, "bottom": 1080 - top - 50}.get(_side(anchor, "top", "bottom"), 515)
    assert (place.x, place.y) == (across + 5, down - 7)


def _side(anchor: Anchor, *sides: str) -> str:
    return next((side for side in sides if side in anchor.value.lower()), "")


def test_the_area_of_the_canvas_counts_where_a_layer_names_none() -> None:
    safe = View(1920, 1080, Canvas(area=Area.TITLE_SAFE))
    assert safe.against(None).place(Position(), 10, 10) == Rect(96, 54, 10, 10)
    assert safe.against(Area.CANVAS).place(Position(), 10, 10) == Rect(0, 0, 10, 10)
    assert safe.against(None).of_group(300, 200).against(None).place(Position(), 10, 10) == Rect(0, 0, 10, 10)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"rotation": 360},
        {"enter": {"duration": "1f"}},
        {"tracks": [{"property": "x", "keyframes": [{"at": "0s", "value": 0}]}]},
        {
            "tracks": [
                {"property": "scale", "keyframes": [{"at": "0s", "value": 1}, {"at": "1s", "value": 1}]}
            ]
        },
    ],
)
def test_every_sort_of_layer_stands_in_it(scenes: Any, more: dict[str, Any]) -> None:
    layer = {"name": "a", "rectangle": BOX, "position": {"area": "titleSafe"}, **more}
    assert seen(frame(scene(scenes, [layer]), 30, black())) == Rect(32, 18, 40, 20)


def test_a_frame_code_stands_in_it(scenes: Any) -> None:
    layer = {"name": "a", "frameCode": {"square": 8}, "position": {"area": "titleSafe"}}
    code = seen(frame(scene(scenes, [layer]), 30, black()))
    assert (code.x >= 32, code.y) == (True, 18)


def test_a_group_without_a_size_is_as_large_as_the_area_and_its_layers_stand_in_it(scenes: Any) -> None:
    inner = {"name": "a", "rectangle": BOX, "position": {"anchor": "bottomRight"}}
    group = {"name": "g", "group": {"layers": [inner]}, "position": {"area": "titleSafe"}}
    assert seen(frame(scene(scenes, [group]), 30, black())) == Rect(640 - 32 - 40, 360 - 18 - 20, 40, 20)
    sized = {"name": "g", "group": {"width": 640, "height": 360, "layers": [inner]}}
    moved = sized | {"position": {"area": "titleSafe", "anchor": "topLeft"}}
    assert seen(frame(scene(scenes, [sized]), 30, black())) == Rect(600, 340, 40, 20)
    assert seen(frame(scene(scenes, [moved]), 30, black())) == Rect(632, 358, 8, 2), (
        "partly out of the picture"
    )


def test_an_overlay_that_comes_in_as_one_keeps_its_areas(scenes: Any) -> None:
    layers = [
        {"name": "a", "rectangle": BOX, "position": {"area": "titleSafe"}},
        {"name": "b", "rectangle": BOX, "position": {"anchor": "bottomRight", "area": "actionSafe"}},
        {"name": "c", "rectangle": BOX, "position": {"anchor": "top"}},
    ]
    coming = scene(scenes, layers, {"duration": "20f", "opacity": 1, "slide": "left", "distance": 0})
    assert far(frame(coming, 3), frame(scene(scenes, layers), 3)) <= 1


def test_a_layer_in_a_group_has_no_area_of_its_own() -> None:
    inner = {"name": "a", "rectangle": BOX, "position": {"area": "titleSafe"}}
    with pytest.raises(ValidationError, match="give the group's position the area"):
        OverlaySpec.model_validate({"layers": [{"name": "g", "group": {"layers": [inner]}}]})


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (640, 360), (3840, 2160)])
def test_guides_are_drawn_just_inside_of_the_areas_and_nowhere_else(width: int, height: int) -> None:
    made = Frame(width, height)
    made.fill((16, 128, 128))
    guides.draw(made)
    title, action = (to_yuv(guides.COLORS[area]) for area in (Area.TITLE_SAFE, Area.ACTION_SAFE))
    row = made.y[height // 2]
    assert int(np.flatnonzero(row == title[0])[0]) == pytest.approx(width * 0.05, abs=1)
    assert int(np.flatnonzero(row == action[0])[0]) == pytest.approx(width * 0.035, abs=1)
    assert (row == row[::-1]).all()
    assert (made.y == made.y[::-1]).all()
    assert (made.y != 16).mean() < 0.035
    assert ((made.u != 128) == (made.y[::2, ::2] != 16)).all()
