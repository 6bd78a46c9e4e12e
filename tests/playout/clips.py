"""A film whose pictures carry their number, made by the program's own test pattern."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from functools import cache
from pathlib import Path

from ffmpeg_.media import H264, folder
from peers import needs
from playout.plans import FORMAT, FPS
from vistterstream.playout import framecode
from vistterstream.playout.frames import Frame
from vistterstream.playout.patterns import TestPattern, code_square
from vistterstream.resources.camera import Pattern, TestPatternSource

NUMBER = 7
LENGTH = 60  # pictures
KEY_FRAMES = 5  # pictures from one to the next


@cache
def numbered_clip() -> Path:
    """LENGTH pictures of FORMAT that say NUMBER and count from 0, with a tone; MP4."""
    file = folder() / "numbered.mp4"
    pattern = TestPattern(TestPatternSource(pattern=Pattern.GRID, number=NUMBER), FORMAT)
    frame = Frame(FORMAT.width, FORMAT.height)
    command = [needs.ffmpeg(), "-hide_banner", "-nostats", "-v", "error", "-y", "-f", "rawvideo"]
    command += [
        "-pix_fmt",
        "yuv420p",
        "-s",
        f"{FORMAT.width}x{FORMAT.height}",
        "-r",
        str(FPS),
        "-i",
        "pipe:0",
    ]
    command += ["-f", "lavfi", "-i", f"sine=440:r=48000:duration={Fraction(LENGTH, FPS)}", *H264, "-g"]
    command += [str(KEY_FRAMES), "-keyint_min", str(KEY_FRAMES), "-c:a", "aac", "-shortest", str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for number in range(LENGTH):
            pattern.render(number, frame)
            process.stdin.write(frame.buffer)
        process.stdin.close()
        assert process.wait(30) == 0
    return file


def read_number(frame: Frame) -> int | None:
    """The counter that a picture of the numbered film carries; None where it is not of that film."""
    value = framecode.read(frame.y, 0, 0, code_square(FORMAT.width))
    if value is None:
        return None
    number, counter = framecode.unpack(value)
    return counter if number == NUMBER else None
