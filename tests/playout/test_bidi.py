"""Text that runs in two directions, beside two other implementations: FriBidi's and ICU's.

Each has faults of its own (FriBidi 1.0.8 looks for the direction of FSI beyond its end; ICU 72 forgets
marks behind some brackets), so that a text passes where one of them agrees; and that each agrees with
nearly all of them is asserted too. Neither lets overrides change isolates (X5a to X6a), so that texts with
many controls have the one or the other.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import random
import re
import unicodedata
from collections import Counter
from functools import cache
from typing import Any

import pytest

from peers import needs
from vistterstream.playout import bidi

HEBREW, ARABIC, MARK = "\u05d0\u05d1\u05d2", "\u0627\u0628\u062a", "\u0301\u05b7"
CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
BY_CLASS = {
    "L": "abZ\u200e", "R": HEBREW + "\u200f", "AL": ARABIC + "\u061c", "EN": "0129", "AN": "\u0660\u0661",
    "ES": "+-", "ET": "%$\u20aa\u00b0#", "CS": ",.:/\u00a0", "NSM": MARK, "BN": "\u00ad\u200d\u200b",
    "S": "\t", "WS": " \u2003", "ON": "!&*\u2014()[]{}\u2329\u3008\u232a\u3009\u00ab",
    **{unicodedata.bidirectional(control): control for control in CONTROLS},
}  # fmt: skip
EVERYTHING = [BY_CLASS[name] for name in BY_CLASS]
PLAIN = list("a " + HEBREW[:2] + ARABIC[:1] + "12\u0661+-%$,.:()[]{}\u3008\u232a" + MARK)
ISOLATES = list("\u202a\u202b\u202c\u2066\u2067\u2068\u2069" + "a\u05d01(\u0627)")
OVERRIDES = list("\u202a\u202b\u202c\u202d\u202e" + "a\u05d01(\u0627)")
ENDINGS = ("\u05d0a", "a\u05d0", "\u05d0a \t\u2067 \u2069", "a\u05d0  ", "a\u05d0\u202b \u2068")
BASES = {0: 0x110, 1: 0x111, None: 0x40}


@cache
def fribidi() -> ctypes.CDLL:
    try:
        return ctypes.CDLL("libfribidi.so.0")
    except OSError:
        needs.missing("FriBidi (libfribidi.so.0)")
        raise


@cache
def icu() -> tuple[ctypes.CDLL, str]:
    """The library, and what the names of its functions end with."""
    name = ctypes.util.find_library("icuuc")
    if name is None:
        needs.missing("ICU (libicuuc)")
    assert name is not None
    return ctypes.CDLL(name), "_" + name.rpartition(".")[2]


def levels_of_fribidi(text: str, base: int | None) -> tuple[list[int], list[int]]:
    """Levels of a paragraph that is one line (L1 is in them), and the visual order (L2)."""
    library, count = fribidi(), len(text)
    letters = (ctypes.c_uint32 * count)(*map(ord, text))
    types, brackets = (ctypes.c_uint32 * count)(), (ctypes.c_uint32 * count)()
    levels, places = (ctypes.c_int8 * count)(), (ctypes.c_int * count)(*range(count))
    direction = ctypes.c_uint32(BASES[base])
    library.fribidi_get_bidi_types(letters, count, types)
    library.fribidi_get_bracket_types(letters, count, types, brackets)
    assert library.fribidi_get_par_embedding_levels_ex(
        types, brackets, count, ctypes.byref(direction), levels
    )
    library.fribidi_reorder_line(0, types, count, 0, direction, levels, None, places)
    return list(levels), list(places)


@cache
def of_icu(name: str, result: type | None, *arguments: type) -> Any:
    """A function of ICU's for bidirectional text."""
    library, version = icu()
    found = library[f"ubidi_{name}{version}"]
    found.restype, found.argtypes = result, arguments
    return found


def levels_of_icu(text: str, base: int | None) -> tuple[list[int], list[int]]:
    """The same, by ICU; `text` is of the basic plane, and of both directions: else ICU takes a short cut."""
    pointer, count, error = ctypes.c_void_p, len(text), ctypes.c_int(0)
    letters = ctypes.create_string_buffer(text.encode("utf-16-le"))
    places = (ctypes.c_int32 * count)()
    setting = of_icu("setPara", None, pointer, pointer, ctypes.c_int32, ctypes.c_uint8, pointer, pointer)
    getting = of_icu("getLevels", ctypes.POINTER(ctypes.c_uint8), pointer, pointer)
    work = of_icu("open", pointer)()
    try:
        setting(work, letters, count, 0xFE if base is None else base, None, ctypes.byref(error))
        levels = getting(work, ctypes.byref(error))
        of_icu("getVisualMap", None, pointer, pointer, pointer)(work, places, ctypes.byref(error))
        assert error.value <= 0
        return [levels[index] for index in range(count)], list(places)
    finally:
        of_icu("close", None, pointer)(work)


def seen(text: str, found: tuple[list[int], list[int]]) -> tuple[list[int], list[int]]:
    """Levels and order without characters that do nothing but give direction, or break nothing."""
    levels, places = found
    visible = {
        index for index, letter in enumerate(text) if letter not in CONTROLS and letter not in BY_CLASS["BN"]
    }
    return [levels[index] for index in sorted(visible)], [place for place in places if place in visible]


def ours(text: str, base: int | None) -> tuple[list[int], list[int]]:
    levels = bidi.of_line(bidi.resolved(text, base), 0, len(text))
    return levels, bidi.order(levels)


def drawn(draw: random.Random, alphabet: list[str], most: int) -> str:
    """A text with letters of both directions."""
    letters = [draw.choice(draw.choice(alphabet)) for _ in range(draw.randint(1, most))]
    return "".join(letters) + "\u2069" * draw.choice((0, 0, most)) + draw.choice(ENDINGS)


class TestAgainstOthers:
    def test_the_characters_here_are_of_all_classes(self) -> None:
        for name, characters in BY_CLASS.items():
            assert {unicodedata.bidirectional(character) for character in characters} == {name}
        assert len(BY_CLASS) == 22  # all but B, which ends a paragraph

    @pytest.mark.parametrize("base", [None, 0, 1])
    @pytest.mark.parametrize(
        ("alphabet", "most"), [(EVERYTHING, 24), (PLAIN, 16), (ISOLATES, 20), (OVERRIDES, 18)]
    )
    @pytest.mark.slow
    def test_levels_and_visual_order(self, base: int | None, alphabet: list[str], most: int) -> None:
        draw, agree = random.Random(most), Counter[str]()
        for _ in range(1200):
            text = drawn(draw, alphabet, most)
            mine = seen(text, ours(text, base))
            theirs = {
                "FriBidi": seen(text, levels_of_fribidi(text, base)),
                "ICU": seen(text, levels_of_icu(text, base)),
            }
            assert mine in theirs.values(), f"{text!a} with base {base}: {theirs}"
            agree.update(name for name, found in theirs.items() if found == mine)
        assert agree["FriBidi"] > 1100
        assert agree["ICU"] > 1100

    @pytest.mark.parametrize(
        "text",
        [
            "\u202b" * 70 + "a\u05d01" + "\u202c" * 70 + "b",
            "\u2067\u2066" * 70 + "a\u05d0" + "\u2069" * 140 + "b\u05d0",
            "a" + "(" * 62 + "\u05d0" + ")" * 62 + "b",
            "\u2067" + "\u202b" * 70 + "\u05d0\u2069\u202bb a",
        ],
    )
    def test_there_is_an_end_to_levels(self, text: str) -> None:
        for base in (0, 1):
            assert seen(text, ours(text, base)) == seen(text, levels_of_icu(text, base))

    @pytest.mark.parametrize("depth", [63, 64])
    def test_there_is_an_end_to_brackets(self, depth: int) -> None:
        """ICU counts on; pairs that were found before the 64th opens are kept."""
        text = "\u05d0(\u05d1) a\u05d0" + "[" * depth + "\u05d1" + "]" * depth + " a"
        assert ours(text, 0) == levels_of_fribidi(text, 0)

    def test_the_brackets_are_unicode_s(self) -> None:
        """Of Unicode 13, which the FriBidi of Debian 12 knows; four pairs came with 14."""
        for opener, closer in bidi._CLOSERS.items():
            if "\u2e55" <= opener <= "\u2e5c":
                continue
            pair = (ctypes.c_uint32 * 2)(ord(opener), ord(closer))
            types, brackets = (ctypes.c_uint32 * 2)(), (ctypes.c_uint32 * 2)()
            fribidi().fribidi_get_bidi_types(pair, 2, types)
            fribidi().fribidi_get_bracket_types(pair, 2, types, brackets)
            assert brackets[0] & 0x80000000, hex(ord(opener))
            assert brackets[0] & 0x7FFFFFFF == brackets[1] != 0, hex(ord(opener))

    def test_no_bracket_is_missing(self) -> None:
        library, known = fribidi(), set("".join(bidi._CLOSERS) + "".join(bidi._CLOSERS.values()))
        points = range(0x21, 0xFFFF)
        letters = (ctypes.c_uint32 * len(points))(*points)
        types, brackets = (ctypes.c_uint32 * len(points))(), (ctypes.c_uint32 * len(points))()
        library.fribidi_get_bidi_types(letters, len(points), types)
        library.fribidi_get_bracket_types(letters, len(points), types, brackets)
        assert {chr(point) for point, kind in zip(points, brackets, strict=True) if kind} <= known


def visual(text: str, base: int | None = None) -> str:
    """`text` as it stands from left to right; capitals stand for Hebrew letters, as in the annex."""
    hebrew = re.sub("[A-Z]", lambda found: chr(0x5D0 + ord(found[0]) - 65), text)
    levels, places = ours(hebrew, base)
    shown = [bidi.mirrored(text[place]) if levels[place] % 2 else text[place] for place in places]
    return bidi.CONTROLS.sub("", "".join(shown))


class TestCases:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("car means CAR.", "car means RAC."),
            ("he said \u201cIT IS 123, 456, OK\u201d.", "he said \u201cKO ,456 ,123 SI TI\u201d."),
            ("SALE 50% OFF", "FFO 50% ELAS"),
            ("PRICE \u20aa25.50 NOW", "WON \u20aa25.50 ECIRP"),
            ("COLD -5\u00b0 OUT", "TUO 5\u00b0- DLOC"),
            ("Port (SHALOM) SHALOM".lower().replace("shalom", "SHALOM"), "port (MOLAHS) MOLAHS"),
            ("a (B) c", "a (B) c"),
            ("AB(CD[&ef]!)gh", "gh(![ef&]DC)BA"),
            ("smith (FABRIKAM ARABIC) HEBREW", "smith (CIBARA MAKIRBAF) WERBEH"),
            ("ARABIC (english) b", "b (english) CIBARA"),
            ("BOOK: \u2066one (TWO)!\u2069 END", "DNE one (OWT)! :KOOB"),
            ("in \u2067ab, C\u2069, d", "in C ,ab, d"),
            ("\u202eabc\u202c d", "cba d"),
        ],
    )  # fmt: skip
    def test_shown(self, text: str, shown: str) -> None:
        """Cases of UAX #9, and of signs, brackets and isolates that are read wrongly without its rules."""
        assert visual(text) == shown

    @pytest.mark.parametrize(
        ("text", "levels"),
        [
            ("\u05d0\u3008\u05d1\u232a+a", [1, 1, 1, 1, 0, 0]),  # they are of one kind
            ("\u05d0\u2329\u05d1\u3009+a", [1, 1, 1, 1, 0, 0]),
            ("\u05d0(\u05d1)\u0301\u0301+a", [1, 1, 1, 1, 1, 1, 0, 0]),  # a bracket's marks go with it
            ("a\u2067\u0301\u2069\u0301\u05d0", [0, 0, 1, 0, 0, 1]),  # but those of isolates are neutral
        ],
    )
    def test_what_the_others_have_wrong(self, text: str, levels: list[int]) -> None:
        assert bidi.resolved(text, 0).levels == levels

    def test_a_line_s_last_spaces_stand_at_its_end_as_the_paragraph_runs(self) -> None:
        directions = bidi.resolved("\u05d0\u05d1 ab cd \u05d2")
        assert directions.base == 1
        assert bidi.of_line(directions, 3, 6) == [2, 2, 1]
        assert bidi.of_line(directions, 3, 8) == [2] * 5

    def test_a_line_of_a_paragraph_keeps_the_paragraph_s_direction(self) -> None:
        directions = bidi.resolved("\u05d0\u05d1 12 ab, cd! \u05d2")
        assert bidi.of_line(directions, 6, 13) == [2, 2, 2, 2, 2, 2, 1]

    def test_text_of_one_direction_costs_no_more_than_its_classes(self) -> None:
        assert set(bidi.resolved("The tide (at 12:30) is 5% \u2014 higher\u2069").levels) == {0}
        assert bidi.resolved("").levels == []

    def test_without_a_strong_letter_text_runs_to_the_right(self) -> None:
        assert bidi.resolved("12:30 \u2067\u05d0\u2069").base == 0
        assert bidi.resolved("\u2068a\u2069 \u05d0").base == 1
