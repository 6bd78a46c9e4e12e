"""The socket and the HTTP server on a real store, in a thread with an event loop of its own."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from anyio.abc import TaskStatus
from anyio.from_thread import BlockingPortal, start_blocking_portal

from vistterstream.api import http as web
from vistterstream.api import local
from vistterstream.api.answers import Answers
from vistterstream.resources.kinds import KINDS, Key, Resource
from vistterstream.store.events import NewEvent
from vistterstream.store.store import Store

T = TypeVar("T")
Form = dict[str, Any]


def resource(
    kind: str, name: str, spec: Form | None = None, namespace: str = "default", **more: Any
) -> Resource:
    """An object; `more` are fields beside spec."""
    form: Form = {"kind": kind, "metadata": {"name": name, "namespace": namespace}, **more}
    if spec is not None:
        form["spec"] = spec
    return KINDS[kind].model.model_validate(form)


def camera(name: str, url: str = "rtsp://10.0.0.5/live", **spec: Any) -> Resource:
    return resource("Camera", name, {"source": {"url": url}, **spec})


def program(name: str = "main", **spec: Any) -> Resource:
    return resource("Program", name, spec)


def hls(name: str, target: str = "page", program: str = "main", **spec: Any) -> Resource:
    return resource("Output", name, {"program": program, "targets": [{"name": target, "hls": {}}], **spec})


def condition(type_: str, status: str, reason: str = "Because", message: str = "") -> Form:
    return {"type": type_, "status": status, "reason": reason, "message": message}


class Served:
    """A store with the two servers that can be put before it."""

    def __init__(self, portal: BlockingPortal, folder: Path) -> None:
        self.portal = portal
        self.folder = folder
        self.stopped = False
        self.complaints: list[str] = []
        self.warnings: list[str] = []
        self.reasons: list[str] = []
        self.store: Store = self.do(lambda: Store(folder / "store.sqlite3"))
        self.answers = Answers(
            self.store,
            folder,
            about={"version": "1.2.3"},
            problems=lambda: self.complaints,
            warnings=lambda: self.warnings,
            not_ready=lambda: self.reasons,
        )

    def do(self, action: Callable[[], T]) -> T:
        """Run `action` in the loop's thread, where the store lives."""
        return self.portal.call(action)

    def apply(self, *resources: Resource) -> None:
        for one in resources:
            self.portal.call(partial(self.store.apply, one, manager="file"))

    def status(self, kind: str, name: str, **status: Any) -> None:
        self.do(lambda: self.store.set_status(Key(kind, "default", name), status))

    def record(self, kind: str, name: str, reason: str, message: str = "It happened.") -> None:
        self.do(lambda: self.store.record(NewEvent(Key(kind, "default", name), reason, message)))

    @contextmanager
    def socket(self) -> Iterator[None]:
        """Answer on the folder's socket."""

        def stop() -> None:
            self.stopped = True

        with self._running(local.serve, self.folder, self.answers, stop):
            yield

    @contextmanager
    def site(self, metrics: bytes = b"", port: int = 0) -> Iterator[Site]:
        """Answer over HTTP."""
        site = web.Site(self.answers, self.folder, lambda: metrics)
        with self._running(web.serve, site, "127.0.0.1", port) as address:
            yield Site(address)

    @contextmanager
    def _running(self, server: Callable[..., Awaitable[None]], *arguments: object) -> Iterator[Any]:
        """Run `server` until the end of the block, and wait until it has ended."""
        ended = threading.Event()

        async def run(*, task_status: TaskStatus[Any]) -> None:
            try:
                await server(*arguments, task_status=task_status)
            finally:
                ended.set()

        future, started = self.portal.start_task(run)
        try:
            yield started
        finally:
            future.cancel()
            assert ended.wait(10), "the server does not end"


class Site:
    """A client of the HTTP server that says what it is told to, also nonsense."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.port = int(urlsplit(address).port or 0)

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    with start_blocking_portal() as portal:
        made = Served(portal, folder)
        try:
            yield made
        finally:
            made.do(made.store.close)
