"""What changes on an appliance, told in plain sentences: for people who look at ``vistter run``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vistterstream.api import words
from vistterstream.playout.files import object_name
from vistterstream.resources.kinds import Key

Form = dict[str, Any]
Sentence = tuple[str, words.Tone]

_FIRST_REMINDER, _LAST_REMINDER, _GROWTH = 60.0, 3600.0, 4.0  # seconds, and a factor


@dataclass(frozen=True, slots=True)
class _Reminder:
    """When a failure is told again, and after how long."""

    due: float
    distance: float


class News:
    """Remembers what was told of each object, and tells what is new. `where` gives the folder that the
    recordings of an output's target go to, None where it is no recording. `now` are seconds on any clock.

    What goes wrong again and again is told at growing distances, until all is well.
    """

    def __init__(self, where: Callable[[Key, str], Path | None]) -> None:
        self._where = where
        self._told: dict[tuple[str, str, str], Sentence | None] = {}
        self._failures: dict[tuple[str, str, str], dict[str, _Reminder]] = {}
        self._off_air: set[tuple[str, str, str]] = set()  # programs
        self._problems: Mapping[str, None] = {}
        self._warnings: Mapping[str, None] = {}

    def of_object(self, form: Form, now: float) -> Iterator[Sentence]:
        """What is new of an object, as it is now."""
        key = _key(form)
        if form.get("status", {}).get("onAir"):
            self._off_air.discard(key)
        else:
            self._off_air.add(key)
        known = key in self._told
        before = self._told.get(key)
        sentence = self._sentence(form)
        self._told[key] = sentence
        if sentence is not None and sentence[1] == "bad":
            if self._is_due(key, sentence[0], now):
                yield sentence
            return
        self._failures.pop(key, None)
        if sentence is None or sentence == before:
            return
        if known or sentence[1] != "idle":
            yield sentence

    def of_removed(self, form: Form) -> Iterator[Sentence]:
        """That an object was removed; of a program of which nothing was told yet, a playout may run."""
        key = _key(form)
        on_air = key not in self._off_air
        self._told.pop(key, None)
        self._failures.pop(key, None)
        self._off_air.discard(key)
        name = object_name(form["metadata"]["namespace"], form["metadata"]["name"])
        match form["kind"]:
            case "Program" if on_air:
                yield f"{name} goes off air: it was removed", "warn"
            case "Program":
                yield f"program {name} was removed", "idle"
            case "Output":
                yield f"output {name} ended: it was removed", "warn"
            case "Camera":
                yield f"camera {name} was removed", "idle"

    def of_problems(self, problems: list[str]) -> Iterator[Sentence]:
        """Manifests that could not be taken, and that are taken now."""
        before, self._problems = self._problems, dict.fromkeys(problems)
        return _came_and_went(before, self._problems, "all manifests can be read again")

    def of_warnings(self, warnings: list[str]) -> Iterator[Sentence]:
        """What keeps the controller from its work, and that nothing does any more."""
        before, self._warnings = self._warnings, dict.fromkeys(warnings)
        return _came_and_went(before, self._warnings, "the state folder can be written again")

    def _is_due(self, key: tuple[str, str, str], failure: str, now: float) -> bool:
        """Whether a failure is to be told (again)."""
        known = self._failures.setdefault(key, {})
        last = known.get(failure)
        if last is not None and now < last.due:
            return False
        distance = min(last.distance * _GROWTH, _LAST_REMINDER) if last is not None else _FIRST_REMINDER
        known[failure] = _Reminder(now + distance, distance)
        return True

    def _sentence(self, form: Form) -> Sentence | None:
        metadata = form["metadata"]
        name = object_name(metadata["namespace"], metadata["name"])
        match form["kind"]:
            case "Program":
                return _program(name, form)
            case "Camera":
                return _camera(name, form)
            case "Output":
                return self._output(name, form)
            case _:
                state = words.ready_state(form)
                return (
                    (f"{form['kind'].lower()} {name}: {state.message}", "bad")
                    if state.tone == "bad"
                    else None
                )

    def _output(self, name: str, form: Form) -> Sentence | None:
        state = words.output_state(form)
        target = form.get("status", {}).get("activeTarget")
        if state.tone != "good":
            return _trouble("output", name, state)
        metadata = form["metadata"]
        key = Key("Output", metadata["namespace"], metadata["name"])
        folder = self._where(key, target) if target else None
        doing = f"is recording to {folder}" if folder else f"is publishing{f' to {target}' if target else ''}"
        return f"output {name} {doing}", "good"


def _key(form: Form) -> tuple[str, str, str]:
    metadata = form["metadata"]
    return form["kind"], metadata["namespace"], metadata["name"]


def _program(name: str, form: Form) -> Sentence | None:
    on_air = form.get("status", {}).get("onAir")
    state = words.program_state(form)
    if on_air is None:
        return (f"program {name}: {_inner(state.message)}", state.tone) if state.message else None
    title = words.on_air_title(on_air)
    if on_air["source"]["kind"] in ("Clip", "Image"):
        kind = "clip" if on_air["source"]["kind"] == "Clip" else "picture"
        return f"{name} shows {kind} {title}{_stands(on_air)}", "good"
    if on_air["source"]["kind"] != "Camera":
        return f"{name} shows the slate: {words.on_air_reason(on_air)}", "warn"
    backup = " as a backup" if on_air.get("reason") == "Backup" else ""
    return f"{name} shows camera {title}{backup}{_stands(on_air)}", "warn" if backup else "good"


def _came_and_went(before: Mapping[str, None], now: Mapping[str, None], over: str) -> Iterator[Sentence]:
    """Each trouble that is new, and that all of it is `over`."""
    yield from ((trouble, "bad") for trouble in now if trouble not in before)
    if before and not now:
        yield over, "good"


def _stands(on_air: Form) -> str:
    said = words.standing(on_air)
    return f"; {said}" if said else ""


def _camera(name: str, form: Form) -> Sentence | None:
    state = words.camera_state(form)
    if state.tone == "good":
        picture = words.picture(form)
        return f"camera {name} is online{f' ({picture})' if picture else ''}", "idle"
    return _trouble("camera", name, state)


def _trouble(kind: str, name: str, state: words.State) -> Sentence | None:
    """What is wrong; what is on its way is not told, for it comes or goes wrong."""
    if state.tone != "bad":
        return None
    return f"{kind} {name}: {_inner(state.message or state.word)}", state.tone


def _inner(sentence: str) -> str:
    """A sentence as the end of another."""
    sentence = sentence.removesuffix(".")
    second = sentence[1:2]
    return sentence[:1].lower() + sentence[1:] if second.islower() or second == " " else sentence
