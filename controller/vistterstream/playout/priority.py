"""Real-time priority for the threads that frames wait for, where the system grants it.

The clock's thread comes first. What draws ahead for it comes right after. All other threads of a playout come
before what is ordinary, too: each holds Python's lock for moments, and if it were put aside in one of them by
busy encoders, the clock would wait for it with all its priority. They take a small part of a processor.

What takes long in one piece, such as making the pictures of a new plan, is for a thread that has given the
priority up (`yield_it`). The processes that a playout starts are ordinary (`ffmpeg.processes`).
"""

from __future__ import annotations

import ctypes
import os
import threading

CLOCK = 10
AHEAD = 5
PLAYOUT = 1

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
