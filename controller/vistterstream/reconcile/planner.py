"""What applying manifests would change on air, process by process. Pure.

Two sets of objects are compiled to plans, as they are and as they would be, and the plans are compared by the
effects that their fields declare: exactly what the controller and the playout do with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from vistterstream.reconcile import secrets
from vistterstream.reconcile.gather import gather
from vistterstream.reconcile.paths import Paths
from vistterstream.reconcile.problems import Lookup
from vistterstream.resources.effects import Change, changes
from vistterstream.resources.kinds import Key, Output, Program, Resource
from vistterstream.resources.model import Effect, Model
from vistterstream.resources.output import Target, carried_on
from vistterstream.resources.references import references
from vistterstream.timeline.compile import Compiled, compile_plan
from vistterstream.timeline.plan import CameraPlan, EncodingPlan, OutputPlan, Plan

N = TypeVar("N", CameraPlan, OutputPlan)


class Consequence(StrEnum):
    """What becomes of a process, from the least to the most."""

    UNCHANGED = "unchanged"
    LIVE = "applied live"
    STARTED = "started"
    STOPPED = "stopped"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What becomes of one process of `program`: its `role` is playout, ingest, encoder or pusher, and `name`
    is that of the program, camera or output that it works for. `changes` say why; no secret is in them.

    An encoder is shared: `others` are the outputs for which the one goes on that `name` leaves, or which have
    the one already that it gets where it has none in this program.
    """

    program: Key
    role: str
    name: str
    consequence: Consequence
    changes: tuple[Change, ...] = ()
    others: tuple[str, ...] = ()


class Objects:
    """A set of objects, as something to look things up in."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._objects = {resource.key: resource for resource in resources}
        self._referrers: dict[Key, set[Key]] = {}
        for resource in self._objects.values():
            for reference in references(resource):
                self._referrers.setdefault(reference.target, set()).add(resource.key)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._objects.values())

    def get(self, key: Key) -> Resource | None:
        """The object, or None."""
        return self._objects.get(key)

    def referrers(self, key: Key) -> set[Key]:
        """The objects that name `key`."""
        return self._referrers.get(key, set())

    def changed(self, applied: Iterable[Resource] = (), deleted: Iterable[Key] = ()) -> Objects:
        """These objects after `applied` were applied and `deleted` deleted."""
        objects = self._objects | {resource.key: resource for resource in applied}
        return Objects(resource for key, resource in objects.items() if key not in frozenset(deleted))


def outlooks(before: Objects, after: Objects, state_dir: Path) -> list[Outlook]:
    """What becomes of each process, program by program.

    Raises PlanError where a timeline in `after` makes no sense.
    """
    programs = sorted({resource.key for world in (before, after) for resource in world if _program(resource)})
    return [
        outlook
        for key in programs
        for outlook in compare(
            key, _plan(before, key, state_dir), _plan(after, key, state_dir), before, after
        )
    ]


def compare(
    program: Key, old: Plan | None, new: Plan | None, before: Lookup, after: Lookup
) -> Iterator[Outlook]:
    """What becomes of the processes of `program` when `old` makes way for `new`; None: it is not there."""
    found = tuple(changes(old, new)) if old is not None and new is not None else ()
    replacing = tuple(change for change in found if change.effect is Effect.PLAYOUT)
    whole = _presence(old, new) or (Consequence.REPLACED if replacing else None)
    live = tuple(change for change in found if change.effect is Effect.LIVE)
    itself = whole or (Consequence.LIVE if found else Consequence.UNCHANGED)
    yield Outlook(program, "playout", program.name, itself, replacing or live)
    for outlook in _parts(program, old, new, before, after):
        if whole is Consequence.REPLACED and outlook.consequence in (Consequence.UNCHANGED, Consequence.LIVE):
            yield Outlook(program, outlook.role, outlook.name, Consequence.REPLACED, replacing)
        else:
            yield outlook if whole is None else replace(outlook, others=())  # no encoder goes on


def _parts(
    program: Key, old: Plan | None, new: Plan | None, before: Lookup, after: Lookup
) -> Iterator[Outlook]:
    """Each process below the playout, as if the playout stayed."""
    for name, seen, shown in _pairs(_pulled(old), _pulled(new)):
        key = Key("Camera", program.namespace, name)
        found = _differences(seen, shown) + _secrets_changed(key, before, after, Effect.INGEST)
        yield _outlook(program, "ingest", name, seen, shown, found, Effect.INGEST)
    for name, was, will in _pairs(old.outputs if old else (), new.outputs if new else ()):
        key = Key("Output", program.namespace, name)
        encoder = _differences(_encoding(old, was), _encoding(new, will))
        outlook = _outlook(program, "encoder", name, was, will, encoder, Effect.ENCODER)
        yield replace(
            outlook, others=_sharing(name, was, new) if was is not None else _sharing(name, will, old)
        )
        found = _differences(_written(was), _written(will))
        found += _secrets_changed(key, before, after, Effect.TARGET)
        if was is not None and will is not None:
            found = _at(_active(before, key, was), will, found)
        yield _outlook(program, "pusher", name, was, will, found, Effect.PUSHER)


def _active(world: Lookup, key: Key, output: OutputPlan) -> Target:
    """The target that the output delivers to, as its status knows it, or would begin with."""
    found = world.get(key)
    name = found.status.active_target if isinstance(found, Output) else None
    return next((target for target in output.targets if target.name == name), output.targets[0])


def _at(active: Target, will: OutputPlan, found: tuple[Change, ...]) -> tuple[Change, ...]:
    """`found` with what its changes of targets cost, where `active` is delivered to."""
    stays = carried_on(active, will.targets) is not None
    keys = {f"Secret {reference.name}/{reference.key}" for reference in active.secrets.values()}

    def cost(change: Change) -> Effect:
        if change.effect is not Effect.TARGET:
            return change.effect
        of_it = change.path.startswith(f"targets[{active.name}]")
        return Effect.PUSHER if change.path in keys or (of_it and not stays) else Effect.LIVE

    priced = tuple(replace(change, effect=cost(change)) for change in found)
    replacing = tuple(change for change in priced if change.effect is Effect.PUSHER)
    return replacing or priced


def _pulled(plan: Plan | None) -> list[CameraPlan]:
    """The cameras that an ingest pulls: a test pattern is drawn by the playout, by no process of its own."""
    return [camera for camera in plan.cameras if camera.spec.source.test_pattern is None] if plan else []


def _pairs(old: Iterable[N], new: Iterable[N]) -> Iterator[tuple[str, N | None, N | None]]:
    """The parts of two plans by name, in its order."""
    before, after = ({part.name: part for part in parts} for parts in (old, new))
    for name in sorted(before.keys() | after.keys()):
        yield name, before.get(name), after.get(name)


def _differences(old: Model | None, new: Model | None) -> tuple[Change, ...]:
    """What differs, where both are there."""
    return tuple(changes(old, new)) if old is not None and new is not None else ()


def _outlook(
    program: Key, role: str, name: str, old: object, new: object, found: tuple[Change, ...], replacing: Effect
) -> Outlook:
    presence = _presence(old, new)
    return Outlook(program, role, name, presence or _consequence(found, replacing), () if presence else found)


def _consequence(found: tuple[Change, ...], replacing: Effect) -> Consequence:
    if any(change.effect is replacing for change in found):
        return Consequence.REPLACED
    return Consequence.LIVE if found else Consequence.UNCHANGED


def _presence(old: object, new: object) -> Consequence | None:
    if old is None:
        return Consequence.STARTED
    return Consequence.STOPPED if new is None else None


def _encoding(plan: Plan | None, output: OutputPlan | None) -> EncodingPlan | None:
    """How `output` is encoded, without the id, which is a digest of the rest."""
    if plan is None or output is None:
        return None
    encoding = next(one for one in plan.encodings if one.id == output.encoding)
    return encoding.model_copy(update={"id": ""})


def _written(output: OutputPlan | None) -> OutputPlan | None:
    """`output` without where its manifest lies, which is no field of it."""
    return output.model_copy(update={"home": None}) if output is not None else None


def _sharing(name: str, output: OutputPlan | None, plan: Plan | None) -> tuple[str, ...]:
    """The outputs of `plan` that have the encoder of `output`, but for `name`."""
    if output is None or plan is None:
        return ()
    return tuple(one.name for one in plan.outputs if one.encoding == output.encoding and one.name != name)


def _secrets_changed(key: Key, before: Lookup, after: Lookup, effect: Effect) -> tuple[Change, ...]:
    """The secret values of object `key` that differ; of the values nothing is told."""
    old, new = (_secrets(key, world) for world in (before, after))
    return tuple(
        Change(
            f"Secret {name}",
            "(a value)" if name in old else None,
            "(a value)" if name in new else None,
            effect,
        )
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _secrets(key: Key, world: Lookup) -> dict[str, str]:
    resource = world.get(key)
    return dict(secrets.collect(world, [resource]).values) if resource is not None else {}


def compiled(world: Lookup, program: Program, state_dir: Path) -> Compiled:
    """The plan of `program` with what `world` has for it; images are where the manifests say.

    Raises PlanError where no frames can be made of the timeline.
    """
    inputs = gather(world, program)
    paths = Paths(state_dir, {})
    return compile_plan(
        program,
        timeline=inputs.timeline,
        timelines=inputs.timelines,
        overlays=inputs.overlays,
        cameras=inputs.cameras,
        outputs=inputs.outputs,
        resolve=paths.resolve,
        hls_folder=paths.hls_folder,
        recording_folder=paths.recording_folder,
    )


def _plan(world: Objects, key: Key, state_dir: Path) -> Plan | None:
    program = world.get(key)
    return compiled(world, program, state_dir).plan if isinstance(program, Program) else None


def _program(resource: Resource) -> bool:
    return isinstance(resource, Program)
