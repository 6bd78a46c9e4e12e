"""Pixels in full resolution: moved, laid together, made sprites."""

from __future__ import annotations

import numpy as np
import pytest

from vistterstream.playout.frames import Bytes, Floats, planes, premultiplied
from vistterstream.playout.geometry import EVERYWHERE, Rect
from vistterstream.playout.pieces import Bounds
from vistterstream.playout.plates import Plate, clipped, looks_of, shifted, sprite_of, together


def noise(height: int, width: int, seed: int = 1) -> Bytes:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)


@pytest.mark.parametrize(("x", "y"), [(10, 20), (10.25, 20), (10, 20.75), (-3.4, 7.6)])
def test_shifted_pixels_are_the_weighted_mean_of_their_neighbours(x: float, y: float) -> None:
    pixels = premultiplied(noise(21, 34))
    moved = shifted(Plate(pixels, Rect(0, 0, 34, 21), Rect(0, 0, 34, 21)), x, y, EVERYWHERE)
    assert moved is not None
    found, rect = moved
    across, down = x - np.floor(x), y - np.floor(y)
    assert (rect.x, rect.y) == (np.floor(x), np.floor(y))
    wide: Floats = np.pad(pixels, ((1, 1), (1, 1), (0, 0)))
    exact = sum(
        wide[1 - j : 1 - j + rect.height, 1 - i : 1 - i + rect.width] * share
        for i, j, share in (
            (0, 0, (1 - across) * (1 - down)),
            (1, 0, across * (1 - down)),
            (0, 1, (1 - across) * down),
            (1, 1, across * down),
        )
    )
    assert np.abs(found - exact).max() < 0.05


def test_what_lies_outside_is_cut_off() -> None:
    pixels = premultiplied(noise(10, 10))
    cut = clipped((pixels, Rect(-4, 3, 10, 10)), Rect(0, 0, 100, 8))
    assert cut is not None
    assert cut[1] == Rect(0, 3, 6, 5)
    assert (cut[0] == pixels[:5, 4:]).all()
    assert clipped((pixels, Rect(-40, 3, 10, 10)), Rect(0, 0, 100, 8)) is None


def test_patches_are_laid_over_each_other_as_exact_arithmetic_does() -> None:
    bounds = Rect(0, 0, 60, 40)
    parts = [(noise(20, 30, 1), 3, 5, 1.0), (noise(25, 20, 2), 15, 10, 0.4), (noise(9, 9, 3), 30, 2, 1.0)]
    patches = [((premultiplied(rgba), Rect(x, y, *rgba.shape[1::-1])), share) for rgba, x, y, share in parts]
    made = together(patches, Bounds(bounds))
    assert made is not None
    pixels, rect = made
    exact = np.zeros((40, 60, 4))
    for (part, seen), opacity in patches:
        where = exact[seen.y : seen.y + seen.height, seen.x : seen.x + seen.width]
        where[:] = where * (1 - part[..., 3:] / 255.0 * opacity) + part * opacity
    assert rect == Rect(3, 2, 36, 33)
    assert np.abs(pixels - exact[2:35, 3:39]).max() < 0.05


def test_nothing_together_is_nothing() -> None:
    assert together([], Bounds(Rect(0, 0, 10, 10))) is None
    assert looks_of(None) == ()


@pytest.mark.parametrize("place", [(0, 0), (7, 4), (4, 7), (5, 9)])
def test_a_sprite_of_pixels_is_that_of_a_picture(place: tuple[int, int]) -> None:
    """At odd places too, where it is padded to the grid of the chroma."""
    rgba, (x, y) = noise(20, 30), place
    made = sprite_of((premultiplied(rgba), Rect(x, y, 30, 20)))
    assert made is not None
    left, top = x % 2, y % 2
    padded = np.zeros((20 + 2 * top, 30 + 2 * left, 4), np.uint8)
    padded[top : top + 20, left : left + 30] = rgba
    wanted = planes(padded)
    assert (made.x, made.y, made.width, made.height) == (x - left, y - top, 30 + 2 * left, 20 + 2 * top)
    for one, other in zip(
        (made.planes.rest, made.planes.light, made.planes.chroma_light),
        (wanted.rest, wanted.light, wanted.chroma_light),
        strict=True,
    ):
        # Chroma is weighted with its exact alpha here, and with the nearest whole one there.
        assert np.abs(one.astype(int) - other).max() <= (1 if one.ndim == 2 else 128)
