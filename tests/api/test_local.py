from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest

from api.serving import Served, camera, program, resource, served
from peers.waiting import until
from vistterstream.api import local
from vistterstream.api.address import SOCKET, reachable
from vistterstream.api.client import Client
from vistterstream.base.errors import VistterError

SECRET = "correct-horse-battery-staple"


def raw(folder: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10)
    with reachable(folder) as path:
        connection.connect(path)
    return connection


def line(connection: socket.socket) -> bytes:
    """The next line and nothing of those behind it; what there is where the connection ends."""
    received = b""
    while not received.endswith(b"\n"):
        part = connection.recv(1)
        if not part:
            break
        received += part
    return received


def works(appliance: Served) -> bool:
    with Client(appliance.folder) as client:
        return bool(client.ask("version")["version"]["version"] == "1.2.3")


def test_objects_are_got_and_listed(appliance: Served) -> None:
    appliance.apply(camera("pier"), camera("wharf"), program())
    with appliance.socket(), Client(appliance.folder) as client:
        assert client.ask("get", kind="cam", name="pier")["object"]["spec"]["source"]["url"]
        names = [form["metadata"]["name"] for form in client.ask("list", kind="cameras")["objects"]]
        assert names == ["pier", "wharf"]
        assert len(client.ask("list")["objects"]) == 3
        with pytest.raises(VistterError, match="there is no Camera default/nowhere"):
            client.ask("get", kind="camera", name="nowhere")
        with pytest.raises(VistterError, match="there is no kind 'boat'"):
            client.ask("list", kind="boat")


def test_the_socket_is_for_this_user_alone_and_goes_with_the_server(appliance: Served) -> None:
    with appliance.socket():
        mode = (appliance.folder / SOCKET).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
    assert not (appliance.folder / SOCKET).exists()


def test_a_socket_that_a_dead_controller_left_is_replaced(appliance: Served) -> None:
    with socket.socket(socket.AF_UNIX) as dead, reachable(appliance.folder) as path:
        dead.bind(path)
    with appliance.socket():
        assert works(appliance)


def test_a_state_folder_with_a_long_path_can_be_reached(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    with served(deep) as appliance, appliance.socket():
        assert works(appliance)


def test_a_watch_tells_changes_from_a_version_on(appliance: Served) -> None:
    appliance.apply(camera("pier"))
    with appliance.socket(), Client(appliance.folder) as client, Client(appliance.folder) as other:
        version = client.ask("list")["resourceVersion"]
        changes = client.follow("watch", kind="camera", since=version)
        appliance.apply(program(), camera("wharf"))
        change = next(changes)["change"]
        assert (change["type"], change["object"]["metadata"]["name"]) == ("ADDED", "wharf")
        appliance.status("Camera", "pier", program="main")
        change = next(changes)["change"]
        assert (change["type"], change["object"]["status"]["program"]) == ("MODIFIED", "main")
        assert change["resourceVersion"] == other.ask("list")["resourceVersion"]


def test_a_watch_from_a_version_that_is_not_known_is_refused(appliance: Served) -> None:
    with appliance.socket(), Client(appliance.folder) as client:
        with pytest.raises(VistterError) as caught:
            next(client.follow("watch", since=10**9))
        assert caught.value.reason == "Expired"


def test_events_are_listed_and_followed(appliance: Served) -> None:
    appliance.record("Camera", "pier", "CameraOnline")
    appliance.record("Program", "main", "OnAir")
    with appliance.socket(), Client(appliance.folder) as client:
        assert [event["reason"] for event in client.ask("events", kind="camera")["events"]] == [
            "CameraOnline"
        ]
        news = client.follow("events", follow=True)
        assert [next(news)["event"]["reason"] for _ in range(2)] == ["CameraOnline", "OnAir"]
        appliance.record("Camera", "pier", "CameraLost")
        assert next(news)["event"]["reason"] == "CameraLost"


def test_no_answer_holds_a_secret(appliance: Served) -> None:
    key = resource("Secret", "login", stringData={"password": SECRET})
    appliance.apply(key, camera("pier"))
    wrong = {"kind": "Secret", "metadata": {"name": "x"}, "data": {"password": SECRET}}
    requests: list[dict[str, object]] = [
        {"op": "get", "kind": "secret", "name": "login"},
        {"op": "list"},
        {"op": "describe", "kind": "secret", "name": "login"},
        {
            "op": "diff",
            "objects": [resource("Secret", "login", stringData={"password": SECRET + "!"}).dump()],
        },
        {"op": "events"},
        {"op": "diff", "objects": [wrong]},
        {
            "op": "diff",
            "objects": [{"kind": "Secret", "metadata": {"name": "x"}, "data": {"password": SECRET}}],
        },
    ]
    with appliance.socket(), raw(appliance.folder) as connection:
        for request in requests:
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = line(connection).decode()
            assert SECRET not in answer
            assert "Y29ycmVjdC1ob3JzZS" not in answer  # the same in base64
        connection.sendall(b'{"op": "watch", "since": 0}\n')
        watched = line(connection) + line(connection)
        assert b'"Secret"' in watched
        assert b"password" in watched
        assert SECRET.encode() not in watched
        assert b"Y29ycmVjdC1ob3JzZS" not in watched


@pytest.mark.parametrize(
    "nonsense",
    [
        b"hello\n",
        b"\xff\xfe\x00\n",
        b"[]\n",
        b"{}\n",
        b"\n",
        b'{"op": 5}\n',
        b'{"op": "dance"}\n',
        b'{"op": "get"}\n',
        b'{"op": "get", "kind": "camera", "name": {"a": 1}}\n',
        b'{"op": "diff", "objects": [{"kind": "Camera"}]}\n',
        b'{"op": "diff", "objects": [{}], "deleted": [{}]}\n',
        b"[" * 100_000 + b"\n",
        b"x" * (1 << 20) + b"\n",
    ],
)
def test_a_nonsense_line_is_answered_and_the_connection_goes_on(appliance: Served, nonsense: bytes) -> None:
    with appliance.socket(), raw(appliance.folder) as connection:
        connection.sendall(nonsense)
        assert json.loads(line(connection))["error"]
        connection.sendall(b'{"op": "version"}\n')
        assert json.loads(line(connection)) == {"version": {"version": "1.2.3"}}


def test_a_line_without_an_end_costs_its_sender_the_connection_alone(appliance: Served) -> None:
    with appliance.socket(), raw(appliance.folder) as connection:
        try:
            for _ in range(local.MAX_LINE // (1 << 20) + 2):
                connection.sendall(b"x" * (1 << 20))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert works(appliance)


def test_clients_that_vanish_leave_nothing_behind(appliance: Served) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with appliance.socket():
        for request in (b'{"op": "watch"}\n', b'{"op": "events", "follow": true}\n', b'{"op": "li', b""):
            for _ in range(40):  # together more than may be connected at a time
                with raw(appliance.folder) as connection:
                    connection.sendall(request)
        assert works(appliance)
        until(lambda: len(os.listdir("/proc/self/fd")) <= before + 2, 10, "connections are closed")


def test_what_a_watcher_says_besides_is_not_heard(appliance: Served) -> None:
    with appliance.socket(), raw(appliance.folder) as connection:
        connection.sendall(b'{"op": "watch"}\n{"op": "stop"}\n')
        assert works(appliance)
        appliance.apply(camera("pier"))
        assert b"pier" in line(connection)
        assert not appliance.stopped


def test_stop_is_answered_and_passed_on(appliance: Served) -> None:
    with appliance.socket(), Client(appliance.folder) as client:
        assert client.ask("stop") == {"stopping": True}
        until(lambda: appliance.stopped, 5, "stop was passed on")


def test_problems_and_health_are_told(appliance: Served) -> None:
    appliance.complaints = ["a.yaml:3:4 spec: wrong"]
    appliance.reasons = ["program main is not on air"]
    with appliance.socket(), Client(appliance.folder) as client:
        assert client.ask("problems")["problems"] == ["a.yaml:3:4 spec: wrong"]
        assert client.ask("health")["health"] == {"ready": False, "reasons": ["program main is not on air"]}
