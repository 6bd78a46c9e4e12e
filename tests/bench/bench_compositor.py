"""The compositor alone: 1080p, a moving base picture, four overlays of 600x200, two with changing opacity.

Required: 300 frames a second on one core. Counted in processor time of the thread, so that what else the
machine does tells less. Beside it a lively picture (a crossfade, eight overlays of which four are animated, a
ticker), with a mean of at most 4 ms and 12 ms in 999 of 1,000 frames, and the test patterns, at 720p.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

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
LIVELY_FRAMES = 2_000
LIVELY_MEAN, LIVELY_P999 = 4.0, 12.0  # ms
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


def _lively() -> list[OverlayInstance]:
    """Eight overlays of 600x200: four still, four animated (moved, grown, faded), and one ticker."""
    made = []
    for number in range(8):
        position = {"x": 41 + 640 * (number % 3), "y": 31 + 220 * (number // 3)}
        layer: dict[str, Any] = {
            "name": "box",
            "rectangle": {"width": 600, "height": 200, "color": "#2A6FDBC0", "radius": 12},
            "position": position,
            "tracks": [],
        }
        swing = {"repeat": "pingPong", "property": "x"}
        away = position["x"] + 37.3
        slow = [{"at": "0s", "value": position["x"]}, {"at": "7s", "value": away, "easing": "easeInOut"}]
        grow = [{"at": "0s", "value": 1.0}, {"at": "9s", "value": 1.2, "easing": "easeInOutSine"}]
        fade = [{"at": "0s", "value": 0.2}, {"at": "5s", "value": 0.9, "easing": "easeOut"}]
        if number in (0, 1, 2):
            layer["tracks"] = [swing | {"keyframes": slow}]
        if number == 3:
            layer["tracks"] = [{"repeat": "pingPong", "property": "scale", "keyframes": grow}]
        if number in (1, 3):
            layer["tracks"].append({"repeat": "pingPong", "property": "opacity", "keyframes": fade})
        spec = OverlaySpec.model_validate({"layers": [layer]})
        made.append(OverlayInstance(id=f"lively-{number}", overlay=f"lively-{number}", spec=spec))
    ticker = {
        "name": "ticker",
        "ticker": {"value": "Harbour news\nHigh tide at noon\nFerry at one", "speed": 133.7, "size": 40},
        "position": {"anchor": "bottomLeft", "y": -40},
    }
    spec = OverlaySpec.model_validate({"layers": [ticker]})
    return [*made, OverlayInstance(id="ticker", overlay="ticker", spec=spec)]


def measure_lively() -> tuple[float, float]:
    """Mean and 99.9th percentile, in ms of processor time a frame, of a crossfade with all of `_lively`."""
    scene = prepare(Format(width=1920, height=1080), _lively(), Fallback(), wall=_WALL)
    if scene.problems:
        raise SystemExit(str(scene.problems))
    random = np.random.default_rng(1)
    frames = [Frame(1920, 1080) for _ in range(6)]
    for frame in frames:
        frame.data[:] = random.integers(16, 235, frame.data.shape, np.uint8)
    out, spent = Frame(1920, 1080), np.empty(LIVELY_FRAMES)
    shown = [overlay.id for overlay in _lively()]
    for number in range(LIVELY_FRAMES):
        began = time.thread_time()
        overlays = [(id, number + 900) for id in shown]
        mix = 0.2 + 0.6 * number / LIVELY_FRAMES
        compose(scene, out, frames[number % 6], frames[(number + 3) % 6], mix, overlays, number, _WALL)
        spent[number] = time.thread_time() - began
    return float(spent.mean() * 1000), float(np.quantile(spent, 0.999) * 1000)


def _measure_pattern(pattern: Pattern) -> float:
    """Frames a second of one test pattern."""
    made = TestPattern(TestPatternSource(pattern=pattern, label="Old wharf", number=1), Format())
    out = Frame(1280, 720)
    began = time.thread_time()
    for number in range(FRAMES):
        made.render(number, out)
    return FRAMES / (time.thread_time() - began)


def run() -> dict[str, float]:
    """The figures, in frames a second where they do not say otherwise."""
    ids = ["0", "1", "2", "3"]
    mean, worst = measure_lively()
    return {
        "lively_mean_ms": mean,
        "lively_p999_ms": worst,
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
        unit = "ms" if name.endswith("_ms") else "frames/s"
        print(f"{name.replace('_', ' '):32} {value:9.{2 if unit == 'ms' else 0}f} {unit}")
    print(json.dumps(figures))
    if figures["four_overlays"] < REQUIRED:
        raise SystemExit("the compositor is slower than required")
    if figures["lively_mean_ms"] > LIVELY_MEAN or figures["lively_p999_ms"] > LIVELY_P999:
        raise SystemExit("the compositor is slower than required with eight overlays and a ticker")


if __name__ == "__main__":
    main()
