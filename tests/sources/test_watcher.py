from __future__ import annotations

import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
import pytest

from sources.waiting import until
from vistterstream.sources import watcher as module
from vistterstream.sources.watcher import Watcher

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


class Heard:
    def __init__(self) -> None:
        self.paths: set[Path] = set()
        self.times = 0

    def __call__(self, paths: set[Path]) -> None:
        self.paths |= paths
        self.times += 1


@asynccontextmanager
async def watching(deep: list[Path], alone: list[Path] | None = None) -> AsyncIterator[tuple[Watcher, Heard]]:
    heard = Heard()
    watcher = Watcher(heard)
    async with anyio.create_task_group() as group:
        group.start_soon(watcher.run)
        watcher.watch({path: identity(path) for path in deep}, {path: identity(path) for path in alone or []})
        await until(lambda: watcher.working, "the watch works")
        yield watcher, heard
        group.cancel_scope.cancel()


async def test_changes_anywhere_inside_are_heard(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    async with watching([tmp_path]) as (_watcher, heard):
        for path in (tmp_path / "a.yaml", tmp_path / "sub/b.yaml"):
            path.write_text("x")
            await until(partial(heard.paths.__contains__, path), f"{path} is heard of")


async def test_a_folder_that_is_watched_alone_says_nothing_of_those_inside(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    async with watching([], [tmp_path]) as (_watcher, heard):
        (tmp_path / "sub/b.yaml").write_text("x")
        (tmp_path / "a.yaml").write_text("x")
        await until(lambda: tmp_path / "a.yaml" in heard.paths, "the file is heard of")
        assert tmp_path / "sub/b.yaml" not in heard.paths


async def test_a_folder_made_anew_is_watched_when_it_is_said_to_be_another(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    async with watching([folder]) as (watcher, heard):
        folder.rename(tmp_path / "old")
        folder.mkdir()
        watcher.watch({folder: identity(folder)}, {})
        times = heard.times
        await until(lambda: watcher.working and heard.times > times, "the new folder is watched")
        (folder / "a.yaml").write_text("x")
        await until(lambda: folder / "a.yaml" in heard.paths, "the file is heard of")


async def test_starting_to_watch_is_a_reason_to_look(tmp_path: Path) -> None:
    async with watching([tmp_path]) as (_watcher, heard):
        assert heard.times == 1


async def test_a_folder_that_cannot_be_watched_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RETRY", 0.05)
    folder = tmp_path / "folder"
    heard = Heard()
    watcher = Watcher(heard)
    async with anyio.create_task_group() as group:
        group.start_soon(watcher.run)
        watcher.watch({folder: (1, 1)}, {})
        await until(lambda: watcher._failed, "the watch fails")
        assert not watcher.working
        folder.mkdir()
        await until(lambda: watcher.working, "the watch works")
        (folder / "a.yaml").write_text("x")
        await until(lambda: folder / "a.yaml" in heard.paths, "the file is heard of")
        group.cancel_scope.cancel()


async def test_it_ends_at_once_and_leaves_no_thread_waiting(tmp_path: Path) -> None:
    async with watching([tmp_path]):
        began = time.monotonic()
    assert time.monotonic() - began < 4  # inotify alone would wait for 5 s
    assert not [thread for thread in threading.enumerate() if "watch" in thread.name.lower()]


async def test_a_name_that_cannot_be_told_ends_nothing_and_the_watch_is_set_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RETRY", 0.01)
    async with watching([tmp_path]) as (watcher, heard):
        times = heard.times
        (tmp_path / os.fsdecode(b"\xff.yaml")).write_text("x")
        await until(lambda: watcher.working and heard.times > times, "it is watched again")
        (tmp_path / "a.yaml").write_text("x")
        await until(lambda: tmp_path / "a.yaml" in heard.paths, "the file is heard of")
