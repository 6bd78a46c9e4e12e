"""Broken manifests: each file in broken/ is refused with exactly the errors that it announces.

A file announces them in lines at its top that start with ``#! ``, or in a file ``NAME.expected`` beside it
where its first line is what is wrong.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from vistterstream.resources.manifests import check_references, load

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


def complaints(text: bytes) -> list[str]:
    loaded = load(text, "F")
    return [str(error).removeprefix("F:") for error in (*loaded.errors, *check_references(loaded.objects))]


def expected(file: Path) -> list[str]:
    sidecar = file.with_suffix(".expected")
    if sidecar.exists():
        return sidecar.read_text(encoding="utf-8").splitlines()
    lines = file.read_text(encoding="utf-8").split("\n")
    return [line.removeprefix("#! ") for line in lines if line.startswith("#! ")]


def test_there_are_enough_of_them() -> None:
    assert len(BROKEN) >= 45


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_broken_manifest_is_refused_with_positions_and_sentences(file: Path) -> None:
    announced = expected(file)
    assert announced, "it announces no error"
    assert complaints(file.read_bytes()) == announced


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_no_error_shows_a_secret(file: Path) -> None:
    text = "\n".join(complaints(file.read_bytes()))
    assert "hunter2" not in text
    assert "abcd-efgh" not in text


HUGE = {
    "brackets": (b"[" * 1_000_000, "1:65: nested deeper than 64 levels"),
    "braces": (b"{a: " * 200_000, "1:257: nested deeper than 64 levels"),
    "dashes": (b"- " * 500_000, "1:129: nested deeper than 64 levels"),
    "values": (
        b"a: [" + b"a," * 500_000 + b"]",
        "1:199999: the file has more than 100,000 names and values; split it",
    ),
    "same-key": (b"a: b\n" * 200_000, "2:1 a: given twice; first at line 1, column 1"),
    "documents": (b"---\n" * 250_000, "1001:1: more than 1,000 documents; split the file"),
    "objects": (b"--- {}\n" * 140_000, None),
    "control-characters": (
        b"\x01" * 1_000_000,
        "1:1: the control character U+0001 is refused; take it out",
    ),
    "open-quote": (b"'" * 1_000_001, "1:1: a quotation mark is opened here and never closed"),
    "tags": (b"!a " * 300_000, None),
    "anchors": (b"&a " * 300_000, None),
    "aliases": (b"*a " * 300_000, None),
    "question-marks": (b"? " * 500_000, None),
    "colons": (b": " * 500_000, None),
    "long-key": (b"k" * 1_000_000 + b": v", None),
    "long-word": (b"x" * 1_000_000, "1:1: an object is expected here: apiVersion, kind, metadata and spec"),
    "long-number": (b"7" * 1_000_000, "1:1: the number is too large; put it in quotes if it is text"),
    "unknown-fields": (
        b"apiVersion: stream.vistter.io/v1alpha1\nkind: Program\nmetadata: {name: main}\nspec:\n"
        + b"".join(b"  field%d: v\n" % number for number in range(24_000)),
        "5:3 spec.field0: there is no such field; there are format, timeline, playback, fallback and values",
    ),
    "long-unknown-field": (
        b"apiVersion: stream.vistter.io/v1alpha1\nkind: Program\nmetadata: {name: main}\nspec: {"
        + b"timeline" * 100
        + b": x}",
        None,
    ),
    "too-large": (b"#" * (1 << 20) + b"\n", "1:1: the file is larger than 1 MiB; split it"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("text", "first"), HUGE.values(), ids=HUGE)
def test_a_bomb_is_refused_without_being_worked_through(text: bytes, first: str | None) -> None:
    start = time.process_time()
    found = complaints(text)
    spent = time.process_time() - start
    assert found
    assert len(found) <= 101
    if first is not None:
        assert found[0] == first
    assert spent < 10, f"it took {spent:.2f} s of CPU"
