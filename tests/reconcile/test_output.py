from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconcile.appliances import running, settle
from reconcile.fakes import FakeHost
from reconcile.objects import apply, camera, key, make, program, recording, timeline
from vistterstream.playout.protocol import EncoderStatus, OutputState, OutputStatus, PlayoutStatus
from vistterstream.reconcile.clashes import clashes
from vistterstream.reconcile.output import status
from vistterstream.resources.kinds import Output, Resource
from vistterstream.resources.status import OutputStatus as Shown
from vistterstream.store.store import Store

NOW = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)


def tape() -> Output:
    found = recording("tape", "main")
    assert isinstance(found, Output)
    return found


def report(**output: object) -> PlayoutStatus:
    seen = OutputStatus.model_validate({"encoding": "e", "active_target": "disk", **output})
    encoders = {"e": EncoderStatus(pid=5)}
    return PlayoutStatus(
        pid=1, revision="r", frame=0, fps=30, realtime=False, encoders=encoders, outputs={"tape": seen}
    )


def said(shown: Shown) -> dict[str, str]:
    return {one.type: f"{one.status} {one.reason}" for one in shown.conditions}


def test_an_output_that_delivers_is_ready_and_shows_its_processes() -> None:
    shown = status(tape(), report(state=OutputState.PUBLISHING, pid=6, reconnects=2), None, NOW)
    assert said(shown) == {"Ready": "True Publishing", "Publishing": "True Publishing"}
    form = shown.dump()
    del form["conditions"]
    assert form == {
        "observedGeneration": 0,
        "activeTarget": "disk",
        "pusher": {"pid": 6},
        "encoder": {"pid": 5},
        "reconnects": 2,
    }


def test_an_output_that_failed_says_why_and_that_it_is_tried_again() -> None:
    seen = report(state=OutputState.WAITING, reason="ConnectionRefused", message="Nothing answers there.")
    shown = status(tape(), seen, None, NOW)
    assert said(shown) == {
        "Ready": "False ConnectionRefused",
        "Publishing": "False ConnectionRefused",
        "Reconciling": "True ConnectionRefused",
    }
    assert shown.conditions[0].message == "Target disk: Nothing answers there."


def messages(**output: object) -> set[str]:
    """What the conditions say of it."""
    return {one.message for one in status(tape(), report(**output), None, NOW).conditions}


def test_the_cause_of_a_failure_can_be_read_until_the_target_takes_the_stream() -> None:
    failure = {"reason": "ConnectionRefused", "message": "Nothing answers there.", "failed_target": "disk"}
    for state in (OutputState.WAITING, OutputState.CONNECTING):
        assert messages(state=state, **failure) == {"Target disk: Nothing answers there."}
    assert messages(state=OutputState.PUBLISHING) == {"Target disk takes the stream."}
    assert messages(state=OutputState.CONNECTING) == {"Target disk is being connected to."}


def test_after_a_failover_the_target_that_failed_is_named_and_the_next() -> None:
    failure = {"reason": "Timeout", "message": "No answer came.", "failed_target": "primary"}
    for state in (OutputState.WAITING, OutputState.CONNECTING):
        assert messages(state=state, **failure) == {
            "Target primary: No answer came. Target disk is tried next."
        }


def test_an_output_that_the_user_has_to_mend_is_stalled() -> None:
    seen = report(state=OutputState.WAITING, reason="Rejected", message="The platform refused the stream")
    shown = status(tape(), seen, None, NOW)
    assert said(shown)["Stalled"] == "True Rejected"
    assert shown.conditions[0].message == "Target disk: The platform refused the stream."


def test_without_a_playout_nothing_is_published() -> None:
    assert said(status(tape(), None, None, NOW)) == {
        "Ready": "False NoReport",
        "Publishing": "False NotCarried",
        "Reconciling": "True NoReport",
    }


@pytest.mark.anyio
async def test_what_happens_to_an_output_is_told(store: Store, host: FakeHost, state_dir: Path) -> None:
    apply(
        store,
        camera("wharf"),
        timeline("day", "wharf"),
        program("main", "day"),
        recording("tape", "main", "disk", "spare"),
    )
    async with running(store, host, state_dir) as appliance:
        tape = key("Output", "tape")
        assert appliance.events(tape) == ["OutputPublishing"]
        appliance.playout().deliver("tape", state=OutputState.WAITING, reason="DiskFull", message="No room.")
        await settle()
        assert appliance.conditions("Output", "tape")["Publishing"] == "False DiskFull"
        appliance.playout().deliver(
            "tape", state=OutputState.PUBLISHING, reason="", active_target="spare", reconnects=1
        )
        await settle()
        assert appliance.events(tape)[1:] == ["OutputFailed", "TargetChanged", "OutputPublishing"]
        assert appliance.said("TargetChanged") == "From target disk to spare."
        shown = appliance.get("Output", "tape")
        assert isinstance(shown, Output)
        assert (shown.status.active_target, shown.status.reconnects) == ("spare", 1)


@pytest.mark.anyio
async def test_an_output_of_a_program_that_does_not_exist_says_so(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    apply(store, recording("tape", "main"))
    async with running(store, host, state_dir) as appliance:
        assert appliance.condition("Output", "tape").message == (
            "Program default/main does not exist; create it or change spec.program"
        )
        apply(store, program("main"))
        await settle()
        assert appliance.conditions("Output", "tape")["Ready"] == "True Publishing"
        assert not (state_dir / "playout" / "other").exists()


@pytest.mark.anyio
async def test_outputs_that_have_a_folder_in_common_both_say_so_until_one_has_its_own(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    def into(name: str, program: str, folder: str, what: str = "recording") -> Resource:
        target = {"name": "disk", what: {"folder": folder}}
        return make("Output", name, {"program": program, "targets": [target]})

    apply(store, camera("wharf"), timeline("day", "wharf"), program("main", "day"), program("side", "day"))
    apply(store, into("tape", "main", "films"), into("copy", "side", "./x/../films", "hls"))
    apply(store, into("third", "side", "other"))
    async with running(store, host, state_dir) as appliance:
        for name, other in (("tape", "copy"), ("copy", "tape")):
            assert appliance.conditions("Output", name)["Ready"] == "False FolderClash"
            output = store.get(key("Output", name))
            assert output is not None
            message = next(one.message for one in output.status.conditions if one.type == "Ready")
            assert f"{state_dir}/films is a folder of Output default/{other} too" in message
        assert "FolderClash" not in appliance.conditions("Output", "third")["Ready"]

        apply(store, into("copy", "side", "copies", "hls"))
        await settle()
        for name in ("tape", "copy"):
            assert "FolderClash" not in appliance.conditions("Output", name)["Ready"]

        apply(store, into("third", "side", "films"))
        await settle()
        assert appliance.conditions("Output", "tape")["Ready"] == "False FolderClash"
        store.delete(key("Output", "third"), manager="file")
        await settle()
        assert "FolderClash" not in appliance.conditions("Output", "tape")["Ready"]


def test_the_targets_of_one_output_may_share_a_folder(state_dir: Path) -> None:
    targets = [{"name": name, "hls": {"folder": "films"}} for name in ("a", "b")]
    output = make("Output", "tape", {"program": "main", "targets": targets})
    assert isinstance(output, Output)
    assert list(clashes(state_dir, output, [output])) == []


def test_a_folder_that_is_the_default_of_another_clashes(state_dir: Path) -> None:
    folder = str(state_dir / "recordings/tape/disk")
    targets = [{"name": "a", "hls": {"folder": folder}}]
    other = make("Output", "other", {"program": "main", "targets": targets})
    (clash,) = clashes(state_dir, tape(), [tape(), other])
    assert (clash.path, clash.reason) == ("spec.targets[0].recording", "FolderClash")
    assert folder in clash.message
