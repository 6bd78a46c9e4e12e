"""An event loop whose clock jumps to the next timer as soon as nothing is left to do.

Hours pass in milliseconds, and a test that measures time gets exact figures. Work in anyio's threads is
waited for, and takes no time on this clock. Not for child processes and sockets: their work takes real time,
which this clock does not see.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

import anyio

_THREAD_PATIENCE = 10.0  # seconds of real time that work in a thread may take


class _Jumping(selectors.DefaultSelector):
    """A selector that, instead of waiting, moves the loop's clock on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.threads_at_work: Callable[[], bool] = lambda: False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.threads_at_work():
            ready = super().select(_THREAD_PATIENCE)
            assert ready, "work in a thread did not end"
            return ready
        if timeout is None:
            raise RuntimeError("the test waits for something that nothing is going to do")
        self.now += max(timeout, 1e-9)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """The event loop; give it to anyio as ``loop_factory``."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def wait_for_threads(self) -> None:
        """Let the clock stand while a thread works. To be called in the loop."""
        limiter = anyio.to_thread.current_default_thread_limiter()
        self._jumping.threads_at_work = lambda: limiter.borrowed_tokens > 0


BACKEND: tuple[str, dict[str, Any]] = ("asyncio", {"loop_factory": VirtualLoop})
