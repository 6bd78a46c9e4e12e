"""``python -m vistterstream.playout FOLDER``: run the playout of that folder until it is asked to stop.

It needs no controller: everything it does stands in the folder. SIGTERM and SIGINT stop it in order.

A program is off air until this is up, so that what takes long is done at once: what a dead playout left
behind is asked to end before the libraries are loaded, which takes a second, and ends meanwhile.
"""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

from vistterstream.base.memory import undisturbed
from vistterstream.base.processes import dismiss
from vistterstream.playout import priority

_LOCK = "lock"
_SWITCH_INTERVAL = 0.0005  # seconds; the clock must not wait 5 ms for Python's lock


def main() -> int:
    """Run; the exit status."""
    folder = Path(sys.argv[1]).absolute()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    sys.modules["rich"] = None  # type: ignore[assignment]  # structlog would load it, for terminals alone
    with (folder / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            from vistterstream.playout.service import refuse

            return refuse(folder)
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy multiplies small matrices alone
        dismiss(folder)
        with priority.haste(), undisturbed():
            from vistterstream.playout.service import run
        priority.ask(priority.PLAYOUT)
        return run(folder)


if __name__ == "__main__":
    sys.exit(main())
