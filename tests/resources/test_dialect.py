from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.resources import dialect
from vistterstream.resources.dialect import Mark, find, locate, parse, plain


def value(text: str) -> Any:
    (document,) = parse(text.encode())
    assert document.problems == []
    assert document.root is not None
    return plain(document.root)


def problems(text: str | bytes) -> list[str]:
    documents = parse(text if isinstance(text, bytes) else text.encode())
    return [
        f"{problem.mark.line}:{problem.mark.column} {problem.message}"
        for document in documents
        for problem in document.problems
    ]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        # YAML 1.1 would make booleans, a base-60 number, a date and an octal number of these.
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("no", "no"),
        ("y", "y"),
        ("n", "n"),
        ("12:30:00", "12:30:00"),
        ("2026-05-17", "2026-05-17"),
        ("2026-05-17T09:30:00Z", "2026-05-17T09:30:00Z"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("=", "="),
        ("true", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e3", 1000),
        ("1.0", 1),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-1.5e-3", -0.0015),
        ("1e", "1e"),
        (".", "."),
        ("1.2.3", "1.2.3"),
        ("'017'", "017"),
        ('"5"', "5"),
        ("'true'", "true"),
        ("!!str 5", "5"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ('"\\u00e9\\U0001F600"', "é😀"),
    ],
)
def test_a_scalar_means_what_the_core_schema_says(text: str, meaning: object) -> None:
    found = value(f"k: {text}")["k"]
    assert found == meaning
    assert type(found) is type(meaning)


def test_keys_are_text_as_in_json() -> None:
    assert value("1: a\ntrue: b\nnull: c\non: d\n1.50: e") == {
        "1": "a",
        "true": "b",
        "null": "c",
        "on": "d",
        "1.50": "e",
    }


def test_documents_are_cut_at_their_markers_and_nowhere_else() -> None:
    text = (
        "# nothing\n---\na: 1\n--- {b: 2}\n---\n---\n# still nothing\n"
        "--- |\n  c ---\n   ---\n...\n---\nd: --- x\n"
    )
    documents = parse(text.encode())
    assert [plain(document.root) for document in documents if document.root] == [
        {"a": 1},
        {"b": 2},
        "c ---\n ---\n",
        {"d": "--- x"},
    ]


def test_a_broken_document_hides_neither_its_neighbours_nor_their_places() -> None:
    text = "a: 1\n---\nb: [\n---\nc: @\n---\nd: 1\nd: 2\n"
    assert problems(text) == [
        "3:5 a value is missing here, or a bracket has no partner",
        "5:4 a value cannot start with @; put it in quotes",
        "8:1 given twice; first at line 7, column 1",
    ]
    assert [plain(document.root) for document in parse(text.encode()) if document.root] == [
        {"a": 1},
        {"d": 1},
    ]


def test_every_node_and_key_knows_its_place() -> None:
    (document,) = parse("é: [x, {k: v}]\n".encode())
    root = document.root
    assert root is not None
    assert locate(root, ("é",), key=True) == Mark(1, 1)
    assert locate(root, ("é", 0)) == Mark(1, 5)
    assert locate(root, ("é", 1, "k"), key=True) == Mark(1, 9)
    assert locate(root, ("é", 1, "k")) == Mark(1, 12)
    assert locate(root, ("é", 1, "missing")) == Mark(1, 8)
    assert find(root, ("é", 2)) is None
    assert find(root, ("é", "x")) is None
    assert find(root, ("é", 0, "x")) is None


def test_a_byte_order_mark_at_the_start_is_fine_and_elsewhere_is_not() -> None:
    assert value("\ufeffa: 1") == {"a": 1}
    assert problems("a: \ufeffb") == ["1:4 the control character U+FEFF is refused; take it out"]


def test_windows_line_ends_count_as_one() -> None:
    assert value("a: 1\r\nb: 2\r\n") == {"a": 1, "b": 2}
    assert problems("a: 1\r\n---\r\nb: [\r\n---\r\nb: @\r\n")[-1].startswith("5:4 ")


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\u2028", "\ufffe", "\r"])
def test_control_characters_are_refused_where_they_stand(character: str) -> None:
    code = f"U+{ord(character):04X}"
    for text in (f"a: 1\nb: x{character}y", f"a: 1\n#  x{character}y", f"a: 1\nb: '{character}y'"):
        assert problems(text) == [f"2:5 the control character {code} is refused; take it out"]


def test_control_characters_may_not_come_as_escapes_either() -> None:
    assert problems('a: "\\0"')[0].startswith("1:4 the control character U+0000 is refused")
    assert problems('"\\0": a')[0].startswith("1:1 the control character U+0000 is refused")
    assert value('a: "\\ta\\n"') == {"a": "\ta\n"}


def test_all_problems_of_a_document_are_found_at_once() -> None:
    text = "a: &x 1\nb: *x\nc: !foo 2\n<<: {d: 1}\ne: 017\nf: .nan\na: 3\n? {g: 1}\n: 4\n"
    assert [problem.partition(" ")[0] for problem in problems(text)] == [
        "1:4",
        "2:4",
        "3:4",
        "4:1",
        "5:4",
        "6:4",
        "7:1",
        "8:3",
    ]


def test_64_levels_are_fine_and_65_are_not() -> None:
    assert value("[" * 64 + "]" * 64)
    assert problems("[" * 65 + "]" * 65) == ["1:65 nested deeper than 64 levels"]


def test_1_mib_is_fine_and_a_byte_more_is_not() -> None:
    assert problems(b"a: 1 #" + b"x" * (dialect.MAX_BYTES - 6)) == []
    assert problems(b"a: 1 #" + b"x" * (dialect.MAX_BYTES - 5)) == [
        "1:1 the file is larger than 1 MiB; split it"
    ]


@pytest.mark.parametrize(
    ("text", "where"), [(b"\xff", "1:1"), (b"a: 1\nb: \xe9t\xe9", "2:4"), ("é\né".encode() + b"\xc3(", "2:2")]
)
def test_a_byte_that_is_not_utf8_is_shown(text: bytes, where: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(f"{where} the byte 0x")


def test_colours_that_became_comments_are_noticed() -> None:
    message = "a # behind a space starts a comment; put the colour in quotes"
    assert problems("a:\n  color: #FF0000\n") == [f"2:9 {message}"]
    assert problems("a: {color: #FF0000}\n") == [f"1:12 {message}"]
    assert problems("a:\n  color: # the colour\n") == []


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(-1e12, 1e12).filter(lambda number: not number.is_integer())
    | st.text(st.characters(min_codepoint=32, max_codepoint=126)),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.slow
@given(json_values)
def test_json_means_what_it_means(form: Any) -> None:
    import json

    (document,) = parse(json.dumps({"k": form}).encode())
    assert document.problems == []
    assert document.root is not None
    assert plain(document.root) == {"k": form}


def test_libyaml_and_pyyaml_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without libyaml (a wheel without it) the same things are right and wrong, at the same lines."""
    texts = [
        "a: {b: [1, 2], c: 'd'}\n---\ne: |\n  f\n",
        "a: b: c",
        "a:\n\tb: c",
        "a: 'b",
        "a: [1, 2",
        "a: @x",
        "a: *b",
        "a:\n  b: 1\n c: 2",
        "foo\nb: 1",
        '"\\q"',
    ]
    fast = [[problem.partition(":")[0] for problem in problems(text)] for text in texts]
    monkeypatch.setattr(dialect, "_Loader", yaml.SafeLoader)
    slow = [[problem.partition(":")[0] for problem in problems(text)] for text in texts]
    assert slow == fast
