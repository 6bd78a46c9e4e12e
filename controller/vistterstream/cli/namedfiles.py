"""The files that manifests name, and those of them that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vistterstream.base.files import lexical
from vistterstream.base.numbered import numbered
from vistterstream.resources.kinds import Camera, Output, Overlay, Program, Resource, Timeline
from vistterstream.resources.manifests import Located, ManifestError
from vistterstream.resources.overlay import every_layer

Steps = tuple[str | int, ...]
"""The path of a field, such as ``("spec", "targets", 0, "url")``."""


def missing(located: Located[Resource]) -> Iterator[ManifestError]:
    """What is to be said of each file that an object names and that is not there."""
    for steps, name in named(located.resource):
        file = lexical(Path(located.file).parent / name)
        if steps[-1] == "sequence":
            if not numbered(file):
                yield located.error(steps, f"there is no file {file} with any number")
        elif not file.is_file():
            silent = "; until there is, the cue is silent" if "audio" in steps else ""
            yield located.error(steps, f"there is no file {file}{silent}")


def named(resource: Resource) -> Iterator[tuple[Steps, str]]:
    """The files that `resource` is made of, as they are written, each with the path of its field. What it
    writes itself, such as recordings, is not among them.
    """
    match resource:
        case Camera():
            if resource.spec.source.file is not None:
                yield ("spec", "source", "file", "path"), resource.spec.source.file.path
        case Overlay():
            for place, layer in every_layer(resource.spec.layers):
                for inner, name in (*layer.pictures(), *layer.sequences()):
                    yield ("spec", *place, *inner), name
        case Timeline():
            yield from _of_timeline(resource)
        case Program():
            if resource.spec.fallback.image is not None:
                yield ("spec", "fallback", "image"), resource.spec.fallback.image
        case Output():
            for index, target in enumerate(resource.spec.targets):
                if target.tls.ca_file is not None:
                    yield ("spec", "targets", index, "tls", "caFile"), target.tls.ca_file


def _of_timeline(timeline: Timeline) -> Iterator[tuple[Steps, str]]:
    for number, track in enumerate(timeline.spec.tracks):
        place = ("spec", "tracks", number)
        for index, cue in enumerate(track.video or ()):
            if cue.file is not None:
                yield (*place, "video", index, "file", "path"), cue.file.path
            if cue.image is not None:
                yield (*place, "video", index, "image", "file"), cue.image.file
        for index, sound in enumerate(track.audio or ()):
            yield (*place, "audio", index, "file"), sound.file
