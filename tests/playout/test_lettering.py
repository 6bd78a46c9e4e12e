"""Setting text. Scripts that need fonts of the machine are tested where it has them."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vistterstream.playout import lettering, typefaces
from vistterstream.playout.lettering import line, wrapped
from vistterstream.playout.typefaces import typeface

INTER = typeface("Inter", 40)
DEJAVU = {"dejavu sans"} <= typefaces._installed().keys()
needs_dejavu = pytest.mark.skipif(not DEJAVU, reason="fonts-dejavu-core is not installed")


def runs(text: str) -> list[tuple[str, str | None]]:
    return [(run.text, run.direction) for run in line(text, INTER).runs]


class TestRuns:
    def test_what_one_font_has_is_one_run_and_left_to_it(self) -> None:
        assert runs("Harbour — Ålesund, Ωμέγα") == [("Harbour — Ålesund, Ωμέγα", None)]

    @needs_dejavu
    def test_another_font_has_what_is_missing(self) -> None:
        set_line = line("a \u05d0 b", INTER)
        assert set_line.runs[0].font.getname()[0] == "Inter"
        assert len({run.font.path for run in set_line.runs}) == 2
        assert not set_line.missing

    @needs_dejavu
    def test_words_of_two_directions_stand_in_the_order_of_the_bidirectional_algorithm(self) -> None:
        hebrew, other = "\u05e9\u05dc\u05d5\u05dd", "\u05e2\u05d5\u05dc\u05dd"
        assert [text.strip() for text, _ in runs(f"{hebrew} Harbour 123 {other}") if text.strip()] == [
            other, "Harbour 123", hebrew,
        ]  # fmt: skip
        assert [text.strip() for text, _ in runs(f"a {hebrew} b") if text.strip()] == ["a", hebrew, "b"]
        assert ("12", "ltr") in [(text.strip(), direction) for text, direction in runs(f"{hebrew} 12")]

    @pytest.mark.parametrize(
        ("text", "levels"),
        [
            ("abc", [0, 0, 0]),
            ("\u05d0b", [1, 2]),
            ("a\u05d0\u05d1 c", [0, 1, 1, 0, 0]),
            ("\u05d0 1.5", [1, 1, 2, 2, 2]),
            ("\u0627 1", [1, 1, 2]),
            ("a \u05d0 (\u05d1) 1", [0, 0, 1, 1, 1, 1, 1, 1, 2]),
            ("\u05d0!", [1, 1]),
            ("a\u05d0!", [0, 1, 0]),
            ("\u05d0\u05b7", [1, 1]),
        ],
    )
    def test_levels(self, text: str, levels: list[int]) -> None:
        """As the reference implementation of UAX #9 has them."""
        assert lettering._levels(text) == levels

    def test_what_belongs_together_is_not_torn_apart(self) -> None:
        text = (
            "e\u0301\U0001f469\u200d\U0001f680\U0001f44d\U0001f3fd\U0001f1f3\U0001f1f4\U0001f1f8\U0001f1eax"
        )
        assert [cluster for _, cluster in lettering._clusters(text)] == [
            "e\u0301",
            "\U0001f469\u200d\U0001f680",
            "\U0001f44d\U0001f3fd",
            "\U0001f1f3\U0001f1f4",
            "\U0001f1f8\U0001f1ea",
            "x",
        ]

    def test_what_no_font_has_is_known(self) -> None:
        assert line("a\U000f0000b", INTER).missing == {"\U000f0000"}

    @pytest.mark.slow
    @settings(max_examples=200, deadline=None)
    @given(st.text(max_size=40))
    def test_any_text_is_set_with_all_of_its_characters(self, text: str) -> None:
        text = "".join(character for character in text if unicodedata.category(character) not in {"Cc", "Cs"})
        set_line = line(text, INTER)
        assert sorted("".join(run.text for run in set_line.runs)) == sorted(text)
        letters, pictures = Image.new("L", (200, 60)), Image.new("RGBA", (200, 60))
        set_line.draw(letters, pictures, 5, 45)
        assert set_line.width >= 0


class TestWrapping:
    @pytest.mark.slow
    @settings(deadline=None)
    @given(st.lists(st.sampled_from(["harbour", "a", "tide", "wharf-side", "x" * 40]), max_size=12))
    def test_no_line_is_wider_and_no_letter_is_lost(self, words: list[str]) -> None:
        text = " ".join(words)
        lines = wrapped(text, INTER, 300)
        assert all(INTER.getlength(part) <= 300 for part in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")

    def test_lines_end_between_words(self) -> None:
        lines = wrapped("The tide turns at noon", INTER, INTER.getlength("The tide turns") + 1)
        assert lines == ["The tide turns", "at noon"]

    def test_ideographs_may_be_parted_but_no_line_starts_with_a_full_stop(self) -> None:
        parts = list(lettering._words("\u65e5\u672c\u8a9e\u3002\u5b57\u5e55"))
        assert parts == ["\u65e5", "\u672c", "\u8a9e\u3002", "\u5b57", "\u5e55"]

    @pytest.mark.slow
    @pytest.mark.parametrize("width", [3, 40, 333, 5000])
    def test_a_word_that_is_too_long_is_broken_where_no_more_of_it_fits(self, width: int) -> None:
        word = "Wi" * 300
        lines = wrapped(word, INTER, width)
        assert "".join(lines) == word
        for part, following in pairwise(lines):
            assert INTER.getlength(part) <= width or len(part) == 1
            assert INTER.getlength(part + following[0]) > width

    @pytest.mark.slow
    def test_of_a_very_long_word_little_more_is_measured_than_is_set(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        measured = []

        def counted(text: str, font: typefaces.Font) -> lettering.Line:
            measured.append(len(text))
            return line(text, font)

        monkeypatch.setattr(lettering, "line", counted)
        assert len(wrapped("W" * 4096, INTER, 300)) > 300
        assert sum(measured) < 60 * 4096  # 30 times its length; measuring the rest for each line takes 588

    def test_nothing_is_one_empty_line(self) -> None:
        assert wrapped("", INTER, 100) == [""]


class TestFonts:
    @pytest.mark.parametrize(
        ("character", "there"), [("A", True), ("Ω", True), ("\u65e5", False), (" ", True)]
    )
    def test_the_bundled_font_knows_what_it_has(self, character: str, there: bool) -> None:
        assert typefaces.has(INTER, character) is there

    @needs_dejavu
    def test_a_font_s_table_of_characters_says_what_freetype_draws(self) -> None:
        font = typeface("DejaVu Sans", 24)
        for point in [*range(0x20, 0x250), *range(0x590, 0x600), *range(0x900, 0x910), 0x1F600, 0x10FFFD]:
            character = chr(point)
            if unicodedata.category(character) in {"Cn", "Cc", "Cf", "Zs", "Mn"}:
                continue
            assert typefaces.has(font, character) == typefaces._differs(str(font.path), point), hex(point)

    def test_a_file_that_is_no_font_has_nothing(self, tmp_path: object) -> None:
        for content in (b"", b"\0\1\0\0" + b"\xff" * 300, b"ttcf" + b"\xff" * 300):
            path = f"{tmp_path}/{len(content)}-{content[:1].hex()}.ttf"
            with open(path, "wb") as file:
                file.write(content)
            assert not typefaces._covers(path, 65)
