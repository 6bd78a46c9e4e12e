"""A hand-written FFmpeg that publishes numbered pictures: what the peers' own tests push with."""

from __future__ import annotations

from pathlib import Path

from peers import frames, needs
from peers.process import Peer

WIDTH, HEIGHT, FPS = 512, 64, 15


def picture(number: int) -> bytes:
    """A gray picture with program frame `number` in squares of 16 at the top."""
    code = frames.PROGRAM << 24 | number
    row = b"".join((b"\xeb" if code >> bit & 1 else b"\x10") * 16 for bit in range(31, -1, -1))
    return row * 16 + b"\x60" * (WIDTH * (HEIGHT - 16))


class Pusher(Peer):
    """FFmpeg, fed with `count` numbered pictures in real time, publishing to `url` as `container`."""

    def __init__(self, folder: Path, url: str, container: str, *options: str, count: int = 45) -> None:
        self._feed = folder / f"feed-{id(self)}.gray"
        self._feed.write_bytes(b"".join(picture(number) for number in range(count)))
        command = [needs.ffmpeg(), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-re"]
        command += ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS)]
        command += ["-i", str(self._feed), "-f", "lavfi", "-i", "sine=440:r=48000", "-shortest"]
        command += ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"]
        command += ["-g", str(FPS), "-c:a", "aac", *options, "-f", container, url]
        super().__init__(command, log=folder / "pusher.log")
