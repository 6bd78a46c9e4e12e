"""Groups and masks: as composed frames show them, and against layers that stand alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from playout.pictures import Floats, distance, noise, over, quarters, to_yuv, twin
from vistterstream.playout.compositor import Scene, compose, prepare
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.playout.items import Drawn, Sliding, Still, Together
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.plan import OverlayInstance

WALL = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)
FORMAT = Format(width=640, height=360)
BASE = noise(640, 360)
Planes = tuple[Floats, Floats, Floats]


def scene(*layers: dict[str, Any], previous: Scene | None = None) -> Scene:
    named = [{"name": f"l{number}"} | layer for number, layer in enumerate(layers)]
    spec = OverlaySpec.model_validate({"canvas": {"width": 640, "height": 360}, "layers": named})
    overlay = OverlayInstance(id="o", overlay="o", spec=spec)
    made = prepare(FORMAT, [overlay], Fallback(), wall=WALL, previous=previous)
    made.draw_at_once()
    return made


def frame(made: Scene, age: int = 0, wall: datetime = WALL, length: int | None = None) -> Frame:
    out = Frame(640, 360)
    compose(made, out, BASE, None, 0.0, [("o", age, length)], age, wall)
    return out


def box(x: int, y: int, width: int, height: int, color: str, **rest: Any) -> dict[str, Any]:
    shape = {"width": width, "height": height, "color": color}
    made: dict[str, Any] = {"name": f"b{x}-{y}-{width}", "rectangle": shape, "position": {"x": x, "y": y}}
    return made | rest


def group(*layers: dict[str, Any], **rest: Any) -> dict[str, Any]:
    size = {key: rest.pop(key) for key in ("width", "height") if key in rest}
    made: dict[str, Any] = {"group": {"layers": list(layers), **size}}
    return made | rest


def track(property: str, *keyframes: tuple[str, float], **rest: Any) -> dict[str, Any]:
    return {"property": property, "keyframes": [{"at": at, "value": value} for at, value in keyframes]} | rest


def apart(one: Frame, other: Frame) -> int:
    return int(np.abs(one.data.astype(int) - other.data).max())


def solid(width: int, height: int, color: tuple[int, int, int, int]) -> Bytes:
    rgba = np.empty((height, width, 4), np.uint8)
    rgba[:] = color
    return rgba


LAYERS: tuple[dict[str, Any], ...] = (
    box(11, 21, 101, 61, "#FF0000C0"),
    box(30, 40, 50, 50, "#00FF0080"),
    {
        "name": "t",
        "text": {"value": "Harbour", "size": 31, "color": "#F4F6FB"},
        "position": {"x": 41, "y": 55},
    },
)


class TestGroups:
    def test_one_that_does_nothing_changes_nothing(self) -> None:
        plain, grouped = scene(*LAYERS), scene(group(*LAYERS))
        assert isinstance(grouped.items["o"][0], Together)
        assert frame(plain).buffer == frame(grouped).buffer

    @pytest.mark.parametrize("place", [(0, 0), (40, 20), (37, 15)])
    def test_one_that_stands_still_looks_as_its_layers_do_there(self, place: tuple[int, int]) -> None:
        x, y = place
        moved = [
            {**layer, "position": {"x": layer["position"]["x"] + x, "y": layer["position"]["y"] + y}}
            for layer in LAYERS
        ]
        grouped = scene(group(*LAYERS, width=300, height=200, position={"x": x, "y": y}))
        assert isinstance(grouped.items["o"][0], Still)
        one, other = frame(scene(*moved)), frame(grouped)
        assert np.abs(one.y.astype(int) - other.y).max() <= 2  # three roundings there, one here
        # Where edges share a chroma sample, layers blended one by one each mix with what is beside them.
        off = np.abs(one.uv.astype(int) - other.uv)
        assert np.count_nonzero(off > 2) <= 8

    def test_it_fades_as_one(self) -> None:
        """Where two of its layers overlap, the lower one does not shine through the upper."""
        made = scene(group(box(10, 10, 80, 80, "#FF0000"), box(30, 30, 80, 80, "#0000FF"), opacity=0.5))
        wanted = twin(BASE)
        for rgba, x, y in (
            (solid(80, 80, (255, 0, 0, 255)), 10, 10),
            (solid(80, 80, (0, 0, 255, 255)), 30, 30),
        ):
            for plane, exact in zip(
                (wanted.y, wanted.u, wanted.v), over(wanted, rgba, x, y, 1.0), strict=True
            ):
                plane[:] = np.rint(exact)
        half = BASE.data * 0.5 + wanted.data * 0.5
        assert np.abs(frame(made).data - half).max() <= 1

    def test_its_layers_stand_by_its_box_and_are_cut_off_by_it(self) -> None:
        inner = box(-10, 0, 40, 40, "#FFFFFF", position={"anchor": "right", "x": 20})
        made = scene(group(inner, width=100, height=60, position={"x": 200, "y": 100}))
        wanted = over(BASE, solid(20, 40, (255, 255, 255, 255)), 280, 110, 1.0)
        assert distance(frame(made), wanted) <= 1

    def test_groups_in_groups(self) -> None:
        inner = group(
            box(1, 2, 30, 20, "#F4C020"), name="inner", width=60, height=50, position={"x": 10, "y": 5}
        )
        made = scene(group(inner, width=200, height=100, position={"x": 100, "y": 50}))
        wanted = over(BASE, solid(30, 20, (0xF4, 0xC0, 0x20, 255)), 111, 57, 1.0)
        assert distance(frame(made), wanted) <= 1

    def test_a_still_one_is_drawn_once_for_ever(self) -> None:
        content = group(*LAYERS, width=300, height=200)
        first = scene(content)
        second = scene(content, previous=first)
        one, other = first.items["o"][0], second.items["o"][0]
        assert isinstance(one, Still)
        assert isinstance(other, Still)
        assert one.looks is other.looks
        moved = scene({**content, "position": {"x": 2}}, previous=second).items["o"][0]
        assert isinstance(moved, Still)
        assert moved.looks[0] is not one.looks[0]

    def test_one_that_is_moved_costs_a_blend(self) -> None:
        slide = track("x", ("0s", 0.0), ("1s", 30.0))
        made = scene(group(*LAYERS, width=300, height=200, tracks=[slide], position={"y": 7}))
        assert isinstance(made.items["o"][0], Sliding)
        for age in (0, 13, 30):
            at = scene(group(*LAYERS, width=300, height=200, position={"x": age, "y": 7}))
            assert apart(frame(made, age), frame(at)) <= 1

    @pytest.mark.parametrize("age", [0, 4, 11, 20, 33])
    def test_what_moves_in_one_moves_as_it_does_alone(self, age: int) -> None:
        layer = box(20, 30, 80, 40, "#2A6FDBC0", tracks=[track("x", ("0s", 20), ("1s", 45.5))])
        plain = scene({**layer, "position": {"x": 20, "y": 30}})
        made = scene(group(layer, width=640, height=300))
        assert isinstance(made.items["o"][0], Drawn)
        assert apart(frame(plain, age), frame(made, age)) <= 2

    def test_it_turns_and_grows_as_a_picture_of_it_does(self, tmp_path: Path) -> None:
        colors = np.random.default_rng(3).integers(0, 256, (4, 6, 3), np.uint8)
        rgba = np.dstack([colors, np.full((4, 6), 255, np.uint8)]).repeat(20, 0).repeat(20, 1)
        Image.fromarray(rgba).save(tmp_path / "p.png")
        cells = [
            box(20 * x, 20 * y, 20, 20, "#" + bytes(colors[y, x]).hex()) for y in range(4) for x in range(6)
        ]
        place = {
            "position": {"anchor": "center", "x": 13, "y": -8},
            "tracks": [track("rotation", ("0s", 0), ("1s", 50)), track("scale", ("0s", 0.6), ("1s", 1.4))],
            "crop": {"left": 0.1},
        }
        alone = scene({"image": {"file": str(tmp_path / "p.png")}, **place})
        made = scene(group(*cells, width=120, height=80, **place))
        for age in (0, 9, 21, 30):
            assert apart(frame(alone, age), frame(made, age)) <= 2

    def test_clocks_countdowns_and_tickers_in_one_are_those_that_stand_alone(self) -> None:
        layers = [
            {"name": "c", "clock": {"size": 30}, "position": {"x": 20, "y": 20}},
            {"name": "d", "countdown": {"duration": "9s", "size": 30}, "position": {"x": 20, "y": 90}},
            {
                "name": "n",
                "ticker": {
                    "value": "High tide",
                    "width": 300,
                    "speed": 60,
                    "size": 30,
                    "background": "#402010",
                },
                "position": {"x": 20, "y": 150},
            },
        ]
        plain, made = scene(*layers), scene(group(*layers, width=500, height=300))
        for age in (0, 35, 140, 500):
            wall = WALL + timedelta(seconds=age / 30)
            one, other = frame(plain, age, wall), frame(made, age, wall)
            assert apart(one, other) <= 3
            assert apart(one, frame(plain, 1000, wall + timedelta(seconds=77))) > 50

    def test_the_order_of_questions_does_not_matter(self) -> None:
        clock = {"name": "c", "clock": {"size": 30}, "position": {"x": 20, "y": 20}}
        turned = group(
            clock, *LAYERS, width=300, height=200, tracks=[track("rotation", ("0s", 0), ("3s", 90))]
        )
        made, other = scene(turned), scene(turned)
        ages = list(range(0, 90, 7))
        forwards = [bytes(frame(made, age, WALL + timedelta(seconds=age / 9)).buffer) for age in ages]
        backwards = [
            bytes(frame(other, age, WALL + timedelta(seconds=age / 9)).buffer) for age in reversed(ages)
        ]
        assert forwards == backwards[::-1]

    def test_it_comes_and_goes_as_one(self) -> None:
        coming = {"enter": {"duration": "1s", "slide": "left"}, "exit": {"duration": "1s", "opacity": 0}}
        made = scene(group(*LAYERS, width=200, height=100, position={"x": 50, "y": 50}, **coming))
        assert frame(made, 0, length=90).buffer == BASE.buffer
        assert (
            apart(
                frame(made, 45, length=90),
                frame(scene(group(*LAYERS, width=200, height=100, position={"x": 50, "y": 50}))),
            )
            <= 1
        )
        assert frame(made, 90, length=90).buffer == BASE.buffer

    def test_what_cannot_be_drawn_is_told_with_its_name(self) -> None:
        bad = {"name": "logo", "image": {"file": "/no/such.png"}}
        made = scene(group(bad, *LAYERS, width=300, height=200))
        assert "Layer l0: logo: There is no picture /no/such.png" in made.problems["o"]
        assert apart(frame(made), frame(scene(group(*LAYERS, width=300, height=200)))) == 0

    def test_what_stands_in_for_a_layer_does_so_in_a_group_too(self) -> None:
        instead = {"rectangle": {"width": 30, "height": 20, "color": "#FFFFFF"}}
        bad = {"name": "logo", "image": {"file": "/no/such.png"}, "fallback": instead}
        made = scene(group(bad, width=300, height=200, position={"x": 40, "y": 20}))
        assert "logo: There is no picture" in made.problems["o"]
        assert distance(frame(made), over(BASE, solid(30, 20, (255, 255, 255, 255)), 40, 20, 1.0)) <= 1

    def test_one_that_is_too_large_is_told(self) -> None:
        made = scene(group(*LAYERS, width=7680, height=4320, scale=0.5))
        assert "give it a smaller width or height" in made.problems["o"]


def exactly(parts: list[tuple[Bytes, int, int]], mask: Floats | None, opacity: float) -> Planes:
    """The planes of BASE with a group of solid boxes on it, in full precision: what composing should give."""
    height, width = BASE.y.shape
    group = np.zeros((height, width, 4))  # premultiplied Y, U, V and alpha, 0 to 1
    for rgba, x, y in parts:
        part = group[y : y + rgba.shape[0], x : x + rgba.shape[1]]
        alpha = rgba[..., 3:] / 255
        colors = np.dstack(to_yuv(rgba[..., :3]))
        part[:] = part * (1 - alpha) + np.concatenate([colors * alpha, alpha], axis=2)
    group *= opacity if mask is None else opacity * mask[..., np.newaxis]
    rest = 1 - group[..., 3]
    chroma = [BASE.uv[part] * quarters(rest) + quarters(group[..., part + 1]) for part in (0, 1)]
    return BASE.y * rest + group[..., 0], chroma[0], chroma[1]


def quality(out: Frame, planes: Planes) -> tuple[float, float]:
    """The greatest difference, and the PSNR in dB, over the three planes."""
    off = [plane - exact for plane, exact in zip((out.y, out.u, out.v), planes, strict=True)]
    mean = np.mean(np.concatenate([one.ravel() ** 2 for one in off]))
    return max(float(np.abs(one).max()) for one in off), float(10 * np.log10(255**2 / mean))


class TestGolden:
    """Composed frames against full precision: at most one code value off, and at least 55 dB."""

    PARTS = (
        (solid(120, 80, (0xE0, 0x40, 0x3A, 0xC0)), 131, 77),
        (solid(90, 101, (0x2A, 0x6F, 0xDB, 0xFF)), 171, 95),
        (solid(60, 40, (0xF4, 0xC0, 0x20, 0x80)), 151, 120),
    )

    def layers(self, *, moving: bool) -> list[dict[str, Any]]:
        found = []
        for rgba, x, y in self.PARTS:
            color = "#" + bytes(rgba[0, 0]).hex()
            made = box(x - 101, y - 51, rgba.shape[1], rgba.shape[0], color)
            still = {
                "property": "x",
                "keyframes": [{"at": "9s", "value": x - 101}, {"at": "10s", "value": 0}],
            }
            found.append(made | ({"tracks": [still]} if moving else {}))
        return found

    @pytest.mark.parametrize("moving", [False, True])
    @pytest.mark.parametrize("opacity", [1.0, 0.37])
    def test_groups(self, moving: bool, opacity: float) -> None:
        place = {"width": 300, "height": 240, "position": {"x": 101, "y": 51}, "opacity": opacity}
        made = scene(group(*self.layers(moving=moving), **place))
        assert isinstance(made.items["o"][0], Drawn if moving else Still)
        worst, psnr = quality(frame(made, 3), exactly(list(self.PARTS), None, opacity))
        assert worst <= 1.0
        assert psnr >= 55

    @pytest.mark.parametrize("moving", [False, True])
    @pytest.mark.parametrize("invert", [False, True])
    def test_masks(self, moving: bool, invert: bool) -> None:
        shape = {"left": 41, "top": 33, "width": 121, "height": 91, "radius": 30}
        mask = {"rectangle": shape, "invert": invert}
        place = {"width": 300, "height": 240, "position": {"x": 101, "y": 51}, "mask": mask}
        made = scene(group(*self.layers(moving=moving), **place))
        y, x = np.mgrid[0:360, 0:640] + 0.5
        across = np.maximum(np.abs(x - 101 - 41 - 60.5) - 30.5, 0)
        down = np.maximum(np.abs(y - 51 - 33 - 45.5) - 15.5, 0)
        left = np.clip(0.5 - (np.hypot(across, down) - 30), 0, 1)
        exact = exactly(list(self.PARTS), 1 - left if invert else left, 1.0)
        worst, psnr = quality(frame(made, 3), exact)
        assert worst <= 1.6  # a mask has 8 bits
        assert psnr >= 54


class TestMasks:
    def test_a_rectangle_leaves_a_part(self) -> None:
        mask = {"rectangle": {"left": 10, "top": 5, "width": 31, "height": 20}}
        made = scene(box(101, 51, 80, 60, "#FF0000C0", mask=mask))
        wanted = over(BASE, solid(31, 20, (255, 0, 0, 0xC0)), 111, 56, 1.0)
        assert distance(frame(made), wanted) <= 1

    def test_without_a_size_it_goes_to_the_edge(self) -> None:
        made = scene(box(101, 51, 80, 60, "#FF0000", mask={"rectangle": {"left": 30, "top": 20}}))
        assert distance(frame(made), over(BASE, solid(50, 40, (255, 0, 0, 255)), 131, 71, 1.0)) <= 1

    def test_inverted_it_leaves_the_rest(self) -> None:
        mask = {"rectangle": {"left": 20, "top": 0, "width": 60}}
        made = scene(box(100, 50, 80, 60, "#FF0000", mask={**mask, "invert": True}))
        assert distance(frame(made), over(BASE, solid(20, 60, (255, 0, 0, 255)), 100, 50, 1.0)) <= 1

    def test_round_corners_are_those_of_a_rounded_rectangle(self) -> None:
        shape = {"rectangle": {"width": 90, "height": 50, "color": "#80C0FF", "radius": 20}}
        mask = {"rectangle": {"radius": 20}}
        masked = {"rectangle": {**shape["rectangle"], "radius": 0}, "mask": mask}
        assert apart(frame(scene(shape)), frame(scene(masked))) == 0

    @pytest.fixture
    def fade(self, tmp_path: Path) -> Path:
        """Opaque at the left, transparent at the right."""
        rgba = np.zeros((30, 256, 4), np.uint8)
        rgba[..., 3] = np.arange(255, -1, -1)
        Image.fromarray(rgba).save(tmp_path / "fade.png")
        return tmp_path / "fade.png"

    def test_a_picture_s_opacity_becomes_that_of_the_layer(self, fade: Path) -> None:
        made = scene(box(100, 50, 256, 90, "#FFFFFF", mask={"image": {"file": str(fade)}}))
        rgba = solid(256, 90, (255, 255, 255, 255))
        rgba[..., 3] = np.arange(255, -1, -1)
        assert distance(frame(made), over(BASE, rgba, 100, 50, 1.0)) <= 1

    def test_it_moves_turns_and_grows_with_its_layer(self, fade: Path) -> None:
        rgba = solid(256, 90, (0x2A, 0x6F, 0xDB, 255))
        rgba[..., 3] = np.arange(255, -1, -1)
        Image.fromarray(rgba).save(fade.with_name("whole.png"))
        tracks = [track("rotation", ("0s", 10), ("1s", 40)), track("x", ("0s", 0), ("1s", 20.3))]
        place = {"position": {"anchor": "center"}, "tracks": tracks}
        shape = {"rectangle": {"width": 256, "height": 90, "color": "#2A6FDB"}}
        masked = scene({**shape, "mask": {"image": {"file": str(fade)}}, **place})
        alone = scene({"image": {"file": str(fade.with_name("whole.png"))}, **place})
        for age in (0, 7, 30):
            assert apart(frame(masked, age), frame(alone, age)) <= 1

    def test_letters_of_another_colour_are_cut_as_they_were(self) -> None:
        color = {
            "property": "color",
            "keyframes": [{"at": "0s", "color": "#FF0000"}, {"at": "1s", "color": "#00FF00"}],
        }
        text = {
            "text": {"value": "HARBOUR", "size": 60, "background": "#000080"},
            "position": {"x": 31, "y": 41},
        }
        mask = {"mask": {"rectangle": {"left": 40, "width": 101, "height": 30}}}
        cut = frame(scene({**text, **mask, "tracks": [color]}), 12)
        whole = frame(scene({**text, "tracks": [color]}), 12)
        inside = np.zeros((360, 640), bool)
        inside[41:71, 71:172] = True
        assert (cut.y[inside] == whole.y[inside]).all()
        assert (cut.y[~inside] == BASE.y[~inside]).all()

    def test_a_group_is_masked_as_one_while_what_is_in_it_moves(self) -> None:
        moving = box(0, 0, 40, 40, "#FFFFFF", tracks=[track("x", ("0s", 0), ("1s", 30))])
        mask = {"rectangle": {"left": 20, "width": 30}}
        made = scene(group(moving, width=100, height=60, mask=mask, position={"x": 200, "y": 100}))
        for age in (0, 10, 24, 30):
            left, right = max(age, 20), min(age + 40, 50)
            wanted = over(BASE, solid(right - left, 40, (255, 255, 255, 255)), 200 + left, 100, 1.0)
            assert distance(frame(made, age), wanted) <= 1

    def test_one_that_cannot_be_read_hides_nothing_and_is_told(self, tmp_path: Path) -> None:
        made = scene(box(10, 10, 20, 20, "#FFFFFF", mask={"image": {"file": "/no/such.png"}}))
        assert "Its mask hides nothing: There is no picture /no/such.png" in made.problems["o"]
        assert apart(frame(made), frame(scene(box(10, 10, 20, 20, "#FFFFFF")))) == 0
        Image.new("RGB", (8, 8)).save(tmp_path / "opaque.png")
        made = scene(box(10, 10, 20, 20, "#FFFFFF", mask={"image": {"file": str(tmp_path / "opaque.png")}}))
        assert "is opaque everywhere" in made.problems["o"]

    def test_a_clock_may_be_masked(self) -> None:
        clock = {"clock": {"size": 60, "background": "#F0F0F0"}, "position": {"x": 40, "y": 40}}
        whole, cut = frame(scene(clock)), frame(scene({**clock, "mask": {"rectangle": {"height": 20}}}))
        assert apart(whole, cut) > 50
        assert np.abs(whole.y[40:60].astype(int) - cut.y[40:60]).max() <= 2
        assert (cut.y[60:] == BASE.y[60:]).all()
