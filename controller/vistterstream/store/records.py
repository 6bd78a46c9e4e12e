"""An object as the store keeps it: what its managers wrote, and the resource that this amounts to."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any

from pydantic import ValidationError

from vistterstream.resources.kinds import KINDS, SOURCE_LINE, Key, Resource, Secret
from vistterstream.store.errors import Invalid
from vistterstream.store.fields import Document, Managers, same

_KEPT_METADATA = ("labels", "annotations", "finalizers", "ownerReferences")


@dataclass(frozen=True, slots=True)
class Record:
    """One object. `created_version` and `version` count writes, `created` is RFC 3339.

    `known` is a resource of which it is known that `document` says the same, but for what the store sets:
    a timeline of a thousand cues is not read again for a new version or status.

    Raises Invalid where `document` and `status` do not make a valid `resource`.
    """

    key: Key
    uid: str
    created: str
    created_version: int
    version: int
    generation: int
    document: Document
    managers: Managers
    status: Mapping[str, Any]
    known: InitVar[Resource | None] = None
    resource: Resource = field(init=False)

    def __post_init__(self, known: Resource | None) -> None:
        object.__setattr__(self, "resource", _resource(self) if known is None else _renewed(self, known))

    @property
    def owner(self) -> str | None:
        """The manager that owns the object as a whole: the first that still applies it."""
        return next(iter(self.managers), None)


def document_of(resource: Resource) -> Document:
    """What a manager says with `resource`: only what was written, without defaults, status and what the
    store itself sets. A Secret's ``stringData`` is folded into ``data``, as Kubernetes does.
    """
    form = resource.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    metadata = {name: form["metadata"][name] for name in _KEPT_METADATA if form["metadata"].get(name)}
    document = {
        name: value
        for name, value in form.items()
        if name not in ("apiVersion", "kind", "metadata", "status") and (value != {} or name == "spec")
    }
    if isinstance(resource, Secret):
        document.pop("stringData", None)
        values = resource.values()
        if values:
            document["data"] = {
                name: base64.b64encode(value.encode()).decode() for name, value in values.items()
            }
    return document | ({"metadata": metadata} if metadata else {})


def without_values(key: Key, document: Document) -> Document:
    """`document` as it may be remembered of an object that was deleted: nothing of a Secret's values."""
    return {name: value for name, value in document.items() if key.kind != "Secret" or name != "data"}


def says_the_same(one: Resource, other: Resource) -> bool:
    """Whether two objects ask for the same, defaults included, whatever was written to say it."""
    return bool(one.spec == other.spec) and same(_wish(one), _wish(other))


def differs_quietly(one: Document, other: Document) -> bool:
    """Whether two documents differ in nothing, or in nothing but the line of the manifest."""
    return same(_without_line(one), _without_line(other))


def says(document: Document, resource: Resource, wanted: Document) -> Resource | None:
    """`resource`, of which `wanted` is the document, where `document` says just that: a Record can then be
    made of it without reading. A Secret says its values in another form than its document.
    """
    return resource if document == wanted and not isinstance(resource, Secret) else None


def _wish(resource: Resource) -> dict[str, Any]:
    return resource.model_dump(mode="json", by_alias=True, exclude={"metadata", "status"})


def _resource(record: Record) -> Resource:
    key, document = record.key, record.document
    info = KINDS.get(key.kind)
    if info is None:
        raise Invalid(f"there is no kind {key.kind!r}")
    form = {
        **document,
        "apiVersion": info.api_version,
        "kind": info.kind,
        "metadata": _metadata(record),
        "status": record.status,
    }
    try:
        return info.model.model_validate(form)
    except ValidationError as error:
        raise Invalid(f"{key} is not valid: {_sentences(error)}") from None  # a cause would show values


def _renewed(record: Record, known: Resource) -> Resource:
    """`known` with the record's metadata and status; nothing else is looked at."""
    parts = {"metadata": _metadata(record), "status": record.status}
    update = {}
    for name, form in parts.items():
        try:
            update[name] = type(getattr(known, name)).model_validate(form)
        except ValidationError as error:
            raise Invalid(f"{record.key} is not valid: {_sentences(error, name)}") from None
    return known.model_copy(update=update)


def _metadata(record: Record) -> dict[str, Any]:
    return {
        **record.document.get("metadata", {}),
        "name": record.key.name,
        "namespace": record.key.namespace,
        "uid": record.uid,
        "generation": record.generation,
        "resourceVersion": str(record.version),
        "creationTimestamp": record.created,
    }


def _without_line(document: Document) -> Document:
    metadata = document.get("metadata", {})
    annotations = {
        name: value for name, value in metadata.get("annotations", {}).items() if name != SOURCE_LINE
    }
    return document | {"metadata": metadata | {"annotations": annotations}}


def _sentences(error: ValidationError, *above: str) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in (*above, *detail['loc']))}: {detail['msg']}"
        for detail in error.errors(include_url=False, include_context=False, include_input=False)
    )


def encode(value: Any) -> str:
    """Compact JSON for a column."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def encode_managers(managers: Managers) -> str:
    """The owners for a column, in their order."""
    return encode({manager: sorted(owned) for manager, owned in managers.items()})


def decode_managers(text: str) -> Managers:
    """The owners from a column."""
    return {manager: frozenset(tuple(path) for path in owned) for manager, owned in json.loads(text).items()}
