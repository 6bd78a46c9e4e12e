"""Offline rendering against FFmpeg encoding the same frames from a raw file with the same settings.

Required: 0.9 × its speed, by the clock on the wall, over the whole job. The frames are 720p with crossfades,
two animated overlays and a clock. Both are measured in turns and the median of the turns' ratios counts; that
of the processor time stands beside it. With the preset that is used, and with a quicker one, of which making
the frames is a larger part.
``python -m bench.bench_render [--quick]``.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Figure, main
from vistterstream.ffmpeg import commands
from vistterstream.playout.frames import Frame
from vistterstream.playout.movie import write_movie
from vistterstream.playout.offline import Offline
from vistterstream.resources.camera import CameraSource, CameraSpec, Pattern, TestPatternSource
from vistterstream.resources.kinds import Camera, ObjectMeta, Overlay, Program, Timeline
from vistterstream.timeline.compile import compile_plan
from vistterstream.timeline.plan import Plan

REQUIRED = 0.9
_EPOCH = 1_767_225_600_000_000_000


@dataclass(frozen=True)
class Spent:
    """What something took, in seconds."""

    wall: float
    processor: float


def _spent(work: Callable[[], object]) -> Spent:
    """What `work` and the processes that it waits for take."""
    began, before = time.monotonic(), _processor_seconds()
    work()
    return Spent(time.monotonic() - began, _processor_seconds() - before)


def _processor_seconds() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _overlay(name: str, x: int) -> Overlay:
    fade = {"property": "opacity", "keyframes": [{"at": "0s", "value": 0}, {"at": "9s", "value": 1}]}
    layers: list[dict[str, Any]] = [
        {
            "name": "box",
            "rectangle": {"width": 600, "height": 200, "color": "#2A6FDBC0"},
            "position": {"x": x, "y": 100},
            "tracks": [fade],
        },
        {"name": "words", "text": {"value": "The old wharf", "size": 64}, "position": {"x": x, "y": 700}},
        {"name": "time", "clock": {"format": "%H:%M:%S", "size": 48}, "position": {"x": x, "y": 900}},
    ]
    return Overlay.model_validate({"metadata": {"name": name}, "spec": {"layers": layers}})


def plan() -> Plan:
    """Ten seconds that loop."""
    fade = {"type": "crossfade", "duration": "1s"}
    video = [{"camera": name, "duration": "2500ms", "transition": fade} for name in ("a", "b", "a", "b")]
    overlays = [{"overlay": name} for name in ("left", "right")]
    tracks = [{"name": "v", "video": video}, {"name": "o", "overlays": overlays}]
    form = {"metadata": {"name": "t"}, "spec": {"loop": True, "tracks": tracks}}
    patterns = {"a": Pattern.MOTION, "b": Pattern.GRID}
    return compile_plan(
        Program.model_validate({"metadata": {"name": "main"}, "spec": {"timeline": "t"}}),
        timeline=Timeline.model_validate(form),
        overlays={"left": _overlay("left", 60), "right": _overlay("right", 1100)},
        cameras={
            name: Camera(
                metadata=ObjectMeta(name=name),
                spec=CameraSpec(
                    source=CameraSource(test_pattern=TestPatternSource(pattern=pattern, tone=440))
                ),
            )
            for name, pattern in patterns.items()
        },
        outputs=[],
        resolve=lambda _resource, path, _kind: path,
        hls_folder=lambda _output, _target: "",
        recording_folder=lambda _output, _target: "",
    ).plan


def _render(frames: int, out: Path, preset: str) -> Spent:
    program = Offline(plan(), _EPOCH)
    try:
        return _spent(lambda: write_movie(program, 0, frames, out, lossless=False, preset=preset))
    finally:
        program.close()


def _write_raw(frames: int, pictures: Path, sound: Path) -> float:
    """The same frames as raw files; how many a second are made, without encoding."""
    program = Offline(plan(), _EPOCH)
    frame = Frame(program.format.width, program.format.height)
    spent = 0.0
    with pictures.open("wb") as video, sound.open("wb") as audio:
        for number in range(frames):
            began = time.thread_time()
            made = program.make(number, frame)
            spent += time.thread_time() - began
            video.write(frame.buffer)
            audio.write(made.sound.tobytes())
    program.close()
    return frames / spent


def _encode(pictures: Path, sound: Path, out: Path, preset: str) -> Spent:
    argv = commands.movie(out, plan().format, audio_fd=99, lossless=False, preset=preset)
    argv = [{"pipe:0": str(pictures), "pipe:99": str(sound)}.get(word, word) for word in argv]
    return _spent(lambda: subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True))


def measure(*, quick: bool = False) -> list[Figure]:
    """The figures, one for each preset."""
    frames, turns = (150, 1) if quick else (900, 3)
    with tempfile.TemporaryDirectory(prefix="vistter-bench-") as name:
        folder = Path(name)
        pictures, sound = folder / "pictures", folder / "sound"
        made = _write_raw(frames, pictures, sound)
        figures = []
        for preset in (commands.MOVIE_PRESET, "veryfast"):
            spent = [
                (
                    _render(frames, folder / "ours.mp4", preset),
                    _encode(pictures, sound, folder / "theirs.mp4", preset),
                )
                for _ in range(turns)
            ]
            figures.append(_figure(preset, frames, made, spent))
    return figures


def _figure(preset: str, frames: int, made: float, spent: list[tuple[Spent, Spent]]) -> Figure:
    ratios = [theirs.wall / ours.wall for ours, theirs in spent]
    processor = statistics.median(theirs.processor / ours.processor for ours, theirs in spent)
    speeds = [frames / statistics.median(side.wall for side in sides) for sides in zip(*spent, strict=True)]
    return Figure(
        f"rendering offline / FFmpeg from a raw file, {preset}", statistics.median(ratios), "× speed",
        REQUIRED, "higher",
        f"{min(ratios):.2f} to {max(ratios):.2f}; {speeds[0]:.0f} against {speeds[1]:.0f} frames/s of 720p; "
        f"{processor:.2f} by processor time; frames alone {made:.0f} a second",
    )  # fmt: skip


if __name__ == "__main__":
    main(measure)
