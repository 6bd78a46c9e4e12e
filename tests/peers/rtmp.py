"""An RTMP platform: nginx with its RTMP module, which records what arrives."""

from __future__ import annotations

import threading
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs
from xml.etree import ElementTree

from peers import needs
from peers.process import Peer
from peers.waiting import until

_CONFIG = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
load_module {module};
events {{ worker_connections 256; }}
rtmp {{
    server {{
        listen 127.0.0.1:{port};
        chunk_size 4096;
        {applications}
    }}
}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{http_port};
        location /stat {{ rtmp_stat all; }}
        location /control {{ rtmp_control all; }}
    }}
}}
"""
_APPLICATION = """
        application {name} {{
            live on;
            record all;
            record_path {folder}/{name};
            record_unique on;
            on_publish http://127.0.0.1:{hook_port}/publish;
        }}
"""


@dataclass(frozen=True)
class Publisher:
    """Someone who is publishing now. Bytes and bit/s as nginx counts them."""

    application: str
    name: str
    bytes_in: int
    bits_per_second: int


class _Gate:
    """Answers nginx's question whether somebody may publish."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.asked: list[str] = []
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                name = form.get("name", [""])[0]
                gate.asked.append(name)
                self.send_response(403 if name in gate.refused else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="rtmp gate")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Platform(Peer):
    """A platform on ``rtmp://127.0.0.1:PORT/APPLICATION/KEY``; every publication becomes an FLV file.

    freeze() makes it a platform that stops reading. `refused` holds the stream keys it turns away, `asked`
    those that came.
    """

    def __init__(
        self, folder: Path, *, name: str = "platform", applications: tuple[str, ...] = ("live",)
    ) -> None:
        self.folder = folder / name
        self.port, self._http_port = needs.free_port(), needs.free_port()
        self.applications = applications
        self._gate = _Gate()
        nginx = needs.nginx_rtmp()
        for application in applications:
            (self.folder / application).mkdir(parents=True)
        blocks = [
            _APPLICATION.format(name=item, folder=self.folder, hook_port=self._gate.port)
            for item in applications
        ]
        configuration = self.folder / "nginx.conf"
        configuration.write_text(
            _CONFIG.format(
                folder=self.folder,
                module=needs.NGINX_RTMP,
                port=self.port,
                http_port=self._http_port,
                applications="".join(blocks),
            )
        )
        super().__init__(
            [nginx, "-p", self.folder, "-c", configuration, "-e", self.folder / "error.log"],
            log=self.folder / "output.log",
        )

    def __enter__(self) -> Self:
        self._gate.__enter__()
        try:
            return super().__enter__()
        except BaseException:
            self._gate.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._gate.close()

    @property
    def refused(self) -> set[str]:
        """Stream keys that are turned away; may be changed at any time."""
        return self._gate.refused

    @property
    def asked(self) -> list[str]:
        """Stream keys of all who wanted to publish, in order."""
        return list(self._gate.asked)

    def url(self, application: str = "live", key: str = "") -> str:
        """Address to publish to, without the key unless given."""
        return f"rtmp://127.0.0.1:{self.port}/{application}" + (f"/{key}" if key else "")

    def wait_ready(self) -> None:
        """Return when it answers."""

        def answers() -> bool:
            assert self.running, f"nginx ended: {self.errors()}"
            try:
                self.publishers()
            except OSError:
                return False
            return True

        until(answers, 10, lambda: f"nginx answers: {self.errors()}")

    def errors(self) -> str:
        """The last of nginx's log and output."""
        log = self.folder / "error.log"
        return (self.said() + (log.read_text(errors="replace") if log.exists() else ""))[-2000:]

    def publishers(self) -> list[Publisher]:
        """Who publishes now. Raises OSError where nginx does not answer (frozen: after two seconds)."""
        root = ElementTree.fromstring(self._ask("stat"))  # noqa: S314  # our own nginx wrote it
        found = []
        for application in root.iter("application"):
            for stream in application.iter("stream"):
                if stream.find("publishing") is None:
                    continue
                found.append(
                    Publisher(
                        application=application.findtext("name", ""),
                        name=stream.findtext("name", ""),
                        bytes_in=int(stream.findtext("bytes_in", "0")),
                        bits_per_second=int(stream.findtext("bw_in", "0")),
                    )
                )
        return found

    def publishing(self, key: str) -> bool:
        """Whether somebody publishes with that key now."""
        return any(publisher.name == key for publisher in self.publishers())

    def cut(self, key: str, application: str = "live") -> None:
        """End a publisher's connection."""
        self._ask(f"control/drop/publisher?app={application}&name={key}")

    def _ask(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._http_port}/{path}", timeout=2) as answer:
            data = answer.read()
        assert isinstance(data, bytes)
        return data

    def recordings(self, key: str = "", application: str = "live") -> list[Path]:
        """What has been recorded, one FLV file a publication, the oldest first."""
        files = (self.folder / application).glob(f"{key or '*'}-*.flv" if key else "*.flv")
        return sorted(files, key=lambda file: int(file.stem.rpartition("-")[2]))

    def recording(self, key: str, application: str = "live") -> Path:
        """The one recording of that key; raises AssertionError where there is none or several."""
        files = self.recordings(key, application)
        assert len(files) == 1, f"expected one publication, found {[file.name for file in files]}"
        return files[0]
