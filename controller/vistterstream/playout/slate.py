"""The slate: the picture that stands in when a source has nothing to show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from vistterstream.playout.captions import caption
from vistterstream.playout.frames import Frame
from vistterstream.playout.pictures import open_picture, stamp_of
from vistterstream.playout.pieces import Tell, Unusable
from vistterstream.resources.program import Fallback


def slate_key(fallback: Fallback, width: int, height: int) -> str:
    """What the slate's pixels depend on."""
    stamp = stamp_of(Path(fallback.image)) if fallback.image is not None else ""
    return f"{fallback.model_dump_json()}|{width}x{height}|{stamp}"


def slate(fallback: Fallback, width: int, height: int, tell: Tell) -> Frame:
    """The picture that stands in, as `fallback` wants it; its colour alone where all else fails."""
    picture = Image.new("RGB", (width, height), fallback.color.rgba[:3])
    if fallback.image is not None:
        try:
            picture = _cover(open_picture(Path(fallback.image)), picture)
        except Unusable as error:
            tell(str(error))
    if fallback.text:
        caption(picture, fallback.text, edged=fallback.image is not None)
    frame = Frame(width, height)
    frame.put_rgb(np.asarray(picture))
    return frame


def _cover(picture: Image.Image, ground: Image.Image) -> Image.Image:
    """`picture` scaled to fill `ground`, cut where it is too long, on its colour."""
    filled = ImageOps.fit(picture, ground.size, Image.Resampling.LANCZOS)
    return Image.alpha_composite(ground.convert("RGBA"), filled).convert("RGB")
