"""The sheets of golden frames: every sort of layer, transition, easing and blend, drawn small.

``PYTHONPATH=tests python -m golden.sheets`` writes all of them anew; look at what changed before you commit
it. The bundled font alone is used, so that they are the same everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from vistterstream.playout.compositor import compose, prepare
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.playout.movie import to_rgb
from vistterstream.playout.transitions import Transitions
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.resources.quantities import CUBIC_BEZIERS, Color
from vistterstream.resources.timeline import Direction, TransitionType
from vistterstream.timeline.easing import ease
from vistterstream.timeline.plan import OverlayInstance, TransitionPlan

FOLDER = Path(__file__).parent
WALL = datetime(2026, 5, 17, 9, 30, 15, tzinfo=UTC)
WIDTH, HEIGHT = 160, 90  # of a picture of a sheet
SHARES = (0.3, 0.75)
EASINGS = ("linear", "easeInOutCubic", "easeOutBack", "stepEnd", "cubic-bezier(0.3, 0, 0.7, 1)")
COLUMNS = 4
STEPS = ("linear", "hold", "stepStart", "stepEnd")


def ground(*, warm: bool = False) -> Frame:
    """A picture without noise, so that a sheet is small."""
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH]
    rings = 127 + 110 * np.sin(np.hypot(across - 60, down - 40) / 14)
    ramp = across * 255 / WIDTH
    parts = (rings, ramp, down * 2) if warm else (down * 2, rings, 255 - ramp)
    rgb = np.clip(np.stack(parts, axis=-1), 0, 255).astype(np.uint8) // 64 * 64
    frame = Frame(WIDTH, HEIGHT)
    frame.put_rgb(rgb)
    return frame


def layered(*layers: dict[str, Any], ages: tuple[int, ...] = (0,), length: int | None = None) -> list[Frame]:
    """Layers on the ground, at each of the ages."""
    named = [{"name": f"l{number}"} | layer for number, layer in enumerate(layers)]
    spec = OverlaySpec.model_validate({"canvas": {"width": 320, "height": 180}, "layers": named})
    overlay = OverlayInstance(id="o", overlay="o", spec=spec)
    scene = prepare(Format(width=WIDTH, height=HEIGHT), [overlay], Fallback(), wall=WALL)
    scene.draw_at_once()
    assert not scene.problems, scene.problems
    base, frames = ground(), []
    for age in ages:
        out = Frame(WIDTH, HEIGHT)
        compose(scene, out, base, None, 0.0, [("o", age, length)], age, WALL)
        frames.append(out)
    scene.close()
    return frames


def track(name: str, *values: Any, key: str = "value", easing: str = "linear") -> dict[str, Any]:
    """A track with a keyframe a second."""
    keyframes = [{"at": f"{at}s", key: value} for at, value in enumerate(values)]
    for keyframe in keyframes[1:]:
        keyframe["easing"] = easing
    return {"property": name, "keyframes": keyframes}


BOX = {"rectangle": {"width": 120, "height": 61, "color": "#F4C020C0", "radius": 14}}
TEXT = {"text": {"value": "Harbour\nnews", "size": 40, "font": "Inter"}}
PLACE = {"position": {"x": 41, "y": 33}}


def contents() -> list[Frame]:
    """Every sort of layer but the frame code, which is wider than these pictures and read back elsewhere."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = _files(folder)
        styled = TEXT["text"] | {
            "outline": {"width": 4, "color": "#102030"}, "shadow": {"right": 6, "down": 6, "blur": 5},
            "background": "#2A6FDB80", "padding": 8, "align": "center", "width": 200,
        }  # fmt: skip
        clip = {"image": {"file": files[1], "play": "loop", "width": 160}} | PLACE
        numbered = {"image": {"sequence": files[2], "width": 160}} | PLACE
        band = {"ticker": {"value": "High tide at noon", "width": 320, "size": 40, "speed": 130,
                           "background": "#10203080"}, "position": {"y": 60}}  # fmt: skip
        return [
            *layered({"rectangle": {"width": 131, "height": 77, "color": "#E03020"}} | PLACE),
            *layered(BOX | PLACE),
            *layered(TEXT | PLACE),
            *layered({"text": styled, "position": {"x": 30, "y": 20}}),
            *layered({"image": {"file": files[0], "width": 151}} | PLACE),
            *layered(clip, ages=(0, 7)),
            *layered(numbered, ages=(0, 2)),
            *layered({"clock": {"format": "%H:%M:%S", "size": 44, "timeZone": "Europe/Oslo"}} | PLACE),
            *layered({"countdown": {"duration": "90s", "size": 44}} | PLACE, ages=(0, 100)),
            *layered(band, ages=(20, 51, 300)),
            *layered({"qr": {"value": "https://vistter.io", "size": 150}} | PLACE),
            *layered({"group": {"width": 200, "height": 120, "layers": [
                {"name": "a", **BOX}, {"name": "b", **TEXT, "position": {"x": 20, "y": 30}}]}} | PLACE),
        ]  # fmt: skip


def motions() -> list[Frame]:
    """Every property that moves, masks, groups, envelopes, and blends at opacities."""
    group = {"group": {"width": 200, "height": 120, "layers": [{"name": "a", **BOX}, {"name": "b", **TEXT}]}}
    turn, grow = track("rotation", 0, 75), track("scale", 0.4, 1.7)
    return [
        *[frame for share in (0.1, 0.4, 0.9) for frame in layered(BOX | PLACE | {"opacity": share})],
        *layered(BOX | PLACE | {"tracks": [track("opacity", 0, 1)]}, ages=(3, 17)),
        *layered(TEXT | PLACE | {"tracks": [track("x", 10, 90, easing="easeOutCubic")]}, ages=(4, 19)),
        *layered(TEXT | PLACE | {"tracks": [track("y", -20, 60)]}, ages=(11,)),
        *layered(TEXT | PLACE | {"tracks": [grow]}, ages=(5, 29)),
        *layered(BOX | PLACE | {"tracks": [turn]}, ages=(7, 30)),
        *layered(BOX | PLACE | {"crop": {"left": 0.3, "bottom": 0.25}}),
        *layered(BOX | PLACE | {"tracks": [track("color", "#FF0000", "#0000FF80", key="color")]}, ages=(15,)),
        *layered(TEXT | PLACE | {"tracks": [track("text", "One", "Two", key="text")]}, ages=(5, 31)),
        *layered(BOX | PLACE | {"mask": {"rectangle": {"left": 20, "top": 9, "width": 60, "radius": 16}}}),
        *layered(group | PLACE | {"opacity": 0.5}),
        *layered(group | PLACE | {"tracks": [turn, grow]}, ages=(12, 26)),
        *layered(group | PLACE | {"mask": {"rectangle": {"left": 30, "top": 9, "radius": 20},
                                           "invert": True}}),
        *layered(BOX | PLACE | {"enter": {"duration": "1s", "slide": "left"},
                                "exit": {"duration": "1s"}}, ages=(9, 50, 75), length=90),
    ]  # fmt: skip


def transitions() -> list[Frame]:
    """Every transition, in every direction, at some shares of its way; then easings."""
    plans = [TransitionPlan(type=TransitionType.CROSSFADE, frames=30)]
    through = TransitionType.FADE_THROUGH_BLACK
    plans += [
        TransitionPlan(type=through, frames=30, color=Color.parse(color)) for color in ("#000000", "#802000")
    ]
    for kind in (TransitionType.WIPE, TransitionType.SLIDE, TransitionType.PUSH):
        plans += [TransitionPlan(type=kind, frames=30, direction=direction) for direction in Direction]
    plans += [
        TransitionPlan(type=TransitionType.WIPE, frames=30, direction=direction, softness=0.3)
        for direction in Direction
    ]
    shown = [(plan, share) for plan in plans for share in SHARES]
    push = TransitionPlan(type=TransitionType.PUSH, frames=30)
    shown += [(push, min(max(ease(easing, 0.4), 0.0), 1.0)) for easing in EASINGS]
    blender, base, incoming = Transitions(), ground(), ground(warm=True)
    frames = []
    for plan, share in shown:
        out = Frame(WIDTH, HEIGHT)
        blender.blend(out, base, incoming, share, plan)
        frames.append(out)
    return frames


def easings() -> list[Bytes]:
    """The curve of each named easing, from -0.3 to 1.3."""
    pictures = []
    for name in (*STEPS, *CUBIC_BEZIERS):
        picture = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        for x in range(WIDTH):
            y = (1.3 - ease(name, x / (WIDTH - 1))) / 1.6 * (HEIGHT - 1)
            picture[min(max(math.floor(y + 0.5), 0), HEIGHT - 1), x] = 0
        pictures.append(picture)
    return pictures


def _files(folder: Path) -> tuple[str, str, str]:
    """A picture with soft edges, an animation, and numbered pictures."""
    down, across = np.mgrid[0:60, 0:100]
    alpha = np.clip(300 - 9 * np.hypot(across - 50, (down - 30) * 1.6), 0, 255)
    rgba = np.stack([across * 2.5, down * 4.0, 255 - across * 2.5, alpha], axis=-1).astype(np.uint8)
    Image.fromarray(rgba).save(folder / "soft.png")
    pages = [Image.new("RGBA", (80, 50), color) for color in ("#E03020FF", "#20C040C0")]
    pages[0].save(folder / "moving.png", save_all=True, append_images=pages[1:], duration=200, loop=0)
    for number in range(3):
        Image.new("RGB", (80, 50), (60 * number, 200 - 60 * number, 90)).save(folder / f"n{number}.png")
    return str(folder / "soft.png"), str(folder / "moving.png"), str(folder / "n%d.png")


SHEETS: dict[str, Callable[[], list[Frame]] | Callable[[], list[Bytes]]] = {
    "contents": contents,
    "motions": motions,
    "transitions": transitions,
    "easings": easings,
}


def pictures(name: str) -> list[Bytes]:
    """The pictures of a sheet, RGB."""
    return [made if isinstance(made, np.ndarray) else to_rgb(made) for made in SHEETS[name]()]


def joined(made: list[Bytes], columns: int = COLUMNS) -> Bytes:
    """The sheet, row by row."""
    rows = -(-len(made) // columns)
    sheet = np.zeros((rows * HEIGHT, columns * WIDTH, 3), np.uint8)
    for number, picture in enumerate(made):
        y, x = number // columns * HEIGHT, number % columns * WIDTH
        sheet[y : y + HEIGHT, x : x + WIDTH] = picture
    return sheet


def parted(sheet: Bytes, count: int, columns: int = COLUMNS) -> list[Bytes]:
    """The pictures of a sheet."""
    places = ((number // columns * HEIGHT, number % columns * WIDTH) for number in range(count))
    return [sheet[y : y + HEIGHT, x : x + WIDTH] for y, x in places]


def main() -> None:
    """Write every sheet."""
    for name in SHEETS:
        Image.fromarray(joined(pictures(name))).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
