from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cli.commands import ROOT, SMALL, vistter
from peers.process import Peer
from peers.vistter import VISTTER, Appliance, alive
from peers.waiting import until
from vistterstream.base.errors import VistterError
from vistterstream.cli import running
from vistterstream.cli.running import manifest_folders, packaged_manifests
from vistterstream.reconcile.lock import state_lock


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def fetch(address: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


class Terminal:
    """``vistter run`` on a terminal of its own."""

    def __init__(self, *arguments: str | Path) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [str(VISTTER), "run", *map(str, arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=_take_terminal,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"},
        )
        os.close(theirs)
        self.text = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                part = os.read(self._ours, 65536)
            except OSError:
                return
            if not part:
                return
            self.text += part.decode()

    def see(self, words: str, deadline: float = 20) -> None:
        until(lambda: words in self.text, deadline, lambda: f"{words!r} is shown; the terminal: {self.text}")

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def hang_up(self) -> None:
        """Close the terminal."""
        os.close(self._ours)

    def wait(self, deadline: float) -> int:
        status = self.process.wait(deadline)
        self._reader.join(5)
        self.hang_up()
        return status


def _take_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, 0x540E, 0)  # TIOCSCTTY, ioctl_tty(2)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "small.yaml").write_text(SMALL)
    return folder


def nothing_runs(state: Path) -> Callable[[], bool]:
    appliance = Appliance(state.parent, start=False)
    assert appliance.state == state
    return lambda: not appliance.processes()


def test_manifests_are_those_given_else_those_here_else_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert manifest_folders([Path("a"), Path("/b")]) == [tmp_path / "a", Path("/b")]
    assert manifest_folders(None) == [ROOT / "manifests"] == [packaged_manifests()]
    (tmp_path / "manifests").mkdir()
    assert manifest_folders(None) == [tmp_path / "manifests"]
    # A forgotten option must not put the default in the place of what is on air.
    there, elsewhere = tmp_path / "manifests/sub/a.yaml", tmp_path / "air/a.yaml"
    assert manifest_folders(None, {there}) == [tmp_path / "manifests"]
    assert manifest_folders(None, {there, elsewhere}) == []
    assert manifest_folders([Path("a")], {elsewhere}) == [tmp_path / "a"]


def test_the_error_inside_a_group_is_the_one_that_is_told() -> None:
    told = VistterError("the port is taken")
    assert running._cause(BaseExceptionGroup("", [BaseExceptionGroup("", [told])])) is told
    assert running._cause(BaseExceptionGroup("", [KeyError("x"), told])) is told
    bug = BaseExceptionGroup("", [KeyError("x"), KeyError("y")])
    assert running._cause(bug) is bug


@pytest.mark.slow
@pytest.mark.parametrize(
    ("listen", "reason"),
    [("0.0.0.0:8642", "no authentication yet"), ("8642", "is not ADDR:PORT"), ("127.0.0.1:99999", "no port")],
)
def test_an_address_that_others_can_reach_is_refused_before_anything_begins(
    tmp_path: Path, listen: str, reason: str
) -> None:
    done = vistter("run", "--listen", listen, state=tmp_path / "state")
    assert (done.returncode, done.stdout) == (1, "")
    assert reason in done.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.slow
def test_a_taken_port_is_told_before_anything_goes_on_air(tmp_path: Path, small: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = vistter("run", "-m", small, "--listen", f"127.0.0.1:{port}", state=tmp_path / "state")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Port {port} of 127.0.0.1 is taken by another program")
    assert not (tmp_path / "state" / "playout").exists()


@pytest.mark.e2e
def test_on_a_terminal_it_says_what_is_on_air_and_ctrl_c_ends_everything(tmp_path: Path, small: Path) -> None:
    state = tmp_path / "state"
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    terminal = Terminal("-m", small, "--state-dir", state, "--listen", f"127.0.0.1:{port}-{port + 20}")
    try:
        terminal.see(f"Port {port} is taken by another program; trying the next.")
        terminal.see("preview    http://127.0.0.1:")
        terminal.see(f"manifests  {small}")
        terminal.see("ends everything")
        terminal.see("main shows camera pier")
        terminal.see("output preview is publishing to page")
        assert '{"' not in terminal.text, "no log lines between the sentences"
        started = time.monotonic()
        terminal.type(b"\x03")
        assert terminal.wait(12) == 0
        assert time.monotonic() - started < 10
    finally:
        taken.close()
        terminal.process.kill()
        terminal.process.wait()
    assert "Ending: everything goes off air." in terminal.text
    assert "Everything is off air after" in terminal.text
    assert "Traceback" not in terminal.text
    until(nothing_runs(state), 5, "nothing is left")


@pytest.mark.e2e
def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    with Appliance(tmp_path, on_exit="stop") as appliance:
        appliance.write("small.yaml", SMALL)
        appliance.wait_on_air("main", "pier")
        playout = appliance.pid("playout", "main")
        assert playout is not None
        os.kill(playout, signal.SIGSTOP)  # so that the end takes a while
        os.kill(appliance.controller.pid, signal.SIGINT)
        appliance.wait(lambda: "Ctrl-C again" in appliance.controller.said(), 5, "it says so")
        asked = time.monotonic()
        appliance.wait(lambda: time.monotonic() > asked + running.SAME_WISH, 3, "somebody grows impatient")
        os.kill(appliance.controller.pid, signal.SIGINT)
        assert appliance.controller.wait(5) == 1
        assert "Ended at once, as you ask." in appliance.controller.said()
        assert not (appliance.state / "control.sock").exists()


@pytest.mark.e2e
def test_a_signal_that_comes_twice_is_one_wish(tmp_path: Path) -> None:
    """As from ``timeout make demo``: the group is told, and make tells it on."""
    with Appliance(tmp_path, on_exit="stop") as appliance:
        appliance.write("small.yaml", SMALL)
        appliance.wait_on_air("main", "pier")
        playout = appliance.pid("playout", "main")
        os.kill(appliance.controller.pid, signal.SIGTERM)
        os.kill(appliance.controller.pid, signal.SIGTERM)
        assert appliance.controller.wait(10) == 0
        assert not Path(f"/proc/{playout}").exists()


@pytest.mark.e2e
def test_elsewhere_it_leaves_what_is_on_air(tmp_path: Path) -> None:
    with Appliance(tmp_path) as appliance:
        command = appliance.controller.command
        del command[command.index("--on-exit") : command.index("--on-exit") + 2]
        appliance.write("small.yaml", SMALL)
        appliance.controller.kill()
        appliance.start()
        appliance.wait_on_air("main", "pier")
        playout = appliance.pid("playout", "main")
        os.kill(appliance.controller.pid, signal.SIGTERM)
        appliance.controller.wait(10)
        assert appliance.controller.status == 0
        assert alive(playout)
        said = appliance.controller.said()
        assert "Ending; what is on air stays on air." in said
        assert "What was on air goes on" in said
        assert not (appliance.state / "control.sock").exists()
        appliance.start()
        appliance.wait_on_air("main", "pier")
        assert appliance.pid("playout", "main") == playout


@pytest.mark.e2e
def test_a_second_run_on_the_same_state_is_refused(on_air: Appliance) -> None:
    done = vistter("run", state=on_air.state)
    assert done.returncode == 1
    pid = on_air.controller.pid
    assert done.stderr == (  # at once: nothing is waited for
        f"Another controller (pid {pid}) already runs on {on_air.state}; "
        "end it first, or choose another folder with --state-dir\n"
    )
    assert on_air.status("Program", "main")["onAir"]


@pytest.mark.e2e
def test_metrics_health_status_and_hls_are_served(on_air: Appliance) -> None:
    address = on_air.ask("version")["version"]["preview"]
    assert fetch(f"{address}healthz") == (200, b"ok\n")
    assert fetch(f"{address}readyz") == (200, b"ok\n")
    status, metrics = fetch(f"{address}metrics")
    assert status == 200
    assert b"vistter_reconcile_total" in metrics
    found = json.loads(fetch(f"{address}api/status")[1])
    assert found["programs"][0]["onAir"]["name"] == "pier"
    playlist = address + found["programs"][0]["previews"][0]["url"].lstrip("/")
    until(lambda: fetch(playlist)[0] == 200, 15, "there is a playlist")
    status, text = fetch(playlist)
    segment = next(line for line in text.decode().splitlines() if line and not line.startswith("#"))
    status, data = fetch(playlist.rpartition("/")[0] + "/" + segment)
    assert (status, data[:1]) == (200, b"G")
    assert b"correct-horse" not in metrics


@pytest.mark.e2e
def test_it_is_not_ready_while_a_program_is_not_on_air(tmp_path: Path) -> None:
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    (manifests / "small.yaml").write_text(SMALL)
    with Appliance(tmp_path, arguments=("--listen", "127.0.0.1:0")) as appliance:
        address = appliance.ask("version")["version"]["preview"]
        appliance.wait(lambda: fetch(f"{address}readyz")[0] == 200, 20, "it is ready in the end")
        playout = appliance.pid("playout", "main")
        assert playout is not None
        os.kill(playout, signal.SIGSTOP)
        try:
            assert fetch(f"{address}healthz")[0] == 200
        finally:
            os.kill(playout, signal.SIGCONT)


@pytest.mark.e2e
def test_a_terminal_that_is_closed_ends_everything(tmp_path: Path, small: Path) -> None:
    terminal = Terminal("-m", small, "--state-dir", tmp_path / "state")
    try:
        terminal.see("main shows camera pier")
        terminal.hang_up()
        terminal.process.wait(10)
    finally:
        terminal.process.kill()
        terminal.process.wait()
    until(nothing_runs(tmp_path / "state"), 5, "nothing is left")


@pytest.mark.e2e
def test_nobody_has_to_read_what_it_says(tmp_path: Path, small: Path) -> None:
    state = tmp_path / "state"
    process = subprocess.Popen(
        [str(VISTTER), "run", "-m", str(small), "--state-dir", str(state), "--on-exit", "stop"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    process.stdout.close()
    appliance = Appliance(tmp_path, start=False)
    try:
        until(lambda: appliance.status("Program", "main").get("onAir"), 20, "it is on air")
        assert process.poll() is None
        assert vistter("stop", state=state).returncode == 0
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.wait()
        appliance.end()


@pytest.mark.e2e
def test_who_holds_the_state_folder_is_told_while_it_is_waited_for(tmp_path: Path, small: Path) -> None:
    state = tmp_path / "state"
    with state_lock(state):
        terminal = Terminal("-m", small, "--state-dir", state)
        try:
            terminal.see(f"is in use by process {os.getpid()}; waiting for its end.")
        finally:
            terminal.process.kill()
            terminal.wait(5)


@pytest.mark.e2e
def test_off_a_terminal_stderr_is_lines_of_json_alone(tmp_path: Path, small: Path) -> None:
    appliance = Appliance(tmp_path, start=False)
    with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
        process = subprocess.Popen(
            [*appliance.controller.command, "--on-exit", "stop"], stdout=out, stderr=err
        )
    try:
        until(lambda: appliance.status("Program", "main").get("onAir"), 20, "it is on air")
        until(lambda: "main shows camera pier" in (tmp_path / "out").read_text(), 10, "it is told")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        appliance.end()
    events = [json.loads(line)["event"] for line in (tmp_path / "err").read_text().splitlines()]
    assert "Ending: everything goes off air. Ctrl-C again ends at once." in events
    assert any(event.startswith("Everything is off air after") for event in events)


@pytest.mark.e2e
def test_what_was_on_air_before_a_restart_is_no_news(tmp_path: Path) -> None:
    with Appliance(tmp_path) as appliance:
        appliance.write("small.yaml", SMALL)
        appliance.wait_on_air("main", "pier")
        appliance.wait(lambda: "main shows camera pier" in appliance.controller.said(), 10, "it is told")
        appliance.kill()
        appliance.controller.reap()
        appliance.write("small.yaml", SMALL.replace("camera: pier,", "camera: spare,"))
        appliance.start()
        appliance.wait(lambda: "main shows camera spare" in appliance.controller.said(), 20, "it is told")
        assert appliance.controller.said().count("main shows camera pier") == 1


@pytest.mark.e2e
def test_what_is_removed_is_told(tmp_path: Path) -> None:
    def told(*sentences: str) -> None:
        def all_there() -> bool:
            return all(sentence in appliance.controller.said() for sentence in sentences)

        appliance.wait(all_there, 20, f"it says {sentences}")

    with Appliance(tmp_path) as appliance:
        *rest, program, output, secret = SMALL.split("---")
        appliance.write("small.yaml", *rest, program, output, secret)
        told("main shows camera pier", "output preview is publishing to page")
        appliance.write("small.yaml", *rest, program, secret)
        told("output preview ended: it was removed")
        appliance.write("small.yaml", rest[0], rest[2], secret)
        told("main goes off air: it was removed", "camera spare was removed")
        (stopped,) = appliance.wait(
            lambda: [event for event in appliance.events() if event["reason"] == "PlayoutStopped"], 10, "off"
        )
        assert stopped["type"] == "Warning"


STUCK = """
import sys, threading
from pathlib import Path
import anyio
from vistterstream.cli import running
from vistterstream.reconcile.controller import OnExit
from vistterstream.store.store import Store

running.END_DEADLINE = 0.1
state = Path(sys.argv[1])

async def main():
    runner = running.Runner(state, Store(state / "store.sqlite3"), [state], OnExit.STOP, on_air=False)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner._end_on_signal, tasks.cancel_scope)
        await anyio.wait_all_tasks_blocked()
        print("stuck", flush=True)
        threading.Event().wait()

anyio.run(main)
"""


@pytest.mark.slow
def test_the_watchdog_watches_although_the_loop_is_stuck(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STUCK, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"stuck\n"
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 1
            assert b"Not all ended within 0.1 s." in process.stdout.read()
        finally:
            process.kill()


@contextmanager
def stuck_run(folder: Path, *arguments: str) -> Iterator[tuple[Appliance, subprocess.Popen[bytes]]]:
    """``vistter run``, on air, whose stdout and stderr are a full pipe that nobody reads."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    appliance = Appliance(folder, start=False)
    appliance.write("small.yaml", SMALL)
    process = subprocess.Popen(
        [*appliance.controller.command, "--listen", "127.0.0.1:0", *arguments], stdout=writing, stderr=writing
    )
    os.close(writing)
    try:
        until(lambda: appliance.status("Program", "main").get("onAir"), 20, "it is on air")
        yield appliance, process
    finally:
        process.kill()
        process.wait()
        os.close(reading)
        appliance.end()


@pytest.mark.e2e
def test_a_pipe_that_takes_nothing_holds_nobody_up(tmp_path: Path) -> None:
    with stuck_run(tmp_path, "--on-exit", "stop") as (appliance, process):
        address = appliance.ask("version")["version"]["preview"]
        edit = SMALL.replace("camera: pier,", "camera: spare,")
        appliance.write("small.yaml", edit)
        appliance.wait_on_air("main", "spare")
        assert fetch(f"{address}healthz") == (200, b"ok\n")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert not appliance.processes()


@pytest.mark.e2e
def test_what_is_on_a_full_pipe_is_stopped_from_elsewhere(tmp_path: Path) -> None:
    with stuck_run(tmp_path) as (appliance, process):
        done = vistter("stop", state=appliance.state)
        assert (done.returncode, process.wait(5)) == (0, 0)
        assert "Everything is off air, and the controller has ended" in done.stderr
        assert not appliance.processes()


@pytest.mark.e2e
@pytest.mark.parametrize("named", [(), ("--manifests", ".")], ids=["none", "another"])
def test_a_start_that_names_other_manifests_takes_nothing_off_air(
    tmp_path: Path, named: tuple[str, ...]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "more.yaml").write_text(SMALL.replace("name: main", "name: more"))
    with Appliance(tmp_path) as appliance:
        appliance.write("small.yaml", SMALL)
        appliance.wait_on_air("main", "pier")
        pid, processes = appliance.pid("playout", "main"), appliance.children()
        appliance.kill()
        forgetful = Peer(
            [VISTTER, "run", *named, "--on-exit", "leave"],
            log=tmp_path / "forgetful.log",
            env=appliance.environment,
            cwd=other,
        )
        with forgetful:
            told = f"{appliance.manifests} was not named at this start, and the appliance was on air"
            appliance.wait(lambda: told in forgetful.said(), 20, "it is told")
            if named:
                appliance.wait_on_air("more", "pier")
            frame = appliance.playout()["frame"]
            appliance.wait(lambda: appliance.playout()["frame"] > frame + 60, 20, "it goes on")
            assert appliance.pid("playout", "main") == pid
            assert processes <= appliance.children()
            assert appliance.get("Program", "more") != {} or not named
            appliance.cli("stop")


@pytest.mark.e2e
def test_a_folder_that_is_not_there_is_told_and_taken_when_it_comes(tmp_path: Path) -> None:
    appliance = Appliance(tmp_path, start=False)
    appliance.manifests.rmdir()
    with appliance:
        appliance.start()
        assert f"There is no {appliance.manifests}; what it holds is taken when it is there." in (
            appliance.controller.said()
        )
        appliance.manifests.mkdir()
        appliance.write("small.yaml", SMALL)
        appliance.wait_on_air("main", "pier")
