from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vistterstream.reconcile.lock import Taken, state_lock

HOLDER = """
import sys
from pathlib import Path
from vistterstream.reconcile.lock import state_lock
with state_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_controller_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Taken) as refused, state_lock(tmp_path):
            pass
        assert refused.value.pid == holder.pid
        assert refused.value.message == (
            f"another controller (pid {holder.pid}) already runs on {tmp_path}; "
            "end it first, or choose another folder with --state-dir"
        )
        holder.kill()  # as hard as can be
        holder.wait()
        with state_lock(tmp_path):
            assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_the_folder_is_made_for_its_owner_alone_and_the_lock_is_let_go(tmp_path: Path) -> None:
    state = tmp_path / "a" / "state"
    for _ in range(2):
        with state_lock(state):
            assert state.stat().st_mode & 0o777 == 0o700


def test_children_do_not_inherit_the_lock(tmp_path: Path) -> None:
    """A playout outlives its controller and must not keep the next one out."""
    with state_lock(tmp_path):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with state_lock(tmp_path):
            assert child.poll() is None
    finally:
        child.kill()
        child.wait()
