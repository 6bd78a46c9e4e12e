from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from vistterstream.resources.camera import CameraSource, CameraSpec
from vistterstream.resources.kinds import Camera


@pytest.mark.parametrize(
    "source",
    [
        {"url": "rtsp://cam/main", "transport": "udp", "credentialsSecretRef": {"name": "my.login"}},
        {"url": "srt://cam:9000", "passphraseSecretRef": {"name": "srt", "key": "passphrase"}},
        {"file": {"path": "clip.mp4", "loop": False}},
        {"testPattern": {"pattern": "grid", "label": "Pier", "tone": 440, "number": 255}},
    ],
)
def test_a_source_reads_back_from_its_json_form(source: dict[str, Any]) -> None:
    whole = CameraSource.model_validate(source)
    assert CameraSource.model_validate(whole.dump()) == whole


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({}, "exactly one of url, file and testPattern must be given"),
        ({"url": "rtsp://c/x", "file": {"path": "a"}}, "file: exactly one of"),
        ({"testPattern": {}, "credentialsSecretRef": {"name": "a"}}, "credentialsSecretRef: goes with url"),
        ({"url": "rtmp://c/x", "transport": "udp"}, "transport: goes with rtsp"),
        (
            {"url": "rtsp://c/x", "passphraseSecretRef": {"name": "a", "key": "k"}},
            "passphraseSecretRef: goes with srt addresses alone",
        ),
        (
            {
                "url": "srt://c:9",
                "passphraseSecretRef": {"name": "a", "key": "k"},
                "credentialsSecretRef": {"name": "a"},
            },
            "passphraseSecretRef: the password in credentialsSecretRef is one, too",
        ),
        ({"testPattern": {"label": "a\nb"}}, "one line"),
        ({"testPattern": {"number": 256}}, "less than or equal to 255"),
    ],
)
def test_what_does_not_go_together_is_refused(source: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CameraSource.model_validate(source)


def test_a_camera_stalls_after_two_seconds_unless_said_otherwise() -> None:
    assert CameraSpec.model_validate({"source": {"testPattern": {}}}).stall_after == "2s"


def test_a_camera_does_not_stand_in_for_itself_but_two_may_for_each_other() -> None:
    def camera(name: str, backup: str) -> Camera:
        spec = {"source": {"testPattern": {}}, "backup": backup}
        return Camera.model_validate({"metadata": {"name": name}, "spec": spec})

    assert camera("a", "b").spec.backup == "b"
    with pytest.raises(ValidationError, match=r"spec\.backup: a camera cannot stand in for itself"):
        camera("a", "a")
