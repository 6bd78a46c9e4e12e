"""Pictures at fractions of a pixel, as they are blended onto frames."""

from __future__ import annotations

import numpy as np
import pytest

from playout.drawing import whole
from vistterstream.playout.blend import Blender
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.playout.geometry import Rect
from vistterstream.playout.planar import Planar
from vistterstream.playout.sprites import MOSAIC_SAMPLES, Mosaic

WIDTH, HEIGHT = 1920, 1080
BOUNDS = Rect(0, 0, WIDTH, HEIGHT)
NOISE = np.random.default_rng(7)


def panel(width: int, height: int, color: tuple[int, int, int, int], rich: Rect) -> Bytes:
    """A panel of one colour with a part of noise."""
    picture = np.empty((height, width, 4), np.uint8)
    picture[:] = color
    part = picture[rich.y : rich.y + rich.height, rich.x : rich.x + rich.width]
    part[:] = NOISE.integers(0, 256, part.shape, np.uint8)
    return picture


LOWER_THIRD = panel(1280, 720, (0, 0, 0, 0), Rect(40, 560, 600, 120))
TEXT = panel(1200, 400, (20, 40, 160, 255), Rect(0, 180, 1200, 34))
BAND = panel(1600, 800, (20, 40, 160, 128), Rect(0, 400, 1600, 60))
SMALL = panel(600, 200, (20, 40, 160, 128), Rect(50, 50, 100, 20))


def blended(planar: Planar, left: float, top: float) -> Bytes:
    out = Frame(WIDTH, HEIGHT)
    out.fill((100, 110, 140))
    blender = Blender(WIDTH)
    for look in planar.at(left, top, BOUNDS):
        blender.blend(out, look)
    return out.data


@pytest.mark.parametrize("picture", [LOWER_THIRD, TEXT, BAND, SMALL])
@pytest.mark.parametrize("place", [(100.25, 50.5), (-0.4, 20.0), (-0.2, 20.0), (-3.2, 301.7), (700.5, 400)])
def test_its_parts_blended_are_the_whole_blended(picture: Bytes, place: tuple[float, float]) -> None:
    planar = Planar(picture)
    for _ in range(2):
        found = blended(planar, *place).copy()
        sprite = whole(planar.at(*place, BOUNDS))
        assert sprite is not None
        expected = Frame(WIDTH, HEIGHT)
        expected.fill((100, 110, 140))
        Blender(WIDTH).blend(expected, sprite)
        assert np.array_equal(found, expected.data)


@pytest.mark.slow
def test_a_place_looks_the_same_whatever_was_asked_before() -> None:
    for picture in (LOWER_THIRD, SMALL):
        used = Planar(picture)
        for step in range(40):
            place = -4.0 + step * 0.23, 300.0 + step * 0.11
            assert np.array_equal(blended(used, *place), blended(Planar(picture), *place)), place


def test_a_mosaic_is_never_larger_than_what_is_blended_at_once() -> None:
    for picture in (LOWER_THIRD, TEXT, BAND):
        for look in Planar(picture).at(100.25, 50.5, BOUNDS):
            assert not isinstance(look, Mosaic) or look.rest.size <= MOSAIC_SAMPLES
