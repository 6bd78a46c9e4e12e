"""Images that plans refer to, copied into the state folder under the digest of their content.

A playout must be able to start when the folder of manifests is gone, and must not see a half-written file
when a user saves an image over another. A copy is named by its content, so a changed image is a changed
plan, and the same image in ten manifests is one file.

An image that cannot be read any more, because its folder was moved or a mount was lost, is shown on from the
copy that was last good. Which one that is stands in ``assets.json`` beside the folder, for the next
controller.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from anyio import to_thread

from vistterstream.base import logs
from vistterstream.base.files import write_atomic

log = logs.get("reconcile")

MAX_BYTES = 64 * 1024 * 1024
"""Larger files are no images for a screen; reading one by mistake would fill the memory."""
_KEEP_SECONDS = 3600.0  # a copy that no plan names may be about to be named by one


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells that a file is the one that was read before."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Asset:
    """An image file: its copy, or the sentence that says why there is none. Both: the copy is the one that
    was last good, and the sentence says why there is no newer.
    """

    copy: Path | None
    problem: str = ""


class Assets:
    """The copies in `folder`. Files are read in a thread, and only when they changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[Path, tuple[Stamp | None, Asset]] = {}
        self._index = folder.with_name(f"{folder.name}.json")
        self._good = _read_index(self._index)
        self._writing = threading.Lock()

    async def load(self, paths: Iterable[Path]) -> dict[Path, Asset]:
        """Each image of `paths` with its copy."""
        wanted = tuple(dict.fromkeys(paths))
        if not wanted:
            return {}
        # A file system that hangs must not keep the controller from ending.
        return await to_thread.run_sync(self._load, wanted, abandon_on_cancel=True)

    async def changed(self, paths: Iterable[Path]) -> bool:
        """Whether a file of `paths` is another than when it was loaded."""
        wanted = tuple(paths)
        return bool(wanted) and await to_thread.run_sync(self._changed, wanted, abandon_on_cancel=True)

    def collect(self, keep: Collection[str]) -> list[Path]:
        """Delete copies older than an hour that are not named in `keep` (names of files); returns them."""
        if not self.folder.is_dir():
            return []
        now = time.time()
        old = [
            path
            for path in self.folder.iterdir()
            if path.name not in keep and now - path.stat().st_mtime > _KEEP_SECONDS
        ]
        for path in old:
            path.unlink(missing_ok=True)
        gone = set(old)
        self._known = {path: known for path, known in self._known.items() if known[1].copy not in gone}
        if any(self.folder / name in gone for name in self._good.values()):
            self._remember(
                {path: name for path, name in self._good.items() if self.folder / name not in gone}
            )
        return old

    def _load(self, paths: Iterable[Path]) -> dict[Path, Asset]:
        return {path: self._one(path) for path in paths}

    def _one(self, path: Path) -> Asset:
        stamp = _stamp(path)
        known = self._known.get(path)
        if known is not None and known[0] == stamp and (known[1].copy is None or known[1].copy.exists()):
            return known[1]
        try:
            copy = self._copy(path)
        except (OSError, ValueError) as error:
            asset = self._last_good(path, error)
        else:
            asset = Asset(copy)
            if self._good.get(path) != copy.name:
                self._remember(self._good | {path: copy.name})
        self._known[path] = (stamp, asset)
        return asset

    def _last_good(self, path: Path, error: OSError | ValueError) -> Asset:
        """What is shown of an image that cannot be read: its last copy, if there ever was one."""
        name = self._good.get(path)
        copy = self.folder / name if name is not None else None
        if copy is None or not copy.is_file():
            return Asset(None, _sentence(path, error))
        return Asset(copy, _lost(path, error, datetime.fromtimestamp(copy.stat().st_mtime).astimezone()))

    def _remember(self, good: dict[Path, str]) -> None:
        """`good` are the names of the copies that were last good, also for the next controller."""
        self._good = good
        form = json.dumps({str(path): name for path, name in sorted(good.items())}, indent=1)
        try:
            with self._writing:
                write_atomic(self._index, form.encode())
        except OSError as error:  # this controller knows it all the same
            log.warning("which image is which copy could not be written down", error=str(error))

    def _copy(self, path: Path) -> Path:
        if path.exists() and not path.is_file():  # opening a pipe would wait for its writer
            raise OSError("is not a regular file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise OSError(f"is larger than {MAX_BYTES // 2**20} MiB")
        copy = self.folder / f"{hashlib.sha256(data).hexdigest()}{path.suffix.lower()}"
        if copy.exists():
            os.utime(copy)  # spoken for again: not to be collected before a plan names it
        else:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomic(copy, data)
        return copy

    def _changed(self, paths: Iterable[Path]) -> bool:
        return any(path in self._known and self._known[path][0] != _stamp(path) for path in paths)


def _read_index(path: Path) -> dict[Path, str]:
    """The copies that were last good, by image; none where nothing sensible stands there."""
    try:
        form = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(form, dict):
        return {}
    return {Path(image): Path(name).name for image, name in form.items() if isinstance(name, str)}


def _stamp(path: Path) -> Stamp | None:
    try:
        stat = path.stat()
    except (OSError, ValueError):  # ValueError: a name with a NUL character
        return None
    return Stamp(stat.st_size, stat.st_mtime_ns, stat.st_ino)


def _sentence(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"the image {path} does not exist; put it there or change the manifest"
    return f"the image {path} cannot be read ({_why(error)}); mend that or change the manifest"


def _lost(path: Path, error: OSError | ValueError, since: datetime) -> str:
    return (
        f"the image {path} cannot be read any more ({_why(error)}); the copy of {since:%Y-%m-%d %H:%M} stays "
        "on air. Put the image back or change the manifest"
    )


def _why(error: OSError | ValueError) -> str:
    return str(getattr(error, "strerror", None) or error)
