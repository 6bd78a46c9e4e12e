"""Pixels in full resolution, premultiplied: to be moved, turned and laid together before they are sprites."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vistterstream.playout.frames import HALF, Floats, Planes, Words, premultiplied
from vistterstream.playout.geometry import Rect
from vistterstream.playout.pieces import Bounds, Piece
from vistterstream.playout.sprites import Looks, Sprite

Patch = tuple[Floats, Rect]
"""Premultiplied Y, U, V and alpha, (height, width, 4), see `premultiplied`; and where they are."""


@dataclass(frozen=True, slots=True)
class Plate:
    """A drawn layer: premultiplied pixels where they are `seen`, and the `box` that its position means."""

    pixels: Floats
    seen: Rect
    box: Rect


def plate(piece: Piece) -> Plate:
    """The piece, premultiplied."""
    return Plate(premultiplied(piece.rgba), piece.seen, piece.box)


def clipped(patch: Patch, bounds: Rect) -> Patch | None:
    """The part within `bounds`."""
    pixels, rect = patch
    seen = rect.common(bounds)
    if seen.empty:
        return None
    return pixels[seen.y - rect.y :, seen.x - rect.x :][: seen.height, : seen.width], seen


def shifted(plate: Plate, left: float, top: float, bounds: Rect) -> Patch | None:
    """The pixels with their corner at `left`, `top`, interpolated linearly; what lies within `bounds`."""
    pixels, x, y = plate.pixels, int(np.floor(left)), int(np.floor(top))
    for axis, share in ((1, left - x), (0, top - y)):
        if share:
            pixels = _delayed(pixels, axis, share)
    height, width = pixels.shape[:2]
    return clipped((pixels, Rect(x, y, width, height)), bounds)


def _delayed(pixels: Floats, axis: int, share: float) -> Floats:
    """The pixels moved on by a share of a pixel; one more than there were."""
    edges = (0, 0, 1, 1) if axis else (1, 1, 0, 0)
    padded = cv2.copyMakeBorder(pixels, *edges, cv2.BORDER_CONSTANT)
    before, after = (padded[:, :-1], padded[:, 1:]) if axis else (padded[:-1], padded[1:])
    return np.asarray(cv2.addWeighted(before, share, after, 1.0 - share, 0.0), np.float32)


def together(patches: list[tuple[Patch, float]], bounds: Bounds) -> Patch | None:
    """The patches, with an opacity each, laid upon each other from the bottom up, within `bounds`.

    Raises Unusable where these have no room.
    """
    shown = [(cut, opacity) for patch, opacity in patches if (cut := clipped(patch, bounds.rect)) is not None]
    if not shown:
        return None
    rect = shown[0][0][1]
    for (_, other), _ in shown[1:]:
        rect = rect.around(other)
    bounds.take(rect.width * rect.height)
    if len(shown) == 1 and shown[0][1] == 1.0:
        return shown[0][0]
    whole = np.zeros((rect.height, rect.width, 4), np.float32)
    for (pixels, seen), opacity in shown:
        part = whole[seen.y - rect.y :, seen.x - rect.x :][: seen.height, : seen.width]
        part *= 1.0 - pixels[..., 3:] * np.float32(opacity / 255)
        part += pixels if opacity == 1.0 else pixels * np.float32(opacity)
    return whole, rect


def looks_of(patch: Patch | None) -> Looks:
    """What is blended of a patch within the program's picture."""
    return () if patch is None else (sprite_of(patch),)


def sprite_of(patch: Patch) -> Sprite:
    """The sprite of a patch within the program's picture."""
    pixels, rect = patch
    seen = rect.widened()
    if seen != rect:
        left, top = rect.x - seen.x, rect.y - seen.y
        right, bottom = seen.width - left - rect.width, seen.height - top - rect.height
        pixels = np.asarray(
            cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_CONSTANT), np.float32
        )
    half = cv2.resize(pixels, (seen.width // 2, seen.height // 2), interpolation=cv2.INTER_AREA)
    y, alpha = (cv2.extractChannel(pixels, part) for part in (0, 3))
    _, u, v, chroma_alpha = cv2.split(half)
    chroma_light = np.empty((2, *half.shape[:2]), np.uint16)
    for plane, out in zip((u, v), chroma_light, strict=True):
        _turned(plane, 1.0, HALF, out)
    planes = Planes(
        rest=_turned(alpha, -1.0, 255.0),
        light=_turned(y, 1.0, HALF),
        chroma_rest=_turned(chroma_alpha, -1.0, 255.0),
        chroma_light=chroma_light,
    )
    return Sprite(*seen, planes=planes)


def _turned(plane: cv2.typing.MatLike, scale: float, offset: float, out: Words | None = None) -> Words:
    """`plane` times `scale` plus `offset`, as the nearest whole numbers."""
    made = cv2.addWeighted(plane, scale, plane, 0.0, offset, dst=out, dtype=cv2.CV_16U)
    return np.asarray(made, np.uint16)
