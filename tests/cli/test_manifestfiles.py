from __future__ import annotations

import io
from pathlib import Path

import pytest

from cli.commands import SMALL
from vistterstream.base.errors import VistterError
from vistterstream.base.redaction import redact
from vistterstream.cli.manifestfiles import located, read
from vistterstream.resources.kinds import SOURCE_FILE, SOURCE_LINE


def test_folders_and_files_are_read_like_a_controller_does(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "small.yml").write_text(SMALL)
    (tmp_path / "in" / "notes.txt").write_text("kind: [")
    (tmp_path / "in" / ".hidden.yaml").write_text("kind: [")
    loaded, files = read([tmp_path])
    assert (files, len(loaded.objects), loaded.errors) == (1, 6, ())
    assert redact("it is correct-horse-battery-staple") == "it is ***"


def test_objects_know_where_they_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    first = located(read([Path("small.yaml")])[0])[0].metadata.annotations
    assert first == {SOURCE_FILE: str(tmp_path / "small.yaml"), SOURCE_LINE: "2"}


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VistterError, match="nowhere cannot be read: there is no such file"):
        read([tmp_path / "nowhere"])


@pytest.mark.parametrize("path", ["-", "/dev/stdin"])
def test_standard_input_is_a_file_in_the_current_folder(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{SMALL}---\nkind: [".encode())))
    loaded, files = read([Path(path)])
    assert files == 1
    assert [str(error).split()[0] for error in loaded.errors] == [f"<stdin>:{SMALL.count(chr(10)) + 2}:8:"]
    places = {Path(one.metadata.annotations[SOURCE_FILE]).parent for one in located(loaded)}
    assert places == {tmp_path}


def test_without_standard_input_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(VistterError, match="there is no standard input"):
        read([Path("-")])
