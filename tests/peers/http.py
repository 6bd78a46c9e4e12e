"""An HTTP camera: gives everyone who asks an endless MPEG-TS of numbered pictures."""

from __future__ import annotations

import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from peers.pushing import publish_command


class HttpCamera:
    """A camera on ``http://127.0.0.1:PORT/live.ts``; each viewer has an FFmpeg of its own."""

    def __init__(self, folder: Path, number: int) -> None:
        command = publish_command(folder, "pipe:1", "mpegts", count=45, number=number, loop=True)
        viewers: set[subprocess.Popen[bytes]] = set()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "video/mp2t")
                self.end_headers()
                with subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                ) as source:
                    viewers.add(source)
                    assert source.stdout is not None
                    try:
                        while data := os.read(source.stdout.fileno(), 65_536):
                            self.wfile.write(data)
                    except OSError:
                        return  # the viewer has gone
                    finally:
                        source.kill()
                        viewers.discard(source)

            def log_message(self, *_args: object) -> None:
                pass

        self._viewers = viewers
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False  # they are waited for at the end
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="http camera")
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/live.ts"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        for viewer in list(self._viewers):
            viewer.kill()
        self._server.server_close()
