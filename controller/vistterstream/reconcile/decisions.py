"""What to do with a program's playout, decided from what is wanted and what runs. Pure.

The cost of each difference is declared on the plan's fields (`resources.effects`); nothing here compares
fields by hand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vistterstream.reconcile.queue import Backoff
from vistterstream.resources.effects import Change, changes
from vistterstream.resources.model import Effect
from vistterstream.timeline.digests import plan_revision
from vistterstream.timeline.plan import Plan

RESTARTS = Backoff(first=1.0, cap=30.0)
"""Delays before a playout that keeps dying is started once more; the first time it is started at once."""
HEALTHY_AFTER = 60.0
"""Seconds that a playout has to live for the deaths before it to be forgotten."""


@dataclass(frozen=True, slots=True)
class Keep:
    """It runs the plan."""


@dataclass(frozen=True, slots=True)
class Apply:
    """It takes the plan while it runs."""

    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """It has to be stopped and started for these changes."""

    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """None runs."""


@dataclass(frozen=True, slots=True)
class Wait:
    """None runs, and it is too early to start one again."""

    delay: float


Action = Keep | Apply | Replace | Start | Wait


def decide(
    wanted: Plan, running: Plan | None, *, revision: str | None, alive: bool, retry_at: float, now: float
) -> Action:
    """What to do for `wanted`.

    `running` is the plan last handed to the playout, `revision` the one it says it runs, None where
    that is not known; `retry_at` and `now` are times of one clock, in seconds.
    """
    if not alive:
        return Wait(retry_at - now) if retry_at > now else Start()
    if revision is not None and revision == plan_revision(wanted):
        return Keep()
    differences = tuple(changes(running, wanted)) if running is not None else ()
    replacing = tuple(change for change in differences if change.effect is Effect.PLAYOUT)
    return Replace(replacing) if replacing else Apply(differences)


@dataclass(frozen=True, slots=True)
class Deaths:
    """How often a playout ended by itself in a row, and from when on it may be started again."""

    count: int = 0
    retry_at: float = 0.0

    def another(self, *, now: float, lived: float, chance: float) -> Deaths:
        """After one that lived for `lived` seconds: the first is started again at once."""
        count = 1 if lived >= HEALTHY_AFTER else self.count + 1
        delay = RESTARTS.delay(count - 1, chance) if count > 1 else 0.0
        return Deaths(count, now + delay)


_NAMES = "names of images"


def topics(differences: Sequence[Change]) -> str:
    """What `differences` are about, for people: ``timeline``, ``camera wharf``, ``output youtube``."""
    found = dict.fromkeys(_topic(change.path) for change in differences)
    if len(found) > 1:
        found.pop(_NAMES, None)  # which go with the images
    return ", ".join(found)


def _topic(path: str) -> str:
    part = re.match(r"(camera|output)s\[([^\]]+)\]", path)
    if part:
        return f"{part[1]} {part[2]}"
    field = re.split(r"[.\[]", path, maxsplit=1)[0]
    return {"secretsRevision": "secrets", "originals": _NAMES}.get(field, field)


def named(differences: Sequence[Change], *, at_most: int = 5) -> str:
    """The paths of `differences` as a list in a sentence."""
    paths = list(dict.fromkeys(change.path for change in differences))
    rest = len(paths) - at_most
    return ", ".join(paths[:at_most]) + (f" and {rest} more" if rest > 0 else "")
