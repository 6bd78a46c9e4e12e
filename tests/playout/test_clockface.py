"""The faces of clocks."""

from __future__ import annotations

import numpy as np
import pytest

from playout.drawing import VIEW, Drawn
from playout.pictures import noise, twin
from vistterstream.playout.blend import Blender
from vistterstream.playout.clockface import ClockFace
from vistterstream.resources.overlay import Anchor, ClockLayer, Position


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
