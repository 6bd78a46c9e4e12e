"""Where the controller's local socket is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOCKET = "control.sock"


@contextmanager
def reachable(folder: Path) -> Iterator[str]:
    """A path of the socket in `folder` that fits a socket address, which holds 107 bytes (unix(7)): it goes
    through ``/proc/self/fd`` of the opened folder. OSError where there is no such folder.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)
