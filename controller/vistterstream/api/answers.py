"""What can be asked about an appliance, answered from its store; whoever asks, the same words come back.

The local socket passes these answers on, and the ``vistter`` command gives them itself where no controller
runs. Nothing here shows a value of a Secret (`forms.public`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from vistterstream.api.difference import difference
from vistterstream.api.forms import public, public_event
from vistterstream.base.errors import VistterError
from vistterstream.resources.kinds import DEFAULT_NAMESPACE, Key, Resource, find_kind
from vistterstream.resources.references import references
from vistterstream.store.events import Event
from vistterstream.store.watching import Change

_Resources = list[Resource]  # inside of Objects, list is a method
_Events = list[Event]


class Objects(Protocol):
    """The part of the store that is read here."""

    def get(self, key: Key) -> Resource | None: ...  # noqa: D102
    def list(self, kind: str | None = None, namespace: str | None = None) -> tuple[_Resources, int]: ...  # noqa: D102
    def watch(self, since: int, *, kind: str | None = None) -> AsyncIterator[Change]: ...  # noqa: D102
    def events(self, regarding: Key | None = None, since: int = 0) -> _Events: ...  # noqa: D102
    def watch_events(self, since: int, *, regarding: Key | None = None) -> AsyncIterator[Event]: ...  # noqa: D102
    def referrers(self, key: Key) -> Collection[Key]: ...  # noqa: D102
    def owner(self, key: Key) -> str | None: ...  # noqa: D102


class NotFound(VistterError):
    """There is no such object."""

    def __init__(self, key: Key) -> None:
        super().__init__(f"there is no {key}", reason="NotFound")


def _nothing() -> list[str]:
    return []


MANIFEST = "Manifest"
"""What events about a file or a folder are about; no kind of object."""


@dataclass
class Answers:
    """Answers from the `store` of the folder `state_dir`.

    `about` says what answers (version, pid, address of the preview page); `problems` gives sentences about
    manifests that could not be taken, `warnings` about what keeps the controller from its work, such as a
    full disk, `not_ready` why the appliance is not.
    """

    store: Objects
    state_dir: Path
    about: dict[str, Any] = field(default_factory=dict)
    problems: Callable[[], list[str]] = _nothing
    warnings: Callable[[], list[str]] = _nothing
    not_ready: Callable[[], list[str]] = _nothing

    def get(self, kind: str, namespace: str, name: str) -> dict[str, Any]:
        """The object. Raises NotFound, UnknownKind."""
        return public(self._resource(kind, namespace, name))

    def objects(self, kind: str | None, namespace: str | None) -> tuple[list[dict[str, Any]], int]:
        """The objects of a kind and namespace (all without), and the version to watch from."""
        found, version = self.store.list(find_kind(kind).kind if kind else None, namespace)
        return [public(resource) for resource in found], version

    async def watch(
        self, kind: str | None, namespace: str | None, name: str | None, since: int | None
    ) -> AsyncIterator[dict[str, Any]]:
        """Changes after version `since` (from now on without). Raises Gone, UnknownKind."""
        kind = find_kind(kind).kind if kind else None
        since = self.store.list(kind, namespace)[1] if since is None else since
        async for change in self.store.watch(since, kind=kind):
            key = change.resource.key
            if namespace in (None, key.namespace) and name in (None, key.name):
                yield {
                    "change": {
                        "type": change.type.value,
                        "object": public(change.resource),
                        "resourceVersion": change.resource_version,
                    }
                }

    def events(self, kind: str | None, namespace: str | None, name: str | None) -> list[dict[str, Any]]:
        """The events about an object, a kind, a namespace or everything; oldest first."""
        wanted = _event_filter(kind, namespace, name)
        return [public_event(event) for event in self.store.events() if wanted(event)]

    async def follow_events(
        self, kind: str | None, namespace: str | None, name: str | None
    ) -> AsyncIterator[dict[str, Any]]:
        """The events, and those to come."""
        wanted = _event_filter(kind, namespace, name)
        async for event in self.store.watch_events(0):
            if wanted(event):
                yield {"event": public_event(event)}

    def describe(self, kind: str, namespace: str, name: str) -> dict[str, Any]:
        """The object with its events, what it refers to, what refers to it, and who owns it."""
        resource = self._resource(kind, namespace, name)
        key = resource.key
        return {
            "object": public(resource),
            "events": [public_event(event) for event in self.store.events(key)],
            "references": [
                {
                    "path": reference.path,
                    "kind": reference.target.kind,
                    "name": reference.target.name,
                    "exists": self.store.get(reference.target) is not None,
                }
                for reference in references(resource)
            ],
            "usedBy": [{"kind": user.kind, "name": user.name} for user in sorted(self.store.referrers(key))],
            "owner": self.store.owner(key),
        }

    def diff(self, forms: list[dict[str, Any]], deleted: list[dict[str, Any]]) -> dict[str, Any]:
        """What applying and deleting these objects would change (`difference`). Raises VistterError."""
        applied = [parse(form) for form in forms]
        gone = [Key(str(key.get("kind")), str(key.get("namespace")), str(key.get("name"))) for key in deleted]
        stored, _version = self.store.list()
        return difference(stored, applied, gone, self.state_dir).model_dump(mode="json")

    def version(self) -> dict[str, Any]:
        """Who answers."""
        return self.about

    def health(self) -> dict[str, Any]:
        """Whether the appliance is ready, and why not."""
        reasons = self.not_ready()
        return {"ready": not reasons, "reasons": reasons}

    def _resource(self, kind: str, namespace: str, name: str) -> Resource:
        key = Key(find_kind(kind).kind, namespace or DEFAULT_NAMESPACE, name)
        resource = self.store.get(key)
        if resource is None:
            raise NotFound(key)
        return resource


def parse(form: dict[str, Any]) -> Resource:
    """The resource of a JSON form. Raises VistterError, which shows no value (it may be a secret)."""
    kind = form.get("kind")
    try:
        return find_kind(str(kind)).model.model_validate(form)
    except ValidationError as error:
        where = "; ".join(".".join(map(str, entry["loc"])) for entry in error.errors(include_input=False))
        raise VistterError(f"the {kind} is not valid at {where}", reason="Invalid") from None


def _event_filter(kind: str | None, namespace: str | None, name: str | None) -> Callable[[Event], bool]:
    kind = find_kind(kind).kind if kind and kind != MANIFEST else kind

    def wanted(event: Event) -> bool:
        key = event.regarding
        return kind in (None, key.kind) and namespace in (None, key.namespace) and name in (None, key.name)

    return wanted
