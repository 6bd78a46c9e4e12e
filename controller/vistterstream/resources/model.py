"""The base of every model: camelCase outside, snake_case inside, unknown fields refused, frozen.

`field` declares a field together with what a change of it costs on air (`Effect`), so that the playout
and ``vistter diff`` read the same declaration instead of comparing fields by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from vistterstream.resources.messages import enumeration, shown

EFFECT_KEY = "x-vistter-effect"
REFERENCE_KEY = "x-vistter-reference"
TOKENS_KEY = "x-vistter-tokens"
OWN_KEYS = frozenset({EFFECT_KEY, REFERENCE_KEY, TOKENS_KEY})
"""Words of ours in the schema of a field, for nobody else."""


class Effect(StrEnum):
    """What a changed field costs on air."""

    NONE = "none"  # nothing that is running notices
    LIVE = "live"  # a new plan, swapped in between two frames
    INGEST = "ingest"  # that camera's ingest process is replaced
    ENCODER = "encoder"  # the output moves to another encoder process
    PUSHER = "pusher"  # that output's pusher process is replaced
    TARGET = "target"  # the same, if it is the target that is delivered to; else it is taken over live
    PLAYOUT = "playout"  # the program's playout process is replaced


class Tokens(StrEnum):
    """What becomes of a value that takes the place of a token such as ``{{ title }}`` in a field."""

    TEXT = "text"  # it is put there, and the whole cut off where it is too long
    LINE = "line"  # the same, line breaks made spaces
    FORMAT = "format"  # as a line, % signs doubled
    EXACT = "exact"  # nothing is cut off: what is too long is not shown at all


class Problems(ValueError):
    """What a validator of a whole model found: each a path from that model down and a sentence."""

    def __init__(self, *problems: tuple[tuple[str | int, ...], str]) -> None:
        super().__init__("; ".join(f"{path_text(path)}: {text}" if path else text for path, text in problems))
        self.problems = problems


_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def path_text(path: Iterable[str | int]) -> str:
    """A path as people write it: ``spec.targets[1].url``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{step}]"
    return text


class Decisive(ValueError):
    """What is wrong with a value, where nothing else that is wrong with the object matters beside it."""


class Model(BaseModel):
    """A part of a resource: immutable, closed, camelCase in YAML and JSON.

    `EXACTLY_ONE` are fields of which exactly one must be given. A model that may hold others of its sort does
    so at most `MAX_DEPTH` deep. Items of a list that have a name have
    different names.
    """

    EXACTLY_ONE: ClassVar[tuple[str, ...]] = ()
    MAX_DEPTH: ClassVar[int] = 0

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        validate_default=True,
        use_enum_values=False,
        defer_build=True,  # a process validates few of them, and a playout is waited for while it loads
    )

    @model_validator(mode="after")
    def _check_model(self) -> Self:
        named = _named_lists(type(self))
        if self.EXACTLY_ONE or named:
            problems = [*self._exactly_one(), *self._different_names(named)]
            if problems:
                raise Problems(*problems)
        return self

    def _exactly_one(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        given = [name for name in self.EXACTLY_ONE if getattr(self, name) is not None]
        if self.EXACTLY_ONE and len(given) != 1:
            choices = enumeration((to_camel(name) for name in self.EXACTLY_ONE), "and")
            have = f"; {enumeration((to_camel(name) for name in given), 'and')} are" if given else ""
            yield tuple(map(to_camel, given[1:2])), f"exactly one of {choices} must be given{have}"

    def _different_names(
        self, fields: Iterable[tuple[str, str]]
    ) -> Iterator[tuple[tuple[str | int, ...], str]]:
        for field_name, alias in fields:
            seen: dict[str, int] = {}
            for index, item in enumerate(getattr(self, field_name) or ()):
                name = getattr(item, "name", None)
                if isinstance(name, str) and seen.setdefault(name, index) != index:
                    path = (alias, index, "name")
                    yield path, f"{shown(name)} is the name of item {seen[name]} already; names must differ"

    def dump(self) -> dict[str, Any]:
        """The JSON form: camelCase keys, only what was set or differs from unset (no nulls)."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


@cache
def _named_lists(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    """The fields of `model`, with their aliases, that are lists of objects with a name.

    Looked up once for a model, and not once for each of the thousands of cues of a timeline.
    """
    return tuple(
        (name, info.alias or name)
        for name, info in model.model_fields.items()
        if any("name" in item.model_fields for item in _listed(info.annotation))
    )


def _listed(annotation: Any, *, within: bool = False) -> Iterator[type[BaseModel]]:
    """The models that may be items of a list (a tuple, as all lists of models are) in a type."""
    if within and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _listed(argument, within=within or get_origin(annotation) is tuple)


def field(
    default: Any = ...,
    *,
    description: str,
    effect: Effect | None = None,
    reference: str | None = None,
    tokens: Tokens | None = None,
    **constraints: Any,
) -> Any:
    """A model field: `description` for ``kubectl explain``, `effect` of a change (inherited from the
    enclosing field where None), for references the kind that the value names, and for texts with tokens how
    these are replaced.
    """
    extra: dict[str, Any] = {}
    if effect is not None:
        extra[EFFECT_KEY] = effect.value
    if reference is not None:
        extra[REFERENCE_KEY] = reference
    if tokens is not None:
        extra[TOKENS_KEY] = tokens.value
    return Field(default, description=description, json_schema_extra=extra or None, **constraints)
