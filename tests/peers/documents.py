"""A web server with JSON documents: a real one, whose answers a test may change."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Asked:
    """A request."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)


class Documents:
    """Serves what `put` and `answer` say on ``http://127.0.0.1:PORT``; remembers who asked.

    With `tls` (certificate and key) it is https.
    """

    def __init__(self, tls: tuple[Path, Path] | None = None) -> None:
        self.asked: list[Asked] = []
        self._answers: dict[str, Answer] = {}
        self._stopping = threading.Event()
        answers, asked = self._answers, self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(Asked(self.path, dict(self.headers.items())))
                answer = answers.get(self.path.partition("?")[0], not_found)
                try:
                    answer(self)
                except OSError:
                    return  # who asked has gone

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False  # they are waited for at the end
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="documents")
        self.port = int(self._server.server_address[1])
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            plain = self._server.socket
            self._server.socket = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)

    def put(self, path: str, document: Any) -> str:
        """Serve a document as JSON; its address."""
        return self.answer(path, sends(json.dumps(document).encode()))

    def answer(self, path: str, answer: Answer) -> str:
        """Have requests for a path answered so; its address."""
        self._answers[path] = answer
        return self.url + path

    def drips(self, data: bytes, *, every: float = 0.05) -> Answer:
        """Bytes that come one by one, until the server ends."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            for byte in data:
                request.wfile.write(bytes([byte]))
                request.wfile.flush()
                if self._stopping.wait(every):
                    return

        return answer

    def silent(self) -> Answer:
        """No answer, until the server ends."""

        def answer(_request: BaseHTTPRequestHandler) -> None:
            self._stopping.wait()

        return answer

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def sends(data: bytes, *, status: int = 200, **headers: str) -> Answer:
    """An answer with these bytes."""

    said = {"Content-Length": str(len(data))}
    said |= {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in said.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(data)

    return answer


def redirects(to: str, status: int = 302) -> Answer:
    """An answer that says: look there."""
    return sends(b"", status=status, Location=to)


def not_found(request: BaseHTTPRequestHandler) -> None:
    """There is no such document."""
    sends(b"", status=404)(request)
