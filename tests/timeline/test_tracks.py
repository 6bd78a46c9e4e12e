"""Tracks: the same answer for the same age, whatever was asked before."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.resources.overlay import Layer, Side
from vistterstream.timeline.easing import ease
from vistterstream.timeline.tracks import Motion, Opacity

RATE = Fraction(30)
NTSC = Fraction(30000, 1001)


def layer(**fields: Any) -> Layer:
    box = {"width": 10, "height": 10, "color": "#FFFFFF"}
    return Layer.model_validate({"name": "l", "rectangle": box, **fields})


def ramp(property: str, repeat: str = "none", end: float = 1.0) -> dict[str, Any]:
    frames = [{"at": "0s", "value": 0}, {"at": "1s", "value": end}]
    return {"property": property, "keyframes": frames, "repeat": repeat}


def faded(*keyframes: tuple[str, float, str]) -> Layer:
    """A layer whose opacity has these keyframes."""
    frames = [{"at": at, "value": value, "easing": easing} for at, value, easing in keyframes]
    return layer(tracks=[{"property": "opacity", "keyframes": frames}])


@given(st.lists(st.tuples(st.integers(1, 500), st.floats(0, 1)), min_size=2, max_size=8), st.integers(0, 200))
def test_opacity_is_between_two_keyframes_where_the_easing_has_it(
    steps: list[tuple[int, float]], age: int
) -> None:
    times = [sum(step for step, _ in steps[: index + 1]) for index in range(len(steps))]
    moved = faded(
        *((f"{time}ms", value, "easeInOutCubic") for time, (_, value) in zip(times, steps, strict=True))
    )
    now, values = float(age * 1000 / NTSC), [value for _, value in steps]
    expected = values[0] if now < times[0] else values[-1]
    for index in range(1, len(times)):
        if times[index - 1] <= now < times[index]:
            share = (now - times[index - 1]) / (times[index] - times[index - 1])
            expected = values[index - 1] + (values[index] - values[index - 1]) * ease("easeInOutCubic", share)
    assert Opacity(moved, NTSC).at(age) == pytest.approx(expected, abs=1e-9)
    assert (Opacity(moved, NTSC).constant is None) == (len(set(values)) > 1)


def test_without_a_track_opacity_is_the_layer_s_own() -> None:
    assert Opacity(layer(opacity=0.3), NTSC).at(5) == Opacity(layer(opacity=0.3), NTSC).constant == 0.3


def test_a_track_holds_before_its_first_and_after_its_last_keyframe() -> None:
    fade = Opacity(faded(("1s", 0.2, "linear"), ("2s", 0.8, "linear")), RATE)
    assert [fade.at(age) for age in (0, 30, 60, 1000)] == [0.2, 0.2, 0.8, 0.8]
    assert fade.at(45) == pytest.approx(0.5)


def test_a_keyframe_between_two_frames_is_met_between_them() -> None:
    fade = Opacity(faded(("0s", 0.0, "linear"), ("50ms", 1.0, "linear"), ("1s", 1.0, "linear")), RATE)
    assert fade.at(1) == pytest.approx(2 / 3)  # 33.3 of 50 ms
    assert fade.at(2) == 1.0


def test_hold_jumps_at_the_keyframe() -> None:
    step = Opacity(faded(("0s", 0.1, "linear"), ("1s", 0.9, "hold")), RATE)
    assert [step.at(age) for age in (0, 29, 30)] == [0.1, 0.1, 0.9]


def test_a_loop_starts_again_and_a_ping_pong_runs_back() -> None:
    loop, back = (Motion(layer(tracks=[ramp("x", repeat)]), RATE) for repeat in ("loop", "pingPong"))
    assert [loop.at(age).x for age in (0, 15, 29, 30, 45, 3015)] == pytest.approx(
        [0, 0.5, 29 / 30, 0, 0.5, 0.5]
    )
    assert [back.at(age).x for age in (0, 15, 30, 45, 60, 75, 6000)] == pytest.approx(
        [0, 0.5, 1, 0.5, 0, 0.5, 0]
    )


@given(st.integers(0, 10**9))
def test_a_loop_is_the_same_in_every_round(age: int) -> None:
    motion = Motion(layer(tracks=[ramp("x", "loop", 900.0)]), RATE)
    assert motion.at(age).x == motion.at(age % 30).x


def test_coming_and_going_need_the_length_of_the_cue() -> None:
    opacity = Opacity(
        layer(
            opacity=0.8,
            enter={"duration": "1s", "easing": "linear"},
            exit={"duration": "1s", "easing": "linear", "opacity": 0.5},
        ),
        RATE,
    )
    assert [opacity.at(age, 100) for age in (0, 15, 30, 70, 85, 99, 100)] == pytest.approx(
        [0, 0.4, 0.8, 0.8, 0.6, 0.8 * (0.5 + 0.5 / 30), 0.4]
    )
    assert opacity.at(85, None) == 0.8
    assert opacity.constant is None


def test_a_cue_too_short_for_both_is_as_far_out_as_either_has_it() -> None:
    slide = {"duration": "1s", "easing": "linear", "slide": "left", "distance": 100}
    motion = Motion(layer(enter=slide, exit={**slide, "slide": "right"}), RATE)
    sides = [motion.at(age, 20).slide for age in range(21)]
    assert sides[0] == (Side.LEFT, 1.0, 100)
    assert sides[20] == (Side.RIGHT, 1.0, 100)


def test_what_stands_still_is_known_to() -> None:
    assert Motion(layer(), RATE).still
    assert Motion(layer(opacity=0.5, tracks=[ramp("opacity")], enter={"duration": "1s"}), RATE).still
    for moving in (
        layer(rotation=1),
        layer(scale=2),
        layer(crop={"top": 0.1}),
        layer(tracks=[ramp("x")]),
        layer(enter={"duration": "1s", "slide": "left"}),
    ):
        assert not Motion(moving, RATE).still
    assert Motion(layer(rotation=1), RATE).constant


def test_a_colour_is_mixed_premultiplied() -> None:
    frames = [{"at": "0s", "color": "#FF0000"}, {"at": "1s", "color": "#00FF0000"}]
    motion = Motion(layer(tracks=[{"property": "color", "keyframes": frames}]), RATE)
    assert motion.at(15).color == pytest.approx((255, 0, 0, 127.5))  # no green: it is transparent there
    assert motion.at(30).color == (0, 0, 0, 0)


def test_times_of_a_track_count_from_its_cue_point() -> None:
    synced = layer(
        tracks=[ramp("opacity") | {"sync": "goal"}, ramp("x", "loop") | {"sync": "goal"}, ramp("y")]
    )
    points = {"goal": 60}
    curve, motion = Opacity(synced, RATE, points), Motion(synced, RATE, points)
    assert [curve.at(age) for age in (0, 60, 75, 90, 200)] == pytest.approx([0, 0, 0.5, 1, 1])
    assert [motion.at(age).x for age in (0, 59, 75, 105)] == pytest.approx([0, 0, 0.5, 0.5])
    assert motion.at(15).y == pytest.approx(0.5), "the others from the entry"
    before = Opacity(synced, RATE, {"goal": -15})
    assert [before.at(age) for age in (0, 15)] == pytest.approx([0.5, 1])
    assert Opacity(synced, RATE).at(15) == pytest.approx(0.5), "without a cue point, too"


@pytest.mark.parametrize("easing", ["linear", "hold", "stepStart", "easeOutBack", "cubic-bezier(0, 9, 1, 9)"])
def test_a_text_changes_at_its_keyframe_whatever_the_easing(easing: str) -> None:
    frames = [{"at": f"{at}s", "text": text, "easing": easing} for at, text in enumerate("ABC")]
    label = {"name": "l", "text": {"value": "-"}, "tracks": [{"property": "text", "keyframes": frames}]}
    motion = Motion(Layer.model_validate(label), RATE)
    said = [motion.texts[motion.at(age).text or 0] for age in (0, 1, 15, 29, 30, 59, 60, 600)]
    assert said == ["A", "A", "A", "A", "B", "B", "C", "C"]
