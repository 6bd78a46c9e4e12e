"""The opacity that the recording of the air shows follows the keyframes, in each frame."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from e2e import stage
from peers import frames, needs
from peers.vistter import Appliance, Object, manifest

Floats = NDArray[np.float64]

BLACK, WHITE = 16, 235  # luma of the ground and of what fades in
LIMIT = 1 / 255
LENGTH = 4 * stage.FPS  # frames of a round of the timeline
# Bits enough that x264 leaves flat areas as they are: a luma of 16 to 235 resolves an opacity to 1/219, and
# rounding it costs 1/438 at most.
ENCODING = {"video": {"bitrate": "30M", "preset": "ultrafast", "keyframeInterval": "1s"}}
# The control points of CSS Easing Functions 1 and easings.net; None is linear.
CURVES: dict[str, tuple[float, float, float, float] | None] = {
    "linear": None,
    "easeInOut": (0.42, 0.0, 0.58, 1.0),
    "easeOutCubic": (0.33, 1.0, 0.68, 1.0),
    "cubic-bezier(0.2, 0.9, 0.9, 0.1)": (0.2, 0.9, 0.9, 0.1),
}
# Where each keyframe stands, in ms (hardly one of them on a frame), and its opacity.
KEYFRAMES = [(0, 0.0), (710, 1.0), (1333, 0.25), (2050, 0.8), (3900, 0.1)]


def _area(number: int) -> frames.Area:
    return frames.Area(x=32 + 96 * number, y=160, width=64, height=64)


def _height(points: tuple[float, float, float, float], share: float) -> float:
    """A CSS curve at `share`: the root of its polynomial, found by NumPy."""
    x1, y1, x2, y2 = points
    roots = np.roots([1 + 3 * x1 - 3 * x2, 3 * x2 - 6 * x1, 3 * x1, -share])
    t = next(root.real for root in roots if abs(root.imag) < 1e-9 and -1e-9 <= root.real <= 1 + 1e-9)
    return float(3 * (1 - t) ** 2 * t * y1 + 3 * (1 - t) * t**2 * y2 + t**3)


def _track(age: int, points: tuple[float, float, float, float] | None) -> float:
    """The opacity that the keyframes say, `age` frames after the overlay came."""
    now = age * 1000 / stage.FPS
    for (start, low), (end, high) in pairwise(KEYFRAMES):
        if start <= now < end:
            share = (now - start) / (end - start)
            return low + (high - low) * (share if points is None else _height(points, share))
    return KEYFRAMES[-1][1]


def _envelope(age: int) -> float:
    """In within 8 frames, out within the last 10."""
    return min(age / 8, (LENGTH - age) / 10, 1.0)


def _layers() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for number in range(len(CURVES) + 1):
        area = _area(number)
        box = {"width": area.width, "height": area.height, "color": "#FFFFFF"}
        made.append({"name": f"box-{number}", "rectangle": box, "position": {"x": area.x, "y": area.y}})
    for layer, easing in zip(made, CURVES, strict=False):
        keyframes = [{"at": f"{at}ms", "value": value, "easing": easing} for at, value in KEYFRAMES]
        layer["tracks"] = [{"property": "opacity", "keyframes": keyframes}]
    last = made[-1]
    last["enter"] = {"duration": f"{8 * 1000 / stage.FPS:.9g}ms", "easing": "linear"}
    last["exit"] = {"duration": f"{10 * 1000 / stage.FPS:.9g}ms", "easing": "linear"}
    return made


def _show(folder: Path) -> list[Object]:
    canvas = {"width": stage.WIDTH, "height": stage.HEIGHT}
    target = {"name": "disk", "recording": {"folder": str(folder), "container": "mkv"}}
    return [
        stage.code_overlay(),
        manifest("Overlay", "boxes", {"canvas": canvas, "layers": _layers()}),
        stage.timeline([], overlays=[{"overlay": "boxes", "duration": f"{LENGTH}f"}]),
        stage.program(fallback={"color": "#000000"}),
        manifest("Output", "disk", {"program": "main", "encoding": ENCODING, "targets": [target]}),
    ]


@pytest.mark.timeout(120)
def test_opacity_on_air_follows_its_keyframes_in_each_frame(tmp_path: Path) -> None:
    appliance = Appliance(tmp_path)
    appliance.write(stage.MANIFEST, *_show(tmp_path / "recordings"))
    with appliance:
        stage.wait_publishing(appliance, "disk")
        first = stage.wait_frames(appliance, stage.FPS)
        stage.wait_frames(appliance, 2 * LENGTH)
        appliance.stop()
    (file,) = stage.files(tmp_path / "recordings")
    numbers = [frame.program for frame in frames.read(file)]
    found = _opacities(file)
    assert len(numbers) == len(found)
    shown = [(number, row) for number, row in zip(numbers, found, strict=True) if (number or 0) >= first]
    frames.assert_each_once([number or 0 for number, _ in shown])
    assert len(shown) >= 2 * LENGTH
    wanted = [[*(_track(age, points) for points in CURVES.values()), _envelope(age)] for age in range(LENGTH)]
    apart = np.array([np.abs(row - wanted[(number or 0) % LENGTH]) for number, row in shown])
    print(f"{len(shown)} frames, at most {apart.max() * 255:.2f}/255 apart")  # the figure is wanted
    wrong = [(number, row) for (number, row), by in zip(shown, apart, strict=True) if by.max() > LIMIT]
    assert not wrong, f"{len(wrong)}, the first: {wrong[0]}, not {wanted[(wrong[0][0] or 0) % LENGTH]}"


def _opacities(file: Path) -> list[Floats]:
    """The opacity that each frame of the recording shows of each box: by the mean luma of its inner part."""
    command = [needs.ffmpeg(), "-v", "error", "-nostdin", "-i", str(file), "-map", "0:v", "-fps_mode"]
    command += ["passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"]
    data = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    pictures = np.frombuffer(data, np.uint8).reshape(-1, stage.HEIGHT * 3 // 2, stage.WIDTH)
    areas = [_area(number) for number in range(len(CURVES) + 1)]
    return [
        np.array(
            [
                (picture[area.y + 8 : area.y + 56, area.x + 8 : area.x + 56].mean() - BLACK) / (WHITE - BLACK)
                for area in areas
            ]
        )
        for picture in pictures
    ]
