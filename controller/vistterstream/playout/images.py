"""Draws image layers: one picture, or the frames of an animation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from vistterstream.playout.captions import caption
from vistterstream.playout.geometry import View, side_of
from vistterstream.playout.pictures import frames_of, open_picture
from vistterstream.playout.pieces import Bounds, Piece, Tell, Unusable, bounded
from vistterstream.resources.overlay import ImageLayer, Missing, Position

MAX_ANIMATION_PIXELS = 12_000_000
MAX_ANIMATION_FRAMES = 1_000


def image_piece(
    layer: ImageLayer, position: Position, view: View, bounds: Bounds, tell: Tell
) -> Piece | None:
    """The picture in the layer's file (its first frame), or what stands in for it. Raises Unusable."""
    assert layer.file is not None, "it is no sequence"
    try:
        picture = open_picture(Path(layer.file), layer.sha256)
    except Unusable as error:
        picture = instead(layer, error, view, tell)
    return scaled(picture, layer, position, view, bounds)


def instead(layer: ImageLayer, error: Unusable, view: View, tell: Tell) -> Image.Image:
    """What stands in for the layer's file, of which `error` is told; raises that where nothing does."""
    if layer.fallback is None:
        raise error
    tell(str(error))
    return stand_in(layer, layer.fallback, view)


def stand_in(layer: ImageLayer, missing: Missing, view: View) -> Image.Image:
    """A box instead of a picture, of the size that it was given (16:9 where that leaves it open)."""
    width = layer.width or (layer.height or 180) * 16 // 9
    height = layer.height or max(width * 9 // 16, 1)
    scale = min(view.scale_x, view.scale_y, 4096 / max(width, height))
    picture = Image.new("RGBA", (side_of(width, scale), side_of(height, scale)), missing.color.rgba)
    if missing.text:
        caption(picture, missing.text, edged=False)
    return picture


@dataclass(frozen=True, slots=True)
class Animation:
    """The frames of a picture file, and when each of them begins, in ms; the last time is the end."""

    pieces: tuple[Piece, ...]
    starts: tuple[float, ...]


def animation(layer: ImageLayer, position: Position, view: View, bounds: Bounds, tell: Tell) -> Animation:
    """The frames of the layer's file, as many as may be kept, or what stands in for it. Raises Unusable.

    Players take 100 ms for a frame that says 10 ms or less; so do we.
    """
    assert layer.file is not None, "it is no sequence"
    try:
        return _frames(layer, Path(layer.file), position, view, bounds, tell)
    except Unusable as error:
        drawn = scaled(instead(layer, error, view, tell), layer, position, view, bounds)
        return Animation(() if drawn is None else (drawn,), (0.0, 1000.0))


def _frames(
    layer: ImageLayer, file: Path, position: Position, view: View, bounds: Bounds, tell: Tell
) -> Animation:
    pieces: list[Piece] = []
    starts, size = [0.0], 0
    for picture, duration in frames_of(file, layer.sha256):
        if pieces and (
            (len(pieces) + 1) * size > MAX_ANIMATION_PIXELS or len(pieces) >= MAX_ANIMATION_FRAMES
        ):
            tell(
                f"The animation {file} is cut off after {len(pieces)} frames: all of them together "
                f"have at most {MAX_ANIMATION_PIXELS // 1_000_000} million pixels. Make it smaller."
            )
            break
        drawn = scaled(picture, layer, position, view, bounds)
        if drawn is None:
            break
        size = drawn.seen.width * drawn.seen.height
        pieces.append(drawn)
        starts.append(starts[-1] + duration)
    return Animation(tuple(pieces), tuple(starts))


def scaled(
    picture: Image.Image, layer: ImageLayer, position: Position, view: View, bounds: Bounds
) -> Piece | None:
    """The picture, RGBA, as large as the layer wants it. Raises Unusable."""
    width, height = _image_size(layer, picture.width, picture.height, view)
    rect = view.place(position, width, height)
    seen = bounded(rect, bounds)
    if seen.empty:
        return None
    across, down = picture.width / width, picture.height / height
    box = (
        (seen.x - rect.x) * across,
        (seen.y - rect.y) * down,
        min((seen.x - rect.x + seen.width) * across, picture.width),
        min((seen.y - rect.y + seen.height) * down, picture.height),
    )
    scaled = picture.resize((seen.width, seen.height), Image.Resampling.LANCZOS, box=box)
    return Piece(np.asarray(scaled), seen, rect)


def _image_size(layer: ImageLayer, width: int, height: int, view: View) -> tuple[int, int]:
    """The size in program pixels of a picture file of `width` x `height`."""
    if layer.width is not None and layer.height is not None:
        return side_of(layer.width, view.scale_x), side_of(layer.height, view.scale_y)
    if layer.width is not None:
        return side_of(layer.width, view.scale), side_of(layer.width * height / width, view.scale)
    if layer.height is not None:
        return side_of(layer.height * width / height, view.scale), side_of(layer.height, view.scale)
    return side_of(width, view.scale), side_of(height, view.scale)
