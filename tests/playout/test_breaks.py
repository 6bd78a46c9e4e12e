"""Where lines may end."""

from __future__ import annotations

from itertools import pairwise

import pytest

from vistterstream.playout.breaks import opportunities


def parts(text: str) -> list[str]:
    """The pieces of a text between which a line may end."""
    return [text[start:end] for start, end in pairwise([0, *opportunities(text), len(text)])]


@pytest.mark.parametrize(
    "marked",
    [
        "The |tide  |turns",
        "very-|long-|hyphenated-|word",
        "https://|vistter.example/|a/|long/|path?|x=1",
        "soft\u00ad|hyphen, |zero\u200b|width",
        "no\u00a0break, |5\u202f%, |word\u2060joiner, |non\u2011breaking",
        "at |-5 |degrees, |12-14 |May, |2026/05/15, |$25.50, |50%, |12:30, |1,000.50",
        "a |-flag, |(x) |[y]z, |can't, |\u201csaid\u201d |he",
        "wharf|\u2014|and\u2013|pier",
        "\u6e2f|\u306e|\u671d\u3001|\u6c50|\u306f|\u6b63|\u5348\u3002",
        "\u300c\u9759\u300d|\u3068|\uff08\u6d77\uff09\uff01?",
        "\u304d\u3083\u3063|\u3068, |\u30e9\u30fc|\u30e1|\u30f3",
        "FM|\u300cwharf\u300d",
        "\u05d0-|\u05d1 |\u05d2-C",
        "\U0001f469\u200d\U0001f680|\U0001f44d\U0001f3fd|\U0001f1f3\U0001f1f4|\U0001f1ef\U0001f1f5",
        "e\u0301te\u0301 |\u0928\u092e\u0938\u094d\u0924\u0947",
        "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 |\u0e17\u0e48\u0e32",
    ],
)  # fmt: skip
def test_a_line_may_end_where_unicode_lets_it(marked: str) -> None:
    """As UAX #14 has it; `|` marks the places."""
    assert parts(marked.replace("|", "")) == marked.split("|")


def test_plain_words_part_at_spaces_alone() -> None:
    assert parts("a bc  d ") == ["a ", "bc  ", "d "]
    assert opportunities("") == []
