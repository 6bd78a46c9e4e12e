"""One controller for a state folder: flock(2) on ``STATE/lock``, which the kernel lets go when it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vistterstream.base.errors import PermanentError


class Taken(PermanentError):
    """Another controller runs on the state folder; `pid` is its process where that can be told."""

    def __init__(self, state_dir: Path, pid: int | None) -> None:
        who = f" (pid {pid})" if pid is not None else ""
        super().__init__(
            f"another controller{who} already runs on {state_dir}; "
            "end it first, or choose another folder with --state-dir",
            reason="AlreadyRunning",
        )
        self.pid = pid


@contextmanager
def state_lock(state_dir: Path) -> Iterator[None]:
    """Hold the lock of `state_dir`, which is made (0700) where it is missing. Raises Taken, OSError."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(state_dir, _pid(descriptor)) from None
        mine = f"{os.getpid()}\n".encode()
        os.pwrite(descriptor, mine, 0)  # in place, which takes no room on a disk that is full
        os.ftruncate(descriptor, len(mine))
        yield
    finally:
        os.close(descriptor)


def _pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdigit() else None
