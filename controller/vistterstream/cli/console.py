"""Writing to the terminal: data to stdout, talk to stderr, colours only on a terminal."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

STYLES = {"good": "green", "warn": "yellow", "bad": "red", "idle": "bright_black", "": ""}

_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, halves of characters, ends of lines and paragraphs
_WORD = re.compile(r"[a-z]+(?=[ ,:;.]|$)")

Cell = tuple[str, str]
"""A text and its tone: a key of `STYLES`."""


class _Console(Console):
    """A console that leaves it to its user what to do when nobody reads any more."""

    def on_broken_pipe(self) -> None:
        """Let the BrokenPipeError that is being handled go on its way."""
        raise

    def print(self, *objects: Any, **options: Any) -> None:
        """Print each text as one line, whatever is in it; a Text is as its maker wants it."""
        super().print(*(visible(it) if isinstance(it, str) else it for it in objects), **options)


def console(stream: TextIO | None = None) -> Console:
    """A console on `stream` (stdout without) that changes nothing in what it is given."""
    return _Console(file=stream or sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)


def say(sentence: str, *, style: str = "") -> None:
    """Tell people something."""
    console(sys.stderr).print(sentence, style=style)


def visible(text: str) -> str:
    r"""`text` with what is no character to be seen as Python writes it: ``\n`` for the end of a line.

    A name of a file may hold anything: ends of lines, which break a table, codes that a terminal obeys, and
    bytes that are no UTF-8.
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN:
        return character
    return character.encode("unicode_escape").decode("ascii")


def as_sentence(message: str) -> str:
    """`message` of an error with a capital first letter, where it begins with a plain word.

    Messages begin with a word of ours and never with a path or a name, since those may look like one.
    """
    return message[:1].upper() + message[1:] if _WORD.match(message) else message


def counted(number: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


class Table:
    """Columns of text under headings, as wide as what was in them so far: rows may be added later."""

    def __init__(self, headings: Sequence[str], out: Console) -> None:
        self._headings = headings
        self._widths = [len(heading) for heading in headings]
        self._out = out

    def print(self, rows: Iterable[Sequence[Cell]], *, heading: bool = True) -> None:
        """Print rows, under the headings."""
        rows = [[(visible(text), tone) for text, tone in row] for row in rows]
        for row in rows:
            self._widths = [max(width, len(cell[0])) for width, cell in zip(self._widths, row, strict=True)]
        if heading:
            self._line([(text, "") for text in self._headings], bold=True)
        for row in rows:
            self._line(row)

    def _line(self, row: Sequence[Cell], *, bold: bool = False) -> None:
        line = Text()
        for index, (text, tone) in enumerate(row):
            padded = text if index == len(row) - 1 else text.ljust(self._widths[index] + 3)
            line.append(padded, style="bold" if bold else STYLES[tone])
        line.rstrip()
        self._out.print(line)
