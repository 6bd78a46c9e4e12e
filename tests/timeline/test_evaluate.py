"""Evaluating frames of a timeline: pure, exact, and the same in every order."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.resources.timeline import TransitionType
from vistterstream.timeline.evaluate import (
    Picture,
    TimelineIndex,
    elapsed,
    needed,
    picture,
    position,
    round_half_up,
    wrap,
)
from vistterstream.timeline.plan import OverlayCuePlan, TimelinePlan, TransitionPlan, VideoCuePlan

NTSC = Fraction(30000, 1001)
RATES = st.sampled_from([Fraction(24000, 1001), Fraction(25), NTSC, Fraction(30), Fraction(60)])
SECOND = 1_000_000_000
YEAR = 365 * 24 * 3600


def crossfade(frames: int) -> TransitionPlan | None:
    return TransitionPlan(type=TransitionType.CROSSFADE, frames=frames) if frames else None


def video(start: int, end: int, camera: str | None, fade: int = 0) -> VideoCuePlan:
    return VideoCuePlan(start=start, end=end, camera=camera, transition=crossfade(fade))


def shown(start: int, end: int | None, instance: str) -> OverlayCuePlan:
    return OverlayCuePlan(start=start, end=end, instance=instance)


def index(
    *cues: VideoCuePlan,
    overlays: tuple[OverlayCuePlan, ...] = (),
    length: int | None = None,
    loop: bool = False,
    anchor: str | None = None,
) -> TimelineIndex:
    length = length or max([cue.end for cue in cues] + [cue.end or 0 for cue in overlays])
    plan = TimelinePlan(name="t", length=length, loop=loop, anchor=anchor, video=cues, overlays=overlays)
    return TimelineIndex(plan)


@st.composite
def timelines(draw: st.DrawFn, loop: bool | None = None) -> TimelinePlan:
    """Timelines as the compiler makes them: cues in order, gaps here and there, fades within their cues."""
    cues: list[VideoCuePlan] = []
    at = 0
    for _ in range(draw(st.integers(0, 8))):
        at += draw(st.sampled_from([0, 0, 0, 1, 7]))
        frames = draw(st.integers(1, 30))
        fade = draw(st.integers(0, frames))
        cues.append(video(at, at + frames, draw(st.sampled_from("abc")), fade))
        at += frames
    overlays = []
    for number in range(draw(st.integers(0 if cues else 1, 6))):
        start = draw(st.integers(0, 60))
        overlays.append(shown(start, start + draw(st.integers(1, 60)), f"o{number}"))
    return TimelinePlan(
        name="t",
        length=max([cue.end for cue in cues] + [cue.end or 0 for cue in overlays]),
        loop=draw(st.booleans()) if loop is None else loop,
        video=tuple(cues),
        overlays=tuple(overlays),
    )


def naive_overlays(plan: TimelinePlan, position: int) -> tuple[tuple[str, int], ...]:
    return tuple(
        (cue.instance, position - cue.start)
        for cue in plan.overlays
        if cue.start <= position and (cue.end is None or position < cue.end)
    )


def naive_camera(plan: TimelinePlan, position: int) -> str | None:
    return next((cue.camera for cue in plan.video if cue.start <= position < cue.end), None)


class TestPicture:
    def test_a_cut_is_on_the_very_frame(self) -> None:
        timeline = index(video(0, 10, "a"), video(10, 20, "b"))
        assert picture(timeline, 9) == Picture("a", cue=0)
        assert picture(timeline, 10) == Picture("b", cue=1)

    def test_a_gap_shows_the_slate(self) -> None:
        timeline = index(video(0, 10, "a"), video(15, 20, "b"))
        assert [picture(timeline, at).camera for at in (9, 10, 14, 15)] == ["a", None, None, "b"]

    def test_before_the_first_cue_is_the_slate(self) -> None:
        assert picture(index(video(5, 10, "a")), 4) == Picture(None)

    def test_no_position_shows_the_slate_alone(self) -> None:
        assert picture(index(video(0, 10, "a"), overlays=(shown(0, 10, "o"),)), None) == Picture(None)

    def test_a_crossfade_mixes_in_equal_steps_and_shows_both_in_each_of_its_frames(self) -> None:
        timeline = index(video(0, 10, "a"), video(10, 20, "b", fade=4))
        mixes = [picture(timeline, at) for at in range(9, 16)]
        assert [(p.camera, p.incoming) for p in mixes] == [("a", None)] + [("a", "b")] * 4 + [("b", None)] * 2
        assert [p.mix for p in mixes] == [0, 1 / 5, 2 / 5, 3 / 5, 4 / 5, 0, 0]
        assert [p.cue for p in mixes] == [0, 1, 1, 1, 1, 1, 1]

    def test_a_crossfade_from_a_gap_comes_in_over_the_slate(self) -> None:
        assert picture(index(video(5, 10, "a", fade=1)), 5) == Picture(
            None, "a", 0.5, (), 0, crossfade(1), (0, 1)
        )

    def test_a_crossfade_from_a_camera_to_itself_is_none(self) -> None:
        timeline = index(video(0, 5, "a"), video(5, 10, "a", fade=3))
        assert picture(timeline, 5) == Picture("a", cue=1)

    def test_in_a_loop_the_last_cue_comes_before_the_first(self) -> None:
        cues = (video(0, 5, "a", fade=2), video(5, 10, "b"))
        assert picture(index(*cues, loop=True), 0) == Picture(
            "b", "a", 1 / 3, (), 0, crossfade(2), (0, 1 / 2)
        )
        assert picture(index(*cues, loop=False), 0) == Picture(
            None, "a", 1 / 3, (), 0, crossfade(2), (0, 1 / 2)
        )
        assert picture(index(*cues, loop=True, length=12), 0) == Picture(
            None, "a", 1 / 3, (), 0, crossfade(2), (0, 1 / 2)
        )

    def test_overlays_come_and_go_on_their_frames_with_their_age(self) -> None:
        timeline = index(video(0, 30, "a"), overlays=(shown(10, 20, "low"), shown(15, 30, "top")))
        assert [picture(timeline, at).overlays for at in (9, 10, 15, 19, 20, 29)] == [
            (),
            (("low", 0),),
            (("low", 5), ("top", 0)),
            (("low", 9), ("top", 4)),
            (("top", 5),),
            (("top", 14),),
        ]

    def test_an_overlay_that_never_ends_stays(self) -> None:
        timeline = index(overlays=(shown(2, None, "o"),), length=3)
        assert timeline.endless
        assert position(timeline, 10**9, Fraction(30), 0) == 10**9
        assert picture(timeline, 10**9).overlays == (("o", 10**9 - 2),)

    @pytest.mark.slow
    @given(timelines())
    def test_every_frame_of_every_timeline_has_a_picture_as_a_plain_search_finds_it(
        self, plan: TimelinePlan
    ) -> None:
        timeline = TimelineIndex(plan)
        for at in range(plan.length):
            found = picture(timeline, at)
            wanted = naive_camera(plan, at)
            assert found.overlays == naive_overlays(plan, at)
            assert (found.incoming if found.incoming is not None else found.camera) == wanted
            assert (found.incoming is not None) == (0 < found.mix < 1)
            assert found.cue == (None if wanted is None else timeline.video_at(at))

    @pytest.mark.slow
    @given(timelines(), st.randoms(use_true_random=False))
    def test_the_order_of_questions_does_not_matter(self, plan: TimelinePlan, order: random.Random) -> None:
        frames = list(range(-5, 2 * plan.length))
        timeline = TimelineIndex(plan)
        forward = {n: picture(timeline, wrap(timeline, n)) for n in frames}
        order.shuffle(frames)
        assert {n: picture(timeline, wrap(timeline, n)) for n in frames} == forward
        assert {n: picture(TimelineIndex(plan), wrap(timeline, n)) for n in frames} == forward

    @pytest.mark.slow
    @given(timelines(loop=True), st.integers(2, 4))
    def test_a_loop_equals_its_unrolled_form(self, plan: TimelinePlan, rounds: int) -> None:
        def moved(cue: VideoCuePlan | OverlayCuePlan, by: int) -> Any:
            end = None if cue.end is None else cue.end + by
            return cue.model_copy(update={"start": cue.start + by, "end": end})

        shifts = [lap * plan.length for lap in range(rounds)]
        unrolled = plan.model_copy(
            update={
                "loop": False,
                "length": plan.length * rounds,
                "video": tuple(moved(cue, by) for by in shifts for cue in plan.video),
                "overlays": tuple(moved(cue, by) for by in shifts for cue in plan.overlays),
            }
        )
        looped, straight = TimelineIndex(plan), TimelineIndex(unrolled)
        for n in range(plan.length, plan.length * rounds):  # the first round has no cue before its first
            left, right = picture(looped, wrap(looped, n)), picture(straight, wrap(straight, n))
            assert (left.camera, left.incoming, left.mix) == (right.camera, right.incoming, right.mix)
            assert set(left.overlays) == set(right.overlays)


class TestPosition:
    def test_without_an_anchor_the_timeline_starts_with_the_program(self) -> None:
        timeline = index(video(0, 10, "a"))
        assert [position(timeline, n, NTSC, 123) for n in (0, 9, 10, -1)] == [0, 9, None, None]

    def test_a_loop_starts_again(self) -> None:
        timeline = index(video(0, 10, "a"), loop=True)
        assert [position(timeline, n, NTSC, 123) for n in (0, 9, 10, 25, -1)] == [0, 9, 0, 5, None]

    def test_an_anchor_in_the_past_puts_the_program_into_the_middle(self) -> None:
        timeline = index(video(0, 100, "a"), anchor="2026-01-01T01:00:00+01:00")
        epoch = int(datetime(2026, 1, 1, 0, 0, 2, tzinfo=UTC).timestamp()) * SECOND
        assert position(timeline, 0, Fraction(25), epoch) == 50
        assert position(timeline, 49, Fraction(25), epoch) == 99
        assert position(timeline, 50, Fraction(25), epoch) is None

    def test_before_an_anchor_there_is_nothing_in_a_loop_either(self) -> None:
        timeline = index(video(0, 100, "a"), loop=True, anchor="2026-01-01T00:00:02Z")
        epoch = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * SECOND
        assert position(timeline, 49, Fraction(25), epoch) is None
        assert position(timeline, 50, Fraction(25), epoch) == 0
        assert elapsed(timeline, 0, Fraction(25), epoch) == -50

    @pytest.mark.parametrize(
        ("nanoseconds", "frames"), [(19_999_999, 0), (20_000_000, 1), (-20_000_000, 0), (-20_000_001, -1)]
    )
    def test_the_offset_is_rounded_once_half_a_frame_up(self, nanoseconds: int, frames: int) -> None:
        timeline = index(video(0, 100, "a"), anchor="1970-01-01T00:00:00Z")
        assert elapsed(timeline, 0, Fraction(25), nanoseconds) == frames

    def test_microseconds_of_an_anchor_count(self) -> None:
        timeline = index(video(0, 100, "a"), anchor="1970-01-01T00:00:00.000001Z")
        assert timeline.anchor_ns == 1000

    @given(st.integers(0, YEAR * 30), st.integers(-YEAR * SECOND, YEAR * SECOND), RATES)
    def test_nothing_drifts_over_a_year(self, n: int, ahead: int, rate: Fraction) -> None:
        anchor = datetime(2026, 1, 1, tzinfo=UTC)
        timeline = index(video(0, 1000, "a"), loop=True, anchor=anchor.isoformat())
        epoch = (anchor - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000 + ahead
        exact = n + Fraction(ahead, SECOND) * rate
        passed = elapsed(timeline, n, rate, epoch)
        assert abs(passed - exact) <= Fraction(1, 2)
        assert passed - n == elapsed(timeline, 0, rate, epoch)

    def test_a_restart_after_a_year_at_30000_1001_finds_the_same_position(self) -> None:
        # The same instant, told from an epoch a year back and from one of now: both an exact frame time.
        frames = YEAR * 30000 // 1001 // 30000 * 30000  # whole multiples of 1001 s, so that it is in whole ns
        later = frames * 1001 * SECOND // 30000
        timeline = index(video(0, 997, "a"), loop=True, anchor="1970-01-01T00:00:00Z")
        assert position(timeline, frames, NTSC, 0) == position(timeline, 0, NTSC, later) == frames % 997


class TestNeeded:
    def test_what_is_on_air_is_needed_now_and_what_comes_in_time(self) -> None:
        timeline = index(video(0, 10, "a"), video(10, 20, "b"), video(20, 30, "c"))
        assert needed(timeline, 5, 5) == {"a": 0, "b": 5}
        assert needed(timeline, 5, 4) == {"a": 0}
        assert needed(timeline, 5, 100) == {"a": 0, "b": 5, "c": 15}

    def test_what_goes_out_in_a_crossfade_is_needed_to_its_end(self) -> None:
        timeline = index(video(0, 10, "a"), video(10, 20, "b", fade=3))
        assert needed(timeline, 12, 2) == {"a": 0, "b": 0}
        assert needed(timeline, 13, 2) == {"b": 0}

    def test_a_loop_is_looked_around(self) -> None:
        timeline = index(video(0, 10, "a"), video(10, 20, "b"), loop=True)
        assert needed(timeline, 18, 5) == {"b": 0, "a": 2}
        assert needed(timeline, 18 + 20 * 7, 5) == {"b": 0, "a": 2}

    def test_after_the_end_nothing_is_needed(self) -> None:
        assert needed(index(video(0, 10, "a")), 10, 100) == {}
        assert needed(index(video(0, 10, "a")), None, 100) == {}

    def test_before_the_anchor_the_first_cue_is_seen_coming(self) -> None:
        timeline = index(video(0, 10, "a"), video(10, 20, "b"))
        assert needed(timeline, -3, 5) == {"a": 3}
        assert needed(timeline, -3, 13) == {"a": 3, "b": 13}

    @pytest.mark.slow
    @given(timelines(), st.integers(-20, 400), st.integers(0, 120))
    def test_it_is_what_looking_at_each_frame_would_find(
        self, plan: TimelinePlan, passed: int, horizon: int
    ) -> None:
        timeline = TimelineIndex(plan)
        found: dict[str, int] = {}
        if wrap(timeline, passed) is not None or passed < 0:
            for ahead in range(min(horizon, 2 * plan.length + 20) + 1):
                frame = picture(timeline, wrap(timeline, passed + ahead))
                for name in (frame.camera, frame.incoming):
                    if name is not None:
                        found.setdefault(name, ahead)
        assert needed(timeline, passed, horizon) == found


@given(st.fractions())
def test_rounding_goes_to_the_nearest_and_halves_go_up(value: Fraction) -> None:
    assert abs(round_half_up(value) - value) <= Fraction(1, 2)
    assert round_half_up(Fraction(2 * round_half_up(value) + 1, 2)) == round_half_up(value) + 1


def test_looking_up_a_frame_does_not_cost_more_in_a_long_timeline() -> None:
    """O(log n), counted in comparisons rather than in seconds."""

    class Counting(int):
        comparisons = 0

        def __gt__(self, other: int) -> bool:
            Counting.comparisons += 1
            return super().__gt__(other)

    timeline = index(*(video(n, n + 1, "a") for n in range(20_000)))
    timeline._starts = [Counting(start) for start in timeline._starts]
    picture(timeline, 12_345)
    assert 0 < Counting.comparisons < 20
