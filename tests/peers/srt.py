"""An SRT platform: FFmpeg as listener, which writes what arrives to a file."""

from __future__ import annotations

import socket
from pathlib import Path

from peers import needs
from peers.process import Peer
from peers.waiting import until


class SrtPlatform(Peer):
    """Listens on ``srt://127.0.0.1:PORT`` for one publication and writes ``recording`` (MPEG-TS).

    It ends when its publisher leaves, as FFmpeg's listener does; `restart` listens again, into a new file.
    """

    def __init__(self, folder: Path, *, name: str = "srt", passphrase: str = "") -> None:
        self._folder, self._name, self._passphrase = folder, name, passphrase
        self.port = needs.free_port(socket.SOCK_DGRAM)
        self._runs = 0
        self.recording = folder / f"{name}.ts"
        super().__init__([needs.ffmpeg()], log=folder / f"{name}.log")

    @property
    def url(self) -> str:
        """Address to publish to."""
        return f"srt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen, writing into a new file."""
        self.recording = self._folder / f"{self._name}-{self._runs}.ts"
        self._runs += 1
        options = "mode=listener&latency=120000" + (
            f"&passphrase={self._passphrase}" if self._passphrase else ""
        )
        self.command = [needs.ffmpeg(), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-y"]
        self.command += ["-f", "mpegts", "-i", f"{self.url}?{options}"]
        self.command += [
            "-map",
            "0",
            "-c",
            "copy",
            "-flush_packets",
            "1",
            "-f",
            "mpegts",
            str(self.recording),
        ]
        super().start()

    def wait_ready(self) -> None:
        """Return when the port is bound."""
        wanted = f"0100007F:{self.port:04X}"

        def bound() -> bool:
            assert self.running, f"the SRT listener ended: {self.said()[-2000:]}"
            return wanted in Path("/proc/net/udp").read_text()

        until(bound, 10, "the SRT listener is bound")
