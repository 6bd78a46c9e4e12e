"""Timeline, Overlay and Secret: parts of programs, with nothing of their own that runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from vistterstream.reconcile import secrets, verdict
from vistterstream.reconcile.appliance import Appliance
from vistterstream.reconcile.loop import Registry
from vistterstream.reconcile.paths import absolute
from vistterstream.reconcile.problems import Problem
from vistterstream.reconcile.verdict import Verdict
from vistterstream.resources.kinds import Overlay, Resource, Secret, Timeline
from vistterstream.resources.status import DataValue, OverlayStatus, SecretStatus, TimelineStatus

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
    unplayable = verdict.of_problems(_unplayable(appliance, timeline))
    judged = appliance.verdict(timeline) or unplayable or _usage(appliance, timeline)
    return TimelineStatus(
        conditions=verdict.conditions(timeline, judged, now), observed_generation=timeline.generation
    )


def _unplayable(appliance: Appliance, timeline: Timeline) -> Iterator[Problem]:
    """The sound files of `timeline` that a playout cannot play."""
    seen = (playout.status for playout in appliance.users(timeline.key))
    told = {file: sentence for status in seen if status for file, sentence in status.sound_problems.items()}
    for number, track in enumerate(timeline.spec.tracks if told else ()):
        for index, cue in enumerate(track.audio or ()):
            file = str(absolute(appliance.state_dir, timeline, cue.file))
            if file in told:
                path = f"spec.tracks[{number}].audio[{index}].file"
                message = f"{path}: {file} cannot be heard: {told[file]}"
                yield Problem(timeline.key, path, "SoundUnplayable", message)


def render_overlay(appliance: Appliance, overlay: Overlay, now: datetime) -> OverlayStatus:
    """The status of `overlay` as of `now`."""
    name = overlay.metadata.name
    seen = [playout.status for playout in appliance.users(overlay.key) if playout.status is not None]
    told = [status.overlay_problems[name] for status in seen if name in status.overlay_problems]
    data = {source.name: source.text for status in seen for source in status.data if source.overlay == name}
    seen_problems = [Problem(overlay.key, "spec", "Incomplete", message) for message in dict.fromkeys(told)]
    judged = appliance.verdict(overlay) or verdict.of_problems(seen_problems) or _usage(appliance, overlay)
    return OverlayStatus(
        conditions=verdict.conditions(overlay, judged, now),
        observed_generation=overlay.generation,
        data=tuple(DataValue(name=source, text=text) for source, text in sorted(data.items())),
    )


def render_secret(appliance: Appliance, secret: Secret, now: datetime) -> SecretStatus:
    """The status of `secret` as of `now`; it says nothing of the values."""
    judged = appliance.verdict(secret) or Verdict(True, "Known", "It can be used.")
    return SecretStatus(
        conditions=verdict.conditions(secret, judged, now), observed_generation=secret.generation
    )


def _usage(appliance: Appliance, part: Resource) -> Verdict:
    if any(True for _ in appliance.users(part.key)):
        return Verdict(True, "InUse", "A program shows it.")
    return Verdict(True, "NotUsed", "No program shows it.")
