"""A queue of names, and the delays between attempts. Pure: the time is a parameter.

The queue holds names, not events: a name that is added ten times is taken once. A name that is being
worked on is not handed out again before `NameQueue.done`; what is added meanwhile waits for that. Each
name has one due time, the earliest that anybody asked for. (The rules of client-go's workqueue.)
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Generic, TypeVar

N = TypeVar("N")


class NameQueue(Generic[N]):
    """Names with the time from which they may be taken, in that order; equal times in order of arrival."""

    def __init__(self) -> None:
        self._due: dict[N, float] = {}
        self._working: set[N] = set()
        self._heap: list[tuple[float, int, N]] = []  # may hold entries that `_due` has overruled
        self._count = 0

    def add(self, name: N, due: float) -> bool:
        """Let `name` be taken from `due` on. Returns False where it was already due by then."""
        if self._due.get(name, float("inf")) <= due:
            return False
        self._due[name] = due
        self._push(name, due)
        return True

    def take(self, now: float) -> N | None:
        """The first name that is due and not being worked on; it counts as worked on from here."""
        self._drop_overruled()
        if not self._heap or self._heap[0][0] > now:
            return None
        name = heapq.heappop(self._heap)[2]
        del self._due[name]
        self._working.add(name)
        return name

    def done(self, name: N) -> None:
        """The work on `name` has ended; it may be taken again."""
        self._working.discard(name)
        if name in self._due:
            self._push(name, self._due[name])

    def next_due(self) -> float | None:
        """When the next name that is not being worked on may be taken."""
        self._drop_overruled()
        return self._heap[0][0] if self._heap else None

    def depth(self, now: float) -> int:
        """How many names are due and have not been taken."""
        return sum(due <= now for due in self._due.values())

    @property
    def idle(self) -> bool:
        """Nothing is waiting, now or later, and nothing is being worked on."""
        return not self._due and not self._working

    def _push(self, name: N, due: float) -> None:
        if name not in self._working:
            self._count += 1
            heapq.heappush(self._heap, (due, self._count, name))

    def _drop_overruled(self) -> None:
        while self._heap:
            due, _order, name = self._heap[0]
            if self._due.get(name) == due and name not in self._working:
                return
            heapq.heappop(self._heap)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that double from `first` to `cap` seconds, each shortened by up to `jitter` of itself.

    Jitter only shortens, so `cap` is a promise.
    """

    first: float = 0.5
    cap: float = 60.0
    jitter: float = 0.25

    def delay(self, failures: int, chance: float) -> float:
        """Seconds to wait after that many failures in a row (at least 1); `chance` is from 0 to 1."""
        full = min(self.cap, self.first * 2.0 ** min(failures - 1, 64))
        return full * (1 - self.jitter * chance)
