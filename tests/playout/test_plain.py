"""Areas of one colour are found, and what is put together of them looks as if it were whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playout.drawing import places
from playout.pictures import noise, twin
from vistterstream.playout import planar
from vistterstream.playout.blend import Blender
from vistterstream.playout.frames import Bytes, Frame, premultiplied
from vistterstream.playout.geometry import Rect, View
from vistterstream.playout.plain import SPLIT, in_parts, parted, plain_areas
from vistterstream.playout.planar import Planar
from vistterstream.playout.plates import Plate, looks_of
from vistterstream.playout.sprites import gathered, sprite
from vistterstream.playout.turning import Turner
from vistterstream.resources.overlay import Anchor, Canvas
from vistterstream.timeline.tracks import Pose

WIDTH, HEIGHT = 640, 360
WHOLE = Rect(0, 0, WIDTH, HEIGHT)


def panel(width: int = 400, height: int = 180, seed: int = 1) -> Bytes:
    """A translucent panel with ragged edges and a noisy strip across it, of which one half is empty."""
    random = np.random.default_rng(seed)
    rgba = np.empty((height, width, 4), np.uint8)
    rgba[:] = (42, 111, 219, 192)
    rgba[:, :7], rgba[:3], rgba[-2:] = (random.integers(0, 256, (1, 4)) for _ in range(3))
    rgba[80:95] = random.integers(0, 256, (15, width, 4))
    rgba[95:-2, 40:] = random.integers(0, 256, (height - 97, width - 40, 1))
    rgba[95:-2, 40:, 3] = 0
    return rgba


def test_areas_are_found_to_the_pixel() -> None:
    assert plain_areas(panel()) == (Rect(40, 95, 360, 83), Rect(7, 3, 393, 77))
    assert plain_areas(premultiplied(panel())) == (Rect(40, 95, 360, 83), Rect(7, 3, 393, 77))


def test_what_is_small_or_of_many_colours_has_none() -> None:
    assert plain_areas(np.zeros((100, 100, 4), np.uint8)) == ()
    assert plain_areas(np.random.default_rng(1).integers(1, 256, (300, 400, 4), np.uint8)) == ()


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9), st.integers(1, 9))))
def test_every_area_has_one_colour(boxes: list[tuple[int, int, int, int]]) -> None:
    rgba = np.full((331, 403, 4), 200, np.uint8)
    for number, (x, y, width, height) in enumerate(boxes):
        rgba[y * 33 : (y + height) * 33, x * 40 : (x + width) * 40] = number % 3
        rgba[y * 33, x * 40 : (x + width) * 40, 3] = 255
    for area in plain_areas(rgba):
        part = rgba[area.y : area.y + area.height, area.x : area.x + area.width]
        assert part.shape[:2] == (area.height, area.width)
        assert (part == part[0, 0]).all() or not part[..., 3].any()


@given(
    st.lists(
        st.builds(lambda *four: Rect(*(2 * side for side in four)), *[st.integers(-50, 200)] * 2,
                  *[st.integers(0, 300)] * 2),
        max_size=4,
    )
)  # fmt: skip
def test_parts_cover_everything_once(areas: list[Rect]) -> None:
    plain, rest = parted(WHOLE, areas)
    covered = np.zeros((HEIGHT, WIDTH), int)
    for part in (*(part for _, part in plain), *rest):
        assert not any(side % 2 for side in part)
        covered[part.y : part.y + part.height, part.x : part.x + part.width] += 1
    assert (covered == 1).all()
    for number, part in plain:
        assert part.common(areas[number]) == part
        assert part.width * part.height >= SPLIT


def put(made: Planar, left: float, top: float, base: Frame, opacity: float) -> Frame:
    out = twin(base)
    for look in made.at(left, top, WHOLE):
        Blender(WIDTH).blend(out, look, opacity)
    return out


@pytest.mark.parametrize("opacity", [1.0, 0.6])
def test_what_moves_in_parts_looks_as_the_whole_does(monkeypatch: pytest.MonkeyPatch, opacity: float) -> None:
    base, rgba = noise(WIDTH, HEIGHT), panel()
    in_parts = Planar(rgba)
    monkeypatch.setattr(planar, "plain_areas", lambda _pixels: ())
    whole = Planar(rgba)
    corners = [
        (20, 30),
        (20.5, 31),
        (21.25, 30.75),
        (23, 33.5),
        (-100.5, 20),
        (500, -60.25),
        (500.5, -60.5),
        (500, -60.25),
        (20.5, 31),
    ]
    assert len(in_parts.at(20, 30, WHOLE)) > 1
    assert len(whole.at(20, 30, WHOLE)) == 1
    for left, top in corners:
        one, other = (put(made, left, top, base, opacity) for made in (in_parts, whole))
        apart = np.abs(one.data.astype(int) - other.data)
        # Below an opacity of 1 OpenCV's vectors and what is left over of a row may round a tie otherwise.
        assert apart.max() <= (0 if opacity == 1.0 else 1)
        assert (apart > 0).mean() < 1e-3


def test_what_is_transparent_in_it_is_not_touched_at_all() -> None:
    looks = Planar(panel()).at(20, 30, WHOLE)
    inside = Rect(60, 126, 358, 78)
    for look in looks:
        for place in places(look):
            assert place.common(inside).empty


def test_a_size_that_changes_all_the_time_leaves_nothing_behind() -> None:
    made = Planar(panel())
    for left in range(0, 600, 2):
        made.at(left, 100, WHOLE)
    assert all(len(one.kept) <= 16 for one in made.plain)


def test_what_is_kept_of_places_is_bounded() -> None:
    made = Planar(panel())
    for number in range(64):
        made.at(20 + number % 2 + number % 4 // 2 / 3, 30 + number % 8 // 4 + number % 16 // 8 / 3, WHOLE)
        made.at(500 + number / 7, -30 + number / 9, WHOLE)
        made.at(500.1 + number / 7, -30.1 + number / 9, WHOLE)
        assert made.nbytes <= 10.5 * 410 * 190 + 6 * 410 * 190


@pytest.mark.parametrize("finer", [1, 2])
@pytest.mark.parametrize("scale", [0.9, 1.0, 1.13, 1.5])
def test_what_grows_in_parts_looks_as_the_whole_does(scale: float, finer: int) -> None:
    base, place = noise(WIDTH, HEIGHT), Rect(37 * finer, 41 * finer, 400, 180)
    view = View(WIDTH, HEIGHT, Canvas(width=WIDTH, height=HEIGHT))
    drawn = Plate(premultiplied(panel()), place, place)
    turner = Turner(drawn, Anchor.TOP_LEFT, view, finer, lasting=True)
    pose = Pose(x=37.25, y=41.5, scale=scale * finer)
    looks = turner.looks(pose)
    assert len(looks) > 1
    one, other, blender = twin(base), twin(base), Blender(WIDTH)
    for look in looks:
        blender.blend(one, look)
    (whole,) = looks_of(turner.patch(pose))
    blender.blend(other, whole)
    apart = np.abs(one.data.astype(int) - other.data)
    assert apart.max() <= 1  # where the place of a pixel is a rounding error away
    assert (apart > 0).mean() < 3e-3


def test_what_is_turned_is_drawn_as_a_whole() -> None:
    view, place = View(WIDTH, HEIGHT, Canvas(width=WIDTH, height=HEIGHT)), Rect(20, 30, 400, 180)
    drawn = Plate(premultiplied(panel()), place, place)
    turner = Turner(drawn, Anchor.TOP_LEFT, view, lasting=True)
    assert len(turner.looks(Pose(x=20, y=30, rotation=1.0))) == 1
    assert len(turner.looks(Pose(x=20, y=30, crop=(0.1, 0, 0, 0)))) == 1


@pytest.mark.parametrize("place", [(21, 31), (21.5, 30.5), (-5.25, -3.5)])
def test_around_something_small_nothing_is_blended(place: tuple[float, float]) -> None:
    rgba = np.zeros((200, 500, 4), np.uint8)
    rgba[91:99, 3:-5] = 255
    (look,) = Planar(rgba).at(*place, WHOLE)
    assert sum(part.height for part in places(look)) <= 12


@pytest.mark.parametrize("opacity", [1.0, 0.35])
@pytest.mark.parametrize("place", [(20, 30), (21, 31), (-35, 300)])
def test_what_stands_still_in_parts_looks_as_the_whole_does(place: tuple[int, int], opacity: float) -> None:
    seen = Rect(*place, 400, 180).within(WIDTH, HEIGHT)
    rgba = panel()[seen.y - place[1] :, seen.x - place[0] :][: seen.height, : seen.width]
    whole = sprite(rgba, seen, opacity)
    assert whole is not None
    parts = in_parts(whole, rgba, seen)
    assert len(parts) > 1
    assert sum(part.nbytes for part in parts) < whole.nbytes
    base, blender = noise(WIDTH, HEIGHT), Blender(WIDTH)
    one, other = twin(base), twin(base)
    blender.blend(one, whole)
    for look in gathered(parts):
        blender.blend(other, look)
    assert one.buffer == other.buffer
