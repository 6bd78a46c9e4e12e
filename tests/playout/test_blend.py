"""Blending, against arithmetic in full precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playout.pictures import distance, noise, over, twin
from vistterstream.playout.blend import Blender
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.playout.geometry import Rect
from vistterstream.playout.sprites import sprite

WIDTH, HEIGHT = 128, 96


def translucent(width: int, height: int, seed: int = 3) -> Bytes:
    rgba = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    rgba[:, : width // 4, 3] = 0
    rgba[:, width // 2 :, 3] = 255
    return rgba


def blended(frame: Frame, rgba: Bytes, x: int, y: int, opacity: float = 1.0) -> Frame:
    piece = sprite(rgba, Rect(x, y, rgba.shape[1], rgba.shape[0]))
    assert piece is not None
    out = twin(frame)
    Blender(out.width).blend(out, piece, opacity)
    return out


@pytest.mark.slow
@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 60), st.integers(1, 50), st.integers(0, 2**32))
def test_a_solid_overlay_is_within_one_code_value_of_the_exact_blend(
    x: int, y: int, width: int, height: int, seed: int
) -> None:
    frame = noise(WIDTH, HEIGHT)
    rgba = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    rgba[0, 0, 3] = 9  # something to see
    assert distance(blended(frame, rgba, x, y), over(frame, rgba, x, y, 1.0)) <= 1


@pytest.mark.slow
@given(st.floats(0, 1), st.integers(0, 1), st.integers(0, 1))
def test_a_moving_opacity_is_within_one_code_value_of_the_exact_blend(opacity: float, x: int, y: int) -> None:
    frame, rgba = noise(WIDTH, HEIGHT), translucent(61, 37)
    # half a value for each rounding, and half for the alpha of chroma, which is a whole number
    assert distance(blended(frame, rgba, x, y, opacity), over(frame, rgba, x, y, opacity)) <= 1.25


def test_what_is_opaque_equals_the_sprite_exactly() -> None:
    rgba = translucent(40, 20)
    rgba[..., 3] = 255
    wanted = Frame(40, 20)
    wanted.put_rgb(rgba[..., :3])
    out = blended(noise(WIDTH, HEIGHT), rgba, 10, 20)
    assert (out.y[20:40, 10:50] == wanted.y).all()
    assert (out.u[10:20, 5:25] == wanted.u).all()
    assert (out.v[10:20, 5:25] == wanted.v).all()


def test_what_is_transparent_leaves_every_bit() -> None:
    rgba = translucent(40, 20)
    rgba[..., 3] = 0
    rgba[0, 0, 3] = rgba[-1, -1, 3] = 255  # so that the whole rectangle is blended
    frame = Frame(WIDTH, HEIGHT)
    frame.data[:] = np.random.default_rng(2).integers(0, 256, frame.data.shape, np.uint8)
    out = blended(frame, rgba, 10, 20)
    changed = np.argwhere(out.y != frame.y)
    assert {tuple(place) for place in changed} <= {(20, 10), (39, 49)}
    assert len(np.argwhere(out.uv != frame.uv)) <= 4


@pytest.mark.parametrize("opacity", [0.0, -0.0])
def test_no_opacity_leaves_every_bit(opacity: float) -> None:
    frame = noise(WIDTH, HEIGHT)
    assert blended(frame, translucent(40, 20), 3, 5, opacity).buffer == frame.buffer


def test_nothing_outside_the_rectangle_is_touched() -> None:
    frame = noise(WIDTH, HEIGHT)
    out = blended(frame, translucent(31, 17), 33, 21)
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[21 : 21 + 17, 33 : 33 + 31] = True
    assert not (out.y != frame.y)[~inside].any()
    squares = inside.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).any(axis=(1, 3))
    assert not (out.uv != frame.uv)[:, ~squares].any()


def test_a_sprite_may_stand_elsewhere() -> None:
    frame, rgba = noise(WIDTH, HEIGHT), translucent(40, 20)
    rgba[..., 3] |= 1  # nothing to trim
    piece = sprite(rgba, Rect(0, 0, 40, 20))
    assert piece is not None
    out = twin(frame)
    Blender(WIDTH).blend(out, piece, at=(44, 66))
    assert out.buffer == blended(frame, rgba, 44, 66).buffer


def test_a_large_sprite_is_blended_in_bands_without_a_seam() -> None:
    frame = noise(1280, 720)
    rgba = np.empty((720, 1280, 4), np.uint8)
    rgba[:] = (200, 30, 90, 127)
    assert distance(blended(frame, rgba, 0, 0), over(frame, rgba, 0, 0, 1.0)) <= 1


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_division_rounds_exactly_for_every_value(below: int, value: int, alpha: int) -> None:
    """Luma of greys: the nearest whole number to the exact blend, or at a tie either neighbour."""
    frame = Frame(2, 2)
    frame.fill((below, 128, 128))
    rgba = np.full((2, 2, 4), value, np.uint8)
    rgba[..., 3] = max(alpha, 1)
    exact = over(frame, rgba, 0, 0, 1.0)[0][0, 0]
    assert abs(int(blended(frame, rgba, 0, 0).y[0, 0]) - exact) <= 0.503
