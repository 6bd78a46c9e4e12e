"""Makes the pictures of ``docs/`` from the manifests beside them: ``make pictures``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from vistterstream.cli import scenes
from vistterstream.playout.frames import Frame
from vistterstream.playout.movie import to_rgb
from vistterstream.playout.offline import Offline
from vistterstream.playout.typefaces import typeface
from vistterstream.timeline.plan import Plan

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs/images"
STEPS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of a transition
INK, PAPER = "#1B2233", "#F4F6FB"


def plan_in(manifests: Path) -> Plan:
    """The plan of the one program in `manifests`."""
    objects = scenes.world([manifests])
    assert objects is not None, f"{manifests} has errors"
    return scenes.plan_of(objects, scenes.program_of(objects, None)).plan


def pictures(plan: Plan, frames: Iterable[int]) -> list[Image.Image]:
    """Program frames as `vistter render` makes them, in RGB."""
    found = []
    with closing(Offline(plan, scenes.instant(scenes.DEFAULT_EPOCH))) as program:
        for number in frames:
            frame = Frame(plan.format.width, plan.format.height)
            program.make(number, frame)
            found.append(Image.fromarray(to_rgb(frame)))
        assert program.problems == []
    return found


def transitions() -> Image.Image:
    """Five frames of each transition of transitions.yaml, named by the comment on its line."""
    names = [
        line.rpartition("#")[2].strip()
        for line in (IMAGES / "transitions.yaml").read_text().splitlines()
        if "transition: {type" in line
    ]
    plan = plan_in(IMAGES / "transitions.yaml")
    rate, width, height = int(plan.format.frame_rate.fraction), plan.format.width, plan.format.height
    starts = [rate * (1 + 2 * number) for number in range(len(names))]
    shown = pictures(plan, (start + round(step * rate) for start in starts for step in STEPS))
    page = Image.new("RGB", (190 + len(STEPS) * (width + 6), len(names) * (height + 6) + 6), PAPER)
    draw = ImageDraw.Draw(page)
    for row, name in enumerate(names):
        top = 6 + row * (height + 6)
        draw.text((12, top + height / 2), name, INK, typeface("Inter", 15), anchor="lm")
        for column in range(len(STEPS)):
            page.paste(shown[row * len(STEPS) + column], (190 + column * (width + 6), top))
    return page


def timeline() -> Image.Image:
    """The timeline of the first example: what its tracks hold, and pictures of it."""
    plan = plan_in(ROOT / "examples/01-hello")
    assert plan.timeline is not None
    rate, length = plan.format.frame_rate.fraction, plan.timeline.length
    page = Image.new("RGB", (1000, 290), PAPER)
    draw, small = ImageDraw.Draw(page), typeface("Inter", 14)

    def across(frame: float) -> float:
        return 90 + frame * 890 / length

    def bar(start: int, end: int | None, top: int, name: str, color: str) -> None:
        box = (across(start) + 1, top, across(length if end is None else min(end, length)) - 1, top + 30)
        draw.rounded_rectangle(box, 5, color)
        if draw.textlength(name, small) < box[2] - box[0] - 12:
            draw.text((box[0] + 8, top + 15), name, "#FFFFFF", small, anchor="lm")

    stops = [round(length * (number + 0.5) / 5) for number in range(5)]
    for stop, picture in zip(stops, pictures(plan, stops), strict=True):
        page.paste(picture.resize((172, 97), Image.Resampling.LANCZOS), (round(across(stop)) - 86, 12))
        draw.line((across(stop), 109, across(stop), 122), INK)
    for label, top in (("video", 122), ("overlays", 162)):
        draw.text((10, top + 15), label, INK, small, anchor="lm")
    for cue in plan.timeline.video:
        bar(cue.start, cue.end, 122, cue.camera or "slate", "#2A6FDB")
        if cue.transition is not None:
            end = across(cue.start + cue.transition.frames)
            draw.polygon([(across(cue.start), 152), (end, 122), (end, 152)], "#F4C020")
    names = {overlay.id: overlay.overlay for overlay in plan.overlays}
    lanes: list[int] = []
    for shown in sorted(plan.timeline.overlays, key=lambda cue: cue.start):
        lane = next((n for n, end in enumerate(lanes) if end <= shown.start), len(lanes))
        lanes[lane : lane + 1] = [length if shown.end is None else shown.end]
        bar(shown.start, shown.end, 162 + 34 * lane, names[shown.instance], "#1F7A4D")
    bottom = 170 + 34 * len(lanes)
    for second in range(0, int(length / rate) + 1, 2):
        draw.text((across(float(second * rate)), bottom), f"{second}s", INK, small, anchor="ma")
    return page.crop((0, 0, 1000, bottom + 26))


def page(number: int) -> Image.Image:
    """A frame of effects.yaml."""
    return pictures(plan_in(IMAGES / "effects.yaml"), [number])[0]


PICTURES: dict[str, Callable[[], Image.Image]] = {
    "transitions.png": transitions,
    "timeline.png": timeline,
    "text-effects.png": lambda: page(50),
    "clocks.png": lambda: page(200),
}


def distance(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures, in code values."""
    first, second = (np.asarray(image.convert("RGB"), np.int16) for image in (one, other))
    return float(np.abs(first - second).mean()) if first.shape == second.shape else 255.0


def main(names: list[str]) -> None:
    """Write the pictures that are named, or all of them, with 128 colours each."""
    for name, make in PICTURES.items():
        if not names or name in names:
            make().quantize(128, dither=Image.Dither.NONE).save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
