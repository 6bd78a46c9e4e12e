"""A file is replaced whole or not at all, whatever happens in between."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from peers.waiting import until
from vistterstream.base.files import sha256_of, write_atomic


def test_a_file_is_made_and_replaced(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    write_atomic(file, b"one")
    assert file.read_bytes() == b"one"
    write_atomic(file, b"two")
    assert file.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["plan.json"]


def test_only_the_owner_may_read_it_unless_told_otherwise(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        write_atomic(tmp_path / "secret", b"")
        write_atomic(tmp_path / "public", b"", mode=0o644)
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "public").stat().st_mode) == 0o644


def test_replacing_a_readable_file_by_a_private_one_makes_it_private(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_bytes(b"old")
    file.chmod(0o644)
    write_atomic(file, b"new")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_failed_write_leaves_the_old_content_and_no_temporary_file(tmp_path: Path) -> None:
    target = tmp_path / "target"
    (target / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_atomic(target, b"new")  # a folder cannot be replaced by a file
    assert os.listdir(tmp_path) == ["target"]
    assert (target / "in the way").is_dir()


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomic(tmp_path / "nowhere" / "file", b"")


def test_a_reader_sees_the_old_or_the_new_and_nothing_between(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    contents = [bytes([65 + index]) * 200_000 for index in range(4)]
    write_atomic(file, contents[0])
    torn: list[bytes] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            data = file.read_bytes()
            if data not in contents:
                torn.append(data)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for index in range(60):
            write_atomic(file, contents[index % 4])
    finally:
        done.set()
        reader.join()
    assert not torn


def test_a_writer_that_is_killed_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    code = (
        "import itertools, sys; from pathlib import Path; from vistterstream.base.files import write_atomic\n"
        "for n in itertools.count():\n"
        "    write_atomic(Path(sys.argv[1]), bytes([65 + n % 26]) * 500_000)\n"
    )
    for _ in range(4):
        writer = subprocess.Popen([sys.executable, "-c", code, str(file)])
        try:
            before = file.stat().st_ino if file.exists() else 0
            until(lambda: file.exists() and file.stat().st_ino != before, 10, "the writer writes")  # noqa: B023
        finally:
            writer.send_signal(signal.SIGKILL)
            writer.wait(10)
        data = file.read_bytes()
        assert len(data) == 500_000
        assert len(set(data)) == 1


def test_the_digest_of_a_file_is_that_of_its_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")  # FIPS 180-4's example
    assert sha256_of(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
