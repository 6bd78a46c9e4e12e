"""The YAML dialect of manifests: what kubectl reads, less what surprises.

Text becomes a tree of nodes that know where they stand. A file is cut into its documents at the lines that
start with ``---`` (which YAML allows in no scalar), so that an error in one does not hide those in another.

- Scalars by the core schema of YAML 1.2 (10.3.2): ``yes``, ``on`` and ``12:30:00`` are strings, ``0o17`` is
  15, ``1e3`` is 1000. Integral numbers are integers, as in JSON. ``017`` is refused, since it is 15 to some
  programs and 17 to others; so are ``.inf`` and ``.nan``, which JSON does not have.
- Anchors, aliases, merge keys, tags but ``!!str``, directives, duplicate keys, control characters, more than
  1 MiB of text, 64 levels of nesting, 1,000 documents or 100,000 names and values are refused.

PyYAML does the parsing, with libyaml where its wheel has it (ten times as fast).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, pairwise
from typing import NamedTuple

import yaml

from vistterstream.resources.messages import shown

MAX_BYTES = 1 << 20
MAX_LEVELS = 64
MAX_DOCUMENTS = 1_000
MAX_VALUES = 100_000
_MAX_CHARACTERS = 10  # reported of each document
_MAX_DIGITS = 18  # every such integer fits 64 bits

Path = tuple[str | int, ...]
"""Where a value stands in its document: field names and places in lists."""

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NOT_ALLOWED = re.compile(
    "[^\\t\\n\\r\\x20-\\x7e\\xa0-\\u2027\\u202a-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]|\\r(?!\\n)"
)
_NOT_IN_SCALARS = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\\ud800-\\udfff]")
_DOCUMENT_START = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)

_COMMENTED_COLOUR = re.compile(r"[ \t:]*[ \t]#[0-9A-Fa-f]{3,8}\b")
_UNQUOTED_COLOUR = re.compile(r":[ \t]+(#[0-9A-Fa-f]{6,8}\b)")
_QUOTE_COLOURS = "a # behind a space starts a comment; put the colour in quotes"

_MAY_BE_OTHER = frozenset(["", *"~nNtTfF+-.0123456789"])
"""The first characters of what may be something else than text."""
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_JSON = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

Value = str | int | float | bool | None


class Mark(NamedTuple):
    """A place in a text; both count from 1, columns in characters."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value."""

    mark: Mark
    value: Value


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    mark: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Fields by name, with the places of the names."""

    mark: Mark
    fields: dict[str, Node]
    keys: dict[str, Mark]


Node = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong where. `path` is empty for what is wrong with the text itself."""

    mark: Mark
    path: Path
    message: str


@dataclass(slots=True)
class Document:
    """One document. `root` is None where it is empty or could not be parsed.

    `doubtful` are the paths of values that are not what the user meant, because of a problem with them.
    """

    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)
    doubtful: set[Path] = field(default_factory=set)


def parse(text: bytes) -> list[Document]:
    """The documents of a file that are not empty. Raises nothing: what is wrong is in their problems."""
    if len(text) > MAX_BYTES:
        return [_refused(Mark(1, 1), "the file is larger than 1 MiB; split it")]
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        before = text[: error.start].decode()
        mark = _mark_in(before, len(before))
        return [_refused(mark, f"the byte 0x{text[error.start]:02x} is not UTF-8; save the file as UTF-8")]
    return _Parser(decoded.removeprefix("\ufeff")).documents()


def plain(node: Node) -> object:
    """The value of a node in dicts, lists and scalars."""
    if isinstance(node, Mapping):
        return {name: plain(child) for name, child in node.fields.items()}
    if isinstance(node, Sequence):
        return [plain(child) for child in node.items]
    return node.value


def find(node: Node, path: Path) -> Node | None:
    """The node at `path` under `node`."""
    for step in path:
        child: Node | None = None
        if isinstance(node, Mapping) and isinstance(step, str):
            child = node.fields.get(step)
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            child = node.items[step]
        if child is None:
            return None
        node = child
    return node


def locate(node: Node, path: Path, *, key: bool = False) -> Mark:
    """Where `path` stands, or with `key` the name of that field; where it is not there, what is around it."""
    if key and path:
        parent = find(node, path[:-1])
        if isinstance(parent, Mapping) and path[-1] in parent.keys:
            return parent.keys[str(path[-1])]
    for end in range(len(path), -1, -1):
        found = find(node, path[:end])
        if found is not None:
            return found.mark
    return node.mark


def _refused(mark: Mark, message: str) -> Document:
    return Document(problems=[Problem(mark, (), message)])


def _mark_in(text: str, index: int) -> Mark:
    return Mark(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


class _Abandon(Exception):
    """The rest of a document cannot be looked at; its problem is noted."""


class _Parser:
    """Parses one file."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._documents = 0
        self._values = 0

    def documents(self) -> list[Document]:
        """The documents that have something in them."""
        found: list[Document] = []
        for first_line, chunk in self._chunks():
            bad = _bad_characters(chunk, first_line)
            for document in self._chunk(_NOT_ALLOWED.sub("\ufffd", chunk) if bad else chunk, first_line):
                document.problems += bad
                document.root = None if bad else document.root
                bad = []
                found.append(document)
            if bad:  # in a comment, or in an empty document
                found.append(Document(problems=bad))
            if self._documents > MAX_DOCUMENTS:
                found.append(
                    _refused(
                        Mark(first_line + 1, 1), f"more than {MAX_DOCUMENTS:,} documents; split the file"
                    )
                )
                break
        return found

    def _chunks(self) -> Iterator[tuple[int, str]]:
        """The texts of the documents, each with the number of lines before it."""
        starts = [0, *(match.start() for match in _DOCUMENT_START.finditer(self._text)), len(self._text)]
        line = 0
        for start, end in pairwise(starts):
            if start < end:
                chunk = self._text[start:end]
                yield line, chunk
                line += chunk.count("\n")

    def _chunk(self, chunk: str, first_line: int) -> Iterator[Document]:
        """The documents of a chunk: one, or more where ``...`` ends one."""
        builder = _Builder(self, chunk, first_line)
        while (document := builder.document()) is not None and self._documents <= MAX_DOCUMENTS:
            self._documents += 1
            if document.problems or not _is_empty(document.root):
                yield document
            if builder.ended:
                return

    def count(self, mark: Mark) -> Problem | None:
        """Count a name or value; a problem where there are too many."""
        self._values += 1
        if self._values > MAX_VALUES:
            return Problem(mark, (), f"the file has more than {MAX_VALUES:,} names and values; split it")
        return None


def _bad_characters(chunk: str, first_line: int) -> list[Problem]:
    return [
        Problem(_later(_mark_in(chunk, match.start()), first_line), (), _character(match[0]))
        for match in islice(_NOT_ALLOWED.finditer(chunk), _MAX_CHARACTERS)
    ]


class _Builder:
    """Builds nodes from PyYAML's events."""

    def __init__(self, parser: _Parser, chunk: str, first_line: int) -> None:
        self._parser = parser
        self._chunk = chunk
        self._first_line = first_line
        self._events: Iterator[yaml.Event] = yaml.parse(chunk, Loader=_Loader)
        self._document = Document()
        self.ended = False

    def document(self) -> Document | None:
        """The next document; None after the last."""
        self._document = Document()
        try:
            event = self._next()
            while not isinstance(event, yaml.DocumentStartEvent):
                if isinstance(event, yaml.StreamEndEvent):
                    return None
                event = self._next()
            self._document.root = self._node(self._next(), (), 0)
            self._next()
        except _Abandon:
            self._document.root = None
            self.ended = True
        return self._document

    def _next(self) -> yaml.Event:
        try:
            return next(self._events)
        except yaml.MarkedYAMLError as error:
            mark, message = _explained(error, self._chunk)
            self._problem(_later(mark, self._first_line), (), message)
        except (yaml.YAMLError, ValueError, OverflowError) as error:  # chr() of an escape out of range
            self._problem(Mark(self._first_line + 1, 1), (), f"not YAML: {shown(str(error))}")
        except StopIteration:
            pass
        raise _Abandon

    def _mark(self, event: yaml.Event) -> Mark:
        mark = event.start_mark
        return Mark(mark.line + 1 + self._first_line, mark.column + 1) if mark else Mark(1, 1)

    def _rest_of_line(self, event: yaml.Event) -> str:
        mark = event.end_mark
        lines = self._lines
        return lines[mark.line][mark.column :] if mark and mark.line < len(lines) else ""

    @cached_property
    def _lines(self) -> list[str]:
        return self._chunk.split("\n")

    def _problem(self, mark: Mark, path: Path, message: str, *, doubtful: bool = False) -> None:
        self._document.problems.append(Problem(mark, path, message))
        if doubtful:
            self._document.doubtful.add(path)

    def _node(self, event: yaml.Event, path: Path, level: int) -> Node:
        mark = self._mark(event)
        self._count(mark)
        if isinstance(event, yaml.AliasEvent):
            self._problem(
                mark,
                path,
                f"aliases are refused (*{shown(event.anchor or '', quoted=False)}); write the value out",
                doubtful=True,
            )
            return Scalar(mark, None)
        assert isinstance(event, yaml.NodeEvent)
        self._check_anchor(event, mark, path)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, mark, path)
        if level >= MAX_LEVELS:
            self._problem(mark, (), f"nested deeper than {MAX_LEVELS} levels")
            raise _Abandon
        self._check_tag(event, mark, path, {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(mark, path, level)
        return self._mapping(mark, path, level)

    def _sequence(self, mark: Mark, path: Path, level: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items)), level + 1))
        return Sequence(mark, tuple(items))

    def _mapping(self, mark: Mark, path: Path, level: int) -> Mapping:
        fields: dict[str, Node] = {}
        keys: dict[str, Mark] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key_mark = self._mark(event)
            key = self._key(event, path, level)
            if key is None:  # a problem: its value is looked at all the same, then dropped
                self._node(self._next(), (*path, "?"), level + 1)
                continue
            value = self._node(self._next(), (*path, key), level + 1)
            if key in fields:
                self._problem(key_mark, (*path, key), f"given twice; first at {keys[key]}")
            else:
                fields[key], keys[key] = value, key_mark
        return Mapping(mark, fields, keys)

    def _key(self, event: yaml.Event, path: Path, level: int) -> str | None:
        """A field name as text (JSON knows no other), or None for one that is refused."""
        mark = self._mark(event)
        if not isinstance(event, yaml.ScalarEvent):
            self._problem(mark, path, "a field name must be text", doubtful=True)
            self._node(event, (*path, "?"), level + 1)
            return None
        if event.value == "<<" and event.implicit[0]:
            self._problem(mark, path, "merge keys (<<) are refused; write the fields out", doubtful=True)
            return None
        self._count(mark)
        self._check_anchor(event, mark, path)
        if bad := _NOT_IN_SCALARS.search(event.value):
            self._problem(mark, path, _character(bad[0]), doubtful=True)
            return None
        return str(event.value)

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark, path: Path) -> Scalar:
        text = event.value
        if bad := _NOT_IN_SCALARS.search(text):
            hint = "; write \\\\ for a backslash in double quotes" if event.style == '"' else ""
            self._problem(mark, path, _character(bad[0]) + hint, doubtful=True)
            return Scalar(mark, None)
        if event.implicit[0]:
            if not text and _COMMENTED_COLOUR.match(self._rest_of_line(event)):
                self._problem(mark, path, _QUOTE_COLOURS, doubtful=True)
            value, problem = _resolved(text)
            if problem:
                self._problem(mark, path, problem, doubtful=True)
            return Scalar(mark, value)
        self._check_tag(event, mark, path, {"tag:yaml.org,2002:str", "!"})
        return Scalar(mark, text)

    def _count(self, mark: Mark) -> None:
        too_many = self._parser.count(mark)
        if too_many is not None:
            self._document.problems.append(too_many)
            raise _Abandon

    def _check_anchor(self, event: yaml.NodeEvent, mark: Mark, path: Path) -> None:
        if event.anchor is not None:
            name = shown(event.anchor, quoted=False)
            self._problem(mark, path, f"anchors are refused (&{name}); take it out")

    def _check_tag(self, event: yaml.Event, mark: Mark, path: Path, allowed: set[str]) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in allowed:
            word = tag.replace("tag:yaml.org,2002:", "!!")
            self._problem(
                mark, path, f"the tag {shown(word)} is refused; write the value without", doubtful=True
            )


def _later(mark: Mark, lines: int) -> Mark:
    return Mark(mark.line + lines, mark.column)


def _is_empty(node: Node | None) -> bool:
    return node is None or (isinstance(node, Scalar) and node.value is None)


def _character(character: str) -> str:
    return f"the control character U+{ord(character):04X} is refused; take it out"


def _resolved(text: str) -> tuple[Value, str | None]:
    """The value of an unquoted scalar by the core schema, and what is wrong with it."""
    if text[:1] not in _MAY_BE_OTHER:
        return text, None
    if text in _NULL:
        return None, None
    if text in _BOOLEANS:
        return _BOOLEANS[text], None
    if _INTEGER.fullmatch(text):
        return _integer(text)
    for pattern, base in ((_OCTAL, 8), (_HEXADECIMAL, 16)):
        if pattern.fullmatch(text):
            return _bounded(text[2:], base)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            return None, "the number is too large"
        # The same number to JSON, and to a schema that wants an integer.
        return (int(number) if number.is_integer() and abs(number) < 2**53 else number), None
    if _NOT_JSON.fullmatch(text):
        return None, f"{text} is not a number that JSON has"
    return text, None


def _integer(text: str) -> tuple[Value, str | None]:
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0":
        short = shown(digits)
        return None, f'{short} may be octal; write 0o17 for octal, 17 for decimal, "017" for text'
    return _bounded(text, 10)


def _bounded(text: str, base: int) -> tuple[Value, str | None]:
    if len(text.lstrip("+-")) > _MAX_DIGITS:
        return None, "the number is too large; put it in quotes if it is text"
    return int(text, base), None


_EXPLANATIONS = (
    ("mapping values are not allowed", "a second colon on one line; quote the value if it has a colon"),
    ("sequence entries are not allowed", "a list must start on a line of its own"),
    ("could not find expected ':'", "the line above is no field: a colon, or the space after it, is missing"),
    ("Unicode character escape", "the escape stands for no character"),
    ("unknown escape", "unknown escape in double quotes; write \\\\ for a backslash, or use single quotes"),
    ("',' or ']'", "a list in [ ] is not closed, or a comma is missing"),
    ("',' or '}'", "a mapping in { } is not closed, or a comma is missing"),
    ("node content", "a value is missing here, or a bracket has no partner"),
    ("tab character", "a tab is used to indent; use spaces"),
    ("comment or line break", "only a line break or a comment can follow | or >"),
    ("indentation indicators", "only a line break or a comment can follow | or >"),
    ("'-' indicator", "this does not belong to the list above; check the indentation"),
    ("undefined alias", "aliases are refused; write the value out"),
    ("<document start>", "this does not continue what is above; check the indentation"),
    ("expected key", "this does not continue what is above; check the indentation and the quotes"),
    ("<block end>", "this does not continue what is above; check the indentation and the quotes"),
)  # fmt: skip


def _explained(error: yaml.MarkedYAMLError, chunk: str) -> tuple[Mark, str]:
    """Where a syntax error stands, and what to do about it."""
    where = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "not YAML"
    if where is None:
        return Mark(1, 1), f"not YAML: {shown(problem)}"
    lines = chunk.splitlines() or [""]
    if chunk.startswith("%"):
        return Mark(1, 1), "directives (%) are refused; take the line out"
    for number in (where.line - 1, where.line):
        if 0 <= number < len(lines) and (colour := _UNQUOTED_COLOUR.search(lines[number])):
            return Mark(number + 1, colour.start(1) + 1), _QUOTE_COLOURS
    if "unexpected end of stream" in problem and error.context_mark is not None:
        opened = error.context_mark
        return Mark(opened.line + 1, opened.column + 1), "a quotation mark is opened here and never closed"
    if where.line >= len(lines):  # the end of the document is where its last line ends
        return Mark(len(lines), len(lines[-1]) + 1), _explanation(problem, "")
    rest = lines[where.line][where.column :]
    return Mark(where.line + 1, where.column + 1), _explanation(problem, rest)


def _explanation(problem: str, rest: str) -> str:
    """What to do about PyYAML's `problem` with a line that goes on with `rest`."""
    if "cannot start any token" in problem:
        if rest.startswith("\t"):
            return "a tab is used to indent; use spaces"
        return f"a value cannot start with {rest[:1]}; put it in quotes"
    for words, explanation in _EXPLANATIONS:
        if words in problem:
            return explanation
    return f"not YAML: {shown(problem)}"
