"""Overlays against FFmpeg's `overlay`, and their opacity against its `fade`, as numbers.

Transitions are compared with `xfade` and `fade` in test_transitions.py. What the tolerances are made of
stands in docs/decisions/0023-compared-with-ffmpeg.md.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from playout.pictures import ffmpeg, noise, to_yuv
from vistterstream.playout.compositor import compose, prepare
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.plan import OverlayInstance

WIDTH, HEIGHT = 320, 180
FORMAT = Format(width=WIDTH, height=HEIGHT)  # 30 frames a second
WALL = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)
FADE = 8  # frames
RAW = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{WIDTH}x{HEIGHT}", "-framerate", "30"]


def picture(alpha: Bytes) -> Bytes:
    """An RGBA picture of one colour in each 2x2 square, so that its chroma is not a matter of filters."""
    height, width = alpha.shape
    squares = np.random.default_rng(3).integers(0, 256, (height // 2, width // 2, 3), np.uint8)
    rgba = np.empty((height, width, 4), np.uint8)
    rgba[..., :3] = squares.repeat(2, axis=0).repeat(2, axis=1)
    rgba[..., 3] = alpha
    return rgba


def ours(folder: Path, rgba: Bytes, base: Frame, ages: range, layer: dict[str, Any]) -> list[Frame]:
    """What the compositor makes of the picture as a layer, at those ages."""
    Image.fromarray(rgba).save(folder / "layer.png")
    form = {"name": "a", "image": {"file": str(folder / "layer.png")}, **layer}
    canvas = {"width": WIDTH, "height": HEIGHT}
    spec = OverlaySpec.model_validate({"canvas": canvas, "layers": [form]})
    scene = prepare(FORMAT, [OverlayInstance(id="o", overlay="o", spec=spec)], Fallback(), wall=WALL)
    scene.draw_at_once()
    assert not scene.problems
    made = []
    for age in ages:
        out = Frame(WIDTH, HEIGHT)
        compose(scene, out, base, None, 0.0, [("o", age, len(ages))], age, WALL)
        made.append(out)
    scene.close()
    return made


def laid_over(
    folder: Path, rgba: Bytes, x: int, y: int, count: int, how: str = "null", form: str = "yuv420"
) -> list[str]:
    """Arguments that have FFmpeg lay the picture, with the filter `how` on it, over what comes on stdin."""
    height, width, _ = rgba.shape
    y_plane, u, v = (np.rint(plane).astype(np.uint8) for plane in to_yuv(rgba[..., :3]))
    planes = (y_plane, u[::2, ::2], v[::2, ::2], rgba[..., 3])
    (folder / "layer.yuva").write_bytes(b"".join(plane.tobytes() for plane in planes) * count)
    above = ["-f", "rawvideo", "-pix_fmt", "yuva420p", "-video_size", f"{width}x{height}", "-framerate", "30"]
    graph = f"[1]{how}[a];[0][a]overlay=x={x}:y={y}:format={form}"
    inputs = [*RAW, "-i", "-", *above, "-i", str(folder / "layer.yuva")]
    return [*inputs, "-filter_complex", graph, "-f", "rawvideo"]


def theirs(
    folder: Path, rgba: Bytes, base: Frame, x: int, y: int, count: int, how: str = "null"
) -> list[Frame]:
    """What FFmpeg makes of `count` frames of it."""
    command = laid_over(folder, rgba, x, y, count, how)
    data = ffmpeg([*command, "-pix_fmt", "yuv420p", "-"], bytes(base.buffer) * count)
    size = WIDTH * HEIGHT * 3 // 2
    assert len(data) == count * size
    frames = []
    for number in range(count):
        frame = Frame(WIDTH, HEIGHT)
        frame.data[:] = np.frombuffer(data, np.uint8, size, number * size).reshape(frame.data.shape)
        frames.append(frame)
    return frames


def difference(one: Frame, other: Frame) -> tuple[int, float]:
    """The largest difference in code values, and the PSNR in dB over all planes."""
    apart = one.data.astype(int) - other.data
    mean = float((apart.astype(float) ** 2).mean())
    return int(np.abs(apart).max()), 10 * np.log10(255**2 / max(mean, 1e-9))


SLOPE = np.linspace(0, 255, 96).astype(np.uint8)[None, :].repeat(64, axis=0)


@pytest.mark.parametrize(
    "alpha",
    [np.full((64, 96), 255, np.uint8), np.full((64, 96), 131, np.uint8), SLOPE],
    ids=["opaque", "translucent", "from nothing to all"],
)
def test_a_picture_is_laid_over_as_by_overlay(tmp_path: Path, alpha: Bytes) -> None:
    base, rgba = noise(WIDTH, HEIGHT), picture(alpha)
    (mine,) = ours(tmp_path, rgba, base, range(1), {"position": {"x": 40, "y": 30}})
    (other,) = theirs(tmp_path, rgba, base, 40, 30, 1)
    most, psnr = difference(mine, other)
    assert most <= 2
    assert psnr >= 60
    assert difference(mine, base)[0] > 50


def test_beyond_the_edges_nothing_differs(tmp_path: Path) -> None:
    base, rgba = noise(WIDTH, HEIGHT), picture(SLOPE)
    for x, y in ((-40, -20), (WIDTH - 30, HEIGHT - 20)):
        (mine,) = ours(tmp_path, rgba, base, range(1), {"position": {"x": x, "y": y}})
        (other,) = theirs(tmp_path, rgba, base, x, y, 1)
        assert difference(mine, other)[0] <= 2


def test_at_odd_places_the_luma_is_the_same(tmp_path: Path) -> None:
    """Of yuv420p FFmpeg moves the layer to even places, so it works on yuv444p here. Chroma at odd places,
    the mean of what covers each square, is proved against plain arithmetic in test_blend.py.
    """
    base, rgba = noise(WIDTH, HEIGHT), picture(SLOPE)
    for x, y in ((41, 33), (41, 32), (40, 33)):
        (mine,) = ours(tmp_path, rgba, base, range(1), {"position": {"x": x, "y": y}})
        command = laid_over(tmp_path, rgba, x, y, 1, form="yuv444")
        data = ffmpeg([*command, "-pix_fmt", "yuv444p", "-"], bytes(base.buffer))
        luma = np.frombuffer(data, np.uint8, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
        assert np.abs(mine.y.astype(int) - luma).max() <= 2


@pytest.mark.parametrize("alpha", [np.full((64, 96), 255, np.uint8), SLOPE], ids=["opaque", "slope"])
@pytest.mark.parametrize("way", ["enter", "exit", "track"])
def test_an_opacity_goes_as_by_fade(tmp_path: Path, way: str, alpha: Bytes) -> None:
    base, rgba = noise(WIDTH, HEIGHT), picture(alpha)
    seconds = f"{FADE}000ms" if way == "track" else f"{FADE * 1000 / 30:.9g}ms"
    keyframes = [{"at": "0s", "value": 0}, {"at": f"{FADE * 1000 // 30 + 1}ms", "value": 1}]
    layer: dict[str, Any] = {"position": {"x": 40, "y": 30}}
    if way == "track":
        layer["tracks"] = [{"property": "opacity", "keyframes": keyframes}]
    else:
        layer[way] = {"duration": seconds, "easing": "linear"}
    count = FADE + 4
    first = 4 if way == "exit" else 0
    made = ours(tmp_path, rgba, base, range(count), layer)
    fade = f"fade=t={'out' if way == 'exit' else 'in'}:alpha=1:s={first}:n={FADE}"
    wanted = theirs(tmp_path, rgba, base, 40, 30, count, fade)
    found = [difference(mine, other) for mine, other in zip(made, wanted, strict=True)]
    assert max(most for most, _ in found) <= 2, found
    assert min(psnr for _, psnr in found) >= 60, found
    assert len({bytes(frame.buffer) for frame in made}) >= FADE  # it does move
