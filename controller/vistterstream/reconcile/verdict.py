"""The conditions that every kind has: Ready always; Reconciling or Stalled while they hold. Pure.

After kstatus (sigs.k8s.io/cli-utils): Reconciling and Stalled are there only while they are True, so that a
healthy object has few lines. *Stalled*: the user must act. *Reconciling*: it is being worked on, or waits for
a time that is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vistterstream.base.errors import PermanentError, VistterError
from vistterstream.base.redaction import redact
from vistterstream.reconcile.problems import Problem, summary
from vistterstream.resources.conditions import Condition, ConditionStatus, set_condition
from vistterstream.resources.kinds import Resource


class Outlook(StrEnum):
    """What is going to happen to an object."""

    SETTLED = "Settled"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an object is as it should be, why, and what comes next."""

    ready: bool
    reason: str
    message: str = ""
    outlook: Outlook = Outlook.SETTLED


SILENT = Verdict(False, "PlayoutSilent", "The playout runs, but says nothing.", Outlook.RECONCILING)
"""On whatever a playout carries that has said nothing for a while: it may be well."""


def of_error(error: VistterError) -> Verdict:
    """The verdict on an object whose reconciliation ended with `error`."""
    outlook = Outlook.STALLED if isinstance(error, PermanentError) else Outlook.RECONCILING
    return Verdict(False, error.reason, error.message, outlook)


def of_problems(problems: Iterable[Problem]) -> Verdict | None:
    """The verdict on an object that the user has to change; None without problems."""
    found = tuple(problems)
    if not found:
        return None
    return Verdict(False, found[0].reason, summary(found), Outlook.STALLED)


def condition(type_: str, holds: bool | None, reason: str, message: str = "") -> Condition:
    """A condition; `holds` is None where it is not known."""
    statuses = {True: ConditionStatus.TRUE, False: ConditionStatus.FALSE, None: ConditionStatus.UNKNOWN}
    return Condition(type=type_, status=statuses[holds], reason=reason, message=redact(message))


def silent(type_: str) -> Condition:
    """A condition of which only a playout could tell that says nothing."""
    return condition(type_, None, SILENT.reason, SILENT.message)


def conditions(
    resource: Resource, verdict: Verdict, now: datetime, *others: Condition
) -> tuple[Condition, ...]:
    """The conditions of `resource` for `verdict` and the kind's own `others`; those it had are moved on."""
    wanted = [condition("Ready", verdict.ready, verdict.reason, verdict.message), *others]
    if verdict.outlook is not Outlook.SETTLED:
        wanted.append(condition(verdict.outlook.value, True, verdict.reason, verdict.message))
    types = {one.type for one in wanted}
    result: tuple[Condition, ...] = tuple(one for one in resource.status.conditions if one.type in types)
    for one in wanted:
        observed = one.model_copy(update={"observed_generation": resource.generation})
        result = set_condition(result, observed, now)
    return result
