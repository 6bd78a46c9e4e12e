"""A hand-written FFmpeg that publishes numbered pictures: what the peers' own tests push with."""

from __future__ import annotations

from pathlib import Path

from peers import frames, needs
from peers.process import Peer

WIDTH, HEIGHT, FPS = 640, 360, 15


def picture(counter: int, number: int = frames.PROGRAM) -> bytes:
    """A gray picture with that code in squares of 16 at the top."""
    code = number << 24 | counter
    row = b"".join((b"\xeb" if code >> bit & 1 else b"\x10") * 16 for bit in range(31, -1, -1))
    row += b"\x60" * (WIDTH - len(row))
    return row * 16 + b"\x60" * (WIDTH * (HEIGHT - 16))


class Pusher(Peer):
    """FFmpeg, fed with `count` numbered pictures in real time, publishing to `url` as `container`.

    It speaks as the program, or with a camera's `number`; with `loop` it never ends.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        container: str,
        *options: str,
        count: int = 45,
        number: int = frames.PROGRAM,
        loop: bool = False,
    ) -> None:
        command = publish_command(folder, url, container, *options, count=count, number=number, loop=loop)
        super().__init__(command, log=folder / f"pusher-{number}.log")


def publish_command(
    folder: Path, url: str, container: str, *options: str, count: int, number: int, loop: bool
) -> list[str]:
    """The command line that makes the numbered pictures, with a tone, and publishes them in real time."""
    feed = folder / f"feed-{number}-{count}.gray"
    with feed.open("wb") as file:
        for counter in range(count):
            file.write(picture(counter, number))
    command = [needs.ffmpeg(), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-re"]
    command += ["-stream_loop", "-1"] if loop else []
    command += ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS)]
    command += ["-i", str(feed), "-f", "lavfi", "-i", "sine=440:r=48000", "-shortest"]
    command += ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"]
    command += ["-g", str(FPS), "-c:a", "aac", *options, "-f", container, url]
    return command
