"""Leak checks for every test: no child process, thread or socket may outlive the test that made it."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from peers.waiting import TookTooLong, until
from vistterstream.base.redaction import redact

# Seconds say nothing about a property on a machine that does other things as well.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

# What a shell runs in the background ignores Ctrl-C, and so would all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

GRACE = 3.0  # seconds for what is ending anyway


@dataclass(frozen=True)
class _Belongings:
    children: frozenset[int]
    threads: frozenset[threading.Thread]
    sockets: frozenset[str]

    def beyond(self, before: _Belongings) -> list[str]:
        """What is here and was not there before, in words."""
        said = [f"child process {pid}: {_command(pid)}" for pid in sorted(self.children - before.children)]
        said += [f"thread {thread.name}" for thread in self.threads - before.threads]
        said += [f"open {socket}" for socket in sorted(self.sockets - before.sockets)]
        return said


def _command(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "gone"
    return command or "a zombie that nobody waited for"


def _children() -> frozenset[int]:
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            found.update(map(int, (task / "children").read_text().split()))
        except OSError:
            continue  # a thread that has just ended
    return frozenset(found)


def _sockets() -> frozenset[str]:
    found: set[str] = set()
    for entry in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{entry}")
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return frozenset(found)


def _belongings() -> _Belongings:
    return _Belongings(_children(), frozenset(threading.enumerate()), _sockets())


@pytest.fixture(autouse=True)
def _no_secrets_of_other_tests() -> Iterator[None]:
    """The process's redactor forgets what a test taught it: its words would be masked in all that follow."""
    known = dict(vars(redact))
    yield
    vars(redact).update(known)


@pytest.fixture(autouse=True)
def _no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    before = _belongings()
    yield
    left = _belongings().beyond(before)
    if not left:
        return
    gc.collect()
    try:
        until(lambda: not _belongings().beyond(before), GRACE, "nothing is left over")
    except TookTooLong:
        left = _belongings().beyond(before)
        pytest.fail(f"{request.node.name} left behind: {'; '.join(left)}", pytrace=False)
