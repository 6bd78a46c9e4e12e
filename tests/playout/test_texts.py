"""Drawing text layers."""

from __future__ import annotations

import pytest

from playout.drawing import Drawn, alpha, inked
from vistterstream.playout.frames import to_yuv
from vistterstream.playout.geometry import Rect, View
from vistterstream.resources.overlay import Anchor, Canvas


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
