"""Playouts as a controller meets them: started, adopted, watched, always ended; never the wrong process."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import pytest

from peers import frames as recorded
from peers.vistter import alive
from playout.clips import numbered_clip
from playout.plans import CAMERA_ROW, PROGRAM_ROW, film, make_plan
from playout.waiting import eventually
from vistterstream.base.errors import PermanentError, TemporaryError
from vistterstream.base.processes import boot_id, owned, start_time
from vistterstream.playout import client
from vistterstream.playout.client import NotRunning, PlayoutClient, PlayoutLost, connect, start
from vistterstream.playout.files import (
    PLAN,
    SOCKET,
    Identity,
    playout_dir,
    read_identity,
    socket_path,
    write_identity,
    write_plan,
)
from vistterstream.playout.protocol import OutputState
from vistterstream.timeline.digests import plan_revision

pytestmark = pytest.mark.anyio
SECRET = "planted-client-secret"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The folder of a playout; whatever still runs in it at the end is killed."""
    folder = playout_dir(tmp_path, "default", "main")
    yield folder
    identity = read_identity(folder)
    left = [*owned(folder), *([identity.pid] if identity is not None and identity.alive else [])]
    for pid in left:
        if pid != os.getpid():
            os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[PlayoutClient]:
    """A playout that is a child of this process, ended at the end."""
    found = await start(folder)
    try:
        yield found
    finally:
        await found.stop()
        await found.aclose()


def start_elsewhere(folder: Path) -> None:
    """Start a playout from another process, which then ends, as a controller does that is killed."""
    code = (
        "import anyio, sys, os; from pathlib import Path; from vistterstream.playout.client import start\n"
        "anyio.run(start, Path(sys.argv[1])); os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, timeout=40)


def holding(folder: Path, text: str) -> list[str]:
    """The names of the files in which `text` stands."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file.name for file in files if text in file.read_text(errors="replace")]


async def publishes(playout: PlayoutClient, name: str = "rec") -> None:
    """Wait until the output delivers."""
    with anyio.fail_after(20):
        async for status in playout.watch():
            if status.outputs[name].state is OutputState.PUBLISHING:
                return


@pytest.mark.e2e
async def test_a_playout_is_started_asked_changed_watched_and_stopped(folder: Path, tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    write_plan(folder, plan, {"s/k": SECRET})
    async with started(folder) as playout:
        assert playout.pid == playout.hello.pid != os.getpid()
        assert os.getsid(playout.pid) == playout.pid, "a session of its own: a Ctrl-C does not reach it"
        assert playout.folder == folder
        await publishes(playout)
        assert (await playout.status()).revision == plan_revision(plan)
        changed = make_plan(tmp_path, color="#E0E0E0")
        write_plan(folder, changed, {"s/k": SECRET})
        applied = await playout.apply()
        assert applied.revision == plan_revision(changed)
        (folder / PLAN).write_text("{")
        with pytest.raises(PermanentError) as caught:
            await playout.apply()
        assert caught.value.reason == "BadPlan"
        children = owned(folder)
        assert len(children) == 2
        stopping = time.monotonic()
        await playout.stop()
        assert time.monotonic() - stopping < 8
        assert not alive(playout.pid)
        assert owned(folder) == []
        assert not (folder / SOCKET).exists()
        with pytest.raises(PlayoutLost):
            await playout.status()
        await playout.stop()  # twice is as good as once
    recordings = sorted((tmp_path / "recording").iterdir())
    seen = recorded.read(recordings, camera=CAMERA_ROW, program=PROGRAM_ROW)
    recorded.assert_each_once(recorded.program_numbers(seen))
    assert holding(folder, SECRET) == ["secrets.json"]


@pytest.mark.e2e
async def test_a_playout_that_its_controller_left_is_adopted_with_all_it_runs(
    folder: Path, tmp_path: Path
) -> None:
    write_plan(folder, make_plan(tmp_path), {})
    await anyio.to_thread.run_sync(start_elsewhere, folder)
    playout = await connect(folder)
    try:
        await publishes(playout)
        children = owned(folder)
        assert client.running(tmp_path) == [folder]
        write_plan(folder, make_plan(tmp_path, color="#E0E0E0"), {})
        await playout.apply()
        await playout.aclose()
        assert alive(playout.pid), "letting go leaves it running"
        playout = await connect(folder)
        assert owned(folder) == children
    finally:
        await playout.stop()
        await playout.aclose()
    assert not alive(playout.pid)
    assert owned(folder) == []


@pytest.mark.e2e
async def test_a_second_playout_in_the_same_folder_is_refused_and_the_first_goes_on(
    folder: Path, tmp_path: Path
) -> None:
    write_plan(folder, make_plan(tmp_path, outputs=[]), {})
    async with started(folder) as playout:
        with pytest.raises(TemporaryError, match="already runs here"):
            await start(folder)
        assert (await playout.status()).pid == playout.pid
        assert (await connect(folder)).pid == playout.pid


@pytest.mark.e2e
@pytest.mark.parametrize("text", ["{", '{"version": 99}'])
async def test_a_playout_that_cannot_come_up_says_why(folder: Path, tmp_path: Path, text: str) -> None:
    write_plan(folder, make_plan(tmp_path), {})
    (folder / PLAN).write_text(text)
    with pytest.raises(TemporaryError, match="The plan") as caught:
        await start(folder)
    assert caught.value.reason == "PlayoutFailed"


@pytest.mark.slow
async def test_whoever_watches_hears_that_it_went_away(folder: Path, tmp_path: Path) -> None:
    write_plan(folder, make_plan(tmp_path, outputs=[]), {})
    async with started(folder) as playout:
        os.kill(playout.pid, signal.SIGKILL)

        async def watch_on() -> None:
            async for _ in playout.watch():
                pass

        with pytest.raises(PlayoutLost), anyio.fail_after(15):
            await watch_on()
        with anyio.fail_after(5):
            await playout.wait_ended()


# --- who is adopted -------------------------------------------------------------------------------------


async def test_an_empty_folder_has_nothing_to_adopt(tmp_path: Path) -> None:
    assert client.running(tmp_path) == []
    with pytest.raises(NotRunning, match="ever ran here"):
        await connect(tmp_path)


@contextmanager
def stranger(**environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with us."""
    process = subprocess.Popen(["/bin/sleep", "60"], env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


async def test_a_number_that_another_process_has_now_is_neither_adopted_nor_signalled(tmp_path: Path) -> None:
    with stranger() as process:
        began = start_time(process.pid)
        assert began is not None
        reused = Identity(boot_id(), process.pid, began - 1, "nonce")
        for identity in (reused, dataclasses.replace(reused, boot_id="last week's", start_time=began)):
            write_identity(tmp_path, identity)
            with pytest.raises(NotRunning, match="has ended"):
                await connect(tmp_path)
            await client.sweep(tmp_path)
            assert process.poll() is None


async def test_a_process_that_lives_but_is_no_playout_is_not_adopted(tmp_path: Path) -> None:
    with stranger() as process:
        began = start_time(process.pid)
        assert began is not None
        write_identity(tmp_path, Identity(boot_id(), process.pid, began, "nonce"))
        with pytest.raises(NotRunning, match="does not answer"):
            await connect(tmp_path)
        await client.sweep(tmp_path)
        assert process.poll() is None


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\n",
        b"[]\n",
        b"7\n",
        b"{}\n",
        b'{"hello": 7}\n',
        b'{"error": "go away"}\n',
        b'{"hello": {"pid": 1, "nonce": "x", "program": "p", "namespace": "n", "version": "1"}}\n',
        b"x" * 100_000,
    ],
    ids=lambda answer: repr(answer[:14]),
)
async def test_whoever_answers_wrongly_on_the_socket_is_not_adopted(tmp_path: Path, answer: bytes) -> None:
    write_identity(tmp_path, Identity.of_this_process())
    with socket_path(tmp_path) as path:
        listener = await anyio.create_unix_listener(path)

    async def handle(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.receive()
            if answer:
                await stream.send(answer)

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        with pytest.raises(NotRunning), anyio.fail_after(5):
            await connect(tmp_path)
        tasks.cancel_scope.cancel()


async def test_a_socket_that_nobody_listens_on_is_not_running(tmp_path: Path) -> None:
    write_identity(tmp_path, Identity.of_this_process())
    with socket_path(tmp_path) as path, socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    with pytest.raises(NotRunning, match="does not answer"):
        await connect(tmp_path)


# --- the end --------------------------------------------------------------------------------------------


@pytest.mark.e2e
async def test_stopping_ends_in_time_with_every_child_frozen_and_leaves_nothing(
    folder: Path, tmp_path: Path
) -> None:
    plan = make_plan(tmp_path, cues=(("x", 30),), cameras=[film("x", numbered_clip())])
    write_plan(folder, plan, {})
    async with started(folder) as playout:
        await publishes(playout)
        await eventually(lambda: len(owned(folder)) == 3)
        for pid in owned(folder):
            os.kill(pid, signal.SIGSTOP)
        stopping = time.monotonic()
        await playout.stop()
        assert time.monotonic() - stopping < 10
        assert owned(folder) == []
        assert not alive(playout.pid)


@pytest.mark.e2e
async def test_a_frozen_playout_is_ended_too(folder: Path, tmp_path: Path) -> None:
    write_plan(folder, make_plan(tmp_path), {})
    async with started(folder) as playout:
        await publishes(playout)
        os.kill(playout.pid, signal.SIGSTOP)
        stopping = time.monotonic()
        await playout.stop()
        assert time.monotonic() - stopping < 12
        assert owned(folder) == []
        assert not alive(playout.pid)


@pytest.mark.e2e
async def test_a_killed_playout_is_swept_and_its_successor_goes_on_at_the_right_frame(
    folder: Path, tmp_path: Path
) -> None:
    plan = make_plan(tmp_path, cues=(("x", 30),), cameras=[film("x", numbered_clip())])
    write_plan(folder, plan, {})
    async with started(folder) as first:
        await publishes(first)
        status, at = await first.status(), time.monotonic()
        os.kill(first.pid, signal.SIGKILL)
        await first.wait_ended()
        with pytest.raises(NotRunning, match="has ended"):
            await connect(folder)
        async with started(folder) as second:
            assert time.monotonic() - at < 6, "on air again within five seconds or so"
            passed = (time.monotonic() - at) * 15
            assert (await second.status()).frame - status.frame == pytest.approx(passed, abs=8)
            await publishes(second)
            await eventually(lambda: len(owned(folder)) == 3, 10, "nothing of the first is left")
    seen = recorded.read(sorted((tmp_path / "recording").iterdir()), camera=CAMERA_ROW, program=PROGRAM_ROW)
    numbers = recorded.program_numbers(seen)
    assert numbers == sorted(set(numbers))


@pytest.mark.e2e
async def test_a_signal_stops_a_playout_in_order(folder: Path, tmp_path: Path) -> None:
    write_plan(folder, make_plan(tmp_path), {})
    async with started(folder) as playout:
        await publishes(playout)
        os.kill(playout.pid, signal.SIGTERM)
        with anyio.fail_after(10):
            await playout.wait_ended()
        assert owned(folder) == []
        said = [json.loads(line)["event"] for line in (folder / "log.jsonl").read_text().splitlines()]
        assert said[-1] == "off air"


@pytest.mark.e2e
async def test_a_cancelled_start_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    write_plan(folder, make_plan(tmp_path, outputs=[]), {})
    with anyio.move_on_after(0.15) as scope:
        await start(folder)
    assert scope.cancelled_caught
    identity = read_identity(folder)
    assert identity is None or not identity.alive
    async with started(folder):
        pass


@pytest.mark.e2e
async def test_what_python_said_of_a_crash_is_kept_when_the_next_playout_starts(
    folder: Path, tmp_path: Path
) -> None:
    write_plan(folder, make_plan(tmp_path), {})
    async with started(folder) as first:
        os.kill(first.pid, signal.SIGSEGV)
        await first.wait_ended()
        async with started(folder):
            assert "Segmentation fault" in (folder / "crash.log.1").read_text()
            assert (folder / "crash.log").read_text() == ""
