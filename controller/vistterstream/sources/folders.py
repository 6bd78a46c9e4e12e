"""Folders of manifests, kept in the store as they are on disk.

Level-triggered: whatever woke it, a pass looks at all folders, reads the files that are not as they were,
and makes the store say what the files say. What a broken file said last stays; what has been gone from a
folder in good order for a while goes (see ledger.py). The store is the only memory: which file an object
came from stands in its annotations, so that all of this holds over a restart too.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
from anyio.abc import TaskStatus

from vistterstream.base import logs, memory
from vistterstream.base.errors import TemporaryError, VistterError
from vistterstream.resources.kinds import DEFAULT_NAMESPACE, SOURCE_FILE, Key, Resource
from vistterstream.sources.ledger import Absences, Claims, Duplicate, Graces, Roots, assign
from vistterstream.sources.loading import Reading, read_all, report_traceback, where
from vistterstream.sources.order import in_order
from vistterstream.sources.scan import Scan, Signature, ignored, is_manifest, scan
from vistterstream.sources.watcher import Watcher
from vistterstream.store.errors import Conflict, Invalid
from vistterstream.store.events import EventType, NewEvent
from vistterstream.store.store import Outcome, Store

MANAGER = "file"
_AT_ONCE = 50  # objects written in one step of the event loop, some 15 ms
_PATIENCE = 5.0  # s after which people are told that folders do not answer
_LOOK_AGAIN = 0.15  # s after which a file that was read while being written is read again

_log = logs.get("sources")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file or folder: a CamelCase reason, and a sentence with the place in it."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class _File:
    signature: Signature
    reading: Reading

    @property
    def outdated(self) -> bool:
        """Whether to read it again though its signature is the same: it was in writing, or unreadable."""
        return self.reading.unsure or not self.reading.digest

    @property
    def good(self) -> bool:
        return not self.reading.errors

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset(resource.key for resource in self.reading.objects)


class _Failed(VistterError):
    """Applying `resource` ended with an error that nobody foresaw; its text may be secret."""

    def __init__(self, resource: Resource, error: Exception) -> None:
        super().__init__(
            f"internal error while applying {resource.key} ({type(error).__name__}); this is a mistake in "
            "VistterStream, please report it with the log",
            reason="InternalError",
        )
        self.resource = resource


_Refusal = Conflict | Invalid | _Failed


class FolderSource:
    """Keeps `store` as the manifests under `paths` (folders, or single files) say, as the manager "file".

    `on_file_changed` is called with the path of each other file there that changed, appeared or went, such
    as a picture that a manifest names. With `keep_unnamed`, objects stay that come from files under none of
    `paths`. `interval` is how often, in seconds, everything is looked at although nothing was heard of;
    `alert_interval` the same while a folder is in trouble or cannot be watched.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        store: Store,
        *,
        on_file_changed: Callable[[Path], None] = lambda _path: None,
        keep_unnamed: bool = False,
        graces: Graces | None = None,
        interval: float = 5.0,
        alert_interval: float = 0.5,
    ) -> None:
        self._paths = [Path(os.path.abspath(path)) for path in paths]  # links stay: they may be swapped
        self._store = store
        self._on_file_changed = on_file_changed
        self._interval = interval
        self._alert_interval = alert_interval
        self._keep_unnamed = keep_unnamed
        self._roots = Roots(self._paths, graces or Graces(), keep_unnamed=keep_unnamed)
        self._absences = Absences(graces or Graces())
        self._watcher = Watcher(self._heard)
        self._wake = anyio.Event()
        self._files: dict[Path, _File] = {}
        self._others: dict[Path, Signature] | None = None
        self._applied: dict[Key, Resource] = {}
        self._problems: dict[Path, tuple[Problem, ...]] = {}
        self.waits = ""  # why what changed in manifests is not taken yet; empty while nothing waits

    def problems(self) -> dict[Path, list[str]]:
        """What is wrong now, by file or folder, as sentences for people."""
        return {path: [problem.message for problem in problems] for path, problems in self._problems.items()}

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Keep the store up to date until cancelled; started once the store is up to date."""
        if not self._paths and not self._keep_unnamed:
            task_status.started()
            return
        async with anyio.create_task_group() as group:
            group.start_soon(self._watcher.run)
            started = False
            while True:
                self._wake = anyio.Event()
                began = anyio.current_time()
                try:
                    due = await self._pass()
                    self.waits = ""
                except TemporaryError as error:
                    self.waits = f"what changed in manifests is not taken yet: {error.message}"
                    _log.warning("manifests_wait", error=error.message)
                    due = anyio.current_time() + error.delay
                if not started:
                    started = True
                    task_status.started()
                await self._pause(due, anyio.current_time() - began)

    async def _pause(self, due: float, took: float) -> None:
        """Wait to be woken, or for `due`; and a while in any case where looking is much work."""
        await anyio.sleep(min(3 * took, 1.0) if took > 0.02 else 0)
        alert = self._roots.troubles or not self._watcher.working
        due = min(due, anyio.current_time() + (self._alert_interval if alert else self._interval))
        with anyio.move_on_at(due):
            await self._wake.wait()

    def _heard(self, paths: set[Path]) -> None:
        """Something changed at `paths`; none: look at everything."""
        beside = {root.parent for root in self._paths if root in self._files}
        for path in paths:
            if path.parent in beside and not is_manifest(path) and not ignored(path.name):
                self._on_file_changed(path)
        if not paths or any(self._concerns(path) for path in paths):
            self._wake.set()

    def _concerns(self, path: Path) -> bool:
        """Whether a change at `path` is a reason to look: it may be a manifest, a picture or a folder."""
        if path.name.startswith(".."):
            return True  # Kubernetes swaps ..data
        inside = any(root in (path, *path.parents) or path == root.parent for root in self._paths)
        return inside and not ignored(path.name)

    # A pass

    async def _pass(self) -> float:
        """Look at everything and bring the store up to date; returns when to look again at the latest."""
        async with self._patience():
            # A file system that hangs must not keep the controller from ending.
            found = await anyio.to_thread.run_sync(scan, self._paths, abandon_on_cancel=True)
            self._watch(found)
            readings = await anyio.to_thread.run_sync(read_all, self._outdated(found), abandon_on_cancel=True)
        self._take(found, readings)
        self._tell_others(found)

        now = anyio.current_time()
        holders = self._holders()
        assigned, duplicates = assign(self._claims(holders), holders)
        missing = {key: file for key, file in holders.items() if key not in assigned}
        self._roots.look(found, Counter((holders | assigned).values()), now)
        emptied = [path for path, file in self._files.items() if file.good and not file.keys]
        gone, due = self._absences.judge(missing, emptied, self._roots, now)

        with memory.put_off():
            refused = await self._write(self._wanted(assigned), gone)
        self._report(self._judge(duplicates, refused))
        unsure = any(file.reading.unsure for file in self._files.values())
        return min(due or float("inf"), now + _LOOK_AGAIN if unsure else float("inf"))

    @asynccontextmanager
    async def _patience(self) -> AsyncGenerator[None, None]:
        """Say so when what is inside takes long."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._complain)
            yield
            group.cancel_scope.cancel()

    async def _complain(self) -> None:
        await anyio.sleep(_PATIENCE)
        message = "{} does not answer; nothing that changes there is seen. Look after that file system."
        slow = {path: (Problem("ManifestsUnavailable", message.format(path)),) for path in self._paths}
        with suppress(TemporaryError):  # the disk is full too; it is in `problems` all the same
            self._report(self._problems | slow)

    def _watch(self, found: Scan) -> None:
        deep = {root: found.folders[root] for root in self._paths if root in found.folders}
        self._watcher.watch(deep, found.parents)

    def _outdated(self, found: Scan) -> list[tuple[Path, Reading | None]]:
        files = [(path, signature, self._files.get(path)) for path, signature in found.manifests.items()]
        return [
            (path, file.reading if file else None)
            for path, signature, file in files
            if file is None or file.outdated or file.signature != signature
        ]

    def _take(self, found: Scan, readings: Mapping[Path, Reading]) -> None:
        files = {}
        for path, signature in found.manifests.items():
            if path in readings:
                files[path] = _File(signature, readings[path])
            elif path in self._files:
                files[path] = self._files[path]
        self._files = files

    def _tell_others(self, found: Scan) -> None:
        before, self._others = self._others, found.others
        if before is None:
            return
        for path in sorted(before.keys() | found.others.keys()):
            if before.get(path) != found.others.get(path):
                self._on_file_changed(path)

    def _holders(self) -> dict[Key, Path]:
        """The file that each object in the store came from."""
        return {
            resource.key: Path(resource.metadata.annotations[SOURCE_FILE])
            for resource in self._store.applied_by(MANAGER)
            if SOURCE_FILE in resource.metadata.annotations
        }

    def _claims(self, holders: Mapping[Key, Path]) -> list[Claims]:
        held = defaultdict(set)
        for key, path in holders.items():
            held[path].add(key)
        return [
            Claims(path, defines=file.keys)
            if file.good
            # A file that was renamed and broken at once still says whose objects it has.
            else Claims(path, frozenset(), keeps=frozenset(held[path] | (file.keys & holders.keys())))
            for path, file in self._files.items()
        ]

    def _wanted(self, assigned: Mapping[Key, Path]) -> list[Resource]:
        """The objects that may not be in the store as their files say."""
        return [
            resource
            for path, file in self._files.items()
            if file.good
            for resource in file.reading.objects
            if assigned[resource.key] == path
            and (self._applied.get(resource.key) is not resource or self._store.get(resource.key) is None)
        ]

    async def _write(self, wanted: list[Resource], gone: set[Key]) -> dict[Key, tuple[Resource, str]]:
        """Apply and remove; returns what the store refused, and why."""
        refused: dict[Key, tuple[Resource, str]] = {}
        ordered = in_order(wanted)
        for start in range(0, len(ordered), _AT_ONCE):
            some = ordered[start : start + _AT_ONCE]
            for resource, outcome in self._apply_all(some):
                self._note(resource, outcome, refused)
            await anyio.lowlevel.checkpoint()
        if gone:
            self._remove(gone)
        return refused

    def _apply_all(self, resources: list[Resource]) -> list[tuple[Resource, Outcome | _Refusal]]:
        """Apply `resources` as one. An error that nobody foresaw undoes all of it; then the others are
        applied without the object that it came from.
        """
        failed: list[tuple[Resource, Outcome | _Refusal]] = []
        while True:
            try:
                with self._store.batch():
                    return [*((resource, self._apply(resource)) for resource in resources), *failed]
            except _Failed as error:
                failed.append((error.resource, error))
                resources = [resource for resource in resources if resource is not error.resource]
                self._report_failed(error)

    def _apply(self, resource: Resource) -> Outcome | Conflict | Invalid:
        try:
            return self._store.apply(resource, manager=MANAGER).change
        except (Conflict, Invalid) as error:
            return error
        except VistterError:  # such as a disk that is full: of all objects, and foreseen
            raise
        except Exception as error:  # the edge of an object: one must never keep the others from being applied
            raise _Failed(resource, error) from error

    def _report_failed(self, error: _Failed) -> None:
        """Log the traceback, but once, though it is tried again in each pass."""
        file = Path(error.resource.metadata.annotations[SOURCE_FILE])
        if not any(problem.message.endswith(error.message) for problem in self._problems.get(file, ())):
            report_traceback("manifest_not_applied", error, file=str(file), object=str(error.resource.key))

    def _note(
        self,
        resource: Resource,
        outcome: Outcome | _Refusal,
        refused: dict[Key, tuple[Resource, str]],
    ) -> None:
        """Remember what became of an object, once it is written for good."""
        if not isinstance(outcome, Outcome):
            refused[resource.key] = resource, outcome.message
            return
        self._applied[resource.key] = resource
        if outcome is not Outcome.UNCHANGED:
            _log.info("manifest_applied", object=str(resource.key), change=outcome, at=where(resource))

    def _remove(self, gone: set[Key]) -> None:
        found = [resource for key in gone if (resource := self._store.get(key)) is not None]
        with self._store.batch():
            for resource in reversed(in_order(found)):  # what refers to others goes first
                if self._store.owner(resource.key) == MANAGER:
                    self._store.delete(resource.key, manager=MANAGER)
                else:
                    self._store.release(resource.key, manager=MANAGER)
        for resource in found:
            self._applied.pop(resource.key, None)
            file = resource.metadata.annotations.get(SOURCE_FILE)
            _log.info("manifest_removed", object=str(resource.key), file=file)

    # What people are told

    def _judge(
        self, duplicates: Iterable[Duplicate], refused: Mapping[Key, tuple[Resource, str]]
    ) -> dict[Path, tuple[Problem, ...]]:
        problems: dict[Path, list[Problem]] = defaultdict(list)
        for path, message in self._roots.troubles.items():
            problems[path].append(Problem("ManifestsUnavailable", message))
        for path, message in self._roots.unnamed.items():
            problems[path].append(Problem("ManifestsNotNamed", message))
        for path, file in self._files.items():
            problems[path] += [Problem("ManifestBroken", error) for error in file.reading.errors]
        for duplicate in duplicates:
            objects = self._files[duplicate.file].reading.objects
            resource = next(resource for resource in objects if resource.key == duplicate.key)
            message = f"{where(resource)}: {duplicate.key} comes from {duplicate.first} already; remove one"
            problems[duplicate.file].append(Problem("DuplicateObject", message))
        for resource, reason in refused.values():
            file_name = Path(resource.metadata.annotations[SOURCE_FILE])
            problems[file_name].append(Problem("Refused", f"{where(resource)}: {reason}"))
        return {path: tuple(found) for path, found in sorted(problems.items()) if found}

    def _report(self, problems: dict[Path, tuple[Problem, ...]]) -> None:
        """Tell of each problem once, and of its end."""
        before, self._problems = self._problems, problems
        if problems == before:
            return
        with self._store.batch():
            for path in sorted(before.keys() | problems.keys()):
                known = before.get(path, ())
                new = [problem for problem in problems.get(path, ()) if problem not in known]
                self._tell(path, new)
                if path not in problems:
                    message = f"Nothing is wrong with {path} any more"
                    _log.info("manifest_mended", file=str(path))
                    self._store.record(_event(_pseudo(path), "ManifestMended", message, EventType.NORMAL))

    def _tell(self, path: Path, problems: list[Problem]) -> None:
        """Log each, but write one event for each reason: one typo is one event."""
        for problem in problems:
            _log.warning("manifest_problem", file=str(path), reason=problem.reason, problem=problem.message)
        for reason in dict.fromkeys(problem.reason for problem in problems):
            messages = [problem.message for problem in problems if problem.reason == reason]
            more = f" (and {len(messages) - 1} more; vistter validate shows all)" if messages[1:] else ""
            self._store.record(_event(_pseudo(path), reason, messages[0] + more))


def _pseudo(path: Path) -> Key:
    """What events about a file or folder are about."""
    return Key("Manifest", DEFAULT_NAMESPACE, str(path))


def _event(key: Key, reason: str, message: str, type_: EventType = EventType.WARNING) -> NewEvent:
    return NewEvent(key, reason, message, type_, reporter="manifests")
