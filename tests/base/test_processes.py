"""A process is known by more than its number, and only the right one is ever signalled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peers.waiting import until
from vistterstream.base.processes import (
    OWNER_VARIABLE,
    boot_id,
    dismiss,
    owned,
    pidfd,
    signal_owned,
    start_time,
)


@contextmanager
def sleeper(**environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["/bin/sleep", "60"], env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def test_the_boot_has_one_identity() -> None:
    assert boot_id() == boot_id()
    assert len(boot_id()) == 36


def test_a_process_keeps_its_start_time_and_another_one_has_another() -> None:
    with sleeper() as process:
        mine, other = start_time(os.getpid()), start_time(process.pid)
        assert mine is not None
        assert other is not None
        assert mine == start_time(os.getpid())
        assert mine < other


def test_the_start_time_is_read_whatever_the_process_calls_itself(tmp_path: Path) -> None:
    program = tmp_path / "a) R (b 1 2"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as process:
        found = start_time(process.pid)
        process.kill()
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        later = start_time(process.pid)
        process.kill()
    assert found is not None
    assert later is not None
    assert 0 <= later - found < 1000, "within ten seconds of each other"


def test_a_zombie_and_a_process_that_never_was_count_as_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    try:
        until(lambda: start_time(process.pid) is None, 10, "the process has ended")
        assert Path(f"/proc/{process.pid}").exists(), "it is a zombie, nobody has waited for it"
    finally:
        process.wait(10)
    assert start_time(process.pid) is None
    assert start_time(2**22 + 1) is None  # beyond the kernel's highest pid


def test_a_pidfd_is_for_the_while_and_none_where_there_is_no_process() -> None:
    with pidfd(os.getpid()) as descriptor:
        assert descriptor is not None
        os.fstat(descriptor)
    assert not Path(f"/proc/self/fd/{descriptor}").exists()
    with pidfd(2**22 + 1) as nothing:
        assert nothing is None


def test_only_processes_that_carry_the_mark_of_exactly_that_folder_are_owned(tmp_path: Path) -> None:
    folder, longer = tmp_path / "main", tmp_path / "main2"
    with (
        sleeper(**{OWNER_VARIABLE: str(folder)}) as marked,
        sleeper(**{OWNER_VARIABLE: str(longer)}),
        sleeper(OTHER=f"{OWNER_VARIABLE}={folder}"),
        sleeper(),
    ):
        assert owned(folder) == [marked.pid]
    assert owned(folder) == []


def test_a_signal_reaches_an_owned_process_and_no_other(tmp_path: Path) -> None:
    with sleeper(**{OWNER_VARIABLE: str(tmp_path)}) as mine, sleeper() as stranger:
        assert not signal_owned(tmp_path, stranger.pid, signal.SIGKILL)
        assert not signal_owned(tmp_path, os.getpid(), signal.SIGKILL)
        assert not signal_owned(tmp_path, 2**22 + 1, signal.SIGKILL)
        assert signal_owned(tmp_path, mine.pid, signal.SIGTERM)
        assert mine.wait(10) == -signal.SIGTERM
        assert stranger.poll() is None
    assert not signal_owned(tmp_path, mine.pid, signal.SIGTERM)


def test_all_that_is_owned_is_asked_to_end_and_nobody_else(tmp_path: Path) -> None:
    with sleeper(**{OWNER_VARIABLE: str(tmp_path)}) as mine, sleeper() as stranger:
        dismiss(tmp_path)
        assert mine.wait(10) == -signal.SIGTERM
        assert stranger.poll() is None
