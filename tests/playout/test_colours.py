"""Colours of layers against FFmpeg's own conversion from RGB to BT.709, limited range, 4:2:0.

FFmpeg converts as it is told: without a matrix it takes BT.601's, which is up to 28 code values off, and its
chroma depends on a scaling filter. `area` takes the mean of four pixels, as is done here; the other filters
put chroma on the left of the two columns, as MPEG-2 does, half a pixel beside: on gradients of one step a
pixel that is within a code value, at edges it may be anything. See docs/ocl.md, "Colours".
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from playout.pictures import ffmpeg
from vistterstream.playout.compositor import compose, prepare
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.plan import OverlayInstance

SIDE = 256
EXACT = "full_chroma_inp+full_chroma_int+accurate_rnd"
MEANS = f"scale=out_color_matrix=bt709:out_range=tv:flags=area+{EXACT},format=yuv420p"
LEFT = f"scale=out_color_matrix=bt709:out_range=tv:flags=bilinear+{EXACT},format=yuv420p"
LIBRARY = (
    "zscale=matrixin=gbr:rangein=full:primariesin=709:transferin=709:"
    "matrix=709:range=limited:primaries=709:transfer=709,format=yuv420p"
)


def gradient() -> Bytes:
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    return np.dstack([x, y, 255 - (x + y) // 2]).astype(np.uint8)


def flats() -> Bytes:
    """256 colours, each a square of 16x16 pixels."""
    colors = np.random.default_rng(1).integers(0, 256, (16, 16, 3), np.uint8)
    return colors.repeat(16, axis=0).repeat(16, axis=1)


def noise() -> Bytes:
    return np.random.default_rng(2).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def composed(*layers: dict[str, Any]) -> Frame:
    spec = OverlaySpec.model_validate({"canvas": {"width": SIDE, "height": SIDE}, "layers": layers})
    format = Format(width=SIDE, height=SIDE)
    overlay = OverlayInstance(id="o", overlay="o", spec=spec)
    scene = prepare(format, [overlay], Fallback(), wall=datetime(2026, 1, 1, tzinfo=UTC))
    assert not scene.problems
    base, out = Frame(SIDE, SIDE), Frame(SIDE, SIDE)
    base.fill((16, 128, 128))
    compose(scene, out, base, None, 0.0, [("o", 0)], 0, datetime(2026, 1, 1, tzinfo=UTC))
    scene.close()
    return out


def shown(rgb: Bytes, path: Path) -> Frame:
    Image.fromarray(rgb).save(path)
    return composed({"name": "l", "image": {"file": str(path)}})


def converted(rgb: Bytes, graph: str) -> Bytes:
    """What FFmpeg makes of it, as a Frame's data."""
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{SIDE}x{SIDE}", "-i", "pipe:0", "-vf", graph]
    made = ffmpeg([*source, "-f", "rawvideo", "pipe:1"], rgb.tobytes())
    return np.frombuffer(made, np.uint8).reshape(SIDE * 3 // 2, SIDE)


def apart(ours: Frame, theirs: Bytes) -> int:
    return int(np.abs(ours.data.astype(int) - theirs).max())


@pytest.mark.parametrize("picture", [gradient, flats, noise])
def test_a_png_has_the_colours_that_ffmpeg_gives_it(tmp_path: Path, picture: Any) -> None:
    rgb = picture()
    assert apart(shown(rgb, tmp_path / "p.png"), converted(rgb, MEANS)) <= 1


@pytest.mark.parametrize("graph", [LEFT, LIBRARY])
def test_on_gradients_it_is_the_same_wherever_chroma_stands(tmp_path: Path, graph: str) -> None:
    rgb = gradient()
    assert apart(shown(rgb, tmp_path / "p.png"), converted(rgb, graph)) <= 2


@pytest.mark.parametrize("graph", [LEFT, LIBRARY])
def test_on_flat_areas_too(tmp_path: Path, graph: str) -> None:
    """Away from edges, where filters that are wider than two pixels see other colours."""
    rgb = flats()
    ours, theirs = shown(rgb, tmp_path / "p.png"), Frame(SIDE, SIDE)
    theirs.data[:] = converted(rgb, graph)
    for mine, other, step in ((ours.y, theirs.y, 16), (ours.u, theirs.u, 8), (ours.v, theirs.v, 8)):
        inner = slice(step // 2 - 1, None, step)
        assert np.abs(mine[inner, inner].astype(int) - other[inner, inner]).max() <= 1


def test_rectangles_have_the_colours_of_pictures() -> None:
    rgb = flats()
    layers = [
        {
            "name": f"l{row}-{column}",
            "rectangle": {"width": 16, "height": 16, "color": "#" + bytes(rgb[16 * row, 16 * column]).hex()},
            "position": {"x": 16 * column, "y": 16 * row},
        }
        for row in range(16)
        for column in range(4)
    ]
    theirs = converted(rgb, MEANS)
    ours = composed(*layers)
    assert np.abs(ours.y[:, :64].astype(int) - theirs[:SIDE, :64]).max() <= 1
    chroma = theirs[SIDE:].reshape(2, SIDE // 2, SIDE // 2)
    assert np.abs(ours.uv[:, :, :32].astype(int) - chroma[:, :, :32]).max() <= 1


def test_a_still_picture_that_fills_the_frame_has_them_too(tmp_path: Path) -> None:
    rgb = noise()
    frame = Frame(SIDE, SIDE)
    frame.put_rgb(rgb)
    assert apart(frame, converted(rgb, MEANS)) <= 1
