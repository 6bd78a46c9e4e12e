"""What differs between two models, and what each difference costs on air.

The cost is declared on the model's field (`Effect`) and holds for everything inside it that declares
nothing of its own. The playout converges by this, and ``vistter diff`` shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from vistterstream.resources.model import EFFECT_KEY, Effect


@dataclass(frozen=True, slots=True)
class Change:
    """A difference. `path` is such as ``targets[primary].url``; None stands for what is not there.

    Where parts that have names changed places, `path` is that of the list and `old` and `new` are the
    names that both have, in their orders.
    """

    path: str
    old: Any
    new: Any
    effect: Effect


def changes(old: BaseModel | None, new: BaseModel | None) -> list[Change]:
    """Every difference from `old` to `new`, in the order of the fields; None has no field set.

    Parts of a list are matched by their ``name`` or ``id`` where they have one, else by their place.
    """
    return list(_models(old, new, "", Effect.LIVE))


def _models(old: BaseModel | None, new: BaseModel | None, path: str, effect: Effect) -> Iterator[Change]:
    model = type(old if old is not None else new)
    if not issubclass(model, BaseModel) or old == new:
        return
    for name, info in model.model_fields.items():
        inner = f"{path}.{info.alias or name}" if path else info.alias or name
        yield from _values(getattr(old, name, None), getattr(new, name, None), inner, _effect(info) or effect)


def _values(old: Any, new: Any, path: str, effect: Effect) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, BaseModel) and type(old) is type(new):
        yield from _models(old, new, path, effect)
    elif isinstance(old, tuple) and isinstance(new, tuple):
        yield from _lists(old, new, path, effect)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            yield from _values(old.get(key), new.get(key), f"{path}.{key}", effect)
    else:
        yield Change(path, old, new, effect)


def _lists(old: tuple[Any, ...], new: tuple[Any, ...], path: str, effect: Effect) -> Iterator[Change]:
    if not _may_have_names(old) and not _may_have_names(new):
        for index, (was, will) in enumerate(zip_longest(old, new)):
            if was is not will:  # of the thousands of cues of a timeline most are the very same
                yield from _values(was, will, f"{path}[{index}]", effect)
        return
    before, after = _by_name(old), _by_name(new)
    for key in dict.fromkeys((*before, *after)):
        yield from _values(before.get(key), after.get(key), f"{path}[{key}]", effect)
    stayed_before = [key for key in before if key in after]
    stayed_after = [key for key in after if key in before]
    if stayed_before != stayed_after:
        yield Change(path, stayed_before, stayed_after, effect)


def _may_have_names(items: tuple[Any, ...]) -> bool:
    """Whether a part of a list may have a ``name`` or ``id``; asked of its sorts, not of each part."""
    sorts: set[type[object]] = {type(item) for item in items}
    return not all(issubclass(sort, BaseModel) and _nameless(sort) for sort in sorts)


def _nameless(model: type[BaseModel]) -> bool:
    return model.model_fields.keys().isdisjoint(("name", "id"))


def _by_name(items: tuple[Any, ...]) -> dict[str | int, Any]:
    names = [getattr(item, "name", None) or getattr(item, "id", None) for item in items]
    words = [name for name in names if isinstance(name, str)]
    if len(set(words)) == len(items):
        return dict(zip(words, items, strict=True))
    return dict(enumerate(items))


def _effect(info: FieldInfo) -> Effect | None:
    extra = info.json_schema_extra
    word = extra.get(EFFECT_KEY) if isinstance(extra, dict) else None
    return Effect(word) if isinstance(word, str) else None
