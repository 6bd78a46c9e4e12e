from __future__ import annotations

from pathlib import Path

import pytest

from peers.vistter import Appliance
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
