"""Which FFmpeg runs: the one that ``VISTTER_FFMPEG`` names, else the one of the imageio-ffmpeg wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from vistterstream.base.errors import PermanentError


@cache
def executable() -> str:
    """The path of FFmpeg; raises PermanentError where there is none."""
    named = os.environ.get("VISTTER_FFMPEG")
    if named:
        found = shutil.which(named)
        if found is None:
            raise PermanentError(
                f"VISTTER_FFMPEG names {named}, which is not an executable file.", reason="NoFFmpeg"
            )
        return str(Path(found).absolute())
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise PermanentError(
            "No FFmpeg was found; install the imageio-ffmpeg package or set VISTTER_FFMPEG.",
            reason="NoFFmpeg",
        ) from error


OLDEST = (7, 1)  # 7.0.2 takes what cameras need to stand by, but as an encoder waits for sound for ever


def check() -> None:
    """Raises PermanentError where there is no FFmpeg, it does not run, or it is older than `OLDEST`.

    One that does not say its version in numbers, as what is built from its repository, is taken for new.
    """
    program = executable()
    try:
        done = subprocess.run(
            [program, "-version"], capture_output=True, stdin=subprocess.DEVNULL, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise PermanentError(f"FFmpeg does not run: {error}.", reason="NoFFmpeg") from error
    found = re.match(rb"ffmpeg version n?(\d+)\.(\d+)", done.stdout)
    if found is not None and (int(found[1]), int(found[2])) < OLDEST:
        said, oldest = f"{int(found[1])}.{int(found[2])}", ".".join(map(str, OLDEST))
        raise PermanentError(
            f"FFmpeg at {program} is {said}; {oldest} or newer is needed. Without VISTTER_FFMPEG, that of the"
            " imageio-ffmpeg package is used.",
            reason="NoFFmpeg",
        )
