"""Sprites: their places, and the cache."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from playout.drawing import VIEW, Drawn, alpha, inked, rectangle
from playout.pictures import noise, twin
from vistterstream.playout import layers
from vistterstream.playout.blend import Blender
from vistterstream.playout.geometry import Rect, View
from vistterstream.playout.layers import rasterise
from vistterstream.playout.room import Room
from vistterstream.playout.sprites import (
    Drawing,
    Look,
    Mosaic,
    SpriteCache,
    flat_sprite,
    gathered,
    sprite,
)
from vistterstream.resources.overlay import Canvas, Layer


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


class TestCache:
    def test_equal_content_is_drawn_once_and_a_changed_file_again(self, tmp_path: Path) -> None:
        cache = SpriteCache()

        def draw() -> Look:
            layer = Layer.model_validate({"name": "l", "image": {"file": str(tmp_path / "x.png")}})
            (drawn,) = rasterise(layer, VIEW, 1.0, cache, Room(), pytest.fail)
            return drawn

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
        keys = [layers.key_of(*case) for case in cases]
        assert len(set(keys)) == len(keys)
        assert layers.key_of(layer(name="other", opacity=0.1), VIEW, 1.0) == keys[0]

    def test_it_keeps_what_was_used_last_within_its_bytes(self) -> None:
        pieces = []
        for number in range(4):
            rgba = np.full((20, 20, 4), 255, np.uint8)
            piece = sprite(rgba, Rect(number, 0, 20, 20))
            assert piece is not None
            pieces.append(Drawing((piece,)))
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
        assert not rasterise(layer, VIEW, 1.0, cache, Room(), problems.append)
        Image.new("RGB", (20, 20), "red").save(tmp_path / "late.png")
        assert rasterise(layer, VIEW, 1.0, cache, Room(), pytest.fail)
        assert len(problems) == 1


class TestMosaic:
    @pytest.mark.parametrize("opacity", [1.0, 0.6])
    def test_what_is_put_together_is_blended_as_one_by_one(self, opacity: float) -> None:
        random, base = np.random.default_rng(4), noise(128, 96)
        pieces = [
            sprite(random.integers(0, 256, (height, width, 4), np.uint8), Rect(x, y, width, height))
            for x, y, width, height in ((0, 0, 60, 8), (3, 9, 5, 33), (70, 50, 57, 45))
        ]
        sprites = [piece for piece in pieces if piece is not None]
        flat = flat_sprite((1, 2, 3, 99), Rect(20, 20, 30, 20))
        assert flat is not None
        (kept, mosaic) = gathered([*sprites, flat])
        assert kept is flat
        assert isinstance(mosaic, Mosaic)
        one, other, blender = twin(base), twin(base), Blender(128)
        for piece in sprites:
            blender.blend(one, piece, opacity)
        blender.blend(other, mosaic, opacity)
        apart = np.abs(one.data.astype(int) - other.data)
        assert apart.max() <= (0 if opacity == 1.0 else 1)  # ties, by vectors or not

    def test_large_ones_stay_by_themselves(self) -> None:
        rgba = np.random.default_rng(1).integers(1, 256, (200, 400, 4), np.uint8)
        large, small = sprite(rgba, Rect(0, 0, 400, 200)), sprite(rgba[:40, :40], Rect(0, 0, 40, 40))
        assert large is not None
        assert small is not None
        assert gathered([large, small]) == (large, small)
