"""Timelines in timelines, and what contradicts itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from timeline.objects import camera, graphics, overlay, program, resolve, text, timeline, video
from vistterstream.resources.kinds import SOURCE_FILE, Timeline
from vistterstream.timeline.compile import Compiled, PlanError, compile_plan
from vistterstream.timeline.evaluate import TimelineIndex, picture
from vistterstream.timeline.flatten import MAX_CUES, flatten
from vistterstream.timeline.parts import NOTHING, Parts
from vistterstream.timeline.plan import Plan, TimelinePlan, VideoCuePlan

RATES = ["24000/1001", "25", "30000/1001", "30", "60000/1001"]


def named(name: str, *tracks: Mapping[str, Any], **spec: Any) -> Timeline:
    made = timeline(*tracks, **spec)
    return made.model_copy(update={"metadata": made.metadata.model_copy(update={"name": name})})


OVERLAID = {"overlay": "x", "at": "1s", "duration": "1s"}


def compiled(outer: Timeline, *inner: Timeline, rate: str = "30", parts: Parts = NOTHING) -> Compiled:
    return compile_plan(
        program(rate),
        timeline=outer,
        overlays={name: overlay(name, text("t", name)) for name in "xyz"},
        cameras={name: camera(name) for name in "abc"},
        outputs=(),
        resolve=resolve,
        hls_folder=lambda *_: "",
        recording_folder=lambda *_: "",
        timelines={one.metadata.name: one for one in [outer, *inner]},
        parts=parts,
    )


def planned(outer: Timeline, *inner: Timeline, rate: str = "30") -> TimelinePlan:
    plan = compiled(outer, *inner, rate=rate).plan.timeline
    assert plan is not None
    return plan


def cuts(plan: TimelinePlan) -> list[tuple[int, int, str | None]]:
    return [(cue.start, cue.end, cue.source) for cue in plan.video]


def show(name: str, duration: str | None = None, **rest: Any) -> dict[str, Any]:
    return {"timeline": name} | ({"duration": duration} if duration else {}) | rest


def cue(camera: str, duration: str, **rest: Any) -> dict[str, Any]:
    return {"camera": camera, "duration": duration, **rest}


NEWS = named("news", video(cue("a", "1s"), cue("b", "2s")))


def overs(plan: TimelinePlan) -> list[tuple[int, int | None]]:
    return [(cue.start, cue.end) for cue in plan.overlays]


class TestTracksThatLoop:
    def test_a_track_starts_again_until_the_timeline_ends(self) -> None:
        words = graphics({"overlay": "x", "at": "1s", "duration": "2s"}) | {"loop": True}
        plan = planned(timeline(video(cue("a", "8s")), words))
        assert plan.length == 240
        assert overs(plan) == [(30, 90), (120, 180), (210, 240)]

    def test_pictures_loop_too_with_their_transitions(self) -> None:
        fade = {"type": "crossfade", "duration": "10f"}
        pictures = video(cue("a", "1s", transition=fade), cue("b", "2s")) | {"loop": True}
        plan = planned(timeline(pictures, graphics({"overlay": "x", "duration": "4s"})))
        assert cuts(plan) == [(0, 30, "a"), (30, 90, "b"), (90, 120, "a")]
        shown = picture(TimelineIndex(plan), 92)
        assert (shown.camera, shown.incoming) == ("b", "a")

    def test_where_all_loop_the_timeline_lasts_until_they_start_together(self) -> None:
        pictures = video(cue("a", "4s"), cue("b", "2s")) | {"loop": True}
        words = graphics(
            {"overlay": "x", "duration": "1500ms"}, {"overlay": "y", "at": "2s", "duration": "2s"}
        )
        stays = graphics({"overlay": "z"}, name="stays")
        plan = planned(timeline(pictures, words | {"loop": True}, stays, loop=True))
        assert plan.length == 360  # 6 s and 4 s: twelve
        assert len(plan.video) == 4
        assert len(plan.overlays) == 7
        assert overs(plan)[-1] == (0, 360)

    @pytest.mark.slow
    @given(st.sampled_from(RATES), st.integers(1, 40), st.integers(1, 40), st.integers(0, 10_000))
    def test_each_goes_round_by_itself_for_ever(self, rate: str, one: int, two: int, frame: int) -> None:
        pictures = video(cue("a", f"{one}f"), cue("b", "7f")) | {"loop": True}
        words = graphics(
            {"overlay": "x", "duration": f"{two}f"}, {"overlay": "y", "at": f"{two}f", "duration": "5f"}
        )
        plan = compiled(timeline(pictures, words | {"loop": True}, loop=True), rate=rate).plan
        assert plan.timeline is not None
        index = TimelineIndex(plan.timeline)
        shown = picture(index, frame % index.length)
        assert shown.camera == ("a" if frame % (one + 7) < one else "b")
        place = frame % (two + 5)
        names = {overlay.id: overlay.overlay for overlay in plan.overlays}
        assert [(names[id], age) for id, age in shown.overlays] == [
            ("x", place) if place < two else ("y", place - two)
        ]

    def test_in_another_timeline_it_is_as_if_it_stood_there(self) -> None:
        words = graphics({"overlay": "x", "duration": "2s"}) | {"loop": True}
        inner = named("in", video(cue("a", "5s")), words)
        plan = planned(timeline(video(cue("b", "1s"), show("in", "3s"))), inner)
        assert overs(plan) == [(30, 90), (90, 120)]

    def test_sounds_start_again_and_are_cut_off(self) -> None:
        bells = {"name": "bells", "loop": True, "audio": [{"file": "a.wav", "at": "1s", "duration": "2s"}]}
        plan = planned(timeline(video(cue("a", "5s")), bells))
        assert [(one.start, one.end) for one in plan.audio] == [(30, 90), (120, 150)]

    def test_what_never_meets_is_refused(self) -> None:
        pictures = video(cue("a", "99991f")) | {"loop": True}
        words = graphics({"overlay": "x", "duration": "99989f"}) | {"loop": True}
        assert planned(timeline(video(cue("a", "99991f")), words)).length == 99991
        few = graphics({"overlay": "x", "duration": "7f"}, name="few") | {"loop": True}
        with pytest.raises(
            PlanError, match="comes to more than 100000 cues until the timeline ends"
        ) as caught:
            planned(timeline(pictures, few, words))
        assert caught.value.path.endswith(".loop")

    def test_a_cue_without_an_end_cannot_loop(self) -> None:
        with pytest.raises(
            ValidationError, match=r"overlays\[0\].duration: must be given in a track that loops"
        ):
            timeline(video(cue("a", "1s")), graphics({"overlay": "x"}) | {"loop": True})


class TestNesting:
    def test_a_timeline_is_played_once_unless_told(self) -> None:
        plan = planned(timeline(video(cue("c", "1s"), show("news"), cue("c", "1s"))), NEWS)
        assert cuts(plan) == [(0, 30, "c"), (30, 60, "a"), (60, 120, "b"), (120, 150, "c")]

    def test_it_is_cut_off_where_the_cue_ends(self) -> None:
        plan = planned(timeline(video(show("news", "2s"), cue("c", "1s"))), NEWS)
        assert cuts(plan) == [(0, 30, "a"), (30, 60, "b"), (60, 90, "c")]

    def test_what_is_left_after_it_is_a_gap(self) -> None:
        plan = planned(timeline(video(show("news", "5s"), cue("c", "1s"))), NEWS)
        assert cuts(plan) == [(0, 30, "a"), (30, 90, "b"), (150, 180, "c")]
        assert picture(TimelineIndex(plan), 100).camera is None

    def test_one_that_loops_starts_again_until_the_cue_ends(self) -> None:
        loop = named("news", video(cue("a", "1s"), cue("b", "2s")), loop=True)
        plan = planned(timeline(video(show("news", "5s"))), loop)
        assert cuts(plan) == [(0, 30, "a"), (30, 90, "b"), (90, 120, "a"), (120, 150, "b")]

    def test_the_transition_is_that_of_its_first_picture(self) -> None:
        wipe = {"type": "wipe", "duration": "10f"}
        plan = planned(timeline(video(cue("c", "1s"), show("news", transition=wipe))), NEWS)
        assert [cue.fade for cue in plan.video] == [0, 10, 0]
        shown = picture(TimelineIndex(plan), 30)
        assert (shown.camera, shown.incoming) == ("c", "a")

    def test_the_sound_of_the_transition_goes_over_as_it_says(self) -> None:
        power = {"type": "crossfade", "duration": "10f", "sound": "equalPower"}
        even = {"type": "crossfade", "duration": "10f"}
        plan = planned(timeline(video(cue("c", "1s", transition=even), show("news", transition=power))), NEWS)
        assert [shown.transition and shown.transition.sound for shown in plan.video[:2]] == [
            "equalGain",
            "equalPower",
        ]

    def test_a_transition_into_a_gap_is_one_to_the_slate(self) -> None:
        late = named("late", video(cue("a", "1s", at="1s")))
        wipe = {"type": "wipe", "duration": "10f"}
        plan = planned(timeline(video(cue("c", "1s"), show("late", transition=wipe))), late)
        assert cuts(plan) == [(0, 30, "c"), (30, 60, None), (60, 90, "a")]
        assert [cue.fade for cue in plan.video] == [0, 10, 0]

    def test_its_overlays_come_along_below_those_of_the_outer_one(self) -> None:
        inner = named("in", video(cue("a", "2s")), graphics({"overlay": "x", "at": "1s"}), loop=True)
        outer = timeline(graphics({"overlay": "y"}), video(cue("c", "1s"), show("in", "3500ms")))
        made = compiled(outer, inner)
        plan = made.plan.timeline
        assert plan is not None
        names = {one.id: one.overlay for one in made.plan.overlays}
        assert [(cue.start, cue.end, names[cue.instance]) for cue in plan.overlays] == [
            (60, 90, "x"),
            (120, 135, "x"),
            (0, 135, "y"),
        ]

    def test_one_that_does_not_exist_is_a_gap_and_told_where(self) -> None:
        inner = named("in", video(cue("a", "1s"), show("gone", "1s")))
        made = compiled(timeline(video(show("in"), show("none", "2s"), cue("c", "1s"))), inner)
        assert made.plan.timeline is not None
        assert cuts(made.plan.timeline) == [(0, 30, "a"), (120, 150, "c")]
        assert [(problem.path, problem.message) for problem in made.problems] == [
            ("spec.tracks[0].video[0].timeline", "there is no Timeline 'gone'; the slate is shown instead"),
            ("spec.tracks[0].video[1].timeline", "there is no Timeline 'none'; the slate is shown instead"),
        ]

    def test_the_cameras_of_an_inner_timeline_are_in_the_plan(self) -> None:
        plan: Plan = compiled(timeline(video(show("news"))), NEWS).plan
        assert [camera.name for camera in plan.cameras] == ["a", "b"]


@st.composite
def inner_cues(draw: st.DrawFn) -> list[tuple[int, int, str, int]]:
    """Start, end, camera and length of the transition in, in milliseconds."""
    cues, at = [], 0
    for _ in range(draw(st.integers(1, 5))):
        at += draw(st.sampled_from([0, 0, 1, 777]))
        length = draw(st.integers(100, 3000))
        fade = draw(st.sampled_from([0, 0, 50, 100]))
        cues.append((at, at + length, draw(st.sampled_from("abc")), fade))
        at += length
    return cues


def written(cues: Sequence[tuple[int, int, str, int]]) -> dict[str, Any]:
    def one(start: int, end: int, camera: str, fade: int) -> dict[str, Any]:
        how = {"transition": {"type": "crossfade", "duration": f"{fade}ms"}} if fade else {}
        return cue(camera, f"{end - start}ms", at=f"{start}ms", **how)

    return video(*(one(*entry) for entry in cues))


@pytest.mark.slow
@given(inner_cues(), st.integers(100, 20_000), st.booleans(), st.integers(1, 5000), st.sampled_from(RATES))
def test_a_nested_timeline_equals_its_unrolled_form(
    cues: list[tuple[int, int, str, int]], length: int, loop: bool, before: int, rate: str
) -> None:
    inner = named("in", written(cues), loop=loop)
    nested = timeline(video(cue("c", f"{before}ms"), show("in", f"{length}ms"), cue("c", "1s")))
    unrolled = [(0, before, "c", 0)]
    for lap in range(length // cues[-1][1] + 1 if loop else 1):
        for start, end, name, fade in cues:
            at, until = (before + lap * cues[-1][1] + time for time in (start, end))
            until = min(until, before + length)
            if at < until:
                assume(until - at >= 100)  # a fade that is cut off could not be written out
                unrolled.append((at, until, name, fade))
    unrolled.append((before + length, before + length + 1000, "c", 0))
    ours, theirs = planned(nested, inner, rate=rate), planned(timeline(written(unrolled)), rate=rate)
    assert (ours.video, ours.length) == (theirs.video, theirs.length)


@pytest.mark.slow
@given(inner_cues(), st.integers(2, 4), st.sampled_from(RATES))
def test_nesting_twice_is_nesting_once(cues: list[tuple[int, int, str, int]], times: int, rate: str) -> None:
    one = named("one", written(cues))
    two = named("two", video(*[show("one")] * times))
    deep = planned(timeline(video(show("two"))), two, one, rate=rate)
    flat = planned(timeline(video(*[show("one")] * times)), one, rate=rate)
    assert deep == flat


@pytest.mark.slow
@given(inner_cues(), st.integers(0, 3), st.sampled_from(RATES))
def test_a_loop_shows_what_its_unrolled_form_shows(
    cues: list[tuple[int, int, str, int]], lap: int, rate: str
) -> None:
    """Of whole frames: a loop's length is rounded once, so its cues are made of whole frames here."""
    step = [(start // 10, end // 10, name, fade // 50) for start, end, name, fade in cues]

    def track(entries: list[tuple[int, int, str, int]]) -> dict[str, Any]:
        def how(fade: int) -> dict[str, Any]:
            return {"transition": {"type": "crossfade", "duration": f"{fade}f"}} if fade else {}

        shown = [(a, b, name, fade) for a, b, name, fade in entries if b > a]
        return video(*(cue(n, f"{b - a}f", at=f"{a}f", **how(fade)) for a, b, n, fade in shown))

    length = step[-1][1]
    rounds = [(a + n * length, b + n * length, name, fade) for n in range(5) for a, b, name, fade in step]
    loop = TimelineIndex(planned(timeline(track(step), loop=True), rate=rate))
    once = TimelineIndex(planned(timeline(track(rounds)), rate=rate))
    for at in range((lap + 1) * length, (lap + 2) * length):  # the first round has nothing before it
        ours, theirs = picture(loop, at % length), picture(once, at)
        assert (ours.camera, ours.incoming, ours.mix) == (theirs.camera, theirs.incoming, theirs.mix)


class TestSources:
    def test_the_slate_may_be_shown_on_purpose(self) -> None:
        plan = planned(timeline(video(cue("a", "1s"), {"slate": {}, "duration": "1s"})))
        assert plan.video[1] == VideoCuePlan(start=30, end=60)

    def test_pictures_get_absolute_paths_and_equal_ones_are_one(self) -> None:
        image = {"file": "harbour.png", "fit": "fit"}
        cues = [{"image": image, "duration": "1s"}, cue("a", "1s"), {"image": image, "duration": "2s"}]
        plan = compiled(timeline(video(*cues))).plan
        (found,) = plan.images
        assert (found.file, found.fit) == ("/Timeline/day/image/harbour.png", "fit")
        assert plan.timeline is not None
        assert [one.source for one in plan.timeline.video] == [f"image:{found.id}", "a", f"image:{found.id}"]


def refused(outer: Timeline, *inner: Timeline, rate: str = "30") -> str:
    with pytest.raises(PlanError) as caught:
        compiled(outer, *inner, rate=rate)
    return str(caught.value)


class TestContradictions:
    def test_a_timeline_that_shows_itself(self) -> None:
        one = named("one", video(cue("a", "1s"), show("two")))
        two = named("two", video(show("three", "1s")))
        three = named("three", video(show("two", "1s")))
        assert refused(named("day", video(show("day", "1s")))) == (
            "spec.tracks[0].video[0].timeline: a timeline cannot show itself: day shows day"
        )
        assert refused(timeline(video(cue("c", "1s"), show("one"))), one, two, three) == (
            "spec.tracks[0].video[1].timeline: a timeline cannot show itself: two shows three shows two"
        )

    def test_cues_that_overlap_at_this_rate(self) -> None:
        outer = timeline(video(cue("a", "1s"), cue("b", "1s", at="29f")))
        assert "spec.tracks[0].video[1].at: 29f is before the end of the cue above (1s)" in refused(outer)
        assert cuts(planned(outer, rate="25")) == [(0, 25, "a"), (29, 54, "b")]

    def test_a_transition_longer_than_its_cue_at_this_rate(self) -> None:
        long = cue("a", "1s", transition={"type": "push", "duration": "31f"})
        outer = timeline(video(long))
        assert (
            refused(outer) == "spec.tracks[0].video[0].transition: the push (31f) is longer than its cue (1s)"
        )
        assert planned(outer, rate="60").video[0].fade == 31

    def test_a_transition_shorter_than_half_a_frame(self) -> None:
        short = {"type": "crossfade", "duration": "16ms"}  # half a frame is 16.7 ms
        assert (
            refused(timeline(video(cue("a", "1s"), cue("b", "1s", transition=short))))
            == "spec.tracks[0].video[1].transition.duration: the crossfade (16ms) is shorter than half a "
            "frame; give it 1f at least, or write cut"
        )
        assert (
            planned(timeline(video(cue("a", "1s", transition=short | {"duration": "17ms"})))).video[0].fade
            == 1
        )

    def test_a_transition_longer_than_the_first_picture_of_an_inner_timeline(self) -> None:
        outer = timeline(video(show("news", transition={"type": "slide", "duration": "1001ms"})))
        assert "is longer than the first picture of the Timeline 'news'" in refused(outer, NEWS)

    def test_an_overlay_that_would_start_at_the_end(self) -> None:
        outer = timeline(video(cue("a", "1s")), graphics({"overlay": "x", "at": "30f"}))
        assert "spec.tracks[1].overlays[0].at: 30f is the end of the timeline or later (1s)" in refused(outer)

    @pytest.mark.parametrize(
        ("text", "rate", "message"),
        [
            (
                "00:00:01;00",
                "25",
                "drop-frame timecode (with a semicolon), which 25 frames a second does not",
            ),
            ("00:00:01:25", "25", "has frame number 25; a second has the numbers 00 to 24"),
            ("00:01:00;03", "60000/1001", "is left out by drop-frame timecode"),
        ],
    )
    def test_a_timecode_that_the_rate_does_not_have(self, text: str, rate: str, message: str) -> None:
        told = refused(timeline(video(cue("a", "2m"), cue("b", "1s", at=text))), rate=rate)
        assert told.startswith("spec.tracks[0].video[1].at: ")
        assert message in told

    def test_what_is_wrong_in_an_inner_timeline_is_told_at_the_cue_with_the_inner_field(self) -> None:
        inner = named("in", video(cue("a", "1s"), cue("b", "1s", at="1f")))
        assert re.match(
            r"spec.tracks\[0\].video\[0\].timeline: the Timeline 'in' cannot be played: "
            r"spec.tracks\[0\].video\[1\].at: 1f is before the end",
            refused(timeline(video(show("in"))), inner),
        )

    def test_one_without_an_end_needs_a_duration(self) -> None:
        stays = named("stays", graphics({"overlay": "x"}))
        assert "has no end; give the cue a duration" in refused(timeline(video(show("stays"))), stays)
        plan = planned(timeline(video(show("stays", "2s"))), stays)
        assert [(cue.start, cue.end) for cue in plan.overlays] == [(0, 60)]

    @pytest.mark.slow
    def test_a_short_loop_in_a_long_cue(self) -> None:
        blink = named("blink", video(cue("a", "1f")), loop=True)
        assert f"comes to more than {MAX_CUES} cues" in refused(timeline(video(show("blink", "24h"))), blink)


def test_cue_points_have_frames() -> None:
    points = [{"name": "start", "at": "0s"}, {"name": "sermon", "at": "00:00:02;00"}]
    plan = planned(timeline(video(cue("a", "10s")), cuePoints=points), rate="30000/1001")
    assert [(point.name, point.frame) for point in plan.cue_points] == [("start", 0), ("sermon", 60)]


def test_a_timeline_that_was_read_before_is_read_anew_where_it_counts() -> None:
    inner = named("inner", video(cue("a", "10s")))
    outer = named("outer", video(show("inner")))
    assert [planned(outer, inner, rate=rate).length for rate in ("30", "30", "25", "30")] == [
        300,
        300,
        250,
        300,
    ]
    shorter = inner.model_copy(update={"spec": named("inner", video(cue("b", "4s"))).spec})
    assert cuts(planned(outer, shorter)) == [(0, 120, "b")]
    middle = named("middle", video(show("inner")))  # the same, though what it shows changes
    assert [planned(named("top", video(show("middle"))), middle, one).length for one in (inner, shorter)] == [
        300,
        120,
    ]
    other = inner.model_copy(update={"metadata": inner.metadata.model_copy(update={"name": "other"})})
    again = flatten(named("outer", video(show("other"))), {"other": other}, Fraction(30))
    assert [piece.owner for piece in again.video] == [other]


def test_what_a_plan_takes_over_follows_what_is_around_its_cues() -> None:
    """Another program's values, an overlay that looks otherwise, a camera that comes or goes."""
    cues = video(cue("a", "2s"), cue("b", "2s", transition={"type": "crossfade"}))
    tags = graphics({"overlay": "x", "duration": "1s"}, {"overlay": "y", "at": "1s", "duration": "1s"})
    inner = named("inner", cues, tags)
    outer = named("outer", video(show("inner"), show("inner", "9s", transition={"type": "wipe"})))

    def compiled(parts: Parts, cameras: str, title: str, rate: str = "30", file: str = "") -> Compiled:
        annotations = {"annotations": {SOURCE_FILE: file}}
        here = inner.model_copy(update={"metadata": inner.metadata.model_copy(update=annotations)})
        return compile_plan(
            program(rate, values={"title": title}),
            timeline=outer,
            overlays={"x": overlay("x", text("t", "{{ title }}")), "y": overlay("y", text("t", rate))},
            cameras={name: camera(name) for name in cameras},
            outputs=(),
            resolve=resolve,
            hls_folder=lambda *_: "",
            recording_folder=lambda *_: "",
            timelines={"inner": here},
            parts=parts,
        )

    parts = NOTHING
    steps: list[tuple[str, ...]] = [("ab", "one"), ("ab", "one"), ("a", "one"), ("ab", "two")]
    steps += [("ab", "two", "25"), ("ab", "two", "25", "/b")]
    for step in [*steps, *reversed(steps)]:
        taken, anew = compiled(parts, *step), compiled(NOTHING, *step)
        assert (taken.plan, taken.problems) == (anew.plan, anew.problems)
        assert taken.plan.text == anew.plan.text
        assert bool(taken.problems) == (step[0] == "a")
        for name in ("video", "overlays", "instances"):
            assert getattr(taken.parts, name).keys() == getattr(anew.parts, name).keys()
        assert len(taken.parts.pieces) == len(anew.parts.pieces) == 2
        assert len(taken.parts.shown) == len(anew.parts.shown)
        parts = taken.parts


def test_cues_of_a_timeline_that_stays_are_not_written_out_again() -> None:
    inner = [
        named(name, video(cue("a", "2s"), cue("b", "2s")), graphics(OVERLAID)) for name in ("one", "two")
    ]
    other = named("two", video(cue("a", "2s"), cue("c", "2s")), graphics(OVERLAID))
    outer = named("outer", video(show("one"), show("two")))
    first = compiled(outer, *inner)
    again = compiled(outer, inner[0], other, parts=first.parts)
    same = [first.parts.pieces.get(key) is piece for key, piece in again.parts.pieces.items()]
    assert sorted(same) == [False, True]
    assert again.plan == compiled(outer, inner[0], other).plan
