"""What the reconcilers share: the store, the playouts, and what is known but not written down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from vistterstream.base import logs
from vistterstream.base.errors import VistterError
from vistterstream.reconcile import verdict
from vistterstream.reconcile.assets import Assets
from vistterstream.reconcile.clashes import clashes
from vistterstream.reconcile.observations import Shown, unshowable
from vistterstream.reconcile.playouts import Playout, Playouts
from vistterstream.reconcile.problems import Problem, dangling, distinct
from vistterstream.reconcile.statuses import Statuses
from vistterstream.reconcile.verdict import Verdict
from vistterstream.resources.kinds import Key, Output, Resource, Timeline
from vistterstream.store.events import EventType, NewEvent
from vistterstream.store.store import Store
from vistterstream.timeline.parts import Parts
from vistterstream.timeline.plan import Plan

log = logs.get("reconcile")


class Enqueue(Protocol):
    """Has an object reconciled."""

    def __call__(self, key: Key, *, delay: float = 0.0) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan that followed from `basis` alone, the timeline it plays, and what was wrong.

    Without a basis it also followed from what was on air before.
    """

    basis: object
    plan: Plan
    timeline: Timeline | None
    problems: tuple[Problem, ...]
    parts: Parts = field(repr=False)
    """For the next plan."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a program was last made of."""

    parts: frozenset[Key]  # itself, its timeline, overlays, cameras and outputs
    problems: tuple[Problem, ...] = ()
    images: tuple[Path, ...] = ()
    shown: tuple[Shown, ...] = ()  # the images and clips that fill the frame
    clips: dict[Path, bool] = field(default_factory=dict)  # whether each is there
    planned: Planned | None = None

    @property
    def timeline(self) -> Timeline | None:
        """The last that could be compiled."""
        return self.planned.timeline if self.planned is not None else None


@dataclass(slots=True)
class Appliance:
    """The context of every handler. The controller makes it, and sets what depends on the loop."""

    state_dir: Path
    store: Store
    playouts: Playouts
    assets: Assets
    salt: bytes
    made: dict[Key, Made] = field(default_factory=dict)  # by program
    errors: dict[Key, VistterError] = field(default_factory=dict)  # how the last attempt ended
    stopped: bool = False  # everything was taken off air
    gathered: bool = False  # every program was looked at once
    statuses: Statuses = field(init=False)
    enqueue: Enqueue = field(init=False)

    def outcome(self, key: Key, error: VistterError | None) -> None:
        """Keep how an attempt at `key` ended, and show it."""
        if error is None:
            self.errors.pop(key, None)
        else:
            self.errors[key] = error
        self.statuses.request(key)

    def tell(self, key: Key, reason: str, message: str, type: EventType = EventType.NORMAL) -> None:
        """Write an event down."""
        self.record(NewEvent(key, reason, message, type))

    def record(self, event: NewEvent) -> None:
        """Write an event down; one that the store refuses is in the log, and changes nothing else."""
        try:
            self.store.record(event)
        except VistterError as error:
            log.warning(
                "an event could not be written",
                object=str(event.regarding),
                reason=event.reason,
                message=event.message,
                error=error.message,
            )

    def users(self, key: Key) -> Iterator[Playout]:
        """The playouts of the programs that `key` is a part of."""
        for program, made in sorted(self.made.items()):
            if key in made.parts:
                yield self.playouts.of(program)

    def problems(self, resource: Resource) -> tuple[Problem, ...]:
        """Everything the user has to change about `resource`."""
        seen = (problem for program in self.made for problem in self.unshowable(program))
        told = (*(problem for made in self.made.values() for problem in made.problems), *seen)
        mine = (problem for problem in told if problem.key == resource.key)
        found = [*dangling(self.store, resource), *mine]
        if isinstance(resource, Output):
            found += clashes(self.state_dir, resource, self.store.list("Output")[0])
        return distinct(found)

    def unshowable(self, program: Key) -> tuple[Problem, ...]:
        """The images and clips of `program` that its playout cannot show."""
        made, said = self.made.get(program), self.playouts.of(program).status
        return tuple(unshowable(made.shown, said)) if made is not None and said is not None else ()

    def verdict(self, resource: Resource) -> Verdict | None:
        """What there is to say of `resource` before anybody looks at what runs; None where it is in order."""
        error = self.errors.get(resource.key)
        if error is not None:
            return verdict.of_error(error)
        if told := verdict.of_problems(self.problems(resource)):
            return told
        if self.stopped and resource.kind in ("Camera", "Output", "Program"):
            return Verdict(False, "Stopped", "Everything was taken off air; vistter run puts it on again.")
        return None

    def knows(self, resource: Resource) -> bool:
        """Whether enough is known to say anything of `resource`. At the start of a controller that is not so
        until the programs were gathered and their playouts looked for; what was said before holds till then.
        """
        if not self.gathered:
            programs = {program.key for program in self.store.list("Program")[0]}
            self.gathered = programs <= self.made.keys() | self.errors.keys()
        carriers = {resource.key} if resource.kind == "Program" else self.carriers(resource.key)
        playouts = [self.playouts.of(program) for program in carriers]
        sought = all(playout.sought or playout.silent for playout in playouts)
        return (self.gathered and sought) or resource.key in self.errors

    def make(self, program: Key, made: Made | None) -> None:
        """Keep what `program` is made of now, and have the statuses of what joined or left it written."""
        before = self.made.pop(program, None)
        if made is not None:
            self.made[program] = made
        self.statuses.request(*sorted(_parts(before) | _parts(made)))

    def uses(self, program: Key, parts: frozenset[Key]) -> None:
        """`program` is made of `parts` from now on; the rest is not known yet."""
        before = self.made.get(program)
        if before is None:
            self.make(program, Made(parts))
        elif before.parts != parts:
            self.make(program, replace(before, parts=parts))

    def carriers(self, part: Key) -> Iterable[Key]:
        """The programs that `part` is, or until now was, a part of."""
        return [program for program, made in self.made.items() if part in made.parts]


def _parts(made: Made | None) -> frozenset[Key]:
    return made.parts if made is not None else frozenset()
