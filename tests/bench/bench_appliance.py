"""The appliance as a whole: beside one FFmpeg command, with more outputs, with idle cameras, idle, for long.

Processor time is counted over the same number of frames in the same run, in turns, so that what else the
machine does falls on both sides. ``python -m bench.bench_appliance [--quick]``.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import shows
from bench.figures import Figure, main
from bench.processor import cpu_seconds, resident
from peers.rtsp import Camera
from peers.vistter import Appliance, Object, manifest
from peers.waiting import until

OBJECTS = 100
IDLE_CAMERAS = 6


@dataclass(frozen=True)
class Lengths:
    """How long to look, in s where not in frames."""

    frames: int
    cpu: float
    turns: int
    idle: float
    memory: float


QUICK = Lengths(frames=150, cpu=8, turns=1, idle=8, memory=20)
FULL = Lengths(frames=600, cpu=20, turns=3, idle=20, memory=600)


def _pause(seconds: float) -> None:
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() >= end, seconds + 5, "the time is over", every=0.05)


def _used(pids: Callable[[], Iterable[int]], seconds: float) -> float:
    """Processor seconds per second that these processes use."""
    before, began = cpu_seconds(pids()), time.monotonic()
    _pause(seconds)
    return (cpu_seconds(pids()) - before) / (time.monotonic() - began)


def _on_air(appliance: Appliance, outputs: Iterable[str]) -> None:
    for name in outputs:
        appliance.wait_condition("Output", name, "Publishing", deadline=40)
    _pause(3)


def _per_frame(pids: Callable[[], Iterable[int]], frame: Callable[[], int], count: int) -> float:
    """Milliseconds of processor time that these processes use for a frame, over `count` frames."""
    first, before = frame(), cpu_seconds(pids())
    # Asking is no part of the job, and costs what is asked: twenty times a second, a hundredth of it all.
    until(lambda: frame() >= first + count, count, f"{count} frames", every=1.0)
    used = cpu_seconds(pids()) - before
    return used / (frame() - first) * 1000


def _appliance_cpu(folder: Path, clip: Path, outputs: int, frames: int) -> float:
    names = [f"out-{index}" for index in range(outputs)]
    objects = [shows.file_camera(clip), *shows.program([("wharf", "1000s")])]
    objects += [shows.output(name, folder) for name in names]
    with shows.appliance(folder, objects) as appliance:
        appliance.wait_on_air("main", "wharf")
        _on_air(appliance, names)
        before = appliance.playout()["repeated_frames"]
        used = _per_frame(appliance.processes, lambda: int(appliance.playout()["frame"]), frames)
        if repeated := appliance.playout()["repeated_frames"] - before:
            print(f"the machine was too slow: {repeated} pictures repeated of {frames}")
    return used


def _by_hand_cpu(folder: Path, clip: Path, frames: int, threads: int | None = None) -> float:
    with shows.by_hand(folder, clip, threads) as ffmpeg:
        _pause(3)
        used = _per_frame(lambda: [ffmpeg.pid], lambda: shows.frames_by_hand(ffmpeg), frames)
        assert ffmpeg.running, ffmpeg.said()
    return used


def against_one_command(folder: Path, lengths: Lengths) -> list[Figure]:
    """The appliance against one FFmpeg command, and what a further output costs."""
    clip = shows.make_clip(folder)
    hand, single, two, one, five = [], [], [], [], []
    for turn in range(lengths.turns):
        here = folder / f"turn-{turn}"
        here.mkdir()
        hand.append(_by_hand_cpu(here / "hand", clip, lengths.frames))
        single.append(_by_hand_cpu(here / "single", clip, lengths.frames, threads=1))
        two.append(_appliance_cpu(here / "two", clip, 2, lengths.frames))
        one.append(_appliance_cpu(here / "one", clip, 1, lengths.frames))
        five.append(_appliance_cpu(here / "five", clip, 5, lengths.frames))
    ratios = [a / b for a, b in zip(two, hand, strict=True)]
    alike = [a / b for a, b in zip(two, single, strict=True)]
    further = statistics.median((b - a) / 4 / a for a, b in zip(one, five, strict=True))
    return [
        Figure(
            "appliance / one FFmpeg command, two outputs", statistics.median(ratios), "×", 1.15, "lower",
            f"{min(ratios):.2f} to {max(ratios):.2f}; {statistics.median(two):.2f} against "
            f"{statistics.median(hand):.2f} CPU ms a frame",
        ),
        Figure(
            "the same, its x264 with one thread as ours has", statistics.median(alike), "×", None, "lower",
            f"{min(alike):.2f} to {max(alike):.2f}; {statistics.median(single):.2f} CPU ms a frame",
        ),
        Figure(
            "each further output, of the one-output CPU", further * 100, "%", 3.0, "lower",
            f"{statistics.median(one):.2f} CPU ms a frame with one, {statistics.median(five):.2f} with five",
        ),
    ]  # fmt: skip


def idle_cameras(folder: Path, lengths: Lengths, width: int, height: int, bitrate: int) -> Figure:
    """What an RTSP camera costs that is configured and not shown, of what decoding it fully costs.

    Most of it is FFmpeg's reading of RTSP, which grows with the packets and not with the pixels: the
    smaller the picture, the larger the share (docs/decisions/0014).
    """
    folder.mkdir(parents=True, exist_ok=True)
    with Camera(folder, 1, width=width, height=height, fps=shows.FPS, bitrate=bitrate, grain=6) as source:
        turns = []
        for turn in range(lengths.turns):
            live, idle = _with_idle_cameras(folder / f"idle-{turn}", source, IDLE_CAMERAS, lengths)
            _, none = _with_idle_cameras(folder / f"none-{turn}", source, 0, lengths)
            turns.append(((idle - none) / IDLE_CAMERAS, live))
    each, live = (statistics.median(found) for found in zip(*turns, strict=True))
    shares = [one / of * 100 for one, of in turns]
    return Figure(
        f"each idle camera of {height} lines, of its full decode",
        statistics.median(shares), "%", 10.0, "lower",
        f"{min(shares):.1f} to {max(shares):.1f}; {each:.4f} of {live:.4f} cores",
    )  # fmt: skip


def _with_idle_cameras(folder: Path, source: Camera, count: int, lengths: Lengths) -> tuple[float, float]:
    """Cores used by the ingest that is on air, and by playout and ingests together."""
    names = [f"idle-{index}" for index in range(count)]
    cues = [("wharf", "100000s"), *((name, "1s") for name in names)]
    cameras = [manifest("Camera", name, {"source": {"url": source.url}}) for name in ("wharf", *names)]
    with shows.appliance(folder, [*cameras, *shows.program(cues), shows.output("out", folder)]) as appliance:
        _on_air(appliance, ["out"])
        for name in ("wharf", *names):
            appliance.wait_condition("Camera", name, "Online", deadline=40)
        _pause(3)
        ingests = [pid for pid in (appliance.pid("ingest", name) for name in ("wharf", *names)) if pid]
        playout = appliance.pid("playout", "main")
        assert playout is not None
        assert len(ingests) == count + 1
        before = cpu_seconds([ingests[0]])
        together = _used(lambda: [playout, *ingests], lengths.cpu)
        return (cpu_seconds([ingests[0]]) - before) / lengths.cpu, together


def _hundred_objects() -> list[Object]:
    layer = {"name": "words", "text": {"value": "{{ title }}"}}
    fixed = shows.program([(f"camera-{index}", "10s") for index in range(40)])
    objects = [manifest("Camera", f"camera-{index}", {"source": {"testPattern": {}}}) for index in range(40)]
    rest = OBJECTS - len(objects) - len(fixed) - 1
    overlays = [manifest("Overlay", f"overlay-{index}", {"layers": [layer]}) for index in range(rest)]
    return [*objects, *fixed, *overlays]


def idle_controller(folder: Path, lengths: Lengths) -> list[Figure]:
    """The controller with a hundred objects and nothing to do; a program is on air."""
    here = folder / "controller"
    with shows.appliance(here, [*_hundred_objects(), shows.output("out", here)]) as appliance:
        _on_air(appliance, ["out"])
        assert len(appliance.ask("list")["objects"]) == OBJECTS
        pid = appliance.controller.pid
        used = _used(lambda: [pid], lengths.idle)
        memory = resident(pid)
    return [
        Figure("controller idle with 100 objects", used * 100, "% of a core", 1.0, "lower"),
        Figure("its memory", memory, "MB", 150.0, "lower"),
    ]


def playout_memory(folder: Path, lengths: Lengths) -> list[Figure]:
    """How much the playout's memory grows after a warm-up of 20 s (caches and buffers fill), and the slope of
    a line through what it has each second (least squares), which no single look can feign.
    """
    here = folder / "memory"
    clip = shows.make_clip(folder)
    objects = [shows.file_camera(clip), *shows.program([("wharf", "4s")]), shows.output("out", here)]
    with shows.appliance(here, objects) as appliance:
        _on_air(appliance, ["out"])
        pid = appliance.pid("playout", "main")
        assert pid is not None
        _pause(20)
        found = _samples(pid, round(lengths.memory))
    before, after = statistics.median(found[:5]), statistics.median(found[-5:])
    most = max(5.0, before * 0.02)
    slope = statistics.linear_regression(range(len(found)), found).slope * 600
    return [
        Figure(
            f"playout's memory grows in {lengths.memory:.0f} s", after - before, "MB", most,
            "lower", f"from {before:.0f} to {after:.0f} MB, at most {max(found):.0f}",
        ),
        Figure(
            "the slope of its memory, in ten minutes", slope, "MB", most, "lower",
            f"through {len(found)} looks, one a second",
        ),
    ]  # fmt: skip


def _samples(pid: int, seconds: int) -> list[float]:
    found = []
    for _ in range(seconds):
        found.append(resident(pid))
        _pause(1)
    return found


def measure_cost(*, quick: bool = False) -> list[Figure]:
    """Beside one FFmpeg command, and with more outputs."""
    with _folder() as folder:
        return against_one_command(folder, QUICK if quick else FULL)


def measure_idle(*, quick: bool = False) -> list[Figure]:
    """Idle cameras, and an idle controller."""
    lengths = QUICK if quick else FULL
    with _folder() as folder:
        return [
            idle_cameras(folder / "720", lengths, 1280, 720, 3000),
            idle_cameras(folder / "1080", lengths, 1920, 1080, 6000),
            *idle_controller(folder, lengths),
        ]


def measure_memory(*, quick: bool = False) -> list[Figure]:
    """The playout's memory, for long."""
    with _folder() as folder:
        return playout_memory(folder, QUICK if quick else FULL)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vistter-bench-") as name:
        yield Path(name)


def measure(*, quick: bool = False) -> list[Figure]:
    """What the appliance costs as a whole."""
    parts = (measure_cost, measure_idle, measure_memory)
    return [figure for part in parts for figure in part(quick=quick)]


if __name__ == "__main__":
    main(measure)
