"""Signals that are heard although the event loop is busy: a thread takes them, and tells the loop."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import anyio

END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks a controller to end: Ctrl-C, an init system, a terminal that was closed."""


@contextmanager
def heard(act: Callable[[], None]) -> Iterator[socket.socket]:
    """For the while, `act` is called in a thread of its own at each signal of `END`, and after that a byte
    comes out of the socket. To be used in the main thread.

    The kernel's part of a signal handler writes to the wakeup descriptor at once (`signal.set_wakeup_fd`);
    the Python handler, and with it asyncio's, only runs when the main thread gets to it.
    """
    ours, wakeup = socket.socketpair()
    inner, outer = socket.socketpair()
    for end in (wakeup, inner, outer):
        end.setblocking(False)

    def work() -> None:
        while number := ours.recv(1):
            if number[0] not in END:
                continue
            act()
            with suppress(OSError):  # full of signals, or closed
                inner.send(b"!")

    thread = threading.Thread(target=work, name="signals", daemon=True)
    thread.start()
    before = signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
    handlers = {number: signal.signal(number, _nothing) for number in END}
    try:
        yield outer
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        wakeup.close()  # ends the thread
        thread.join(1.0)
        for end in (ours, inner, outer):
            end.close()


async def one(outer: socket.socket) -> None:
    """Wait for a signal that `heard` tells of."""
    await anyio.wait_readable(outer)
    outer.recv(64)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """The wakeup descriptor has it already."""
