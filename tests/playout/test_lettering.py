"""Setting text. Scripts that need fonts of the machine are tested where it has them."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from peers import needs
from vistterstream.playout import lettering, typefaces
from vistterstream.playout.lettering import Paragraph, Span, line
from vistterstream.playout.typefaces import typeface

INTER = typeface("Inter", 40)
HEBREW, SHALOM = "\u05d0\u05d1\u05d2", "\u05e9\u05dc\u05d5\u05dd"
CONTROLS = frozenset(
    character for character in map(chr, range(0x2100)) if lettering._UNDRAWN.match(character)
)
DEJAVU = {"dejavu sans"} <= typefaces._installed().keys()


@pytest.fixture
def _dejavu() -> None:
    if not DEJAVU:
        needs.missing("fonts-dejavu-core")


needs_dejavu = pytest.mark.usefixtures("_dejavu")


def wrapped(text: str, width: float, font: typefaces.Font = INTER) -> list[str]:
    """The lines of a text, a hyphen at the end of those that have one."""
    spans = Paragraph(text, font).wrapped(width)
    return [text[start:end] + "-" * hyphen for start, end, hyphen in spans]


def pixels(set_line: lettering.Line) -> bytes:
    """What a line looks like."""
    letters = Image.new("L", (300, 80))
    set_line.draw(letters, Image.new("RGBA", letters.size), 5, 60)
    return letters.tobytes()


def visual(set_line: lettering.Line) -> str:
    """The characters of a line from left to right."""
    return "".join(run.text[:: -1 if run.direction == "rtl" else 1] for run in set_line.runs)


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

    def test_what_no_font_has_is_known_and_not_drawn(self) -> None:
        set_line = line("a\U000f0000b", INTER)
        assert set_line.missing == {"\U000f0000"}
        assert set_line.width == INTER.getlength("ab")
        assert "".join(run.text for run in set_line.runs) == "ab"

    def test_of_a_cluster_that_no_font_has_only_what_is_missing_is_told(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(typefaces, "_folders", list)
        assert line("1\ufe0f\u20e3 \u00a9\ufe0f", INTER).missing == {"\u20e3"}
        assert line("\U0001f469\u200d\U0001f680", INTER).missing == {"\U0001f469", "\U0001f680"}
        assert line("\u0600 1\u2060\u200d", INTER).missing == {"\u0600"}

    def test_controls_are_not_drawn(self) -> None:
        assert [run.text for run in line("a\x07\u200fb\u2067\u00ad\x85", INTER).runs] == ["ab"]
        assert not line("a\x07", INTER).missing
        assert not line("\u2028\u2029", INTER).runs

    def test_an_override_is_stronger_than_the_shaper(self) -> None:
        if not typefaces.SHAPES:
            needs.missing("libfribidi0")
        overridden, plain = line("\u202eabc 12\u202c", INTER), line("21 cba", INTER)
        assert pixels(overridden) == pixels(plain)

    def test_without_a_shaper_text_that_runs_to_the_left_is_turned(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(typefaces, "SHAPES", False)
        set_line = line("\u202ea(b\u0301)\u202c c", INTER)
        assert [(run.text, run.direction) for run in set_line.runs] == [("(b\u0301)a", None), (" c", None)]

    @pytest.mark.slow
    @settings(max_examples=200, deadline=None)
    @given(st.text(max_size=40))
    def test_any_text_is_set_with_all_of_its_characters(self, text: str) -> None:
        set_line = line(text, INTER)
        shown = [character for run in set_line.runs for character in run.text if character not in CONTROLS]
        wanted = [character for character in text if character not in set_line.missing | CONTROLS]
        assert sorted(shown) == sorted(wanted)
        letters, pictures = Image.new("L", (200, 60)), Image.new("RGBA", (200, 60))
        set_line.draw(letters, pictures, 5, 45)
        assert set_line.width >= 0


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many characters were measured, each time that some were."""
    lengths: list[int] = []
    width = Paragraph._width

    def counted(paragraph: Paragraph, start: int, end: int) -> float:
        lengths.append(end - start)
        return width(paragraph, start, end)

    monkeypatch.setattr(Paragraph, "_width", counted)
    return lengths


class TestWrapping:
    @pytest.mark.slow
    @settings(deadline=None)
    @given(st.lists(st.sampled_from(["harbour", "a", "tide", "wharf-side", "x" * 40]), max_size=12))
    def test_no_line_is_wider_and_no_letter_is_lost(self, words: list[str]) -> None:
        text = " ".join(words)
        lines = wrapped(text, 300)
        assert all(INTER.getlength(part) <= 300 for part in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")

    @pytest.mark.parametrize(
        ("text", "fits", "lines"),
        [
            ("The tide turns at noon", "The tide turns", ["The tide turns", "at noon"]),
            ("A long-hyphenated-word", "A long-", ["A long-", "hyphe", "nated-", "word"]),
            ("see https://vistter.example/a/b", "see https://", ["see https://", "vistter.exa", "mple/a/b"]),
            ("soft\u00adhyphen", "softhyph", ["soft\u00ad-", "hyphen"]),
            ("soft\u00adhyphen", "softhyphens", ["soft\u00adhyphen"]),
            ("it was -5 now", "it was -", ["it was", "-5 now"]),
            ("\u65e5\u672c\u8a9e\u3002\u5b57", "\u65e5\u672c\u8a9e", ["\u65e5\u672c", "\u8a9e\u3002\u5b57"]),
        ],
    )
    def test_lines_end_where_they_may(self, text: str, fits: str, lines: list[str]) -> None:
        if line(text, INTER).missing:
            needs.missing("fonts-noto-cjk, or another font for ideographs,")
        assert wrapped(text, line(fits, INTER).width + 1) == lines

    def test_a_line_is_as_full_as_its_letters_stand_close(self) -> None:
        pieces = ["AV-", "TA-", "YA-"] * 5
        for width in range(150, 400, 5):
            wanted, current = list[str](), ""
            for piece in pieces:
                if current and INTER.getlength(current + piece) > width:
                    wanted, current = [*wanted, current], ""
                current += piece
            assert wrapped("".join(pieces), width) == [*wanted, current]

    def test_a_word_that_is_too_long_is_not_broken_within_a_letter_and_its_marks(self) -> None:
        for width in (3, 100):
            lines = wrapped("e\u0301\u0323" * 40, width)
            assert len(lines) > 3
            assert all(part[0] == "e" for part in lines)

    def test_a_hyphen_and_last_spaces_stand_as_their_text_runs(self) -> None:
        leftward = Paragraph("\u202eabcd\u00adefgh", INTER)
        first, _ = leftward.wrapped(INTER.getlength("abcd--"))
        assert pixels(leftward.line(first)) == pixels(line("-dcba", INTER))
        spaced = Paragraph("\u200fabc def", INTER).line(Span(0, 5))
        assert [run.text for run in spaced.runs] == [" ", "abc"]

    def test_a_hyphen_is_seen_only_where_a_word_is_broken(self) -> None:
        paragraph = Paragraph("soft\u00adhyphen", INTER)
        assert [run.text for run in paragraph.line(paragraph.whole).runs] == ["softhyphen"]
        first, _ = paragraph.wrapped(150)
        assert [run.text for run in paragraph.line(first).runs] == ["soft-"]

    @needs_dejavu
    def test_every_line_runs_as_its_paragraph(self) -> None:
        text = f"{SHALOM} {SHALOM} BBC News! {SHALOM}"
        paragraph = Paragraph(text, INTER)
        at = text.index("BBC")
        latin = paragraph.line(Span(at, at + 9))
        assert latin.leftward
        assert [run.text for run in latin.runs] == ["!", "BBC News"]
        assert [run.direction for run in latin.runs] == ["rtl", "ltr"]

    @needs_dejavu
    def test_one_font_that_has_all_sets_lines_no_differently(self) -> None:
        dejavu = typeface("DejaVu Sans", 40)
        text = f"{SHALOM} 50% (BBC), {SHALOM}"
        for span in (Span(0, 8), Span(5, 14), Span(0, len(text))):
            by_many, by_one = (Paragraph(text, font).line(span) for font in (INTER, dejavu))
            assert visual(by_many) == visual(by_one)

    @pytest.mark.slow
    @pytest.mark.parametrize("width", [3, 40, 333, 5000])
    def test_a_word_that_is_too_long_is_broken_where_no_more_of_it_fits(self, width: int) -> None:
        word = "Wi" * 300
        lines = wrapped(word, width)
        assert "".join(lines) == word
        for part, following in pairwise(lines):
            assert INTER.getlength(part) <= width or len(part) == 1
            assert INTER.getlength(part + following[0]) > width

    @pytest.mark.slow
    def test_of_a_very_long_word_little_more_is_measured_than_is_set(self, measured: list[int]) -> None:
        assert len(wrapped("W" * 4096, 300)) > 300
        assert sum(measured) < 60 * 4096  # 30 times its length; measuring the rest for each line takes 588

    def test_lines_that_nobody_asks_for_are_not_set(self, measured: list[int]) -> None:
        assert next(Paragraph("The tide turns at noon " * 100, INTER).wrapped(100))
        assert 0 < len(measured) < 10

    def test_nothing_is_one_empty_line(self) -> None:
        assert wrapped("", 100) == [""]


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
