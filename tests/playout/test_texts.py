"""Drawing text layers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from peers import needs
from playout.drawing import Drawn, alpha, inked
from vistterstream.playout import lettering, typefaces
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

    def test_lines_that_are_wrapped_far_beyond_the_picture_are_cut_off_too(self) -> None:
        huge = View(640, 360, Canvas(width=160, height=90))
        for style in ({"value": "W" * 4096, "width": 7680}, {"value": "W " * 400, "width": 16}):
            drawn = Drawn(view=huge, text={**style, "size": 8})
            assert any("larger than the picture" in problem for problem in drawn.problems)

    @pytest.mark.parametrize(
        "value",
        ["مرحبا", "שלום", "日本語", "🙂", "a\u0301\u200d\ufeff", "\u202eabc", "नमस्ते क्षत्रिय", "x" * 4096],
    )
    def test_every_script_is_drawn_in_fonts_that_have_it_or_left_out_and_told(self, value: str) -> None:
        drawn = Drawn(text={"value": value})
        line = lettering.line(value, typefaces.typeface("Inter", 24))
        for run in line.runs:
            assert all(typefaces.has(run.font, character) for character in run.text)
        assert bool(line.missing) == any("No font" in problem for problem in drawn.problems)
        assert (drawn.sprite is not None) == any(run.text.strip() for run in line.runs)

    @pytest.mark.parametrize(
        ("value", "families"),
        [
            ("\u0628\u0628\u0628", {"dejavu sans", "noto sans arabic"}),
            ("\u0915\u094d\u0937\u093f", {"noto sans devanagari"}),
        ],
    )
    def test_letters_are_shaped(self, value: str, families: set[str]) -> None:
        """Arabic letters join, Devanagari makes one of several."""
        if not typefaces.SHAPES or families.isdisjoint(typefaces._installed()):
            needs.missing(f"libfribidi0, or a font of {families},")
        font = typefaces.typeface("Inter", 40)
        (run,) = lettering.line(value, font).runs
        alone = sum(lettering.line(character, font).width for character in value)
        assert 0 < run.width < 0.95 * alone

    def test_letters_that_nobody_shapes_are_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(typefaces, "SHAPES", False)
        monkeypatch.setattr(typefaces, "has", lambda font, character: True)
        assert Drawn(text={"value": "\u0645\u0631"}).problems == [
            "Letters that join or change shape are drawn one by one; install FriBidi, Debian's libfribidi0."
        ]
        assert not Drawn(text={"value": "Harbour"}).problems

    def test_what_no_font_has_is_told_and_nothing_is_drawn_for_it(self) -> None:
        drawn, known = Drawn(text={"value": "Har\U000f0000bour\ufe0f"}), Drawn(text={"value": "Harbour"})
        assert drawn.problems == [
            "No font on this machine has \U000f0000 (U+F0000); install one, such as Debian's "
            "fonts-noto-core, fonts-noto-cjk and fonts-noto-color-emoji."
        ]
        assert drawn.sprite is not None
        assert (alpha(drawn.sprite) == alpha(known.good)).all()


class TestBaselines:
    """The layer's own font says where lines stand."""

    BOX: ClassVar[dict[str, Any]] = {"size": 60, "background": "#00000080", "padding": 20}

    def test_words_of_another_script_move_no_line(self) -> None:
        if "dejavu sans" not in typefaces._installed():
            needs.missing("fonts-dejavu-core")
        plain, mixed = ({"value": value, **self.BOX} for value in ("Harbour", "Harbour שלום \u0628"))
        assert inked(Drawn(text=plain).good)[1::2] == inked(Drawn(text=mixed).good)[1::2]
        left = [alpha(Drawn(text=text).good)[:, :90] for text in (plain, mixed)]
        assert np.array_equal(left[0], left[1])

    @pytest.mark.parametrize(("anchor", "up"), [("topLeft", 30), ("bottomLeft", 30)])
    def test_a_box_grows_where_other_letters_reach_out_of_its_padding_and_its_line_stands(
        self, anchor: str, up: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def box() -> tuple[Rect, NDArray[np.int64]]:
            drawn = Drawn(
                text={"value": "Harbour", **self.BOX},
                position={"anchor": anchor, "y": 100 - 200 * (anchor[0] == "b")},
            ).good
            rows, _ = np.nonzero(alpha(drawn) > 140)
            return inked(drawn), np.unique(rows + drawn.y)

        before, letters = box()
        monkeypatch.setattr(lettering.Line, "reach", (10 + up, 5))
        after, same = box()
        assert (after.y, after.y + after.height) == (before.y - up, before.y + before.height)
        assert np.array_equal(letters, same)

    def test_lines_part_where_other_letters_would_touch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        two = {"value": "Harbour\nHarbour", **self.BOX}
        before = inked(Drawn(text=two).good).height
        spaced = inked(Drawn(text={**two, "lineSpacing": 2}).good).height
        monkeypatch.setattr(lettering.Line, "reach", (4, 3))
        assert inked(Drawn(text=two).good).height == before + 7
        assert inked(Drawn(text={**two, "lineSpacing": 2}).good).height == spaced


class TestDirections:
    @pytest.mark.parametrize(
        ("align", "anchor", "rightward", "leftward"),
        [
            (None, "topLeft", 0.0, 1.0),
            (None, "top", 0.5, 0.5),
            (None, "topRight", 1.0, 1.0),
            ("start", "topRight", 0.0, 1.0),
            ("end", "topLeft", 1.0, 0.0),
            ("left", "topRight", 0.0, 0.0),
            ("center", "topLeft", 0.5, 0.5),
            ("right", "topLeft", 1.0, 1.0),
        ],
    )
    def test_lines_start_where_their_text_does(
        self, align: str | None, anchor: str, rightward: float, leftward: float
    ) -> None:
        def share(mark: str) -> float:
            """Of the free space, what lies left of the last line."""
            style = {"value": f"{mark}wide wide\n{mark}I", "size": 60, **({"align": align} if align else {})}
            drawn = alpha(Drawn(text=style, position={"anchor": anchor}).good)
            columns = np.flatnonzero(drawn.any(axis=0))
            last = np.flatnonzero(drawn[drawn.shape[0] // 2 + 10 :].any(axis=0))
            free = columns[-1] - columns[0] - (last[-1] - last[0])
            return float((last[0] - columns[0]) / free)

        assert share("") == pytest.approx(rightward, abs=0.05)
        assert share("\u200f") == pytest.approx(leftward, abs=0.05)
