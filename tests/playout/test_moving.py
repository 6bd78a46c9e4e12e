"""Layers that move, against plain arithmetic in full precision."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playout.pictures import Floats, noise, quarters, to_yuv, twin
from vistterstream.playout.blend import Blender
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.playout.geometry import Rect, View
from vistterstream.playout.layers import piece
from vistterstream.playout.moving import Mover
from vistterstream.playout.pieces import Bounds, Unusable
from vistterstream.playout.room import Room
from vistterstream.playout.sprites import Sprite
from vistterstream.resources.overlay import Anchor, Canvas, Layer
from vistterstream.resources.quantities import CUBIC_BEZIERS
from vistterstream.timeline.easing import ease
from vistterstream.timeline.tracks import Motion, Opacity

WIDTH, HEIGHT = 320, 180
VIEW = View(WIDTH, HEIGHT, Canvas(width=WIDTH, height=HEIGHT))
RATE = Fraction(30)
Planes = tuple[Floats, Floats, Floats]


def track(
    property: str, *keyframes: tuple[str, float], easing: str = "linear", **more: Any
) -> dict[str, Any]:
    frames = [{"at": at, "value": value, "easing": easing} for at, value in keyframes]
    return {"property": property, "keyframes": frames, **more}


def layer(**fields: Any) -> Layer:
    box = {"rectangle": {"width": 61, "height": 37, "color": "#E04020C0"}}
    return Layer.model_validate({"name": "l", **({} if "text" in fields else box), **fields})


def mover(moved: Layer, view: View = VIEW) -> Mover:
    return Mover(moved, Motion(moved, RATE), view, RATE, Room(), pytest.fail)


def only(one: Mover, age: int, length: int | None) -> Sprite | None:
    """What it looks like, which is in one part, or nothing."""
    looks = one.shown(age, length)
    assert len(looks) <= 1
    assert not looks or isinstance(looks[0], Sprite)
    return looks[0] if looks and isinstance(looks[0], Sprite) else None


def shown(moved: Layer, age: int, base: Frame, length: int | None = None) -> Frame:
    """`base` with the layer on it."""
    out = twin(base)
    for look in mover(moved).shown(age, length):
        Blender(out.width).blend(out, look, Opacity(moved, RATE).at(age, length))
    return out


def placed(rgba: Bytes, inverse: Floats, *, halved: bool = False) -> Floats:
    """Premultiplied Y, U, V and alpha (0 to 1) of every pixel of the picture, interpolated linearly.

    `inverse` (2x3) leads from places in the picture to places in `rgba`; outside it is transparent.
    """
    alpha = rgba[..., 3] / 255
    source = np.stack([*(plane * alpha for plane in to_yuv(rgba[..., :3])), alpha], axis=-1)
    if halved:
        even = np.pad(source, ((0, source.shape[0] % 2), (0, source.shape[1] % 2), (0, 0)))
        source = np.stack([quarters(even[..., part]) for part in range(4)], axis=-1)
    padded = np.pad(source, ((1, 2), (1, 2), (0, 0)))
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    across = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2] - 0.5
    down = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2] - 0.5
    across = np.clip(across, -1, source.shape[1]) + 1
    down = np.clip(down, -1, source.shape[0]) + 1
    column, row = np.floor(across).astype(int), np.floor(down).astype(int)
    right, below = (across - column)[..., np.newaxis], (down - row)[..., np.newaxis]
    upper = padded[row, column] * (1 - right) + padded[row, column + 1] * right
    lower = padded[row + 1, column] * (1 - right) + padded[row + 1, column + 1] * right
    result: Floats = upper * (1 - below) + lower * below
    return result


def laid(base: Frame, pixels: Floats, opacity: float = 1.0) -> Planes:
    """`base` with premultiplied pixels on it, in full precision."""
    pixels = pixels * opacity
    alpha = pixels[..., 3]
    y = base.y * (1 - alpha) + pixels[..., 0]
    u, v = (
        base.uv[number] * (1 - quarters(alpha)) + quarters(pixels[..., number + 1]) for number in range(2)
    )
    return y, u, v


def differences(frame: Frame, planes: Planes) -> tuple[float, float]:
    """The largest difference in code values, and the PSNR in dB."""
    found = np.concatenate([plane.reshape(-1) for plane in (frame.y, frame.u, frame.v)]).astype(float)
    wanted = np.concatenate([plane.reshape(-1) for plane in planes])
    error = found - wanted
    return float(np.abs(error).max()), 10 * math.log10(255**2 / max(float((error**2).mean()), 1e-9))


def inverse_of(x: float, y: float, scale: float, degrees: float, pivot: tuple[float, float]) -> Floats:
    """From the picture to a layer whose point `pivot` lies at (x, y), scaled and turned about it."""
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) * scale
    back = np.linalg.inv(turn)
    return np.column_stack([back, np.array(pivot) - back @ (x, y)])


def drawing(moved: Layer, finer: int = 1) -> tuple[Bytes, Rect, Rect]:
    still = moved.model_copy(update={"tracks": (), "enter": None, "exit": None})
    everywhere = Rect(-9999, -9999, 19999, 19999)
    view = View(WIDTH * finer, HEIGHT * finer, VIEW.canvas)
    drawn = piece(still, view, Bounds(everywhere), pytest.fail)
    assert drawn is not None
    return drawn.rgba, drawn.seen, drawn.box


class TestMoves:
    @pytest.mark.slow
    @settings(deadline=None)
    @given(st.floats(-80, 330), st.floats(-60, 190))
    def test_any_place_is_within_one_and_a_half_code_values_of_the_exact_picture(
        self, x: float, y: float
    ) -> None:
        moved = layer(tracks=[track("x", ("0s", x), ("1s", 10.0)), track("y", ("0s", y), ("1s", 20.0))])
        base = noise(WIDTH, HEIGHT)
        wanted = laid(base, placed(drawing(moved)[0], inverse_of(x, y, 1, 0, (0, 0))))
        largest, psnr = differences(shown(moved, 0, base), wanted)
        assert largest <= 1.5
        assert psnr > 51

    @pytest.mark.parametrize("x", [10.0, 11.0, 10.5, 11.25])
    @pytest.mark.parametrize("y", [20.0, 21.0, 20.5, 21.75])
    def test_chroma_is_right_at_odd_and_fractional_places(self, x: float, y: float) -> None:
        moved = layer(tracks=[track("x", ("0s", x), ("1s", 0)), track("y", ("0s", y), ("1s", 0))])
        base = Frame(WIDTH, HEIGHT)
        base.fill((120, 90, 180))
        wanted = laid(base, placed(drawing(moved)[0], inverse_of(x, y, 1, 0, (0, 0))))
        out = shown(moved, 0, base)
        for plane, exact in zip((out.u, out.v), wanted[1:], strict=True):
            assert np.abs(plane - exact).max() <= 1.0

    def test_a_slow_move_does_not_jitter(self) -> None:
        """The centre of what shows, measured in the picture, moves by the same step in every frame."""
        moved = layer(
            rectangle={"width": 40, "height": 30, "color": "#FFFFFF"},
            tracks=[track("x", ("0s", 50), ("10s", 60)), track("y", ("0s", 40), ("10s", 33))],
        )
        base = Frame(WIDTH, HEIGHT)
        base.fill((16, 128, 128))
        centres = []
        for age in range(0, 300, 7):
            light = shown(moved, age, base).y.astype(float) - 16
            rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
            centres.append(((light * columns).sum() / light.sum(), (light * rows).sum() / light.sum()))
            assert abs(centres[-1][0] - (50 + 10 * age / 300 + 20)) < 0.01
            assert abs(centres[-1][1] - (40 - 7 * age / 300 + 15)) < 0.01

    def test_a_slow_growth_does_not_jitter(self) -> None:
        moved = layer(
            rectangle={"width": 100, "height": 60, "color": "#FFFFFF"},
            position={"anchor": "center"},
            tracks=[track("scale", ("0s", 1.0), ("10s", 1.1))],
        )
        base = Frame(WIDTH, HEIGHT)
        base.fill((16, 128, 128))
        for age in range(0, 300, 23):
            light = (shown(moved, age, base).y.astype(float) - 16) / 219
            scale = 1 + 0.1 * age / 300
            assert light.sum() == pytest.approx(100 * 60 * scale**2, rel=0.002)
            rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
            assert (light * columns).sum() / light.sum() == pytest.approx(WIDTH / 2, abs=0.02)
            assert (light * rows).sum() / light.sum() == pytest.approx(HEIGHT / 2, abs=0.02)

    @pytest.mark.parametrize("anchor", list(Anchor))
    def test_at_rest_it_looks_as_if_it_had_never_moved(self, anchor: Anchor) -> None:
        position = {"anchor": anchor.value, "x": 3, "y": -5}
        text = {"value": "Harbour", "size": 31, "background": "#203040"}
        still = layer(text=text, position=position)
        moving = layer(text=text, position=position, tracks=[track("x", ("0s", -200), ("1s", 3))])
        base = noise(WIDTH, HEIGHT)
        drawn, seen, _ = drawing(still)
        exact = laid(base, placed(drawn, inverse_of(seen.x, seen.y, 1, 0, (0, 0))))
        assert differences(shown(moving, 30, base), exact)[0] <= 1.1

    def test_what_is_not_under_it_keeps_every_bit(self) -> None:
        moved = layer(
            tracks=[track("x", ("0s", 33.3), ("1s", 90)), track("rotation", ("0s", 30), ("1s", 60))]
        )
        base = noise(WIDTH, HEIGHT)
        sprite = only(mover(moved), 0, None)
        assert sprite is not None
        out = shown(moved, 0, base)
        inside = np.zeros((HEIGHT, WIDTH), bool)
        inside[sprite.y : sprite.y + sprite.height, sprite.x : sprite.x + sprite.width] = True
        assert (out.y == base.y)[~inside].all()
        assert (out.uv == base.uv)[:, ~inside[::2, ::2]].all()
        assert (out.y != base.y).any()

    def test_the_order_of_questions_does_not_matter(self) -> None:
        moved = layer(tracks=[track("x", ("0s", 0), ("1s", 90)), track("scale", ("0s", 0.2), ("1s", 2.0))])
        base, one = noise(WIDTH, HEIGHT), mover(moved)

        def at(age: int) -> bytes:
            out = twin(base)
            for look in one.shown(age, None):
                Blender(WIDTH).blend(out, look)
            return bytes(out.buffer)

        forward = [at(age) for age in range(31)]
        assert [at(age) for age in reversed(range(31))] == forward[::-1]
        assert len(set(forward)) == 31


class TestShapes:
    @pytest.mark.slow
    @settings(deadline=None)
    @given(
        st.floats(0.55, 1.0),
        st.floats(-360, 360),
        st.floats(0, 300),
        st.floats(0, 170),
        st.sampled_from(["topLeft", "center", "bottomRight", "right"]),
    )
    def test_scale_and_rotation_are_about_the_anchor_and_near_the_exact_picture(
        self, scale: float, degrees: float, x: float, y: float, anchor: str
    ) -> None:
        shares = {"topLeft": (0, 0), "center": (0.5, 0.5), "bottomRight": (1, 1), "right": (1, 0.5)}[anchor]
        moved = layer(
            position={"anchor": anchor},
            rotation=degrees,
            scale=scale,
            tracks=[
                track("x", ("0s", x - WIDTH * shares[0]), ("1s", 0)),
                track("y", ("0s", y - HEIGHT * shares[1]), ("1s", 0)),
            ],
        )
        base = noise(WIDTH, HEIGHT)
        pivot = (61 * shares[0], 37 * shares[1])
        drawn = placed(drawing(moved)[0], inverse_of(x, y, scale, degrees, pivot))
        share = -math.log2(scale)  # of the drawing at half its size, so that nothing flickers
        half_pivot = (pivot[0] / 2, pivot[1] / 2)
        small = placed(drawing(moved)[0], inverse_of(x, y, scale * 2, degrees, half_pivot), halved=True)
        exact = laid(base, drawn * (1 - share) + small * share)
        largest, psnr = differences(shown(moved, 0, base), exact)
        assert largest <= 2
        assert psnr > 50

    def test_what_grows_is_drawn_as_large_as_it_gets(self) -> None:
        """Letters of twice the size have sharp edges: as those of a text that is so large from the start."""
        small = layer(text={"value": "HI", "size": 40}, scale=2.0, position={"anchor": "center"})
        large = layer(text={"value": "HI", "size": 80}, position={"anchor": "center"})
        base = noise(WIDTH, HEIGHT)
        drawn, seen, _ = drawing(large)
        exact = laid(base, placed(drawn, inverse_of(seen.x, seen.y, 1, 0, (0, 0))))
        assert differences(shown(small, 0, base), exact)[1] > 32

    def test_what_shrinks_keeps_its_mean(self) -> None:
        """A fine grid of lines becomes grey, and does not flicker while it moves."""
        text = {"value": "IIIIIIIIIIIIIII", "size": 40}
        moved = layer(
            text=text, tracks=[track("scale", ("0s", 0.5), ("1s", 0.2))], position={"x": 50, "y": 50}
        )
        base = Frame(WIDTH, HEIGHT)
        base.fill((16, 128, 128))
        sums = [
            (shown(moved, age, base).y.astype(float) - 16).sum() / (0.5 - 0.3 * age / 30) ** 2
            for age in range(31)
        ]
        assert max(sums) / min(sums) < 1.06

    @pytest.mark.parametrize("share", [0.0, 0.25, 0.333, 0.5, 0.9])
    @pytest.mark.parametrize("side", ["cropLeft", "cropTop", "cropRight", "cropBottom"])
    def test_a_crop_cuts_to_a_fraction_of_a_pixel(self, side: str, share: float) -> None:
        moved = layer(
            rectangle={"width": 60, "height": 40, "color": "#FFFFFF"},
            position={"x": 20, "y": 30},
            tracks=[track(side, ("0s", share), ("1s", 1.0))],
        )
        base = Frame(WIDTH, HEIGHT)
        base.fill((16, 128, 128))
        light = (shown(moved, 0, base).y.astype(float) - 16) / 219
        assert light.sum() == pytest.approx(60 * 40 * (1 - share), abs=0.5)
        rows, columns = np.nonzero(light > 0.5)
        assert columns.min() == 20 + (round(60 * share) if side == "cropLeft" else 0)
        assert rows.max() == 69 - (round(40 * share) if side == "cropBottom" else 0)
        assert not mover(moved).shown(30, None)  # all of it is cut off

    def test_a_crop_that_does_not_change_is_cut_once_and_for_all(self) -> None:
        moved = layer(crop={"left": 0.5}, position={"x": 20, "y": 30})
        sprite = only(mover(moved), 0, None)
        assert sprite is not None
        assert sprite.x + int(np.flatnonzero((sprite.planes.rest < 255).any(axis=0))[0]) == 20 + 30

    def test_a_colour_runs_from_one_to_the_other(self) -> None:
        colors = {
            "property": "color",
            "keyframes": [{"at": "0s", "color": "#FF0000"}, {"at": "1s", "color": "#0000FF80"}],
        }
        moved = layer(position={"x": 20, "y": 30}, tracks=[colors])
        base = noise(WIDTH, HEIGHT)
        for age in range(0, 31, 5):
            share, ends = age / 30, (np.array([255, 0, 0, 255.0]), np.array([0, 0, 128, 128.0]))
            red, green, blue, alpha = ends[0] * (1 - share) + ends[1] * share  # premultiplied
            rgb = np.array([[[red, green, blue]]]) * 255 / alpha
            pixels = np.zeros((HEIGHT, WIDTH, 4))
            y, u, v = (float(plane[0, 0]) for plane in _exact_yuv(rgb))
            pixels[30 : 30 + 37, 20 : 20 + 61] = np.array([y, u, v, 1]) * alpha / 255
            assert differences(shown(moved, age, base), laid(base, pixels))[0] <= 1.5

    def test_letters_change_their_colour_and_their_box_does_not(self) -> None:
        colors = {
            "property": "color",
            "keyframes": [{"at": "0s", "color": "#FFFFFF"}, {"at": "1s", "color": "#000000"}],
        }
        text = {"value": "l", "size": 120, "background": "#808080"}
        moved = layer(text=text, tracks=[colors])
        base = noise(WIDTH, HEIGHT)
        first, last = shown(moved, 0, base).y[:140, :60], shown(moved, 30, base).y[:140, :60]
        assert (first.max(), last.min()) == (235, 16)
        assert int(first[5, 5]) == int(last[5, 5]) == 126

    def test_a_text_changes_at_its_keyframe_and_not_before(self) -> None:
        texts = {
            "property": "text",
            "keyframes": [{"at": "0s", "text": "One"}, {"at": "1s", "text": "Two"}, {"at": "2s", "text": ""}],
        }
        moved = layer(text={"value": "unused", "size": 40}, tracks=[texts])
        base = noise(WIDTH, HEIGHT)
        pictures = [bytes(shown(moved, age, base).buffer) for age in (0, 29, 30, 59, 60)]
        assert pictures[0] == pictures[1] != pictures[2] == pictures[3] != pictures[4] == bytes(base.buffer)

    def test_what_would_take_too_much_memory_is_refused(self) -> None:
        moved = layer(rectangle={"width": 7680, "height": 4320, "color": "#FFFFFF"}, rotation=5)
        with pytest.raises(Unusable, match="at most 4 million"):
            mover(moved)


def _exact_yuv(rgb: Floats) -> tuple[Floats, Floats, Floats]:
    red, green, blue = (rgb[..., channel] / 255 for channel in range(3))
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748


class TestComingAndGoing:
    def test_a_slide_comes_from_outside_and_goes_out_again(self) -> None:
        moved = layer(
            position={"x": 100, "y": 50},
            enter={"duration": "1s", "slide": "left", "opacity": 1},
            exit={"duration": "500ms", "slide": "bottom", "opacity": 1},
        )
        base = noise(WIDTH, HEIGHT)
        assert shown(moved, 0, base, 90).buffer == base.buffer
        middle = only(mover(moved), 15, 90)
        assert middle is not None
        assert middle.x + middle.width < 100 + 61
        at_rest = only(mover(moved), 30, 90)
        assert at_rest is not None
        assert (at_rest.x, at_rest.y) == (100, 50)
        going = only(mover(moved), 85, 90)
        assert going is not None
        assert going.y > 50
        assert shown(moved, 90, base, 90).buffer == base.buffer

    def test_a_slide_of_a_given_distance(self) -> None:
        moved = layer(position={"x": 100, "y": 50}, enter={"duration": "1s", "slide": "top", "distance": 30})
        sprite = only(mover(moved), 0, None)
        assert sprite is not None
        assert (sprite.x, sprite.y) == (100, 20)

    def test_without_an_end_nothing_goes(self) -> None:
        moved = layer(exit={"duration": "1s", "slide": "left"})
        one = mover(moved)
        assert one.shown(10**6, None) is one.shown(0, None)
        assert Opacity(moved, RATE).at(10**6, None) == 1.0

    @pytest.mark.parametrize("easing", ["linear", "hold", *CUBIC_BEZIERS, "cubic-bezier(0.2, 0, 0, 1)"])
    def test_every_easing_is_followed_in_the_picture(self, easing: str) -> None:
        """Opacity, measured in the composed picture: within 1/255 of the keyframes' curve in each frame."""
        moved = layer(
            rectangle={"width": 200, "height": 100, "color": "#FFFFFF"},
            tracks=[
                track("opacity", ("0s", 0.1), ("1s", 0.8), easing=easing),
                track("x", ("0s", 0), ("9s", 1)),
            ],
        )
        base = Frame(WIDTH, HEIGHT)
        base.fill((16, 128, 128))
        one = mover(moved)
        for age in range(0, 33):
            out = twin(base)
            for look in one.shown(0, None):
                Blender(WIDTH).blend(out, look, Opacity(moved, RATE).at(age))
            measured = (float(out.y[10:90, 10:190].mean()) - 16) / 219
            wanted = min(max(0.1 + 0.7 * (ease(easing, age / 30) if age < 30 else 1.0), 0), 1)
            assert abs(measured - wanted) <= 1 / 255 + 0.5 / 219


def test_a_track_of_one_keyframe_says_where_the_layer_stands() -> None:
    here = layer(rectangle={"width": 60, "height": 40, "color": "#FFFFFF"}, tracks=[track("x", ("0s", 100))])
    motion = Motion(here, RATE)
    assert motion.constant
    assert not motion.still
