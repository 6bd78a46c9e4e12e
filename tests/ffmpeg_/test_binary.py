"""FFmpeg comes with pip, and another can be named."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from vistterstream.base.errors import PermanentError
from vistterstream.ffmpeg.binary import check, executable


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


@pytest.mark.parametrize(
    ("says", "helps"),
    [
        ("echo ffmpeg version 5.1.9-0+deb12u1 Copyright", "is 5.1; 7.1 or newer is needed"),
        ("echo ffmpeg version 7.0.2-static Copyright", "is 7.0; 7.1 or newer is needed"),
        ("exit 3", "does not run"),
    ],
)
def test_one_that_cannot_do_what_is_needed_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str, helps: str
) -> None:
    monkeypatch.setenv("VISTTER_FFMPEG", str(script(tmp_path, says)))
    with pytest.raises(PermanentError, match=helps) as caught:
        check()
    assert caught.value.reason == "NoFFmpeg"


@pytest.mark.parametrize("version", ["7.1.1-1+b1", "n9.0.2-17-g2a571b6068", "N-117000-gabcdef"])
def test_newer_ones_and_those_without_a_number_are_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str
) -> None:
    monkeypatch.setenv("VISTTER_FFMPEG", str(script(tmp_path, f"echo ffmpeg version {version} Copyright")))
    check()


def test_that_of_the_wheel_is_new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISTTER_FFMPEG", raising=False)
    check()


def script(folder: Path, line: str) -> Path:
    program = folder / "my-ffmpeg"
    program.write_text(f"#!/bin/sh\n{line}\n")
    program.chmod(0o755)
    return program
