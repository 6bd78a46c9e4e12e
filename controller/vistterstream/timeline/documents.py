"""From a JSON document to the text of a value: what a data source says, without fetching it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

from vistterstream.resources.data import MAX_ITEMS, DataSource

MAX_VALUE = 4096
"""Characters of a value; what is more is cut off."""

_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}")
_LONGEST_NUMBER = 40  # digits; a longer one is no number that anybody reads
_UNDRAWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def parse(data: bytes) -> Any:
    """The document in `data`, numbers as exact decimals. Raises ValueError with a sentence."""
    try:
        return json.loads(
            data.decode("utf-8-sig"), parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error.msg} in line {error.lineno}") from error
    except UnicodeDecodeError as error:
        raise ValueError("it is not JSON in UTF-8") from error
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    except (ArithmeticError, ValueError) as error:
        raise ValueError("it has a number that is none") from error


def text_of(document: Any, source: DataSource) -> str:
    """The text that `source` finds in a parsed document. Raises ValueError with a sentence."""
    found = pointed(document, source.path)
    if source.each is not None and not isinstance(found, list):
        raise ValueError(f"{_place(source.path)} is not a list; take each away, or change path")
    if isinstance(found, list):
        items = enumerate(found[:MAX_ITEMS])
        return drawable(source.separator.join(_item(item, source, number) for number, item in items))
    return drawable(_said(found, source.path, source))


def pointed(document: Any, pointer: str, *, at: str = "") -> Any:
    """What a JSON Pointer (RFC 6901) points to; `at` says where the document lies in a larger one. Raises
    ValueError with a sentence.
    """
    found = document
    for number, part in enumerate(pointer.split("/")[1:], 1):
        step = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping) and step in found:
            found = found[step]
        elif isinstance(found, list) and _WHOLE.fullmatch(step) and int(step) < len(found):
            found = found[int(step)]
        else:
            raise ValueError(f"there is nothing at {at}{'/'.join(pointer.split('/')[: number + 1])} in it")
    return found


def _item(item: Any, source: DataSource, number: int) -> str:
    """The text of one item of a list."""
    place = f"{source.path}/{number}"
    if source.each is None:
        return _said(item, place, source)
    return _said(pointed(item, source.each, at=place), place + source.each, source)


def _said(value: Any, place: str, source: DataSource) -> str:
    """A text, number, true or false, which lies at that place, in words."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return _number(value, source.decimals)
    remedy = "path" if place == source.path else "path or each"
    what = "null" if value is None else "a list" if isinstance(value, list) else "an object"
    raise ValueError(f"{_place(place)} is {what}, and not a text or a number; change {remedy}")


def _number(value: Decimal, decimals: int | None) -> str:
    if len(value.as_tuple().digits) > _LONGEST_NUMBER or abs(value.adjusted()) > _LONGEST_NUMBER:
        raise ValueError("it has a number that is too long")
    if decimals is None:
        return f"{value:f}"
    rounded = f"{value:.{decimals}f}"
    return rounded.removeprefix("-") if not rounded.strip("-0.") else rounded  # no -0


def drawable(text: str) -> str:
    """The text of a value with line breaks as ours, and without what cannot be drawn."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNDRAWABLE.sub(" ", lines)[:MAX_VALUE]


def _place(path: str) -> str:
    return f"the value at {path}" if path else "the whole document"


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
