"""What applying an object would change on air, from the effects that the models' fields declare."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from vistterstream.base.redaction import MASK, redact
from vistterstream.resources.effects import changes
from vistterstream.resources.kinds import Camera, Key, Output, Program, Resource, Secret
from vistterstream.resources.model import Effect

Verdict = Literal["new", "unchanged", "live", "replace", "removed"]
Role = Literal["ingest", "encoder", "pusher", "playout"]

_REPLACED: dict[Effect, Role] = {
    Effect.INGEST: "ingest",
    Effect.ENCODER: "encoder",
    Effect.PUSHER: "pusher",
    Effect.PLAYOUT: "playout",
}


class _Form(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


class FieldChange(_Form):
    """One field: its path, its values (JSON; None where it is not set), and what the change costs."""

    path: str
    old: Any = None
    new: Any = None
    effect: Effect


class ReplacedProcess(_Form):
    """A process that would be replaced."""

    role: Role
    kind: str
    name: str
    pid: int | None = None


class Difference(_Form):
    """What would happen to one object.

    The verdict is ``replace`` where a process is replaced, ``live`` where the picture changes between two
    frames, ``new``, ``removed`` or ``unchanged``.
    """

    kind: str
    namespace: str
    name: str
    verdict: Verdict
    changes: list[FieldChange] = []
    processes: list[ReplacedProcess] = []


def difference(
    old: Resource | None, new: Resource | None, users: Callable[[Key], Iterable[Resource]]
) -> Difference:
    """What it means to go from the stored object `old` to `new`; None means that there is none.

    `users` gives the stored objects that refer to a key: a changed Secret replaces processes of theirs.
    """
    some = new or old
    assert some is not None, "there is nothing to compare"
    key = some.key
    if old is None or new is None:
        return Difference(
            kind=key.kind,
            namespace=key.namespace,
            name=key.name,
            verdict="removed" if new is None else "new",
            processes=[] if old is None else _ended(old),
        )
    found = _secret_changes(old, new) if isinstance(new, Secret) else _spec_changes(old, new)
    processes = _secret_users(users(key)) if found and isinstance(new, Secret) else _replaced(old, found)
    return Difference(
        kind=key.kind,
        namespace=key.namespace,
        name=key.name,
        verdict=_verdict(found, processes),
        changes=found,
        processes=processes,
    )


def _verdict(found: list[FieldChange], processes: list[ReplacedProcess]) -> Verdict:
    if not found:
        return "unchanged"
    return "replace" if processes else "live"


def _spec_changes(old: Resource, new: Resource) -> list[FieldChange]:
    return [
        FieldChange(
            path=f"spec.{change.path}", old=_json(change.old), new=_json(change.new), effect=change.effect
        )
        for change in changes(old.spec, new.spec)
        if change.effect is not Effect.NONE
    ]


def _json(value: Any) -> Any:
    """`value` in JSON, redacted: an address may hold what belongs in a Secret."""
    if isinstance(value, BaseModel):
        return _json(value.model_dump(mode="json", by_alias=True, exclude_none=True))
    if isinstance(value, dict):
        return {name: _json(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    if isinstance(value, str):
        return redact(str(value))
    return value


def _secret_changes(old: Resource, new: Resource) -> list[FieldChange]:
    assert isinstance(old, Secret)
    assert isinstance(new, Secret)
    before, after = old.values(), new.values()
    return [
        FieldChange(
            path=f"data.{name}",
            old=MASK if name in before else None,
            new=MASK if name in after else None,
            effect=Effect.LIVE,
        )
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    ]


def _replaced(old: Resource, found: list[FieldChange]) -> list[ReplacedProcess]:
    roles = {_REPLACED[change.effect] for change in found if change.effect in _REPLACED}
    return [entry for entry in _all_processes(old) if entry.role in roles]


def _ended(old: Resource) -> list[ReplacedProcess]:
    """What ends with the object; not its encoder, which other outputs may share."""
    return [entry for entry in _all_processes(old) if entry.pid and entry.role != "encoder"]


def _secret_users(users: Iterable[Resource]) -> list[ReplacedProcess]:
    """A login is told to a camera's ingest, a stream key to an output's pusher."""
    return [entry for user in users for entry in _all_processes(user) if entry.role in ("ingest", "pusher")]


def _all_processes(resource: Resource) -> list[ReplacedProcess]:
    """The processes that work for `resource`, with the pids that its status knows."""
    if isinstance(resource, Camera):
        found: dict[Role, Any] = {"ingest": resource.status.ingest}
    elif isinstance(resource, Output):
        found = {"encoder": resource.status.encoder, "pusher": resource.status.pusher}
    elif isinstance(resource, Program):
        found = {"playout": resource.status.playout}
    else:
        return []
    kind, name = resource.kind, resource.metadata.name
    return [
        ReplacedProcess(role=role, kind=kind, name=name, pid=process.pid if process else None)
        for role, process in found.items()
    ]
