from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TextIO

import pytest

import vistterstream
from vistterstream.cli.console import Table, as_sentence, console, say

BEGINS_WITH = re.compile(r"\b(?:Vistter|Permanent|Temporary)Error\(\s*f['\"]\{([^}!]+)\}")
"""What stands at the begin of an error's message, where that is no word and no quote."""


def test_columns_line_up_and_grow() -> None:
    out = io.StringIO()
    table = Table(["NAME", "STATE"], console(out))
    table.print([[("pier", ""), ("Online", "good")]])
    table.print([[("a-long-name", ""), ("Offline", "bad")]], heading=False)
    assert out.getvalue() == "NAME   STATE\npier   Online\na-long-name   Offline\n"


def test_nothing_is_coloured_wrapped_or_read_as_markup_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    sentence = "[red]no[/red] :smile: " + "x" * 500 + " http://example.com 12 'a'"
    say(sentence, style="red")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == sentence + "\n"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("there is no kind 'x'", "There is no kind 'x'"),
        ("with --as, give one", "With --as, give one"),
        ("--for: it is none", "--for: it is none"),
        ("val/loop.yaml is broken", "val/loop.yaml is broken"),
        ("fe80::1 is far", "fe80::1 is far"),
        ("", ""),
    ],
)
def test_a_sentence_begins_with_a_capital_letter_unless_it_begins_with_a_path(
    message: str, told: str
) -> None:
    assert as_sentence(message) == told


def test_no_error_that_a_command_may_tell_begins_with_a_path_or_a_name() -> None:
    """The first letter of a name would be made a capital one."""
    ours = {"self.option", "option", "role", "error.message"}
    for file in Path(vistterstream.__file__).parent.rglob("*.py"):
        assert set(BEGINS_WITH.findall(file.read_text())) <= ours, file


def broken_pipe() -> TextIO:
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w", buffering=1)


def test_a_broken_pipe_is_an_error_that_can_be_handled() -> None:
    stream = broken_pipe()
    with pytest.raises(BrokenPipeError):
        console(stream).print("hello")
    with pytest.raises(BrokenPipeError):
        stream.close()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines", r"two\nlines"),
        ("\x1b[2J\r\b\x00\x85", r"\x1b[2J\r\x08\x00\x85"),
        (os.fsdecode(b"\xff.yaml"), r"\udcff.yaml"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("Brücke\u00a0\u200d 日本 \\n", "Brücke\u00a0\u200d 日本 \\n"),
    ],
)
def test_what_cannot_be_seen_is_escaped_in_every_line_and_cell(
    text: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = io.StringIO()
    console(out).print(f"x {text}:", style="red")
    Table(["NAME", "X"], console(out)).print([[(text, "bad"), ("x", "")]])
    width = max(len(shown), 4) + 3
    assert out.getvalue() == f"x {shown}:\n{'NAME'.ljust(width)}X\n{shown.ljust(width)}x\n"
    say(text)
    assert capsys.readouterr().err == f"{shown}\n"
