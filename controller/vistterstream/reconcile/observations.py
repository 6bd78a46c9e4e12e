"""What a playout's report means: whose status it changes, and what happened that people care about. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vistterstream.playout.protocol import (
    CameraState,
    CameraStatus,
    OnAir,
    OutputState,
    OutputStatus,
    PlayoutStatus,
    Standing,
    missing_kind,
)
from vistterstream.reconcile.problems import Problem, summary
from vistterstream.resources.conditions import timestamp
from vistterstream.resources.kinds import Key
from vistterstream.resources.quantities import Duration
from vistterstream.store.events import EventType, NewEvent

ONLINE = frozenset({CameraState.LIVE, CameraState.STANDBY, CameraState.IDLE})
"""States of a camera that has something to show."""
_DOWN = frozenset({CameraState.STALLED, CameraState.WAITING})
_CAMERA_FIGURES = {"frame_age", "frames", "restarts"}
_OUTPUT_FIGURES = {"bytes", "dropped_groups", "restarts"}


@dataclass(frozen=True, slots=True)
class Shown:
    """An image or a clip that fills the frame: the field of the object that names it, the `file` that this
    means, and the one that is `played`, which of an image is a copy.
    """

    key: Key
    path: str
    file: Path
    played: str


def unshowable(shown: Iterable[Shown], status: PlayoutStatus) -> Iterator[Problem]:
    """Problems of those of `shown` of which the playout says that it cannot show them."""
    pictures, clips = status.picture_problems, status.clip_problems
    for one in shown if pictures or clips else ():
        if one.played in pictures:
            sentence = pictures[one.played].rstrip(".")
            yield Problem(one.key, one.path, "ImageUnreadable", f"{one.path}: {sentence}")
        elif one.played in clips:
            sentence = clips[one.played].rstrip(".")
            if str(one.file) not in sentence:
                sentence = f"{one.file} cannot be played: {sentence}"
            yield Problem(one.key, one.path, "ClipUnplayable", f"{one.path}: {sentence}")


def complained(known: Collection[Problem], now: Iterable[Problem]) -> Iterator[NewEvent]:
    """What became a problem, as events: one for each object and reason."""
    new: dict[tuple[Key, str], list[Problem]] = {}
    for problem in now:
        if problem not in known:
            new.setdefault((problem.key, problem.reason), []).append(problem)
    for (key, reason), problems in new.items():
        yield NewEvent(key, reason, summary(problems), EventType.WARNING)


def touched(program: Key, before: PlayoutStatus | None, now: PlayoutStatus) -> set[Key]:
    """The objects of which `now` says something else than `before`, fast figures aside."""
    keys: set[Key] = set()
    if before is None or _coarse(before) != _coarse(now):
        keys.add(program)
    old_cameras = before.cameras if before is not None else {}
    for name in old_cameras.keys() | now.cameras.keys():
        if _camera(old_cameras.get(name)) != _camera(now.cameras.get(name)):
            keys.add(Key("Camera", program.namespace, name))
    old_outputs = before.outputs if before is not None else {}
    for name in old_outputs.keys() | now.outputs.keys():
        if _output(before, name) != _output(now, name):
            keys.add(Key("Output", program.namespace, name))
    old_overlays = before.overlay_problems if before is not None else {}
    for name in old_overlays.keys() | now.overlay_problems.keys():
        if old_overlays.get(name) != now.overlay_problems.get(name):
            keys.add(Key("Overlay", program.namespace, name))
    for name, _, _ in _words(before) ^ _words(now):
        keys.add(Key("Overlay", program.namespace, name))
    return keys


def happened(program: Key, before: PlayoutStatus | None, now: PlayoutStatus) -> Iterator[NewEvent]:
    """What happened from `before` to `now`, as events. None: the playout has just started."""
    was = before.on_air if before is not None else None
    yield from _on_air_events(program, was, now.on_air)
    yield from _playback_events(program, was, now.on_air)
    for name, camera in sorted(now.cameras.items()):
        old_camera = before.cameras.get(name) if before is not None else None
        yield from _camera_events(Key("Camera", program.namespace, name), old_camera, camera)
    for name, output in sorted(now.outputs.items()):
        old_output = before.outputs.get(name) if before is not None else None
        yield from _output_events(Key("Output", program.namespace, name), old_output, output)
    yield from _encoder_events(program, before, now)
    old_problems = before.overlay_problems if before is not None else {}
    for name, problem in sorted(now.overlay_problems.items()):
        if old_problems.get(name) != problem:
            key = Key("Overlay", program.namespace, name)
            yield NewEvent(key, "OverlayIncomplete", problem, EventType.WARNING)
    old_sounds = before.sound_problems if before is not None else {}
    for file, problem in sorted(now.sound_problems.items()):
        if old_sounds.get(file) != problem:
            yield NewEvent(
                program, "SoundUnplayable", f"{file} cannot be heard: {problem}", EventType.WARNING
            )
    old_errors = before.errors if before is not None else []
    for error in now.errors:
        if error not in old_errors:
            yield NewEvent(program, "PlayoutError", error, EventType.WARNING)


def shown(on_air: OnAir) -> str:
    """A sentence that says what is on air."""
    standing = f"; the timeline {stands(on_air.standing)}" if on_air.standing is not None else ""
    return f"{_shown(on_air)}{standing}."


def stands(standing: Standing) -> str:
    """How the timeline is kept from going on, as the end of a sentence."""
    if standing.at is not None:
        return f"is {standing.state} at {Duration.of(standing.at)}"
    if standing.since is None:
        return f"is {standing.state}"
    return f"is {standing.state} since {moment(standing.since)}"


def moment(seconds: float) -> str:
    """A Unix time as statuses have it."""
    return timestamp(datetime.fromtimestamp(seconds, UTC))


def _shown(on_air: OnAir) -> str:
    if on_air.kind == "Camera":
        because = {"Cue": "", "Backup": " as a backup"}.get(on_air.reason, f" ({on_air.reason})")
        return f"Camera {on_air.name} is shown{because}"
    if on_air.kind in ("Clip", "Image"):
        return f"The {'clip' if on_air.kind == 'Clip' else 'picture'} {on_air.name} is shown"
    instead = f" in place of {missing_kind(on_air.reason)} {on_air.name}" if on_air.name else ""
    return f"The slate is shown{instead} ({on_air.reason or 'nothing else to show'})"


def _coarse(status: PlayoutStatus) -> object:
    sound = status.sound.state if status.sound is not None else None
    return status.pid, status.revision, status.on_air, sound, status.errors


def _words(status: PlayoutStatus | None) -> set[tuple[str, str, str | None]]:
    """What data sources say: of which overlay, which source, and the text."""
    return (
        {(source.overlay, source.name, source.text) for source in status.data}
        if status is not None
        else set()
    )


def _camera(status: CameraStatus | None) -> object:
    return status.model_dump(exclude=_CAMERA_FIGURES) if status is not None else None


def _output(status: PlayoutStatus | None, name: str) -> object:
    output = status.outputs.get(name) if status is not None else None
    if status is None or output is None:
        return None
    encoder = status.encoders.get(output.encoding)
    coarse = (encoder.pid, encoder.state, encoder.message) if encoder is not None else None
    return output.model_dump(exclude=_OUTPUT_FIGURES), coarse


def _on_air_events(program: Key, before: OnAir | None, now: OnAir | None) -> Iterator[NewEvent]:
    """The slate coming and going; cuts as planned are in the as-run log, not here."""
    if now is None:
        return
    was_slate = before is not None and before.kind == "Slate"
    if now.kind == "Slate":
        if before is None or not was_slate or (before.name, before.reason) != (now.name, now.reason):
            planned = now.reason in ("NoCue", "Cue")
            yield NewEvent(
                program, "SlateShown", shown(now), EventType.NORMAL if planned else EventType.WARNING
            )
    elif was_slate:
        yield NewEvent(program, "SlateGone", shown(now))
    elif now.reason == "Backup" and (before is None or before.reason != "Backup"):
        yield NewEvent(program, "BackupShown", shown(now), EventType.WARNING)


def _playback_events(program: Key, before: OnAir | None, now: OnAir | None) -> Iterator[NewEvent]:
    """The timeline being paused, held, and going on."""
    was = before.standing if before is not None else None
    if now is None or now.standing == was:
        return
    if now.standing is None:
        yield NewEvent(program, "TimelineResumed", "The timeline plays again.")
    else:
        reason = f"Timeline{now.standing.state.capitalize()}"
        yield NewEvent(program, reason, f"The timeline {stands(now.standing)}.")


def _camera_events(key: Key, before: CameraStatus | None, now: CameraStatus) -> Iterator[NewEvent]:
    was = before.state if before is not None else None
    if now.state in ONLINE:
        if now.state is CameraState.IDLE and was in _DOWN:
            yield NewEvent(key, "CameraOnline", "It is ready.")
        elif was not in ONLINE and now.state is not CameraState.IDLE:
            yield NewEvent(key, "CameraOnline", "Frames are coming.")
    elif now.state is CameraState.STALLED and was is not CameraState.STALLED:
        yield NewEvent(key, "CameraStalled", now.message or "No new frame came in time.", EventType.WARNING)
    elif now.state in _DOWN and (was not in _DOWN or (before is not None and before.reason != now.reason)):
        yield NewEvent(key, now.reason or "CameraOffline", now.message or "It ended.", EventType.WARNING)


def _output_events(key: Key, before: OutputStatus | None, now: OutputStatus) -> Iterator[NewEvent]:
    """In the order of what happened: a target fails, another is tried, and takes the stream."""
    was = before.state if before is not None else None
    if now.state is OutputState.WAITING and (
        was is not OutputState.WAITING or (before is not None and _failure(before) != _failure(now))
    ):
        target, reason = _failure(now)
        what = f"Target {target}: {reason or 'it failed'}. {now.message}".rstrip()
        yield NewEvent(key, "OutputFailed", what, EventType.WARNING)
    if before is not None and _goes_elsewhere(before, now):
        message = f"From target {before.active_target} to {now.active_target}."
        yield NewEvent(key, "TargetChanged", message, EventType.WARNING)
    if now.state is OutputState.PUBLISHING and was is not OutputState.PUBLISHING:
        yield NewEvent(key, "OutputPublishing", f"Target {now.active_target} takes the stream.")


def _goes_elsewhere(before: OutputStatus, now: OutputStatus) -> bool:
    """Whether it changed targets; one whose process goes on was given another name."""
    if not before.active_target or before.active_target == now.active_target:
        return False
    return before.state is OutputState.WAITING or now.pid is None or now.pid != before.pid


def _failure(output: OutputStatus) -> tuple[str, str]:
    """The target that failed last, and the reason."""
    return output.failed_target or output.active_target, output.reason


def _encoder_events(program: Key, before: PlayoutStatus | None, now: PlayoutStatus) -> Iterator[NewEvent]:
    for id, encoder in sorted(now.encoders.items()):
        old = before.encoders.get(id) if before is not None else None
        known = old.restarts if old is not None else {}
        users = ", ".join(sorted(name for name, output in now.outputs.items() if output.encoding == id))
        for reason, count in sorted(encoder.restarts.items()):
            if count > known.get(reason, 0) and before is not None:
                message = f"The encoder of {users or 'no output'} was started again ({reason})."
                yield NewEvent(program, "EncoderRestarted", message, EventType.WARNING)
