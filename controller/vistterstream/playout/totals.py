"""What an output has counted: the pushers that carry it, one after the other, share it."""

from __future__ import annotations

from vistterstream.playout.hub import Subscription


class Totals:
    """Counts of one output since its playout began to carry it; none of them ever falls."""

    def __init__(self) -> None:
        self.starts = 0  # of processes
        self.restarts: dict[str, int] = {}  # failures, by reason
        self._bytes = 0
        self._dropped_groups = 0
        self._queues: set[Subscription] = set()  # those that still count: two while a pusher makes way

    @property
    def bytes(self) -> int:
        """Handed to processes."""
        return self._bytes + sum(queue.bytes for queue in self._queues)

    @property
    def dropped_groups(self) -> int:
        """Groups of pictures that were left out."""
        return self._dropped_groups + sum(queue.dropped_groups for queue in self._queues)

    def failed(self, reason: str) -> None:
        """Count a failure."""
        self.restarts[reason] = self.restarts.get(reason, 0) + 1

    def follow(self, queue: Subscription) -> None:
        """Count what `queue` counts, too."""
        self._queues.add(queue)

    def settle(self, queue: Subscription) -> None:
        """`queue` has ended: keep what it had counted."""
        self._queues.discard(queue)
        self._bytes += queue.bytes
        self._dropped_groups += queue.dropped_groups
