"""Reads manifest files into objects. Blocking; runs in a worker thread."""

from __future__ import annotations

import hashlib
import os
import stat
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from vistterstream.base import logs, memory
from vistterstream.base.redaction import redact
from vistterstream.resources.amending import Known, amended, known
from vistterstream.resources.dialect import MAX_BYTES
from vistterstream.resources.kinds import SOURCE_FILE, SOURCE_LINE, Resource, Secret
from vistterstream.resources.manifests import LoadFailed, load

_log = logs.get("sources")

_CLOCK_TICK_NS = 100_000_000  # coarser than the clocks that file systems stamp files with


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says. `objects` holds what could be read, also of a file with `errors`."""

    digest: bytes = b""
    objects: tuple[Resource, ...] = ()
    errors: tuple[str, ...] = ()
    unsure: bool = False
    """Written so shortly before it was read that a later write need not show in its signature."""
    known: Known | None = field(default=None, repr=False, compare=False)
    """By which it is soon read again after an edit, if it is long."""


def read_all(files: Iterable[tuple[Path, Reading | None]]) -> dict[Path, Reading]:
    """Read each file, given with what it said before; files that went meanwhile are left out."""
    readings = ((path, read(path, before)) for path, before in files)
    return {path: reading for path, reading in readings if reading is not None}


def read(path: Path, before: Reading | None) -> Reading | None:
    """Read a file; None where it is gone. A file with the bytes of `before` is not parsed again."""
    try:
        data, modified_ns = _bytes(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Reading(errors=(f"{path}: cannot be read ({error.strerror}); make it readable for this user",))
    unsure = 0 <= time.time_ns() - modified_ns < _CLOCK_TICK_NS
    digest = hashlib.sha256(data).digest()
    if before is not None and before.digest == digest:
        return replace(before, unsure=unsure)
    with memory.put_off():
        return replace(_parsed(path, data, before), digest=digest, unsure=unsure)


def _parsed(path: Path, data: bytes, before: Reading | None) -> Reading:
    """What the file says that holds `data`."""
    try:
        if before is not None and (edited := _edited(before, path, data)) is not None:
            return edited
    except Exception as error:  # the edge of a file, as in `load`: then all of it is read
        report_traceback("edit_not_read", error, file=str(path))
    try:
        loaded = load(data, str(path))
    except LoadFailed as error:
        report_traceback("manifest_not_read", error, file=str(path))
        return Reading(errors=(error.message,))
    objects = tuple(_located(item.resource, path, item.line) for item in loaded.objects)
    for resource in objects:
        if isinstance(resource, Secret):
            redact.learn(resource.values().values())
    errors = tuple(str(error) for error in loaded.errors)
    return Reading(objects=objects, errors=errors, known=known(data, loaded))


def _edited(before: Reading, path: Path, data: bytes) -> Reading | None:
    """What a file says after an edit of one item of a long list; None where all of it must be read."""
    if before.known is None:
        return None
    now = amended(before.known, data)
    if now is None:
        return None
    objects = tuple(
        there if old[0] is new[0] and old[1] == new[1] else _located(new[0], path, new[1])
        for there, old, new in zip(before.objects, before.known.objects, now.objects, strict=True)
    )
    return Reading(objects=objects, known=now)


def report_traceback(event: str, error: Exception, **fields: str) -> None:
    """Log where `error` and its cause come from. Not what they say, which may hold a value that is secret and
    not known to be.
    """
    cause = error.__cause__ or error
    frames = "".join(traceback.format_tb(cause.__traceback__))
    _log.error(event, error=type(cause).__name__, traceback=frames, **fields)


def where(resource: Resource) -> str:
    """``FILE:LINE`` of an object that was read."""
    annotations = resource.metadata.annotations
    return f"{annotations[SOURCE_FILE]}:{annotations[SOURCE_LINE]}"


def _bytes(path: Path) -> tuple[bytes, int]:
    """At most one byte more than is allowed, and the time of the last write. Never waits for a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file")
        return file.read(MAX_BYTES + 1), status.st_mtime_ns


def _located(resource: Resource, path: Path, line: int) -> Resource:
    annotations = resource.metadata.annotations | {SOURCE_FILE: str(path), SOURCE_LINE: str(line)}
    metadata = resource.metadata.model_copy(update={"annotations": annotations})
    return resource.model_copy(update={"metadata": metadata})
