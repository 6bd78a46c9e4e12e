"""What masks leave of layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from vistterstream.playout.frames import Bytes
from vistterstream.playout.geometry import Rect, View, nearest, side_of
from vistterstream.playout.pictures import open_picture
from vistterstream.playout.pieces import Piece, Tell, Unusable
from vistterstream.playout.shapes import rounded_corners
from vistterstream.resources.overlay import Mask, MaskImage, MaskRectangle


def masked(piece: Piece, mask: Mask | None, view: View, tell: Tell) -> Piece:
    """What the mask leaves of the piece; all of it where the mask cannot be read, which is told."""
    left = None if mask is None else coverage(mask, piece.box, piece.seen, view, tell)
    if left is None:
        return piece
    rgba = piece.rgba.copy()
    rgba[..., 3] = (rgba[..., 3] * left.astype(np.uint32) + 127) // 255
    return replace(piece, rgba=rgba, mask=left)


def coverage(mask: Mask, box: Rect, seen: Rect, view: View, tell: Tell) -> Bytes | None:
    """How much of each pixel that is `seen` the mask of a layer with that `box` leaves, 0 to 255.

    None where it cannot be read, which is told.
    """
    try:
        if mask.rectangle is not None:
            left = _rectangle(mask.rectangle, box, seen, view)
        else:
            assert mask.image is not None, "the model has checked that there is one of them"
            left = _picture(mask.image, box, seen, tell)
    except Unusable as error:
        tell(f"Its mask hides nothing: {error}")
        return None
    return 255 - left if mask.invert else left


def _rectangle(shape: MaskRectangle, box: Rect, seen: Rect, view: View) -> Bytes:
    x, y = nearest(shape.left * view.scale_x), nearest(shape.top * view.scale_y)
    width = max(box.width - x, 0) if shape.width is None else side_of(shape.width, view.scale_x)
    height = max(box.height - y, 0) if shape.height is None else side_of(shape.height, view.scale_y)
    rect = Rect(box.x + x, box.y + y, width, height)
    inner = rect.common(seen)
    left = np.zeros((seen.height, seen.width), np.uint8)
    if not inner.empty:
        part = left[inner.y - seen.y :, inner.x - seen.x :][: inner.height, : inner.width]
        part[:] = rounded_corners(rect, inner, shape.radius * view.scale)
    return left


def _picture(image: MaskImage, box: Rect, seen: Rect, tell: Tell) -> Bytes:
    opacity = open_picture(Path(image.file), image.sha256).getchannel("A")
    if opacity.getextrema()[0] == 255:
        tell(f"Its mask hides nothing: the picture {image.file} is opaque everywhere.")
    inner = box.common(seen)
    left = np.zeros((seen.height, seen.width), np.uint8)
    if inner.empty:
        return left
    across, down = opacity.width / box.width, opacity.height / box.height
    area = (
        (inner.x - box.x) * across,
        (inner.y - box.y) * down,
        min((inner.x - box.x + inner.width) * across, opacity.width),
        min((inner.y - box.y + inner.height) * down, opacity.height),
    )
    scaled = opacity.resize((inner.width, inner.height), Image.Resampling.LANCZOS, box=area)
    part = left[inner.y - seen.y :, inner.x - seen.x :][: inner.height, : inner.width]
    part[:] = np.asarray(scaled)
    return left
