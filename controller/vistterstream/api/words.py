"""What an object's JSON form says, in a few words for people: the same on the page and in the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from vistterstream.playout.protocol import missing_kind

Tone = Literal["good", "warn", "bad", "idle"]
"""How a state is coloured: as it should be, on its way, wrong, or not in use."""

_SLATE = {
    "CameraStalled": "camera {name} has stopped sending pictures",
    "CameraConnecting": "camera {name} is being connected to",
    "CameraLost": "camera {name} cannot be reached; it is tried again",
    "FileStarting": "the file of camera {name} is being opened",
    "FileLost": "the file of camera {name} has nothing to show",
    "CameraMissing": "camera {name} does not exist",
    "ClipStarting": "{kind} {name} is being opened",
    "ClipMissing": "{kind} {name} cannot be played",
    "ImageMissing": "{kind} {name} cannot be shown",
}


@dataclass(frozen=True, slots=True)
class State:
    """A state in a word, its tone, and what else is to be said."""

    word: str
    tone: Tone
    message: str = ""


def condition(form: dict[str, Any], type_: str) -> dict[str, Any] | None:
    """The condition of that type."""
    conditions: list[dict[str, Any]] = form.get("status", {}).get("conditions", [])
    return next((entry for entry in conditions if entry["type"] == type_), None)


def on_air_title(on_air: dict[str, Any]) -> str:
    """What is on air: the name of a camera or a picture, or that it is the slate."""
    source = on_air["source"]
    return "Slate" if source["kind"] == "Slate" else str(source["name"])


def on_air_reason(on_air: dict[str, Any]) -> str:
    """Why it is on air, and what keeps the timeline from going on: a sentence without its full stop."""
    return "; ".join(part for part in (_why(on_air), standing(on_air)) if part)


def standing(on_air: dict[str, Any]) -> str:
    """That the timeline is paused or held, and where or since when; empty where it plays."""
    playback = on_air.get("playback") or {}
    state, at, since = playback.get("state", ""), playback.get("at"), playback.get("since")
    return f"{state} at {at}" if at else f"{state} since {since}" if since else state


def _why(on_air: dict[str, Any]) -> str:
    source, reason = on_air["source"], on_air.get("reason") or ""
    if source["kind"] != "Slate":
        return {
            "Cue": "as the timeline says",
            "Backup": "as a backup, while the planned camera has nothing to show",
        }.get(reason, reason)
    if reason == "Cue":
        return "as the timeline says"
    if reason in ("NoCue", "") and not source.get("name"):
        return "the timeline has nothing to show now"
    words = _SLATE.get(reason, "{kind} {name}: {reason}" if source.get("name") else "{reason}")
    return words.format(name=source.get("name", ""), reason=reason, kind=missing_kind(reason))


def program_state(form: dict[str, Any]) -> State:
    """Whether the program is on air."""
    on_air = form.get("status", {}).get("onAir")
    ready = condition(form, "Ready")
    message = _complaint(ready)
    if on_air is None:
        reason = (ready or {}).get("reason") or ""
        return State("OffAir", _failing(reason, "").tone if _is(ready, "False") else "idle", message)
    return State("OnAir", "warn" if on_air["source"]["kind"] == "Slate" else "good", message)


def camera_state(form: dict[str, Any]) -> State:
    """Whether the camera sends pictures."""
    return _of(condition(form, "Online"), condition(form, "Ready"), good="Online", bad="Offline")


def output_state(form: dict[str, Any]) -> State:
    """Whether the output is delivered."""
    return _of(
        condition(form, "Publishing"), condition(form, "Ready"), good="Publishing", bad="NotPublishing"
    )


def ready_state(form: dict[str, Any]) -> State:
    """Whether any object is as it should be."""
    return _of(condition(form, "Ready"), None, good="Ready", bad="NotReady")


_ON_THE_WAY = {"Connecting", "Starting", "NoReport"}
_UNUSED = {"NotUsed", "NotCarried", "Stopped"}


def _of(own: dict[str, Any] | None, ready: dict[str, Any] | None, *, good: str, bad: str) -> State:
    """The state that the kind's `own` condition tells, and Ready where there is more to it."""
    said = _complaint(ready) or (own or {}).get("message") or ""
    if _is(own, "True"):
        return State(good, "good", _complaint(ready))
    reason = (own or {}).get("reason") or bad
    if own is None or own["status"] == "Unknown" or reason in _UNUSED:
        if _is(ready, "False"):
            return _failing((ready or {}).get("reason") or bad, said)
        return State(reason if own else "Unknown", "idle", said)
    return _failing(reason, said)


def _failing(reason: str, said: str) -> State:
    tone: Tone = "warn" if reason in _ON_THE_WAY else "idle" if reason in _UNUSED else "bad"
    return State(reason, tone, said)


def _is(entry: dict[str, Any] | None, status: str) -> bool:
    return entry is not None and entry["status"] == status


def _complaint(entry: dict[str, Any] | None) -> str:
    """What a condition that does not hold says."""
    return (entry.get("message") or "") if entry is not None and entry["status"] != "True" else ""


def picture(form: dict[str, Any]) -> str:
    """A camera's picture: ``1280x720 h264 30/s``; empty where it is not known."""
    video = form.get("status", {}).get("video") or {}
    size = f"{video['width']}x{video['height']}" if video.get("width") and video.get("height") else ""
    rate = f"{video['frameRate']}/s" if video.get("frameRate") else ""
    return " ".join(part for part in (size, video.get("codec") or "", rate) if part)
