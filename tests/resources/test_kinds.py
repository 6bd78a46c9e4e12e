from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import ValidationError

from vistterstream.resources.kinds import (
    API_VERSION,
    KINDS,
    Camera,
    Key,
    Program,
    Secret,
    UnknownKind,
    find_kind,
)

CAMERA: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "Camera",
    "metadata": {"name": "wharf"},
    "spec": {"source": {"testPattern": {}}},
}


def test_a_key_is_written_as_people_say_it_and_sorts_by_kind_namespace_and_name() -> None:
    keys = [
        Key("Output", "a", "a"),
        Key("Camera", "b", "a"),
        Key("Camera", "a", "b"),
        Key("Camera", "a", "a"),
    ]
    assert str(keys[1]) == "Camera b/a"
    assert sorted(keys) == [keys[3], keys[2], keys[1], keys[0]]
    assert len({*keys, Key("Output", "a", "a")}) == 4


def test_an_object_knows_its_key_and_generation() -> None:
    camera = Camera.model_validate(CAMERA)
    assert camera.key == Key("Camera", "default", "wharf")
    assert camera.generation == 0
    assert Camera.model_validate({**CAMERA, "metadata": {"name": "a", "generation": 7}}).generation == 7


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("camera", "Camera"),
        ("Cameras", "Camera"),
        ("CAM", "Camera"),
        ("ov", "Overlay"),
        ("tl", "Timeline"),
        ("prog", "Program"),
        ("out", "Output"),
        ("outputs.stream.vistter.io", "Output"),
        ("secrets", "Secret"),
    ],
)
def test_a_kind_is_found_by_any_of_its_words(word: str, kind: str) -> None:
    assert find_kind(word).kind == kind


def test_an_unknown_word_is_answered_with_the_kinds_there_are() -> None:
    with pytest.raises(UnknownKind, match="there is no kind 'lamp'; the kinds are cameras, overlays"):
        find_kind("lamp")


def test_no_word_means_two_kinds() -> None:
    words = [word for info in KINDS.values() for word in info.words]
    assert len(set(words)) == len(words)


def test_the_json_form_leaves_out_what_is_empty_and_reads_back() -> None:
    camera = Camera.model_validate(CAMERA)
    form = camera.dump()
    assert form["metadata"] == {"name": "wharf", "namespace": "default"}
    assert "status" not in form
    assert Camera.model_validate(form) == camera


def test_a_status_of_a_newer_controller_is_kept() -> None:
    status = {"video": {"codec": "h264", "bitDepth": 10}, "novelty": {"a": 1}, "observedGeneration": 4}
    camera = Camera.model_validate({**CAMERA, "status": status})
    assert camera.status.video is not None
    assert camera.status.video.codec == "h264"
    assert camera.dump()["status"] == status


@pytest.mark.parametrize("name", ["Wharf", "a_b", "", "-a", "a-", "a.b", "a" * 64, "a\n", "é", "../x", "a/b"])
def test_a_name_is_a_dns_label(name: str) -> None:
    with pytest.raises(ValidationError, match="is not a name"):
        Camera.model_validate({**CAMERA, "metadata": {"name": name}})


def test_another_kind_or_version_is_refused() -> None:
    with pytest.raises(ValidationError):
        Camera.model_validate({**CAMERA, "kind": "Overlay"})
    with pytest.raises(ValidationError):
        Camera.model_validate({**CAMERA, "apiVersion": "v1"})


def test_a_program_needs_nothing_but_a_name() -> None:
    program = Program.model_validate({"metadata": {"name": "main"}})
    assert (program.spec.format.width, program.spec.format.frame_rate) == (1280, "30")


class TestSecret:
    SECRET = Secret.model_validate(
        {
            "metadata": {"name": "my.secret"},
            "data": {"password": base64.b64encode(b"hunter2").decode(), "both": "b2xk"},
            "stringData": {"streamKey": "abcd-efgh", "both": "new"},
        }
    )

    def test_it_gives_its_values(self) -> None:
        assert self.SECRET.values() == {"password": "hunter2", "streamKey": "abcd-efgh", "both": "new"}

    def test_it_reads_back_from_its_json_form(self) -> None:
        assert Secret.model_validate(self.SECRET.dump()).values() == self.SECRET.values()

    @pytest.mark.parametrize("text", [repr(SECRET), str(SECRET), f"{SECRET}", repr([SECRET])])
    def test_no_form_for_people_shows_a_value(self, text: str) -> None:
        for value in ("hunter2", base64.b64encode(b"hunter2").decode(), "abcd-efgh"):
            assert value not in text

    @pytest.mark.parametrize("data", [{"k": "hunter2!"}, {"k": 12345678}, {"a b": "hunter2"}, "hunter2"])
    def test_no_validation_error_shows_a_value(self, data: Any) -> None:
        with pytest.raises(ValidationError) as error:
            Secret.model_validate({"metadata": {"name": "a"}, "data": data})
        assert "hunter2" not in str(error.value)
        assert "12345678" not in str(error.value)

    def test_base64_may_be_wrapped(self) -> None:
        secret = Secret.model_validate({"metadata": {"name": "a"}, "data": {"k": "aHVu\n dGVyMg==\n"}})
        assert secret.values() == {"k": "hunter2"}
