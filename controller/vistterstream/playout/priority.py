"""Real-time priority for the threads that frames wait for, where the system grants it.

The clock's thread comes first. What draws ahead for it comes right after, and before everything else: it
holds Python's lock for moments, and if it were put aside in one of them by a busy encoder, the clock would
wait for it with all its priority.

A playout that starts comes before what is ordinary, too, until its processes run: nothing of its program is
seen meanwhile, and on a machine that is busy with others it would take thrice as long.
"""

from __future__ import annotations

import os
import threading

CLOCK = 10
AHEAD = 5
START = 1


def ask(priority: int) -> bool:
    """Ask for SCHED_RR for this thread alone, see sched(7); whether it was granted."""
    try:
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(threading.get_native_id(), policy, os.sched_param(priority))
    except OSError:
        return False
    return True


def yield_it() -> None:
    """Have this thread be an ordinary one again."""
    os.sched_setscheduler(threading.get_native_id(), os.SCHED_OTHER, os.sched_param(0))
