"""A playout is up soon: it loads what it needs alone, and what a dead one left ends meanwhile."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from playout.plans import make_plan
from vistterstream.base.processes import OWNER_VARIABLE
from vistterstream.playout.client import start
from vistterstream.playout.files import playout_dir, write_plan

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextmanager
def process(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["/bin/sleep", "60"], env=environment) as started:
        try:
            yield started
        finally:
            started.kill()


def test_nothing_that_takes_long_is_loaded_before_what_a_dead_one_left_is_asked_to_end() -> None:
    code = "import sys, vistterstream.playout.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
    loaded = set(done.stdout.decode().split())
    assert "vistterstream.base.processes" in loaded
    assert not loaded & {"anyio", "numpy", "pydantic", "structlog", "vistterstream.playout.engine"}


@pytest.mark.slow
def test_a_playout_does_not_load_what_is_for_controllers_and_terminals(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "vistterstream.playout", str(tmp_path)]
    with (tmp_path / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # so that it loads everything, and then is refused
        done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert done.returncode == 3
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}
    assert "vistterstream.playout.engine" in loaded
    others = {"vistterstream.resources.kinds", "vistterstream.timeline.compile", "typer", "aiohttp"}
    assert not loaded & {*others, "rich.console", "pygments"}


@pytest.mark.slow
def test_a_playout_runs_before_everything_that_is_ordinary(tmp_path: Path) -> None:
    code = (
        "import os, sys; from vistterstream.playout import __main__, priority, service\n"
        "service.run = lambda folder: print(os.sched_getparam(0).sched_priority) or 0\n"
        "__main__.main()\n"
        "print(priority.PLAYOUT if priority.ask(priority.PLAYOUT) else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], check=True, capture_output=True, timeout=60)
    had, wanted = done.stdout.split()
    assert had == wanted


@pytest.mark.e2e
async def test_what_a_dead_playout_left_behind_is_ended_by_the_next(tmp_path: Path) -> None:
    folder = playout_dir(tmp_path, "default", "main")
    write_plan(folder, make_plan(tmp_path, outputs=[]), {})
    environment = {**os.environ, OWNER_VARIABLE: str(folder)}
    with process(environment) as orphan:
        playout = await start(folder)
        try:
            with anyio.fail_after(5):
                status = await anyio.to_thread.run_sync(orphan.wait)
            assert status < 0, "by a signal"
        finally:
            await playout.stop()
            await playout.aclose()
