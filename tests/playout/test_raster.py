"""Rasterising layers and slates."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from playout.pictures import distance, noise, over, twin
from vistterstream.playout import raster
from vistterstream.playout.blend import Blender
from vistterstream.playout.frames import Bytes, Frame, to_yuv
from vistterstream.playout.raster import (
    ClockFace,
    Rect,
    Sprite,
    SpriteCache,
    View,
    rasterise,
    slate,
    sprite,
)
from vistterstream.resources.overlay import Anchor, Canvas, ClockLayer, Layer, Position
from vistterstream.resources.program import Fallback

VIEW = View(640, 360, Canvas(width=1280, height=720))  # two canvas pixels to one of the program


class Drawn:
    """A layer drawn with a cache of its own."""

    def __init__(self, view: View = VIEW, opacity: float = 1.0, **layer: Any) -> None:
        self.problems: list[str] = []
        parsed = Layer.model_validate({"name": "l"} | layer)
        self.sprite = rasterise(parsed, view, opacity, SpriteCache(), self.problems.append)

    @property
    def good(self) -> Sprite:
        assert not self.problems
        assert self.sprite is not None
        return self.sprite


def alpha(sprite: Sprite) -> Bytes:
    return (255 - sprite.planes.rest).astype(np.uint8)


def inked(sprite: Sprite) -> Rect:
    """The rectangle that shows anything, in program pixels."""
    rows, columns = np.nonzero(alpha(sprite))
    left, top = int(columns.min()), int(rows.min())
    return Rect(sprite.x + left, sprite.y + top, int(columns.max()) - left + 1, int(rows.max()) - top + 1)


def rectangle(width: int, height: int, color: str = "#FF0000") -> dict[str, Any]:
    return {"width": width, "height": height, "color": color}


class TestPlaces:
    @pytest.mark.parametrize(
        ("anchor", "x", "y"),
        [
            ("topLeft", 10, 5),
            ("top", 310 + 10, 5),
            ("topRight", 620 + 10 - 20, 5),
            ("left", 10, 175 + 5),
            ("center", 310 + 10, 175 + 5),
            ("right", 610, 175 + 5),
            ("bottomLeft", 10, 340),
            ("bottom", 310 + 10, 340),
            ("bottomRight", 610, 340),
        ],
    )
    def test_anchors(self, anchor: str, x: int, y: int) -> None:
        offset_x = 20 if not anchor.lower().endswith("right") else -20
        offset_y = 10 if not anchor.startswith("bottom") else -20
        drawn = Drawn(rectangle=rectangle(40, 20), position={"anchor": anchor, "x": offset_x, "y": offset_y})
        assert inked(drawn.good) == Rect(x, y, 20, 10)

    @pytest.mark.parametrize(("x", "y"), [(2, 2), (4, 2), (2, 6), (6, 6)])
    def test_odd_places_are_padded_to_the_chroma_grid(self, x: int, y: int) -> None:
        drawn = Drawn(rectangle=rectangle(40, 22), position={"x": x, "y": y}).good
        assert (drawn.x % 2, drawn.y % 2, drawn.width % 2, drawn.height % 2) == (0, 0, 0, 0)
        assert inked(drawn) == Rect(x // 2, y // 2, 20, 11)

    def test_what_reaches_out_of_the_picture_is_cut(self) -> None:
        drawn = Drawn(rectangle=rectangle(7680, 7680), position={"x": -100, "y": -200}).good
        assert inked(drawn) == Rect(0, 0, 640, 360)

    def test_what_lies_outside_is_nothing_and_no_problem(self) -> None:
        drawn = Drawn(rectangle=rectangle(40, 40), position={"x": 5000})
        assert drawn.sprite is None
        assert not drawn.problems

    def test_what_is_invisible_is_nothing(self) -> None:
        assert Drawn(rectangle=rectangle(40, 40, "#FF000000")).sprite is None
        assert Drawn(rectangle=rectangle(40, 40), opacity=0.0).sprite is None

    def test_opacity_is_worked_in(self) -> None:
        drawn = Drawn(rectangle=rectangle(40, 40, "#FF000080"), opacity=0.5).good
        assert set(alpha(drawn).flat) == {64}

    def test_a_sprite_is_trimmed_to_what_shows(self) -> None:
        rgba = np.zeros((100, 100, 4), np.uint8)
        rgba[31:40, 51:60] = 255
        piece = sprite(rgba, Rect(10, 10, 100, 100))
        assert piece is not None
        assert (piece.x, piece.y, piece.width, piece.height) == (60, 40, 10, 10)

    def test_another_shape_of_canvas_moves_places_but_keeps_letters_and_pictures_in_shape(self) -> None:
        tall = View(360, 640, Canvas(width=1280, height=720))
        assert inked(Drawn(view=tall, rectangle=rectangle(1280, 720)).good) == Rect(0, 0, 360, 640)
        assert tall.scale == 360 / 1280


class TestImages:
    @pytest.fixture
    def logo(self, tmp_path: Path) -> Path:
        rgba = np.zeros((60, 80, 4), np.uint8)
        rgba[:] = (10, 200, 30, 255)
        rgba[:, 40:, 3] = 128
        Image.fromarray(rgba).save(tmp_path / "logo.png")
        return tmp_path / "logo.png"

    def test_its_own_size_is_in_canvas_pixels(self, logo: Path) -> None:
        assert inked(Drawn(image={"file": str(logo)}).good) == Rect(0, 0, 40, 30)

    @pytest.mark.parametrize(
        ("size", "width", "height"),
        [({"width": 160}, 80, 60), ({"height": 120}, 80, 60), ({"width": 40, "height": 200}, 20, 100)],
    )
    def test_given_sizes(self, logo: Path, size: dict[str, int], width: int, height: int) -> None:
        assert inked(Drawn(image={"file": str(logo)} | size).good) == Rect(0, 0, width, height)

    def test_colours_and_alpha_arrive(self, logo: Path) -> None:
        drawn = Drawn(view=View(1280, 720, VIEW.canvas), image={"file": str(logo)}, position={"x": 3, "y": 5})
        frame = noise(1280, 720)
        out = twin(frame)
        Blender(1280).blend(out, drawn.good)
        assert distance(out, over(frame, np.asarray(Image.open(logo)), 3, 5, 1.0)) <= 1

    def test_a_picture_larger_than_the_program_is_scaled_only_where_it_shows(self, tmp_path: Path) -> None:
        halves = np.zeros((100, 200, 3), np.uint8)
        halves[:, 100:] = 255
        Image.fromarray(halves).save(tmp_path / "halves.png")
        image = {"file": str(tmp_path / "halves.png"), "width": 7680, "height": 7680}
        drawn = Drawn(image=image, position={"x": -7680 // 2 + 640}).good
        assert inked(drawn) == Rect(0, 0, 640, 360)
        light = drawn.planes.light // 255
        assert light[:, :250].max() <= 17
        assert light[:, 390:].min() >= 234

    def test_jpeg_and_webp_and_turned_photographs(self, tmp_path: Path) -> None:
        picture = Image.new("RGB", (60, 20), "#2A6FDB")
        picture.save(tmp_path / "a.webp", lossless=True)
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned by 90 degrees
        picture.save(tmp_path / "b.jpg", exif=exif, quality=95)
        assert inked(Drawn(image={"file": str(tmp_path / "a.webp")}).good)[2:] == (30, 10)
        assert inked(Drawn(image={"file": str(tmp_path / "b.jpg")}).good)[2:] == (10, 30)

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16"])
    def test_every_sort_of_pixels(self, tmp_path: Path, mode: str) -> None:
        name = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
        Image.new(mode, (40, 20), 1 if mode in {"1", "P"} else None).save(name)
        assert Drawn(image={"file": str(name)}).problems == []

    def test_a_missing_file_is_told(self) -> None:
        drawn = Drawn(image={"file": "/no/such.png"})
        assert drawn.sprite is None
        assert drawn.problems == [
            "There is no picture /no/such.png; put it there, or name another file in the manifest."
        ]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "is not a PNG, JPEG, WebP or GIF picture"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a PNG, JPEG, WebP or GIF picture"),
            (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "/bad.png"),
        ],
    )
    def test_a_corrupt_file_is_told(self, tmp_path: Path, content: bytes, said: str) -> None:
        (tmp_path / "bad.png").write_bytes(content)
        drawn = Drawn(image={"file": str(tmp_path / "bad.png")})
        assert drawn.sprite is None
        assert said in drawn.problems[0]

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
    def test_a_file_cut_off_is_told(self, tmp_path: Path, logo: Path, share: float) -> None:
        noisy = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(noisy).save(tmp_path / "whole.png")
        whole = (tmp_path / "whole.png").read_bytes()
        (tmp_path / "cut.png").write_bytes(whole[: int(len(whole) * share)])
        drawn = Drawn(image={"file": str(tmp_path / "cut.png")})
        assert drawn.sprite is None
        assert str(tmp_path / "cut.png") in drawn.problems[0]

    def test_a_bomb_is_refused(self, tmp_path: Path) -> None:
        Image.new("1", (12_000, 12_000)).save(tmp_path / "bomb.png")
        drawn = Drawn(image={"file": str(tmp_path / "bomb.png")})
        assert drawn.sprite is None
        assert "million pixels" in drawn.problems[0]

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.png")
        assert "is not a file" in Drawn(image={"file": str(tmp_path / "pipe.png")}).problems[0]
        assert "is not a file" in Drawn(image={"file": str(tmp_path)}).problems[0]


class TestText:
    def test_a_box_fits_its_text_and_padding(self) -> None:
        def size(padding: int, value: str = "Harbour") -> tuple[int, int]:
            text = {"value": value, "size": 40, "background": "#000000", "padding": padding}
            return inked(Drawn(text=text).good)[2:]

        width, height = size(0)
        assert size(20) == (width + 20, height + 20)
        assert size(0, "Harbour\nHarbour") == (width, 2 * height)
        assert size(0, "Harbour Harbour")[0] > 1.9 * width

    def test_letters_have_their_colour_and_the_box_its_own(self) -> None:
        text = {"value": "█", "size": 80, "color": "#FF0000", "background": "#0000FF"}
        drawn = Drawn(text={**text, "value": "l", "size": 400}).good
        values = set((drawn.planes.light // 255).flat)
        assert {to_yuv((255, 0, 0))[0], to_yuv((0, 0, 255))[0]} <= values

    def test_a_translucent_letter_on_a_translucent_box_covers_as_both_do(self) -> None:
        text = {"value": "l", "size": 400, "color": "#FFFFFF80", "background": "#00000080"}
        drawn = alpha(Drawn(text=text).good)[2:-2, 2:-2]
        assert drawn.min() == 128
        assert drawn.max() == pytest.approx(255 * (1 - (1 - 128 / 255) ** 2), abs=1)

    def test_without_a_background_only_the_letters_show(self) -> None:
        drawn = alpha(Drawn(text={"value": "Harbour", "size": 60}).good)
        assert 0.1 < (drawn > 0).mean() < 0.7

    @pytest.mark.parametrize("anchor", list(Anchor))
    def test_lines_are_aligned_as_the_layer_is_anchored(self, anchor: Anchor) -> None:
        def columns(value: str) -> Rect:
            return inked(Drawn(text={"value": value, "size": 40}, position={"anchor": anchor}).good)

        both, first = columns("wide wide\nl"), columns("wide wide\n ")
        second = columns("\u2003\u2003\u2003\u2003\nl")
        assert both[0] == min(first.x, second.x)
        if "eft" in anchor:
            assert abs(first.x - second.x) <= 2
        elif "ight" in anchor:
            assert abs(first.x + first.width - second.x - second.width) <= 2
        else:
            assert abs(first.x + first.width / 2 - second.x - second.width / 2) <= 2

    def test_an_unknown_font_is_told_and_inter_used(self) -> None:
        drawn = Drawn(text={"value": "Hi", "font": "Nope"})
        assert drawn.problems == ["There is no font 'Nope' on this machine; install it, or use Inter."]
        assert drawn.sprite is not None
        assert (alpha(drawn.sprite) == alpha(Drawn(text={"value": "Hi"}).good)).all()

    @pytest.mark.parametrize("value", ["", "   ", "\n\n"])
    def test_empty_text_is_nothing(self, value: str) -> None:
        drawn = Drawn(text={"value": value, "background": "#000000"})
        assert drawn.sprite is None
        assert not drawn.problems

    def test_text_far_beyond_the_picture_costs_no_more_than_the_picture(self) -> None:
        huge = View(640, 360, Canvas(width=16, height=16))
        drawn = Drawn(view=huge, text={"value": "W" * 4096, "size": 1024})
        assert drawn.sprite is not None
        assert drawn.sprite.width <= 640
        assert any("larger than the picture" in problem for problem in drawn.problems)

    @pytest.mark.parametrize(
        "value", ["مرحبا", "שלום", "日本語", "🙂", "a\u0301\u200d\ufeff", "\u202eabc", "x" * 4096]
    )
    def test_every_script_is_drawn_somehow(self, value: str) -> None:
        assert Drawn(text={"value": value}).sprite is not None


class TestCache:
    def test_equal_content_is_drawn_once_and_a_changed_file_again(self, tmp_path: Path) -> None:
        cache = SpriteCache()

        def draw() -> Sprite | None:
            layer = Layer.model_validate({"name": "l", "image": {"file": str(tmp_path / "x.png")}})
            return rasterise(layer, VIEW, 1.0, cache, pytest.fail)

        Image.new("RGB", (20, 20), "red").save(tmp_path / "x.png")
        first = draw()
        assert draw() is first
        Image.new("RGB", (20, 20), "blue").save(tmp_path / "x.png")
        os.utime(tmp_path / "x.png", ns=(1, 1))
        assert draw() is not first

    def test_everything_that_pixels_depend_on_is_in_the_key(self) -> None:
        def layer(**changes: Any) -> Layer:
            return Layer.model_validate({"name": "l", "rectangle": rectangle(20, 20)} | changes)

        cases = [
            (layer(), VIEW, 1.0),
            (layer(rectangle=rectangle(20, 22)), VIEW, 1.0),
            (layer(rectangle=rectangle(20, 20, "#00FF00")), VIEW, 1.0),
            (layer(position={"x": 2}), VIEW, 1.0),
            (layer(), VIEW, 0.5),
            (layer(), View(640, 360, Canvas()), 1.0),
            (layer(), View(1280, 720, VIEW.canvas), 1.0),
        ]
        keys = [raster._key(*case) for case in cases]
        assert len(set(keys)) == len(keys)
        assert raster._key(layer(name="other", opacity=0.1), VIEW, 1.0) == keys[0]

    def test_it_keeps_what_was_used_last_within_its_bytes(self) -> None:
        pieces = []
        for number in range(4):
            rgba = np.full((20, 20, 4), 255, np.uint8)
            piece = sprite(rgba, Rect(number, 0, 20, 20))
            assert piece is not None
            pieces.append(piece)
        cache = SpriteCache(limit=pieces[0].nbytes + pieces[1].nbytes + pieces[2].nbytes)
        for number in range(3):
            cache.put(str(number), pieces[number])
        assert cache.get("0") is pieces[0]
        cache.put("3", pieces[3])
        assert cache.get("1") is None
        assert cache.get("0") is pieces[0]
        assert cache.nbytes <= 3 * pieces[1].nbytes
        cache.put("0", pieces[0])
        kept = [piece for piece in map(cache.get, "0123") if piece is not None]
        assert cache.nbytes == sum(piece.nbytes for piece in kept)

    def test_what_went_wrong_is_tried_again(self, tmp_path: Path) -> None:
        cache, problems = SpriteCache(), list[str]()
        layer = Layer.model_validate({"name": "l", "image": {"file": str(tmp_path / "late.png")}})
        assert rasterise(layer, VIEW, 1.0, cache, problems.append) is None
        Image.new("RGB", (20, 20), "red").save(tmp_path / "late.png")
        assert rasterise(layer, VIEW, 1.0, cache, pytest.fail) is not None
        assert len(problems) == 1


class TestClockFace:
    @pytest.mark.parametrize("background", [None, "#2A6FDB", "#2A6FDB90"])
    @pytest.mark.parametrize("color", ["#FFFFFF", "#F4C02080"])
    def test_tables_give_the_picture_that_a_text_layer_gives(
        self, background: str | None, color: str
    ) -> None:
        style = {"size": 80, "color": color, "background": background, "padding": 10}
        face = ClockFace(ClockLayer.model_validate(style), Position(x=20, y=40), VIEW, pytest.fail)
        quick = face.sprite("IIII")  # without digits, which a clock makes equally wide
        slow = Drawn(text=style | {"value": "IIII"}, position={"x": 20, "y": 40}).good
        assert quick is not None
        frame = noise(640, 360)
        one, other = twin(frame), twin(frame)
        Blender(640).blend(one, quick)
        Blender(640).blend(other, slow)
        box = (slice(slow.y + 2, slow.y + slow.height - 2), slice(slow.x + 2, slow.x + slow.width - 2))
        assert np.abs(one.y[box].astype(int) - other.y[box]).max() <= 2
        half = tuple(slice(part.start // 2, part.stop // 2) for part in box)
        assert np.abs(one.uv[:, half[0], half[1]].astype(int) - other.uv[:, half[0], half[1]]).max() <= 2

    def test_its_box_does_not_jump_from_second_to_second(self) -> None:
        face = ClockFace(ClockLayer(), Position(anchor=Anchor.TOP_RIGHT), VIEW, pytest.fail)
        boxed = ClockFace(
            ClockLayer.model_validate({"background": "#000000"}),
            Position(anchor=Anchor.CENTER),
            VIEW,
            pytest.fail,
        )
        for each in (face, boxed):
            places = set()
            for second in range(60):
                drawn = each.sprite(f"11:11:{second:02}")
                assert drawn is not None
                places.add((drawn.x, drawn.y, drawn.width, drawn.height))
            assert len(places) == 1

    def test_it_is_cut_at_the_edge_and_nothing_outside(self) -> None:
        edge = ClockFace(ClockLayer(size=200), Position(x=1200), VIEW, pytest.fail).sprite("12:34")
        assert edge is not None
        assert edge.x + edge.width == 640
        assert ClockFace(ClockLayer(), Position(x=9000), VIEW, pytest.fail).sprite("12:34") is None
        assert ClockFace(ClockLayer(), Position(), VIEW, pytest.fail).sprite(" ") is None


class TestSlate:
    def draw(self, **fallback: Any) -> tuple[Frame, list[str]]:
        problems: list[str] = []
        return slate(Fallback.model_validate(fallback), 320, 180, problems.append), problems

    def test_the_colour_alone(self) -> None:
        frame, problems = self.draw(color="#FF0000")
        assert [np.unique(plane).tolist() for plane in (frame.y, frame.u, frame.v)] == [[63], [102], [240]]
        assert not problems

    def test_text_stands_in_the_middle(self) -> None:
        frame, _ = self.draw(text="Back soon")
        rows, columns = np.nonzero(frame.y > 120)
        assert abs((rows.min() + rows.max()) / 2 - 90) <= 4
        assert abs((columns.min() + columns.max()) / 2 - 160) <= 4

    def test_long_text_is_wrapped_and_made_smaller_until_it_fits(self) -> None:
        frame, _ = self.draw(text="We will be right back after the tide has turned. " * 10)
        rows, columns = np.nonzero(frame.y > 120)
        assert rows.min() > 0
        assert rows.max() < 179
        assert columns.min() > 0
        assert columns.max() < 319

    @pytest.mark.parametrize("text", [" ", "\n", "x" * 512])
    def test_odd_texts_do_no_harm(self, text: str) -> None:
        assert self.draw(text=text)[1] == []

    def test_letters_are_dark_on_a_light_ground(self) -> None:
        frame, _ = self.draw(text="Back soon", color="#FFFFFF")
        assert frame.y.min() < 60

    def test_a_picture_fills_the_slate_and_is_cut_not_squeezed(self, tmp_path: Path) -> None:
        stripes = np.zeros((90, 320, 3), np.uint8)
        stripes[:, :80] = stripes[:, 240:] = 255  # cut away: 320x90 fills 320x180 at twice its size
        Image.fromarray(stripes).save(tmp_path / "s.png")
        frame, problems = self.draw(image=str(tmp_path / "s.png"))
        assert not problems
        assert frame.y[:, 10:310].max() <= 17

    def test_a_missing_picture_leaves_colour_and_text(self) -> None:
        frame, problems = self.draw(image="/no/such.png", text="Back soon", color="#FF0000")
        assert "There is no picture /no/such.png" in problems[0]
        assert frame.y[0, 0] == 63
        assert frame.y.max() > 200

    def test_its_key_changes_with_what_it_shows(self, tmp_path: Path) -> None:
        def key(**fallback: Any) -> str:
            return raster.slate_key(Fallback.model_validate(fallback), 320, 180)

        path = str(tmp_path / "s.png")
        missing = key(image=path)
        Image.new("RGB", (8, 8)).save(path)
        keys = [key(), key(text="a"), key(text="b"), key(color="#FFFFFF"), missing, key(image=path)]
        assert len(set(keys)) == len(keys)
        assert key(text="a") == keys[1]
