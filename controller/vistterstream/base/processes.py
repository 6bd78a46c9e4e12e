"""Who a process is, beyond its number, which the kernel gives out again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

OWNER_VARIABLE = "VISTTER_PLAYOUT_DIR"
"""Environment variable by which the processes of a playout are known: its folder."""


@cache
def boot_id() -> str:
    """The kernel's identity of this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_time(pid: int) -> int | None:
    """When process `pid` started, in clock ticks since boot (field 22 of proc_pid_stat(5)); None: gone.

    A zombie counts as gone.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


@contextmanager
def pidfd(pid: int) -> Iterator[int | None]:
    """A descriptor of process `pid` for the while, None when there is no such process."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def owned(folder: Path) -> list[int]:
    """Processes that were started for the playout in `folder`, by the mark in their environment."""
    mark = f"{OWNER_VARIABLE}={folder}".encode()
    return [pid for pid in _processes() if mark in _environment(pid)]


def signal_owned(folder: Path, pid: int, number: signal.Signals) -> bool:
    """Signal `pid` if, and only if, it still is a process of the playout in `folder`."""
    with pidfd(pid) as descriptor:
        if descriptor is None or f"{OWNER_VARIABLE}={folder}".encode() not in _environment(pid):
            return False
        try:
            signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return False
        return True


def dismiss(folder: Path) -> None:
    """Ask every process of the playout in `folder`, but this one, to end; wait for none (`playout.sweep`)."""
    for pid in owned(folder):
        if pid != os.getpid():
            signal_owned(folder, pid, signal.SIGTERM)


def _processes() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
