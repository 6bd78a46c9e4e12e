"""Drawing image layers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from playout.drawing import VIEW, Drawn, inked
from playout.pictures import distance, noise, over, twin
from vistterstream.playout.blend import Blender
from vistterstream.playout.geometry import Rect, View


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
