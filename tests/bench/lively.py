"""The lively picture: a crossfade, eight overlays of which four are animated, and a ticker; at any size.

Sizes and places are those of a canvas of 1920×1080. `BOXES` and `TICKER` are data, so that the same picture
can be made by something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vistterstream.playout.frames import Frame
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import Format
from vistterstream.timeline.plan import OverlayInstance

WIDTH, HEIGHT = 1920, 1080
BOX = (600, 200)
COLOR = "#2A6FDBC0"
RADIUS = 12
EASING = "easeInOutSine"
AWAY, AWAY_TIME = 37.3, 7  # how far a box slides, in pixels, and in how many seconds
LARGEST, GROW_TIME = 1.2, 9
FAINTEST, FADE_TIME = 0.2, 5
SPEED = 133.7  # of the ticker, in pixels a second
TICKER_SIZE, TICKER_Y = 40, -40
TICKER_TEXT = "Harbour news\nHigh tide at noon\nFerry at one"
PICTURES = 6
START = 1200  # age of the overlays in the first frame, at 60 frames a second: the ticker has come in


@dataclass(frozen=True)
class Box:
    """One of the overlays of 600×200; its place, and what it does."""

    x: int
    y: int
    slides: bool = False
    grows: bool = False
    fades: bool = False


BOXES = tuple(
    Box(
        41 + 640 * (number % 3),
        31 + 220 * (number // 3),
        slides=number in (0, 1, 2),
        grows=number == 3,
        fades=number in (1, 3),
    )
    for number in range(8)
)


def _track(name: str, first: float, last: float, seconds: int) -> dict[str, Any]:
    keyframes = [{"at": "0s", "value": first}, {"at": f"{seconds}s", "value": last, "easing": EASING}]
    return {"property": name, "repeat": "pingPong", "keyframes": keyframes}


def format_of(width: int, height: int) -> Format:
    """That size, at 60 frames a second."""
    return Format.model_validate({"width": width, "height": height, "frameRate": "60"})


def spec_of(box: Box) -> OverlaySpec:
    """The overlay of a box."""
    tracks = []
    if box.slides:
        tracks.append(_track("x", box.x, box.x + AWAY, AWAY_TIME))
    if box.grows:
        tracks.append(_track("scale", 1.0, LARGEST, GROW_TIME))
    if box.fades:
        tracks.append(_track("opacity", 1.0, FAINTEST, FADE_TIME))
    layer = {
        "name": "box",
        "rectangle": {"width": BOX[0], "height": BOX[1], "color": COLOR, "radius": RADIUS},
        "position": {"x": box.x, "y": box.y},
        "tracks": tracks,
    }
    return OverlaySpec.model_validate({"layers": [layer]})


def overlays(boxes: tuple[Box, ...] = BOXES, *, ticker: bool = True) -> list[OverlayInstance]:
    """The boxes, and the ticker on top."""
    made = [
        OverlayInstance(id=f"box-{number}", overlay=f"box-{number}", spec=spec_of(one))
        for number, one in enumerate(boxes)
    ]
    if ticker:
        made.append(OverlayInstance(id="ticker", overlay="ticker", spec=spec_of_ticker()))
    return made


def spec_of_ticker() -> OverlaySpec:
    """The overlay of the ticker."""
    layer = {
        "name": "ticker",
        "ticker": {"value": TICKER_TEXT, "speed": SPEED, "size": TICKER_SIZE},
        "position": {"anchor": "bottomLeft", "y": TICKER_Y},
    }
    return OverlaySpec.model_validate({"layers": [layer]})


def pictures(width: int, height: int) -> list[Frame]:
    """Noise: pictures that change from frame to frame, so that none stays in the cache by luck."""
    random = np.random.default_rng(1)
    frames = [Frame(width, height) for _ in range(PICTURES)]
    for frame in frames:
        frame.data[:] = random.integers(16, 235, frame.data.shape, np.uint8)
    return frames
