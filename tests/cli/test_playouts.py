from __future__ import annotations

from pathlib import Path

import pytest

from cli.hung import hung
from peers.vistter import Appliance
from vistterstream.cli import playouts
from vistterstream.cli.playouts import PlayoutState, states


@pytest.mark.e2e
def test_a_playout_says_what_it_shows(on_air: Appliance) -> None:
    pid = on_air.pid("playout", "main")
    assert pid is not None
    assert states(on_air.state) == [PlayoutState("main", pid, "pier")]


def test_folders_without_a_playout_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "playout" / "main").mkdir(parents=True)
    assert states(tmp_path) == []
    assert states(tmp_path / "nowhere") == []


def test_playouts_that_hang_are_told_with_their_processes_and_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playouts, "_PATIENCE", 0.2)
    with hung(tmp_path, "main", "second") as processes:
        pids = {program: process.pid for program, process in processes.items()}
        assert states(tmp_path) == [
            PlayoutState(name, pid, f"its playout (pid {pid}) runs, but does not answer", answers=False)
            for name, pid in pids.items()
        ]
    assert states(tmp_path) == []
