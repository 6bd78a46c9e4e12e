"""Rectangles that stand still are drawn in parts, and look as if they were not."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playout.drawing import places
from vistterstream.playout.blend import Blender
from vistterstream.playout.frames import Frame
from vistterstream.playout.geometry import Rect, View
from vistterstream.playout.layers import rasterise
from vistterstream.playout.pieces import Bounds
from vistterstream.playout.room import Room
from vistterstream.playout.shapes import rectangle_piece
from vistterstream.playout.sprites import Look, SpriteCache, sprite
from vistterstream.resources.overlay import Canvas, Layer

VIEW = View(640, 360, Canvas(width=640, height=360))


def noise() -> Frame:
    frame = Frame(VIEW.width, VIEW.height)
    frame.data[:] = np.random.default_rng(1).integers(16, 235, frame.data.shape, np.uint8)
    return frame


def blended(looks: Iterable[Look], opacity: float) -> Frame:
    frame, blender = noise(), Blender(VIEW.width)
    for one in looks:
        blender.blend(frame, one, opacity)
    return frame


def parts(layer: Layer, opacity: float = 1.0) -> tuple[Look, ...]:
    return rasterise(layer, VIEW, opacity, SpriteCache(), Room(), pytest.fail)


@settings(max_examples=150, deadline=None)
@given(
    place=st.tuples(st.integers(-300, 600), st.integers(-200, 340)),
    size=st.tuples(st.integers(1, 900), st.integers(1, 500)),
    radius=st.sampled_from([0, 1, 2, 7, 30, 64, 400]),
    alpha=st.sampled_from(["", "80", "01"]),
    own=st.sampled_from([1.0, 0.35]),
    opacity=st.sampled_from([1.0, 0.6]),
)
@pytest.mark.slow
def test_parts_look_as_the_whole_does_to_the_bit(
    place: tuple[int, int],
    size: tuple[int, int],
    radius: int,
    alpha: str,
    own: float,
    opacity: float,
) -> None:
    rectangle = {"width": size[0], "height": size[1], "radius": radius, "color": f"#2A6FDB{alpha}"}
    position = {"x": place[0], "y": place[1]}
    layer = Layer.model_validate({"name": "l", "rectangle": rectangle, "position": position})
    assert layer.rectangle is not None
    piece = rectangle_piece(layer.rectangle, layer.position, VIEW, Bounds(VIEW.whole))
    whole = None if piece is None else sprite(piece.rgba, piece.seen, own)
    wanted = blended(() if whole is None else (whole,), opacity)
    made = blended(parts(layer, own), opacity)
    apart = np.abs(made.data.astype(int) - wanted.data)
    # Below an opacity of 1 a table and OpenCV's vectors may round a tie otherwise.
    assert apart.max() <= (0 if opacity == 1.0 else 1)


def test_one_of_one_colour_takes_next_to_no_memory_however_large() -> None:
    rectangle = {"width": 640, "height": 360, "color": "#2A6FDB80"}
    (flat,) = parts(Layer.model_validate({"name": "l", "rectangle": rectangle}))
    assert flat.nbytes == 0
    assert places(flat) == (Rect(0, 0, 640, 360),)
    round_ones = parts(Layer.model_validate({"name": "l", "rectangle": rectangle | {"radius": 20}}))
    assert sum(one.nbytes for one in round_ones) < 640 * 360 * 5.5 / 5


def test_parts_do_not_overlap() -> None:
    rectangle = {"width": 501, "height": 333, "radius": 40, "color": "#F4C020"}
    layer = Layer.model_validate({"name": "l", "rectangle": rectangle, "position": {"x": 31, "y": 7}})
    covered = np.zeros((360, 640), int)
    for one in (place for look in parts(layer) for place in places(look)):
        covered[one.y : one.y + one.height, one.x : one.x + one.width] += 1
    assert covered.max() == 1
