"""An RTMPS platform: node-media-server with a certificate made for it."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

from peers import needs
from peers.process import Peer
from peers.waiting import until


class SecurePlatform(Peer):
    """A platform on ``rtmps://127.0.0.1:PORT/live/KEY`` that records what arrives.

    Its self-signed `certificate` names 127.0.0.1: a client that trusts it can verify, others must not.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "rtmps"
        (self.folder / "media").mkdir(parents=True)
        package = needs.NODE_MEDIA_SERVER
        if not package.exists():
            needs.missing("node-media-server")
        self.certificate, key = self.folder / "certificate.pem", self.folder / "key.pem"
        make_certificate(self.certificate, key)
        self.port = needs.free_port()
        options = {
            "bind": "127.0.0.1",
            "notify": {"url": ""},
            "store": {"path": str(self.folder / "store"), "maxHistory": 100},
            "auth": {"play": False, "publish": False, "secret": "unused"},
            "rtmp": {"port": needs.free_port()},
            "rtmps": {"port": self.port, "key": str(key), "cert": str(self.certificate)},
            "http": {"port": needs.free_port()},
            "webadmin": {"enable": False},
            "record": {"auto": True, "path": str(self.folder / "media")},
        }
        script = self.folder / "server.cjs"
        script.write_text(
            f"const Server = require({json.dumps(str(package))});\nnew Server({json.dumps(options)}).run();\n"
        )
        super().__init__([needs.program("node"), script], log=self.folder / "output.log", cwd=self.folder)

    def url(self, key: str = "") -> str:
        """Address to publish to, without the key unless given."""
        return f"rtmps://127.0.0.1:{self.port}/live" + (f"/{key}" if key else "")

    def wait_ready(self) -> None:
        """Return when it listens."""

        def listens() -> bool:
            assert self.running, f"node-media-server ended: {self.said()[-2000:]}"
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", self.port)) == 0

        until(listens, 20, lambda: f"node-media-server listens: {self.said()[-2000:]}")

    def recordings(self) -> list[Path]:
        """What has been recorded, the oldest first."""
        return sorted((self.folder / "media").rglob("*.flv"))


def make_certificate(certificate: Path, key: Path) -> None:
    command = [needs.program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True, timeout=30
    )
