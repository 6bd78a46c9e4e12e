"""Overlays, and tracks of their layers, that start at cue points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from timeline.objects import camera, graphics, program, resolve, timeline, video
from timeline.test_flatten import cue, named, show
from vistterstream.resources.kinds import Overlay, Timeline
from vistterstream.timeline.compile import Compiled, PlanError, compile_plan

GOALS = [{"name": "goal", "at": "4s"}, {"name": "whistle", "at": "9s"}]


def flashing(*syncs: str | None) -> Overlay:
    """An overlay with a layer for each of the names, faded in a second from that cue point on."""
    fade = {"property": "opacity", "keyframes": [{"at": "0s", "value": 0}, {"at": "1s", "value": 1}]}
    layers = [
        {
            "name": f"layer-{number}",
            "rectangle": {"width": 10, "height": 10, "color": "#FFFFFF"},
            "tracks": [fade | ({"sync": sync} if sync else {})],
        }
        for number, sync in enumerate(syncs)
    ]
    return Overlay.model_validate({"metadata": {"name": "x"}, "spec": {"layers": layers}})


def compiled(outer: Timeline, *inner: Timeline, overlay: Overlay | None = None, rate: str = "30") -> Compiled:
    return compile_plan(
        program(rate),
        timeline=outer,
        overlays={"x": overlay or flashing(None)},
        cameras={name: camera(name) for name in "abc"},
        outputs=(),
        resolve=resolve,
        hls_folder=lambda *_: "",
        recording_folder=lambda *_: "",
        timelines={one.metadata.name: one for one in [outer, *inner]},
    )


def shown(*cues: dict[str, Any], points: Sequence[dict[str, str]] = GOALS, name: str = "match") -> Timeline:
    """A timeline of 12 s with these overlay cues."""
    return named(name, video(cue("a", "12s")), graphics(*cues), cuePoints=list(points))


def spans(result: Compiled) -> list[tuple[int, int | None]]:
    assert result.plan.timeline is not None
    return [(cue.start, cue.end) for cue in result.plan.timeline.overlays]


class TestCues:
    def test_an_overlay_starts_at_a_cue_point_and_ends_at_another(self) -> None:
        cues = [
            {"overlay": "x", "cue": "goal", "duration": "2s"},
            {"overlay": "x", "cue": "goal", "at": "500ms", "until": "whistle"},
            {"overlay": "x", "until": "goal"},
            {"overlay": "x", "cue": "whistle"},
        ]
        assert spans(compiled(shown(*cues))) == [(120, 180), (135, 270), (0, 120), (270, 360)]

    def test_it_follows_a_cue_point_that_is_moved(self) -> None:
        later = [{"name": "goal", "at": "00:00:05:00"}]
        cues = [{"overlay": "x", "cue": "goal", "duration": "2s"}]
        assert spans(compiled(shown(*cues, points=later), rate="25")) == [(125, 175)]

    def test_in_a_timeline_that_another_shows_its_own_cue_points_count(self) -> None:
        inner = shown({"overlay": "x", "cue": "goal", "duration": "1s"}, name="inner")
        outer = named(
            "outer", video(cue("b", "10s"), show("inner")), cuePoints=[{"name": "goal", "at": "1s"}]
        )
        assert spans(compiled(outer, inner)) == [(420, 450)]

    def test_a_cue_point_that_does_not_exist_is_told_with_its_place(self) -> None:
        with pytest.raises(
            ValidationError, match=r"overlays\[1\].cue: the timeline has no cue point 'gaol'; did you"
        ):
            shown({"overlay": "x"}, {"overlay": "x", "cue": "gaol"})
        with pytest.raises(ValidationError, match=r"overlays\[0\].until: .* it has a and b"):
            shown(
                {"overlay": "x", "until": "zzz"},
                points=[{"name": "a", "at": "1s"}, {"name": "b", "at": "2s"}],
            )
        with pytest.raises(ValidationError, match="has no cue point 'goal'"):
            shown({"overlay": "x", "cue": "goal"}, points=[])

    def test_an_end_is_given_once_and_lies_after_the_start(self) -> None:
        with pytest.raises(ValidationError, match="either until or duration"):
            shown({"overlay": "x", "until": "goal", "duration": "1s"})
        with pytest.raises(PlanError, match="the cue point goal is not after the cue's start") as caught:
            compiled(shown({"overlay": "x", "cue": "whistle", "until": "goal"}))
        assert caught.value.path == "spec.tracks[1].overlays[0].until"

    def test_one_that_would_start_at_the_end_is_refused(self) -> None:
        with pytest.raises(PlanError, match="the end of the timeline or later"):
            compiled(shown({"overlay": "x", "cue": "end"}, points=[{"name": "end", "at": "12s"}]))

    def test_overlays_alone_are_as_long_as_their_cue_points_say(self) -> None:
        alone = timeline(graphics({"overlay": "x", "cue": "goal", "until": "whistle"}), cuePoints=GOALS)
        assert compiled(alone).plan.timeline is not None
        assert spans(compiled(alone)) == [(120, 270)]


class TestTracks:
    def test_a_track_knows_how_far_its_cue_point_is_from_the_start_of_each_cue(self) -> None:
        cues = [{"overlay": "x", "at": at, "duration": "3s"} for at in ("2s", "6s", "2s")]
        result = compiled(shown(*cues), overlay=flashing("goal", None, "whistle"))
        points = {instance.id: instance.cue_points for instance in result.plan.overlays}
        assert result.plan.timeline is not None
        assert [points[cue.instance] for cue in result.plan.timeline.overlays] == [
            {"goal": 60, "whistle": 210},
            {"goal": -60, "whistle": 90},
            {"goal": 60, "whistle": 210},
        ]
        assert len(points) == 2, "cues that look the same share an instance"
        assert not result.problems

    def test_the_cue_points_are_those_of_the_timeline_it_stands_in(self) -> None:
        inner = shown({"overlay": "x", "at": "3s"}, name="inner")
        outer = named(
            "outer", video(cue("b", "10s"), show("inner")), cuePoints=[{"name": "goal", "at": "1s"}]
        )
        (instance,) = compiled(outer, inner, overlay=flashing("goal"), rate="30000/1001").plan.overlays
        assert instance.cue_points == {"goal": round((14 - 13) * 30000 / 1001)}

    def test_a_cue_point_that_the_timeline_lacks_is_told_by_the_overlay(self) -> None:
        result = compiled(shown({"overlay": "x"}), overlay=flashing(None, "gaol"))
        (problem,) = result.problems
        assert (problem.kind, problem.name, problem.path) == ("Overlay", "x", "spec.layers[1].tracks[0].sync")
        assert problem.message == (
            "Timeline match has no cue point 'gaol', so its times count from the overlay's entry; did you "
            "mean goal?"
        )
        assert result.plan.overlays[0].cue_points == {}
