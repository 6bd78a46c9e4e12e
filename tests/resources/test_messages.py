from __future__ import annotations

import time

from vistterstream.base.redaction import redact
from vistterstream.resources.messages import enumeration, nearest, shown


def test_values_are_shown_in_quotes_and_cut_short() -> None:
    assert shown("a\nb") == r"'a\nb'"
    assert shown("x" * 100_000) == "'" + "x" * 60 + "…'"
    assert shown("abc", quoted=False) == "abc"


def test_addresses_are_shown_without_their_secrets() -> None:
    assert "hunter2" not in shown("rtsp://admin:hunter2@cam/main")
    redact.learn(["planted-secret-value"])
    assert "planted" not in shown("it is planted-secret-value here")


def test_the_nearest_word_is_suggested_whatever_its_case_and_underscores() -> None:
    assert nearest("bitrte", ["bitrate", "codec"]) == "; did you mean bitrate?"
    assert nearest("stall_after", ["stallAfter", "backup"]) == "; did you mean stallAfter?"
    assert nearest("STALLAFTER", ["stallAfter"]) == "; did you mean stallAfter?"
    assert nearest("lamp", ["bitrate", "codec"]) == ""
    assert nearest("lamp", []) == ""


def test_a_huge_word_is_looked_for_quickly() -> None:
    start = time.process_time()
    nearest("bitrate" * 100_000, ["bitrate"] * 20)
    assert time.process_time() - start < 10, "it hangs"


def test_words_are_enumerated() -> None:
    assert enumeration(["a"]) == "a"
    assert enumeration(["a", "b", "c"]) == "a, b or c"
    assert enumeration(["a", "b"], "and") == "a and b"
