from __future__ import annotations

from typing import Any

from api.serving import Served, camera, condition, hls, program, resource
from api.test_upcoming import TOUR, playout
from vistterstream.api.preview import Preview

NOW = 1_800_000_000.0


def snapshot(appliance: Served) -> dict[str, Any]:
    return appliance.do(Preview(appliance.answers, appliance.folder, wall=lambda: NOW).snapshot)


def test_an_empty_appliance_has_an_empty_page(appliance: Served) -> None:
    assert snapshot(appliance) == {
        "time": NOW,
        "version": "1.2.3",
        "programs": [],
        "cameras": [],
        "outputs": [],
        "problems": [],
        "events": [],
    }


def test_what_is_on_air_why_since_when_and_with_which_overlays(appliance: Served) -> None:
    appliance.apply(program())
    appliance.status(
        "Program",
        "main",
        onAir={
            "source": {"kind": "Slate", "name": "wharf"},
            "since": "2026-05-17T10:00:00Z",
            "reason": "CameraLost",
            "overlays": ["logo"],
        },
    )
    found = snapshot(appliance)["programs"][0]
    assert found["message"] == ""
    assert found["onAir"] == {
        "kind": "Slate",
        "name": "wharf",
        "title": "Slate",
        "sentence": "Camera wharf cannot be reached; it is tried again",
        "since": 1779012000.0,
        "overlays": ["logo"],
    }


def test_a_program_that_is_not_on_air_says_why(appliance: Served) -> None:
    appliance.apply(program())
    appliance.status(
        "Program", "main", conditions=[condition("Ready", "False", "PlayoutFailed", "It failed.")]
    )
    found = snapshot(appliance)["programs"][0]
    assert (found["onAir"], found["message"]) == (None, "It failed.")


def test_what_comes_next_is_told_with_its_time(appliance: Served) -> None:
    appliance.apply(program())
    playout(appliance.folder / "playout" / "main", TOUR, age=0)
    found = snapshot(appliance)["programs"][0]["next"]
    assert [entry["title"] for entry in found] == ["b", "Slate", "c", "a"]
    assert 0 < found[0]["at"] - NOW <= 1.1


def test_only_hls_without_a_folder_of_its_own_can_be_looked_at(appliance: Served) -> None:
    targets = [
        {"name": "page", "hls": {}},
        {"name": "cdn", "hls": {"folder": "/srv/cdn"}},
        {"name": "platform", "url": "rtmp://example.com/live"},
    ]
    elsewhere = resource(
        "Output", "other", {"program": "main", "targets": [{"name": "p", "hls": {}}]}, "town"
    )
    appliance.apply(program(), hls("preview", targets=targets), hls("b", program="two"), elsewhere)
    found = snapshot(appliance)["programs"][0]["previews"]
    assert found == [{"label": "preview / page", "url": "/hls/preview/page/index.m3u8"}]
    (appliance.folder / "hls" / "preview" / "page").mkdir(parents=True)
    (appliance.folder / "hls" / "preview" / "page" / "index.m3u8").write_text("#EXTM3U\n")
    with appliance.site() as site:
        assert site.get(found[0]["url"])[2] == b"#EXTM3U\n"


def test_cameras_and_outputs_have_their_state(appliance: Served) -> None:
    appliance.apply(camera("pier"), hls("preview"))
    video = {"codec": "h264", "width": 640, "height": 360, "frameRate": "25"}
    appliance.status("Camera", "pier", conditions=[condition("Online", "True")], video=video)
    appliance.status(
        "Output",
        "preview",
        conditions=[condition("Publishing", "False", "Refused", "No.")],
        activeTarget="page",
        reconnects=2,
    )
    found = snapshot(appliance)
    assert found["cameras"] == [
        {
            "name": "pier",
            "namespace": "default",
            "state": "Online",
            "tone": "good",
            "message": "",
            "detail": "640x360 h264 25/s",
        }
    ]
    assert found["outputs"][0]["detail"] == "to page, reconnected 2 times"
    assert (found["outputs"][0]["state"], found["outputs"][0]["tone"]) == ("Refused", "bad")


def test_events_come_newest_first_and_not_all_of_them(appliance: Served) -> None:
    for number in range(40):
        appliance.record("Camera", "pier", "Tried", f"Attempt {number}.")
    found = snapshot(appliance)["events"]
    assert [event["message"] for event in found] == [f"Attempt {number}." for number in range(39, 9, -1)]
    assert found[0]["object"] == "Camera pier"


def test_problems_are_told(appliance: Served) -> None:
    appliance.complaints = ["a.yaml:1:1: no"]
    appliance.warnings = ["the disk is full"]
    assert snapshot(appliance)["problems"] == ["the disk is full", "a.yaml:1:1: no"]
