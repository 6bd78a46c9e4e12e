"""The hub of one encoder: fans its MPEG-TS out to pushers.

It remembers the group of pictures in progress, so that a new pusher starts at once on a key frame, and
gives each pusher a bounded queue: one that does not keep up loses whole groups, while the others notice
nothing. Groups begin at video packets with the random_access_indicator (ISO/IEC 13818-1, 2.4.3.5), which
FFmpeg sets on key frames; PAT and PMT are remembered and put in front of each group.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import anyio

PACKET = 188
_SYNC = b"G"
_UNIT_STARTS = 0x40  # payload_unit_start_indicator
_PAT_PID = 0
_PMT_PID = 0x1000  # FFmpeg's default
_VIDEO_PID = 0x100
_MAX_GROUP = 32 << 20  # bytes of one group kept for newcomers


@dataclass(frozen=True)
class Piece:
    """Some whole packets; `starts` tells that a group begins with them."""

    data: bytes
    starts: bool


class GroupSplitter:
    """Cuts an encoder's stream into pieces at packet and group boundaries."""

    def __init__(self) -> None:
        self._rest = b""
        self._tables: dict[int, bytes] = {}

    def reset(self) -> None:
        """Another encoder follows: forget the unfinished packet of the one before."""
        self._rest = b""

    def feed(self, data: bytes) -> list[Piece]:
        """The pieces that `data` completes. Raises ValueError where it is not MPEG-TS."""
        data = self._rest + data
        whole = len(data) - len(data) % PACKET
        self._rest = data[whole:]
        if not whole:
            return []
        if data[:whole:PACKET].count(_SYNC) != whole // PACKET:
            raise ValueError("the encoder's output is not aligned MPEG-TS")
        firsts = data[
            1:whole:PACKET
        ]  # of the two bytes that have a packet's id: the flags, and its upper bits
        for pid in (_PAT_PID, _PMT_PID):
            for place in _beginnings(data, firsts, pid):
                self._tables[pid] = data[place : place + PACKET]
        starts = [place for place in _beginnings(data, firsts, _VIDEO_PID) if _random_access(data, place)]
        return self._cut(data[:whole], starts)

    def _cut(self, data: bytes, starts: list[int]) -> list[Piece]:
        pieces: list[Piece] = []
        edges = [0, *starts, len(data)]
        if edges[1]:
            pieces.append(Piece(data[: edges[1]], starts=False))
        tables = b"".join(self._tables.values())
        pieces.extend(Piece(tables + data[begin:end], starts=True) for begin, end in pairwise(edges[1:]))
        return pieces


def _beginnings(data: bytes, firsts: bytes, pid: int) -> Iterator[int]:
    """Where in `data` the packets lie with which a picture or a table of `pid` begins; `firsts` has the
    second byte of each packet. Looks closely at few packets only, and costs next to nothing.
    """
    first, second = _UNIT_STARTS | pid >> 8, pid & 0xFF
    index = firsts.find(first)
    while index >= 0:
        if data[index * PACKET + 2] == second:
            yield index * PACKET
        index = firsts.find(first, index + 1)


def _random_access(data: bytes, place: int) -> bool:
    """Whether the packet at `place` has the random_access_indicator."""
    return data[place + 3] & 0x20 != 0 and data[place + 4] > 0 and data[place + 5] & 0x40 != 0


class Subscription:
    """A pusher's queue: `write` feeds its stdin, `offer` fills it."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._queue: deque[Piece] = deque()
        self._queued = 0
        self._written = 0  # of the piece at the head
        self._skipping = True  # until a group starts
        self._more = anyio.Event()
        self._descriptor: int | None = None
        self._last_write = time.monotonic()
        self.bytes = 0
        self.dropped_groups = 0

    def offer(self, piece: Piece) -> None:
        """Queue `piece`; where there is no room, give up whole groups, the oldest first."""
        if piece.starts:
            self._skipping = False
        if self._skipping:
            return
        if self._queued + len(piece.data) > self._limit():
            self._drop()
            if not piece.starts:
                self._skipping = True
                return
        idle = not self._queue
        if idle:
            self._last_write = time.monotonic()  # until now nothing could have been taken
        self._queue.append(piece)
        self._queued += len(piece.data)
        if not (idle and self._written_at_once()):
            self._more.set()

    def blocked_for(self, now: float) -> float:
        """Seconds since anything was taken although something waits; 0 when nothing waits."""
        return now - self._last_write if self._queue else 0.0

    async def write(self, descriptor: int) -> None:
        """Write to `descriptor`, a non-blocking pipe, until it breaks or this is cancelled."""
        self._descriptor = descriptor
        try:
            while True:
                while not self._queue:  # what came may have been given up again before this wakes
                    self._more = anyio.Event()
                    await self._more.wait()
                try:
                    self._write_some(descriptor)
                except BlockingIOError:
                    await anyio.wait_writable(descriptor)
        except BrokenPipeError:
            return
        finally:
            self._descriptor = None

    def _written_at_once(self) -> bool:
        """Write without waking the task of `write`, which is for a pipe that is full, or broken."""
        if self._descriptor is None:
            return False
        try:
            self._write_some(self._descriptor)
        except (BlockingIOError, BrokenPipeError):
            return False
        return not self._queue

    def _write_some(self, descriptor: int) -> None:
        """Write of the piece at the head what the pipe takes; raises BlockingIOError, BrokenPipeError."""
        head = memoryview(self._queue[0].data)[self._written :]
        count = os.write(descriptor, head)
        self._last_write = time.monotonic()
        self.bytes += count
        self._written += count
        if self._written == len(self._queue[0].data):
            self._queued -= self._written
            self._written = 0
            self._queue.popleft()

    def _drop(self) -> None:
        """Empty the queue, but for what has been begun."""
        kept = [self._queue.popleft()] if self._written else []
        self.dropped_groups += max(1, sum(piece.starts for piece in self._queue))
        self._queue.clear()
        self._queue.extend(kept)
        self._queued = sum(len(piece.data) for piece in kept)


class Hub:
    """One encoder's stream, for any number of subscriptions."""

    def __init__(self, bitrate: int) -> None:
        self._splitter = GroupSplitter()
        self._group: list[Piece] = []
        self._group_size = 0
        self._subscriptions: set[Subscription] = set()
        # Eight seconds of the nominal rate: what a short outage of a network may hold back.
        self._limit = max(1 << 20, bitrate)
        self.bytes = 0

    def restart(self) -> None:
        """Another encoder follows."""
        self._splitter.reset()

    def feed(self, data: bytes) -> None:
        """Pass on what the encoder wrote. Raises ValueError where it is not MPEG-TS."""
        self.bytes += len(data)
        for piece in self._splitter.feed(data):
            self._remember(piece)
            for subscription in self._subscriptions:
                subscription.offer(piece)

    def subscribe(self) -> Subscription:
        """A new queue, which begins with the group in progress."""
        subscription = Subscription(lambda: self._limit + self._group_size)
        for piece in self._group:
            subscription.offer(piece)
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Nothing more for this queue."""
        self._subscriptions.discard(subscription)

    def _remember(self, piece: Piece) -> None:
        if piece.starts:
            self._group.clear()
            self._group_size = 0
        elif not self._group or self._group_size > _MAX_GROUP:
            return  # newcomers wait for the next group
        self._group.append(piece)
        self._group_size += len(piece.data)
