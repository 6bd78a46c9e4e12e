"""The playout's socket: answers in order, survives nonsense, and never takes the program off the air."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from playout.plans import make_plan
from playout.waiting import eventually
from vistterstream.playout.engine import Engine
from vistterstream.playout.files import PLAN, SOCKET, Identity, playout_dir, socket_path, write_plan
from vistterstream.playout.protocol import Applied, Hello, PlayoutStatus
from vistterstream.playout.server import serve
from vistterstream.timeline.digests import plan_revision

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Line:
    """A connection to the socket."""

    def __init__(self, stream: SocketStream) -> None:
        self.stream = stream
        self._lines = BufferedByteReceiveStream(stream)

    async def say(self, line: bytes) -> None:
        await self.stream.send(line)

    async def hear(self) -> dict[str, Any]:
        with anyio.fail_after(10):
            answer: dict[str, Any] = json.loads(await self._lines.receive_until(b"\n", 1 << 20))
        return answer

    async def flood(self) -> None:
        """Six megabytes without a line end; raises what comes of it."""
        for _ in range(100):
            await self.say(b"x" * 65536)
        await self.hear()

    async def ask(self, operation: object) -> dict[str, Any]:
        await self.say(json.dumps({"op": operation}).encode() + b"\n")
        return await self.hear()


def listens(folder: Path) -> bool:
    """Whether somebody accepts connections on the folder's socket."""
    with socket_path(folder) as path, socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(path) == 0


class Served:
    """An engine that runs, and its socket."""

    def __init__(self, folder: Path, engine: Engine, identity: Identity) -> None:
        self.folder, self.engine, self.identity = folder, engine, identity
        self.ended = anyio.Event()

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        with socket_path(self.folder) as path:
            stream = await anyio.connect_unix(path)
        async with stream:
            yield Line(stream)


@asynccontextmanager
async def serving(tmp_path: Path) -> AsyncIterator[Served]:
    folder = playout_dir(tmp_path, "default", "main")
    write_plan(folder, make_plan(tmp_path, outputs=[], encodings=()), {})
    engine = Engine(folder, environment=os.environ)
    served = Served(folder, engine, Identity.of_this_process())

    async def run() -> None:
        async with anyio.create_task_group() as tasks:

            def ready() -> None:
                tasks.start_soon(serve, folder, engine, served.identity)

            await engine.run(ready)
            tasks.cancel_scope.cancel()
        served.ended.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        await eventually(lambda: listens(folder))
        try:
            yield served
        finally:
            engine.stop()
            with anyio.CancelScope(shield=True), anyio.fail_after(15):
                await served.ended.wait()


async def test_hello_proves_who_answers(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.line() as line:
        hello = Hello.model_validate((await line.ask("hello"))["hello"])
        assert hello.nonce == served.identity.nonce
        assert (hello.pid, hello.program, hello.namespace) == (os.getpid(), "main", "default")


async def test_only_the_owner_may_connect(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        mode = (await anyio.Path(served.folder / SOCKET).stat()).st_mode
        assert stat.S_IMODE(mode) == 0o600
        assert stat.S_IMODE((await anyio.Path(served.folder).stat()).st_mode) == 0o700


async def test_requests_of_one_client_are_answered_in_order(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.line() as line:
        await line.say(b'{"op": "hello"}\n{"op": "status"}\n{"op": "apply"}\n{"op": "hello"}\n')
        answers = [await line.hear() for _ in range(4)]
        assert [next(iter(answer)) for answer in answers] == ["hello", "status", "applied", "hello"]


async def test_status_and_apply_say_what_the_engine_does(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.line() as line:
        status = PlayoutStatus.model_validate((await line.ask("status"))["status"])
        assert status.revision == plan_revision(served.engine.plan)
        plan = make_plan(tmp_path, outputs=[], encodings=(), color="#E0E0E0")
        write_plan(served.folder, plan, {})
        applied = Applied.model_validate((await line.ask("apply"))["applied"])
        assert applied.revision == plan_revision(plan)


async def test_a_plan_that_is_refused_is_an_answer_with_a_reason(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.line() as line:
        (served.folder / PLAN).write_text("{")
        answer = await line.ask("apply")
        assert answer["reason"] == "BadPlan"
        assert answer["error"].startswith("The plan ")
        assert "status" in await line.ask("status")


NONSENSE = [
    b"\n",
    b"hello\n",
    b"[]\n",
    b"7\n",
    b"null\n",
    b'"op"\n',
    b"{}\n",
    b'{"op": null}\n',
    b'{"op": ["hello"]}\n',
    b'{"op": {"a": 1}}\n',
    b'{"op": "reboot"}\n',
    b"\xff\xfe\n",
    b"[" * 60_000 + b"\n",
    b'{"op": ' * 5_000 + b"\n",
]


async def test_nonsense_is_answered_with_an_error_and_the_connection_goes_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.line() as line:
        for nonsense in NONSENSE:
            await line.say(nonsense)
            assert "error" in await line.hear(), nonsense[:40]
        assert "hello" in await line.ask("hello")
        assert not served.ended.is_set()


async def test_a_line_without_end_costs_that_client_its_connection_and_nobody_else(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.line() as bystander:
        async with served.line() as line:
            with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError, anyio.IncompleteRead)):
                await line.flood()
        assert "hello" in await bystander.ask("hello")


async def test_clients_that_go_away_in_the_middle_hurt_nobody(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        for sent in (b"", b'{"op": "sta', b'{"op": "watch"}\n', b'{"op": "status"}\n' * 50):
            with socket_path(served.folder) as path, socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                client.sendall(sent)
        async with served.line() as line:
            assert "hello" in await line.ask("hello")


async def test_a_watcher_hears_at_once_on_changes_and_once_a_second(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.line() as watcher, served.line() as line:
        first = PlayoutStatus.model_validate((await watcher.ask("watch"))["status"])
        write_plan(served.folder, make_plan(tmp_path, outputs=[], encodings=(), color="#E0E0E0"), {})
        await line.ask("apply")
        with anyio.fail_after(0.9):
            while True:
                changed = PlayoutStatus.model_validate((await watcher.hear())["status"])
                if changed.revision != first.revision:
                    break
        with anyio.fail_after(2.5):
            await watcher.hear()


async def test_a_watcher_that_reads_nothing_holds_nobody_up(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.line() as deaf, served.line() as line:
        await deaf.say(b'{"op": "watch"}\n' * 2000)
        for _ in range(20):
            assert "status" in await line.ask("status")


@pytest.mark.slow
async def test_an_unforeseen_failure_is_an_answer_and_the_program_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path) as served:

        async def broken() -> Applied:
            raise ZeroDivisionError("a defect")

        monkeypatch.setattr(served.engine, "apply", broken)
        async with served.line() as line:
            answer = await line.ask("apply")
            assert "defect" not in answer["error"]
        async with served.line() as line:
            assert "hello" in await line.ask("hello")
        assert not served.ended.is_set()


async def test_stop_answers_first_and_then_everything_ends(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.line() as line:
        assert await line.ask("stop") == {"stopping": True}
        with anyio.fail_after(10):
            await served.ended.wait()


async def test_a_socket_left_by_a_dead_playout_is_replaced(tmp_path: Path) -> None:
    folder = playout_dir(tmp_path, "default", "main")
    folder.mkdir(parents=True)
    with socket_path(folder) as path, socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    async with serving(tmp_path) as served, served.line() as line:
        assert "hello" in await line.ask("hello")
