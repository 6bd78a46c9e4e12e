"""The playout's side of its protocol: answers on ``control.sock``."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from vistterstream import __version__
from vistterstream.base import logs
from vistterstream.base.errors import VistterError
from vistterstream.playout.engine import Engine
from vistterstream.playout.files import SOCKET, Identity, socket_path
from vistterstream.playout.protocol import Hello

_MAX_REQUEST = 65536
_STATUS_INTERVAL = 1.0
_log = logs.get("playout")


async def serve(folder: Path, engine: Engine, identity: Identity) -> None:
    """Answer until cancelled. The socket is readable for its owner alone (the folder is 0700)."""
    (folder / SOCKET).unlink(missing_ok=True)
    with socket_path(folder) as path:
        listener = await anyio.create_unix_listener(path, mode=0o600)
    async with listener:
        await listener.serve(_Connection(engine, identity).handle)


class _Connection:
    def __init__(self, engine: Engine, identity: Identity) -> None:
        self._engine = engine
        self._identity = identity

    async def handle(self, stream: SocketStream) -> None:
        """Answer one client's requests, in order. A client that goes away, or talks nonsense, is dropped."""
        lines = BufferedByteReceiveStream(stream)
        async with stream:
            try:
                while True:
                    line = await lines.receive_until(b"\n", _MAX_REQUEST)
                    await self._answer(stream, line)
            except (
                anyio.EndOfStream,
                anyio.IncompleteRead,
                anyio.DelimiterNotFound,
                anyio.BrokenResourceError,
            ):
                return
            except Exception:  # a client's edge: whatever it asked for must not take the program off the air
                _log.exception("a request failed")
                with contextlib.suppress(anyio.BrokenResourceError):
                    await _send(
                        stream, {"error": "The request failed; the log says why.", "reason": "Failed"}
                    )

    async def _answer(self, stream: SocketStream, line: bytes) -> None:
        try:
            request = json.loads(line)
            operation = request["op"]
        except (ValueError, KeyError, TypeError, RecursionError):
            await _send(stream, {"error": 'A request is a JSON object with "op".'})
            return
        try:
            if operation == "watch":
                await self._watch(stream)
            else:
                await _send(stream, await self._do(operation))
        except VistterError as error:
            await _send(stream, {"error": error.message, "reason": error.reason})

    async def _do(self, operation: object) -> dict[str, Any]:
        engine = self._engine
        if operation == "hello":
            hello = Hello(
                pid=self._identity.pid,
                nonce=self._identity.nonce,
                program=engine.plan.program,
                namespace=engine.plan.namespace,
                version=__version__,
            )
            return {"hello": hello.model_dump()}
        if operation == "apply":
            return {"applied": (await engine.apply()).model_dump()}
        if operation == "status":
            return {"status": engine.status().model_dump(mode="json")}
        if operation == "stop":
            engine.stop()
            return {"stopping": True}
        return {"error": f"Unknown operation {operation!r}."}

    async def _watch(self, stream: SocketStream) -> None:
        while True:
            await _send(stream, {"status": self._engine.status().model_dump(mode="json")})
            with anyio.move_on_after(_STATUS_INTERVAL):
                await self._engine.changed()


async def _send(stream: SocketStream, answer: dict[str, Any]) -> None:
    await stream.send(json.dumps(answer).encode() + b"\n")
