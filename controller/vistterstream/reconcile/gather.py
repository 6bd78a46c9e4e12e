"""Gathers everything that a program is made of, by following references. Reads a store, changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from vistterstream.reconcile.problems import Lookup
from vistterstream.resources.kinds import Camera, Key, Output, Overlay, Program, Resource, Timeline
from vistterstream.resources.references import references

R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True)
class Inputs:
    """A program and all it is made of; what does not exist is not in here."""

    program: Program
    timeline: Timeline | None
    timelines: dict[str, Timeline]  # those that `timeline` shows, and that they show
    overlays: dict[str, Overlay]
    cameras: dict[str, Camera]
    outputs: tuple[Output, ...]

    def objects(self) -> list[Resource]:
        """All of them."""
        timeline = [self.timeline] if self.timeline is not None else []
        return [
            self.program,
            *timeline,
            *self.timelines.values(),
            *self.overlays.values(),
            *self.cameras.values(),
            *self.outputs,
        ]


def gather(store: Lookup, program: Program) -> Inputs:
    """Everything that `program` is made of: its timeline, what that shows, the outputs that deliver it."""
    namespace = program.metadata.namespace
    timeline = None
    if program.spec.timeline is not None:
        timeline = _find(store, Timeline, Key("Timeline", namespace, program.spec.timeline))
    timelines = {} if timeline is None else _nested(store, timeline)
    shown = dict.fromkeys(  # each once, of thousands of cues
        reference.target
        for shows in [timeline, *timelines.values()]
        if shows is not None
        for reference in references(shows)
    )
    outputs = (_find(store, Output, key) for key in sorted(store.referrers(program.key)))
    return Inputs(
        program=program,
        timeline=timeline,
        timelines=timelines,
        overlays=_named(_find(store, Overlay, key) for key in shown if key.kind == "Overlay"),
        cameras=_with_backups(store, [key for key in shown if key.kind == "Camera"]),
        outputs=tuple(output for output in outputs if output is not None),
    )


def _nested(store: Lookup, timeline: Timeline) -> dict[str, Timeline]:
    """The timelines that `timeline` shows, and those that they show; itself too, if it comes to that."""
    wanted, found = [timeline], dict[str, Timeline]()
    while wanted:
        for reference in references(wanted.pop()):
            if reference.target.kind != "Timeline" or reference.target.name in found:
                continue
            inner = _find(store, Timeline, reference.target)
            if inner is not None:
                found[reference.target.name] = inner
                wanted.append(inner)
    return found


def _with_backups(store: Lookup, wanted: list[Key]) -> dict[str, Camera]:
    """The cameras named by `wanted`, their backups, and theirs."""
    found: dict[str, Camera] = {}
    while wanted:
        key = wanted.pop()
        camera = _find(store, Camera, key)
        if camera is None or key.name in found:
            continue
        found[key.name] = camera
        if camera.spec.backup is not None:
            wanted.append(Key("Camera", key.namespace, camera.spec.backup))
    return found


def _find(store: Lookup, model: type[R], key: Key) -> R | None:
    found = store.get(key)
    return found if isinstance(found, model) else None


def _named(found: Iterable[R | None]) -> dict[str, R]:
    return {resource.metadata.name: resource for resource in found if resource is not None}
