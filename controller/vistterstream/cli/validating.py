"""``vistter validate``: manifests checked without a controller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from vistterstream.cli.compiling import check_programs
from vistterstream.cli.console import console, counted, say
from vistterstream.cli.manifestfiles import read
from vistterstream.cli.namedfiles import missing
from vistterstream.resources.kinds import KINDS, Output, Resource
from vistterstream.resources.manifests import Located, ManifestError, check_references
from vistterstream.resources.urls import seems_to_hold_a_key


def validate(paths: Iterable[Path], *, partial: bool) -> int:
    """Write every error to stdout; status 1 where there is one. Raises VistterError for unreadable paths.

    Warnings go to stderr and change no status.

    References are looked for in what was given, and programs are compiled, unless this is only a part of
    it. Where some file has errors, an object that is not found may be in there, so this is then left for the
    next time.
    """
    loaded, files = read(paths)
    errors = list(loaded.errors)
    if not errors and not partial:
        errors = list(check_references(loaded.objects)) or check_programs(loaded)
    warnings = [warning for warning in _warnings(loaded.objects) if not _told(warning, errors)]
    for warning in warnings:
        say(f"Warning: {warning}", style="yellow")
    out = console()
    for error in errors:
        out.print(str(error))
    if errors:
        files_with = len({error.file for error in errors})
        say(f"{counted(len(errors), 'error')} in {counted(files_with, 'file')}.", style="red")
        return 1
    if not loaded.objects:
        none = "no objects in there" if files else "no manifests (files ending in .yaml or .yml) there"
        say(f"There are {none}.", style="yellow")
        return 1
    found = f"{counted(files, 'file')}, {_kinds(located.resource for located in loaded.objects)}"
    if warnings:
        say(f"{found}: no errors, {counted(len(warnings), 'warning')}.", style="yellow")
    else:
        say(f"{found}: all good.", style="green")
    return 0


def _told(warning: ManifestError, errors: Iterable[ManifestError]) -> bool:
    """Whether there is an error at the same place."""
    return any(
        (error.file, error.line, error.column) == (warning.file, warning.line, warning.column)
        for error in errors
    )


def _warnings(objects: Iterable[Located[Resource]]) -> Iterator[ManifestError]:
    """What is allowed, but most likely not meant."""
    for located in objects:
        yield from missing(located)
        targets = located.resource.spec.targets if isinstance(located.resource, Output) else ()
        for index, target in enumerate(targets):
            if target.stream_key_secret_ref is None and seems_to_hold_a_key(target.url or ""):
                message = "this looks like a stream key; put it into a Secret (streamKeySecretRef)"
                yield located.error(("spec", "targets", index, "url"), message)


def _kinds(objects: Iterable[Resource]) -> str:
    """How many of which kind."""
    counts = Counter(resource.kind for resource in objects)
    return ", ".join(counted(counts[kind], kind) for kind in KINDS if counts[kind])
