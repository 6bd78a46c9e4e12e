from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconcile.appliances import running, settle
from reconcile.fakes import FakeHost
from reconcile.objects import apply, key, locked_camera, make, program, secret, timeline
from reconcile.objects import camera as make_camera
from vistterstream.playout.protocol import CameraState, CameraStatus
from vistterstream.reconcile.camera import Sight, status
from vistterstream.reconcile.verdict import Outlook, Verdict
from vistterstream.resources.kinds import Camera
from vistterstream.resources.status import CameraStatus as Shown
from vistterstream.store.store import Store

NOW = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)


def wharf() -> Camera:
    found = make_camera("wharf")
    assert isinstance(found, Camera)
    return found


def said(shown: Shown) -> dict[str, str]:
    return {one.type: f"{one.status} {one.reason}" for one in shown.conditions}


def seen(state: CameraState, program: str = "main", **more: object) -> Sight:
    return Sight(program, CameraStatus.model_validate({"state": state, **more}))


def test_a_camera_that_nobody_uses_is_ready_and_its_state_unknown() -> None:
    shown = status(wharf(), [], None, NOW)
    assert said(shown) == {"Ready": "True NotUsed", "Online": "Unknown NotUsed"}


def test_a_file_is_opened_and_not_connected_to() -> None:
    tape = make("Camera", "tape", {"source": {"file": {"path": "tape.mp4"}}})
    assert isinstance(tape, Camera)
    messages = [
        next(one.message for one in status(one, [seen(CameraState.CONNECTING)], None, NOW).conditions)
        for one in (tape, wharf())
    ]
    assert messages == ["Its file is being opened.", "It is being connected to."]


@pytest.mark.parametrize(
    ("sight", "expected"),
    [
        (seen(CameraState.LIVE), {"Ready": "True Live", "Online": "True Live"}),
        (seen(CameraState.STANDBY), {"Ready": "True Standby", "Online": "True Standby"}),
        (seen(CameraState.IDLE), {"Ready": "True Idle", "Online": "True Idle"}),
        (
            seen(CameraState.CONNECTING),
            {"Ready": "False Connecting", "Online": "False Connecting", "Reconciling": "True Connecting"},
        ),
        (
            seen(CameraState.STALLED),
            {"Ready": "False Stalled", "Online": "False Stalled", "Reconciling": "True Stalled"},
        ),
        (
            seen(CameraState.WAITING, reason="ConnectionRefused", message="Nothing answers."),
            {
                "Ready": "False ConnectionRefused",
                "Online": "False ConnectionRefused",
                "Reconciling": "True ConnectionRefused",
            },
        ),
        (
            seen(CameraState.WAITING, reason="Unauthorized", message="The login was refused."),
            {"Ready": "False Unauthorized", "Online": "False Unauthorized", "Stalled": "True Unauthorized"},
        ),
        (
            Sight("main", None),
            {"Ready": "False NoReport", "Online": "Unknown NoReport", "Reconciling": "True NoReport"},
        ),
    ],
    ids=lambda value: str(value.seen.state.value if value.seen else None) if isinstance(value, Sight) else "",
)
def test_conditions_say_what_the_playout_sees(sight: Sight, expected: dict[str, str]) -> None:
    assert said(status(wharf(), [sight], None, NOW)) == expected


def test_of_two_programs_the_one_that_sees_most_counts() -> None:
    stalled = seen(CameraState.STALLED, "other", pid=7)
    live = seen(CameraState.LIVE, "main", pid=8, codec="h264", width=1920, height=1080, frame_rate="30")
    for sights in ([stalled, live], [live, stalled]):
        shown = status(wharf(), sights, None, NOW)
        assert said(shown)["Online"] == "True Live"
        assert shown.program == "main"
        assert shown.ingest is not None
        assert shown.ingest.pid == 8
        assert shown.video is not None
        assert shown.video.dump() == {"codec": "h264", "width": 1920, "height": 1080, "frameRate": "30"}


def test_what_is_wrong_with_the_manifest_is_told_while_the_picture_goes_on() -> None:
    told = Verdict(False, "CameraNotFound", "Camera default/pier does not exist", Outlook.STALLED)
    shown = status(wharf(), [seen(CameraState.LIVE)], told, NOW)
    assert said(shown) == {
        "Ready": "False CameraNotFound",
        "Online": "True Live",
        "Stalled": "True CameraNotFound",
    }


@pytest.mark.anyio
async def test_a_camera_in_two_programs_is_online_while_one_of_them_sees_it(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    apply(store, make_camera("wharf"), timeline("day", "wharf"), program("one", "day"), program("two", "day"))
    async with running(store, host, state_dir) as appliance:
        host.of("one").see("wharf", state=CameraState.STALLED, message="No frame for 2 s.")
        await settle()
        assert appliance.conditions("Camera", "wharf")["Online"] == "True Live"
        host.of("two").see("wharf", state=CameraState.STALLED, message="No frame for 2 s.")
        await settle()
        assert appliance.conditions("Camera", "wharf")["Online"] == "False Stalled"
        assert appliance.condition("Camera", "wharf", "Online").message == "No frame for 2 s."
        assert "CameraStalled" in appliance.events(key("Camera", "wharf"))
        host.of("one").see("wharf", state=CameraState.LIVE)
        await settle()
        assert appliance.conditions("Camera", "wharf")["Online"] == "True Live"
        assert appliance.events(key("Camera", "wharf"))[-1] == "CameraOnline"


@pytest.mark.anyio
async def test_a_camera_behind_a_login_gets_its_name_and_password(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    apply(store, locked_camera("gate", "gate-login"), timeline("day", "gate"), program("main", "day"))
    async with running(store, host, state_dir) as appliance:
        assert appliance.condition("Camera", "gate").reason == "SecretNotFound"
        apply(store, secret("gate-login", username="admin"))
        await settle()
        assert appliance.condition("Camera", "gate").message == (
            "Secret default/gate-login has no key password; add it or change spec.source.credentialsSecretRef"
        )
        apply(store, secret("gate-login", username="admin", password="correct-horse"))
        await settle()
        assert host.secrets[appliance.playout().folder] == {
            "gate-login/username": "admin",
            "gate-login/password": "correct-horse",
        }
        assert appliance.conditions("Camera", "gate")["Ready"] == "True Live"


@pytest.mark.anyio
async def test_a_camera_becomes_used_and_unused_as_timelines_change(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    apply(store, make_camera("wharf"), make_camera("pier"), timeline("day", "wharf"), program("main", "day"))
    async with running(store, host, state_dir) as appliance:
        assert appliance.conditions("Camera", "pier")["Ready"] == "True NotUsed"
        apply(store, timeline("day", "pier"))
        await settle()
        assert appliance.conditions("Camera", "pier")["Ready"] == "True Live"
        assert appliance.conditions("Camera", "wharf") == {
            "Ready": "True NotUsed",
            "Online": "Unknown NotUsed",
        }
