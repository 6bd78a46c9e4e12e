"""References: which objects an object names, read from the models' field metadata."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from vistterstream.resources.kinds import Key, Resource
from vistterstream.resources.model import REFERENCE_KEY, path_text


@dataclass(frozen=True, slots=True)
class Reference:
    """A field, by the `steps` of its path, and the object that it names."""

    steps: tuple[str | int, ...]
    target: Key

    @property
    def path(self) -> str:
        """The path as people write it, such as ``spec.tracks[0].video[1].camera``."""
        return path_text(self.steps)


known: dict[int, tuple[weakref.ref[BaseModel], str, tuple[Reference, ...]]] = {}
"""Those of each spec that was asked for and still exists, by its id: specs never change, and a timeline of a
thousand cues is asked often."""


def references(resource: Resource) -> tuple[Reference, ...]:
    """Every reference in the spec of `resource`, in the order of the fields. All stay in its namespace."""
    spec: Any = resource.spec
    if not isinstance(spec, BaseModel):
        return ()
    id_, namespace = id(spec), resource.metadata.namespace
    entry = known.get(id_)
    if entry is None or entry[0]() is not spec or entry[1] != namespace:
        found = tuple(_walk(spec, ("spec",), None, namespace))
        entry = weakref.ref(spec, lambda _: known.pop(id_, None)), namespace, found
        known[id_] = entry
    return entry[2]


def _walk(value: Any, path: tuple[str | int, ...], kind: str | None, namespace: str) -> Iterator[Reference]:
    if isinstance(value, BaseModel):
        for name, alias, inner_kind in _leading(type(value)):
            inner = getattr(value, name)
            if inner is not None:
                yield from _walk(inner, (*path, alias), inner_kind, namespace)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _walk(item, (*path, index), kind, namespace)
    elif isinstance(value, str) and kind is not None:
        yield Reference(path, Key(kind, namespace, value))


@cache
def _leading(model: type[BaseModel]) -> tuple[tuple[str, str, str | None], ...]:
    """The fields of `model` in which there may be references: name, alias, and the kind that they name."""
    return tuple(
        (name, info.alias or name, _reference_kind(info))
        for name, info in model.model_fields.items()
        if _reference_kind(info) is not None
        or any(_reference_kind(inner) is not None for part in _parts(info) for inner in _fields(part))
    )


def _parts(info: FieldInfo) -> set[type[BaseModel]]:
    """Every model that may be in a value of the field, however deep; models may hold others of their sort."""
    found, new = set[type[BaseModel]](), set(_models(info.annotation))
    while new:
        found |= new
        new = {part for one in new for inner in _fields(one) for part in _models(inner.annotation)} - found
    return found


def _fields(model: type[BaseModel]) -> Iterable[FieldInfo]:
    return model.model_fields.values()


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _reference_kind(info: FieldInfo) -> str | None:
    extra = info.json_schema_extra
    kind = extra.get(REFERENCE_KEY) if isinstance(extra, dict) else None
    return kind if isinstance(kind, str) else None
