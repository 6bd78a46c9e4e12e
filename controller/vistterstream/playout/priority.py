"""Real-time priority for the threads that frames wait for, where the system grants it.

The clock's thread comes first. What draws ahead for it comes right after. All other threads of a playout come
before what is ordinary, too: each holds Python's lock for moments, and if it were put aside in one of them by
busy encoders, the clock would wait for it with all its priority. They take a small part of a processor.

What takes long in one piece, such as making the pictures of a new plan, is for a thread that has given the
priority up (`yield_it`). So is loading the libraries; but a program is off air meanwhile, so a playout that
starts has the priority for it where no other has (`haste`): two at once would leave two processors to nobody
else, and cameras of programs on air stalled. The processes that a playout starts are ordinary
(`ffmpeg.processes`).
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CLOCK = 10
AHEAD = 5
PLAYOUT = 1

_MARK = "\0vistterstream-playout-starts"  # an abstract address (unix(7)): gone with the process that has it

_libc = ctypes.CDLL(None)


def ask(priority: int) -> bool:
    """Ask for SCHED_RR for this thread and those that it starts, see sched(7); whether it was granted."""
    try:
        os.sched_setscheduler(threading.get_native_id(), os.SCHED_RR, os.sched_param(priority))
    except OSError:
        return False
    return True


def yield_it() -> None:
    """Have this thread be an ordinary one.

    Called through ctypes, which lets go of Python's lock: `os.sched_setscheduler` keeps it, and would be put
    aside with it in that very call.
    """
    _libc.sched_setscheduler(threading.get_native_id(), os.SCHED_OTHER, ctypes.byref(ctypes.c_int(0)))


@contextmanager
def haste() -> Iterator[None]:
    """Come before what is ordinary for the while, where nobody on this machine does and there are two
    processors or more.
    """
    with socket.socket(socket.AF_UNIX) as mark:
        try:
            mark.bind(_MARK)
        except OSError:
            yield
            return
        if len(os.sched_getaffinity(0)) > 1:
            ask(PLAYOUT)
        try:
            yield
        finally:
            yield_it()
