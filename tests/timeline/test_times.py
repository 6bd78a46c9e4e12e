"""Times of overlays and gain curves in frames and timecode: exact at the program's rate, or refused there."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.objects import camera, compiled, graphics, overlay, program, text, timeline, video
from vistterstream.resources.overlay import Layer
from vistterstream.timeline.compile import Compiled, PlanError
from vistterstream.timeline.tracks import Motion, Opacity

RATES = [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60)]


def layer(**fields: Any) -> dict[str, Any]:
    return {"name": "l", "rectangle": {"width": 10, "height": 10, "color": "#FFFFFF"}, **fields}


def track(*times: str) -> dict[str, Any]:
    frames = [{"at": at, "value": index} for index, at in enumerate(times)]
    return {"property": "x", "keyframes": frames}


def shown(*layers: dict[str, Any], rate: str = "30") -> Compiled:
    day = timeline(video({"camera": "a", "duration": "9s"}), graphics({"overlay": "x"}))
    return compiled(day, program=program(rate), cameras=[camera("a")], overlays=[overlay("x", *layers)])


def complaints(*layers: dict[str, Any], rate: str = "30") -> list[str]:
    return [str(problem) for problem in shown(*layers, rate=rate).problems]


@pytest.mark.parametrize("rate", RATES)
@given(frames=st.lists(st.integers(1, 500), min_size=1, max_size=5, unique=True))
def test_a_keyframe_in_frames_is_met_on_that_frame_exactly(rate: Fraction, frames: list[int]) -> None:
    times = ["0f", *(f"{frame}f" for frame in sorted(frames))]
    motion = Motion(Layer.model_validate(layer(tracks=[track(*times)])), rate)
    assert [motion.at(frame).x for frame in (0, *sorted(frames))] == list(range(len(times)))


def test_frames_timecode_and_durations_are_the_same_where_they_mean_the_same() -> None:
    def made(time: str) -> tuple[list[float], list[float]]:
        how = {"duration": time, "slide": "left", "distance": 90}
        one = Layer.model_validate(layer(tracks=[track("0s", time)], enter=how, exit=how))
        motion, opacity = Motion(one, Fraction(25)), Opacity(one, Fraction(25))
        poses = [motion.at(age, 100) for age in range(100)]
        return [pose.x for pose in poses], [opacity.at(age, 100) for age in range(100)]

    assert made("30f") == made("00:00:01:05") == made("1200ms")


def test_a_track_repeats_after_as_many_frames_as_its_last_keyframe_says() -> None:
    looped = Layer.model_validate(layer(tracks=[track("0f", "10f") | {"repeat": "loop"}]))
    motion = Motion(looped, Fraction(30000, 1001))
    assert [motion.at(age).x for age in (0, 5, 10, 25, 10**9 + 5)] == [0, 0.5, 0, 0.5, 0.5]


def test_keyframes_that_are_in_order_at_one_rate_alone_are_refused_at_the_other_with_their_place() -> None:
    mixed = layer(tracks=[track("0s", "1s", "40f")])
    assert not complaints(mixed, rate="30")
    assert complaints(mixed, rate="60") == [
        "Overlay x spec.layers[0].tracks[0].keyframes[2].at: 40f is not later than the keyframe before (1s); "
        "the overlay is left out"
    ]
    result = shown(mixed, rate="60")
    assert result.plan.timeline is not None
    assert not result.plan.timeline.overlays


def test_timecode_that_the_rate_does_not_have_is_told_with_its_place() -> None:
    inner = layer(enter={"duration": "00:00:00;10"}, exit={"duration": "00:00:00:29"})
    group = {"name": "g", "group": {"layers": [inner]}}
    (enter, exit) = complaints(group, text("t", "x"), rate="25")
    assert enter.startswith("Overlay x spec.layers[0].group.layers[0].enter.duration: ")
    assert "drop-frame" in enter
    assert exit.startswith("Overlay x spec.layers[0].group.layers[0].exit.duration: ")
    assert not complaints(group, rate="30000/1001")


def test_the_keyframes_of_a_gain_may_be_in_frames() -> None:
    def curve(*times: str, rate: str = "25") -> list[float]:
        sound = {
            "name": "s",
            "audio": [{"file": "a.wav", "curve": [{"at": at, "gain": "0dB"} for at in times]}],
        }
        day = timeline(video({"camera": "a", "duration": "9s"}), sound)
        plan = compiled(day, program=program(rate), cameras=[camera("a")]).plan.timeline
        assert plan is not None
        return [point.frame for point in plan.audio[0].curve]

    assert curve("0s", "10f", "00:00:01:00") == [0, 10, 25]
    with pytest.raises(PlanError) as caught:
        curve("1s", "26f", rate="30")
    assert caught.value.path == "spec.tracks[1].audio[0].curve[1].at"
