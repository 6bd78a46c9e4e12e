"""Camera: watched by the playouts of the programs that may show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from vistterstream.playout.protocol import CameraState
from vistterstream.playout.protocol import CameraStatus as Seen
from vistterstream.reconcile import verdict
from vistterstream.reconcile.appliance import Appliance
from vistterstream.reconcile.loop import Registry
from vistterstream.reconcile.observations import ONLINE
from vistterstream.reconcile.verdict import Outlook, Verdict, condition
from vistterstream.resources.conditions import Condition
from vistterstream.resources.kinds import Camera
from vistterstream.resources.status import CameraStatus, Process, Video

on: Registry[Appliance] = Registry()

USER_MUST_ACT = frozenset(
    {
        "Unauthorized",
        "CertificateInvalid",
        "NotFound",
        "FileNotFound",
        "NotAFile",
        "PermissionDenied",
        "InvalidData",
        "SecretMissing",
    }
)
"""Reasons of a failure that does not go away by itself."""
_BEST_FIRST = (
    CameraState.LIVE,
    CameraState.STANDBY,
    CameraState.IDLE,
    CameraState.CONNECTING,
    CameraState.STALLED,
    CameraState.WAITING,
)
_OF_FILES = {
    CameraState.CONNECTING: "Its file is being opened.",
    CameraState.STALLED: "The next picture of its file did not come in time.",
}
_MESSAGES = {
    CameraState.LIVE: "Frames are coming.",
    CameraState.STANDBY: "It is connected, on key frames only until it is needed.",
    CameraState.IDLE: "It is ready, and not shown now.",
    CameraState.CONNECTING: "It is being connected to.",
    CameraState.STALLED: "It is connected, but no new frame came in time.",
    CameraState.WAITING: "It ended, and is started again.",
}


@dataclass(frozen=True, slots=True)
class Sight:
    """What the playout of `program` sees of a camera; None: it has not said yet, or is `silent`."""

    program: str
    seen: Seen | None
    silent: bool = False


@on.reconcile("Camera")
async def reconcile(appliance: Appliance, camera: Camera) -> None:
    """Show what is known; the programs that may show it are reconciled on their own."""
    appliance.statuses.request(camera.key)


def render(appliance: Appliance, camera: Camera, now: datetime) -> CameraStatus:
    """The status of `camera` as of `now`."""
    name = camera.metadata.name
    sights = [
        Sight(playout.key.name, said.cameras.get(name) if said is not None else None, playout.silent)
        for playout in appliance.users(camera.key)
        for said in [playout.report]
    ]
    return status(camera, sights, appliance.verdict(camera), now)


def status(
    camera: Camera,
    sights: Iterable[Sight],
    told: Verdict | None,
    now: datetime,
) -> CameraStatus:
    """The status that follows from what the playouts see: of several, the one that sees most counts.

    `told` is the verdict where there is one already, whatever they see.
    """
    sights = tuple(sights)
    best = min((sight for sight in sights if sight.seen is not None), key=_rank, default=None)
    seen = best.seen if best is not None else None
    silent = seen is None and any(sight.silent for sight in sights)
    message = _message(camera, seen) if seen is not None else ""
    judged = told or (verdict.SILENT if silent else _judge(seen, message, used=bool(sights)))
    online = verdict.silent("Online") if silent else _online(seen, message, used=bool(sights))
    return CameraStatus(
        conditions=verdict.conditions(camera, judged, now, online),
        observed_generation=camera.generation,
        ingest=Process(pid=seen.pid) if seen is not None and seen.pid is not None else None,
        video=_video(seen),
        audio=seen.audio if seen is not None else None,
        program=best.program if best is not None else None,
    )


def _rank(sight: Sight) -> tuple[int, str]:
    assert sight.seen is not None
    return _BEST_FIRST.index(sight.seen.state), sight.program


def _judge(seen: Seen | None, message: str, *, used: bool) -> Verdict:
    if not used:
        return Verdict(True, "NotUsed", "No program uses it.")
    if seen is None:
        return Verdict(False, "NoReport", "No playout has reported on it.", Outlook.RECONCILING)
    if seen.state in ONLINE:
        return Verdict(True, seen.state.value, message)
    outlook = Outlook.STALLED if seen.reason in USER_MUST_ACT else Outlook.RECONCILING
    return Verdict(False, seen.reason or seen.state.value, message, outlook)


def _online(seen: Seen | None, message: str, *, used: bool) -> Condition:
    if not used:
        return condition("Online", None, "NotUsed", "No program uses it, so nobody looks at it.")
    if seen is None:
        return condition("Online", None, "NoReport", "No playout has reported on it.")
    if seen.state in ONLINE:
        return condition("Online", True, seen.state.value, message)
    return condition("Online", False, seen.reason or seen.state.value, message)


def _message(camera: Camera, seen: Seen) -> str:
    if seen.state not in ONLINE and seen.message:
        return seen.message
    of_file = _OF_FILES.get(seen.state) if camera.spec.source.file is not None else None
    return of_file or _MESSAGES[seen.state]


def _video(seen: Seen | None) -> Video | None:
    if seen is None or seen.codec is None:
        return None
    return Video(codec=seen.codec, width=seen.width, height=seen.height, frame_rate=seen.frame_rate)
