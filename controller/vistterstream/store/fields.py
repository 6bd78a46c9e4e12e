"""Who owns which field: server-side apply, as a pure function.

The rules are those of Kubernetes (https://kubernetes.io/docs/reference/using-api/server-side-apply/): what
a manager applies it owns; the same value may have several owners; another value is a conflict unless
forced; what a manager no longer applies it gives up, and a field without owners goes. Lists are owned as a
whole (``x-kubernetes-list-type: atomic``), since their order means something in every kind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]
"""Keys from the top of a document to a leaf: anything but a mapping with something in it."""

Document = dict[str, Any]
"""A JSON object."""

Managers = dict[str, frozenset[Path]]
"""The leaves that each manager owns, in the order in which the managers came."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The outcome of a merge; with `rivals`, (leaf, manager) in conflict, it must not be used."""

    document: Document
    managers: Managers
    rivals: tuple[tuple[Path, str], ...] = ()


def leaves(document: Mapping[str, Any], above: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every leaf of `document` with its value; an empty mapping is a leaf."""
    for key, value in document.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*above, key))
        else:
            yield (*above, key), value


def show(path: Path) -> str:
    """`path` as people write it: ``metadata.labels[example.com/site]``."""
    text = ""
    for key in path:
        text += f"[{key}]" if not key.replace("_", "").isalnum() else f".{key}" if text else key
    return text


def merge(document: Document, managers: Managers, manager: str, wanted: Document, *, force: bool) -> Merged:
    """`document` after `manager` applied `wanted`; neither argument is changed."""
    new = dict(leaves(wanted))
    rivals = tuple(_rivals(document, managers, manager, new))
    if rivals and not force:
        return Merged(document, managers, rivals)
    lost = set(rivals)
    others = {
        other: frozenset(path for path in owned if (path, other) not in lost)
        for other, owned in managers.items()
        if other != manager
    }
    owners = {other: owned for other, owned in others.items() if owned or not managers[other]}
    result = _copied(document)
    kept = {path for owned in owners.values() for path in owned}
    for path in [*managers.get(manager, ()), *(path for path, _ in lost)]:
        if path not in new and path not in kept:
            _remove(result, path, kept)
    for path, value in new.items():
        _set(result, path, value)
    return Merged(result, _in_order(managers, owners | {manager: frozenset(new)}))


def release(document: Document, managers: Managers, manager: str) -> Merged:
    """`document` after `manager` gave up all that it owns."""
    owners = {other: owned for other, owned in managers.items() if other != manager}
    kept = {path for owned in owners.values() for path in owned}
    result = _copied(document)
    for path in managers.get(manager, frozenset()) - kept:
        _remove(result, path, kept)
    return Merged(result, owners)


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; unlike ``==`` it tells True from 1 and 1 from 1.0."""
    # What differs for Python differs as JSON too, and that is soon found in a document of a thousand cues.
    return bool(one == other) and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _copied(document: Document) -> Document:
    """Mappings of its own, with the same leaves: these are replaced as a whole, and never changed."""
    return {key: _copied(value) if isinstance(value, dict) else value for key, value in document.items()}


def _rivals(
    document: Document, managers: Managers, manager: str, new: Mapping[Path, Any]
) -> Iterator[tuple[Path, str]]:
    owned = [(path, other) for other, paths in managers.items() if other != manager for path in paths]
    for path, value in new.items():
        for theirs, other in owned:
            if theirs == path:
                compatible = same(_get(document, path), value)
            elif theirs == path[: len(theirs)]:
                compatible = isinstance(_get(document, theirs), dict)  # they say: there is a mapping
            elif path == theirs[: len(path)]:
                compatible = value == {}  # this manager says so
            else:
                continue
            # An empty mapping that meanwhile has something in it is still the mapping that was asked for.
            if not compatible and not (value == {} and isinstance(_get(document, path), dict)):
                yield theirs, other


def _in_order(before: Managers, after: Managers) -> Managers:
    order = [name for name in before if name in after]
    return {name: after[name] for name in [*order, *(name for name in after if name not in before)]}


def _get(document: Mapping[str, Any], path: Path) -> Any:
    value: Any = document
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value


def _set(document: Document, path: Path, value: Any) -> None:
    for key in path[:-1]:
        inner = document.get(key)
        if not isinstance(inner, dict):
            inner = document[key] = {}
        document = inner
    if value == {} and isinstance(document.get(path[-1]), dict):
        return
    document[path[-1]] = dict(value) if isinstance(value, dict) else value


def _remove(document: Document, path: Path, kept: set[Path]) -> None:
    """Take the leaf away, and the mappings around it that it leaves empty and that nobody owns."""
    value = _get(document, path)
    if isinstance(value, dict) and value:
        return  # an empty mapping that others have filled
    above = _get(document, path[:-1])
    if isinstance(above, dict):
        above.pop(path[-1], None)
        if not above and len(path) > 1 and path[:-1] not in kept:
            _remove(document, path[:-1], kept)
