# ruff: noqa: ASYNC240 - nothing else runs here
from __future__ import annotations

import io
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
import structlog

from sources.bench import running
from sources.manifests import BROKEN, camera, cameras, program, secret
from sources.unprivileged import unprivileged
from sources.waiting import until
from store.objects import camera as camera_object
from store.objects import key
from vistterstream.base import logs
from vistterstream.base.errors import TemporaryError
from vistterstream.resources import manifests
from vistterstream.resources.kinds import SOURCE_FILE, SOURCE_LINE
from vistterstream.sources import folders
from vistterstream.sources.folders import FolderSource
from vistterstream.sources.ledger import Graces
from vistterstream.sources.loading import Reading
from vistterstream.sources.scan import Scan, scan
from vistterstream.store.events import EventType
from vistterstream.store.records import Record
from vistterstream.store.store import Store

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "state").mkdir()
    store = Store(tmp_path / "state/store.sqlite3")
    yield store
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "manifests"
    path.mkdir()
    return path


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What is logged."""
    before, stream = structlog.get_config(), io.StringIO()
    logs.configure(stream=stream)
    yield stream
    structlog.configure(**before)


def replace(path: Path, text: str) -> None:
    """As most editors save: a new file, renamed into place."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text)
    temporary.replace(path)


# What is there at the start, and edits


async def test_what_is_there_at_the_start_is_applied_before_it_says_that_it_started(
    store: Store, folder: Path
) -> None:
    (folder / "b.yaml").write_text(program())
    (folder / "sub").mkdir()
    (folder / "sub/a.yml").write_text(cameras("wharf", "pier"))
    (folder / "notes.txt").write_text("kind: Camera")
    (folder / "a.yaml~").write_text(camera("backup-copy"))
    async with running(store, folder) as bench:
        assert bench.keys() == {"Camera/wharf", "Camera/pier", "Program/main"}
        assert bench.problems() == []
        annotations = bench.get("pier").metadata.annotations
        assert annotations == {SOURCE_FILE: str(folder / "sub/a.yml"), SOURCE_LINE: "7"}
        assert store.owner(key("wharf")) == "file"


async def test_an_edit_is_applied_whichever_way_it_was_saved(store: Store, folder: Path) -> None:
    path = folder / "a.yaml"
    path.write_text(camera("wharf", 100))
    async with running(store, folder) as bench:
        for tone in range(101, 105):
            if tone % 2:
                replace(path, camera("wharf", tone))
            else:
                path.write_text(camera("wharf", tone))
            await bench.sounds("wharf", tone)
        assert bench.get("wharf").generation == 5


async def test_a_new_file_and_a_new_folder_are_found(store: Store, folder: Path) -> None:
    async with running(store, folder) as bench:
        (folder / "a.yaml").write_text(camera("wharf"))
        await bench.has("wharf")
        (folder / "deep/er").mkdir(parents=True)
        (folder / "deep/er/b.yaml").write_text(camera("pier"))
        await bench.has("wharf", "pier")
        (folder / "deep/er/b.yaml").write_text(cameras("pier", "quay"))
        await bench.has("wharf", "pier", "quay")


async def test_a_burst_of_saves_ends_with_the_last(store: Store, folder: Path) -> None:
    path = folder / "a.yaml"
    async with running(store, folder) as bench:
        for tone in range(1, 200):
            path.write_text(camera("wharf", tone))
        await bench.sounds("wharf", 199)
        assert bench.get("wharf").generation < 100


async def test_many_files_at_once_are_applied_in_an_order_that_lets_references_resolve(
    store: Store, folder: Path
) -> None:
    for number in range(120):
        (folder / f"{number:03}.yaml").write_text(
            camera(f"camera-{number}", backup=f"camera-{number + 1}")
            if number < 119
            else camera("camera-119")
        )
    async with running(store, folder) as bench:
        assert len(bench.names()) == 120
        versions = [
            int(bench.get(f"camera-{n}").metadata.resource_version or 0) for n in reversed(range(120))
        ]
        assert versions == sorted(versions)


async def test_a_line_that_moved_is_noted_and_wakes_nobody(store: Store, folder: Path) -> None:
    path = folder / "a.yaml"
    path.write_text(cameras("wharf", "pier"))
    async with running(store, folder) as bench:
        before = bench.get("pier").metadata
        path.write_text("# a comment\n" + cameras("wharf", "pier"))
        await bench.until(
            lambda: bench.get("pier").metadata.annotations[SOURCE_LINE] == "8", "the line is noted"
        )
        after = bench.get("pier").metadata
        assert (after.generation, after.resource_version) == (before.generation, before.resource_version)


async def test_a_dangling_reference_is_applied(store: Store, folder: Path) -> None:
    (folder / "a.yaml").write_text(program(timeline="missing"))
    async with running(store, folder) as bench:
        assert bench.keys() == {"Program/main"}
        assert bench.problems() == []


async def test_a_secret_of_a_file_is_applied(store: Store, folder: Path) -> None:
    (folder / "a.yaml").write_text(secret("youtube", "planted-stream-key"))
    async with running(store, folder) as bench:
        assert bench.get("youtube", "Secret").values() == {"streamKey": "planted-stream-key"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("before", "again"),
    [
        (Reading(digest=b"1"), False),
        (Reading(digest=b"1", unsure=True), True),
        (Reading(errors=("cannot be read",)), True),
    ],
)
async def test_a_file_whose_signature_is_the_same_is_read_again_only_where_that_proves_nothing(
    store: Store, folder: Path, before: Reading, again: bool
) -> None:
    """Two writes of one length within one tick of the file system's clock have one signature."""
    path = folder / "a.yaml"
    path.write_text(camera("wharf"))
    source = FolderSource([folder], store)
    found = scan([folder])
    source._take(found, {path: before})
    assert source._outdated(found) == ([(path, before)] if again else [])


async def test_a_file_that_was_read_while_it_was_written_is_read_again_without_being_told(
    store: Store, folder: Path
) -> None:
    path = folder / "a.yaml"
    path.write_text(camera("wharf"))
    async with running(store, folder, interval=60) as bench:
        path.write_text(camera("wharf", 5))
        await bench.sounds("wharf", 5)
        await bench.quiet()


# Removal


async def test_a_removed_file_takes_its_objects_along(store: Store, folder: Path) -> None:
    (folder / "a.yaml").write_text(cameras("wharf", "pier"))
    (folder / "b.yaml").write_text(camera("quay"))
    async with running(store, folder) as bench:
        (folder / "a.yaml").unlink()
        await bench.has("quay")


async def test_an_object_that_is_no_longer_in_its_file_goes(store: Store, folder: Path) -> None:
    path = folder / "a.yaml"
    path.write_text(cameras("wharf", "pier"))
    async with running(store, folder) as bench:
        path.write_text(camera("wharf"))
        await bench.has("wharf")


async def test_what_refers_goes_before_what_it_refers_to(store: Store, folder: Path) -> None:
    (folder / "a.yaml").write_text(camera("wharf", backup="pier") + "---\n" + camera("pier"))
    (folder / "b.yaml").write_text(camera("quay"))
    async with running(store, folder) as bench:
        (folder / "a.yaml").unlink()
        await bench.has("quay")
        assert [deleted.resource.metadata.name for deleted in store._deleted] == ["wharf", "pier"]


async def test_a_file_that_is_deleted_and_written_again_loses_nothing(store: Store, folder: Path) -> None:
    path = folder / "a.yaml"
    path.write_text(camera("wharf", 1))
    (folder / "b.yaml").write_text(camera("pier"))
    async with running(store, folder, graces=Graces(removed=10.0)) as bench:
        uid = bench.get("wharf").metadata.uid
        for tone in range(2, 6):
            path.unlink()
            await anyio.sleep(0.1)
            path.write_text(camera("wharf", tone))
            await bench.sounds("wharf", tone)
        assert bench.get("wharf").metadata.uid == uid


async def test_an_object_that_moves_to_another_file_is_never_gone(store: Store, folder: Path) -> None:
    a, b = folder / "a.yaml", folder / "b.yaml"
    a.write_text(cameras("wharf", "pier"))
    b.write_text(camera("quay"))
    async with running(store, folder, graces=Graces(removed=10.0)) as bench:
        uid = bench.get("pier").metadata.uid
        a.write_text(camera("wharf"))  # cut, save ...
        await anyio.sleep(0.2)
        b.write_text(cameras("quay", "pier"))  # ... paste, save
        await bench.until(lambda: bench.get("pier").metadata.annotations[SOURCE_FILE] == str(b), "it moved")
        a.write_text(cameras("wharf", "pier"))  # paste first ...
        await bench.until(lambda: bench.problems(), "the copy is told")
        b.write_text(camera("quay"))  # ... then cut
        await bench.until(
            lambda: bench.get("pier").metadata.annotations[SOURCE_FILE] == str(a), "it moved back"
        )
        await bench.until(lambda: not bench.problems(), "all is well")
        b.rename(folder / "c.yaml")
        await bench.until(
            lambda: bench.get("quay").metadata.annotations[SOURCE_FILE] == str(folder / "c.yaml"),
            "it moved along",
        )
        assert bench.get("pier").metadata.uid == uid
        assert bench.get("pier").generation == 1


async def test_a_truncated_file_removes_nothing_for_a_while_and_then_it_counts(
    store: Store, folder: Path
) -> None:
    path = folder / "a.yaml"
    path.write_text(camera("wharf"))
    (folder / "b.yaml").write_text(camera("pier"))
    async with running(store, folder, graces=Graces(emptied=1.5, removed=0.05, settled=0.05)) as bench:
        uid = bench.get("wharf").metadata.uid
        with path.open("w") as file:  # truncated here
            await bench.keeps("wharf", "pier", seconds=0.7)
            file.write(camera("wharf", 5))
        await bench.sounds("wharf", 5)
        assert bench.get("wharf").metadata.uid == uid
        began = anyio.current_time()
        path.write_text("# nothing here any more\n")
        await bench.has("pier")
        assert anyio.current_time() - began > 1.4


# Broken files


async def test_a_broken_file_keeps_the_last_good_version_and_is_reported(store: Store, folder: Path) -> None:
    path = folder / "a.yaml"
    path.write_text(cameras("wharf", "pier", tone=7))
    (folder / "b.yaml").write_text(camera("quay"))
    async with running(store, folder) as bench:
        before = bench.get("wharf")
        path.write_text(BROKEN)
        await bench.until(bench.problems, "the error is told")
        assert all(message.startswith(f"{path}:") for message in bench.problems())
        (folder / "b.yaml").write_text(camera("quay", 9))
        await bench.sounds("quay", 9)
        await bench.keeps("wharf", "pier", "quay", seconds=0.3)
        assert bench.get("wharf") == before

        [event] = store.events()  # one of the file, none of what it holds
        assert (event.regarding.name, event.type) == (str(path), EventType.WARNING)
        assert event.reason == "ManifestBroken"
        assert event.message.startswith(bench.problems()[0])

        path.write_text(cameras("wharf", "pier", tone=8))
        await bench.until(lambda: not bench.problems(), "all is well")
        assert (bench.tone("wharf"), bench.tone("pier")) == (8, 8)
        assert bench.events(path)[-1].reason == "ManifestMended"


async def test_one_bad_object_keeps_the_whole_file_as_it_was(store: Store, folder: Path) -> None:
    path = folder / "a.yaml"
    path.write_text(cameras("wharf", "pier", tone=1))
    async with running(store, folder) as bench:
        path.write_text(camera("wharf", 2) + "---\n" + camera("pier", 99999))
        await bench.until(bench.problems, "the error is told")
        await bench.keeps("wharf", "pier", seconds=0.3)
        assert (bench.tone("wharf"), bench.tone("pier")) == (1, 1)


async def test_a_broken_file_keeps_its_objects_over_a_restart(store: Store, folder: Path) -> None:
    path = folder / "a.yaml"
    path.write_text(cameras("wharf", "pier"))
    (folder / "b.yaml").write_text(camera("quay"))
    async with running(store, folder):
        pass
    path.write_text(BROKEN)
    async with running(store, folder) as bench:
        assert bench.problems()
        await bench.keeps("wharf", "pier", "quay")
        path.write_text(camera("wharf", 3))
        await bench.has("wharf", "quay")
        assert bench.tone("wharf") == 3


async def test_a_broken_file_that_is_removed_takes_its_objects_along(store: Store, folder: Path) -> None:
    path = folder / "a.yaml"
    path.write_text(camera("wharf"))
    (folder / "b.yaml").write_text(camera("quay"))
    async with running(store, folder) as bench:
        path.write_text(BROKEN)
        await bench.until(bench.problems, "the error is told")
        path.unlink()
        await bench.has("quay")
        await bench.until(lambda: not bench.problems(), "the error is no longer told")


async def test_a_file_that_was_renamed_and_broken_at_once_keeps_what_can_be_read_of_it(
    store: Store, folder: Path
) -> None:
    (folder / "a.yaml").write_text(cameras("wharf", "pier", tone=1))
    (folder / "b.yaml").write_text(camera("quay"))
    async with running(store, folder):
        pass
    (folder / "a.yaml").unlink()
    (folder / "c.yaml").write_text(cameras("wharf", "pier", tone=2) + "---\n" + camera("mole", 99999))
    async with running(store, folder) as bench:
        assert bench.problems()
        await bench.keeps("wharf", "pier", "quay")
        assert bench.tone("wharf") == 1


async def test_the_same_error_is_told_once(store: Store, folder: Path) -> None:
    path = folder / "a.yaml"
    path.write_text(BROKEN)
    async with running(store, folder) as bench:
        (folder / "b.yaml").write_text(camera("wharf"))
        await bench.has("wharf")
        os.utime(path)
        (folder / "c.yaml").write_text(camera("pier"))
        await bench.has("wharf", "pier")
        assert [event.count for event in bench.events(path)] == [1]


async def test_several_errors_of_a_file_are_one_event(store: Store, folder: Path) -> None:
    path = folder / "a.yaml"
    path.write_text(camera("wharf", 99999) + "---\n" + camera("pier", 99999))
    async with running(store, folder) as bench:
        first, _second = bench.problems()
        [event] = store.events()
        assert event.message == f"{first} (and 1 more; vistter validate shows all)"


async def test_an_error_that_nobody_foresaw_in_reading_a_file_is_a_problem_of_that_file(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, said: io.StringIO
) -> None:
    path = folder / "a.yaml"
    path.write_text(camera("wharf", 1))
    load = manifests._load

    def fails(text: bytes, file: str) -> manifests.Loaded:
        if file == str(path):
            raise ZeroDivisionError("hunter" + "22")
        return load(text, file)

    async with running(store, folder) as bench:
        with monkeypatch.context() as patched:
            patched.setattr(manifests, "_load", fails)
            path.write_text(camera("wharf", 2))
            await bench.until(bench.problems, "the error is told")
            (folder / "b.yaml").write_text(camera("pier"))
            await bench.has("wharf", "pier")
            assert bench.tone("wharf") == 1
            assert f"internal error while reading {path} (ZeroDivisionError)" in bench.problems()[0]
            assert [event.reason for event in bench.events(path)] == ["ManifestBroken"]
        path.write_text(camera("wharf", 3))
        await bench.sounds("wharf", 3)
        assert not bench.problems()
    assert "in fails" in said.getvalue()
    assert "hunter22" not in said.getvalue()


async def test_an_error_that_nobody_foresaw_in_applying_an_object_is_a_problem_of_its_file(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, said: io.StringIO
) -> None:
    put = Store._put

    def fails(self: Store, record: Record) -> None:
        if record.key == key("wharf"):
            raise ZeroDivisionError("hunter" + "22")
        put(self, record)

    path = folder / "a.yaml"
    path.write_text(cameras("pier", "wharf", "quay"))
    with monkeypatch.context() as patched:
        patched.setattr(Store, "_put", fails)
        async with running(store, folder, interval=0.05) as bench:
            await bench.has("pier", "quay")
            [problem] = bench.problems()
            assert problem.startswith(f"{path}:7: internal error while applying Camera ")
            assert "ZeroDivisionError" in problem
            (folder / "b.yaml").write_text(camera("mole"))
            await bench.has("pier", "quay", "mole")
            patched.undo()
            await bench.has("pier", "quay", "mole", "wharf")
            await bench.until(lambda: not bench.problems(), "all is well")
    assert said.getvalue().count("manifest_not_applied") == 1
    assert "hunter22" not in said.getvalue()


async def test_what_the_store_refuses_is_told_and_tried_again(store: Store, folder: Path) -> None:
    store.apply(camera_object("wharf", stallAfter="9s"), manager="studio")
    path = folder / "a.yaml"
    path.write_text(camera("wharf").replace("spec:", "spec:\n  stallAfter: 3s") + "---\n" + camera("pier"))
    async with running(store, folder, interval=0.1) as bench:
        assert bench.names() == {"wharf", "pier"}
        [message] = bench.source.problems()[path]
        assert message.startswith(
            f"{path}:1: spec.stallAfter of Camera default/wharf was set to another value by studio"
        )
        store.release(key("wharf"), manager="studio")
        await bench.until(lambda: not bench.problems(), "the file is applied")
        assert bench.get("wharf").spec.stall_after == "3s"


async def test_an_object_that_others_apply_too_is_released_and_not_deleted(
    store: Store, folder: Path
) -> None:
    store.apply(camera_object("wharf", stallAfter="9s"), manager="studio")
    path = folder / "a.yaml"
    path.write_text(camera("wharf", backup="pier"))
    (folder / "b.yaml").write_text(camera("quay"))
    async with running(store, folder) as bench:
        assert bench.get("wharf").spec.backup == "pier"
        path.unlink()
        await bench.until(lambda: bench.get("wharf").spec.backup is None, "its fields are given up")
        assert bench.get("wharf").spec.stall_after == "9s"
        assert SOURCE_FILE not in bench.get("wharf").metadata.annotations


async def test_an_object_that_somebody_deleted_comes_back(store: Store, folder: Path) -> None:
    (folder / "a.yaml").write_text(camera("wharf"))
    async with running(store, folder, interval=0.1) as bench:
        store.delete(key("wharf"), manager="cli", force=True)
        await bench.has("wharf")


async def test_a_copy_of_a_manifest_changes_nothing_and_is_told(store: Store, folder: Path) -> None:
    path, copy = folder / "b.yaml", folder / "a.yaml"
    path.write_text(camera("wharf", 1))
    async with running(store, folder) as bench:
        copy.write_text(camera("wharf", 2))
        await bench.until(lambda: copy in bench.source.problems(), "the copy is told")
        assert bench.source.problems()[copy] == [
            f"{copy}:1: Camera default/wharf comes from {path} already; remove one"
        ]
        assert bench.tone("wharf") == 1
        assert bench.events(copy)[0].reason == "DuplicateObject"
        path.unlink()
        await bench.sounds("wharf", 2)
        await bench.until(lambda: not bench.problems(), "all is well")


# Folders in trouble


async def test_a_folder_that_is_suddenly_empty_removes_nothing_and_recovers(
    store: Store, folder: Path
) -> None:
    (folder / "a.yaml").write_text(camera("wharf"))
    (folder / "b.yaml").write_text(camera("pier"))
    async with running(store, folder) as bench:
        for path in folder.iterdir():
            path.unlink()
        await bench.until(lambda: folder in bench.source.problems(), "the folder is told")
        await bench.keeps("wharf", "pier")
        assert bench.events(folder)[-1].reason == "ManifestsUnavailable"
        (folder / "a.yaml").write_text(camera("wharf", 5))
        await bench.sounds("wharf", 5)
        await bench.until(lambda: not bench.problems(), "all is well")
        await bench.has("wharf")  # once nothing more comes
        assert bench.events(folder)[-1].reason == "ManifestMended"


async def test_an_empty_folder_is_emptied_for_good_by_a_manifest_with_a_comment(
    store: Store, folder: Path
) -> None:
    path = folder / "a.yaml"
    path.write_text(camera("wharf"))
    async with running(store, folder) as bench:
        path.write_text("# off air\n")
        await bench.has()
        assert bench.problems() == []


async def test_a_folder_that_is_gone_removes_nothing_and_is_watched_again_when_it_is_back(
    store: Store, folder: Path
) -> None:
    (folder / "a.yaml").write_text(camera("wharf"))
    async with running(store, folder, alert_interval=30) as bench:  # so that it depends on inotify
        for tone in range(1, 4):
            shutil.rmtree(folder)
            await bench.until(lambda: folder in bench.source.problems(), "the folder is told")
            await bench.keeps("wharf", seconds=0.3)
            folder.mkdir()
            (folder / "a.yaml").write_text(camera("wharf", tone))
            await bench.sounds("wharf", tone)
            await bench.until(lambda: bench.source._watcher.working, "the folder is watched")
            (folder / "a.yaml").write_text(camera("wharf", tone + 100))
            await bench.sounds("wharf", tone + 100)
        assert bench.get("wharf").generation == 7


async def test_a_folder_that_is_exchanged_for_another_is_followed(store: Store, folder: Path) -> None:
    (folder / "a.yaml").write_text(cameras("wharf", "pier"))
    other = folder.with_name("other")
    other.mkdir()
    (other / "a.yaml").write_text(camera("wharf", 5))
    async with running(store, folder, alert_interval=30) as bench:
        folder.rename(folder.with_name("old"))
        other.rename(folder)
        await bench.has("wharf")
        await bench.until(lambda: bench.source._watcher.working, "the folder is watched")
        (folder / "a.yaml").write_text(camera("wharf", 6))
        await bench.sounds("wharf", 6)


@pytest.mark.parametrize("empty", [True, False])
async def test_a_start_without_the_folder_keeps_what_came_from_it(
    store: Store, folder: Path, empty: bool
) -> None:
    (folder / "a.yaml").write_text(cameras("wharf", "pier"))
    async with running(store, folder):
        pass
    shutil.rmtree(folder)
    if empty:
        folder.mkdir()
    async with running(store, folder) as bench:
        assert "2 objects from there stay in force" in bench.source.problems()[folder][0]
        await bench.keeps("wharf", "pier")
        folder.mkdir(exist_ok=True)
        (folder / "a.yaml").write_text(camera("wharf", 4))
        await bench.has("wharf")
        assert bench.problems() == []


async def test_a_folder_on_another_file_system_removes_nothing(store: Store, tmp_path: Path) -> None:
    """As when a mount is lost, or came up late: the path leads to another file system, with other files."""
    here = tmp_path / "here"
    here.mkdir()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        there = Path(name)
        if there.stat().st_dev == here.stat().st_dev:
            pytest.skip("no second file system")
        (here / "a.yaml").write_text(camera("wharf", 1))
        (here / "b.yaml").write_text(camera("pier", 1))
        (there / "b.yaml").write_text(camera("pier", 2))
        link = tmp_path / "manifests"
        link.symlink_to(here)
        async with running(store, link) as bench:
            swap(link, there)
            await bench.sounds("pier", 2)
            await bench.until(lambda: link in bench.source.problems(), "the folder is told")
            assert "on another file system" in bench.source.problems()[link][0]
            await bench.keeps("wharf", "pier")
            swap(link, here)
            await bench.until(lambda: not bench.problems(), "all is well")
            await bench.sounds("pier", 1)


def swap(link: Path, target: Path) -> None:
    new = link.with_name("new-link")
    new.symlink_to(target)
    new.replace(link)


async def test_objects_of_a_folder_that_is_no_longer_given_go(
    store: Store, tmp_path: Path, folder: Path
) -> None:
    (folder / "a.yaml").write_text(cameras("wharf", "pier"))
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.yaml").write_text(camera("pier", 3))
    async with running(store, folder):
        pass
    async with running(store, other) as bench:
        await bench.has("pier")
        assert bench.tone("pier") == 3


async def test_objects_of_a_folder_that_is_no_longer_given_stay_while_on_air_until_others_have_them(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (folder / "a.yaml").write_text(cameras("wharf", "pier"))
    (other / "b.yaml").write_text(camera("quay"))
    async with running(store, folder) as bench:
        await bench.has("wharf", "pier")
    async with running(store, other, keep_unnamed=True) as bench:
        await bench.keeps("wharf", "pier", "quay")
        (problem,) = bench.problems()
        assert problem.startswith(f"{folder} was not named at this start, and the appliance was on air;")
        assert "2 objects from there stay in force." in problem
        assert [event.reason for event in bench.events(folder)] == ["ManifestsNotNamed"]
        (other / "b.yaml").write_text(cameras("quay", "wharf", "pier"))
        await bench.until(lambda: not bench.problems(), "all come from the folder that is named")
        (other / "b.yaml").write_text(cameras("quay", "wharf"))
        await bench.has("quay", "wharf")


async def test_without_folders_all_stays_while_on_air_and_is_told(store: Store, folder: Path) -> None:
    (folder / "a.yaml").write_text(camera("wharf"))
    async with running(store, folder) as bench:
        await bench.has("wharf")
    async with running(store, keep_unnamed=True) as bench:
        await bench.keeps("wharf")
        (problem,) = bench.problems()
        assert problem.startswith(f"{folder} was not named at this start")


async def test_objects_that_move_to_another_folder_leave_no_trouble_behind(
    store: Store, tmp_path: Path, folder: Path
) -> None:
    (folder / "a.yaml").write_text(cameras("wharf", "pier"))
    other = tmp_path / "other"
    other.mkdir()
    async with running(store, folder, other) as bench:
        (folder / "a.yaml").rename(other / "a.yaml")
        moved = str(other / "a.yaml")
        await bench.until(lambda: bench.get("pier").metadata.annotations[SOURCE_FILE] == moved, "they moved")
        await bench.keeps("wharf", "pier", seconds=0.3)
        assert bench.problems() == []
        assert store.events() == []


async def test_a_folder_that_never_was_is_told(store: Store, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    async with running(store, missing) as bench:
        assert bench.source.problems() == {
            missing: [f"{missing} does not exist; no objects come from there."]
        }
        missing.mkdir()
        (missing / "a.yaml").write_text(camera("wharf"))
        await bench.has("wharf")


async def test_what_must_not_be_read_stays_as_it_was_and_is_told(store: Store) -> None:
    with unprivileged() as folder:
        sub = folder / "sub"
        sub.mkdir()
        (sub / "a.yaml").write_text(camera("wharf", 1))
        (folder / "b.yaml").write_text(camera("pier", 1))
        (folder / "c.yaml").write_text(camera("quay", 1))
        async with running(store, folder) as bench:
            sub.chmod(0)
            (folder / "b.yaml").chmod(0)
            await bench.until(lambda: len(bench.problems()) == 2, "both are told")
            assert bench.problems() == [
                f"{folder}/b.yaml: cannot be read (Permission denied); make it readable for this user",
                f"{sub} is not readable (Permission denied); 1 object from there stays in force.",
            ]
            await bench.keeps("wharf", "pier", "quay")
            (folder / "c.yaml").unlink()
            await bench.has("wharf", "pier")
            sub.chmod(0o700)
            (folder / "b.yaml").chmod(0o600)
            await bench.until(lambda: not bench.problems(), "all is well")


async def test_a_folder_inside_that_must_not_be_read_does_not_make_the_others_slow(store: Store) -> None:
    with unprivileged() as folder:
        (folder / "lost+found").mkdir(mode=0)
        (folder / "a.yaml").write_text(camera("wharf"))
        async with running(store, folder, alert_interval=30) as bench:
            assert bench.problems() == []
            (folder / "a.yaml").write_text(camera("wharf", 5))
            await bench.sounds("wharf", 5)


async def test_a_file_system_that_hangs_is_told_and_holds_nothing_up(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.yaml").write_text(camera("wharf", 1))
    free = threading.Event()

    def hang(roots: list[Path]) -> Scan:
        free.wait(60)
        return scan(roots)

    monkeypatch.setattr(folders, "_PATIENCE", 0.1)
    try:
        async with running(store, folder) as bench:
            monkeypatch.setattr(folders, "scan", hang)
            (folder / "a.yaml").write_text(camera("wharf", 2))
            await bench.until(lambda: folder in bench.source.problems(), "the folder is told")
            assert "does not answer" in bench.problems()[0]
            free.set()
            await bench.sounds("wharf", 2)
            await bench.until(lambda: not bench.problems(), "all is well")
            free.clear()
            (folder / "a.yaml").write_text(camera("wharf", 3))
            await bench.until(lambda: folder in bench.source.problems(), "the folder is told")
            began = anyio.current_time()
        assert anyio.current_time() - began < 10
    finally:
        free.set()


# Other shapes of sources


async def test_a_folder_that_is_a_link_is_followed_when_the_link_is_set_anew(
    store: Store, tmp_path: Path
) -> None:
    link = tmp_path / "current"
    for number in (1, 2, 3):
        release = tmp_path / f"release-{number}"
        release.mkdir()
        (release / "a.yaml").write_text(camera("wharf", number))
        (release / "b.yaml").write_text(camera(f"only-{number}", number))
    link.symlink_to("release-1")
    async with running(store, link) as bench:
        uid = bench.get("wharf").metadata.uid
        for number in (2, 3):
            await bench.until(lambda: bench.source._watcher.working, "the folder is watched")
            swap(link, tmp_path / f"release-{number}")
            await bench.has("wharf", f"only-{number}")
            assert bench.tone("wharf") == number
        assert bench.get("wharf").metadata.uid == uid


async def test_a_single_file_is_followed_also_when_it_is_replaced(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(camera("wharf", 1))
    (tmp_path / "two.yaml").write_text(camera("not-asked-for"))
    async with running(store, path, alert_interval=30) as bench:
        assert bench.names() == {"wharf"}
        replace(path, camera("wharf", 2))
        await bench.sounds("wharf", 2)
        path.unlink()
        await bench.until(lambda: path in bench.source.problems(), "the file is told")
        await bench.keeps("wharf")
        path.write_text(camera("wharf", 3))
        await bench.sounds("wharf", 3)
        (tmp_path / "logo.png").write_bytes(b"png")
        await bench.until(lambda: tmp_path / "logo.png" in bench.changed, "the picture is told")


async def test_a_mounted_config_map_is_followed_when_kubernetes_swaps_it(store: Store, folder: Path) -> None:
    for number in range(1, 5):
        (folder / f"..2026_{number}").mkdir()
        for name in ("wharf", "pier"):
            (folder / f"..2026_{number}/{name}.yaml").write_text(camera(name, number))

    def publish(number: int) -> None:
        (folder / "..data_tmp").symlink_to(f"..2026_{number}")
        (folder / "..data_tmp").replace(folder / "..data")

    publish(1)
    for name in ("wharf", "pier"):
        (folder / f"{name}.yaml").symlink_to(f"..data/{name}.yaml")
    async with running(store, folder) as bench:
        uid = bench.get("wharf").metadata.uid
        for number in range(2, 5):
            await bench.quiet()
            publish(number)
            await bench.sounds("pier", number)
        assert bench.get("wharf").metadata.uid == uid
        assert bench.get("wharf").metadata.annotations[SOURCE_FILE] == str(folder / "wharf.yaml")


async def test_links_out_of_the_folder_are_looked_at_by_the_clock(
    store: Store, tmp_path: Path, folder: Path
) -> None:
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text(camera("wharf", 1))
    (folder / "a.yaml").symlink_to(elsewhere)
    async with running(store, folder, interval=0.1) as bench:
        elsewhere.write_text(camera("wharf", 2))
        await bench.sounds("wharf", 2)
        elsewhere.unlink()  # a link to nothing is no removal
        await bench.until(lambda: folder / "a.yaml" in bench.source.problems(), "the link is told")
        await bench.keeps("wharf")


async def test_other_files_are_told_when_they_change(store: Store, folder: Path) -> None:
    logo = folder / "pictures/logo.png"
    logo.parent.mkdir()
    logo.write_bytes(b"one")
    (folder / "a.yaml").write_text(camera("wharf"))
    async with running(store, folder) as bench:
        assert bench.changed == []
        logo.write_bytes(b"two!")
        await bench.until(lambda: bench.changed == [logo], "the edit is told")
        new = folder / "pictures/.logo.new"
        new.write_bytes(b"three")
        new.replace(logo)
        await bench.until(lambda: bench.changed == [logo, logo], "the replacement is told")
        logo.unlink()
        await bench.until(lambda: bench.changed == [logo, logo, logo], "the removal is told")
        (folder / "a.yaml").write_text(camera("wharf", 1))
        await bench.sounds("wharf", 1)
        assert len(bench.changed) == 3


async def test_without_folders_there_is_nothing_to_do(store: Store) -> None:
    store.apply(camera_object("wharf"), manager="file")
    async with anyio.create_task_group() as group:
        await group.start(FolderSource([], store).run)
    assert store.get(key("wharf")) is not None


async def test_a_store_that_cannot_be_written_for_a_while_is_written_later(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = store._database.rows("PRAGMA page_count")[0][0]
    monkeypatch.setattr(
        "vistterstream.store.database.TemporaryError",
        lambda message, delay, reason: TemporaryError(message, delay=0.05, reason=reason),
    )
    store._database.rows(f"PRAGMA max_page_count={pages}")
    for number in range(40):
        (folder / f"{number}.yaml").write_text(camera(f"camera-{number}"))
    async with running(store, folder) as bench:
        await bench.keeps(seconds=0.2)
        assert bench.source.waits.startswith("what changed in manifests is not taken yet: The store")
        store._database.rows("PRAGMA max_page_count=1000000")
        await bench.has(*(f"camera-{number}" for number in range(40)))
        await bench.until(lambda: not bench.source.waits, "nothing waits")


async def test_the_event_loop_is_not_held_up_by_a_thousand_objects(store: Store, folder: Path) -> None:
    """Counted, not timed: between two turns of the loop only a part of the objects is applied."""
    for number in range(100):
        (folder / f"{number}.yaml").write_text(cameras(*(f"camera-{number}-{n}" for n in range(10))))
    most = 0

    async def turn() -> None:
        nonlocal most
        while True:
            last = store.resource_version
            await anyio.lowlevel.checkpoint()
            most = max(most, store.resource_version - last)

    async with anyio.create_task_group() as group:
        group.start_soon(turn)
        async with running(store, folder) as bench:
            await until(lambda: len(bench.names()) == 1000, "all are applied")
        group.cancel_scope.cancel()
    assert 0 < most <= 100
