"""Drawing single layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from vistterstream.playout.frames import Bytes
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
        assert len(drawn) <= 1, "it is in parts"
        self.sprite: Sprite | None = None
        for one in drawn:
            assert isinstance(one, Sprite), "it is in parts"
            self.sprite = one

    @property
    def good(self) -> Sprite:
        assert not self.problems
        assert self.sprite is not None
        return self.sprite


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
