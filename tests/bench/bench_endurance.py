"""Nothing grows with time on air: a million frames, one after the other, as fast as they can be made.

Required: after them, memory and the cost of a frame are where they were. The picture is small, the show
is not: cameras, transitions, a clock, a ticker, layers that move, fade, turn and change their text, in a
loop that does not come out even. Frames are made by the code that makes them on air, pictures and sound;
what a playout keeps beside them is measured with a playout (``bench_appliance``). ``python -m
bench.bench_endurance [--quick]``.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from typing import Any

from bench.figures import Figure, main
from bench.processor import resident
from vistterstream.playout.frames import Frame
from vistterstream.playout.offline import Offline
from vistterstream.resources.kinds import Camera, Overlay, Program, Timeline
from vistterstream.resources.timeline import TransitionType
from vistterstream.timeline.compile import compile_plan
from vistterstream.timeline.plan import Plan

FRAMES, QUICK_FRAMES = 1_000_000, 20_000
WARM_UP = 4_000  # frames until caches and pools are full
LOOKS = 40  # so many stretches are timed
MOST_GROWTH = 4.0  # MB; one sprite kept for each second of the show would be ten times as much
MOST_COST = 1.15  # of the cost at the beginning: the noise of a machine that does other things
_EPOCH = 1_767_225_600_000_000_000


def _graphics() -> dict[str, list[dict[str, Any]]]:
    """Layers of every manner, by overlay."""
    swing = {"repeat": "pingPong", "keyframes": [{"at": "0s", "value": 0}, {"at": "3s", "value": 9.7}]}
    turn = {"repeat": "loop", "keyframes": [{"at": "0s", "value": 0}, {"at": "7s", "value": 360}]}
    fade = {
        "property": "opacity",
        "keyframes": [{"at": "0s", "value": 0}, {"at": "2s", "value": 1, "easing": "easeOutCubic"}],
    }
    texts = [{"at": "0s", "text": "In"}, {"at": "1s", "text": "{{ title }}"}]
    words = {"property": "text", "keyframes": texts}
    text = {"value": "{{ title }}", "size": 40}
    box = {"width": 120, "height": 60, "color": "#2A6FDBC0", "radius": 8}
    return {
        "title": [
            {
                "name": "a",
                "text": text,
                "tracks": [words | {"property": "text"}, fade | {"property": "opacity"}],
            },
            {"name": "b", "rectangle": box, "enter": {"duration": "1s", "slide": "left"}},
        ],
        "clock": [
            {"name": "a", "clock": {"format": "%H:%M:%S", "size": 40}},
            {"name": "b", "countdown": {"duration": "9s", "size": 40}, "position": {"x": 400}},
        ],
        "moving": [
            {"name": "a", "rectangle": box, "tracks": [swing | {"property": "x"}]},
            {"name": "b", "rectangle": box, "tracks": [turn | {"property": "rotation"}]},
            {"name": "c", "ticker": {"value": "High tide at noon", "size": 40}, "position": {"y": 600}},
        ],
    }


def _plan() -> Plan:
    canvas = {"width": 1280, "height": 720}
    video = [
        {"camera": camera, "duration": "2s300ms", "transition": {"type": kind.value, "duration": "700ms"}}
        for kind in TransitionType
        for camera in ("a", "b")
        if kind is not TransitionType.CUT
    ]
    titles = [
        {"overlay": "title", "at": f"{number * 4}s", "duration": "3s", "values": {"title": f"Boat {number}"}}
        for number in range(5)
    ]
    tracks = [
        {"name": "pictures", "video": video},
        {"name": "titles", "overlays": titles},
        {"name": "clock", "overlays": [{"overlay": "clock", "at": "1s", "duration": "9s"}]},
        {"name": "moving", "overlays": [{"overlay": "moving"}]},
    ]
    timeline = {"metadata": {"name": "show"}, "spec": {"loop": True, "tracks": tracks}}
    format = {"width": 128, "height": 72, "frameRate": "30000/1001"}
    sources = {
        "a": {"testPattern": {"pattern": "grid", "tone": 440}},
        "b": {"testPattern": {"pattern": "motion"}},
    }
    return compile_plan(
        Program.model_validate(
            {"metadata": {"name": "main"}, "spec": {"format": format, "timeline": "show"}}
        ),
        timeline=Timeline.model_validate(timeline),
        overlays={
            name: Overlay.model_validate(
                {"metadata": {"name": name}, "spec": {"canvas": canvas, "layers": layers}}
            )
            for name, layers in _graphics().items()
        },
        cameras={
            name: Camera.model_validate({"metadata": {"name": name}, "spec": {"source": source}})
            for name, source in sources.items()
        },
        outputs=(),
        resolve=lambda _resource, path, _kind: path,
        hls_folder=lambda _output, _target: "",
        recording_folder=lambda _output, _target: "",
    ).plan


def endure(frames: int) -> list[Figure]:
    """The figures over so many frames."""
    program = Offline(_plan(), _EPOCH)
    if program.problems:
        raise SystemExit(str(program.problems))
    out = Frame(program.format.width, program.format.height)
    try:
        _make(program, out, 0, WARM_UP)
        before = _memory()
        step = (frames - WARM_UP) // LOOKS
        costs = [_make(program, out, WARM_UP + look * step, step) for look in range(LOOKS)]
        grown = _memory() - before
    finally:
        program.close()
    first, last = (statistics.median(part) for part in (costs[: LOOKS // 4], costs[-LOOKS // 4 :]))
    return [
        Figure(
            f"memory after {frames:,} frames", grown, "MB more", MOST_GROWTH, "lower", f"than {before:.0f} MB"
        ),
        Figure(
            "a frame then, against one at the beginning", last / first, "×", MOST_COST, "lower",
            f"{last * 1000:.3f} against {first * 1000:.3f} ms",
        ),
    ]  # fmt: skip


def _make(program: Offline, out: Frame, first: int, count: int) -> float:
    """Seconds of processor time for each of these frames."""
    began = time.thread_time()
    for number in range(first, first + count):
        program.make(number, out)
    return (time.thread_time() - began) / count


def _memory() -> float:
    """Resident memory in MB, garbage gone."""
    gc.collect()
    return resident(os.getpid())


def measure(*, quick: bool = False) -> list[Figure]:
    """The figures."""
    return endure(QUICK_FRAMES if quick else FRAMES)


if __name__ == "__main__":
    main(measure)
