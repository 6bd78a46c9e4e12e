"""Tells when something may have changed in folders, by inotify where that works, else by the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import anyio
from watchfiles import awatch

from vistterstream.base import logs

_STEP = 30  # ms without a further change before a change is told; also how often inotify is asked
_RETRY = 30.0  # s until inotify is tried again where it failed (its limits are shared by all programs)
_DEBOUNCE = 200  # ms after which it is told though changes go on

_log = logs.get("sources")

Identities = Mapping[Path, tuple[int, int]]
"""Device and inode of each path that is to be watched."""

# What watchfiles raises, alone or in a group, where it cannot watch, or tell what it saw.
_BROKE = (OSError, RuntimeError, UnicodeError, ExceptionGroup)


class Watcher:
    """Calls `changed` with the paths of each burst of changes under what `watch` was last told.

    Each folder is watched with all that is in it (`deep`), or alone. What is not seen, such as changes behind
    symbolic links and on network file systems, is for the caller to look for by the clock.
    """

    def __init__(self, changed: Callable[[set[Path]], None]) -> None:
        self._changed = changed
        self._wanted: tuple[Identities, Identities] = ({}, {})
        self._news = anyio.Event()
        self._started = False
        self._failed = False

    @property
    def working(self) -> bool:
        """Whether all that was asked for is being watched."""
        return self._started and not self._failed

    def watch(self, deep: Identities, alone: Identities) -> None:
        """Watch these from now on. A folder with another inode is another folder."""
        if (deep, alone) != self._wanted:
            self._wanted = (dict(deep), dict(alone))
            self._news.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self._news = anyio.Event()
            self._started = self._failed = False
            deep, alone = self._wanted
            async with anyio.create_task_group() as group:
                if deep:
                    group.start_soon(self._follow, list(deep), True)
                if alone:
                    group.start_soon(self._follow, list(alone), False)
                await self._news.wait()
                group.cancel_scope.cancel()

    async def _follow(self, folders: list[Path], recursive: bool) -> None:
        partly = again = False
        while True:
            self._failed = partly
            async with anyio.create_task_group() as group:
                stop = anyio.Event()
                group.start_soon(_set_when_cancelled, stop)
                group.start_soon(self._start)  # runs once the watches are set: that is before the first wait
                try:
                    await self._report(folders, recursive, partly, stop)
                except _BROKE as raised:
                    error = _first(raised)
                    if not isinstance(error, _BROKE):
                        raise
                    self._failed = True
                    _log.warning(
                        "watch_failed", folders=[str(folder) for folder in folders], error=str(error)
                    )
                    # One folder that must not be read (lost+found) is no reason to hear of none.
                    again, partly = partly, isinstance(error, PermissionError)
                group.cancel_scope.cancel()
            await anyio.sleep(0 if partly and not again else _RETRY)

    async def _report(self, folders: list[Path], recursive: bool, partly: bool, stop: anyio.Event) -> None:
        async for changes in awatch(
            *folders,
            watch_filter=None,
            debounce=_DEBOUNCE,
            step=_STEP,
            stop_event=stop,
            recursive=recursive,
            force_polling=False,
            ignore_permission_denied=partly,  # and, as it is, all other errors
        ):
            self._changed({Path(path) for _change, path in changes})

    async def _start(self) -> None:
        self._started = True
        self._changed(set())  # what happened before the watches were set was not seen


def _first(error: Exception) -> Exception:
    """The error itself, where watchfiles' group of tasks wraps it: what went wrong once it was watching, such
    as a name that is no UTF-8 and that it cannot tell.
    """
    return _first(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error


async def _set_when_cancelled(stop: anyio.Event) -> None:
    """Let the thread that waits for inotify go: it cannot be cancelled, and looks at `stop` each step."""
    try:
        await anyio.sleep_forever()
    finally:
        stop.set()
