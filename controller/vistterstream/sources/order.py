"""The order in which objects are written: what is referred to comes before what refers to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from vistterstream.resources.kinds import Key, Resource
from vistterstream.resources.references import references


def in_order(resources: Iterable[Resource]) -> list[Resource]:
    """`resources`, each after those it refers to; circles are cut somewhere, and always at the same place."""
    waiting = {resource.key: resource for resource in sorted(resources, key=lambda resource: resource.key)}
    ordered: list[Resource] = []
    while waiting:
        # Depth first without recursion: a chain of backups may be longer than the stack.
        stack = [next(iter(waiting))]
        path: set[Key] = set()
        while stack:
            key = stack[-1]
            resource = waiting.get(key)
            if resource is None:
                stack.pop()
            elif key in path:
                ordered.append(waiting.pop(key))
                stack.pop()
            else:
                path.add(key)
                targets = (reference.target for reference in reversed(references(resource)))
                stack += [target for target in targets if target in waiting and target not in path]
    return ordered
