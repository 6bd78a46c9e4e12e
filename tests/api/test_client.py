from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.serving import Served
from vistterstream.api.address import SOCKET, reachable
from vistterstream.api.client import Client, ConnectionLost, NoController
from vistterstream.base.errors import VistterError


@contextmanager
def server(folder: Path, answer: bytes) -> Iterator[None]:
    """A server that gives one client `answer` and hangs up."""
    with socket.socket(socket.AF_UNIX) as listener, reachable(folder) as path:
        listener.bind(path)
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            thread.join(10)


def test_no_state_folder_means_no_controller(tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    with pytest.raises(NoController) as caught:
        Client(folder)
    assert caught.value.message == (
        f"No controller runs on {folder}; start one with: vistter run --state-dir {folder}"
    )


def test_a_socket_that_nobody_listens_on_means_no_controller(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead, reachable(tmp_path) as path:
        dead.bind(path)
    with pytest.raises(NoController):
        Client(tmp_path)
    assert (tmp_path / SOCKET).exists()


def test_an_error_is_raised_in_the_controllers_words(appliance: Served) -> None:
    with appliance.socket(), Client(appliance.folder) as client:
        with pytest.raises(VistterError, match="there is no operation 'dance'") as caught:
            client.ask("dance")
        assert caught.value.reason == "BadRequest"


@pytest.mark.parametrize("answer", [b"", b'{"version": {'])
def test_a_controller_that_goes_in_the_middle_is_lost(tmp_path: Path, answer: bytes) -> None:
    with (
        server(tmp_path, answer),
        Client(tmp_path) as client,
        pytest.raises(ConnectionLost, match="has ended"),
    ):
        client.ask("version")


def test_an_answer_that_is_no_json_is_told_as_such(tmp_path: Path) -> None:
    unreadable = pytest.raises(VistterError, match="cannot be read")
    with server(tmp_path, b"hello\n"), Client(tmp_path) as client, unreadable:
        client.ask("version")
