"""The compositor alone: 1080p, a moving base picture, four overlays of 600x200, two with changing opacity.

Required: 300 frames a second on one core. Counted in processor time of the thread, so that what else the
machine does tells less. Beside it the test patterns, at 720p.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import numpy as np

from vistterstream.playout.compositor import compose, prepare
from vistterstream.playout.frames import Frame
from vistterstream.playout.patterns import TestPattern
from vistterstream.resources.camera import Pattern, TestPatternSource
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.plan import OverlayInstance

REQUIRED = 300.0
FRAMES = 600
_WALL = datetime(2026, 1, 1, tzinfo=UTC)


def _overlay(number: int, *, moving: bool) -> OverlayInstance:
    fade = {
        "property": "opacity",
        "keyframes": [{"at": "0s", "value": 0.1}, {"at": "60s", "value": 0.9, "easing": "easeInOutCubic"}],
    }
    rectangle = {"width": 600, "height": 200, "color": "#2A6FDBC0"}
    position = {"x": 41 + 650 * (number % 2), "y": 61 + 300 * (number // 2)}
    layer = {"name": "box", "rectangle": rectangle, "position": position}
    spec = OverlaySpec.model_validate({"layers": [layer | ({"tracks": [fade]} if moving else {})]})
    return OverlayInstance(id=str(number), overlay=f"overlay-{number}", spec=spec)


def _measure(mix: float, ids: list[str]) -> float:
    """Frames a second; the pictures change from frame to frame, so that none stays in the cache by luck."""
    overlays = [_overlay(number, moving=number < 2) for number in range(4)]
    format = Format(width=1920, height=1080)
    scene = prepare(format, overlays, Fallback(), wall=_WALL)
    random = np.random.default_rng(1)
    frames = [Frame(1920, 1080) for _ in range(6)]
    for frame in frames:
        frame.data[:] = random.integers(16, 235, frame.data.shape, np.uint8)
    out = Frame(1920, 1080)
    began = time.thread_time()
    for number in range(FRAMES):
        incoming = frames[(number + 3) % 6] if mix else None
        shown = [(id, number) for id in ids]
        compose(scene, out, frames[number % 6], incoming, mix, shown, number, _WALL)
    return FRAMES / (time.thread_time() - began)


def _measure_pattern(pattern: Pattern) -> float:
    """Frames a second of one test pattern."""
    made = TestPattern(TestPatternSource(pattern=pattern, label="Old wharf", number=1), Format())
    out = Frame(1280, 720)
    began = time.thread_time()
    for number in range(FRAMES):
        made.render(number, out)
    return FRAMES / (time.thread_time() - began)


def run() -> dict[str, float]:
    """The figures, in frames a second."""
    ids = ["0", "1", "2", "3"]
    return {
        "four_overlays": _measure(0.0, ids),
        "four_overlays_and_crossfade": _measure(0.4, ids),
        "picture_alone": _measure(0.0, []),
        **{f"pattern_{pattern.value}": _measure_pattern(pattern) for pattern in Pattern},
        "required": REQUIRED,
    }


def main() -> None:
    """Print the figures as a table and as JSON; fail where the requirement is missed."""
    figures = run()
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):32} {value:9.0f} frames/s")
    print(json.dumps(figures))
    if figures["four_overlays"] < REQUIRED:
        raise SystemExit("the compositor is slower than required")


if __name__ == "__main__":
    main()
