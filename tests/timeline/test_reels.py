"""Reels: where a file stands follows from the frame's number, whatever was asked before."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.test_changes import EPOCH, RATE, index_of, specs
from vistterstream.resources.camera import CameraSource, CameraSpec, FileSource
from vistterstream.timeline.evaluate import picture, position
from vistterstream.timeline.plan import CameraPlan, ClipPlan
from vistterstream.timeline.reels import CameraReel, ClipReel, Turn, standing_in


def camera(name: str, backup: str | None = None) -> CameraPlan:
    spec = CameraSpec(source=CameraSource(file=FileSource(path="/x.mp4")), backup=backup)
    return CameraPlan(name=name, spec=spec)


@pytest.mark.slow
@given(specs(), st.sampled_from(["a", "b", "ab"]), st.booleans())
@settings(deadline=None)
def test_a_reel_goes_on_by_a_picture_for_each_frame_that_shows_it(
    spec: dict[str, Any], names: str, loop: bool
) -> None:
    index = index_of(spec)
    reel = CameraReel(index, RATE, EPOCH, set(names), loop)
    before: Turn | None = None
    for number in range(150):
        shown = picture(index, position(index, number, RATE, EPOCH))
        visible = bool({shown.camera, shown.incoming} & set(names))
        turn = reel.turn(number)
        assert turn.picture == turn.first + number - turn.since
        if visible and before is not None and turn.since != number:
            assert turn.picture == before.picture + 1
        if visible and turn.since == number and not loop:
            assert turn.picture == 0, "starts anew"
        before = turn if visible else None


def test_a_paused_timeline_keeps_the_picture_and_says_that_it_stands() -> None:
    spec = {"loop": True, "tracks": [{"name": "v", "video": [{"camera": "a", "duration": "20s"}]}]}
    index = index_of(spec, {"state": "paused", "at": "3s"})
    reel = CameraReel(index, RATE, EPOCH, {"a"}, True)
    assert {reel.turn(number).picture for number in range(100)} == {30}
    assert all(reel.turn(number).still for number in range(100))


def test_a_place_to_go_on_from_is_the_place_of_the_file() -> None:
    spec = {"loop": True, "tracks": [{"name": "v", "video": [{"camera": "a", "duration": "20s"}]}]}
    index = index_of(spec, {"state": "playing", "at": "3s", "since": "2026-05-17T06:40:05Z"})
    reel = CameraReel(index, RATE, EPOCH, {"a"}, True)
    jump = next(number for number in range(200) if reel.turn(number).picture != number)
    assert reel.turn(jump).picture == 30
    assert [reel.turn(jump + k).picture for k in range(9)] == [*range(30, 39)]


def test_a_backup_goes_on_while_the_camera_it_stands_for_should_be_shown() -> None:
    cameras = [camera("a", "b"), camera("b", "c"), camera("c"), camera("d", "d")]
    assert standing_in("c", cameras) == {"a", "b", "c"}
    assert standing_in("a", cameras) == {"a"}
    assert standing_in("d", cameras) == {"d"}


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(30000, 1001)])
def test_a_year_later_it_is_as_quick_to_tell(rate: Fraction) -> None:
    spec = {"loop": True, "tracks": [{"name": "v", "video": [
        {"camera": "a", "duration": "2s"}, {"camera": "b", "duration": "1s"}]}]}  # fmt: skip
    index = index_of(spec)
    reel = CameraReel(index, rate, EPOCH, {"a"}, True)
    assert reel.turn(10**9 * 30).picture == 10**9 * 20


def test_a_clip_begins_at_its_in_point_in_each_cue_and_goes_on_through_the_transition_after_it() -> None:
    clip = {"file": {"path": "x.mp4", "in": "5s"}, "duration": "2s"}
    fade = {"type": "crossfade", "duration": "500ms"}
    video = [clip, {"camera": "a", "duration": "1s", "transition": fade}, clip]
    index = index_of({"loop": True, "tracks": [{"name": "v", "video": video}]})
    first, last = (cue.clip for cue in (index.plan.video[0], index.plan.video[2]))
    assert first == last
    reel = ClipReel(index, RATE, EPOCH, ClipPlan(id=first or "", file="x.mp4", start=50))
    pictures = [reel.turn(number).picture for number in range(60)]
    assert pictures[:20] == [*range(50, 70)]
    assert pictures[20:25] == [*range(70, 75)], "it is still in the picture"
    assert pictures[25:30] == [50] * 5
    assert pictures[30:50] == [*range(50, 70)]
    assert pictures[50:] == [*range(50, 60)], "the next round"


def test_a_clip_that_ends_a_round_goes_out_in_the_next() -> None:
    clip = {"file": {"path": "x.mp4"}, "duration": "2s"}
    fade = {"type": "wipe", "duration": "500ms"}
    index = index_of(
        {
            "loop": True,
            "tracks": [{"name": "v", "video": [{"camera": "a", "duration": "1s", "transition": fade}, clip]}],
        }
    )
    reel = ClipReel(index, RATE, EPOCH, ClipPlan(id=index.plan.video[1].clip or "", file="x.mp4"))
    assert [reel.turn(number).picture for number in range(30, 36)] == [20, 21, 22, 23, 24, 0]
