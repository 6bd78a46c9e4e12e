"""Conditions: what holds of an object, by the Kubernetes rules.

See "Typical status properties" in the Kubernetes API conventions: one condition a type, True means that
what the type says holds, and ``lastTransitionTime`` moves only when ``status`` does.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

from pydantic import ConfigDict

from vistterstream.resources.model import Model, field


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Model):
    """One thing that does or does not hold of an object."""

    model_config = ConfigDict(extra="ignore")  # a newer controller may have written the status

    type: str = field(description="CamelCase name, such as Ready.")
    status: ConditionStatus = field(description="True, False or Unknown.")
    reason: str = field("", description="CamelCase word for programs.")
    message: str = field("", description="Sentence for people; says what to do.")
    observed_generation: int | None = field(
        None, description="The metadata.generation that this was said of.", ge=0
    )
    last_transition_time: str | None = field(None, description="When status last changed, RFC 3339.")

    @property
    def holds(self) -> bool:
        """Whether the status is True."""
        return self.status is ConditionStatus.TRUE


def timestamp(instant: datetime) -> str:
    """`instant`, which must have a zone, as RFC 3339 in UTC with whole seconds (metav1.Time)."""
    if instant.tzinfo is None:
        raise ValueError("an instant without a zone")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def find_condition(conditions: Iterable[Condition], type_: str) -> Condition | None:
    """The condition of that type."""
    return next((condition for condition in conditions if condition.type == type_), None)


def set_condition(conditions: Iterable[Condition], new: Condition, now: datetime) -> tuple[Condition, ...]:
    """`conditions` with `new` in the place of the one of its type, or at the end.

    ``lastTransitionTime`` is that of the old condition where ``status`` is the same, else `now`.
    """
    conditions = tuple(conditions)
    old = find_condition(conditions, new.type)
    kept = old.last_transition_time if old is not None and old.status is new.status else None
    new = new.model_copy(update={"last_transition_time": kept or timestamp(now)})
    if old is None:
        return (*conditions, new)
    return tuple(new if condition.type == new.type else condition for condition in conditions)
