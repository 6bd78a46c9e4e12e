"""Reads the manifests that a command was given, as a controller would."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from vistterstream.base.errors import VistterError
from vistterstream.base.redaction import redact
from vistterstream.resources.dialect import MAX_BYTES
from vistterstream.resources.kinds import SOURCE_FILE, SOURCE_LINE, Resource, Secret
from vistterstream.resources.manifests import Loaded, load_all
from vistterstream.sources.scan import GONE, scan

STDIN = Path("<stdin>")
"""How standard input is called. Its relative paths start at the current folder, as those of a file there."""
_STDIN = frozenset({STDIN, Path("-"), Path("/dev/stdin")})


def called(path: Path) -> Path:
    """`path`, by one name for standard input."""
    return STDIN if path in _STDIN else path


def read(paths: Iterable[Path]) -> tuple[Loaded, int]:
    """The objects and errors in files and folders, and the number of files. Raises VistterError for a path
    that cannot be read.
    """
    paths = [called(path) for path in paths]
    found = scan(path for path in paths if path != STDIN)
    for path, reason in found.unreadable.items():
        why = "there is no such file" if reason == GONE else reason
        raise VistterError(f"the path {path} cannot be read: {why}", reason="Unreadable")
    texts = {str(STDIN): _standard_input()} if STDIN in paths else {}
    for path in found.manifests:
        with path.open("rb") as file:
            texts[str(path)] = file.read(MAX_BYTES + 1)
    loaded = load_all(texts)
    for located in loaded.objects:
        if isinstance(located.resource, Secret):
            redact.learn(located.resource.values().values())
    return loaded, len(texts)


def _standard_input() -> bytes:
    """At most one byte more than is allowed. Raises VistterError."""
    if sys.stdin is None:
        raise VistterError("there is no standard input to read from", reason="Unreadable")
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def located(loaded: Loaded, place: Callable[[Path], Path] = Path.absolute) -> list[Resource]:
    """The objects with the file that they come from, so that their paths mean what they would on air.

    `place` says where a file that was read is to stand.
    """
    return [_located(item.resource, place(Path(item.file)), item.line) for item in loaded.objects]


def _located(resource: Resource, file: Path, line: int) -> Resource:
    annotations = resource.metadata.annotations | {SOURCE_FILE: str(file), SOURCE_LINE: str(line)}
    metadata = resource.metadata.model_copy(update={"annotations": annotations})
    return resource.model_copy(update={"metadata": metadata})
