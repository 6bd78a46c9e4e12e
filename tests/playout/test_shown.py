"""What a frame shows and sounds like: cues other than cameras, and the sound of transitions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from playout.pictures import noise
from vistterstream.playout.clock import Epoch
from vistterstream.playout.compositor import Scene, prepare
from vistterstream.playout.deck import Deck
from vistterstream.playout.frames import Frame, to_yuv
from vistterstream.playout.jitter import Taken
from vistterstream.playout.mixing import Bus
from vistterstream.playout.protocol import CameraState
from vistterstream.playout.stage import Choice, Made, Stage, make
from vistterstream.resources.camera import CameraSource, CameraSpec, TestPatternSource
from vistterstream.resources.program import Fallback, Format
from vistterstream.resources.quantities import Color
from vistterstream.resources.timeline import Fit, TransitionType
from vistterstream.timeline.evaluate import TimelineIndex
from vistterstream.timeline.plan import ImagePlan, TimelinePlan, TransitionPlan, VideoCuePlan

FORMAT = Format(width=128, height=72)
RATE = Fraction(30)
EPOCH = Epoch(0, 0)
FADED = 6  # frames of a transition


class Steady:
    """A camera that shows one picture and sounds one level."""

    spec = CameraSpec(source=CameraSource(test_pattern=TestPatternSource()))

    def __init__(self, seed: int, level: int) -> None:
        self.frame = noise(FORMAT.width, FORMAT.height, seed)
        self._level = level

    def take(self, number: int, samples: int, shown: bool) -> Taken | None:
        return Taken(self.frame, np.full((samples, 2), self._level, np.int16), True)

    def usable(self, now: float, number: int) -> bool:
        return True

    def state(self, now: float) -> CameraState:
        return CameraState.LIVE


CAMERAS = {"a": Steady(1, 1000), "b": Steady(2, 9000)}


def picture_file(folder: Path, size: tuple[int, int], color: str) -> str:
    path = folder / f"{color}.png"
    Image.new("RGB", size, color).save(path)
    return str(path)


def stage(*cues: VideoCuePlan, images: Sequence[ImagePlan] = (), previous: Scene | None = None) -> Stage:
    scene = prepare(
        FORMAT,
        (),
        Fallback(color=Color("#803020")),
        wall=datetime(2026, 1, 1, tzinfo=UTC),
        previous=previous,
        images=images,
    )
    plan = TimelinePlan(name="t", length=cues[-1].end, loop=False, video=cues)
    return Stage(index=TimelineIndex(plan), scene=scene, feeds=CAMERAS, sounds=Deck({}))


def shown(on: Stage, number: int) -> tuple[Made, Frame]:
    out = noise(FORMAT.width, FORMAT.height, seed=99)
    return make(on, number, RATE, EPOCH, 0.0, out, Bus(RATE)), out


def test_an_image_fills_the_frame_or_fits_into_it(tmp_path: Path) -> None:
    file = picture_file(tmp_path, (40, 40), "red")
    images = [
        ImagePlan(id="fill", file=file),
        ImagePlan(id="fit", file=file, fit=Fit.FIT, color=Color("#0000FF")),
    ]
    cues = (VideoCuePlan(start=0, end=1, image="fill"), VideoCuePlan(start=1, end=2, image="fit"))
    on = stage(*cues, images=images)
    made, fill = shown(on, 0)
    assert made.shown == Choice("Image", "red.png", "Cue", "fill")
    assert not made.sound.any()
    red, blue = to_yuv((255, 0, 0)), to_yuv((0, 0, 255))
    assert [(int(plane.min()), int(plane.max())) for plane in (fill.y, fill.u, fill.v)] == [
        (c, c) for c in red
    ]
    _, fit = shown(on, 1)
    left = (128 - 72) // 2
    assert (fit.y[:, left : left + 72] == red[0]).all()
    assert (fit.y[:, :left] == blue[0]).all()
    assert (fit.y[:, left + 72 :] == blue[0]).all()


def test_an_image_that_cannot_be_read_is_the_slate_and_told(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_text("no picture")
    file = str(tmp_path / "broken.png")
    image = ImagePlan(id="i", file=file, name="mine.png")
    on = stage(VideoCuePlan(start=0, end=1, image="i"), images=[image])
    made, out = shown(on, 0)
    assert made.shown == Choice("Slate", "mine.png", "ImageMissing")
    assert out.buffer == on.scene.slate.buffer
    assert on.scene.unreadable == {
        file: f"{file} is not a PNG, JPEG, WebP or GIF picture; convert it to one."
    }


def test_a_slate_that_cannot_be_read_is_told_until_it_is_mended(tmp_path: Path) -> None:
    file = tmp_path / "slate.png"
    file.write_text("no picture")
    fallback, wall = Fallback(image=str(file)), datetime(2026, 1, 1, tzinfo=UTC)
    broken = prepare(FORMAT, (), fallback, wall=wall)
    assert list(broken.unreadable) == [str(file)]
    assert prepare(FORMAT, (), fallback, wall=wall, previous=broken).unreadable == broken.unreadable
    Image.new("RGB", (8, 8), "lime").save(file)
    assert prepare(FORMAT, (), fallback, wall=wall, previous=broken).unreadable == {}


def test_a_still_is_drawn_again_only_when_its_file_changed(tmp_path: Path) -> None:
    file = picture_file(tmp_path, (8, 8), "red")
    image = ImagePlan(id="i", file=file)
    first = stage(VideoCuePlan(start=0, end=1, image="i"), images=[image])
    same = stage(VideoCuePlan(start=0, end=1, image="i"), images=[image], previous=first.scene)
    assert same.scene.stills.frames["i"] is first.scene.stills.frames["i"]
    Image.new("RGB", (16, 16), "lime").save(file)
    other = stage(VideoCuePlan(start=0, end=1, image="i"), images=[image], previous=first.scene)
    assert other.scene.stills.frames["i"].y[0, 0] == to_yuv((0, 255, 0))[0]


def test_the_slate_on_purpose_is_told_from_a_gap() -> None:
    on = stage(VideoCuePlan(start=0, end=1), VideoCuePlan(start=2, end=3, camera="a"))
    assert [shown(on, number)[0].shown.reason for number in (0, 1)] == ["Cue", "NoCue"]


def test_a_transition_to_the_slate_shows_both() -> None:
    fade = TransitionPlan(type=TransitionType.CROSSFADE, frames=1)
    on = stage(VideoCuePlan(start=0, end=1, camera="a"), VideoCuePlan(start=1, end=3, transition=fade))
    made, out = shown(on, 1)
    assert made.incoming == Choice("Slate", "", "Cue")
    exact = (CAMERAS["a"].frame.data.astype(float) + on.scene.slate.data) / 2
    assert np.abs(out.data - exact).max() <= 0.501


@pytest.mark.parametrize("kind", [kind for kind in TransitionType if kind is not TransitionType.CUT])
@pytest.mark.parametrize("easing", ["linear", "easeInBack", "hold"])
def test_the_sound_goes_over_evenly_through_every_transition(kind: TransitionType, easing: str) -> None:
    how = TransitionPlan.model_validate({"type": kind, "frames": FADED, "easing": easing})
    cues = (
        VideoCuePlan(start=0, end=5, camera="a"),
        VideoCuePlan(start=5, end=20, camera="b", transition=how),
    )
    on = stage(*cues)
    sound = np.concatenate([shown(on, number)[0].sound[:, 0] for number in range(15)]).astype(float)
    start, end = 5 * 1600, (5 + FADED) * 1600
    assert (sound[:start] == 1000).all()
    assert (sound[end:] == 9000).all()
    exact = np.linspace(1000, 9000, end - start, endpoint=False)
    assert np.abs(sound[start:end] - exact).max() <= 1


def test_a_cut_cuts_the_sound() -> None:
    on = stage(VideoCuePlan(start=0, end=1, camera="a"), VideoCuePlan(start=1, end=2, camera="b"))
    assert [set(shown(on, number)[0].sound.ravel().tolist()) for number in (0, 1)] == [{1000}, {9000}]


def test_any_frame_may_be_made_alone_or_again() -> None:
    how = TransitionPlan.model_validate({"type": "wipe", "frames": FADED, "softness": 0.4})
    cues = (
        VideoCuePlan(start=0, end=5, camera="a"),
        VideoCuePlan(start=5, end=20, camera="b", transition=how),
    )
    on = stage(*cues)
    once = [shown(on, number)[1].buffer.tobytes() for number in range(14)]
    back = [shown(on, number)[1].buffer.tobytes() for number in reversed(range(14))]
    assert once == back[::-1]
