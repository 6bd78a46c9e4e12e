"""Sounds that play along: which, from where in their files, and how loud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.objects import camera, compiled, program, timeline, video
from timeline.test_flatten import named, planned
from vistterstream.timeline.beds import Bed, beds, coming
from vistterstream.timeline.compile import SOUNDS_AT_ONCE, PlanError
from vistterstream.timeline.evaluate import TimelineIndex, picture
from vistterstream.timeline.plan import TimelinePlan


def cue(name: str, duration: str, **rest: Any) -> dict[str, Any]:
    return {"camera": name, "duration": duration, **rest}


def sounds(*cues: Mapping[str, Any], name: str = "sounds") -> dict[str, Any]:
    return {"name": name, "audio": list(cues)}


def bed(**fields: Any) -> dict[str, Any]:
    return {"file": "bed.wav", **fields}


def heard(plan: TimelinePlan, passed: int) -> list[tuple[str, int]]:
    """The files that play at a frame, and how long they have."""
    found = beds(TimelineIndex(plan), passed)
    return [(one.cue.file.rpartition("/")[2], one.age) for one in found]


def a_bed(**fields: Any) -> Bed:
    plan = planned(timeline(sounds(bed(duration="10s", **fields))))
    (cue,) = plan.audio
    return Bed(cue, 0)


class TestWhere:
    def test_a_file_starts_with_its_cue_and_ends_with_it(self) -> None:
        plan = planned(timeline(video(cue("a", "10s")), sounds(bed(at="1s", duration="2s"))))
        assert heard(plan, 29) == []
        assert heard(plan, 30) == [("bed.wav", 0)]
        assert heard(plan, 89) == [("bed.wav", 59)]
        assert heard(plan, 90) == []

    def test_sounds_may_overlap(self) -> None:
        plan = planned(timeline(video(cue("a", "9s")), sounds(bed(), bed(at="2s", file="two.wav"))))
        assert heard(plan, 70) == [("bed.wav", 70), ("two.wav", 10)]

    def test_a_sound_makes_the_timeline_longer_and_one_alone_never_ends(self) -> None:
        assert planned(timeline(video(cue("a", "1s")), sounds(bed(duration="4s")))).length == 120
        endless = planned(timeline(sounds(bed(at="1s")), loop=True))
        assert not endless.loop
        assert heard(endless, 10**6) == [("bed.wav", 10**6 - 30)]

    def test_one_that_loops_for_the_whole_of_a_looping_timeline_plays_through(self) -> None:
        pictures = video(cue("a", "10s"))
        through = planned(timeline(pictures, sounds(bed(loop=True)), loop=True))
        assert heard(through, 310) == [("bed.wav", 310)]
        for other in (bed(), bed(loop=True, duration="10s"), bed(loop=True, fadeOut="1s")):
            assert heard(planned(timeline(pictures, sounds(other), loop=True)), 310) == [("bed.wav", 10)]
        assert heard(planned(timeline(pictures, sounds(bed(loop=True)))), 310) == []

    def test_an_inner_timeline_brings_its_sounds_along(self) -> None:
        inner = named("in", video(cue("a", "2s")), sounds(bed(at="1s", gain="-6dB")), loop=True)
        outer = timeline(video({"timeline": "in", "duration": "3s", "audio": {"gain": "-14dB"}}))
        plan = planned(outer, inner)
        assert [(one.start, one.end, round(one.gain, 3)) for one in plan.audio] == [(30, 60, 0.1)]
        muted = timeline(video({"timeline": "in", "duration": "4s", "audio": {"mute": True}}))
        assert [one.gain for one in planned(muted, inner).audio] == [0.0, 0.0]

    @pytest.mark.slow
    @given(st.integers(0, 400), st.integers(0, 120))
    def test_what_is_coming_is_what_will_be_heard(self, now: int, horizon: int) -> None:
        tracks = (video(cue("a", "5s")), sounds(bed(loop=True), bed(at="1s", duration="1s"), bed(at="4s")))
        index = TimelineIndex(planned(timeline(*tracks, loop=True)))
        expected = {
            (one.cue.start, now + ahead - one.age)
            for ahead in range(horizon + 1)
            for one in beds(index, now + ahead)
        }
        found = coming(index, now, horizon)
        assert {(one.cue.start, now - one.age) for one in found} == expected
        assert len(found) == len(expected)

    def test_more_sounds_than_can_be_decoded_are_refused(self) -> None:
        tracks = [sounds(*[bed() for _ in range(SOUNDS_AT_ONCE)]), video(cue("a", "1s"))]
        assert len(planned(timeline(*tracks)).audio) == SOUNDS_AT_ONCE
        with pytest.raises(PlanError, match="plays more than 16 sounds at the same time"):
            planned(timeline(*tracks, sounds(bed(), name="more")))


class TestHowLoud:
    def test_gain_is_in_decibels_and_the_lowest_is_silence(self) -> None:
        assert a_bed().volume(0) == 1.0
        assert a_bed(gain="-6dB").volume(0) == pytest.approx(0.501187, abs=1e-6)
        assert a_bed(gain="-96dB").volume(0) == 0.0
        assert a_bed(mute=True, gain="6dB").volume(0) == 0.0

    def test_gains_add_up_to_what_makes_any_sample_full(self) -> None:
        loud = {"gain": "24dB"}
        inner = named("t0", video(cue("a", "1s", audio=loud)))
        shows = [video({"timeline": f"t{number}", "audio": loud}) for number in range(11)]
        *others, outer = (named(f"t{number}", show) for number, show in enumerate(shows, 1))
        plan = planned(outer, inner, *others)
        assert [one.gain for one in plan.video] == [pytest.approx(10**4.8)]

    def test_fades_are_even(self) -> None:
        one = a_bed(fadeIn="1s", fadeOut="2s")
        assert [one.volume(age) for age in (0, 15, 30, 200)] == [0.0, 0.5, 1.0, 1.0]
        assert [one.volume(age) for age in (240, 270, 300)] == [1.0, 0.5, 0.0]

    def test_without_a_fade_the_last_frame_goes_to_silence(self) -> None:
        one = a_bed()
        assert [one.volume(age) for age in (0, 299, 300)] == [1.0, 1.0, 0.0]

    def test_a_curve_goes_in_decibels_with_its_easings(self) -> None:
        curve = [{"at": "1s", "gain": "0dB"}, {"at": "2s", "gain": "-20dB"}]
        one = a_bed(curve=curve, gain="-20dB")
        assert [one.volume(age) for age in (0, 30, 45, 60, 90)] == pytest.approx(
            [0.1, 0.1, 10**-1.5, 0.01, 0.01]
        )
        held = a_bed(curve=[curve[0], curve[1] | {"easing": "hold"}])
        assert [held.volume(age) for age in (30, 59, 60)] == pytest.approx([1.0, 1.0, 0.1])

    @pytest.mark.parametrize("rate", ["30", "30000/1001"])
    def test_a_duck_is_counted_in_frames(self, rate: str) -> None:
        duck = {"threshold": "-40dB", "amount": "-20dB", "attack": "100ms", "release": "1s"}
        (one,) = planned(timeline(sounds(bed(duck=duck))), rate=rate).audio
        assert one.duck is not None
        assert one.duck.threshold == pytest.approx(1e-4)
        assert one.duck.factor == pytest.approx(0.1)
        assert (one.duck.attack, one.duck.hold, one.duck.release) == (3, 15, 30)

    @pytest.mark.parametrize(
        ("fields", "path"),
        [({"fadeIn": "4s", "at": "9s"}, "fadeIn"), ({"fadeOut": "31f", "duration": "1s"}, "fadeOut")],
    )
    def test_a_fade_that_does_not_fit_is_refused(self, fields: dict[str, Any], path: str) -> None:
        with pytest.raises(PlanError, match="is longer than its cue") as caught:
            planned(timeline(video(cue("a", "10s")), sounds(bed(**fields))))
        assert caught.value.path == f"spec.tracks[1].audio[0].{path}"

    def test_what_never_ends_does_not_fade_out(self) -> None:
        with pytest.raises(PlanError, match="has no end to fade out to"):
            planned(timeline(sounds(bed(fadeOut="1s"))))


class TestPictures:
    """The sound of video cues."""

    def test_a_cue_has_its_gain(self) -> None:
        quiet = {"gain": "-20dB"}
        plan = planned(timeline(video(cue("a", "1s", audio=quiet), cue("b", "1s", audio={"mute": True}))))
        index = TimelineIndex(plan)
        assert picture(index, 0).gains == pytest.approx((0.1, 0.1))
        assert picture(index, 30).gains == (0.0, 0.0)

    def test_in_a_transition_each_picture_keeps_its_own(self) -> None:
        fade = {"type": "crossfade", "duration": "1s"}
        cues = (cue("a", "2s", audio={"gain": "-20dB"}), cue("b", "2s", transition=fade))
        shown = picture(TimelineIndex(planned(timeline(video(*cues)))), 70)
        assert (shown.camera, shown.incoming) == ("a", "b")
        assert shown.gains == pytest.approx((0.1, 1.0))

    @pytest.mark.parametrize("type", ["crossfade", "push"])
    def test_between_two_cues_of_one_camera_the_gain_goes_over_evenly(self, type: str) -> None:
        fade = {"type": type, "duration": "10f"}
        cues = (cue("a", "2s"), cue("a", "2s", transition=fade, audio={"mute": True}))
        index = TimelineIndex(planned(timeline(video(*cues))))
        assert [picture(index, frame).gains[0] for frame in (59, 60, 64, 69, 70)] == pytest.approx(
            [1.0, 0.9, 0.5, 0.0, 0.0]
        )

    def test_the_gain_of_a_cue_is_that_of_all_the_timeline_in_it(self) -> None:
        inner = named("in", video(cue("a", "1s", audio={"gain": "+6dB"}), cue("b", "1s")))
        fade = {"type": "crossfade", "duration": "5f"}
        outer = video(cue("c", "1s"), {"timeline": "in", "audio": {"gain": "-6dB"}, "transition": fade})
        plan = planned(timeline(outer), inner)
        assert [one.gain for one in plan.video] == pytest.approx([1.0, 1.0, 0.501187], abs=1e-6)


def test_the_path_of_a_file_starts_at_its_manifest() -> None:
    plan = compiled(
        timeline(sounds(bed(duration="1s"))), program=program(), cameras=[camera("a")]
    ).plan.timeline
    assert plan is not None
    assert plan.audio[0].file == "/Timeline/day/media/bed.wav"


def test_an_old_plan_has_no_sounds() -> None:
    assert TimelinePlan.model_validate({"name": "t", "length": 1, "loop": False}).audio == ()
