from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from pydantic import ValidationError

from vistterstream.resources.timeline import TimelineSpec, TimelineTrack, Transition, VideoCue


def track(*cues: dict[str, Any]) -> TimelineTrack:
    cues = tuple({"camera": "a", **cue} for cue in cues)
    return TimelineTrack.model_validate({"name": "t", "video": cues})


def test_cues_follow_one_another_or_start_where_they_say() -> None:
    assert track({"duration": "10s"}, {"duration": "500ms"}).end == Fraction(21, 2)
    assert track({"duration": "10s"}, {"at": "20s", "duration": "1s"}).end == 21
    assert track({"duration": "10s"}, {"at": "10s", "duration": "1s"}).end == 11


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
    assert TimelineTrack.model_validate({"name": "t", "overlays": overlays}).end == 7
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
