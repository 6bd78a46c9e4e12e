"""Files that must be whole or not there, what is in them, and how their paths are written."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def write_atomic(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` by `data` so that a reader, or a crash at any instant, sees the old or the new.

    Temporary file in the same folder, fsync, rename, fsync of the folder (POSIX rename(2); without the
    last step the new name may be lost with the power). Raises OSError. A file has one writer at a time; the
    temporary name is always the same, so that a writer that was killed leaves nothing that stays.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lexical(path: Path) -> Path:
    """`path` from the root on, with ``..`` taken out by the text alone: links stay as they are."""
    return Path(os.path.abspath(path))
