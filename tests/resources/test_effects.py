from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.resources.camera import CameraSpec
from vistterstream.resources.effects import Change, changes
from vistterstream.resources.model import Effect, Model, field
from vistterstream.resources.output import OutputSpec
from vistterstream.resources.program import ProgramSpec
from vistterstream.resources.timeline import TimelineSpec


def output(*targets: dict[str, Any], **more: Any) -> OutputSpec:
    return OutputSpec.model_validate({"program": "main", "targets": list(targets), **more})


A = {"name": "a", "url": "rtmp://h/live"}
B = {"name": "b", "hls": {}}
C = {"name": "c", "recording": {}}


def brief(found: list[Change]) -> list[tuple[str, Effect]]:
    return [(change.path, change.effect) for change in found]


def test_equal_models_do_not_differ() -> None:
    assert changes(output(A, B), output(A, B)) == []
    assert changes(None, None) == []


def test_a_change_inside_costs_what_the_field_around_it_costs() -> None:
    old = CameraSpec.model_validate({"source": {"url": "rtsp://cam/a"}, "stallAfter": "2s"})
    new = CameraSpec.model_validate({"source": {"url": "rtsp://cam/b"}, "stallAfter": "3s"})
    assert changes(old, new) == [
        Change("source.url", "rtsp://cam/a", "rtsp://cam/b", Effect.INGEST),
        Change("stallAfter", "2s", "3s", Effect.LIVE),
    ]


def test_the_format_of_a_program_costs_its_playout_and_its_slate_nothing() -> None:
    new = ProgramSpec.model_validate({"format": {"height": 1080}, "fallback": {"text": "Back soon"}})
    assert brief(changes(ProgramSpec(), new)) == [
        ("format.height", Effect.PLAYOUT),
        ("fallback.text", Effect.LIVE),
    ]


def test_named_parts_are_matched_by_name() -> None:
    changed = {**A, "url": "rtmp://other/live"}
    found = changes(output(A, B), output(C, changed))
    assert brief(found) == [
        ("targets[a].url", Effect.TARGET),
        ("targets[b]", Effect.TARGET),
        ("targets[c]", Effect.TARGET),
    ]
    assert found[1].new is None
    assert found[2].old is None


def test_named_parts_that_change_places_are_one_change() -> None:
    assert changes(output(A, B), output(B, A)) == [Change("targets", ["a", "b"], ["b", "a"], Effect.TARGET)]


def test_parts_without_names_are_matched_by_place() -> None:
    def timeline(*cameras: str) -> TimelineSpec:
        cues = [{"camera": camera, "duration": "5s"} for camera in cameras]
        return TimelineSpec.model_validate({"tracks": [{"name": "pictures", "video": cues}]})

    found = changes(timeline("a", "b"), timeline("a", "c", "d"))
    assert brief(found) == [
        ("tracks[pictures].video[1].camera", Effect.LIVE),
        ("tracks[pictures].video[2]", Effect.LIVE),
    ]


def test_texts_of_a_cue_are_compared_one_by_one() -> None:
    def timeline(values: dict[str, str]) -> TimelineSpec:
        cue = {"overlay": "o", "values": values}
        return TimelineSpec.model_validate({"tracks": [{"name": "t", "overlays": [cue]}]})

    found = changes(timeline({"a": "1", "b": "2"}), timeline({"b": "3", "c": "4"}))
    assert [(change.path[-8:], change.old, change.new) for change in found] == [
        ("values.a", "1", None),
        ("values.b", "2", "3"),
        ("values.c", None, "4"),
    ]


def test_a_part_that_comes_or_goes_is_one_change() -> None:
    (change,) = changes(output(A), output(A, failover={"attempts": 9}))
    assert (change.path, change.old, change.new) == ("failover.attempts", 3, 9)
    url = CameraSpec.model_validate({"source": {"url": "rtsp://cam/a"}})
    pattern = CameraSpec.model_validate({"source": {"testPattern": {}}})
    assert [change.path for change in changes(url, pattern)] == ["source.url", "source.testPattern"]


def test_without_an_old_one_every_field_that_is_set_is_new() -> None:
    assert brief(changes(None, output(A))) == [
        ("program", Effect.PUSHER),
        ("encoding", Effect.ENCODER),
        ("targets", Effect.TARGET),
        ("failover", Effect.LIVE),
    ]
    assert all(change.new is None for change in changes(output(A), None))


class Part(Model):
    id: str = field(description="")
    value: int = field(description="")
    dear: int = field(0, description="", effect=Effect.PLAYOUT)


class Whole(Model):
    parts: tuple[Part, ...] = field((), description="", effect=Effect.ENCODER)
    loose: int = field(0, description="")


def test_the_innermost_declaration_counts_and_live_where_there_is_none() -> None:
    old = Whole(parts=(Part(id="x", value=1),))
    new = Whole(parts=(Part(id="x", value=2, dear=1),), loose=1)
    assert brief(changes(old, new)) == [
        ("parts[x].value", Effect.ENCODER),
        ("parts[x].dear", Effect.PLAYOUT),
        ("loose", Effect.LIVE),
    ]


parts = st.builds(Part, id=st.sampled_from("abc"), value=st.integers(0, 2), dear=st.integers(0, 1))
wholes = st.builds(
    Whole, parts=st.lists(parts, unique_by=lambda part: part.id).map(tuple), loose=st.integers(0, 2)
)


@pytest.mark.slow
@given(wholes, wholes)
def test_there_are_changes_exactly_where_there_is_a_difference(old: Whole, new: Whole) -> None:
    found = changes(old, new)
    assert bool(found) == (old != new)
    assert len({change.path for change in found}) == len(found)
    assert all(change.old != change.new for change in found)


@pytest.mark.parametrize("repeated", [("x", "x")])
def test_names_that_repeat_are_no_names(repeated: tuple[str, str]) -> None:
    parts = tuple(Part(id=id_, value=1) for id_ in repeated)
    changed = (parts[0], Part(id="x", value=2))
    assert brief(changes(Whole(parts=parts), Whole(parts=changed))) == [("parts[1].value", Effect.ENCODER)]
