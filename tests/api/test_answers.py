from __future__ import annotations

import pytest

from api.serving import Served, camera, program, resource
from vistterstream.api.answers import NotFound, parse
from vistterstream.base.errors import VistterError


def test_describe_tells_references_users_events_and_owner(appliance: Served) -> None:
    appliance.apply(camera("pier", backup="wharf"), camera("yard", backup="pier"), program())
    appliance.record("Camera", "pier", "CameraOnline")
    found = appliance.do(lambda: appliance.answers.describe("cam", "default", "pier"))
    assert found["references"] == [
        {"path": "spec.backup", "kind": "Camera", "name": "wharf", "exists": False}
    ]
    assert found["usedBy"] == [{"kind": "Camera", "name": "yard"}]
    assert [event["reason"] for event in found["events"]] == ["CameraOnline"]
    assert found["owner"] == "file"


def test_namespaces_are_kept_apart(appliance: Served) -> None:
    spec = {"source": {"url": "rtsp://10.0.0.5/live"}}
    appliance.apply(camera("pier"), resource("Camera", "pier", spec, "town"))
    assert len(appliance.do(lambda: appliance.answers.objects("camera", None))[0]) == 2
    assert len(appliance.do(lambda: appliance.answers.objects("camera", "town"))[0]) == 1
    with pytest.raises(NotFound):
        appliance.do(lambda: appliance.answers.get("camera", "village", "pier"))


def test_an_invalid_object_is_refused_without_its_values() -> None:
    form = {"kind": "Secret", "metadata": {"name": "x"}, "stringData": {"password": ["correct-horse"]}}
    with pytest.raises(VistterError) as caught:
        parse(form)
    assert "stringData.password" in caught.value.message
    assert "correct-horse" not in caught.value.message
