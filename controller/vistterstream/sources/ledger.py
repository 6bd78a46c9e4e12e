"""Which file an object comes from, and when an object that no file has any more may go. Pure.

Nobody goes off air over a lost mount or an editor's way of saving. So an object goes only once its file has
been there, in good order and without it, or has been gone from a folder in good order, for a while. Nor over
a start that names other folders than the one before: what was on air then stays, and is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vistterstream.resources.kinds import Key
from vistterstream.sources.scan import GONE, Scan, is_manifest

_LONGEST_SETTLING = 30.0


@dataclass(frozen=True, slots=True)
class Graces:
    """How long something must have been so before it counts, in seconds.

    `removed`: an object or its file is not there (files are replaced by deleting and writing, objects are
    moved by saving two files). `emptied`: a file holds no object any more (editors truncate, then write).
    `settled`: nothing changed in a folder that is new or was in trouble (it is filled file by file).
    """

    removed: float = 0.25
    emptied: float = 2.0
    settled: float = 2.0


@dataclass(frozen=True, slots=True)
class Claims:
    """What a file says: the objects that it `defines`, and, while it is broken, those that it `keeps`."""

    file: Path
    defines: frozenset[Key]
    keeps: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An object that `file` defines and that comes from `first`."""

    key: Key
    file: Path
    first: Path


def assign(files: Iterable[Claims], holders: Mapping[Key, Path]) -> tuple[dict[Key, Path], list[Duplicate]]:
    """The file that each object comes from.

    Where several define it, it stays with the one that it came from before (`holders`), so that a copy
    that somebody puts next to a manifest changes nothing; else the first by path has it.
    """
    claims: dict[Key, list[Path]] = {}
    keeps: dict[Key, list[Path]] = {}
    for file in sorted(files, key=lambda file: file.file):
        for key in file.defines:
            claims.setdefault(key, []).append(file.file)
        for key in file.keeps:
            keeps.setdefault(key, []).append(file.file)
    assigned: dict[Key, Path] = {}
    duplicates: list[Duplicate] = []
    for key in claims.keys() | keeps.keys():
        # A broken file holds on to what is its own; it does not take what a good one defines.
        defining = claims.get(key, [])
        holder = holders.get(key)
        if holder in defining or holder in keeps.get(key, []):
            first = holder
        else:
            first = defining[0] if defining else keeps[key][0]
        assert first is not None
        assigned[key] = first
        duplicates += [Duplicate(key, file, first) for file in defining if file != first]
    return assigned, sorted(duplicates, key=lambda duplicate: (duplicate.file, duplicate.key))


@dataclass(slots=True)
class _Root:
    """A root's latest identity, and since when it has been quiet; None once it has settled."""

    looked: bool = False
    identity: tuple[int, int] | None = None
    manifests: Mapping[Path, object] = field(default_factory=dict)
    began: float = 0.0
    quiet_since: float | None = None


class Roots:
    """The health of the folders and single files that manifests come from.

    `troubles` says of a root, folder or file what is wrong with it; nothing under it counts as removed.
    With `keep_unnamed`, neither does what came from files under no root; `unnamed` tells of it by folder.
    """

    def __init__(self, paths: Iterable[Path], graces: Graces, *, keep_unnamed: bool = False) -> None:
        self._graces = graces
        self._keep_unnamed = keep_unnamed
        self._roots = {path: _Root() for path in paths}
        self._devices: dict[Path, int] = {}
        self.troubles: dict[Path, str] = {}
        self.unnamed: dict[Path, str] = {}

    def look(self, scan: Scan, known: Mapping[Path, int], now: float) -> None:
        """Judge a scan. `known` has the files that objects come from, with the number of those objects."""
        self.troubles = {
            **self._unreadable(scan, known),
            **self._other_device(scan, known),
            **self._empty(scan, known),
        }
        self.unnamed = self._unnamed(known) if self._keep_unnamed else {}
        for path, root in self._roots.items():
            self._settle(path, root, scan, now)

    def trouble_over(self, file: Path) -> Path | None:
        """The path in trouble that `file` is or lies under."""
        return next((path for path in (file, *file.parents) if path in self.troubles), None)

    def settled_at(self, file: Path) -> float | None:
        """When the root of `file` will have settled if nothing changes (0.0: it has); None: not known.

        A file of no root, such as one of an earlier start with other folders, waits for all of them, or is
        kept.
        """
        over = self._over(file)
        if not over and (self._keep_unnamed or any(self.trouble_over(path) for path in self._roots)):
            return None
        due = 0.0
        for path in over or self._roots:
            quiet_since = self._roots[path].quiet_since
            if quiet_since is not None:
                due = max(due, quiet_since + self._graces.settled)
        return due

    def _over(self, file: Path) -> list[Path]:
        """The roots that `file` is or lies under."""
        return [path for path in self._roots if path == file or path in file.parents]

    def _unnamed(self, known: Mapping[Path, int]) -> dict[Path, str]:
        counts: Counter[Path] = Counter()
        for file, count in known.items():
            if not self._over(file):
                counts[file.parent] += count
        return {
            folder: f"{folder} was not named at this start, and the appliance was on air; "
            f"{_kept({folder: count})} Name it with --manifests to have its files followed again, or let go "
            "of it by vistter stop and another start."
            for folder, count in counts.items()
        }

    def _unreadable(self, scan: Scan, known: Mapping[Path, int]) -> dict[Path, str]:
        return {
            path: f"{path} {_wrong(why, _under(path, known))}; {_kept(_under(path, known))}"
            for path, why in scan.unreadable.items()
            if path in self._roots or is_manifest(path) or _under(path, known)
        }

    def _empty(self, scan: Scan, known: Mapping[Path, int]) -> dict[Path, str]:
        return {
            path: f"{path} has no manifests any more; {_kept(_under(path, known))} To take them off for "
            "good, leave a manifest there that holds nothing but a comment."
            for path in self._roots
            if path in scan.folders and _under(path, known) and not _under(path, scan.manifests)
        }

    def _other_device(self, scan: Scan, known: Mapping[Path, int]) -> dict[Path, str]:
        """A folder that is on another file system than before is another folder, until all is there again."""
        troubles = {}
        for folder, (device, _inode) in scan.folders.items():
            before = self._devices.setdefault(folder, device)
            if device == before:
                continue
            lost = {
                file: count for file, count in _under(folder, known).items() if file not in scan.manifests
            }
            if lost:
                troubles[folder] = (
                    f"{folder} is on another file system than before, and manifests are missing; "
                    f"{_kept(lost)} Mount the folder again, or restart to accept it as it is."
                )
            else:
                self._devices[folder] = device
        return troubles

    def _settle(self, path: Path, root: _Root, scan: Scan, now: float) -> None:
        identity = scan.folders.get(path)
        manifests = _under(path, scan.manifests)
        if path in self.troubles or not root.looked or identity != root.identity:
            root.began = root.quiet_since = now
        elif root.quiet_since is not None and now >= root.quiet_since + self._graces.settled:
            root.quiet_since = None
        elif root.quiet_since is not None and manifests != root.manifests:
            root.quiet_since = min(now, root.began + _LONGEST_SETTLING)
        root.looked, root.identity, root.manifests = True, identity, manifests


class Absences:
    """Since when each object has been missing from the files."""

    def __init__(self, graces: Graces) -> None:
        self._graces = graces
        self._since: dict[Key, float] = {}

    def judge(
        self, missing: Mapping[Key, Path], emptied: Iterable[Path], roots: Roots, now: float
    ) -> tuple[set[Key], float | None]:
        """The objects of `missing` (with the file each came from) that may go, and when to ask again.

        `emptied` are the files that are there and hold no object.
        """
        emptied = set(emptied)
        self._since = {key: self._since.get(key, now) for key in missing}
        gone: set[Key] = set()
        dues: list[float] = []
        for key, file in missing.items():
            settled_at = roots.settled_at(file)
            if roots.trouble_over(file) or settled_at is None:
                self._since[key] = now  # counted from when the folder is back
                continue
            grace = self._graces.emptied if file in emptied else self._graces.removed
            due = max(settled_at, self._since[key] + grace)
            if due <= now:
                gone.add(key)
            else:
                dues.append(due)
        return gone, min(dues, default=None)


def _under(folder: Path, files: Mapping[Path, int] | Mapping[Path, object]) -> dict[Path, object]:
    return {file: value for file, value in files.items() if file == folder or folder in file.parents}


def _wrong(why: str, known: Mapping[Path, object]) -> str:
    """What is wrong with a path that cannot be looked at. Nothing came from it: it may never have been."""
    return "does not exist" if why == GONE and not known else f"is {why}"


def _kept(known: Mapping[Path, object]) -> str:
    count = sum(value for value in known.values() if isinstance(value, int))
    if not count:
        return "no objects come from there."
    return f"{count} object{'s' if count != 1 else ''} from there stay{'s' if count == 1 else ''} in force."
