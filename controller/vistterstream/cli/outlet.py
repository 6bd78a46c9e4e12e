"""Streams that take what they are given at once, whether or not anybody reads it.

A terminal that was stopped with Ctrl-S, an SSH line that hangs, or ``| tee`` on a full disk take no output.
Whoever writes there waits, and a controller must not: it keeps what is on air there. So a thread writes, and
what it cannot get rid of is dropped beyond `LIMIT`, counted, and told when the stream moves again.
"""

from __future__ import annotations

import atexit
import os
import select
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TextIO, cast

LIMIT = 1 << 18
"""Bytes that are kept for a stream that takes nothing."""
PATIENCE = 0.4
"""Seconds that the end of the process waits for its streams."""


class Outlet:
    """A text stream onto a descriptor; `write` never waits and never fails."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor = descriptor
        self._terminal = os.isatty(descriptor)
        self._queue: deque[bytes] = deque()
        self._size = 0  # bytes of the queue and of what is being written
        self._lost = 0  # lines
        self._closed = False
        self._change = threading.Condition()
        threading.Thread(target=self._work, name=f"outlet-{name}", daemon=True).start()

    def write(self, text: str, /) -> int:
        """Have `text` written; it is lost where too much waits already."""
        data = text.encode(self.encoding, self.errors)
        with self._change:
            if self._size + len(data) > LIMIT:
                self._lost += max(1, text.count("\n"))
            elif data:
                self._queue.append(data)
                self._size += len(data)
                self._change.notify_all()
        return len(text)

    def flush(self) -> None:
        """It is on its way; `settle` waits for it."""

    def settle(self, seconds: float) -> bool:
        """Wait until everything is written, at most for `seconds`; whether it is."""
        with self._change:
            return self._change.wait_for(lambda: not self._size, seconds)

    def close(self) -> None:
        """Take nothing more; the thread ends when it has written what there is. The descriptor stays open."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._terminal

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    return
                data = self._queue.popleft()
            self._put(data)
            with self._change:
                self._size -= len(data)
                if self._lost and not self._queue:
                    told = f"({self._lost} lines were lost: nobody took them.)\n".encode()
                    self._lost = 0
                    self._queue.append(told)
                    self._size += len(told)
                self._change.notify_all()

    def _put(self, data: bytes) -> None:
        """Write all of it, however long that takes; where nobody reads any more, it is gone."""
        with suppress(OSError):
            while data:
                try:
                    data = data[os.write(self._descriptor, data) :]
                except BlockingIOError:  # somebody who shares the stream made it so
                    select.select([], [self._descriptor], [])


def install() -> None:
    """Let stdout and stderr of this process be outlets from now on; at its end they get `PATIENCE`."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, Outlet):
            stream.flush()
            setattr(sys, name, cast(TextIO, Outlet(stream.fileno(), name)))
    atexit.register(settle)


def settle(seconds: float = PATIENCE) -> None:
    """Give the outlets of this process so long, together, to write what they have."""
    deadline = time.monotonic() + seconds
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Outlet):
            stream.settle(max(0.0, deadline - time.monotonic()))
