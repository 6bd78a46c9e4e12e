"""All that a controller needs of playouts: start one, adopt one that runs, talk to it, end it.

A playout found at a start is adopted when its folder's identity holds: the same boot, the same process
with the same start time, and the nonce answered over the socket. Anything else is stale, and is swept;
nothing is ever signalled on the strength of a process number alone.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from vistterstream.base.errors import PermanentError, TemporaryError
from vistterstream.base.processes import start_time
from vistterstream.playout.files import (
    CRASH,
    IDENTITY,
    LOG,
    SOCKET,
    Identity,
    object_name,
    playout_dir,
    read_identity,
    socket_path,
    write_plan,
)
from vistterstream.playout.protocol import Applied, Hello, PlayoutStatus
from vistterstream.playout.sweep import sweep

__all__ = [
    "NotRunning",
    "PlayoutClient",
    "PlayoutLost",
    "alive",
    "connect",
    "forget",
    "object_name",
    "playout_dir",
    "running",
    "start",
    "sweep",
    "write_plan",
]

_START_LIMIT = 20.0
_ANSWER_LIMIT = 10.0
_APPLY_LIMIT = 30.0
_MAX_ANSWER = 4 << 20
_POLL = 0.02


class NotRunning(Exception):
    """No playout that could be adopted runs in the folder; the text says why."""


class PlayoutLost(TemporaryError):
    """The playout went away, or does not answer."""

    def __init__(self, message: str) -> None:
        super().__init__(message, delay=0.5, reason="PlayoutLost")


def running(state_dir: Path) -> list[Path]:
    """The folders of all playouts that run or ran."""
    folder = state_dir.absolute() / "playout"
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def alive(state_dir: Path) -> dict[Path, int]:
    """The folders in which the process of a playout runs, be it one that answers or not, and its number."""
    identities = {folder: read_identity(folder) for folder in running(state_dir)}
    return {folder: found.pid for folder, found in identities.items() if found is not None and found.alive}


async def connect(folder: Path) -> PlayoutClient:
    """Adopt the playout that runs in `folder`; raises NotRunning."""
    identity = read_identity(folder)
    if identity is None:
        raise NotRunning("nothing says that a playout ever ran here")
    if not identity.alive:
        raise NotRunning(f"process {identity.pid} has ended")
    try:
        hello = Hello.model_validate((await _ask(folder, "hello"))["hello"])
    except (PlayoutLost, PermanentError, KeyError, ValueError) as error:
        raise NotRunning(f"process {identity.pid} does not answer") from error
    if hello.nonce != identity.nonce or hello.pid != identity.pid:
        raise NotRunning("another process answers")
    try:
        return PlayoutClient(folder, identity, hello, process=None)
    except ProcessLookupError:
        raise NotRunning(f"process {identity.pid} has ended") from None


async def start(folder: Path) -> PlayoutClient:
    """Start the playout of `folder`, which holds its plan, and wait until it is on air.

    Raises TemporaryError with what the playout said last where it does not come up.
    """
    process = _spawn(folder)
    client: PlayoutClient | None = None
    try:
        with anyio.fail_after(_START_LIMIT):
            client = await _until_up(folder, process)
    except TimeoutError:
        raise TemporaryError(
            f"The playout did not come up within {_START_LIMIT:.0f} s.", delay=1, reason="PlayoutFailed"
        ) from None
    finally:
        if client is None:  # also when cancelled: nobody would know of it
            process.kill()
            process.wait()
    return client


def _spawn(folder: Path) -> subprocess.Popen[bytes]:
    crash = folder / CRASH
    if crash.exists() and crash.stat().st_size:
        crash.replace(crash.with_name(f"{CRASH}.1"))  # the last one that broke; this one has said nothing yet
    with crash.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "vistterstream.playout", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )


async def _until_up(folder: Path, process: subprocess.Popen[bytes]) -> PlayoutClient:
    while process.poll() is None:
        identity = read_identity(folder)
        if identity is not None and identity.pid == process.pid and (folder / SOCKET).exists():
            try:
                hello = Hello.model_validate((await _ask(folder, "hello"))["hello"])
            except PlayoutLost:
                pass
            else:
                if hello.nonce == identity.nonce:
                    return PlayoutClient(folder, identity, hello, process=process)
        await anyio.sleep(_POLL)
    raise TemporaryError(f"The playout ended at once: {_last_words(folder)}", delay=1, reason="PlayoutFailed")


def _last_words(folder: Path) -> str:
    try:
        lines = (folder / LOG).read_bytes()[-4096:].decode("utf-8", "replace").splitlines()
        said = json.loads(lines[-1])
        return str(said.get("message") or said.get("exception") or said.get("event"))
    except (OSError, ValueError, IndexError, AttributeError):
        return f"see {folder / LOG}"


class PlayoutClient:
    """A running playout. Each request has a connection of its own, so that none waits for another."""

    def __init__(
        self, folder: Path, identity: Identity, hello: Hello, *, process: subprocess.Popen[bytes] | None
    ) -> None:
        self._folder = folder
        self._identity = identity
        self._process = process  # where it is a child of ours, which we must wait for
        self._pidfd = os.pidfd_open(identity.pid)
        self.hello = hello
        if process is None and not identity.alive:  # the number may be another's since it was looked at
            os.close(self._pidfd)
            raise ProcessLookupError

    @property
    def pid(self) -> int:
        """The process."""
        return self._identity.pid

    @property
    def folder(self) -> Path:
        """Its folder."""
        return self._folder

    async def apply(self) -> Applied:
        """Have it converge to the plan in its folder; raises PermanentError where it refuses."""
        return Applied.model_validate((await _ask(self._folder, "apply", limit=_APPLY_LIMIT))["applied"])

    async def status(self) -> PlayoutStatus:
        """What it observes; raises PlayoutLost."""
        return PlayoutStatus.model_validate((await _ask(self._folder, "status"))["status"])

    async def watch(self) -> AsyncIterator[PlayoutStatus]:
        """What it observes, now, at each change and once a second; raises PlayoutLost when it goes."""
        async with await _connection(self._folder) as stream:
            await _send(stream, "watch")
            lines = BufferedByteReceiveStream(stream)
            while True:
                yield PlayoutStatus.model_validate((await _answer(lines, _ANSWER_LIMIT))["status"])

    async def stop(self, *, deadline: float = 6.5) -> None:
        """Have it end; after `deadline` seconds kill it. Either way nothing of it is left."""
        with anyio.CancelScope(shield=True):
            try:
                await _ask(self._folder, "stop", limit=1.0)
            except (PlayoutLost, PermanentError):
                self._signal(signal.SIGTERM)
            with anyio.move_on_after(deadline) as scope:
                await self.wait_ended()
            if scope.cancelled_caught:
                self._signal(signal.SIGKILL)
                await self.wait_ended()
            await sweep(self._folder)
            forget(self._folder)

    async def wait_ended(self) -> None:
        """Wait until the process is gone."""
        while not self._gone():
            descriptor = os.dup(self._pidfd)  # a descriptor has one waiter at most
            try:
                await anyio.wait_readable(descriptor)
            finally:
                os.close(descriptor)

    async def aclose(self) -> None:
        """Let go of it; it goes on running."""
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1

    def _gone(self) -> bool:
        if self._process is not None:
            return self._process.poll() is not None
        return start_time(self.pid) != self._identity.start_time

    def _signal(self, number: signal.Signals) -> None:
        try:
            signal.pidfd_send_signal(self._pidfd, number)
        except ProcessLookupError:
            return


def forget(folder: Path) -> None:
    """Remove what says who runs in `folder`, where that process has ended."""
    identity = read_identity(folder)
    if identity is not None and not identity.alive:
        (folder / IDENTITY).unlink(missing_ok=True)


async def _connection(folder: Path) -> SocketStream:
    try:
        with socket_path(folder) as path, anyio.fail_after(_ANSWER_LIMIT):
            return await anyio.connect_unix(path)
    except (OSError, TimeoutError) as error:
        raise PlayoutLost("The playout does not answer on its socket.") from error


async def _ask(folder: Path, operation: str, *, limit: float = _ANSWER_LIMIT) -> Mapping[str, Any]:
    async with await _connection(folder) as stream:
        await _send(stream, operation)
        return await _answer(BufferedByteReceiveStream(stream), limit)


async def _send(stream: SocketStream, operation: str) -> None:
    try:
        await stream.send(json.dumps({"op": operation}).encode() + b"\n")
    except anyio.BrokenResourceError as error:
        raise PlayoutLost("The playout went away.") from error


async def _answer(lines: BufferedByteReceiveStream, limit: float) -> Mapping[str, Any]:
    try:
        with anyio.fail_after(limit):
            answer = json.loads(await lines.receive_until(b"\n", _MAX_ANSWER))
        if not isinstance(answer, dict):
            raise ValueError("an answer is a JSON object")
    except (
        TimeoutError,
        ValueError,
        anyio.EndOfStream,
        anyio.IncompleteRead,
        anyio.DelimiterNotFound,
        anyio.BrokenResourceError,
    ) as error:
        raise PlayoutLost("The playout went away, or does not answer.") from error
    if "error" in answer:
        raise PermanentError(str(answer["error"]), reason=str(answer.get("reason", "Refused")))
    return answer
