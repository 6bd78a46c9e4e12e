"""What is wrong with manifests beyond their fields: senseless timelines, files that are not there."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vistterstream.base.files import sha256_of
from vistterstream.base.numbered import numbered
from vistterstream.cli.manifestfiles import located
from vistterstream.reconcile.clashes import clashes
from vistterstream.reconcile.gather import Inputs, gather
from vistterstream.reconcile.paths import Image, Paths, absolute, clips, images, sequences
from vistterstream.reconcile.planner import Objects
from vistterstream.resources.kinds import Camera, Key, Output, Program, Resource
from vistterstream.resources.manifests import Loaded, Located, ManifestError
from vistterstream.resources.overlay import Play
from vistterstream.timeline.compile import PlanError, compile_plan

_STEP = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)|\[([^\]]*)\]")
_NOWHERE = Path("/")  # of a state folder; nothing is looked for there


def check_programs(loaded: Loaded) -> list[ManifestError]:
    """Compile each program as a controller would, and tell what it would complain about; what a program
    shares with another is told once.
    """
    where = {item.resource.key: item for item in loaded.objects}
    objects = Objects(located(loaded))
    errors: list[ManifestError] = []
    for resource in objects:
        if isinstance(resource, Program):
            errors += _program(resource, objects, where)
        elif isinstance(resource, Camera):
            errors += _camera(resource, where)
        elif isinstance(resource, Output):
            for clash in clashes(_NOWHERE, resource, objects):
                message = clash.message.removeprefix(f"{clash.path}: ")
                errors.append(where[resource.key].error(_steps(clash.path), message))
    return list(dict.fromkeys(errors))


Where = Mapping[Key, Located[Resource]]


def _program(program: Program, objects: Objects, where: Where) -> Iterator[ManifestError]:
    inputs = gather(objects, program)
    paths = Paths(_NOWHERE, {})
    try:
        compiled = compile_plan(
            program,
            timeline=inputs.timeline,
            timelines=inputs.timelines,
            overlays=inputs.overlays,
            cameras=inputs.cameras,
            outputs=inputs.outputs,
            resolve=paths.resolve,
            hls_folder=paths.hls_folder,
            recording_folder=paths.recording_folder,
        )
    except PlanError as error:
        assert inputs.timeline is not None, "only a timeline cannot be compiled"
        yield where[inputs.timeline.key].error(_steps(error.path), error.message)
        return
    for problem in compiled.problems:
        key = Key(problem.kind, program.metadata.namespace, problem.name)
        yield where[key].error(_steps(problem.path), problem.message)
    yield from _images(inputs, where)


def _images(inputs: Inputs, where: Where) -> Iterator[ManifestError]:
    for image in (*images(_NOWHERE, inputs), *clips(_NOWHERE, inputs)):
        if not image.file.is_file():
            yield where[image.resource.key].error(_steps(image.path), f"there is no file {image.file}")
        elif (sentence := _unusable(image)) is not None:
            yield where[image.resource.key].error(_steps(image.path), sentence)
    for sequence in sequences(_NOWHERE, inputs):
        if not numbered(sequence.file):
            sentence = f"there is no file {sequence.file} with any number"
            yield where[sequence.resource.key].error(_steps(sequence.path), sentence)


def _unusable(image: Image) -> str | None:
    """What is wrong with a file that is there: a picture that nobody can read, or another than is wanted."""
    if _steps(image.path)[-2:] != ("file", "path"):  # a clip is asked about its digest alone
        from vistterstream.playout.pictures import frames_of, open_picture
        from vistterstream.playout.pieces import Unusable

        try:
            if getattr(_beside(image), "played", Play.STILL) is Play.STILL:
                open_picture(image.file)
            else:
                deque(frames_of(image.file, None), maxlen=0)  # each of them must be whole
        except Unusable as error:
            return str(error)
    digest: str | None = getattr(_beside(image), "sha256", None)
    try:
        found = sha256_of(image.file) if digest is not None else None
    except OSError as error:
        return f"{image.file} cannot be read: {error.strerror}"
    if digest is None or found == digest.lower():
        return None
    return (
        f"{image.file} is another file than is wanted here: its SHA-256 is {found}. Put the right one "
        "there, or change sha256"
    )


def _beside(image: Image) -> Any:
    """The part of the manifest in which the file is named."""
    found: Any = image.resource
    for step in _steps(image.path)[:-1]:
        found = found[step] if isinstance(step, int) else getattr(found, step)
    return found


def _camera(camera: Camera, where: Where) -> Iterator[ManifestError]:
    source = camera.spec.source.file
    if source is None or absolute(_NOWHERE, camera, source.path).is_file():
        return
    file = absolute(_NOWHERE, camera, source.path)
    yield where[camera.key].error(("spec", "source", "file", "path"), f"there is no file {file}")


def _steps(path: str) -> tuple[str | int, ...]:
    """The steps of a path such as ``spec.tracks[0].video[1].at``."""
    return tuple(name or (int(inner) if inner.isdigit() else inner) for name, inner in _STEP.findall(path))
