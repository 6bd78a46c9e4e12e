from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from cli.commands import SMALL, vistter
from cli.hung import hung
from peers.vistter import Appliance, alive
from vistterstream.base import logs
from vistterstream.cli.stopping import stop
from vistterstream.playout.files import SOCKET, read_identity
from vistterstream.reconcile import controller


@pytest.mark.e2e
def test_everything_goes_off_air_and_the_controller_ends(tmp_path: Path) -> None:
    with Appliance(tmp_path) as appliance:
        appliance.write("small.yaml", SMALL)
        appliance.wait_on_air("main", "pier")
        pids = appliance.processes()
        assert len(pids) >= 4  # controller, playout, encoder, pusher
        started = time.monotonic()
        done = vistter("stop", state=appliance.state)
        assert (done.returncode, done.stdout) == (0, "")
        assert "Everything is off air, and the controller has ended" in done.stderr
        assert time.monotonic() - started < 10
        appliance.controller.wait(5)
        assert appliance.controller.status == 0
        assert not [pid for pid in pids if alive(pid)]
        assert not list(appliance.state.rglob("*.sock"))


@pytest.mark.e2e
def test_without_a_controller_the_playouts_are_ended_all_the_same(tmp_path: Path) -> None:
    with Appliance(tmp_path) as appliance:
        appliance.write("small.yaml", SMALL)
        appliance.wait_on_air("main", "pier")
        appliance.kill()
        appliance.controller.reap()
        assert appliance.children()
        done = vistter("stop", state=appliance.state)
        assert done.returncode == 0
        assert f"No controller runs on {appliance.state}; what was on air has ended: main." in done.stderr
        assert not appliance.children()
        assert not list(appliance.state.rglob("*.sock"))
        status = vistter("status", state=appliance.state)
        assert status.returncode == 2
        assert "is on air" not in status.stdout
        shown = json.loads(vistter("get", "program", "main", "-o", "json", state=appliance.state).stdout)
        assert "Stopped" in {found["reason"] for found in shown["status"]["conditions"]}
        again = vistter("stop", state=appliance.state)
        assert (again.returncode, "nothing was on air" in again.stderr) == (0, True)


@pytest.mark.e2e
def test_a_controller_that_does_not_answer_is_ended_with_everything_else(tmp_path: Path) -> None:
    with Appliance(tmp_path) as appliance:
        appliance.write("small.yaml", SMALL)
        appliance.wait_on_air("main", "pier")
        pids = appliance.processes()
        os.kill(appliance.controller.pid, signal.SIGSTOP)
        done = vistter("stop", state=appliance.state, deadline=10)
        assert done.returncode == 0
        assert f"The controller (pid {appliance.controller.pid}) did not end within 3 s" in done.stderr
        assert "what was on air has ended: main." in done.stderr
        appliance.controller.wait(5)
        assert not [pid for pid in pids if alive(pid)]


@pytest.mark.slow
def test_playouts_that_hang_are_ended_and_named_where_no_controller_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(controller, "_CHILD_DEADLINE", 0.1)
    monkeypatch.setattr(logs, "configure", lambda **_: None)  # it would write to what is captured here
    with hung(tmp_path, "main", "second") as processes:
        assert stop(tmp_path) == 0
        assert all(process.wait(5) == -signal.SIGKILL for process in processes.values())
    assert "what was on air has ended: main, second." in capsys.readouterr().err
    for program in processes:
        folder = tmp_path / "playout" / program
        assert read_identity(folder) is None
        assert not (folder / SOCKET).exists()


@pytest.mark.e2e
def test_there_is_nothing_to_stop_where_nothing_is(tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    done = vistter("stop", state=folder)
    assert done.returncode == 0
    assert done.stderr == f"There is no state folder {folder}: nothing runs.\n"
    assert not folder.exists()
