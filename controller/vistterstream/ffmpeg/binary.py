"""Which FFmpeg runs: the one that ``VISTTER_FFMPEG`` names, else the one of the imageio-ffmpeg wheel."""

from __future__ import annotations

import os
import shutil
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
