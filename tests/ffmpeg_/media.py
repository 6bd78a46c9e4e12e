"""Small real media for the tests, made by FFmpeg once."""

from __future__ import annotations

import atexit
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from peers import needs


def make(file: Path, *arguments: str) -> Path:
    """Run FFmpeg with `arguments` into `file`; raises AssertionError with what it said."""
    command = [needs.ffmpeg(), "-hide_banner", "-nostdin", "-v", "error", "-y", *arguments, str(file)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return file


@cache
def folder() -> Path:
    """A folder for this run of the tests, removed at its end."""
    found = Path(mkdtemp(prefix="vistter-media-"))
    atexit.register(shutil.rmtree, found, ignore_errors=True)
    return found


def picture_and_sound(seconds: float, rate: str, size: str) -> tuple[str, ...]:
    """Input options: a test picture and a tone of 440 Hz."""
    video = f"testsrc=size={size}:rate={rate}:duration={seconds}"
    return ("-f", "lavfi", "-i", video, "-f", "lavfi", "-i", f"sine=440:r=48000:duration={seconds}")


H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "0")


@cache
def clip() -> Path:
    """Two seconds of 128x72 at 15 frames/s, a key frame each second, with a tone; MP4."""
    inputs = picture_and_sound(2, "15", "128x72")
    return make(folder() / "clip.mp4", *inputs, *H264, "-g", "15", "-c:a", "aac", "-shortest")


@cache
def silent_clip() -> Path:
    """The same without sound."""
    return make(folder() / "silent.mp4", "-i", str(clip()), "-an", "-c", "copy")


@cache
def transport_stream() -> Path:
    """Four seconds of 128x72 at 15 frames/s, a key frame each half second, as our encoder writes MPEG-TS."""
    inputs = picture_and_sound(4, "15", "128x72")
    options = ("-g", "8", "-c:a", "aac", "-shortest", "-mpegts_flags", "+resend_headers")
    return make(folder() / "clip.ts", *inputs, *H264, *options, "-mpegts_start_pid", "256", "-f", "mpegts")
