"""Where paths in manifests lead, and where things lie in the state folder."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from vistterstream.base.files import lexical
from vistterstream.reconcile.gather import Inputs
from vistterstream.reconcile.observations import Shown
from vistterstream.reconcile.problems import Problem
from vistterstream.resources.kinds import DEFAULT_NAMESPACE, SOURCE_FILE, Output, Resource
from vistterstream.resources.model import path_text
from vistterstream.resources.output import Target
from vistterstream.resources.overlay import every_layer, pictures
from vistterstream.timeline.compile import AssetKind
from vistterstream.timeline.plan import Plan

if TYPE_CHECKING:  # commands that only look at manifests start without logs and threads
    from vistterstream.reconcile.assets import Asset


def folder_name(namespace: str, name: str) -> str:
    """The folder of an object: its name, with the namespace where that is not the default one."""
    return name if namespace == DEFAULT_NAMESPACE else f"{name}@{namespace}"


@dataclass(frozen=True, slots=True)
class Image:
    """An image, or a clip, that `resource` names at `path`, and the file that this means."""

    resource: Resource
    path: str
    file: Path


@dataclass(frozen=True, slots=True)
class Paths:
    """Answers for the compiler. `copies` has the images that were loaded."""

    state_dir: Path
    copies: Mapping[Path, Asset]

    def resolve(self, resource: Resource, path: str, kind: AssetKind) -> str:
        """The absolute path of what `path` means in the manifest of `resource`; for an image, of its copy."""
        file = absolute(self.state_dir, resource, path)
        return self._played(file) if kind is AssetKind.IMAGE else str(file)

    @property
    def originals(self) -> dict[str, str]:
        """The images by the paths of their copies; of those that are the same, the first."""
        copies = [(asset.copy, file) for file, asset in sorted(self.copies.items(), reverse=True)]
        return {str(copy): str(file) for copy, file in copies if copy is not None}

    def shown(self, image: Image) -> Shown:
        """An image, or a clip, with the file that is played of it."""
        return Shown(image.resource.key, image.path, image.file, self._played(image.file))

    def _played(self, file: Path) -> str:
        """The copy that is kept of an image; of what has none, the file itself."""
        asset = self.copies.get(file)
        return str(asset.copy if asset is not None and asset.copy is not None else file)

    def hls_folder(self, output: Output, target: Target) -> str:
        """Where the HLS of a target without a folder of its own lies."""
        return self._target_folder("hls", output, target)

    def recording_folder(self, output: Output, target: Target) -> str:
        """Where the recordings of a target without a folder of its own lie."""
        return self._target_folder("recordings", output, target)

    def _target_folder(self, what: str, output: Output, target: Target) -> str:
        meta = output.metadata
        # A target's name is free text: nothing in it may lead out of the folder.
        segment = quote(target.name, safe=" ")
        segment = segment if segment.strip(".") else segment.replace(".", "%2E")
        return str(self.state_dir / what / folder_name(meta.namespace, meta.name) / segment)


def absolute(state_dir: Path, resource: Resource, path: str) -> Path:
    """`path` from the folder of the manifest that `resource` came from; from `state_dir` if from none.

    ``..`` is taken out by the text alone, links are not followed. So a path means the same
    whatever becomes of the folders that it only passes through: ``air/../rec`` is ``rec`` beside ``air`` also
    while ``air`` is swapped, or a link that leads to another release now; it can be told without the disk,
    which may hang; and two folders can be compared by name. `Path.resolve` would be none of that. Where the
    folder of manifests is a link, ``..`` leads to the folder that holds the link, as the person sees it.
    """
    source = resource.metadata.annotations.get(SOURCE_FILE)
    return lexical((Path(source).parent if source else state_dir) / path)


def images(state_dir: Path, inputs: Inputs) -> Iterator[Image]:
    """Every image that a program shows."""
    fallback = inputs.program.spec.fallback.image
    if fallback is not None:
        file = absolute(state_dir, inputs.program, fallback)
        yield Image(inputs.program, "spec.fallback.image", file)
    timeline = [inputs.timeline] if inputs.timeline is not None else []
    for shows in {one.metadata.name: one for one in [*timeline, *inputs.timelines.values()]}.values():
        for number, track in enumerate(shows.spec.tracks):
            for index, cue in enumerate(track.video or ()):
                if cue.image is not None:
                    file = absolute(state_dir, shows, cue.image.file)
                    yield Image(shows, f"spec.tracks[{number}].video[{index}].image.file", file)
    for overlay in inputs.overlays.values():
        for path, name in pictures(overlay.spec.layers):
            yield Image(overlay, path_text(("spec", *path)), absolute(state_dir, overlay, name))


def sequences(state_dir: Path, inputs: Inputs) -> Iterator[Image]:
    """Every sequence of pictures that a program shows: the patterns of their files."""
    for overlay in inputs.overlays.values():
        for place, layer in every_layer(overlay.spec.layers):
            for inner, name in layer.sequences():
                path = path_text(("spec", *place, *inner))
                yield Image(overlay, path, absolute(state_dir, overlay, name))


def clips(state_dir: Path, inputs: Inputs) -> Iterator[Image]:
    """The file of every clip that a program shows; they are played from where they are."""
    timeline = [inputs.timeline] if inputs.timeline is not None else []
    for shows in {one.metadata.name: one for one in [*timeline, *inputs.timelines.values()]}.values():
        for number, track in enumerate(shows.spec.tracks):
            for index, cue in enumerate(track.video or ()):
                if cue.file is not None:
                    file = absolute(state_dir, shows, cue.file.path)
                    yield Image(shows, f"spec.tracks[{number}].video[{index}].file.path", file)


def missing_clips(clips: Iterable[Image], there: Collection[Path]) -> Iterator[Problem]:
    """Problems of the clips whose file is not `there`."""
    for clip in clips:
        if clip.file not in there:
            sentence = f"there is no file {clip.file}; put it there or change the manifest"
            yield Problem(clip.resource.key, clip.path, "ClipMissing", f"{clip.path}: {sentence}")


def missing(images: Iterator[Image], copies: Mapping[Path, Asset]) -> Iterator[Problem]:
    """Problems of the images that could not be loaded, whether an older copy is shown or none."""
    for image in images:
        asset = copies[image.file]
        if asset.problem:
            reason = "ImageMissing" if asset.copy is None else "ImageLost"
            yield Problem(image.resource.key, image.path, reason, f"{image.path}: {asset.problem}")


def image_names(plan: Plan) -> Iterator[str]:
    """The names of the image files that `plan` shows."""
    if plan.fallback.image is not None:
        yield Path(plan.fallback.image).name
    for image in plan.images:
        yield Path(image.file).name
    for instance in plan.overlays:
        for _path, file in pictures(instance.spec.layers):
            yield Path(file).name
