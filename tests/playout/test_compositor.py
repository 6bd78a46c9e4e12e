"""Preparing scenes and composing frames."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from peers.waiting import until
from playout.pictures import distance, noise, over, twin
from vistterstream.playout import framecode
from vistterstream.playout import items as items_
from vistterstream.playout.compositor import Scene, compose, prepare
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.evaluate import TimelineIndex, picture
from vistterstream.timeline.plan import OverlayCuePlan, OverlayInstance, TimelinePlan

WALL = datetime(2026, 5, 17, 9, 30, 15, 250_000, tzinfo=UTC)
FORMAT = Format(width=640, height=360)
FADE = {
    "property": "opacity",
    "keyframes": [{"at": "0s", "value": 0}, {"at": "1s", "value": 1}],
}


@pytest.fixture
def scenes() -> Iterator[list[Scene]]:
    """Scenes put in here are closed at the end."""
    made: list[Scene] = []
    yield made
    for scene in made:
        scene.close()


def instance(id: str, *layers: dict[str, Any], canvas: tuple[int, int] = (640, 360)) -> OverlayInstance:
    named = [{"name": f"l{number}"} | layer for number, layer in enumerate(layers)]
    size = {"width": canvas[0], "height": canvas[1]}
    spec = OverlaySpec.model_validate({"canvas": size, "layers": named})
    return OverlayInstance(id=id, overlay=f"overlay-{id}", spec=spec)


def box(x: int, y: int, width: int, height: int, color: str, **rest: Any) -> dict[str, Any]:
    return {
        "rectangle": {"width": width, "height": height, "color": color},
        "position": {"x": x, "y": y},
        **rest,
    }


def solid(width: int, height: int, color: tuple[int, int, int, int]) -> Bytes:
    rgba = np.empty((height, width, 4), np.uint8)
    rgba[:] = color
    return rgba


def scene_of(*overlays: OverlayInstance, previous: Scene | None = None, **fallback: Any) -> Scene:
    return prepare(FORMAT, overlays, Fallback.model_validate(fallback), wall=WALL, previous=previous)


def composed(
    scene: Scene, base: Frame, shown: Sequence[tuple[str, int]] = (), number: int = 0, wall: datetime = WALL
) -> Frame:
    out = noise(base.width, base.height, seed=99)  # what was there before does not matter
    compose(scene, out, base, None, 0.0, shown, number, wall)
    return out


class TestPictures:
    def test_without_anything_the_base_is_the_picture(self) -> None:
        base = noise(640, 360)
        before = twin(base)
        assert composed(scene_of(), base).buffer == base.buffer == before.buffer

    @pytest.mark.parametrize("mix", [0.01, 1 / 3, 0.5, 0.97])
    def test_a_crossfade_is_within_half_a_code_value_of_the_exact_mixture(self, mix: float) -> None:
        base, incoming = noise(640, 360, 1), noise(640, 360, 2)
        before = twin(base), twin(incoming)
        out = Frame(640, 360)
        compose(scene_of(), out, base, incoming, mix, (), 0, WALL)
        exact = base.data * (1 - mix) + incoming.data * mix
        assert np.abs(out.data - exact).max() <= 0.501
        assert (base.buffer, incoming.buffer) == (before[0].buffer, before[1].buffer)

    def test_a_crossfade_of_equal_pictures_changes_nothing(self) -> None:
        base = noise(640, 360)
        out = Frame(640, 360)
        compose(scene_of(), out, base, base, 0.3, (), 0, WALL)
        assert out.buffer == base.buffer

    def test_the_base_may_be_composed_upon_itself(self) -> None:
        scene = scene_of(instance("a", box(3, 5, 50, 40, "#FF000080")))
        base = noise(640, 360)
        wanted = composed(scene, base, [("a", 0)])
        compose(scene, base, base, None, 0.0, [("a", 0)], 0, WALL)
        assert base.buffer == wanted.buffer


class TestOverlays:
    def test_they_are_laid_upon_each_other_as_exact_arithmetic_does(self) -> None:
        scene = scene_of(
            instance("low", box(11, 21, 101, 61, "#FF0000C0"), box(30, 40, 50, 50, "#00FF0080")),
            instance("top", box(51, 33, 80, 40, "#0000FF60")),
        )
        base = noise(640, 360)
        out = composed(scene, base, [("low", 0), ("top", 7)])
        expected = twin(base)
        for rgba, x, y in (
            (solid(101, 61, (255, 0, 0, 0xC0)), 11, 21),
            (solid(50, 50, (0, 255, 0, 0x80)), 30, 40),
            (solid(80, 40, (0, 0, 255, 0x60)), 51, 33),
        ):
            for plane, wanted in zip(
                (expected.y, expected.u, expected.v), over(expected, rgba, x, y, 1.0), strict=True
            ):
                plane[:] = np.rint(wanted)
        assert np.abs(out.data.astype(int) - expected.data).max() <= 2  # a rounding for each of three
        assert (composed(scene, base, [("top", 7), ("low", 0)]).data != out.data).any()

    def test_an_unknown_instance_shows_nothing(self) -> None:
        base = noise(640, 360)
        assert composed(scene_of(), base, [("gone", 3)]).buffer == base.buffer

    @pytest.mark.parametrize("age", [0, 7, 15, 29, 30, 400])
    def test_an_opacity_that_moves_is_taken_at_the_overlay_s_age(self, age: int) -> None:
        scene = scene_of(instance("a", box(20, 20, 100, 50, "#FFFFFF", tracks=[FADE])))
        base = noise(640, 360)
        wanted = over(base, solid(100, 50, (255, 255, 255, 255)), 20, 20, min(age / 30, 1))
        assert distance(composed(scene, base, [("a", age)]), wanted) <= 1

    def test_a_track_that_stands_still_is_worked_in_beforehand(self) -> None:
        still = {"property": "opacity", "keyframes": [{"at": "5s", "value": 0.25}]}
        scene = scene_of(instance("a", box(20, 20, 100, 50, "#FFFFFF", tracks=[still])))
        base = noise(640, 360)
        wanted = over(base, solid(100, 50, (255, 255, 255, 64)), 20, 20, 1.0)
        assert distance(composed(scene, base, [("a", 0)]), wanted) <= 1

    def test_a_layer_s_opacity_is_that_of_its_clock_too(self) -> None:
        clock = {"clock": {"background": "#FFFFFF", "color": "#FFFFFF"}}
        base = Frame(640, 360)
        base.fill((16, 128, 128))
        faint = composed(scene_of(instance("a", clock | {"opacity": 0.5})), base, [("a", 0)])
        full = composed(scene_of(instance("a", clock)), base, [("a", 0)])
        assert (int(full.y.max()), int(faint.y.max())) == (235, 126)

    def test_everything_that_is_not_covered_keeps_every_bit(self) -> None:
        scene = scene_of(instance("a", box(21, 31, 99, 49, "#FFFFFF90", tracks=[FADE])))
        base = noise(640, 360)
        out = composed(scene, base, [("a", 12)])
        covered = np.zeros((360, 640), bool)
        covered[31 : 31 + 49, 21 : 21 + 99] = True
        assert (out.y == base.y)[~covered].all()
        assert (out.uv == base.uv)[:, ~covered.reshape(180, 2, 320, 2).any(axis=(1, 3))].all()

    def test_composing_does_not_remember(self) -> None:
        scene = scene_of(
            instance("a", box(20, 20, 100, 50, "#FFFFFF", tracks=[FADE])),
            instance("b", {"clock": {}}, {"frameCode": {"square": 8}}),
        )
        base = noise(640, 360)
        shown = [("a", 9), ("b", 9)]
        first = composed(scene, base, shown, 42)
        composed(scene, noise(640, 360, 7), [("a", 20), ("b", 1)], 43, WALL + timedelta(hours=3))
        assert composed(scene, base, shown, 42).buffer == first.buffer

    def test_a_whole_timeline_runs_through(self) -> None:
        """Evaluation and composition together, as the clock uses them."""
        plan = TimelinePlan(
            name="t",
            length=60,
            loop=True,
            overlays=(
                OverlayCuePlan(start=10, end=50, instance="a"),
                OverlayCuePlan(start=20, end=30, instance="b"),
            ),
        )
        scene = scene_of(
            instance("a", box(0, 0, 100, 100, "#FFFFFF")), instance("b", box(0, 0, 100, 100, "#000000"))
        )
        base = Frame(640, 360)
        base.fill((100, 128, 128))
        lumas = [
            int(composed(scene, base, picture(TimelineIndex(plan), at).overlays).y[50, 50])
            for at in range(60)
        ]
        assert lumas == [100] * 10 + [235] * 10 + [16] * 10 + [235] * 20 + [100] * 10


class TestFrameCode:
    @pytest.mark.parametrize("number", [1, 77, 2**24 - 2, 2**24 + 77])
    def test_it_carries_the_program_s_frame_number(self, number: int) -> None:
        layer = {"frameCode": {"square": 10}, "position": {"anchor": "bottomRight", "x": -21, "y": -5}}
        out = composed(scene_of(instance("a", layer)), noise(640, 360), [("a", 5)], number)
        value = framecode.read(out.y, 640 - 320 - 22, 360 - 10 - 6, 10)
        assert value is not None
        assert framecode.unpack(value) == (framecode.PROGRAM, number % 2**24)

    def test_it_is_moved_into_the_picture(self) -> None:
        layer = {"frameCode": {"square": 16}, "position": {"x": 600, "y": -50}}
        out = composed(scene_of(instance("a", layer)), noise(640, 360), [("a", 0)], 5)
        assert framecode.read(out.y, 640 - 512, 0, 16) == framecode.pack(framecode.PROGRAM, 5)

    def test_one_that_is_wider_than_the_program_is_left_out_and_told(self) -> None:
        scene = scene_of(instance("a", {"frameCode": {"square": 64}}))
        assert scene.problems == {
            "overlay-a": "Layer l0: The frame code is 2048 pixels wide and the program 640; "
            "set frameCode.square to 20 or less."
        }
        base = noise(640, 360)
        assert composed(scene, base, [("a", 0)]).buffer == base.buffer

    def test_a_program_too_small_for_any_is_told_so(self) -> None:
        overlay = instance("a", {"frameCode": {"square": 8}}, canvas=(64, 64))
        scene = prepare(Format(width=64, height=64), [overlay], Fallback(), wall=WALL)
        assert scene.problems == {
            "overlay-a": "Layer l0: The frame code is 256 pixels wide and the program 64; "
            "the smallest one needs 256. Leave it out."
        }


class TestClocks:
    LAYER = {"clock": {"timeZone": "Europe/Oslo", "background": "#000000"}}

    def region(self, scene: Scene, wall: datetime) -> bytes:
        base = Frame(640, 360)
        base.fill((100, 128, 128))
        return bytes(composed(scene, base, [("c", 0)], wall=wall).buffer)

    def test_it_shows_the_time_of_its_zone_and_changes_with_the_second(self) -> None:
        scene = scene_of(instance("c", self.LAYER))
        shown = [self.region(scene, WALL + timedelta(milliseconds=250 * n)) for n in range(8)]
        assert shown[0] == shown[1] == shown[2] != shown[3]  # from 15.25 s on
        assert shown[3] == shown[4] == shown[5] == shown[6] != shown[7]
        utc = scene_of(instance("c", {"clock": {"background": "#000000"}}))
        assert self.region(utc, WALL + timedelta(hours=2)) == shown[0]  # summer time in Oslo

    def test_the_start_of_summer_time_is_right(self) -> None:
        scene = scene_of(instance("c", self.LAYER))
        utc = scene_of(instance("c", {"clock": {"background": "#000000"}}))
        for before, local in ((datetime(2026, 3, 29, 0, 59, 59), 1), (datetime(2026, 3, 29, 1, 0), 2)):
            wall = before.replace(tzinfo=UTC)
            assert self.region(scene, wall) == self.region(utc, wall + timedelta(hours=local))

    def test_the_next_second_is_drawn_by_another_thread_before_it_comes(self, scenes: list[Scene]) -> None:
        scene = scene_of(instance("c", self.LAYER))
        scenes.append(scene)
        self.region(scene, WALL)
        (clock,) = scene.items["c"]
        assert isinstance(clock, items_.Clocked)
        following = WALL + timedelta(seconds=1)
        missed = clock.ahead.missed
        scene.foresee([("c", 30)], 30, following)
        until(lambda: all(drawn.done() for drawn in clock.ahead._coming.values()), 5.0, "it is drawn")
        region = self.region(scene, following)
        assert clock.ahead.missed == missed
        assert region == self.region(scene_of(instance("c", self.LAYER)), following)

    def test_a_second_that_nobody_could_foresee_is_shown_at_once_all_the_same(self) -> None:
        scene = scene_of(instance("c", self.LAYER))
        self.region(scene, WALL)
        jump = WALL + timedelta(days=3, hours=7)
        assert self.region(scene, jump) == self.region(scene_of(instance("c", self.LAYER)), jump)

    @pytest.mark.parametrize("sort", ["timeOfDay", "timeline"])
    @pytest.mark.slow
    def test_timecode_is_another_text_in_each_frame_and_drawn_ahead(
        self, sort: str, scenes: list[Scene]
    ) -> None:
        layer = {"clock": {"timecode": sort, "background": "#000000"}}
        scene = scene_of(instance("c", layer))
        scenes.append(scene)
        (clock,) = scene.items["c"]
        assert isinstance(clock, items_.Clocked)
        out, base, seen = Frame(640, 360), noise(640, 360), set[bytes]()
        for number in range(100, 160):
            for coming in scene.ahead_of(number - 1):
                scene.foresee([("c", 0)], coming, WALL, position=coming - 90, epoch_ns=10**9)
            until(lambda: all(drawn.done() for drawn in clock.ahead._coming.values()), 5.0, "they are drawn")
            position = number - 90
            compose(scene, out, base, None, 0.0, [("c", 0)], number, WALL, position=position, epoch_ns=10**9)
            seen.add(bytes(out.buffer))
        assert len(seen) == 60
        assert clock.ahead.missed <= 1  # the first, which nobody looked at ahead

    def test_a_closed_scene_leaves_no_thread(self) -> None:
        scene = scene_of(instance("c", self.LAYER))
        scene.close()
        until(
            lambda: not any(thread.name.startswith("overlays-ahead") for thread in threading.enumerate()),
            5.0,
            "the thread has ended",
        )


class TestProblems:
    def test_what_is_wrong_is_told_by_overlay_and_the_rest_is_shown(self) -> None:
        scene = scene_of(
            instance(
                "bad",
                {"image": {"file": "/no/such.png"}},
                {"text": {"value": "Hi", "font": "Nope"}},
                box(0, 0, 50, 50, "#FFFFFF"),
            ),
            instance("good", box(100, 100, 50, 50, "#FFFFFF")),
        )
        assert list(scene.problems) == ["overlay-bad"]
        assert "Layer l0: There is no picture /no/such.png" in scene.problems["overlay-bad"]
        assert "Layer l1: There is no font 'Nope'" in scene.problems["overlay-bad"]
        base = Frame(640, 360)
        base.fill((16, 128, 128))
        out = composed(scene, base, [("bad", 0), ("good", 0)])
        assert out.y[40, 5] == 235
        assert out.y[110, 110] == 235

    def test_an_overlay_that_goes_wrong_on_air_is_left_out_and_told_and_the_others_stay(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        good = instance("good", box(0, 0, 64, 64, "#ffffff"))
        bad = instance("bad", box(0, 64, 64, 64, "#ffffff"))
        scene = scene_of(good, bad)
        (item,) = scene.items["bad"]
        monkeypatch.setattr(item, "shown", lambda _moment: 1 / 0)
        for number in range(2):
            out = composed(scene, noise(640, 360), [("bad", number), ("good", number)])
            assert out.y[32, 32] == 235
        assert list(scene.problems) == [bad.overlay]
        assert "left out" in scene.problems[bad.overlay]
        following = scene_of(good, bad, previous=scene)
        out = composed(following, noise(640, 360), [("bad", 0), ("good", 0)])
        assert out.y[96, 32] == 235, "tried anew with the next plan"

    def test_offline_an_overlay_that_goes_wrong_ends_the_rendering(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scene = scene_of(instance("bad", box(0, 64, 64, 64, "#ffffff")))
        scene.draw_at_once()
        (item,) = scene.items["bad"]
        monkeypatch.setattr(item, "shown", lambda _moment: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            composed(scene, noise(640, 360), [("bad", 0)])

    def test_two_instances_of_an_overlay_tell_their_problem_once(self) -> None:
        bad = [instance(id, {"image": {"file": "/no/such.png"}}) for id in ("a", "b")]
        bad = [overlay.model_copy(update={"overlay": "same"}) for overlay in bad]
        assert scene_of(*bad).problems["same"].count("There is no picture") == 1

    def test_a_slate_without_its_picture_is_told_and_stands_in_all_the_same(self) -> None:
        scene = scene_of(image="/no/such.png", color="#FF0000")
        assert scene.slate_problem is not None
        assert "/no/such.png" in scene.slate_problem
        assert scene.slate.y[0, 0] == 63


class TestTakingOver:
    def test_what_looks_the_same_is_not_drawn_again(self, tmp_path: Path) -> None:
        Image.new("RGB", (64, 64), "red").save(tmp_path / "logo.png")
        logo = instance("a", {"image": {"file": str(tmp_path / "logo.png")}})
        first = scene_of(logo, text="Back soon")
        second = scene_of(logo, instance("b", box(0, 0, 8, 8, "#FFFFFF")), previous=first, text="Back soon")
        (one,), (other,) = first.items["a"], second.items["a"]
        assert isinstance(one, items_.Still)
        assert isinstance(other, items_.Still)
        assert one.looks is other.looks
        assert second.slate is first.slate

    def test_a_changed_slate_is_drawn_anew(self) -> None:
        first = scene_of(text="Back soon")
        second = scene_of(text="Back later", previous=first)
        assert second.slate is not first.slate
        assert second.slate.buffer != first.slate.buffer

    def test_the_old_scene_goes_on_unchanged_while_the_new_one_is_made(self) -> None:
        first = scene_of(instance("a", box(0, 0, 50, 50, "#FFFFFF")))
        base = noise(640, 360)
        before = composed(first, base, [("a", 0)])
        scene_of(instance("a", box(0, 0, 50, 50, "#000000")), previous=first)
        assert composed(first, base, [("a", 0)]).buffer == before.buffer
