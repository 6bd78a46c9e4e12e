"""Where a timeline changes: the same as looking at each of its frames."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vistterstream.resources.camera import CameraSource, CameraSpec, TestPatternSource
from vistterstream.resources.kinds import Camera, ObjectMeta, Overlay, Program, Timeline
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.timeline.changes import Appearances, Stretch, stretches, walk
from vistterstream.timeline.compile import compile_plan
from vistterstream.timeline.evaluate import Picture, TimelineIndex, picture, position, wrap

RATE = Fraction(10)
EPOCH = 1_779_000_000_000_000_000


def index_of(spec: dict[str, Any], playback: dict[str, Any] | None = None) -> TimelineIndex:
    """The timeline of a manifest at 10 frames/s."""
    more = {"playback": playback} if playback else {}
    source = CameraSource(test_pattern=TestPatternSource())
    layers = {"layers": [{"name": "box", "rectangle": {"width": 9, "height": 9, "color": "#FFFFFF"}}]}
    plan = compile_plan(
        Program.model_validate(
            {"metadata": {"name": "main"}, "spec": {"format": {"frameRate": "10"}, "timeline": "t"} | more}
        ),
        timeline=Timeline.model_validate({"metadata": {"name": "t"}, "spec": spec}),
        overlays={
            name: Overlay(metadata=ObjectMeta(name=name), spec=OverlaySpec.model_validate(layers))
            for name in ("x", "y")
        },
        cameras={
            name: Camera(metadata=ObjectMeta(name=name), spec=CameraSpec(source=source)) for name in "abc"
        },
        outputs=[],
        resolve=lambda _resource, path, _kind: path,
        hls_folder=lambda _output, _target: "",
        recording_folder=lambda _output, _target: "",
    ).plan
    assert plan.timeline is not None
    return TimelineIndex(plan.timeline)


@st.composite
def specs(draw: st.DrawFn, *, daily: bool = True) -> dict[str, Any]:
    """Timelines with gaps, crossfades, overlays with and without an end, loops and anchors."""
    video, time = [], 0
    for _ in range(draw(st.integers(1, 5))):
        time += draw(st.sampled_from([0, 0, 300, 1000]))
        length = draw(st.integers(1, 20)) * 100
        cue: dict[str, Any] = {
            "camera": draw(st.sampled_from("abc")),
            "at": f"{time}ms",
            "duration": f"{length}ms",
        }
        fade = draw(st.integers(0, length // 100)) * 100
        if fade:
            kind = draw(st.sampled_from(["crossfade", "wipe", "push", "slide", "fadeThroughBlack"]))
            cue["transition"] = {"type": kind, "duration": f"{fade}ms"}
        video.append(cue)
        time += length
    overlays = []
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, time // 100 - 1)) * 100
        overlay: dict[str, Any] = {"overlay": draw(st.sampled_from("xy")), "at": f"{at}ms"}
        if draw(st.booleans()):
            overlay["duration"] = f"{draw(st.integers(1, 15)) * 100}ms"
        overlays.append(overlay)
    tracks: list[dict[str, Any]] = [{"name": "v", "video": video}]
    if overlays:
        tracks.append({"name": "o", "overlays": overlays})
    spec: dict[str, Any] = {"loop": draw(st.booleans()), "tracks": tracks}
    anchors: list[dict[str, Any] | None] = [None]
    anchors += [{"start": at} for at in ("2026-05-17T06:40:02Z", "2026-05-17T06:39:50Z")]
    anchors += [{"daily": {"time": at}} for at in ("06:40:05", "06:39:50")] if daily else []
    anchor = draw(st.sampled_from(anchors))
    if anchor is not None:
        spec["anchor"] = anchor
    return spec


PLAYBACKS: list[dict[str, Any] | None] = [
    None,
    {"state": "paused", "at": "300ms"},
    {"state": "paused", "since": "2026-05-17T06:40:04Z"},
    {"state": "held", "since": "2026-05-17T06:40:04Z"},
    {"state": "playing", "at": "200ms", "since": "2026-05-17T06:40:05Z"},
]


def kept(shown: Picture) -> tuple[object, ...]:
    """What stays the same within a stretch."""
    overlays = tuple(id for id, *_ in shown.overlays)
    return shown.camera, shown.incoming, overlays, shown.cue, shown.transition


@pytest.mark.slow
@given(specs(), st.sampled_from(PLAYBACKS))
@settings(deadline=None)
def test_walking_changes_tells_what_each_frame_shows(
    spec: dict[str, Any], playback: dict[str, Any] | None
) -> None:
    index = index_of(spec, playback)
    first, end = 3, 160
    told = list(walk(index, RATE, EPOCH, first, end))
    assert [at for at, _ in told] == sorted({at for at, _ in told})
    assert told[0][0] == first
    current: Stretch | None = None
    changes = dict(told)
    for number in range(first, end):
        current = changes.get(number, current)
        where = position(index, number, RATE, EPOCH)
        assert (current is None) == (where is None)
        if current is not None:
            assert kept(current.first) == kept(picture(index, where)), number


@pytest.mark.slow
@given(specs())
@settings(deadline=None)
def test_a_round_is_cut_only_where_something_changes(spec: dict[str, Any]) -> None:
    index = index_of(spec)
    for stretch in stretches(index):
        end = index.length if stretch.end is None else stretch.end
        assert stretch.start < end
        assert {kept(picture(index, at)) for at in range(stretch.start, end)} == {kept(stretch.first)}


@pytest.mark.slow
@given(specs(), st.sampled_from(["a", "b", "ab"]))
@settings(deadline=None)
def test_appearances_are_counted_as_if_each_frame_were_looked_at(spec: dict[str, Any], names: str) -> None:
    index = index_of(spec)
    appearances = Appearances(index, set(names))
    count = 0
    since: int | None = None
    for passed in range(150):
        shown = picture(index, wrap(index, passed))
        visible = bool({shown.camera, shown.incoming} & set(names))
        since = (passed if since is None else since) if visible else None
        assert appearances.count(passed) == count
        assert appearances.since(passed) == (passed if since is None else since)
        count += visible


def test_a_day_of_a_paused_timeline_is_one_stretch() -> None:
    video = [{"camera": c, "duration": "15s"} for c in "ab"]
    spec = {"loop": True, "tracks": [{"name": "v", "video": video}]}
    index = index_of(spec, {"state": "paused", "at": "20s"})
    assert [at for at, _ in walk(index, RATE, EPOCH, 0, 864_000)] == [0]


def test_a_day_of_a_short_loop_is_walked_by_its_changes() -> None:
    index = index_of(
        {"loop": True, "tracks": [{"name": "v", "video": [{"camera": c, "duration": "15s"} for c in "ab"]}]}
    )
    assert sum(1 for _ in walk(index, RATE, EPOCH, 0, 864_000)) == 86_400 // 15
