"""What playout and controller say to each other is understood across versions of the program."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from vistterstream.playout.protocol import (
    Applied,
    CameraState,
    CameraStatus,
    Hello,
    OnAir,
    OutputState,
    OutputStatus,
    PlayoutStatus,
)

STATUS = PlayoutStatus(
    pid=7,
    revision="abc",
    frame=3,
    fps=29.97,
    realtime=False,
    on_air=OnAir(kind="Camera", name="wharf", since=1.5, frame=2, reason="Cue"),
    cameras={"wharf": CameraStatus(state=CameraState.LIVE, restarts={"Killed": 1})},
    outputs={"youtube": OutputStatus(state=OutputState.WAITING, retry_at=9.0)},
)


def test_a_status_survives_the_way_through_json() -> None:
    assert PlayoutStatus.model_validate(json.loads(json.dumps(STATUS.model_dump(mode="json")))) == STATUS


def test_an_older_controller_reads_what_a_newer_playout_says() -> None:
    said = STATUS.model_dump(mode="json") | {"colour": "blue"}
    said["cameras"]["wharf"]["mood"] = "calm"
    assert PlayoutStatus.model_validate(said) == STATUS


def test_a_newer_controller_reads_what_an_older_playout_says() -> None:
    found = PlayoutStatus.model_validate(
        {"pid": 7, "revision": "abc", "frame": 3, "fps": 30.0, "realtime": True}
    )
    assert (found.on_air, found.cameras, found.errors) == (None, {}, [])


@pytest.mark.parametrize("model", [Hello, Applied, PlayoutStatus, CameraStatus])
def test_what_lacks_the_essential_is_refused(model: type[Hello]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate({})
