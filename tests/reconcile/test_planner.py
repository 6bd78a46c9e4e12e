from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from reconcile.objects import (
    camera,
    impossible_timeline,
    key,
    locked_camera,
    make,
    program,
    recording,
    secret,
    stream,
    text_overlay,
    timeline,
)
from vistterstream.reconcile.planner import Consequence, Objects, outlooks
from vistterstream.resources.kinds import Key, Resource
from vistterstream.resources.model import Effect
from vistterstream.resources.status import OutputStatus
from vistterstream.timeline.compile import PlanError

STATE = Path("/var/lib/vistter")
NOW = Objects(
    [
        camera("wharf", url="rtsp://10.0.0.1/a"),
        camera("pier", url="rtsp://10.0.0.3/a"),
        camera("bars"),
        text_overlay("title"),
        timeline("day", "wharf", "pier", overlays=("title",)),
        program("main", "day"),
        recording("tape", "main"),
        recording("copy", "main"),
        stream("live", "main", "youtube"),
        secret("youtube", streamKey="abcd-efgh-ijkl"),
    ]
)


def found(*applied: Resource, deleted: tuple[Key, ...] = ()) -> dict[str, str]:
    """What becomes of each process that is not left as it is."""
    told = outlooks(NOW, NOW.changed(applied, deleted), STATE)
    return {
        f"{one.role} {one.name}": one.consequence.value
        for one in told
        if one.consequence is not Consequence.UNCHANGED
    }


def test_what_stays_the_same_changes_nothing() -> None:
    assert found() == {}
    assert found(timeline("day", "wharf", "pier", overlays=("title",))) == {}
    assert len(outlooks(NOW, NOW, STATE)) == 1 + 2 + 2 * 3


@pytest.mark.parametrize(
    ("applied", "expected"),
    [
        (timeline("day", "pier", "wharf"), {"playout main": "applied live"}),
        (text_overlay("title", "other words"), {"playout main": "applied live"}),
        (program("main", "day", fallback={"text": "Soon"}), {"playout main": "applied live"}),
        (
            camera("wharf", url="rtsp://10.0.0.2/b"),
            {"playout main": "applied live", "ingest wharf": "replaced"},
        ),
        (
            camera("pier", url="rtsp://10.0.0.3/a", stall="9s"),
            {"playout main": "applied live", "ingest pier": "applied live"},
        ),
        (
            timeline("day", "wharf", "pier", "bars", overlays=("title",)),
            {"playout main": "applied live"},
        ),
        (
            timeline("day", "wharf", overlays=("title",)),
            {"playout main": "applied live", "ingest pier": "stopped"},
        ),
        (
            recording("third", "main"),
            {"playout main": "applied live", "encoder third": "started", "pusher third": "started"},
        ),
        (
            recording("tape", "main", bitrate="900k"),
            {"playout main": "applied live", "encoder tape": "replaced", "pusher tape": "replaced"},
        ),
        (
            recording("tape", "main", "disk", "second"),
            {"playout main": "applied live", "pusher tape": "applied live"},
        ),
        (
            recording("tape", "main", "second"),
            {"playout main": "applied live", "pusher tape": "replaced"},
        ),
        (
            secret("youtube", streamKey="other-key-here"),
            {"pusher live": "replaced"},
        ),
    ],
)
def test_only_what_an_edit_names_is_touched(applied: Resource, expected: dict[str, str]) -> None:
    assert found(applied) == expected


SPARE = {"name": "spare", "url": "rtmp://10.0.0.9/live"}


def delivered_to(active: str | None, *targets: Mapping[str, object]) -> Resource:
    found = make("Output", "out", {"program": "main", "targets": list(targets)})
    return found.model_copy(update={"status": OutputStatus(active_target=active)})


@pytest.mark.parametrize(
    ("active", "url", "changed"),
    [("first", "rtmp://10.0.0.8/b", ["targets[first].url"]), ("spare", "rtmp://10.0.0.8/b", None)],
)
def test_an_edit_of_a_target_replaces_the_pusher_that_delivers_to_it_and_no_other(
    active: str, url: str, changed: list[str] | None
) -> None:
    first = {"name": "first", "url": "rtmp://10.0.0.8/a"}
    before = NOW.changed([delivered_to(active, first, SPARE)])
    after = before.changed([delivered_to(active, first | {"url": url}, {**SPARE, "name": "other"}, SPARE)])
    (pusher,) = [one for one in outlooks(before, after, STATE) if (one.role, one.name) == ("pusher", "out")]
    if changed is None:
        assert pusher.consequence is Consequence.LIVE
        assert {change.effect for change in pusher.changes} == {Effect.LIVE}
    else:
        assert pusher.consequence is Consequence.REPLACED
        assert [change.path for change in pusher.changes] == changed


def test_a_key_that_changes_replaces_the_pusher_of_the_target_that_needs_it_alone() -> None:
    key_of = {"streamKeySecretRef": {"name": "youtube", "key": "streamKey"}}
    first = {"name": "first", "url": "rtmp://10.0.0.8/a", **key_of}
    told = {}
    for active in ("first", "spare"):
        before = NOW.changed([delivered_to(active, first, SPARE)])
        after = before.changed([secret("youtube", streamKey="other-key-here")])
        found = outlooks(before, after, STATE)
        told[active] = {one.name: one.consequence for one in found if one.role == "pusher"}["out"]
    assert told == {"first": Consequence.REPLACED, "spare": Consequence.LIVE}


def test_another_format_replaces_everything_and_says_why() -> None:
    told = outlooks(NOW, NOW.changed([program("main", "day", width=640)]), STATE)
    assert {one.consequence for one in told} == {Consequence.REPLACED}
    assert {change.path for one in told for change in one.changes} == {"format.width"}


def test_programs_that_come_and_go_are_told() -> None:
    assert found(program("second")) == {"playout second": "started"}
    gone = found(deleted=(key("Program", "main"),))
    assert set(gone.values()) == {"stopped"}
    assert "playout main" in gone


def test_an_output_that_moves_is_stopped_here_and_started_there() -> None:
    told = outlooks(NOW, NOW.changed([program("second"), recording("copy", "second")]), STATE)
    moved = [(str(one.program.name), one.consequence.value) for one in told if one.name == "copy"]
    assert moved == [("main", "stopped"), ("main", "stopped"), ("second", "started"), ("second", "started")]


@pytest.mark.parametrize(
    ("applied", "deleted", "others"),
    [
        ([recording("copy", "main", bitrate="900k")], [], ("tape",)),
        ([], [key("Output", "copy")], ("tape",)),
        (
            [recording("copy", "main", bitrate="900k"), recording("tape", "main", bitrate="900k")],
            [],
            (),
        ),
        ([recording("copy", "main", bitrate="900k"), program("main", "day", width=640)], [], ()),
        ([], [key("Program", "main")], ()),
    ],
)
def test_an_encoder_goes_on_for_the_outputs_that_stay_with_it(
    applied: list[Resource], deleted: list[Key], others: tuple[str, ...]
) -> None:
    told = outlooks(NOW, NOW.changed(applied, deleted), STATE)
    assert [one.others for one in told if (one.role, one.name) == ("encoder", "copy")] == [others]


def test_an_output_that_is_new_joins_the_encoder_of_those_that_have_it() -> None:
    told = outlooks(NOW, NOW.changed([recording("third", "main")]), STATE)
    (joining,) = (one for one in told if (one.role, one.name) == ("encoder", "third"))
    assert (joining.consequence, joining.others) == (Consequence.STARTED, ("copy", "tape"))


def test_a_folder_that_is_another_since_the_manifest_was_moved_is_the_only_reason() -> None:
    def moved(file: str) -> Resource:
        targets = [{"name": "disk", "recording": {"folder": "rec"}}]
        source = {"annotations": {"stream.vistter.io/source-file": file}}
        return make("Output", "tape", {"program": "main", "targets": targets}, **source)

    told = outlooks(NOW.changed([moved("/a/x.yaml")]), NOW.changed([moved("/b/x.yaml")]), STATE)
    (pusher,) = (one for one in told if (one.role, one.name) == ("pusher", "tape"))
    assert [change.path for change in pusher.changes] == ["targets[disk].recording.folder"]


def test_a_password_that_changes_replaces_the_ingest_and_is_not_shown() -> None:
    old = [locked_camera("gate", "login"), timeline("day", "gate"), program("main", "day")]
    before = Objects([*old, secret("login", username="admin", password="old-password")])
    after = before.changed([secret("login", username="admin", password="new-password")])
    told = outlooks(before, after, STATE)
    (ingest,) = [one for one in told if one.role == "ingest"]
    assert ingest.consequence is Consequence.REPLACED
    assert [change.path for change in ingest.changes] == ["Secret login/password"]
    assert "password" not in repr([(change.old, change.new) for change in ingest.changes])


def test_a_timeline_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(PlanError):
        found(impossible_timeline("day", "wharf"))
