"""A folder source at work on real files, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from sources.waiting import holds, until
from store.objects import key
from vistterstream.resources.kinds import Key, Resource
from vistterstream.sources.folders import FolderSource
from vistterstream.sources.ledger import Graces
from vistterstream.store.events import Event
from vistterstream.store.store import Store

QUICK = Graces(removed=0.1, emptied=0.4, settled=0.2)


class Bench:
    """A source, its store and what it said."""

    def __init__(self, source: FolderSource, store: Store, changed: list[Path]) -> None:
        self.source = source
        self.store = store
        self.changed = changed

    def keys(self) -> set[str]:
        """``KIND/NAME`` of every object."""
        return {f"{item.kind}/{item.metadata.name}" for item in self.store.list()[0]}

    def names(self) -> set[str]:
        """Names of the cameras."""
        return {item.metadata.name for item in self.store.list("Camera")[0]}

    def get(self, name: str, kind: str = "Camera") -> Resource:
        """An object that must be there."""
        resource = self.store.get(key(name, kind))
        assert resource is not None, f"no {kind} {name}"
        return resource

    def tone(self, name: str) -> int | None:
        """The tone of a camera; None where it is not there."""
        resource = self.store.get(key(name))
        return None if resource is None else int(resource.spec.source.test_pattern.tone)

    def problems(self) -> list[str]:
        """All of them."""
        return [message for messages in self.source.problems().values() for message in messages]

    def events(self, about: Path | Key) -> list[Event]:
        """The events about a file, folder or object."""
        return self.store.events(about if isinstance(about, Key) else Key("Manifest", "default", str(about)))

    async def has(self, *names: str) -> None:
        """Wait until the cameras are these."""
        await until(lambda: self.names() == set(names), f"the cameras are {names}")

    async def keeps(self, *names: str, seconds: float = 0.6) -> None:
        """Require that the cameras are these for a while."""
        await holds(lambda: self.names() == set(names), f"the cameras are {names}", seconds)

    async def sounds(self, name: str, tone: int) -> None:
        """Wait until the camera is of that tone."""
        await until(lambda: self.tone(name) == tone, f"{name} is of tone {tone}")

    async def quiet(self) -> None:
        """Wait until nothing but a change that is heard of makes the source look again for a while."""
        await until(
            lambda: not any(file.reading.unsure for file in self.source._files.values()), "all files are sure"
        )
        await anyio.wait_all_tasks_blocked()

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait."""
        await until(condition, what)


@asynccontextmanager
async def running(
    store: Store,
    *paths: Path,
    graces: Graces = QUICK,
    interval: float = 30.0,
    alert_interval: float = 0.05,
    keep_unnamed: bool = False,
) -> AsyncIterator[Bench]:
    """A source on `paths` that has applied what was there. The long interval makes it depend on inotify."""
    changed: list[Path] = []
    source = FolderSource(
        paths,
        store,
        on_file_changed=changed.append,
        keep_unnamed=keep_unnamed,
        graces=graces,
        interval=interval,
        alert_interval=alert_interval,
    )
    async with anyio.create_task_group() as group:
        await group.start(source.run)
        await until(lambda: source._watcher._started or source.problems(), "the folders are watched")
        yield Bench(source, store, changed)
        group.cancel_scope.cancel()
