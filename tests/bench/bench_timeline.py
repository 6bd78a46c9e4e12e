"""A timeline of 10,000 cues: compiling it, and evaluating any frame of it. And a frame of each transition.

Required: compiling within a second, a frame within 50 microseconds. Counted in processor time of the thread.
``python -m bench.bench_timeline``.
"""

from __future__ import annotations

import random
import time

import numpy as np

from bench.figures import Figure, main
from vistterstream.base import memory
from vistterstream.playout.frames import Frame
from vistterstream.playout.transitions import Transitions
from vistterstream.resources.kinds import Camera, Overlay, Program, Timeline
from vistterstream.resources.timeline import TransitionType
from vistterstream.timeline.compile import compile_plan
from vistterstream.timeline.evaluate import TimelineIndex, picture
from vistterstream.timeline.plan import TimelinePlan, TransitionPlan

CUES = 10_000
REQUIRED_COMPILE = 1.0
REQUIRED_EVALUATE = 50e-6
FRAMES = 200


def _timeline() -> Timeline:
    """Half of the cues show cameras, each with a transition, half overlays, each with a text of its own."""
    video = [
        {
            "camera": f"camera-{number % 7}",
            "duration": "1m0s500ms",
            "transition": {"type": "wipe", "duration": "1s", "easing": "easeInOutCubic"},
        }
        for number in range(CUES // 2)
    ]
    overlays = [
        {"overlay": "tag", "at": f"{number * 60}s", "duration": "90s", "values": {"title": f"Boat {number}"}}
        for number in range(CUES // 2)
    ]
    tracks = [{"name": "pictures", "video": video}, {"name": "graphics", "overlays": overlays}]
    return Timeline.model_validate({"metadata": {"name": "day"}, "spec": {"loop": True, "tracks": tracks}})


def _compile(timeline: Timeline) -> TimelinePlan:
    layers = [{"name": "title", "text": {"value": "{{ title }}"}}]
    tag = Overlay.model_validate({"metadata": {"name": "tag"}, "spec": {"layers": layers}})
    spec = {"format": {"frameRate": "30000/1001"}, "timeline": "day"}
    cameras = {
        f"camera-{number}": Camera.model_validate(
            {"metadata": {"name": f"camera-{number}"}, "spec": {"source": {"testPattern": {}}}}
        )
        for number in range(7)
    }
    compiled = compile_plan(
        Program.model_validate({"metadata": {"name": "main"}, "spec": spec}),
        timeline=timeline,
        overlays={"tag": tag},
        cameras=cameras,
        outputs=(),
        resolve=lambda _resource, path, _kind: path,
        hls_folder=lambda _output, _target: "",
        recording_folder=lambda _output, _target: "",
    )
    assert compiled.plan.timeline is not None
    return compiled.plan.timeline


def _evaluate(plan: TimelinePlan) -> tuple[float, float]:
    """Seconds a frame, on average of frames anywhere, and of frames within a transition."""
    index = TimelineIndex(plan)
    anywhere = random.Random(1).choices(range(plan.length), k=20_000)
    moving = [cue.start + number % 29 for number, cue in enumerate(plan.video)] * 4
    figures = []
    for frames in (anywhere, moving):
        began = time.thread_time()
        for frame in frames:
            picture(index, frame)
        figures.append((time.thread_time() - began) / len(frames))
    return figures[0], figures[1]


def _transition(type: TransitionType, softness: float = 0.0) -> float:
    """Seconds a frame of 1080p; the pictures change, so that none stays in the cache by luck."""
    noise = np.random.default_rng(1)
    frames = [Frame(1920, 1080) for _ in range(6)]
    for frame in frames:
        frame.data[:] = noise.integers(16, 235, frame.data.shape, np.uint8)
    how, out, made = (
        TransitionPlan(type=type, frames=FRAMES, softness=softness),
        Frame(1920, 1080),
        Transitions(),
    )
    made.blend(out, frames[0], frames[1], 0.4, how)
    began = time.thread_time()
    for number in range(FRAMES):
        made.blend(out, frames[number % 6], frames[(number + 3) % 6], (number + 1) / (FRAMES + 1), how)
    return (time.thread_time() - began) / FRAMES


def measure(*, quick: bool = False) -> list[Figure]:
    """The figures; `quick` changes nothing, since they take seconds."""
    del quick
    timeline = _timeline()
    began = time.thread_time()
    with memory.put_off():  # as the controller does
        plan = _compile(timeline)
    compiled = time.thread_time() - began
    anywhere, moving = _evaluate(plan)
    kinds = [kind for kind in TransitionType if kind is not TransitionType.CUT]
    transitions = {kind.value: _transition(kind) for kind in kinds}
    transitions["softest wipe"] = _transition(TransitionType.WIPE, 1.0)
    said = ", ".join(f"{name} {seconds * 1000:.2f}" for name, seconds in transitions.items())
    return [
        Figure("compiling 10,000 cues", compiled, "s", REQUIRED_COMPILE, "lower"),
        Figure(
            "evaluating any frame of them", max(anywhere, moving) * 1e6, "µs", REQUIRED_EVALUATE * 1e6,
            "lower", f"ms a frame of 1080p: {said}",
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    main(measure)
