from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from vistterstream.api.address import SOCKET, reachable


def test_the_path_is_short_and_leads_into_the_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 200)
    deep.mkdir()
    with socket.socket(socket.AF_UNIX) as listener, reachable(deep) as path:
        assert len(path) < 108
        listener.bind(path)
    assert (deep / SOCKET).is_socket()


def test_the_folder_is_let_go(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with reachable(tmp_path):
        pass
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), reachable(tmp_path / "nowhere"):
        pass
