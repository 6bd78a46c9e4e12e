"""Sweeping ends what carries the mark of the folder, stuck or not, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from peers.waiting import until
from vistterstream.base.processes import OWNER_VARIABLE, start_time
from vistterstream.playout.sweep import sweep

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextmanager
def process(folder: Path | None, script: str = "exec sleep 60") -> Iterator[subprocess.Popen[bytes]]:
    """A process that says "ready" and carries the mark of `folder`."""
    environment = dict(os.environ)
    if folder is not None:
        environment[OWNER_VARIABLE] = str(folder)
    started = subprocess.Popen(
        ["/bin/sh", "-c", f"echo ready; {script}"], env=environment, stdout=subprocess.PIPE
    )
    try:
        assert started.stdout is not None
        assert started.stdout.readline() == b"ready\n"
        yield started
    finally:
        started.kill()
        started.communicate()


async def test_marked_processes_are_asked_to_end_and_strangers_left_alone(tmp_path: Path) -> None:
    folder, other = tmp_path / "main", tmp_path / "main2"
    folder.mkdir()
    with (
        process(folder, "trap 'exit 7' TERM; while :; do sleep 0.02; done") as polite,
        process(folder) as plain,
        process(other) as neighbour,
        process(None) as stranger,
    ):
        found = await sweep(folder)
        # the shell's own "sleep 0.02" may be among what was found
        assert {polite.pid, plain.pid} <= {*found}
        assert not {neighbour.pid, stranger.pid, os.getpid()} & {*found}
        assert polite.wait(5) == 7, "it could end well"
        assert plain.wait(5) == -signal.SIGTERM
        assert neighbour.poll() is None
        assert stranger.poll() is None


@pytest.mark.e2e
async def test_what_does_not_listen_or_is_frozen_is_killed(tmp_path: Path) -> None:
    with (
        process(tmp_path, "trap '' TERM; while :; do sleep 0.05; done") as stubborn,
        process(tmp_path) as frozen,
    ):
        frozen.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        await sweep(tmp_path)
        assert 1.5 < time.monotonic() - started < 4.5
        assert stubborn.wait(5) == -signal.SIGKILL
        assert frozen.wait(5) in (-signal.SIGKILL, -signal.SIGTERM)


async def test_a_dead_socket_is_removed_and_the_rest_stays(tmp_path: Path) -> None:
    for name in ("control.sock", "plan.json"):
        (tmp_path / name).write_text("")
    assert await sweep(tmp_path) == []
    assert os.listdir(tmp_path) == ["plan.json"]
    assert await sweep(tmp_path) == [], "twice is as good as once"


@pytest.mark.slow
async def test_a_process_that_sweeps_its_own_folder_spares_itself(tmp_path: Path) -> None:
    code = (
        "import anyio, os, sys; from pathlib import Path; from vistterstream.playout.sweep import sweep\n"
        "print(anyio.run(sweep, Path(sys.argv[1])))\n"
    )
    environment = {**os.environ, OWNER_VARIABLE: str(tmp_path)}
    with anyio.fail_after(30):
        done = await anyio.run_process([sys.executable, "-c", code, str(tmp_path)], env=environment)
    assert done.stdout == b"[]\n"


async def test_zombies_of_somebody_else_are_not_waited_for(tmp_path: Path) -> None:
    with process(tmp_path, "exit 0") as dead:
        until(lambda: start_time(dead.pid) is None, 5, "it is a zombie")
        started = time.monotonic()
        assert await sweep(tmp_path) == []
        assert time.monotonic() - started < 1
