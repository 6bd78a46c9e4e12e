from __future__ import annotations

import gc
from typing import Any

import pytest

from vistterstream.resources.kinds import KINDS, Camera, Key, Output, Program, Timeline
from vistterstream.resources.references import known, references

META = {"name": "it", "namespace": "harbour"}


def found(model: type[Any], spec: dict[str, Any]) -> list[tuple[str, str, str]]:
    resource = model.model_validate({"metadata": META, "spec": spec})
    assert all(reference.target.namespace == "harbour" for reference in references(resource))
    return [(item.path, item.target.kind, item.target.name) for item in references(resource)]


def test_a_camera_refers_to_its_secret_and_its_backup() -> None:
    source = {"url": "rtsp://cam/main", "credentialsSecretRef": {"name": "login"}}
    assert found(Camera, {"source": source, "backup": "pier"}) == [
        ("spec.source.credentialsSecretRef.name", "Secret", "login"),
        ("spec.backup", "Camera", "pier"),
    ]


def test_a_timeline_refers_to_what_its_cues_show_however_often() -> None:
    tracks = [
        {"name": "a", "video": [{"camera": "c1", "duration": "1s"}, {"camera": "c1", "duration": "1s"}]},
        {"name": "b", "overlays": [{"overlay": "o1"}]},
    ]
    assert found(Timeline, {"tracks": tracks}) == [
        ("spec.tracks[0].video[0].camera", "Camera", "c1"),
        ("spec.tracks[0].video[1].camera", "Camera", "c1"),
        ("spec.tracks[1].overlays[0].overlay", "Overlay", "o1"),
    ]


def test_an_output_refers_to_its_program_and_the_secrets_of_its_targets() -> None:
    target = {"name": "a", "url": "rtmp://h/live", "streamKeySecretRef": {"name": "youtube", "key": "k"}}
    assert found(Output, {"program": "main", "targets": [{"name": "b", "hls": {}}, target]}) == [
        ("spec.program", "Program", "main"),
        ("spec.targets[1].streamKeySecretRef.name", "Secret", "youtube"),
    ]


def test_what_is_not_given_refers_to_nothing() -> None:
    assert found(Program, {}) == []
    assert found(Camera, {"source": {"testPattern": {}}}) == []


@pytest.mark.parametrize("info", KINDS.values(), ids=lambda info: info.kind)
def test_references_name_kinds_that_exist(info: Any) -> None:
    text = str(info.model.model_json_schema())
    for part in text.split("'x-vistter-reference': '")[1:]:
        assert part.partition("'")[0] in KINDS


def test_a_reference_is_a_value() -> None:
    program = Program.model_validate({"metadata": {"name": "a"}, "spec": {"timeline": "t"}})
    (reference,) = references(program)
    assert reference.target == Key("Timeline", "default", "t")
    assert reference.steps == ("spec", "timeline")


def test_a_changed_copy_has_references_of_its_own() -> None:
    one = Program.model_validate({"metadata": {"name": "a"}, "spec": {"timeline": "t"}})
    (before,) = references(one)
    other = one.model_copy(update={"spec": one.spec.model_copy(update={"timeline": "u"})})
    elsewhere = one.model_copy(update={"metadata": one.metadata.model_copy(update={"namespace": "pier"})})
    assert before.target == Key("Timeline", "default", "t")
    assert [reference.target.name for reference in references(other)] == ["u"]
    assert [reference.target.namespace for reference in references(elsewhere)] == ["pier"]
    assert references(one) == (before,)


def test_what_was_asked_of_an_object_goes_with_it() -> None:
    before = len(known)
    for number in range(50):
        references(Program.model_validate({"metadata": {"name": "a"}, "spec": {"timeline": f"t{number}"}}))
    gc.collect()
    assert len(known) <= before
