"""The compositor alone: 1080p, a moving base picture, four overlays of 600x200, two with changing opacity.

Required: 300 frames a second on one core. Then the lively picture (a crossfade, eight overlays of which
four are animated, a ticker), while another core encodes: at most 4 ms on the mean and 12 ms in 999 of 1,000
frames; and four overlays at 2160p30, which have to fit their frame. In processor time of the thread, so that
what else the machine does tells less, and the lively picture by the wall clock too, alone and as all of the
frame that the air makes. ``python -m bench.bench_compositor [--quick]``.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from bench import lively
from bench.figures import Figure, main
from bench.processor import encoding_beside
from vistterstream.playout.clock import Epoch
from vistterstream.playout.compositor import compose, prepare
from vistterstream.playout.feeds import PatternFeed
from vistterstream.playout.frames import Frame
from vistterstream.playout.mixing import Bus
from vistterstream.playout.patterns import TestPattern
from vistterstream.playout.stage import Source, Stage, look_ahead, make
from vistterstream.playout.tape import Tapes
from vistterstream.resources.camera import CameraSpec, Pattern, TestPatternSource
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.resources.timeline import TransitionType
from vistterstream.timeline.evaluate import TimelineIndex
from vistterstream.timeline.plan import (
    OverlayCuePlan,
    OverlayInstance,
    TimelinePlan,
    TransitionPlan,
    VideoCuePlan,
)

REQUIRED = 300.0
FRAMES = 600
LIVELY_FRAMES = 10_000
LIVELY_MEAN, LIVELY_P999 = 4.0, 12.0  # ms
LARGE_P999 = 1000 / 30  # ms
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
    frames, out = lively.pictures(1920, 1080), Frame(1920, 1080)
    began = time.thread_time()
    for number in range(FRAMES):
        incoming = frames[(number + 3) % 6] if mix else None
        shown = [(id, number) for id in ids]
        compose(scene, out, frames[number % 6], incoming, mix, shown, number, _WALL)
    return FRAMES / (time.thread_time() - began)


@dataclass(frozen=True)
class Spread:
    """What a frame costs; ms of the thread's processor time, and by the clock on the wall."""

    mean: float
    median: float
    p999: float
    wall_mean: float
    wall_p999: float


def measure_lively(frames: int, width: int = 1920, height: int = 1080, *, four: bool = False) -> Spread:
    """A crossfade with all of `lively`, or with `four` of its overlays (two of them animated, no ticker)."""
    boxes = lively.BOXES[2:6] if four else lively.BOXES
    overlays = lively.overlays(boxes, ticker=not four)
    scene = prepare(lively.format_of(width, height), overlays, Fallback(), wall=_WALL)
    if scene.problems:
        raise SystemExit(str(scene.problems))
    pictures, out = lively.pictures(width, height), Frame(width, height)
    spent, wall = np.empty(frames), np.empty(frames)
    for number in range(frames):
        shown = [(overlay.id, number + lively.START) for overlay in overlays]
        base, incoming = pictures[number % 6], pictures[(number + 3) % 6]
        mix = 0.2 + 0.6 * number / frames
        began, on_the_wall = time.thread_time(), time.perf_counter()
        compose(scene, out, base, incoming, mix, shown, number, _WALL)
        spent[number], wall[number] = time.thread_time() - began, time.perf_counter() - on_the_wall
    return _spread(spent, wall)


def _spread(spent: NDArray[np.float64], wall: NDArray[np.float64]) -> Spread:
    """Of what was measured in seconds."""
    spent, wall = spent * 1000, wall * 1000
    return Spread(
        float(spent.mean()), float(np.median(spent)), float(np.quantile(spent, 0.999)),
        float(wall.mean()), float(np.quantile(wall, 0.999)),
    )  # fmt: skip


def measure_whole(frames: int) -> Spread:
    """A frame as the air makes it: where the timeline is, the picture, the sound, and what comes."""
    overlays = lively.overlays()
    format = lively.format_of(1920, 1080)
    fade = TransitionPlan(type=TransitionType.CROSSFADE, frames=2 * frames)
    ids = [overlay.id for overlay in overlays]
    index = TimelineIndex(
        TimelinePlan(
            name="lively",
            length=10**7,
            loop=False,
            video=(
                VideoCuePlan(start=0, end=lively.START, camera="a"),
                VideoCuePlan(start=lively.START, end=10**7, camera="b", transition=fade),
            ),
            overlays=tuple(OverlayCuePlan(start=0, end=10**7, instance=id) for id in ids),
        )
    )
    scene = prepare(format, overlays, Fallback(), wall=_WALL)
    source = {"testPattern": {"pattern": "grid", "tone": 440}}
    spec = CameraSpec.model_validate({"source": source})
    feeds: dict[str, Source] = {name: PatternFeed(name, spec, format) for name in "ab"}
    tapes = Tapes(os.environ, 1)
    stage = Stage(index=index, scene=scene, feeds=feeds, sounds=tapes)
    rate, epoch = format.frame_rate.fraction, Epoch(0, 1_767_225_600_000_000_000)
    bus, out = Bus(rate), Frame(1920, 1080)
    spent, wall = np.empty(frames), np.empty(frames)
    for number in range(frames):
        at = lively.START + number
        began, on_the_wall = time.thread_time(), time.perf_counter()
        make(stage, at, rate, epoch, float(at / rate), out, bus)
        look_ahead(stage, at, rate, epoch)
        spent[number], wall[number] = time.thread_time() - began, time.perf_counter() - on_the_wall
    tapes.close()
    scene.close()
    return _spread(spent, wall)


def _measure_pattern(pattern: Pattern) -> float:
    """Frames a second of one test pattern."""
    made = TestPattern(TestPatternSource(pattern=pattern, label="Old wharf", number=1), Format())
    out = Frame(1280, 720)
    began = time.thread_time()
    for number in range(FRAMES):
        made.render(number, out)
    return FRAMES / (time.thread_time() - began)


def measure(*, quick: bool = False) -> list[Figure]:
    """The figures."""
    ids = ["0", "1", "2", "3"]
    speed, faded = _measure(0.0, ids), _measure(0.4, ids)
    patterns = {pattern.value: _measure_pattern(pattern) for pattern in Pattern}
    slowest = min(patterns, key=patterns.__getitem__)
    frames = LIVELY_FRAMES // 5 if quick else LIVELY_FRAMES
    with encoding_beside():
        whole = measure_whole(frames // 2)
        lively, large = measure_lively(frames), measure_lively(frames // 10, 3840, 2160, four=True)
    name = "1080p60, crossfade, 8 overlays (4 animated), ticker"
    beside = f"{frames:,} frames, an x264 encode beside; half of them in {lively.median:.2f} ms"
    return [
        Figure(
            "1080p, four overlays of 600×200", speed, "frames/s", REQUIRED, "higher",
            f"{faded:.0f} in a crossfade; test patterns from {patterns[slowest]:.0f} ({slowest}, 720p)",
        ),
        Figure(
            f"{name}: mean", lively.mean, "ms", LIVELY_MEAN, "lower",
            beside,
        ),
        Figure(f"{name}: 99.9 %", lively.p999, "ms", LIVELY_P999, "lower"),
        Figure("its mean by the wall clock", lively.wall_mean, "ms", LIVELY_MEAN, "lower"),
        Figure("its 99.9 % by the wall clock", lively.wall_p999, "ms", LIVELY_P999, "lower"),
        Figure(
            "the whole frame as on air, by the wall clock: mean", whole.wall_mean, "ms", None, "lower",
            "with its two test patterns, evaluation, sound, looking ahead with its thread; "
            f"{whole.mean:.2f} ms of the clock's thread",
        ),
        Figure(
            "the whole frame as on air, by the wall clock: 99.9 %", whole.wall_p999, "ms", None,
            "lower", f"{whole.p999:.2f} ms of the clock's thread",
        ),
        Figure(
            "2160p30, crossfade, 4 overlays (2 animated): 99.9 %", large.p999, "ms", LARGE_P999, "lower",
            f"{large.mean:.2f} ms on the mean",
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    main(measure)
