"""HTTP for people and Prometheus on this machine: the preview page with its HLS, metrics, health.

There is no authentication yet, so nobody but this machine may ask. Two things see to that: `listen_address`
takes loopback addresses only, and a request whose Host is no loopback name is refused, since a web page
elsewhere could else point a name of its own at 127.0.0.1 and read along (DNS rebinding). Everything is GET;
nothing can be changed from here.
"""

from __future__ import annotations

import errno
import ipaddress
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from pathlib import Path

import anyio
from aiohttp import web
from anyio.abc import TaskStatus

from vistterstream.api.answers import Answers
from vistterstream.api.preview import Preview
from vistterstream.base.errors import VistterError
from vistterstream.base.metrics import CONTENT_TYPE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_HLS_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".ts": "video/mp2t",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
}
_PAGE_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
_PART = re.compile(r"(?!\.\.?$)[^/\0]{1,255}")
_ADDRESS = re.compile(r"(?P<host>.*):(?P<first>[0-9]{1,5})(?:-(?P<last>[0-9]{1,5}))?")
_MAX_PORTS = 1000
_PAGE = files("vistterstream.api") / "page"
_INTERVAL = 0.5  # seconds between two looks for news
_BEAT = 10.0  # seconds without news after which a page is told that the controller is there
_MAX_PAGES = 32


class AddressInUse(VistterError):
    """Another program listens there."""


def listen_addresses(text: str) -> list[tuple[str, int]]:
    """Hosts and ports of ``ADDR:PORT``, or of ``ADDR:FIRST-LAST``, where the first free port is meant.

    Raises VistterError unless the address is a loopback address.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise VistterError(
            f"{text!r} is not ADDR:PORT, such as 127.0.0.1:8642 or [::1]:8642", reason="BadAddress"
        )
    host = "127.0.0.1" if match["host"] == "localhost" else match["host"].strip("[]")
    first = int(match["first"])
    last = int(match["last"] or first)
    if not first <= last <= 65535 or last - first >= _MAX_PORTS:
        raise VistterError(
            f"{text!r} names no port from 0 to 65535, or more than {_MAX_PORTS} of them", reason="BadAddress"
        )
    _check_loopback(host, first)
    return [(host, port) for port in range(first, last + 1)]


def _check_loopback(host: str, port: int) -> None:
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise VistterError(
            f"{host!r} is not an IP address; write 127.0.0.1:{port}", reason="BadAddress"
        ) from None
    if not loopback:
        raise VistterError(
            f"the address {host} can be reached from other machines, and there is no authentication yet: "
            f"listen on 127.0.0.1:{port}, and reach it from elsewhere through ssh -L {port}:127.0.0.1:{port}",
            reason="BadAddress",
        )


def _is_local(host: str | None) -> bool:
    """Whether a Host header names this machine: a loopback address or localhost, with any port."""
    if not host:
        return False
    name = host[: host.rindex("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    if name.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses foreign Hosts, gives every answer its headers."""
    if not _is_local(request.headers.get("Host")):
        return web.Response(status=421, text="This address serves its own machine only.\n", headers=_SECURITY)
    try:
        return await handler(request)
    except web.HTTPException as error:
        return web.Response(status=error.status, text=f"{error.reason}\n", headers=_SECURITY)


async def _headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_SECURITY)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.popall("Server", None)


class Site:
    """The handlers. `state_dir` is the state folder, `metrics` gives the text for Prometheus."""

    def __init__(self, answers: Answers, state_dir: Path, metrics: Callable[[], bytes]) -> None:
        self._answers = answers
        self._hls = state_dir / "hls"
        self._preview = Preview(answers, state_dir)
        self._metrics = metrics
        self._closing = anyio.Event()
        self._pages = 0
        self._news: tuple[float, str] = (-_INTERVAL, "")

    def application(self) -> web.Application:
        """The application, to be run by `serve` or a test."""
        application = web.Application(middlewares=[_guard])
        application.on_response_prepare.append(_headers)
        application.on_shutdown.append(self._close)
        application.add_routes(
            [
                web.get("/", self._index),
                web.get("/page/{file}", self._asset),
                web.get("/metrics", self._metrics_text),
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/api/status", self._status),
                web.get("/api/live", self._live),
                web.get("/hls/{output}/{target}/{file}", self._hls_file),
            ]
        )
        return application

    async def _close(self, _application: web.Application) -> None:
        self._closing.set()

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return _page_file("index.html")

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        return _page_file(request.match_info["file"])

    async def _metrics_text(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(body=self._metrics(), headers={"Content-Type": CONTENT_TYPE})

    async def _healthz(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.StreamResponse:
        reasons = self._answers.not_ready()
        return web.Response(status=503 if reasons else 200, text="\n".join(reasons or ["ok"]) + "\n")

    async def _status(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self._preview.snapshot())

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events (HTML Standard, section 9.2): the snapshot, at once and when it changes."""
        if self._pages >= _MAX_PAGES:
            raise web.HTTPServiceUnavailable(reason="Too many pages are open")
        self._pages += 1
        try:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            async for event in self._events():
                await response.write(event)
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._pages -= 1
        return response

    async def _events(self) -> AsyncIterator[bytes]:
        told, told_at = "", 0.0
        while not self._closing.is_set():
            news = self._snapshot()
            if news != told:
                told, told_at = news, anyio.current_time()
                yield f'data: {{"time":{time.time()},{news}\n\n'.encode()
            elif anyio.current_time() - told_at >= _BEAT:
                told_at = anyio.current_time()
                yield f"event: beat\ndata: {time.time()}\n\n".encode()
            with anyio.move_on_after(_INTERVAL):
                await self._closing.wait()

    def _snapshot(self) -> str:
        """The snapshot in JSON, without its opening brace and time; pages that look at about the same time
        share one.
        """
        made, news = self._news
        if anyio.current_time() - made >= _INTERVAL / 2:
            snapshot = self._preview.snapshot()
            del snapshot["time"]
            news = json.dumps(snapshot, separators=(",", ":"))[1:]
            self._news = (anyio.current_time(), news)
        return news

    async def _hls_file(self, request: web.Request) -> web.StreamResponse:
        parts = [request.match_info[name] for name in ("output", "target", "file")]
        if not all(_PART.fullmatch(part) for part in parts):
            raise web.HTTPNotFound
        path = self._hls.joinpath(*parts)
        content_type = _HLS_TYPES.get(path.suffix)
        if content_type is None or not await anyio.to_thread.run_sync(_is_file_inside, path, self._hls):
            raise web.HTTPNotFound
        caching = "no-store" if path.suffix == ".m3u8" else "private, max-age=60"
        return web.FileResponse(path, headers={"Content-Type": content_type, "Cache-Control": caching})


def _is_file_inside(path: Path, folder: Path) -> bool:
    return path.is_file() and path.resolve().is_relative_to(folder.resolve())


def _page_file(name: str) -> web.Response:
    """A file of the page, from the package. Raises HTTPNotFound."""
    suffix = Path(name).suffix
    if not _PART.fullmatch(name) or suffix not in _PAGE_TYPES or not (_PAGE / name).is_file():
        raise web.HTTPNotFound
    return web.Response(
        body=(_PAGE / name).read_bytes(),
        content_type=_PAGE_TYPES[suffix],
        charset="utf-8",
        headers={"Cache-Control": "no-cache"},
    )


async def serve(
    site: Site, host: str, port: int, *, task_status: TaskStatus[str] = anyio.TASK_STATUS_IGNORED
) -> None:
    """Serve until cancelled. Tells its address once it listens; port 0 takes a free one. Raises VistterError
    where the port is taken.
    """
    runner = web.AppRunner(
        site.application(),
        access_log=None,
        handle_signals=False,
        handler_cancellation=True,
        shutdown_timeout=1.0,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise _cannot_listen(host, port, error) from error
        bound = runner.addresses[0][1]
        task_status.started(f"http://{f'[{host}]' if ':' in host else host}:{bound}/")
        await anyio.sleep_forever()
    finally:
        with anyio.CancelScope(shield=True):
            await runner.cleanup()


def _cannot_listen(host: str, port: int, error: OSError) -> VistterError:
    if error.errno == errno.EADDRINUSE:
        return AddressInUse(
            f"port {port} of {host} is taken by another program; choose another with --listen {host}:PORT",
            reason="AddressInUse",
        )
    return VistterError(f"cannot listen on {host}:{port}: {error.strerror or error}", reason="BadAddress")
