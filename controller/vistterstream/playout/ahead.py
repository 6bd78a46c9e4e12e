"""Draws what frames that come will show, on a thread beside the clock's.

What a layer looks like follows from its *state*, which is found fast (where it stands, what it says). Drawing
a state may take longer than a frame lasts; so the states of frames to come are drawn ahead. A state that is
not ready when its frame is due is drawn then and there: a frame may be late, never wrong.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor

from vistterstream.playout import priority
from vistterstream.playout.sprites import Looks

FRAMES = 4
"""How many frames are drawn ahead."""

Draw = Callable[[Hashable], Looks]


class Worker:
    """The thread that draws ahead for the layers of scenes; it starts with the first that wants it.

    Scenes that follow each other share it, since one takes over what another drew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 1
        self._pool: ThreadPoolExecutor | None = None
        self._ended = False

    def shared(self) -> Worker:
        """The same, for one scene more; a new one where its thread has ended."""
        with self._lock:
            if self._ended:
                return Worker()
            self._users += 1
            return self

    @property
    def wanted(self) -> bool:
        """Whether anything is drawn ahead."""
        return self._pool is not None

    def start(self) -> None:
        """Start the thread: not from the clock's, whose priority it would inherit."""
        with self._lock:
            if self._pool is None and not self._ended:
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="overlays-ahead")
                self._pool.submit(priority.ask, priority.AHEAD)

    def submit(self, draw: Draw, state: Hashable) -> Future[Looks] | None:
        """Have the state drawn; None where nothing is drawn ahead."""
        pool = self._pool
        return None if pool is None else pool.submit(draw, state)

    def close(self) -> None:
        """One scene less; after the last the thread ends, and everything is drawn when it is due."""
        with self._lock:
            self._users = max(self._users - 1, 0)
            if self._users:
                return
            pool, self._pool, self._ended = self._pool, None, True
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


class Ahead:
    """What one layer looks like, by its state; for one thread. `draw` may be called on another meanwhile."""

    def __init__(self, draw: Draw, worker: Worker) -> None:
        worker.start()
        self._draw, self._worker = draw, worker
        self._coming: OrderedDict[Hashable, Future[Looks]] = OrderedDict()
        self._last: tuple[Hashable, Looks] | None = None
        self.missed = 0
        """States that were not ready when they were due."""

    def at(self, state: Hashable) -> Looks:
        """What that state looks like."""
        if self._last is None or self._last[0] != state:
            self._last = (state, self._due(state))
        return self._last[1]

    def foresee(self, state: Hashable) -> None:
        """Have that state ready in some frames."""
        if state in self._coming or (self._last is not None and self._last[0] == state):
            return
        future = self._worker.submit(self._draw, state)
        if future is None:
            return
        self._coming[state] = future
        while len(self._coming) > FRAMES:
            self._coming.popitem(last=False)[1].cancel()

    def _due(self, state: Hashable) -> Looks:
        future = self._coming.pop(state, None)
        if future is not None and future.done() and not future.cancelled():
            return future.result()
        if future is not None:
            future.cancel()
        self.missed += 1
        return self._draw(state)
