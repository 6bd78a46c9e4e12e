"""An SRT platform, FFmpeg as listener that writes what arrives to a file, and an SRT camera."""

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
        _wait_bound(self, self.port)


class SrtRelay(Peer):
    """An SRT camera: listens on ``srt://127.0.0.1:PORT`` and gives what is sent to `udp_url` (MPEG-TS)."""

    def __init__(self, folder: Path, *, passphrase: str = "") -> None:
        self.port, udp_port = (needs.free_port(socket.SOCK_DGRAM) for _ in range(2))
        self.udp_url = f"udp://127.0.0.1:{udp_port}?pkt_size=1316"
        self.url = f"srt://127.0.0.1:{self.port}"
        relay = [needs.program("srt-live-transmit"), "-quiet", "-autoreconnect:yes"]
        super().__init__(
            [*relay, f"udp://127.0.0.1:{udp_port}", f"{self.url}?{_listener(passphrase)}"],
            log=folder / "srt-relay.log",
        )

    def wait_ready(self) -> None:
        """Return when the port is bound."""
        _wait_bound(self, self.port)


class SrtReceiver(Peer):
    """libsrt's own tool as a platform: listens on ``srt://127.0.0.1:PORT``, writes to `recording`."""

    def __init__(self, folder: Path, *, passphrase: str = "") -> None:
        self.port = needs.free_port(socket.SOCK_DGRAM)
        self.url = f"srt://127.0.0.1:{self.port}"
        self.recording = folder / "srt-receiver.ts"
        receiver = [needs.program("srt-live-transmit"), "-quiet", "-autoreconnect:yes"]
        receiver.append(
            f"-logfile:{folder / 'srt-receiver.log'}"
        )  # its words must not get into the recording
        super().__init__([*receiver, f"{self.url}?{_listener(passphrase)}", "file://con"], log=self.recording)

    def wait_ready(self) -> None:
        """Return when the port is bound."""
        _wait_bound(self, self.port)


def _listener(passphrase: str) -> str:
    return "mode=listener" + (f"&passphrase={passphrase}" if passphrase else "")


def _wait_bound(peer: Peer, port: int) -> None:
    wanted = f"0100007F:{port:04X}"

    def bound() -> bool:
        assert peer.running, f"{peer.command[0]} ended: {peer.said()[-2000:]}"
        return wanted in Path("/proc/net/udp").read_text()

    until(bound, 10, lambda: f"an SRT listener on port {port}: {peer.said()[-2000:]}")
