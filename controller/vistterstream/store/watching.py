"""What a watch sees.

The objects themselves are the change log: each carries the version of its last write, and the last objects
that were deleted are remembered with theirs. A watch is a cursor into that order. A watcher that was slow
sees each object once, as it is now; however slow it is, nothing is queued for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import anyio
import anyio.lowlevel

from vistterstream.resources.kinds import Resource


class ChangeType(StrEnum):
    """What happened to the object since the watcher last looked."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Change:
    """An object as it is now, or, deleted, as it last was. `resource_version` is where to resume."""

    type: ChangeType
    resource: Resource
    resource_version: int


class Signal:
    """Wakes those who wait for a version that does not exist yet."""

    def __init__(self) -> None:
        self._waiting: set[anyio.Event] = set()
        self._version = 0
        self._closed = False

    def ring(self, version: int) -> None:
        """`version` exists."""
        self._version = version
        self._wake()

    def close(self) -> None:
        """There will be no more versions."""
        self._closed = True
        self._wake()

    async def wait_past(self, version: int) -> bool:
        """Wait for a version after `version`; False where there will be none."""
        if self._version > version or self._closed:
            await anyio.lowlevel.checkpoint()
            return not self._closed
        event = anyio.Event()
        self._waiting.add(event)
        try:
            await event.wait()
        finally:
            self._waiting.discard(event)
        return not self._closed

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()
        self._waiting.clear()


@dataclass(frozen=True, slots=True)
class Deleted:
    """An object that went: its last state, and the versions of its first and last write."""

    resource: Resource
    created_version: int
    version: int
