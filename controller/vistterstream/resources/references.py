"""References: which objects an object names, read from the models' field metadata."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from vistterstream.resources.kinds import Key, Resource
from vistterstream.resources.model import REFERENCE_KEY, path_text


@dataclass(frozen=True, slots=True)
class Reference:
    """A field, by its path such as ``spec.tracks[0].video[1].camera``, and the object that it names."""

    path: str
    target: Key
    steps: tuple[str | int, ...] = field(compare=False)  # the path's


def references(resource: Resource) -> list[Reference]:
    """Every reference in the spec of `resource`, in the order of the fields. All stay in its namespace."""
    return list(_walk(resource.spec, ("spec",), None, resource.metadata.namespace))


def _walk(value: Any, path: tuple[str | int, ...], kind: str | None, namespace: str) -> Iterator[Reference]:
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            inner = (*path, info.alias or name)
            yield from _walk(getattr(value, name), inner, _reference_kind(info), namespace)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _walk(item, (*path, index), kind, namespace)
    elif isinstance(value, str) and kind is not None:
        yield Reference(path_text(path), Key(kind, namespace, value), path)


def _reference_kind(info: FieldInfo) -> str | None:
    extra = info.json_schema_extra
    kind = extra.get(REFERENCE_KEY) if isinstance(extra, dict) else None
    return kind if isinstance(kind, str) else None
