"""The folder of a playout: plans that are whole, identities that hold, a socket that can be reached."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from peers.waiting import until
from playout.plans import make_plan
from vistterstream.base.errors import PermanentError
from vistterstream.base.processes import boot_id, start_time
from vistterstream.playout.files import (
    PLAN,
    SECRETS,
    Identity,
    object_name,
    playout_dir,
    read_identity,
    read_plan,
    socket_path,
    write_identity,
    write_plan,
)
from vistterstream.timeline.plan import PLAN_VERSION


def test_an_object_outside_of_the_default_namespace_carries_it_in_its_name() -> None:
    assert object_name("default", "main") == "main"
    assert object_name("church", "main") == "main@church"


def test_the_folder_of_a_playout_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert playout_dir(Path("state"), "default", "main") == tmp_path / "state" / "playout" / "main"


def test_a_plan_comes_back_as_it_was_written_with_its_secrets(tmp_path: Path) -> None:
    folder, plan = playout_dir(tmp_path, "default", "main"), make_plan(tmp_path)
    write_plan(folder, plan, {"s/k": 'väl"ue\n'})
    assert read_plan(folder) == (plan, {"s/k": 'väl"ue\n'})


def test_nobody_else_may_read_plan_and_secrets(tmp_path: Path) -> None:
    folder = playout_dir(tmp_path, "default", "main")
    write_plan(folder, make_plan(tmp_path), {"s/k": "v"})
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert "v" not in json.loads((folder / PLAN).read_text()).values()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"plan"',
        "7",
        "{}",
        '{"version": 1}',
        '{"version": 99}',
        '{"version": 1, "program": 7}',
        "[" * 100_000,
        "\udcff",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_a_plan_that_cannot_be_read_is_one_error_with_a_sentence(tmp_path: Path, text: str) -> None:
    write_plan(tmp_path, make_plan(tmp_path), {})
    (tmp_path / PLAN).write_text(text, errors="surrogateescape")
    with pytest.raises(PermanentError) as caught:
        read_plan(tmp_path)
    assert caught.value.reason in ("BadPlan", "PlanVersion")
    assert caught.value.message.startswith("The plan ")


@pytest.mark.parametrize("text", ["", "[]", "null", '{"a": 7}', '"x"'])
def test_secrets_that_cannot_be_read_are_one_error_that_shows_none(tmp_path: Path, text: str) -> None:
    write_plan(tmp_path, make_plan(tmp_path), {})
    (tmp_path / SECRETS).write_text(text)
    with pytest.raises(PermanentError) as caught:
        read_plan(tmp_path)
    assert caught.value.reason == "BadPlan"


def test_a_folder_without_a_plan_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="cannot be read"):
        read_plan(tmp_path)


def test_a_newer_plan_says_which_versions_do_not_fit(tmp_path: Path) -> None:
    write_plan(tmp_path, make_plan(tmp_path), {})
    document = json.loads((tmp_path / PLAN).read_text())
    (tmp_path / PLAN).write_text(json.dumps(document | {"version": PLAN_VERSION + 1}))
    versions = f"version {PLAN_VERSION + 1}, this playout reads {PLAN_VERSION}"
    with pytest.raises(PermanentError, match=versions):
        read_plan(tmp_path)


# --- identity -------------------------------------------------------------------------------------------


def test_this_process_has_an_identity_that_holds_while_it_lives(tmp_path: Path) -> None:
    identity = Identity.of_this_process()
    assert identity.alive
    assert len(identity.nonce) == 32
    assert Identity.of_this_process().nonce != identity.nonce
    write_identity(tmp_path, identity)
    assert read_identity(tmp_path) == identity
    assert stat.S_IMODE((tmp_path / "identity.json").stat().st_mode) == 0o600


def test_an_identity_ends_with_its_process_even_as_a_zombie() -> None:
    process = subprocess.Popen(["/bin/sleep", "60"])
    try:
        started = start_time(process.pid)
        assert started is not None
        identity = Identity(boot_id(), process.pid, started, "n")
        assert start_time(process.pid) == identity.start_time
        process.kill()
        until(lambda: not identity.alive, 5, "the process is gone")
    finally:
        process.wait(10)
    assert not identity.alive


def test_a_number_that_was_given_to_another_process_or_boot_is_not_the_same() -> None:
    started = start_time(os.getpid())
    assert started is not None
    assert Identity(boot_id(), os.getpid(), started, "n").alive
    assert not Identity(boot_id(), os.getpid(), started - 1, "n").alive
    assert not Identity("another boot", os.getpid(), started, "n").alive


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"boot_id": "x", "pid": "many"}'])
def test_an_identity_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "identity.json").write_text(text)
    assert read_identity(tmp_path) is None


def test_no_identity_is_none(tmp_path: Path) -> None:
    assert read_identity(tmp_path) is None


# --- socket ---------------------------------------------------------------------------------------------


def test_a_socket_can_be_reached_however_long_the_path_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("longer" * 30)
    folder.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        with socket_path(folder) as path:
            assert len(path) < 108
            server.bind(path)
            server.listen()
            client.connect(path)
        assert (folder / "control.sock").is_socket()


def test_a_missing_folder_has_no_socket(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), socket_path(tmp_path / "nowhere"):
        pass
