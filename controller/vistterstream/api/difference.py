"""What applying objects would change: field by field, and process by process, as JSON.

The processes come from ``reconcile/planner.py``, which compares the plans. No value of a Secret is in here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from vistterstream.base.redaction import MASK, redact
from vistterstream.reconcile.planner import Consequence, Objects, Outlook, outlooks
from vistterstream.resources.effects import Change, changes
from vistterstream.resources.kinds import (
    SOURCE_FILE,
    SOURCE_LINE,
    Camera,
    Key,
    Output,
    Program,
    Resource,
    Secret,
)
from vistterstream.resources.model import Effect
from vistterstream.resources.references import references
from vistterstream.resources.status import Process

Form = dict[str, Any]


class FieldChange(BaseModel):
    """One field: its path, its values (JSON; None where it is not set), and what a change of it costs."""

    path: str
    old: Any = None
    new: Any = None
    effect: str


class DanglingReference(BaseModel):
    """A field that names an object that would not exist."""

    path: str
    kind: str
    name: str


class ObjectDifference(BaseModel):
    """What becomes of one object."""

    kind: str
    namespace: str
    name: str
    verdict: Literal["new", "changed", "unchanged", "removed"]
    changes: list[FieldChange] = []
    dangling: list[DanglingReference] = []


class ProcessDifference(BaseModel):
    """What becomes of one process; `consequence` and `others` are the planner's; what begins has no pid."""

    program: str
    namespace: str
    role: str
    name: str
    consequence: str
    pid: int | None = None
    changes: list[FieldChange] = []
    others: list[str] = []


class Difference(BaseModel):
    """The whole of it."""

    model_config = ConfigDict(extra="ignore")

    objects: list[ObjectDifference]
    processes: list[ProcessDifference]


def difference(
    stored: Iterable[Resource], applied: Iterable[Resource], deleted: Iterable[Key], state_dir: Path
) -> Difference:
    """What it means to apply objects, and delete others, on top of what is stored. Raises PlanError."""
    before = Objects(stored)
    applied, deleted = list(applied), sorted(key for key in set(deleted) if before.get(key) is not None)
    after = before.changed(applied, deleted)
    keys = [*(resource.key for resource in applied), *deleted]
    return Difference(
        objects=[
            _object(key, before.get(key), after.get(key), _dangling(after, key))
            for key in dict.fromkeys(keys)
        ],
        processes=[_process(before, outlook) for outlook in outlooks(before, after, state_dir)],
    )


def _dangling(world: Objects, key: Key) -> list[DanglingReference]:
    """The references of an object that lead nowhere."""
    resource = world.get(key)
    return [
        DanglingReference(path=reference.path, kind=reference.target.kind, name=reference.target.name)
        for reference in (references(resource) if resource is not None else ())
        if world.get(reference.target) is None
    ]


def _object(
    key: Key, old: Resource | None, new: Resource | None, dangling: list[DanglingReference]
) -> ObjectDifference:
    if old is None or new is None:
        found: list[FieldChange] = []
    elif isinstance(old, Secret) and isinstance(new, Secret):
        found = _secret_changes(old, new)
    else:
        found = [_change(change, "spec.") for change in changes(old.spec, new.spec)]
    if old is not None and new is not None:
        found += _metadata_changes(old, new)
    verdict: Literal["new", "changed", "unchanged", "removed"]
    if new is None:
        verdict = "removed"
    elif old is None:
        verdict = "new"
    else:
        verdict = "changed" if found else "unchanged"
    return ObjectDifference(
        kind=key.kind,
        namespace=key.namespace,
        name=key.name,
        verdict=verdict,
        changes=found,
        dangling=dangling,
    )


def _metadata_changes(old: Resource, new: Resource) -> list[FieldChange]:
    """Labels and annotations that differ, but for those that say where a manifest stands."""
    from deepdiff import DeepDiff  # costs a tenth of a second, and only those who ask for differences

    levels = DeepDiff(_marks(old), _marks(new), view="tree")
    return [
        FieldChange(
            path=f"metadata.{'.'.join(level.path(output_format='list'))}",
            old=redact(level.t1) if isinstance(level.t1, str) else None,
            new=redact(level.t2) if isinstance(level.t2, str) else None,
            effect=Effect.NONE.value,
        )
        for found in levels.values()
        for level in found
    ]


def _marks(resource: Resource) -> dict[str, dict[str, str]]:
    annotations = resource.metadata.annotations
    return {
        "labels": dict(resource.metadata.labels),
        "annotations": {k: v for k, v in annotations.items() if k not in (SOURCE_FILE, SOURCE_LINE)},
    }


def _secret_changes(old: Secret, new: Secret) -> list[FieldChange]:
    before, after = old.values(), new.values()
    return [
        FieldChange(
            path=f"data.{name}",
            old=MASK if name in before else None,
            new=MASK if name in after else None,
            effect="live",
        )
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    ]


def _process(before: Objects, outlook: Outlook) -> ProcessDifference:
    return ProcessDifference(
        program=outlook.program.name,
        namespace=outlook.program.namespace,
        role=outlook.role,
        name=outlook.name,
        consequence=outlook.consequence.value,
        pid=_pid(before, outlook),
        changes=[_change(change) for change in outlook.changes],
        others=list(outlook.others),
    )


def _pid(before: Objects, outlook: Outlook) -> int | None:
    """The process that runs for this program now, as the status knows it."""
    if outlook.consequence is Consequence.STARTED:
        return None  # what the status knows runs for another program
    kind = {"playout": "Program", "ingest": "Camera"}.get(outlook.role, "Output")
    resource = before.get(Key(kind, outlook.program.namespace, outlook.name))
    process: Process | None
    match resource:
        case Program():
            process = resource.status.playout
        case Camera() if resource.status.program == outlook.program.name:
            process = resource.status.ingest
        case Output() if resource.spec.program == outlook.program.name:
            process = resource.status.encoder if outlook.role == "encoder" else resource.status.pusher
        case _:
            return None
    return process.pid if process is not None else None


def _change(change: Change, prefix: str = "") -> FieldChange:
    return FieldChange(
        path=f"{prefix}{change.path}",
        old=_json(change.old),
        new=_json(change.new),
        effect=change.effect.value,
    )


def _json(value: Any) -> Any:
    """`value` in JSON, redacted: an address may hold what belongs in a Secret."""
    if isinstance(value, BaseModel):
        return _json(value.model_dump(mode="json", by_alias=True, exclude_none=True))
    if isinstance(value, dict):
        return {name: _json(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    return redact(str(value)) if isinstance(value, str) else value
