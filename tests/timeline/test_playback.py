"""Pause, hold and seek as fields of the program: where the timeline stands follows from them and the time."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from pydantic import ValidationError

from timeline.objects import camera, compiled, graphics, overlay, program, text, timeline, video
from vistterstream.resources.program import Playback
from vistterstream.timeline.compile import Compiled
from vistterstream.timeline.evaluate import TimelineIndex, directed, position, restart

FPS = Fraction(30)
EPOCH = 1_767_225_600 * 10**9  # 2026-01-01T00:00:00Z
POINTS = [{"name": "middle", "at": "5s"}, {"name": "after", "at": "20s"}]


def made(playback: dict[str, Any], **spec: Any) -> Compiled:
    day = timeline(
        video({"camera": "a", "duration": "4s"}, {"camera": "b", "duration": "6s"}),
        graphics({"overlay": "tag"}),
        **{"loop": True, "cuePoints": POINTS} | spec,
    )
    shown = program(playback=playback)
    return compiled(
        day, program=shown, cameras=[camera("a"), camera("b")], overlays=[overlay("tag", text("t", "x"))]
    )


def index(playback: dict[str, Any], **spec: Any) -> TimelineIndex:
    found = made(playback, **spec)
    assert found.problems == ()
    assert found.plan.timeline is not None
    return TimelineIndex(found.plan.timeline)


def at(timeline: TimelineIndex, *frames: int) -> list[int | None]:
    return [position(timeline, n, FPS, EPOCH) for n in frames]


def test_paused_at_a_place_it_always_stands_there() -> None:
    assert at(index({"state": "paused", "at": "00:00:02:15"}), 0, 7, 10**6) == [75, 75, 75]
    assert at(index({"state": "paused", "cue": "middle"}), 0, 10**6) == [150, 150]


def test_paused_since_an_instant_it_stands_where_it_was_then() -> None:
    paused = index({"state": "paused", "since": "2026-01-01T00:00:12Z"})
    assert at(paused, 359, 360, 361, 10**6) == [59, 60, 60, 60]


def test_it_resumes_from_the_place_that_it_is_told() -> None:
    resumed = index({"at": "60f", "since": "2026-01-01T00:01:00Z"})
    assert at(resumed, 1799, 1800, 1801, 1800 + 240) == [1799 % 300, 60, 61, 0]


def test_a_seek_to_a_cue_point_may_lie_ahead() -> None:
    assert at(index({"cue": "middle", "since": "2026-01-01T00:00:01Z"}), 29, 30, 31) == [29, 150, 151]


def test_held_it_goes_on_to_the_end_of_the_cue_and_stays() -> None:
    held = index({"state": "held", "since": "2026-01-01T00:00:02Z"})
    assert at(held, 59, 60, 119, 120, 10**6) == [59, 60, 119, 119, 119]
    held = index({"state": "held", "cue": "middle", "since": "2026-01-01T00:00:02Z"})
    assert at(held, 60, 209, 210, 10**6) == [150, 299, 299, 299]


def test_it_is_known_from_which_frame_on_the_anchor_does_not_count() -> None:
    def states(timeline: TimelineIndex, *frames: int) -> list[str | None]:
        found = [directed(timeline, n, FPS, EPOCH) for n in frames]
        return [None if playback is None else playback.state.value for playback in found]

    assert states(index({}), 0) == [None]
    assert states(index({"state": "paused", "at": "2s"}), 0, 10**6) == ["paused"] * 2
    since = {"since": "2026-01-01T00:00:02Z"}
    assert states(index({"state": "held", **since}), 59, 60, 10**6) == [None, "held", "held"]
    seek = index({"cue": "middle", **since}, **{"anchor": {"daily": {"time": "00:01"}}})
    assert states(seek, 59, 60, 1799, 1800) == [None, "playing", "playing", None]


def test_a_new_day_ends_a_seek_but_no_pause() -> None:
    daily = {"anchor": {"daily": {"time": "00:01"}}}
    seek = index({"cue": "middle", "since": "2026-01-01T00:00:02Z"}, **daily)
    assert at(seek, 60, 1799, 1800) == [150, (150 + 1739) % 300, 0]
    assert restart(seek, 60, FPS, EPOCH) == 1740
    paused = index({"state": "paused", "cue": "middle"}, **daily)
    assert at(paused, 60, 1800) == [150, 150]
    assert restart(paused, 60, FPS, EPOCH) is None


@pytest.mark.parametrize(
    ("playback", "message"),
    [
        ({"cue": "gone"}, "spec.playback.cue: the Timeline 'day' has no cue point 'gone'"),
        ({"cue": "after"}, "spec.playback.cue: lies at the end of the timeline or later"),
        ({"at": "10s"}, "spec.playback.at: lies at the end of the timeline or later"),
        ({"at": "00:00:01;00"}, "spec.playback.at: '00:00:01;00' is drop-frame timecode"),
    ],
)
def test_a_place_that_is_not_there_is_told_and_the_timeline_plays_on(
    playback: dict[str, Any], message: str
) -> None:
    found = made({"state": "paused", **playback})
    (problem,) = found.problems
    assert str(problem).startswith(f"Program main {message}")
    assert found.plan.timeline is not None
    assert found.plan.timeline.playback is None


@pytest.mark.parametrize(
    ("playback", "message"),
    [
        ({"at": "1s", "cue": "x", "since": "2026-01-01T00:00:02Z"}, "cue: give either at or cue"),
        ({"at": "1s"}, "since is missing"),
        ({"since": "2026-01-01T00:00:02Z"}, "at or cue is missing"),
        ({"state": "held", "at": "1s"}, "since: must be given"),
        ({"state": "paused"}, r"give a place \(at or cue\), or since"),
        ({"state": "paused", "since": "2026-01-01T00:00:02"}, "lacks a zone"),
    ],
)
def test_what_does_not_tell_where_it_stands_is_refused(playback: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Playback.model_validate(playback)
