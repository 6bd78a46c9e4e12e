"""Numbered pictures: which is shown when, what is missing, and how much is kept."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vistterstream.playout import sequences
from vistterstream.playout.compositor import Scene, compose, prepare
from vistterstream.playout.frames import Frame
from vistterstream.playout.items import Drawn, Still
from vistterstream.playout.sequences import PictureSequence
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.plan import OverlayInstance

WALL = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures 7 to 16: a white bar, 10 pixels wide, that stands at 20 times the number."""
    for number in range(7, 17):
        rgba = np.zeros((48, 400, 4), np.uint8)
        rgba[:, 20 * number : 20 * number + 10] = 255
        Image.fromarray(rgba).save(tmp_path / f"bar-{number:04}.png")
    return tmp_path


def scene(image: dict[str, Any], **rest: Any) -> Scene:
    layer = {"name": "l", "image": image, **rest}
    document = {"canvas": {"width": 640, "height": 360}, "layers": [layer]}
    overlay = OverlayInstance(id="o", overlay="o", spec=OverlaySpec.model_validate(document))
    made = prepare(Format(width=640, height=360), [overlay], Fallback(), wall=WALL)
    made.draw_at_once()
    return made


def frame(made: Scene, age: int) -> Frame:
    base, out = Frame(640, 360), Frame(640, 360)
    base.fill((16, 128, 128))
    compose(made, out, base, None, 0.0, [("o", age, None)], age, WALL)
    return out


def shown(made: Scene, ages: list[int]) -> list[int]:
    """The numbers of the pictures that are shown."""
    found = []
    for age in ages:
        columns = np.flatnonzero((frame(made, age).y > 200).any(axis=0))
        assert len(columns) == 10
        found.append(int(columns.min()) // 20)
    return found


class TestTimes:
    def test_one_a_frame_from_the_lowest_number_on_once(self, folder: Path) -> None:
        made = scene({"sequence": str(folder / "bar-%04d.png")})
        assert shown(made, list(range(14))) == [*range(7, 17), 16, 16, 16, 16]
        assert not made.problems

    def test_in_a_loop_and_back_and_forth(self, folder: Path) -> None:
        image = {"sequence": str(folder / "bar-%04d.png")}
        assert shown(scene(image | {"play": "loop"}), [9, 10, 11, 20, 100_003]) == [16, 7, 8, 7, 10]
        ages = [0, 8, 9, 10, 11, 19, 20, 21]
        assert shown(scene(image | {"play": "pingPong"}), ages) == [7, 15, 16, 16, 15, 7, 7, 8]

    def test_still_is_the_first(self, folder: Path) -> None:
        made = scene({"sequence": str(folder / "bar-%04d.png"), "play": "still"})
        assert shown(made, [0, 5, 50]) == [7, 7, 7]

    @pytest.mark.parametrize("rate", ["10", "25", "60", "24000/1001"])
    def test_its_own_rate_is_exact(self, folder: Path, rate: str) -> None:
        made = scene({"sequence": str(folder / "bar-%04d.png"), "rate": rate, "play": "loop"})
        ages = [0, 1, 2, 3, 7, 30, 29_970_000, 29_970_001]
        assert shown(made, ages) == [7 + int(age * Fraction(rate) / 30) % 10 for age in ages]


class TestPictures:
    def test_it_moves_turns_and_is_masked_as_every_layer(self, folder: Path) -> None:
        """Against the single picture in the same pose."""
        rest: dict[str, Any] = {
            "position": {"anchor": "center"},
            "tracks": [
                {"property": "rotation", "keyframes": [{"at": "0s", "value": 0}, {"at": "1s", "value": 60}]}
            ],
            "mask": {"rectangle": {"radius": 24}},
            "opacity": 0.7,
        }
        made = scene({"sequence": str(folder / "bar-%04d.png"), "width": 300}, **rest)
        for age in (0, 4, 8):
            alone = scene({"file": str(folder / f"bar-{7 + age:04}.png"), "width": 300}, **rest)
            assert np.abs(frame(made, age).data.astype(int) - frame(alone, age).data).max() <= 1

    def test_it_may_be_in_a_group(self, folder: Path) -> None:
        member = {"name": "bars", "image": {"sequence": str(folder / "bar-%04d.png")}}
        document = {
            "canvas": {"width": 640, "height": 360},
            "layers": [{"name": "g", "group": {"width": 500, "height": 60, "layers": [member]}}],
        }
        overlay = OverlayInstance(id="o", overlay="o", spec=OverlaySpec.model_validate(document))
        made = prepare(Format(width=640, height=360), [overlay], Fallback(), wall=WALL)
        made.draw_at_once()
        assert shown(made, [0, 3, 9, 20]) == [7, 10, 16, 16]

    def test_the_order_of_questions_does_not_matter(self, folder: Path) -> None:
        image = {"sequence": str(folder / "bar-%04d.png"), "play": "loop"}
        one, other = scene(image), scene(image)
        ages = list(range(0, 40, 3))
        forwards = [bytes(frame(one, age).buffer) for age in ages]
        assert forwards == [bytes(frame(other, age).buffer) for age in reversed(ages)][::-1]

    def test_on_the_air_they_are_read_ahead(self, folder: Path) -> None:
        made = scene({"sequence": str(folder / "bar-%04d.png")})
        assert isinstance(made.items["o"][0], Drawn)


class TestWhatIsMissing:
    def test_a_missing_number_shows_the_one_before_and_is_told(self, folder: Path) -> None:
        for number in (9, 10, 14):
            (folder / f"bar-{number:04}.png").unlink()
        made = scene({"sequence": str(folder / "bar-%04d.png")})
        assert shown(made, list(range(10))) == [7, 8, 8, 8, 11, 12, 13, 13, 15, 16]
        assert "3 pictures are missing or cannot be read (9, 10, 14)" in made.problems["o"]

    def test_a_file_that_is_no_picture_is_one_that_is_missing(self, folder: Path) -> None:
        (folder / "bar-0009.png").write_text("no picture")
        (folder / "bar-0007.png").write_bytes(b"")
        made = scene({"sequence": str(folder / "bar-%04d.png")})
        assert shown(made, [0, 1, 2]) == [8, 8, 10]
        assert "2 pictures are missing or cannot be read (7, 9)" in made.problems["o"]
        Image.new("RGB", (64, 48)).save(folder / "bar-0007.png")
        made = scene({"sequence": str(folder / "bar-%04d.png")})
        assert "1 picture is missing or cannot be read (9)" in made.problems["o"]

    def test_one_that_goes_meanwhile_shows_the_one_before(self, folder: Path) -> None:
        made = scene({"sequence": str(folder / "bar-%04d.png")})
        shutil.rmtree(folder)
        assert shown(made, [0, 1, 5]) == [7, 7, 7]

    def test_none_at_all_is_told_and_gives_way_to_what_stands_in(self, tmp_path: Path) -> None:
        image = {"sequence": str(tmp_path / "x-%d.png"), "width": 100}
        made = scene(image)
        assert "There are no pictures" in made.problems["o"]
        assert (frame(made, 0).y == 16).all()
        made = scene(image | {"fallback": {"color": "#FFFFFF"}})
        assert "There are no pictures" in made.problems["o"]
        assert isinstance(made.items["o"][0], Drawn | Still)
        assert frame(made, 3).y[10, 10] == 235

    def test_far_too_many_are_cut_off(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sequences, "MAX_PICTURES", 4)
        made = scene({"sequence": str(folder / "bar-%04d.png")})
        assert shown(made, [0, 3, 9]) == [7, 10, 10]
        assert "cut off after 4 pictures" in made.problems["o"]

    def test_a_gap_of_a_billion_costs_nothing(self, folder: Path) -> None:
        shutil.copy(folder / "bar-0016.png", folder / "bar-999999999.png")
        made = scene({"sequence": str(folder / "bar-%04d.png")})
        assert shown(made, [0, 9, 5_000]) == [7, 16, 16]
        assert "cut off after 10000 pictures" in made.problems["o"]


def test_what_is_kept_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = 10 * 48 * 4  # what is left of a picture when its transparent edges are gone
    monkeypatch.setattr(sequences, "CACHE_BYTES", 3 * one)
    made = scene({"sequence": str(folder / "bar-%04d.png"), "play": "loop"})
    for age in range(40):
        frame(made, age)
    item = made.items["o"][0]
    assert isinstance(item, Drawn)
    part = item._part
    assert isinstance(part, PictureSequence)
    assert [piece.rgba.nbytes for piece in part._kept.values() if piece] == [one] * 3
