"""Runs the ``vistter`` command as a user would, and a small appliance for it to look at."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peers.vistter import VISTTER

ROOT = Path(__file__).parents[2]


class Warm:
    """Processes with the libraries imported, for commands to run in; see `warm.py`."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("warm.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(
        self, arguments: list[str], environment: Mapping[str, str], folder: Path, deadline: float
    ) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run`."""
        with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
            request = {"arguments": arguments, "environment": dict(environment), "folder": str(folder)}
            request |= {"stdout": out.name, "stderr": err.name}
            assert self._server.stdin is not None
            self._server.stdin.write(json.dumps(request).encode() + b"\n")
            self._server.stdin.flush()
            pid = self._answer(30)["pid"]
            try:
                status = self._answer(deadline)["status"]
            except TimeoutError:
                os.killpg(pid, signal.SIGKILL)
                self._answer(30)
                raise subprocess.TimeoutExpired(arguments, deadline, out.read(), err.read()) from None
            said, told = out.read().decode(), err.read().decode()
            return subprocess.CompletedProcess(arguments, status, said, told)

    def close(self) -> None:
        """End it."""
        self._server.communicate(timeout=30)

    def _answer(self, deadline: float) -> dict[str, Any]:
        assert self._server.stdout is not None
        if not select.select([self._server.stdout], [], [], deadline)[0]:
            raise TimeoutError
        found: dict[str, Any] = json.loads(self._server.stdout.readline())
        return found


_warm: list[Warm] = []


@contextmanager
def warm() -> Iterator[None]:
    """Have `vistter` use processes that are warm."""
    _warm.append(Warm())
    try:
        yield
    finally:
        _warm.pop().close()


def vistter(
    *arguments: str | Path,
    state: Path | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    deadline: float = 30,
    cold: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end. `state` is the state folder; `cold`: as its own script, from nothing."""
    environment = {**os.environ, **(env or {})}
    environment.pop("VISTTER_STATE_DIR", None)
    if state is not None:
        environment["VISTTER_STATE_DIR"] = str(state)
    if _warm and not cold:
        return _warm[-1].run(list(map(str, arguments)), environment, cwd or Path.cwd(), deadline)
    return subprocess.run(
        [str(VISTTER), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=deadline,
        check=False,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
    )


SMALL = """
apiVersion: stream.vistter.io/v1alpha1
kind: Camera
metadata: {name: pier}
spec: {source: {testPattern: {pattern: motion}}}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Camera
metadata: {name: spare}
spec: {source: {testPattern: {pattern: grid}}}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Timeline
metadata: {name: tour}
spec: {loop: true, tracks: [{name: pictures, video: [{camera: pier, duration: 1h}]}]}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Program
metadata: {name: main}
spec: {format: {width: 320, height: 180, frameRate: "15"}, timeline: tour}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Output
metadata: {name: preview}
spec:
  program: main
  encoding: {video: {bitrate: 200k, preset: ultrafast}}
  targets: [{name: page, hls: {segmentDuration: 1s}}]
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {password: correct-horse-battery-staple}
"""
"""Manifests of an appliance that is on air with little work."""
