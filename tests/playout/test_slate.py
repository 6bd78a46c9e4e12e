"""Drawing slates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vistterstream.playout.frames import Frame
from vistterstream.playout.slate import slate, slate_key
from vistterstream.resources.program import Fallback


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
            return slate_key(Fallback.model_validate(fallback), 320, 180)

        path = str(tmp_path / "s.png")
        missing = key(image=path)
        Image.new("RGB", (8, 8)).save(path)
        keys = [key(), key(text="a"), key(text="b"), key(color="#FFFFFF"), missing, key(image=path)]
        assert len(set(keys)) == len(keys)
        assert key(text="a") == keys[1]
