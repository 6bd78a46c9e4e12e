from __future__ import annotations

import io
import os
from typing import TextIO

import pytest

from vistterstream.cli.console import Table, console, say


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
