"""Real-time priority for the threads that frames wait for, where the system grants it.

The clock's thread comes first. What draws ahead for it comes right after, and before everything else: it
holds Python's lock for moments, and if it were put aside in one of them by a busy encoder, the clock would
wait for it with all its priority.
"""

from __future__ import annotations

import os
import threading

CLOCK = 10
AHEAD = 5


def ask(priority: int) -> bool:
    """Ask for SCHED_RR for this thread alone, see sched(7); whether it was granted."""
    try:
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(threading.get_native_id(), policy, os.sched_param(priority))
    except OSError:
        return False
    return True
