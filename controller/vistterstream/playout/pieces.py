"""What every sort of layer is drawn as: pixels, and where they stand. And what stops one from being drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from vistterstream.playout.frames import Bytes
from vistterstream.playout.geometry import FAR, Rect

Tell = Callable[[str], None]
"""Takes a sentence for the user about something that cannot be drawn as it should."""
DRAWING_ERRORS = (OSError, ValueError, MemoryError, Image.DecompressionBombError)
"""What Pillow and FreeType raise for fonts that are not what they say, and for too much of a text."""
MAX_LAYER_PIXELS = 4_200_000
"""Pixels of the largest layer that moves, about two pictures of 1920x1080: 67 MB."""


class Unusable(Exception):
    """A layer that cannot be drawn; the message is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A drawn layer: its pixels where they are `seen`, and the `box` that its position speaks of.

    `ink` is the coverage of what has the layer's colour, and `under` what lies beneath that. `mask` is what
    has been left of them in `rgba`, 0 to 255.
    """

    rgba: Bytes
    seen: Rect
    box: Rect
    ink: Bytes | None = None
    under: Bytes | None = None
    mask: Bytes | None = None


def unlimited(_pixels: int) -> None:
    """For what is counted elsewhere, or drawn in the place of something that was."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where something is drawn; `take` is told how many pixels, and raises Unusable if they are too many."""

    rect: Rect
    take: Callable[[int], None] = unlimited


def bounded(rect: Rect, bounds: Bounds, weight: int = 1) -> Rect:
    """The part of `rect` that is drawn, each pixel of which counts for `weight`.

    Raises Unusable where that is more than is kept of what moves, or than there is room for.
    """
    seen = rect.common(bounds.rect)
    pixels = seen.width * seen.height
    if bounds.rect.width >= FAR and pixels > MAX_LAYER_PIXELS:
        raise Unusable(
            f"It is {seen.width}x{seen.height} pixels; what moves has at most "
            f"{MAX_LAYER_PIXELS // 1_000_000} million. Make it smaller."
        )
    bounds.take(pixels * weight)
    return seen
