"""Faults on the wire: a TCP proxy that delays, stalls, throttles and cuts."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.from_thread import BlockingPortal, start_blocking_portal

CHUNK = 16_384


@dataclass
class Faults:
    """What the proxy does to bytes from now on; may be changed at any time."""

    delay: float = 0.0  # s before each chunk goes on
    rate: float = 0.0  # bytes/s through each connection and direction; 0: no limit
    stalled: bool = False  # nothing goes on, connections stay open: half-open TCP
    refusing: bool = False  # new connections are closed at once


@dataclass
class _Counts:
    connections: int = 0
    open: dict[int, anyio.CancelScope] = field(default_factory=dict)


class Proxy:
    """Forwards 127.0.0.1:`port` to `target` (host, port), with `faults`; runs in a thread of its own."""

    def __init__(self, target_port: int) -> None:
        self.faults = Faults()
        self.port = 0
        self._target_port = target_port
        self._counts = _Counts()
        self._stack = contextlib.ExitStack()
        self._portal: BlockingPortal | None = None
        self._listening = threading.Event()

    @property
    def connections(self) -> int:
        """Connections accepted so far."""
        return self._counts.connections

    def cut(self) -> None:
        """Reset every open connection."""
        assert self._portal is not None
        self._portal.call(self._cancel_all)

    async def _cancel_all(self) -> None:
        for scope in list(self._counts.open.values()):
            scope.cancel()

    def __enter__(self) -> Self:
        self._portal = self._stack.enter_context(start_blocking_portal())
        self._future, self.port = self._portal.start_task(self._serve)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._future.cancel()
        self._stack.close()

    async def _serve(self, *, task_status: anyio.abc.TaskStatus[int]) -> None:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        async with listener:
            task_status.started(listener.extra(SocketAttribute.local_port))  # noqa: S610  # not Django
            await listener.serve(self._handle)

    async def _handle(self, client: SocketStream) -> None:
        number = self._counts.connections
        self._counts.connections += 1
        async with client:
            if self.faults.refusing:
                return
            try:
                server = await anyio.connect_tcp("127.0.0.1", self._target_port)
            except OSError:
                return
            async with server:
                with anyio.CancelScope() as scope:
                    self._counts.open[number] = scope
                    try:
                        async with anyio.create_task_group() as tasks:
                            tasks.start_soon(self._pump, client, server, scope)
                            tasks.start_soon(self._pump, server, client, scope)
                    finally:
                        del self._counts.open[number]

    async def _pump(self, source: SocketStream, sink: SocketStream, scope: anyio.CancelScope) -> None:
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
            while True:
                await self._pass_on(await source.receive(CHUNK), sink)
        scope.cancel()

    async def _pass_on(self, data: bytes, sink: SocketStream) -> None:
        if self.faults.delay:
            await anyio.sleep(self.faults.delay)
        if self.faults.rate:
            await anyio.sleep(len(data) / self.faults.rate)
        while self.faults.stalled:  # noqa: ASYNC110  # set from another thread
            await anyio.sleep(0.02)
        await sink.send(data)
