"""The appliance under test: ``vistter run`` as a real process on a state folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from peers.process import Peer
from peers.waiting import TookTooLong, until
from vistterstream.api.client import Client
from vistterstream.base.errors import VistterError

VISTTER = Path(sys.executable).with_name("vistter")
Object = dict[str, Any]


def process_state(pid: int) -> str | None:
    """The state letter of a process (proc_pid_stat(5)); None when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def alive(pid: int | None) -> bool:
    """Whether a process runs or is stopped; a zombie is dead."""
    return pid is not None and process_state(pid) not in (None, "Z", "X")


def command_line(pid: int) -> list[str]:
    """The arguments of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def manifest(kind: str, name: str, spec: Mapping[str, Any] | None = None, **more: Any) -> Object:
    """An object in its manifest form; `more` are fields beside spec, such as stringData."""
    version = "v1" if kind == "Secret" else "stream.vistter.io/v1alpha1"
    found: Object = {"apiVersion": version, "kind": kind, "metadata": {"name": name}}
    if spec is not None:
        found["spec"] = dict(spec)
    return found | more


class Appliance:
    """An appliance with its manifests in FOLDER/manifests and its state in FOLDER/state.

    As a context manager it starts the controller and, at the end, leaves nothing running, whatever happened.
    """

    def __init__(
        self, folder: Path, *, on_exit: str = "leave", arguments: tuple[str, ...] = (), start: bool = True
    ) -> None:
        self.folder = folder
        self.manifests = folder / "manifests"
        self.state = folder / "state"
        self.manifests.mkdir(exist_ok=True)
        self.environment = {"VISTTER_STATE_DIR": str(self.state)}
        command: list[str | Path] = [VISTTER, "run", "--manifests", self.manifests, "--state-dir", self.state]
        self.controller = Peer(
            [*command, "--on-exit", on_exit, *arguments],
            log=folder / "controller.log",
            env=self.environment,
            cwd=folder,
        )
        self._start = start

    # --- manifests --------------------------------------------------------------------------------------

    def write(self, name: str, *objects: Object | str) -> float:
        """Put `objects` into manifests/`name`, whole at once; the Unix time at which it was saved."""
        text = "---\n".join(
            item if isinstance(item, str) else yaml.safe_dump(item, sort_keys=False) for item in objects
        )
        temporary = self.folder / f"{name.replace('/', '-')}.new"
        temporary.write_text(text)
        saved = time.time()
        temporary.rename(self.manifests / name)
        return saved

    def edit(self, name: str, change: Callable[[list[Object]], object]) -> float:
        """Let `change` alter the objects of manifests/`name` in place, save; the Unix time of that."""
        objects = list(yaml.safe_load_all((self.manifests / name).read_text()))
        change(objects)
        return self.write(name, *objects)

    def remove(self, name: str) -> float:
        """Delete manifests/`name`; the Unix time of that."""
        saved = time.time()
        (self.manifests / name).unlink()
        return saved

    # --- the controller ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the controller and wait until it answers."""
        self.controller.start()
        self.wait_ready()

    def wait_ready(self, deadline: float = 20.0) -> None:
        """Return when the controller answers."""

        def answers() -> bool:
            assert self.controller.running, f"vistter run ended: {self.report()}"
            try:
                return bool(self.ask("version"))
            except VistterError:
                return False

        until(answers, deadline, lambda: f"vistter run answers\n{self.report()}")

    def kill(self) -> None:
        """``kill -9`` the controller alone."""
        os.kill(self.controller.pid, signal.SIGKILL)
        self.controller.wait(10)

    def cli(self, *arguments: str, deadline: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Run a ``vistter`` command on this appliance."""
        return subprocess.run(
            [str(VISTTER), *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=deadline,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """One answer over the socket that the command uses, too. Raises VistterError."""
        with Client(self.state) as client:
            return client.ask(op, **fields)

    def get(self, kind: str, name: str) -> Object:
        """The object as JSON; empty when there is none, or no controller."""
        try:
            found = self.ask("get", kind=kind, name=name)["object"]
        except VistterError:
            return {}
        assert isinstance(found, dict)
        return found

    def status(self, kind: str, name: str) -> dict[str, Any]:
        """The status of an object; empty when there is none yet."""
        found = self.get(kind, name).get("status") or {}
        assert isinstance(found, dict)
        return found

    def condition(self, kind: str, name: str, condition: str) -> dict[str, Any]:
        """A condition of an object; empty when it has none."""
        for found in self.status(kind, name).get("conditions", []):
            if found["type"] == condition:
                assert isinstance(found, dict)
                return found
        return {}

    def events(self) -> list[dict[str, Any]]:
        """All events, the oldest first."""
        found = self.ask("events")["events"]
        assert isinstance(found, list)
        return found

    # --- waiting ----------------------------------------------------------------------------------------

    def wait(self, condition: Callable[[], Any], deadline: float, what: str) -> Any:
        """Wait for `condition`; when it does not come, the failure shows the state of everything."""
        return until(condition, deadline, lambda: f"{what}\n{self.report()}", every=0.05)

    def wait_condition(
        self, kind: str, name: str, condition: str, status: str = "True", deadline: float = 20.0
    ) -> dict[str, Any]:
        """Wait until the object's condition has that status; the condition."""

        def reached() -> dict[str, Any]:
            found = self.condition(kind, name, condition)
            return found if found.get("status") == status else {}

        found = self.wait(reached, deadline, f"{kind} {name} is {condition}={status}")
        assert isinstance(found, dict)
        return found

    def wait_on_air(self, program: str, source: str, deadline: float = 20.0) -> dict[str, Any]:
        """Wait until `program` shows `source`: a Camera's name, or "Slate"."""

        def shown() -> dict[str, Any]:
            on_air = self.status("Program", program).get("onAir") or {}
            found = on_air.get("source", {})
            wanted = found.get("kind") == source if source == "Slate" else found.get("name") == source
            return on_air if wanted and (source == "Slate" or found.get("kind") == "Camera") else {}

        found = self.wait(shown, deadline, f"{program} shows {source}")
        assert isinstance(found, dict)
        return found

    # --- processes --------------------------------------------------------------------------------------

    def pid(self, role: str, name: str) -> int | None:
        """Process id from the status: ingest (of a Camera), encoder or pusher (of an Output), playout."""
        kind = {"ingest": "Camera", "encoder": "Output", "pusher": "Output", "playout": "Program"}[role]
        pid = (self.status(kind, name).get(role) or {}).get("pid")
        return int(pid) if pid else None

    def processes(self) -> dict[int, list[str]]:
        """Every process of this appliance and its arguments, known by the state folder in its arguments
        or environment; zombies left out.
        """
        mark = os.fsencode(self.state)
        found: dict[int, list[str]] = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                text = Path(f"/proc/{entry}/cmdline").read_bytes()
                text += b"\0" + Path(f"/proc/{entry}/environ").read_bytes()
            except OSError:
                continue
            if mark in text and alive(int(entry)):
                found[int(entry)] = command_line(int(entry))
        return found

    def children(self) -> set[int]:
        """Every process of this appliance but the controller."""
        controller = self.controller.pid if self.controller.running else 0
        return {pid for pid in self.processes() if pid != controller}

    def playout(self, program: str = "main") -> dict[str, Any]:
        """What the playout says of itself, asked directly, with no controller between."""
        return _ask_playout(self.state / "playout" / program, "status")

    # --- as-run log, times ------------------------------------------------------------------------------

    def as_run(self, program: str = "main") -> list[dict[str, Any]]:
        """The as-run log, the oldest line first."""
        lines: list[dict[str, Any]] = []
        for file in sorted((self.state / "asrun" / program).glob("*.jsonl")):
            lines += [json.loads(line) for line in file.read_text().splitlines()]
        return lines

    def due(self, frame: int, fps: int, program: str = "main") -> float:
        """Unix time at which a program frame is due."""
        epoch = json.loads((self.state / "playout" / program / "epoch.json").read_text())
        return float(epoch["wall_ns"] / 1e9 + frame / fps)

    # --- the end ----------------------------------------------------------------------------------------

    def report(self) -> str:
        """Everything that helps to understand a failure."""
        parts = ["--- controller", self.controller.said()[-6000:]]
        for log in sorted(self.state.glob("playout/*/log.jsonl")):
            parts += [f"--- {log.relative_to(self.state)}", log.read_text(errors="replace")[-6000:]]
        try:
            for item in self.ask("list")["objects"]:
                status = json.dumps(item.get("status"))
                parts.append(f"--- {item['kind']} {item['metadata']['name']}: {status}")
        except VistterError as error:
            parts.append(f"--- no status: {error}")
        for folder in sorted(self.state.glob("asrun/*")):
            parts += [f"--- as run {folder.name}", *map(json.dumps, self.as_run(folder.name)[-20:])]
        return "\n".join(parts)

    def stop(self, deadline: float = 15.0) -> None:
        """``vistter stop``: everything off air, all processes ended."""
        done = self.cli("stop", deadline=deadline)
        assert done.returncode == 0, f"vistter stop: {done.stderr}\n{self.report()}"

    def end(self) -> None:
        """Leave nothing running: asks nicely first, then kills everything that carries the mark."""
        if self.controller.running:
            try:
                self.cli("stop", deadline=15)
            except subprocess.TimeoutExpired:
                self.controller.kill()
        until(self._kill_the_rest, 10, "killed processes are gone")
        self.controller.reap()

    def _kill_the_rest(self) -> bool:
        left = self.processes()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    def __enter__(self) -> Self:
        if self._start:
            try:
                self.start()
            except BaseException:
                self.end()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, TookTooLong):  # those have it already
            error.add_note(self.report())
        self.end()


def _ask_playout(folder: Path, op: str) -> dict[str, Any]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(f"/proc/self/fd/{descriptor}/control.sock")
            connection.sendall(json.dumps({"op": op}).encode() + b"\n")
            with connection.makefile("rb") as lines:
                answer = json.loads(lines.readline())
    finally:
        os.close(descriptor)
    found = answer[op]
    assert isinstance(found, dict)
    return found
