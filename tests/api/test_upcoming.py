from __future__ import annotations

import json
import os
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.api.upcoming import Coming, Upcoming, announced, coming
from vistterstream.base.processes import boot_id
from vistterstream.resources.program import PlaybackState
from vistterstream.timeline.evaluate import TimelineIndex, picture, wrap
from vistterstream.timeline.plan import DailyPlan, Plan, PlaybackPlan, TimelinePlan, VideoCuePlan


def timeline(*cues: tuple[int, int, str], length: int, loop: bool = True) -> TimelinePlan:
    return TimelinePlan(
        name="tour",
        length=length,
        loop=loop,
        video=tuple(VideoCuePlan(start=start, end=end, camera=camera) for start, end, camera in cues),
    )


TOUR = timeline((0, 10, "a"), (10, 20, "b"), (25, 30, "c"), length=30)


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        (0, [("b", 10), (None, 20), ("c", 25), ("a", 30)]),
        (12, [(None, 8), ("c", 13), ("a", 18), ("b", 28)]),
        (20, [("c", 5), ("a", 10), ("b", 20), (None, 30)]),
        (29, [("a", 1), ("b", 11), (None, 21), ("c", 26)]),
        (30 * 1000 + 12, [(None, 8), ("c", 13), ("a", 18), ("b", 28)]),
    ],
)
def test_a_loop_comes_round_once(passed: int, expected: list[Coming]) -> None:
    assert coming(TimelineIndex(TOUR), passed, 10) == expected


def test_a_timeline_that_ends_leads_to_the_slate() -> None:
    once = TimelineIndex(timeline((0, 10, "a"), (10, 20, "b"), length=20, loop=False))
    assert coming(once, 12, 10) == [(None, 8)]
    assert coming(once, 20, 10) == []


def test_before_its_anchor_a_timeline_shows_its_first_cue_next() -> None:
    assert coming(TimelineIndex(TOUR), -5, 2) == [("a", 5), ("b", 15)]


def test_a_camera_that_stays_is_no_change() -> None:
    assert coming(TimelineIndex(timeline((0, 10, "a"), (10, 20, "a"), length=20)), 3, 10) == []
    assert coming(TimelineIndex(timeline((0, 10, "a"), length=10)), 3, 10) == []


@st.composite
def plans(draw: st.DrawFn) -> TimelinePlan:
    edges = sorted(draw(st.sets(st.integers(0, 40), min_size=2, max_size=8)))
    cues = [
        (start, end, draw(st.sampled_from("abc"))) for start, end in pairwise(edges) if draw(st.booleans())
    ]
    return timeline(*cues, length=edges[-1] + draw(st.integers(0, 5)), loop=draw(st.booleans()))


@pytest.mark.slow
@given(plans(), st.integers(-50, 200))
def test_what_is_announced_is_what_is_shown(plan: TimelinePlan, passed: int) -> None:
    index = TimelineIndex(plan)

    def shown(at: int) -> str | None:
        position = wrap(index, at) if at >= 0 else None
        return picture(index, position).camera

    horizon = plan.length if passed >= 0 else plan.length - 1 - passed  # one round
    seen = [
        Coming(shown(passed + ahead), ahead)
        for ahead in range(1, horizon + 1)
        if shown(passed + ahead) != shown(passed + ahead - 1)
    ]
    found = coming(index, passed, 100) if plan.video else seen
    assert [entry for entry in found if entry.frames <= horizon] == seen


@pytest.mark.parametrize(
    "playback",
    [
        PlaybackPlan(state=PlaybackState.PAUSED, frame=3),
        PlaybackPlan(state=PlaybackState.HELD, frame=3, since="1970-01-01T00:00:00Z"),
    ],
)
def test_a_timeline_that_stands_has_nothing_to_come(playback: PlaybackPlan) -> None:
    index = TimelineIndex(TOUR.model_copy(update={"playback": playback}))
    assert announced(index, 4, Fraction(10), 0, 5) == []


def test_a_timeline_that_will_be_paused_changes_until_then() -> None:
    playback = PlaybackPlan(state=PlaybackState.PAUSED, since="1970-01-01T00:00:02Z")
    index = TimelineIndex(TOUR.model_copy(update={"playback": playback}))
    assert announced(index, 4, Fraction(10), 0, 5) == [("b", 6), (None, 16)]


def test_the_start_of_each_day_is_foreseen() -> None:
    daily = DailyPlan(second=60, time_zone="UTC")
    plan = timeline((0, 10, "a"), (10, 20, "b"), length=20, loop=False)
    index = TimelineIndex(plan.model_copy(update={"daily": daily}))
    assert announced(index, 590, Fraction(10), 0, 5) == [("a", 10), ("b", 20), (None, 30)]
    assert announced(index, 605, Fraction(10), 0, 2) == [("b", 5), (None, 15)]
    looped = TimelineIndex(TOUR.model_copy(update={"daily": daily}))
    assert announced(looped, 595, Fraction(10), 0, 9)[:2] == [("a", 5), ("b", 15)]


def playout(folder: Path, plan: TimelinePlan | None, *, age: float, boot: str | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    made = Plan(namespace="default", program="main", format={"frameRate": "10"}, timeline=plan)
    (folder / "plan.json").write_text(json.dumps(made.dump()))
    now, wall = time.monotonic_ns() - int(age * 1e9), time.time_ns() - int(age * 1e9)
    epoch = {"boot_id": boot or boot_id(), "monotonic_ns": now, "wall_ns": wall}
    (folder / "epoch.json").write_text(json.dumps(epoch))
    return folder


def test_the_plan_of_a_playout_is_read_at_its_present_frame(tmp_path: Path) -> None:
    playout(tmp_path / "main", TOUR, age=1.25)
    found = Upcoming(tmp_path).of("main", 2)
    assert [camera for camera, _ in found] == [None, "c"]
    assert found[0][1] == pytest.approx(0.75, abs=0.25)  # frame 12 of 10 a second; the slate is at frame 20


def test_clips_and_images_go_by_the_name_of_their_file(tmp_path: Path) -> None:
    cues = (VideoCuePlan(start=0, end=9, clip="x"), VideoCuePlan(start=9, end=20, image="y"))
    plan = TOUR.model_copy(update={"video": cues, "length": 20})
    folder = playout(tmp_path / "main", plan, age=0)
    form = json.loads((folder / "plan.json").read_text())
    form["clips"] = [{"id": "x", "file": "/films/opener.mp4"}]
    form["images"] = [{"id": "y", "file": "/st/assets/1a2b.png", "name": "sponsor.png"}]
    (folder / "plan.json").write_text(json.dumps(form))
    assert [source for source, _ in Upcoming(tmp_path).of("main", 2)] == ["sponsor.png", "opener.mp4"]


def test_a_new_plan_is_noticed(tmp_path: Path) -> None:
    upcoming = Upcoming(tmp_path)
    assert upcoming.of("main") == []
    playout(tmp_path / "main", None, age=0)
    assert upcoming.of("main") == []
    folder = playout(tmp_path / "main", TOUR, age=0)
    os.utime(folder / "plan.json", ns=(1, 1))
    assert upcoming.of("main", 1)[0][0] == "b"


def test_a_playout_of_an_earlier_boot_or_another_version_tells_nothing(tmp_path: Path) -> None:
    playout(tmp_path / "old", TOUR, age=0, boot="another")
    playout(tmp_path / "broken", TOUR, age=0)
    (tmp_path / "broken" / "plan.json").write_text('{"version": 99, "shape": "unknown"}')
    playout(tmp_path / "torn", TOUR, age=0)
    (tmp_path / "torn" / "epoch.json").write_text("{")
    assert [Upcoming(tmp_path).of(name) for name in ("old", "broken", "torn")] == [[], [], []]


def test_fractions_of_a_frame_are_not_lost() -> None:
    index = TimelineIndex(TOUR)
    rate = Fraction(30000, 1001)
    assert float(coming(index, 0, 1)[0].frames / rate) == pytest.approx(0.33367, abs=1e-5)
