"""What the preview page shows: a snapshot of the appliance as JSON, in words that are ready to be read."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vistterstream.api import words
from vistterstream.api.answers import Answers
from vistterstream.api.upcoming import Upcoming
from vistterstream.playout.files import object_name
from vistterstream.reconcile.paths import Paths
from vistterstream.resources.kinds import Key, Output

_EVENTS = 30
Form = dict[str, Any]


class Preview:
    """Makes snapshots. `state_dir` is the state folder, `wall` the Unix time."""

    def __init__(self, answers: Answers, state_dir: Path, *, wall: Callable[[], float] = time.time) -> None:
        self._answers = answers
        self._state_dir = state_dir
        self._paths = Paths(state_dir, {})
        self._upcoming = Upcoming(state_dir / "playout")
        self._wall = wall

    def snapshot(self) -> Form:
        """Everything the page shows. Times are Unix times; ``time`` is now."""
        objects, _version = self._answers.objects(None, None)
        by_kind: dict[str, list[Form]] = {}
        for form in objects:
            by_kind.setdefault(form["kind"], []).append(form)
        outputs = by_kind.get("Output", [])
        return {
            "time": self._wall(),
            "version": self._answers.about.get("version", ""),
            "programs": [self._program(form, outputs) for form in by_kind.get("Program", [])],
            "cameras": [_camera(form) for form in by_kind.get("Camera", [])],
            "outputs": [_output(form) for form in outputs],
            "problems": [*self._answers.warnings(), *self._answers.problems()],
            "events": [
                _event(event) for event in self._answers.events(None, None, None)[: -_EVENTS - 1 : -1]
            ],
        }

    def _program(self, form: Form, outputs: list[Form]) -> Form:
        metadata = form["metadata"]
        identity = object_name(metadata["namespace"], metadata["name"])
        on_air, message = _on_air(form), words.program_state(form).message
        return {
            "id": identity,
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "message": message or ("" if on_air else "Its playout is not running."),
            "onAir": on_air,
            "next": self._next(identity),
            "previews": [
                preview for output in outputs if _delivers(output, form) for preview in self._previews(output)
            ],
        }

    def _previews(self, form: Form) -> list[Form]:
        """The HLS targets of an output that are served from here."""
        metadata = form["metadata"]
        output = self._answers.store.get(Key("Output", metadata["namespace"], metadata["name"]))
        assert isinstance(output, Output), "the store has not changed since it was listed"
        identity = object_name(metadata["namespace"], metadata["name"])
        return [
            {"label": f"{identity} / {target.name}", "url": f"/{quote(folder.as_posix())}/index.m3u8"}
            for target in output.spec.targets
            if target.hls is not None and target.hls.folder is None
            for folder in [Path(self._paths.hls_folder(output, target)).relative_to(self._state_dir)]
        ]

    def _next(self, identity: str) -> list[Form]:
        now = self._wall()
        return [
            {"title": source or "Slate", "at": round(now + seconds, 1)}
            for source, seconds in self._upcoming.of(identity)
        ]


def _on_air(form: Form) -> Form | None:
    on_air = form.get("status", {}).get("onAir")
    if on_air is None:
        return None
    source = on_air["source"]
    reason = words.on_air_reason(on_air)
    return {
        "kind": source["kind"],
        "name": source.get("name", ""),
        "title": words.on_air_title(on_air),
        "sentence": reason[:1].upper() + reason[1:],
        "since": _unix(on_air.get("since")),
        "overlays": on_air.get("overlays", []),
    }


def _delivers(output: Form, program: Form) -> bool:
    same_namespace = output["metadata"]["namespace"] == program["metadata"]["namespace"]
    return bool(same_namespace and output["spec"]["program"] == program["metadata"]["name"])


def _row(form: Form, state: words.State, detail: str) -> Form:
    metadata = form["metadata"]
    return {
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "state": state.word,
        "tone": state.tone,
        "message": state.message,
        "detail": detail,
    }


def _camera(form: Form) -> Form:
    return _row(form, words.camera_state(form), words.picture(form))


def _output(form: Form) -> Form:
    status = form.get("status", {})
    parts = [f"to {status['activeTarget']}"] if status.get("activeTarget") else []
    if reconnects := status.get("reconnects"):
        parts.append(f"reconnected {reconnects} time{'s' if reconnects > 1 else ''}")
    return _row(form, words.output_state(form), ", ".join(parts))


def _event(event: Form) -> Form:
    regarding = event["regarding"]
    return {
        "time": _unix(event["lastTimestamp"]),
        "type": event["type"],
        "object": f"{regarding['kind']} {object_name(regarding['namespace'], regarding['name'])}",
        "reason": event["reason"],
        "message": event["message"],
        "count": event["count"],
    }


def _unix(instant: str | None) -> float | None:
    return datetime.fromisoformat(instant).timestamp() if instant else None
