"""Dates and times of day in words: strftime's directives, with the names of a language.

The names are those of the Unicode CLDR, kept in `calendar.json` (see `tests/playout/calendar_names.py`), so
that the same manifest says the same on every machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

Piece = Callable[[datetime], str]

_DIRECTIVE = re.compile(r"%(-?)(.)", re.DOTALL)
_DAY_OF_MONTH = re.compile(r"(?<!%)(?:%%)*%-?[de]")


def written(format: str, locale: str | None) -> Piece:
    """What `format` says of an instant in its own zone; in English without a `locale`."""
    names = _names(locale, dated=_DAY_OF_MONTH.search(format) is not None) if locale is not None else {}
    pieces: list[Piece] = []
    end = 0
    for match in _DIRECTIVE.finditer(format):
        pieces += [_literal(format[end : match.start()]), _directive(match[0], names)]
        end = match.end()
    pieces.append(_literal(format[end:]))
    return lambda instant: "".join(piece(instant) for piece in pieces)


def _literal(text: str) -> Piece:
    return lambda _: text


def _directive(directive: str, names: Mapping[str, Piece]) -> Piece:
    if directive == "%%":
        return _literal("%")
    if directive in names:
        return names[directive]
    if directive.startswith("%-"):
        padded = f"%{directive[2:]}"
        return lambda instant: instant.strftime(padded).lstrip("0 ") or "0"
    return lambda instant: instant.strftime(directive)


def _names(locale: str, *, dated: bool) -> Mapping[str, Piece]:
    """The directives that a language has words for; `dated`: a day of the month stands beside the month,
    which many languages put into another case then.
    """
    found = _calendar()[locale]
    months, short_months = found["months"], found["monthsShort"]
    if not dated:
        months, short_months = found.get("monthsAlone", months), found.get("monthsShortAlone", short_months)
    return {
        "%A": _picked(found["days"], lambda instant: instant.weekday()),
        "%a": _picked(found["daysShort"], lambda instant: instant.weekday()),
        "%B": _picked(months, lambda instant: instant.month - 1),
        "%b": _picked(short_months, lambda instant: instant.month - 1),
        "%p": _picked(found["halves"], lambda instant: instant.hour // 12),
    }


def _picked(names: Sequence[str], which: Callable[[datetime], int]) -> Piece:
    return lambda instant: names[which(instant)]


@cache
def _calendar() -> Mapping[str, Any]:
    """The names by language; days from Monday on."""
    text = files(__package__).joinpath("calendar.json").read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found
