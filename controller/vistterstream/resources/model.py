"""The base of every model: camelCase outside, snake_case inside, unknown fields refused, frozen.

`field` declares a field together with what a change of it costs on air (`Effect`), so that the playout
and ``vistter diff`` read the same declaration instead of comparing fields by hand.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

EFFECT_KEY = "x-vistter-effect"
REFERENCE_KEY = "x-vistter-reference"


class Effect(StrEnum):
    """What a changed field costs on air."""

    NONE = "none"  # nothing that is running notices
    LIVE = "live"  # a new plan, swapped in between two frames
    INGEST = "ingest"  # that camera's ingest process is replaced
    ENCODER = "encoder"  # the output moves to another encoder process
    PUSHER = "pusher"  # that output's pusher process is replaced
    PLAYOUT = "playout"  # the program's playout process is replaced


class Model(BaseModel):
    """A part of a resource: immutable, closed, camelCase in YAML and JSON."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        validate_default=True,
        use_enum_values=False,
    )

    def dump(self) -> dict[str, Any]:
        """The JSON form: camelCase keys, only what was set or differs from unset (no nulls)."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def field(
    default: Any = ...,
    *,
    description: str,
    effect: Effect | None = None,
    reference: str | None = None,
    **constraints: Any,
) -> Any:
    """A model field: `description` for ``kubectl explain``, `effect` of a change (inherited from the
    enclosing field where None), and for references the kind that the value names.
    """
    extra: dict[str, Any] = {}
    if effect is not None:
        extra[EFFECT_KEY] = effect.value
    if reference is not None:
        extra[REFERENCE_KEY] = reference
    return Field(default, description=description, json_schema_extra=extra or None, **constraints)
