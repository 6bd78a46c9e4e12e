from __future__ import annotations

from typing import Any

import pytest

from vistterstream.resources.status import CameraStatus, OutputStatus, ProgramStatus, Status

CONDITION = {"type": "Ready", "status": "True", "reason": "AllIsWell", "message": "All is well."}


@pytest.mark.parametrize(
    ("model", "form"),
    [
        (
            ProgramStatus,
            {
                "conditions": [CONDITION],
                "observedGeneration": 3,
                "playout": {"pid": 17, "revision": "a1", "since": "2026-05-17T09:30:00Z"},
                "onAir": {
                    "source": {"kind": "Camera", "name": "wharf"},
                    "since": "2026-05-17T09:30:00Z",
                    "frame": 900,
                    "reason": "Cue",
                    "overlays": ["logo"],
                },
            },
        ),
        (
            CameraStatus,
            {
                "conditions": [],
                "ingest": {"pid": 18},
                "video": {"codec": "h264", "width": 1920, "height": 1080, "frameRate": "30000/1001"},
                "audio": False,
                "program": "main",
            },
        ),
        (
            OutputStatus,
            {
                "conditions": [],
                "activeTarget": "primary",
                "pusher": {"pid": 19},
                "encoder": {"pid": 20},
                "reconnects": 0,
            },
        ),
    ],
)
def test_a_status_keeps_its_form(model: type[Status], form: dict[str, Any]) -> None:
    assert model.model_validate(form).dump() == form


def test_what_a_newer_controller_wrote_is_kept_and_a_newer_condition_is_read() -> None:
    form = {"conditions": [{**CONDITION, "severity": "Info"}], "temperature": {"value": 40}}
    status = OutputStatus.model_validate(form)
    assert status.dump() == {"conditions": [CONDITION], "temperature": {"value": 40}}
    assert status.conditions[0].holds
