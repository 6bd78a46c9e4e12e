"""An RTSP camera: GStreamer's server under Debian's Python."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from peers import needs
from peers.process import Peer

SERVER = Path(__file__).with_name("camera_server.py")


@dataclass(frozen=True)
class Flash:
    """A square of the picture, in pixels, and a beep in Hz, that come together once a second for 100 ms."""

    x: int
    y: int
    side: int
    beep: int


class Camera(Peer):
    """A camera on ``rtsp://127.0.0.1:PORT/live`` whose picture carries its number and a frame counter.

    `number` is 0 to 255. The code is a row of 32 squares of `square` pixels at the top left: 8 bits number,
    24 bits counter, most significant first, white is 1. `tone` in Hz gives it sound; 0 none. `auth` is
    "basic" or "digest" and matters where `user` is given. With `grain` (luma up or down) the picture needs
    its whole `bitrate` (kbit/s). A `flash` replaces the tone. kill() unplugs it, freeze() hangs it.
    """

    def __init__(
        self,
        folder: Path,
        number: int = 1,
        *,
        width: int = 640,
        height: int = 360,
        fps: int = 15,
        square: int = 16,
        tone: int = 0,
        user: str = "",
        password: str = "",
        auth: str = "digest",
        bitrate: int = 800,
        grain: int = 0,
        keyframes: int | None = None,
        port: int | None = None,
        flash: Flash | None = None,
    ) -> None:
        assert square * 32 <= width
        self.number, self.width, self.height, self.fps, self.square = number, width, height, fps, square
        self.port = port or needs.free_port()
        options = {
            "number": number,
            "width": width,
            "height": height,
            "fps": fps,
            "square": square,
            "tone": tone,
            "user": user,
            "password": password,
            "auth": auth,
            "bitrate": bitrate,
            "grain": grain,
            "keyframes": keyframes or fps,
            "port": self.port,
            "flash": None if flash is None else asdict(flash),
        }
        super().__init__(
            [needs.gstreamer(), SERVER, json.dumps(options)],
            log=folder / f"camera-{number}.log",
            env={"GST_REGISTRY_FORK": "no"},
        )

    @property
    def url(self) -> str:
        """Address without user and password."""
        return f"rtsp://127.0.0.1:{self.port}/live"

    def wait_ready(self) -> None:
        """Return when it listens."""
        self._until_said(f"ready {self.port}")

    def start(self) -> None:
        """Start it anew; what an earlier run printed is dropped, since `wait_ready` reads it."""
        self.log.unlink(missing_ok=True)
        super().start()
