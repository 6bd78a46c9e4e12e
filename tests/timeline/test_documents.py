"""What data sources find in JSON documents."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.resources.data import MAX_ITEMS, DataSource
from vistterstream.resources.texts import check_text
from vistterstream.timeline.documents import MAX_VALUE, parse, pointed, text_of


def source(**more: Any) -> DataSource:
    return DataSource.model_validate({"name": "a", "url": "http://example.org/a.json"} | more)


def found(document: str, **more: Any) -> str:
    return text_of(parse(document.encode()), source(**more))


# RFC 6901, section 5
RFC = {
    "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7,
    "m~n": 8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/foo/0", "bar"), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"), ("/e^f", "3"), ("/g|h", "4"),
        ("/i\\j", "5"), ('/k"l', "6"), ("/ ", "7"), ("/m~0n", "8"),
    ],
)  # fmt: skip
def test_pointers_point_where_the_rfc_says(pointer: str, value: str) -> None:
    assert found(json.dumps(RFC), path=pointer) == value


@pytest.mark.parametrize(
    "pointer", ["/foo/2", "/foo/-", "/foo/01", "/foo/x", "/nothing", "/a~1b/c", "/foo/0/0"]
)
def test_a_pointer_to_nothing_is_told_with_the_place(pointer: str) -> None:
    with pytest.raises(ValueError, match="there is nothing at /"):
        pointed(RFC, pointer)


@pytest.mark.parametrize(
    ("document", "more", "text"),
    [
        ('"as it is"', {}, "as it is"),
        ("12.50", {}, "12.50"),
        ("1e3", {}, "1000"),
        ("-0.04", {"decimals": 1}, "0.0"),
        ("2.5", {"decimals": 0}, "2"),
        ("19.999", {"decimals": 2}, "20.00"),
        ("9007199254740993", {}, "9007199254740993"),
        ("true", {}, "true"),
        ("[1, 2.0, false]", {"separator": " · "}, "1 · 2.0 · false"),
        ("[]", {}, ""),
        ('[{"t": {"x": "A"}}, {"t": {"x": "B"}}]', {"each": "/t/x"}, "A\nB"),
        ('"a\\r\\nb\\u0000\\u001b\\ud800"', {}, "a\nb   "),
    ],
)
def test_values_are_written_as_people_expect(document: str, more: dict[str, Any], text: str) -> None:
    assert found(document, **more) == text


@pytest.mark.parametrize(
    ("document", "more", "message"),
    [
        ("null", {}, "the whole document is null, and not a text or a number"),
        ('{"a": {}}', {"path": "/a"}, "the value at /a is an object"),
        ("[[1]]", {}, "is a list"),
        ("7", {"each": "/t"}, "is not a list; take each away"),
        ('[{"t": 1}, {}]', {"each": "/t"}, "there is nothing at /1/t in it"),
        ('{"n": ["a", "b", {}]}', {"path": "/n"}, "the value at /n/2 is an object, .*; change path or each"),
        ('[{"t": 1}, {"t": null}]', {"each": "/t"}, "the value at /1/t is null"),
        ("1e999", {}, "a number that is too long"),
        ("1" * 5000, {}, "a number that is too long"),
        ("NaN", {}, "a number that is none"),
        ("{", {}, "it is not JSON: .* in line 1"),
        ("[" * 100_000, {}, "nested too deep"),
    ],
)
def test_what_is_no_value_is_refused_in_a_sentence(document: str, more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        found(document, **more)


def test_lists_and_texts_have_bounds() -> None:
    assert found(json.dumps(list(range(1000))), separator=",").count(",") == MAX_ITEMS - 1
    assert len(found(json.dumps("x" * 10_000))) == MAX_VALUE


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.slow
@given(document=_JSON, path=st.lists(st.text(max_size=3), max_size=3))
def test_any_document_gives_a_text_that_can_be_drawn_or_a_sentence(document: Any, path: list[str]) -> None:
    pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in path)
    with suppress(ValueError):
        text = found(json.dumps(document), path=pointer)
        assert check_text(text) == text


@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_document_or_a_sentence(data: bytes) -> None:
    with suppress(ValueError):
        parse(data)
