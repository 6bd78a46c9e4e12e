"""Timeline, Overlay and Secret: parts of programs, with nothing of their own that runs."""

from __future__ import annotations

from datetime import datetime

from vistterstream.reconcile import secrets, verdict
from vistterstream.reconcile.appliance import Appliance
from vistterstream.reconcile.loop import Registry
from vistterstream.reconcile.problems import Problem
from vistterstream.reconcile.verdict import Verdict
from vistterstream.resources.kinds import Overlay, Resource, Secret, Timeline
from vistterstream.resources.status import OverlayStatus, SecretStatus, TimelineStatus

on: Registry[Appliance] = Registry()


@on.reconcile("Timeline")
@on.reconcile("Overlay")
async def reconcile(appliance: Appliance, part: Resource) -> None:
    """Show what is wrong with it; the programs that it is a part of are reconciled on their own."""
    appliance.statuses.request(part.key)


@on.reconcile("Secret")
async def learn(appliance: Appliance, secret: Secret) -> None:
    """Mask its values from now on."""
    secrets.learn(secret)
    appliance.statuses.request(secret.key)


def render_timeline(appliance: Appliance, timeline: Timeline, now: datetime) -> TimelineStatus:
    """The status of `timeline` as of `now`."""
    judged = _judge(appliance, timeline, appliance.problems(timeline))
    return TimelineStatus(
        conditions=verdict.conditions(timeline, judged, now), observed_generation=timeline.generation
    )


def render_overlay(appliance: Appliance, overlay: Overlay, now: datetime) -> OverlayStatus:
    """The status of `overlay` as of `now`."""
    name = overlay.metadata.name
    seen = (playout.status for playout in appliance.users(overlay.key))
    told = [status.overlay_problems[name] for status in seen if status and name in status.overlay_problems]
    problems = appliance.problems(overlay) or tuple(
        Problem(overlay.key, "spec", "Incomplete", message) for message in dict.fromkeys(told)
    )
    judged = _judge(appliance, overlay, problems)
    return OverlayStatus(
        conditions=verdict.conditions(overlay, judged, now), observed_generation=overlay.generation
    )


def render_secret(appliance: Appliance, secret: Secret, now: datetime) -> SecretStatus:
    """The status of `secret` as of `now`; it says nothing of the values."""
    error = appliance.errors.get(secret.key)
    judged = verdict.of_error(error) if error is not None else Verdict(True, "Known", "It can be used.")
    return SecretStatus(
        conditions=verdict.conditions(secret, judged, now), observed_generation=secret.generation
    )


def _judge(appliance: Appliance, part: Resource, problems: tuple[Problem, ...]) -> Verdict:
    error = appliance.errors.get(part.key)
    if error is not None:
        return verdict.of_error(error)
    if told := verdict.of_problems(problems):
        return told
    if any(True for _ in appliance.users(part.key)):
        return Verdict(True, "InUse", "A program shows it.")
    return Verdict(True, "NotUsed", "No program shows it.")
