"""``vistter validate``: manifests checked without a controller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from vistterstream.cli.compiling import check_programs
from vistterstream.cli.console import console, say
from vistterstream.cli.manifestfiles import read
from vistterstream.resources.kinds import KINDS, Output, Resource, Timeline
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
    for warning in _warnings(loaded.objects):
        say(f"Warning: {warning}", style="yellow")
    out = console()
    for error in errors:
        out.print(str(error))
    if errors:
        say(
            f"{_count(len(errors), 'error')} in {_count(len({error.file for error in errors}), 'file')}.",
            style="red",
        )
        return 1
    if not files:
        say("There are no manifests (files ending in .yaml or .yml) there.", style="yellow")
        return 1
    say(
        f"{_count(files, 'file')}, {_kinds(located.resource for located in loaded.objects)}: all good.",
        style="green",
    )
    return 0


def _warnings(objects: Iterable[Located[Resource]]) -> Iterator[ManifestError]:
    """What is allowed, but most likely not meant."""
    for located in objects:
        yield from _missing_sounds(located)
        targets = located.resource.spec.targets if isinstance(located.resource, Output) else ()
        for index, target in enumerate(targets):
            if target.stream_key_secret_ref is None and seems_to_hold_a_key(target.url or ""):
                message = "this looks like a stream key; put it into a Secret (streamKeySecretRef)"
                yield located.error(("spec", "targets", index, "url"), message)


def _missing_sounds(located: Located[Resource]) -> Iterator[ManifestError]:
    """The sound files of a timeline that are not there."""
    timeline = located.resource
    for number, track in enumerate(timeline.spec.tracks if isinstance(timeline, Timeline) else ()):
        for index, cue in enumerate(track.audio or ()):
            if not (Path(located.file).parent / cue.file).is_file():
                message = f"there is no file {cue.file}; until there is, the cue is silent"
                yield located.error(("spec", "tracks", number, "audio", index, "file"), message)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _kinds(objects: Iterable[Resource]) -> str:
    """How many of which kind."""
    counts = Counter(resource.kind for resource in objects)
    return ", ".join(_count(counts[kind], kind) for kind in KINDS if counts[kind]) or "no objects"
