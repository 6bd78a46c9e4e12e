"""Drawing single layers."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from vistterstream.playout.frames import HALF, Bytes, Planes
from vistterstream.playout.geometry import Rect, View
from vistterstream.playout.layers import rasterise
from vistterstream.playout.room import Room
from vistterstream.playout.sprites import Look, Mosaic, Sprite, SpriteCache
from vistterstream.resources.overlay import Canvas, Layer

VIEW = View(640, 360, Canvas(width=1280, height=720))  # two canvas pixels to one of the program


class Drawn:
    """A layer drawn with a cache of its own."""

    def __init__(self, view: View = VIEW, opacity: float = 1.0, **layer: Any) -> None:
        self.problems: list[str] = []
        parsed = Layer.model_validate({"name": "l"} | layer)
        drawn = rasterise(parsed, view, opacity, SpriteCache(), Room(), self.problems.append)
        self.sprite = whole(drawn)

    @property
    def good(self) -> Sprite:
        assert not self.problems
        assert self.sprite is not None
        return self.sprite


def whole(looks: Sequence[Look]) -> Sprite | None:
    """What lies side by side, as one; None where there is nothing."""
    if not looks:
        return None
    rect = functools.reduce(Rect.around, (place for look in looks for place in places(look)))
    half = rect.height // 2, rect.width // 2
    rest, light = np.full((rect.height, rect.width), 255, np.uint16), np.full((rect.height, rect.width), HALF)
    chroma_rest, chroma_light = np.full(half, 255, np.uint16), np.full((2, *half), HALF)
    for look in (part for one in looks for part in _apart(one)):
        down, across = (
            slice(start, start + size)
            for start, size in ((look.y - rect.y, look.height), (look.x - rect.x, look.width))
        )
        half_down, half_across = (slice(part.start // 2, part.stop // 2) for part in (down, across))
        rest[down, across], light[down, across] = look.planes.rest, look.planes.light
        chroma_rest[half_down, half_across] = look.planes.chroma_rest
        chroma_light[:, half_down, half_across] = look.planes.chroma_light
    planes = Planes(rest, light.astype(np.uint16), chroma_rest, chroma_light.astype(np.uint16))
    return Sprite(*rect, planes=planes)


def _apart(look: Look) -> Iterator[Sprite]:
    """The sprites that a mosaic was put together of."""
    if isinstance(look, Sprite):
        yield look
        return
    start = 0
    for tile in look.tiles:
        luma = tile.width * tile.height
        rest, light = (
            values[start : start + luma].reshape(tile.height, tile.width)
            for values in (look.rest, look.light)
        )
        start += luma
        chroma_rest, chroma_light = (
            values[start : start + luma // 2].reshape(2, tile.height // 2, tile.width // 2)
            for values in (look.rest, look.light)
        )
        start += luma // 2
        yield Sprite(*tile, planes=Planes(rest, light, chroma_rest[0], chroma_light))


def alpha(sprite: Sprite) -> Bytes:
    return (255 - sprite.planes.rest).astype(np.uint8)


def places(look: Look) -> tuple[Rect, ...]:
    """Where it is."""
    return look.tiles if isinstance(look, Mosaic) else (Rect(look.x, look.y, look.width, look.height),)


def inked(sprite: Sprite) -> Rect:
    """The rectangle that shows anything, in program pixels."""
    rows, columns = np.nonzero(alpha(sprite))
    left, top = int(columns.min()), int(rows.min())
    return Rect(sprite.x + left, sprite.y + top, int(columns.max()) - left + 1, int(rows.max()) - top + 1)


def rectangle(width: int, height: int, color: str = "#FF0000") -> dict[str, Any]:
    return {"width": width, "height": height, "color": color}
