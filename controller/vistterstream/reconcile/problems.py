"""What is wrong with what users wrote, in words that tell them what to do. Pure, but for reading a store."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from vistterstream.resources.kinds import Key, Resource
from vistterstream.resources.references import references
from vistterstream.timeline import compile as compiler


class Lookup(Protocol):
    """Finds objects, and those that refer to them: the store, or a set of manifests."""

    def get(self, key: Key) -> Resource | None: ...  # noqa: D102
    def referrers(self, key: Key) -> Collection[Key]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about object `key` that the user has to change; `path` is the field that says so."""

    key: Key
    path: str
    reason: str
    message: str


def dangling(store: Lookup, resource: Resource) -> list[Problem]:
    """The references of `resource` that lead nowhere."""
    return [
        Problem(
            resource.key,
            reference.path,
            f"{reference.target.kind}NotFound",
            f"{reference.target} does not exist; create it or change {reference.path}",
        )
        for reference in references(resource)
        if store.get(reference.target) is None
    ]


def of_compiler(namespace: str, problems: Iterable[compiler.Problem]) -> list[Problem]:
    """What the compiler had to leave out, as problems of the objects in `namespace`."""
    return [
        Problem(Key(told.kind, namespace, told.name), told.path, "Incomplete", f"{told.path}: {told.message}")
        for told in problems
    ]


def distinct(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """`problems` without those about a field of which an earlier one speaks."""
    first: dict[tuple[Key, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.key, problem.path), problem)
    return tuple(first.values())


def summary(problems: Collection[Problem], *, at_most: int = 3) -> str:
    """One line about all of them; beyond `at_most` they are only counted."""
    shown = [problem.message for problem in problems][:at_most]
    rest = len(problems) - len(shown)
    return "; ".join(shown) + (f"; and {rest} more" if rest else "")
