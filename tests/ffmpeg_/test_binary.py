"""FFmpeg comes with pip, and another can be named."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from vistterstream.base.errors import PermanentError
from vistterstream.ffmpeg.binary import executable


@pytest.fixture(autouse=True)
def _uncached() -> Iterator[None]:
    executable.cache_clear()
    yield
    executable.cache_clear()


def test_without_a_word_the_one_of_the_wheel_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISTTER_FFMPEG", raising=False)
    done = subprocess.run([executable(), "-version"], capture_output=True, timeout=30, check=True)
    assert done.stdout.startswith(b"ffmpeg version")


def test_the_variable_names_another_by_path_or_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "my-ffmpeg"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("VISTTER_FFMPEG", str(program))
    assert executable() == str(program)
    executable.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("VISTTER_FFMPEG", "my-ffmpeg")
    assert executable() == str(program)


def test_a_named_one_that_does_not_exist_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISTTER_FFMPEG", "/nowhere/ffmpeg")
    with pytest.raises(PermanentError, match="VISTTER_FFMPEG names /nowhere/ffmpeg") as caught:
        executable()
    assert caught.value.reason == "NoFFmpeg"
