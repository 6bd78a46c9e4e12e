from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from store.objects import camera, key
from vistterstream.base.errors import PermanentError, TemporaryError
from vistterstream.resources.kinds import Camera
from vistterstream.store.database import SCHEMA_VERSION, Database
from vistterstream.store.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


def filled(path: Path, count: int = 50) -> None:
    store = Store(path)
    with store.batch():
        for number in range(count):
            store.apply(camera(f"camera-{number}"), manager="file")
    store.close()


def test_the_file_and_its_side_files_are_for_their_owner_alone(path: Path) -> None:
    path.touch(mode=0o644)
    umask = os.umask(0)
    try:
        store = Store(path)
        store.apply(camera("wharf"), manager="file")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        store.close()
    finally:
        os.umask(umask)
    assert len(modes) > 1
    assert set(modes.values()) == {0o600}


@pytest.mark.slow
def test_a_second_process_is_refused_while_the_first_has_the_file(path: Path) -> None:
    store = Store(path)
    with pytest.raises(PermanentError, match="in use by another process"):
        Store(path)  # nor a second time in the same one, which must not let go of the first one's lock
    code = (
        "import sys; from pathlib import Path; from vistterstream.store.store import Store; "
        "Store(Path(sys.argv[1]))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    store.close()
    assert other.returncode != 0
    assert "is in use by another process" in other.stderr
    Store(path).close()


def test_a_store_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    filled(path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(PermanentError, match=r"newer VistterStream .store version 2; this one reads up to 1"):
        Store(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (value)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(PermanentError, match="not a VistterStream store"):
        Store(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"apiVersion: v1\n" * 500)
    with pytest.raises(PermanentError, match="is damaged") as refused:
        Store(path)
    assert refused.value.reason == "StoreDamaged"


@pytest.mark.parametrize("page", [0, 1, 3])
def test_a_damaged_page_is_refused_with_a_sentence_that_says_what_to_do(path: Path, page: int) -> None:
    filled(path)
    data = bytearray(path.read_bytes())
    start = page * 4096 + (100 if page == 0 else 0)
    data[start : start + 2000] = b"\xa5" * 2000
    path.write_bytes(bytes(data))
    with pytest.raises(PermanentError, match=r"is damaged .*Move it away and start again"):
        Store(path)


def test_a_truncated_file_is_refused(path: Path) -> None:
    filled(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(PermanentError, match="is damaged"):
        Store(path)


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="cannot be opened: No such file"):
        Store(tmp_path / "missing" / "store.sqlite3")


def test_a_transaction_that_raises_leaves_nothing(path: Path) -> None:
    database = Database(path)

    def write() -> None:
        with database.transaction(durable=True):
            database.set_meta("one", 1)
            with database.transaction(durable=True):
                database.set_meta("two", 2)
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        write()
    assert (database.meta("one"), database.meta("two")) == (0, 0)
    with database.transaction(durable=False):
        database.set_meta("one", 3)
    assert database.meta("one") == 3
    database.close()


def test_a_full_disk_is_temporary_and_loses_nothing_that_was_acknowledged(path: Path) -> None:
    store = Store(path)
    store.apply(camera("wharf"), manager="file")
    pages = store._database.rows("PRAGMA page_count")[0][0]
    store._database.rows(f"PRAGMA max_page_count={pages}")

    def fill() -> None:
        for number in range(1000):
            store.apply(camera(f"camera-{number}", backup="wharf"), manager="file")

    with pytest.raises(TemporaryError, match=r"cannot be written .*full"):
        fill()
    in_memory = {resource.key for resource in store.list()[0]}
    assert store.referrers(key("wharf")) == in_memory - {key("wharf")}
    store._database.rows("PRAGMA max_page_count=1000000")
    store.apply(camera("after"), manager="file")
    store.close()
    store = Store(path)
    assert {resource.key for resource in store.list()[0]} == in_memory | {key("after")}
    store.close()


def test_while_the_disk_is_full_statuses_are_told_from_memory_and_written_later(path: Path) -> None:
    def told(store: Store, name: str) -> str:
        resource = store.get(key(name))
        assert isinstance(resource, Camera)
        return (resource.status.program or "")[:3]

    def apply_both() -> None:
        with store.batch():
            store.apply(camera("pier", stallAfter="5s"), manager="file")
            for number in range(100):
                store.apply(camera(f"camera-{number}"), manager="file")

    store = Store(path)
    for name in ("wharf", "pier"):
        store.apply(camera(name), manager="file")
        store.set_status(key(name), {"program": "old"})
    before = store.resource_version
    pages = store._database.rows("PRAGMA page_count")[0][0]
    store._database.rows(f"PRAGMA max_page_count={pages}")
    status = {"program": "new" + "x" * 200_000}
    for _ in range(2):
        with pytest.raises(TemporaryError, match="full"):
            store.set_status(key("wharf"), status)
    with pytest.raises(TemporaryError, match="full"):
        apply_both()
    assert (told(store, "wharf"), told(store, "pier")) == ("new", "old")
    changes = store._changes(before, None)
    assert [change.resource.metadata.name for change in changes] == ["wharf"], "watchers have it, too"
    versions = [record.version for record in store._records.values()]
    assert versions == sorted(versions)
    store._database.rows("PRAGMA max_page_count=1000000")
    assert store.set_status(key("wharf"), status), "that it is known does not say that it is written"
    assert not store.set_status(key("wharf"), status)
    store.close()
    store = Store(path)
    assert (told(store, "wharf"), told(store, "pier")) == ("new", "old")
    store.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads what the kernel says")
def test_desired_state_waits_for_the_disk_and_status_does_not(path: Path) -> None:
    """What SQLite was told before each commit, since a power cut cannot be had here."""
    store = Store(path)
    said: list[str] = []
    store._database._connection.set_trace_callback(said.append)
    store.apply(camera("wharf"), manager="file")
    assert said[0] == "PRAGMA synchronous=FULL"
    assert said[-1] == "COMMIT"
    said.clear()
    store.apply(camera("wharf", stallAfter="3s"), manager="file")
    assert said[0] == "PRAGMA synchronous=FULL"
    said.clear()
    store.set_status(key("wharf"), {"observedGeneration": 1})
    assert said[0] == "PRAGMA synchronous=NORMAL"
    said.clear()
    store.delete(key("wharf"), manager="file")
    assert said[0] == "PRAGMA synchronous=FULL"
    store.close()
