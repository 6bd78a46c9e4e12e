"""A child process of a test: started, frozen, killed, and always ended."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from peers.waiting import until


class Peer:
    """A process with its output in a file; a context manager that leaves nothing running.

    It runs in a session of its own, so that ending it ends what it started, too.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.command = [str(word) for word in command]
        self.log = log
        self._env = dict(os.environ, **(env or {}))
        self._cwd = cwd
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Id of the running process."""
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there (frozen ones are)."""
        return self._process is not None and self._process.poll() is None

    @property
    def status(self) -> int | None:
        """Exit status; None while it runs."""
        assert self._process is not None, "not started"
        return self._process.poll()

    def start(self) -> None:
        """Start it; `wait_ready` says when it can be used."""
        assert not self.running, "already running"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Return when it can be used. Subclasses say when that is."""

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        os.kill(self.pid, number)

    def freeze(self) -> None:
        """Stop it in its tracks: connections stay open, nobody answers."""
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on."""
        os.killpg(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, like a power cut."""
        if self._process is not None and self._process.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait(10)

    def stop(self, deadline: float = 5.0) -> int:
        """Ask it to end, insist at the deadline; return its exit status."""
        process = self._process
        assert process is not None, "not started"
        if process.poll() is None:
            os.killpg(self.pid, signal.SIGCONT)
            process.send_signal(self._stop_signal)
            try:
                process.wait(deadline)
            except subprocess.TimeoutExpired:
                self.kill()
        return process.wait(10)

    def wait(self, deadline: float = 10.0) -> int:
        """Wait for it to end by itself; return its exit status."""
        assert self._process is not None, "not started"
        return self._process.wait(deadline)

    def reap(self) -> None:
        """Take the exit status of one that somebody else has ended; nothing where there is none."""
        if self._process is not None:
            self._process.wait(10)

    def restart(self) -> None:
        """Start it again after `kill` or `stop`, on the same port."""
        self.start()
        self.wait_ready()

    def said(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _until_said(self, text: str, deadline: float = 20.0) -> None:
        def found() -> bool:
            assert self.running, f"{self.command[0]} ended: {self.said()[-2000:]}"
            return text in self.said()

        until(found, deadline, lambda: f"{self.command[0]} says {text!r}; it said: {self.said()[-2000:]}")

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.stop()
