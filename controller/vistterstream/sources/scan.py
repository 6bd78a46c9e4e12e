"""What is in the manifest folders: names and signatures of files, and what could not be looked at.

Blocking; runs in a worker thread. Hidden files, editors' backup and temporary files are not looked at.
Symbolic links are followed: a mounted Kubernetes ConfigMap is a folder of links into ``..data``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

MANIFEST_SUFFIXES = frozenset({".yaml", ".yml"})
GONE = "gone"
"""Why something cannot be looked at that is not there."""
_TEMPORARY_SUFFIXES = ("~", ".swp", ".swx", ".tmp", ".bak", ".orig", ".part", ".kate-swp")


@dataclass(frozen=True, slots=True)
class Signature:
    """Changes when a file's content does, but for writes within one tick of the file system's clock."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Scan:
    """What a look at all roots found. A root is a folder or a single file, by the path that was given."""

    manifests: dict[Path, Signature] = field(default_factory=dict)
    others: dict[Path, Signature] = field(default_factory=dict)
    folders: dict[Path, tuple[int, int]] = field(default_factory=dict)
    """Device and inode of each folder."""
    parents: dict[Path, tuple[int, int]] = field(default_factory=dict)
    """Device and inode of the folder around each root that is not a folder, or a link to one."""
    unreadable: dict[Path, str] = field(default_factory=dict)
    """Files and folders that cannot be looked at, and why: nothing is known of what is under them."""


def ignored(name: str) -> bool:
    """Whether a file of that name is none of our business: hidden, an editor's backup or temporary file."""
    return (
        name.startswith((".", "~", "#"))
        or name.endswith(_TEMPORARY_SUFFIXES)
        or "___jb_" in name  # JetBrains' safe write
        or name == "4913"  # Vim tries whether it may write
    )


def is_manifest(path: Path) -> bool:
    """Whether a file of that name is read as a manifest."""
    return path.suffix in MANIFEST_SUFFIXES and not ignored(path.name)


def scan(roots: Iterable[Path]) -> Scan:
    """Look at every root. Raises nothing: what cannot be looked at is in `Scan.unreadable`."""
    found = Scan()
    for root in roots:
        _root(found, root)
        if root not in found.folders or root.is_symlink():
            with suppress(OSError):
                parent = root.parent.stat()
                found.parents[root.parent] = parent.st_dev, parent.st_ino
    return found


def _root(found: Scan, root: Path) -> None:
    try:
        status = root.stat()
    except OSError as error:
        found.unreadable[root] = _reason(error)
        return
    if stat.S_ISDIR(status.st_mode):
        _folder(found, root, status)
    elif stat.S_ISREG(status.st_mode):
        found.manifests[root] = _signature(status)
    else:
        found.unreadable[root] = "neither a file nor a folder"


def _folder(found: Scan, root: Path, status: os.stat_result) -> None:
    seen: set[tuple[int, int]] = set()
    waiting = [(root, status)]
    while waiting:
        folder, status = waiting.pop()
        identity = status.st_dev, status.st_ino
        if identity in seen or folder in found.folders:
            continue  # a link back up, or a root inside another
        seen.add(identity)
        try:
            with os.scandir(folder) as entries:
                names = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            found.unreadable[folder] = _reason(error)
            continue
        found.folders[folder] = identity
        inner = [item for entry in names if (item := _entry(found, entry)) is not None]
        # Links are followed last, so that a file keeps the plain one of two paths.
        waiting[:0] = [item for item in inner if item[0].is_symlink()]
        waiting += [item for item in inner if not item[0].is_symlink()]


def _entry(found: Scan, entry: os.DirEntry[str]) -> tuple[Path, os.stat_result] | None:
    """Note a file; return a folder, to be looked into."""
    if ignored(entry.name):
        return None
    path = Path(entry.path)
    if (told := _told(path)) != path:
        found.unreadable[told] = "not readable (its name is not UTF-8; give it another)"
        return None
    try:
        status = path.stat()
    except OSError as error:
        if entry.is_symlink() or not isinstance(error, FileNotFoundError):  # else it went just now
            found.unreadable[path] = _reason(error)
        return None
    if stat.S_ISDIR(status.st_mode):
        return path, status
    if stat.S_ISREG(status.st_mode):
        (found.manifests if is_manifest(path) else found.others)[path] = _signature(status)
    elif is_manifest(path):
        found.unreadable[path] = "neither a file nor a folder"
    return None


def _told(path: Path) -> Path:
    """`path` as it can be told, and stored: bytes that are not UTF-8 are escaped."""
    return Path(str(path).encode("utf-8", "backslashreplace").decode())


def _signature(status: os.stat_result) -> Signature:
    return Signature(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return GONE
    return f"not readable ({error.strerror})"
