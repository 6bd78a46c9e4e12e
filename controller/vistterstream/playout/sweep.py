"""Ends what a dead playout left behind, and nothing else."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import anyio

from vistterstream.base.processes import dismiss, owned, signal_owned
from vistterstream.playout.files import SOCKET

_GRACE = 1.5  # seconds; a recording wants to write its end
_LIMIT = 5.0
_POLL = 0.05


async def sweep(folder: Path) -> list[int]:
    """End every process that carries the mark of `folder` (but this one), remove its socket; the pids.

    Their inputs ended with the playout, so most end by themselves; SIGTERM now and SIGKILL after a
    second and a half see to the rest. A process is known by its environment, checked through a pidfd:
    never by its number or name.
    """
    mine = {os.getpid()}
    found = [pid for pid in owned(folder) if pid not in mine]
    dismiss(folder)
    started = time.monotonic()
    while left := [pid for pid in owned(folder) if pid not in mine]:
        passed = time.monotonic() - started
        if passed > _LIMIT:
            break  # in the kernel's hands (uninterruptible); nothing more can be done
        if passed > _GRACE:
            for pid in left:
                signal_owned(folder, pid, signal.SIGKILL)
        await anyio.sleep(_POLL)
    (folder / SOCKET).unlink(missing_ok=True)
    return found
