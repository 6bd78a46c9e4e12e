"""The controller's socket for the ``vistter`` command: ``STATE/control.sock``, JSON lines, this user alone.

A request is one JSON object on one line, with ``op``; the answers come in the order of the requests. The
socket gives what `Answers` says, so that nothing of a Secret but its keys ever leaves:

- ``get`` (kind, namespace, name) → ``{"object": …}``
- ``list`` (kind, namespace; all of them without) → ``{"objects": [...], "resourceVersion": n}``
- ``watch`` (kind, namespace, name, since) → a ``{"change": …}`` line for each change; never ends
- ``events`` (kind, namespace, name) → ``{"events": [...]}``; with ``follow`` an ``{"event": …}`` line
  for each, also for those to come; never ends
- ``describe`` (kind, namespace, name) → ``{"description": …}``
- ``diff`` (objects, deleted: [{kind, namespace, name}]) → ``{"difference": …}``
- ``problems`` → ``{"problems": [...], "warnings": [...]}``: sentences about manifests that could not be
  taken, and about what keeps the controller from its work
- ``version`` → ``{"version": …}``, ``health`` → ``{"health": …}``
- ``stop`` → ``{"stopping": true}``: everything goes off air and the controller ends

An answer ``{"error": MESSAGE, "reason": REASON}`` changes nothing. The socket's path may be longer than the
107 bytes that a socket address holds (unix(7)): both sides go through ``/proc/self/fd`` of the opened folder.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import SocketStream, TaskStatus
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from vistterstream.api.address import SOCKET, reachable
from vistterstream.api.answers import Answers
from vistterstream.base import logs
from vistterstream.base.errors import VistterError
from vistterstream.resources.kinds import DEFAULT_NAMESPACE

log = logs.get("api")

MAX_LINE = 16 << 20
"""Bytes of a request, which may hold all manifests of an appliance; a longer line ends the connection."""
_MAX_CLIENTS = 64
_SEND_TIMEOUT = 30.0  # seconds in which a client has to take an answer
_GONE = (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError)


class Request(BaseModel):
    """One line from a client. Unknown fields are left alone: a newer client may send them."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True)

    op: str
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    since: int | None = None
    follow: bool = False
    objects: list[dict[str, Any]] = []
    deleted: list[dict[str, Any]] = []


async def serve(
    folder: Path,
    answers: Answers,
    stop: Callable[[], None],
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Answer clients on the socket in `folder` until cancelled; then the socket is gone.

    The caller holds the lock of `folder`, so a socket that is there belongs to nobody. `stop` is called when
    a client asks for the end.
    """
    with reachable(folder) as path:
        listener = await anyio.create_unix_listener(path, mode=0o600)
        limit = anyio.CapacityLimiter(_MAX_CLIENTS)

        async def handle(stream: SocketStream) -> None:
            async with stream, limit:
                await _Connection(stream, answers, stop).run()

        try:
            async with listener:
                task_status.started()
                await listener.serve(handle)
        finally:
            (folder / SOCKET).unlink(missing_ok=True)


class _Connection:
    """One client."""

    def __init__(self, stream: SocketStream, answers: Answers, stop: Callable[[], None]) -> None:
        self._stream = stream
        self._lines = BufferedByteReceiveStream(stream)
        self._answers = answers
        self._stop = stop

    async def run(self) -> None:
        """Answer until the client goes, sends a line that has no end, or takes no answer."""
        try:
            while True:
                line = await self._lines.receive_until(b"\n", MAX_LINE)
                await self._handle(line)
        except anyio.DelimiterNotFound:
            message = f"a request has at most {MAX_LINE} bytes and ends with a newline"
            await self._refuse(VistterError(message, reason="TooLarge"))
        except (*_GONE, TimeoutError):
            return

    async def _handle(self, line: bytes) -> None:
        answers = self._answers
        try:
            request = _parse(line)
            kind, namespace, name = request.kind, request.namespace, request.name
            if request.op == "stop":
                await self._send({"stopping": True})
                self._stop()
            elif request.op == "watch":
                await self._follow(
                    self._answers.watch(request.kind, request.namespace, request.name, request.since)
                )
            elif request.op == "events" and request.follow:
                await self._follow(answers.follow_events(kind, namespace, name))
            else:
                await self._send(answer(answers, request))
        except VistterError as error:
            await self._refuse(error)

    async def _follow(self, news: AsyncIterator[dict[str, Any]]) -> None:
        """Pass `news` on until the client goes; it has nothing more to ask on this connection."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._until_gone)
                async for entry in news:
                    await self._send(entry)
        except* VistterError as group:
            # The task group wraps what the news raised; it is the only one that does.
            await self._refuse(_first(group))
        except* _GONE:
            pass
        raise anyio.EndOfStream

    async def _until_gone(self) -> None:
        """Read, and leave unread, what a client says that is being told news; raises when it has gone."""
        while True:
            await self._lines.receive()

    async def _send(self, answer: dict[str, Any]) -> None:
        with anyio.fail_after(_SEND_TIMEOUT):
            await self._stream.send(json.dumps(answer, separators=(",", ":")).encode() + b"\n")

    async def _refuse(self, error: VistterError) -> None:
        await self._send({"error": error.message, "reason": error.reason})


def _first(group: BaseExceptionGroup[VistterError]) -> VistterError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def _parse(line: bytes) -> Request:
    try:
        return Request.model_validate_json(line)
    except ValidationError:
        raise VistterError(
            'a request is one JSON object with "op"; this line is none', reason="BadRequest"
        ) from None


def answer(answers: Answers, request: Request) -> dict[str, Any]:
    """The answer to a request that has one."""
    kind, namespace, name = request.kind, request.namespace, request.name
    match request.op:
        case "get":
            return {"object": answers.get(*_key(request))}
        case "list":
            objects, version = answers.objects(kind, namespace)
            return {"objects": objects, "resourceVersion": version}
        case "events":
            return {"events": answers.events(kind, namespace, name)}
        case "describe":
            return {"description": answers.describe(*_key(request))}
        case "diff":
            return {"difference": answers.diff(request.objects, request.deleted)}
        case "problems":
            return {"problems": answers.problems(), "warnings": answers.warnings()}
        case "version":
            return {"version": answers.version()}
        case "health":
            return {"health": answers.health()}
    raise VistterError(f"there is no operation {request.op[:40]!r}", reason="BadRequest")


def _key(request: Request) -> tuple[str, str, str]:
    if request.kind is None or request.name is None:
        raise VistterError(f"the operation {request.op} needs kind and name", reason="BadRequest")
    return request.kind, request.namespace or DEFAULT_NAMESPACE, request.name
