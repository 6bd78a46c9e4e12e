from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest
from pydantic import ValidationError

from vistterstream.resources.quantities import TICKS, TimelinePosition
from vistterstream.resources.timeline import ClipEnd, TimelineSpec, TimelineTrack, Transition, VideoCue


def track(*cues: dict[str, Any]) -> TimelineTrack:
    cues = tuple({"camera": "a", **cue} for cue in cues)
    return TimelineTrack.model_validate({"name": "t", "video": cues})


def test_cues_follow_one_another_or_start_where_they_say() -> None:
    assert track({"duration": "10s"}, {"duration": "500ms"}).end == 21 * TICKS // 2
    assert track({"duration": "10s"}, {"at": "20s", "duration": "1s"}).end == 21 * TICKS
    assert track({"duration": "10s"}, {"at": "10s", "duration": "1s"}).end == 11 * TICKS


def test_cues_do_not_overlap() -> None:
    with pytest.raises(
        ValidationError, match=r"video\[1\].at: 9999ms is before the end of the cue above \(10s\)"
    ):
        track({"duration": "10s"}, {"at": "9999ms", "duration": "1s"})
    with pytest.raises(ValidationError, match=r"video\[2\].at"):
        track({"duration": "10s"}, {"duration": "5s"}, {"at": "12s", "duration": "1s"})


def test_the_end_of_overlays_is_that_of_the_last_with_a_duration() -> None:
    overlays = [
        {"overlay": "a"},
        {"overlay": "a", "at": "5s", "duration": "2s"},
        {"overlay": "a", "at": "6s"},
    ]
    assert TimelineTrack.model_validate({"name": "t", "overlays": overlays}).end == 7 * TICKS
    assert TimelineTrack.model_validate({"name": "t", "overlays": overlays[:1]}).end == 0


@pytest.mark.parametrize(
    ("transition", "seconds"),
    [({}, 0), ({"type": "crossfade"}, 1), ({"type": "crossfade", "duration": "250ms"}, Fraction(1, 4))],
)
def test_a_transition_knows_how_long_it_takes(transition: dict[str, Any], seconds: Fraction) -> None:
    assert Transition.model_validate(transition).seconds == seconds


def test_a_fade_may_be_as_long_as_its_cue_and_not_longer() -> None:
    def cue(duration: str) -> VideoCue:
        transition = {"type": "crossfade", "duration": "2s"}
        return VideoCue.model_validate({"camera": "a", "duration": duration, "transition": transition})

    assert cue("2s").transition.seconds == 2
    with pytest.raises(ValidationError, match="longer than its cue"):
        cue("1999ms")


def overlays(*cues: dict[str, Any], video: str | None = "10s") -> TimelineSpec:
    tracks: list[dict[str, Any]] = [{"name": "o", "overlays": [{"overlay": "a", **cue} for cue in cues]}]
    if video:
        tracks.append({"name": "v", "video": [{"camera": "a", "duration": video}]})
    return TimelineSpec.model_validate({"tracks": tracks})


def test_an_overlay_without_an_end_starts_before_the_end_of_the_timeline() -> None:
    assert overlays({"at": "9999ms"})
    with pytest.raises(
        ValidationError, match=r"tracks\[0\].overlays\[1\].at: 10s is the end of the timeline"
    ):
        overlays({}, {"at": "10s"})


def test_an_overlay_with_an_end_makes_the_timeline_longer() -> None:
    assert overlays({"at": "20s", "duration": "10s"}, {"at": "29s"})


def test_a_timeline_of_overlays_that_stay_has_no_end() -> None:
    assert overlays({}, {"at": "1h"}, video=None)


@pytest.mark.parametrize(
    "start", ["2026-05-17T09:30:00+02:00", "2026-05-17T09:30:00Z", "2026-05-17T09:30:00.5Z"]
)
def test_an_anchor_is_an_instant(start: str) -> None:
    spec = {"anchor": {"start": start}, "tracks": [{"name": "o", "overlays": [{"overlay": "a"}]}]}
    anchor = TimelineSpec.model_validate(spec).anchor
    assert anchor is not None
    assert anchor.start == start


@pytest.mark.parametrize(
    ("transition", "complaint"),
    [
        (
            {"easing": "linear"},
            "easing: a cut has none; it is for crossfade, fadeThroughBlack, wipe, slide or push",
        ),
        (
            {"type": "crossfade", "direction": "up"},
            "direction: a crossfade has none; it is for wipe, slide or push",
        ),
        ({"type": "push", "softness": 0.5}, "softness: a push has none; it is for wipe"),
        ({"type": "wipe", "color": "#000000"}, "color: a wipe has none; it is for fadeThroughBlack"),
        ({"type": "wipe", "softness": 1.5}, "softness"),
        ({"type": "wipe", "easing": "cubic-bezier(2,0,0,1)"}, "lie between 0 and 1"),
        ({"type": "wipe", "duration": "0f"}, "no time at all"),
        ({"type": "wipe", "direction": "sideways"}, "'left', 'right', 'up' or 'down'"),
    ],
)
def test_a_transition_has_the_fields_of_its_type(transition: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(complaint)):
        Transition.model_validate(transition)


def test_every_problem_of_a_transition_is_told_at_once() -> None:
    with pytest.raises(ValidationError, match=r"direction: .*; softness: "):
        Transition.model_validate({"type": "crossfade", "direction": "up", "softness": 0.5})


@pytest.mark.parametrize(
    "source",
    [
        pytest.param({"camera": "a"}, id="camera"),
        pytest.param({"image": {"file": "a.png"}}, id="image"),
        pytest.param({"slate": {}}, id="slate"),
        pytest.param({"timeline": "news"}, id="timeline"),
    ],
)
def test_a_cue_shows_one_of_four_things(source: dict[str, Any]) -> None:
    assert VideoCue.model_validate({**source, "duration": "1s"}).dump().keys() >= source.keys()
    with pytest.raises(ValidationError, match="exactly one of camera, file, image, slate and timeline"):
        VideoCue.model_validate({"duration": "1s"})
    other: dict[str, Any] = {"slate": {}} if "slate" not in source else {"camera": "a"}
    with pytest.raises(ValidationError, match="exactly one of"):
        VideoCue.model_validate({**source, **other, "duration": "1s"})


def test_only_a_timeline_may_do_without_a_duration() -> None:
    assert VideoCue.model_validate({"timeline": "news"}).duration is None
    for name, what in (("camera", "a"), ("slate", {})):
        with pytest.raises(ValidationError, match="duration: must be given"):
            VideoCue.model_validate({name: what})


def test_what_depends_on_the_rate_is_left_to_the_plan() -> None:
    assert track({"duration": "10s"}, {"at": "1f", "duration": "1s"}).end is None
    assert track({"duration": "30f"}, {"at": "1s", "duration": "1s"}).end == 2 * TICKS
    long = {"type": "wipe", "duration": "31f"}
    assert track({"duration": "1s", "transition": long}).end == 1 * TICKS
    spec = {"name": "t", "video": [{"timeline": "news"}]}
    assert TimelineTrack.model_validate(spec).end is None


def with_anchor(**anchor: Any) -> TimelineSpec:
    tracks = [{"name": "o", "overlays": [{"overlay": "a"}]}]
    return TimelineSpec.model_validate({"anchor": anchor, "tracks": tracks})


def test_an_anchor_may_be_a_time_of_each_day() -> None:
    anchor = with_anchor(daily={"time": "09:30", "timeZone": "Europe/Oslo"}).anchor
    assert anchor is not None
    assert anchor.daily is not None
    assert (anchor.daily.time, anchor.daily.time_zone) == ("09:30", "Europe/Oslo")
    with pytest.raises(ValidationError, match="exactly one of start and daily"):
        with_anchor(start="2026-05-17T09:30:00Z", daily={"time": "09:30"})


@pytest.mark.parametrize("time", ["9:30", "24:00", "09:60", "09:30:61", "0930", "09:30:00.5", ""])
def test_what_is_no_time_of_day_is_refused(time: str) -> None:
    with pytest.raises(ValidationError, match="is not a time of day such as"):
        with_anchor(daily={"time": time})


def test_cue_points_have_different_names() -> None:
    points = [{"name": "sermon", "at": "1s"}, {"name": "sermon", "at": "2s"}]
    tracks = [{"name": "o", "overlays": [{"overlay": "a"}]}]
    with pytest.raises(ValidationError, match=r"cuePoints\[1\].name: 'sermon' is the name of item 0"):
        TimelineSpec.model_validate({"tracks": tracks, "cuePoints": points})


def test_a_clip_has_an_in_point_and_holds_its_last_picture_unless_it_loops() -> None:
    cue = VideoCue.model_validate({"file": {"path": "opener.mp4", "in": "10s"}, "duration": "20s"})
    assert cue.file is not None
    assert (cue.file.start, cue.file.at_end) == (TimelinePosition("10s"), ClipEnd.HOLD)
    assert cue.dump()["file"]["in"] == "10s"
    looped = VideoCue.model_validate({"file": {"path": "a.mp4", "atEnd": "loop"}, "duration": "20s"})
    assert looped.file is not None
    assert looped.file.at_end is ClipEnd.LOOP
    with pytest.raises(ValidationError, match="must be given"):
        VideoCue.model_validate({"file": {"path": "a.mp4"}})


def test_a_preset_goes_with_a_camera_alone() -> None:
    assert VideoCue.model_validate({"camera": "a", "preset": "wide", "duration": "1s"}).preset == "wide"
    with pytest.raises(ValidationError, match="goes with camera alone"):
        VideoCue.model_validate({"slate": {}, "preset": "wide", "duration": "1s"})
