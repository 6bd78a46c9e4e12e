"""Playouts that hang: stopped processes, known by the identity in their folders, on whose sockets nobody
answers.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from vistterstream.base.processes import boot_id, start_time
from vistterstream.playout.files import SOCKET, Identity, write_identity


@contextmanager
def hung(state: Path, *programs: str) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """One for each of `programs`; ended in the end."""
    with ExitStack() as stack:
        yield {program: stack.enter_context(_one(state / "playout" / program)) for program in programs}


@contextmanager
def _one(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir(parents=True)
    process = subprocess.Popen(["sleep", "100"])
    try:
        os.kill(process.pid, signal.SIGSTOP)
        began = start_time(process.pid)
        assert began is not None
        write_identity(folder, Identity(boot_id(), process.pid, began, "nonce"))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder / SOCKET))
            listener.listen()
            yield process
    finally:
        process.kill()
        process.wait(10)
