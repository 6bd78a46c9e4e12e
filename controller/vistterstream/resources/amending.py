"""Reading a manifest again after an edit of one item of a long list, such as a cue of a timeline. Pure.

A file of a thousand cues takes a tenth of a second to read. Where two texts differ within one item of a block
list alone, that item is read by itself, and takes the place of the old one. This gives what reading all of it
would give, since YAML is read from the front: before the item stands the same text, so that it begins in the
same state; the item was read to its end, with nothing left open, and nothing in it is less indented; behind
it stands, as before, the ``- `` of the next item of that list, in the column that ends whatever could go on.
Whatever is not so, or not valid, is not for this module: then the whole file is read.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from vistterstream.resources import dialect
from vistterstream.resources.dialect import Path
from vistterstream.resources.kinds import Resource, Secret
from vistterstream.resources.manifests import Loaded, Located, valid

_LONG = 20  # items; shorter lists are read soon enough
_AROUND = 20  # names and values of a document around its objects, where these stand in a list of them
_ITEM = re.compile(r"( *)- +[^ \t\r\n]")


@dataclass(frozen=True, slots=True)
class LongList:
    """A block list: `path` is its place in the object of that number, `starts` are the characters of the text
    at which the lines begin that begin its items, `indent` is how far the items' dashes are indented.
    """

    object: int
    path: Path
    indent: int
    starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A file that was read and in which nothing is wrong: its text, its objects with their lines, its long
    lists, and how many names and values it has at most.
    """

    text: str
    objects: tuple[tuple[Resource, int], ...]
    lists: tuple[LongList, ...]
    values: int


def known(text: bytes, loaded: Loaded) -> Known | None:
    """What is to be known of a file for `amended`; None of one in which something is wrong, or nothing long.

    Nothing is kept of a file with a Secret in it.
    """
    objects = tuple((located.resource, located.line) for located in loaded.objects)
    if loaded.errors or any(isinstance(resource, Secret) for resource, _ in objects):
        return None
    decoded = text.decode()
    lines = _line_starts(decoded)
    lists = tuple(
        found
        for number, located in enumerate(loaded.objects)
        for found in _long_lists(number, located, decoded, lines)
    )
    if not lists:
        return None
    around = _AROUND * (decoded.count("\n---") + 1)
    values = around + sum(_values(located.node) for located in loaded.objects)
    return Known(decoded, objects, lists, values)


def amended(known: Known, text: bytes) -> Known | None:
    """The file after an edit within one item of a long list; None where it is not that, or not valid."""
    if len(text) > dialect.MAX_BYTES:
        return None
    try:
        new = text.decode()
    except UnicodeDecodeError:
        return None
    growth = len(new) - len(known.text)
    for first, behind in _differences(known.text, new):
        for found in known.lists:
            index = bisect_right(found.starts, first) - 1
            if not 0 <= index < len(found.starts) - 1:
                continue
            start, end = found.starts[index], found.starts[index + 1]
            if first >= start + found.indent + 2 and behind <= end:
                return _with_item(known, new, found, index, new[start : end + growth])
    return None


def _with_item(known: Known, text: str, there: LongList, index: int, item: str) -> Known | None:
    node = _single(item, there.indent)
    if node is None:
        return None
    values = known.values + _values(node)  # more than there are: the old item still counts
    resource, line = known.objects[there.object]
    amended = _replaced(resource, (*there.path, index), dialect.plain(node))
    if values > dialect.MAX_VALUES or amended is None:
        return None
    growth = len(text) - len(known.text)
    lines = text.count("\n") - known.text.count("\n")
    return Known(
        text,
        (
            *known.objects[: there.object],
            (amended, line),
            *((other, place + lines) for other, place in known.objects[there.object + 1 :]),
        ),
        tuple(_moved(one, there.starts[index], growth) for one in known.lists),
        values,
    )


def _differences(old: str, new: str) -> Iterator[tuple[int, int]]:
    """The first character that differs, and the first in `old` from which on all is the same again.

    Where something was put in or taken out, that may be seen in two ways: its end may look like what stands
    behind it, and its beginning like what stands before it.
    """
    shorter = min(len(old), len(new))
    same = _longest(shorter, lambda length: old[:length] == new[:length])
    tail = _longest(shorter, lambda length: old[len(old) - length :] == new[len(new) - length :])
    yield same, len(old) - min(tail, shorter - same)
    yield min(same, shorter - tail), len(old) - tail


def _longest(most: int, holds: Callable[[int], bool]) -> int:
    """The largest number up to `most` for which `holds`, as it does for all that are smaller."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _moved(there: LongList, after: int, by: int) -> LongList:
    if not by or there.starts[-1] <= after:
        return there
    return replace(there, starts=tuple(start + by if start > after else start for start in there.starts))


def _single(item: str, indent: int) -> dialect.Node | None:
    """The value of a list of one item, which is all that `item` is; None where it is something else."""
    within = " " * (indent + 1)
    first, *rest = item.split("\n")
    begun = _ITEM.match(first)
    if begun is None or len(begun[1]) != indent or rest[-1:] != [""]:
        return None
    if not all(line.startswith(within) or not line.strip() for line in rest):
        return None
    documents = dialect.parse(item.encode())
    root = documents[0].root if len(documents) == 1 and not documents[0].problems else None
    if not isinstance(root, dialect.Sequence) or root.mark != dialect.Mark(1, indent + 1):
        return None
    return root.items[0] if len(root.items) == 1 else None


def _replaced(value: Any, path: Path, form: object) -> Any:
    """`value` with what `form` says at `path`; None where that is not valid."""
    if not path:
        return valid(type(value), form) if isinstance(value, BaseModel) else None
    step, *rest = path
    if isinstance(value, tuple) and isinstance(step, int):
        inner = _replaced(value[step], tuple(rest), form)
        return None if inner is None else (*value[:step], inner, *value[step + 1 :])
    if not isinstance(value, BaseModel):
        return None
    name = next((name for name, info in type(value).model_fields.items() if info.alias == step), str(step))
    inner = _replaced(getattr(value, name, None), tuple(rest), form)
    if inner is None:
        return None
    try:  # the other fields are those of valid models, and the model looks whether they go with the new one
        given = {field: getattr(value, field) for field in value.model_fields_set}
        return type(value).model_validate(given | {name: inner}, by_name=True, by_alias=False)
    except ValidationError:
        return None


def _long_lists(number: int, located: Located[Resource], text: str, lines: list[int]) -> Iterator[LongList]:
    for path, items in _sequences(located.node, ()):
        if path[0] != "spec":
            continue
        starts = [lines[item.mark.line - 1] for item in items]
        begun = [_ITEM.match(text, start) for start in starts]
        indents = {-1 if found is None else len(found[1]) for found in begun}
        columns = [found.end() - found.start() for found in begun if found is not None]
        if len(indents) == 1 and columns == [item.mark.column for item in items]:
            yield LongList(number, path, indents.pop(), tuple(starts))


def _sequences(node: dialect.Node, path: Path) -> Iterator[tuple[Path, tuple[dialect.Node, ...]]]:
    """The long lists in `node`, but for those in their items."""
    if isinstance(node, dialect.Mapping):
        for name, child in node.fields.items():
            yield from _sequences(child, (*path, name))
    elif isinstance(node, dialect.Sequence) and len(node.items) >= _LONG:
        yield path, node.items
    elif isinstance(node, dialect.Sequence):
        for index, child in enumerate(node.items):
            yield from _sequences(child, (*path, index))


def _values(node: dialect.Node) -> int:
    """The names and values in a node, as they are counted when it is parsed."""
    inner: Iterable[dialect.Node] = ()
    names = 0
    if isinstance(node, dialect.Mapping):
        inner, names = node.fields.values(), len(node.fields)
    elif isinstance(node, dialect.Sequence):
        inner = node.items
    return 1 + names + sum(map(_values, inner))


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]
