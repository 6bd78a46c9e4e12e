from __future__ import annotations

from pathlib import Path
from typing import Any

from api.serving import camera, hls, program, resource
from vistterstream.api.difference import Difference, difference
from vistterstream.resources.kinds import Key, Resource

STATE = Path("/state")
SECRET = "correct-horse-battery-staple"


def timeline(*cameras: str) -> Resource:
    cues = [{"camera": name, "duration": "5s"} for name in cameras]
    return resource("Timeline", "tour", {"loop": True, "tracks": [{"name": "pictures", "video": cues}]})


def stored() -> list[Resource]:
    pier = camera("pier").model_copy(
        update={
            "status": type(camera("pier").status).model_validate({"ingest": {"pid": 77}, "program": "main"})
        }
    )
    return [pier, camera("wharf"), timeline("pier"), program(timeline="tour"), hls("preview")]


def on_air(found: Difference) -> dict[tuple[str, str], tuple[str, int | None]]:
    return {
        (one.role, one.name): (one.consequence, one.pid)
        for one in found.processes
        if one.consequence != "unchanged"
    }


def verdicts(found: Difference) -> dict[str, Any]:
    return {one.name: one.verdict for one in found.objects}


def test_the_same_changes_nothing() -> None:
    found = difference(stored(), stored(), [], STATE)
    assert set(verdicts(found).values()) == {"unchanged"}
    assert on_air(found) == {}


def test_another_cue_is_applied_live() -> None:
    found = difference(stored(), [timeline("pier", "wharf")], [], STATE)
    assert verdicts(found) == {"tour": "changed"}
    assert on_air(found)[("playout", "main")] == ("applied live", None)
    assert on_air(found)[("ingest", "wharf")] == ("started", None)
    assert ("ingest", "pier") not in on_air(found)


def test_another_address_replaces_that_ingest_and_shows_both_redacted() -> None:
    found = difference(stored(), [camera("pier", f"rtmp://10.0.0.6/live/{SECRET}")], [], STATE)
    change = found.objects[0].changes[0]
    assert (change.path, change.old) == ("spec.source.url", "rtsp://10.0.0.5/live")
    assert SECRET not in found.model_dump_json()
    assert on_air(found)[("ingest", "pier")] == ("replaced", 77)
    assert ("pusher", "preview") not in on_air(found)


def test_what_is_not_on_air_costs_nothing_there() -> None:
    found = difference(stored(), [camera("wharf", "rtsp://10.0.0.7/live")], [], STATE)
    assert verdicts(found) == {"wharf": "changed"}
    assert on_air(found) == {}


def test_new_and_removed_objects() -> None:
    gone = [Key("Output", "default", "preview"), Key("Output", "default", "never-was")]
    found = difference(stored(), [hls("second")], gone, STATE)
    assert verdicts(found) == {"second": "new", "preview": "removed"}
    assert on_air(found)[("pusher", "preview")] == ("stopped", None)
    assert on_air(found)[("pusher", "second")] == ("started", None)


def sharing(name: str, program: str = "main") -> Resource:
    """An output on the encoder 11."""
    output = hls(name, program=program)
    status = type(output.status).model_validate({"encoder": {"pid": 11}, "pusher": {"pid": 12}})
    return output.model_copy(update={"status": status})


def test_an_encoder_that_is_shared_goes_on_for_the_others_and_what_begins_has_no_pid_yet() -> None:
    before = [program(), program("second"), *(sharing(name) for name in ("one", "prev", "two"))]
    found = difference(before, [hls("prev", program="second")], [], STATE)
    told = {
        (one.program, one.role): (one.consequence, one.pid, one.others)
        for one in found.processes
        if one.name == "prev"
    }
    assert told == {
        ("main", "encoder"): ("stopped", 11, ["one", "two"]),
        ("main", "pusher"): ("stopped", 12, []),
        ("second", "encoder"): ("started", None, []),
        ("second", "pusher"): ("started", None, []),
    }


def test_a_camera_that_another_program_takes_too_gets_another_ingest() -> None:
    before = [*stored(), program("second")]
    found = difference(before, [program("second", timeline="tour")], [], STATE)
    told = [(one.program, one.consequence, one.pid) for one in found.processes if one.role == "ingest"]
    assert told == [("main", "unchanged", 77), ("second", "started", None)]


def test_of_a_secret_only_the_keys_are_told() -> None:
    old = resource("Secret", "login", stringData={"username": "viewer", "password": SECRET})
    new = resource(
        "Secret", "login", stringData={"username": "viewer", "password": "another-one", "more": "x"}
    )
    found = difference([old], [new], [], STATE)
    told = [(change.path, change.old, change.new) for change in found.objects[0].changes]
    assert told == [("data.password", "***", "***"), ("data.more", None, "***")]


def test_a_label_that_changes_costs_nothing_on_air_and_where_a_manifest_stands_is_no_difference() -> None:
    def marked(labels: dict[str, str], file: str) -> Resource:
        metadata = camera("pier").metadata.model_copy(
            update={"labels": labels, "annotations": {"stream.vistter.io/source-file": file}}
        )
        return camera("pier").model_copy(update={"metadata": metadata})

    before, after = marked({"side": "east"}, "/a.yaml"), marked({"side": "west", "new": "yes"}, "/b.yaml")
    found = difference([before], [after], [], STATE)
    assert sorted((one.path, one.old, one.new, one.effect) for one in found.objects[0].changes) == [
        ("metadata.labels.new", None, "yes", "none"),
        ("metadata.labels.side", "east", "west", "none"),
    ]
    assert on_air(found) == {}


def test_a_reference_that_would_lead_nowhere_is_named() -> None:
    lonely = resource("Output", "lonely", {"program": "none", "targets": [{"name": "page", "hls": {}}]})
    found = difference(stored(), [lonely, hls("preview")], [], STATE)
    assert verdicts(found) == {"lonely": "new", "preview": "unchanged"}
    assert on_air(found) == {}
    (dangling,) = found.objects[0].dangling
    assert (dangling.path, dangling.kind, dangling.name) == ("spec.program", "Program", "none")
    assert found.objects[1].dangling == []
