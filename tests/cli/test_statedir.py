from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.commands import vistter
from vistterstream.cli import statedir


def test_root_has_the_systems_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert statedir.default() == Path("/var/lib/vistter")


def test_others_have_one_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert statedir.default() == tmp_path / ".local/state/vistter"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert statedir.default() == tmp_path / "state/vistter"
    monkeypatch.setenv("XDG_STATE_HOME", "relative/is/ignored")
    assert statedir.default() == tmp_path / ".local/state/vistter"


def test_a_user_without_a_home_has_to_say_where(tmp_path: Path) -> None:
    folder = tmp_path / "file" / "state"
    folder.parent.write_text("")
    done = vistter("run", state=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"The state folder {folder} cannot be made (Not a directory); "
        "name one that can be written with --state-dir DIR\n"
    )


def test_what_is_given_wins_and_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert statedir.resolve(Path("here")) == tmp_path / "here"
