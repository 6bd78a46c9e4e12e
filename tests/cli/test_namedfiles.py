from __future__ import annotations

from pathlib import Path

import pytest

from vistterstream.cli.namedfiles import missing, named
from vistterstream.resources.kinds import Resource
from vistterstream.resources.manifests import Located, load

API = "apiVersion: stream.vistter.io/v1alpha1\n"


def loaded(kind: str, spec: str, file: Path = Path("/x/a.yaml")) -> Located[Resource]:
    found = load(f"{API}kind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n".encode(), str(file))
    assert not found.errors
    return found.objects[0]


@pytest.mark.parametrize(
    ("kind", "spec", "files"),
    [
        ("Camera", "{source: {file: {path: a.mp4}}}", {"spec.source.file.path": "a.mp4"}),
        ("Camera", "{source: {testPattern: {pattern: grid}}}", {}),
        ("Program", "{fallback: {image: slate.png}}", {"spec.fallback.image": "slate.png"}),
        (
            "Overlay",
            "{layers: [{name: g, group: {width: 9, height: 9, layers: "
            "[{name: a, image: {file: a.png}, mask: {image: {file: m.png}}}]}}, "
            "{name: b, image: {sequence: f-%04d.png, rate: '25'}}]}",
            {
                "spec.layers.0.group.layers.0.image.file": "a.png",
                "spec.layers.0.group.layers.0.mask.image.file": "m.png",
                "spec.layers.1.image.sequence": "f-%04d.png",
            },
        ),
        (
            "Timeline",
            "{tracks: [{name: a, video: [{file: {path: a.mp4}, duration: 1s}, "
            "{image: {file: b.png}, duration: 1s}]}, {name: b, audio: [{file: c.mp3, duration: 1s}]}]}",
            {
                "spec.tracks.0.video.0.file.path": "a.mp4",
                "spec.tracks.0.video.1.image.file": "b.png",
                "spec.tracks.1.audio.0.file": "c.mp3",
            },
        ),
        (
            "Output",
            "{program: main, targets: [{name: a, url: 'rtmps://h/live', tls: {caFile: ca.pem}}, "
            "{name: b, recording: {folder: new}}]}",
            {"spec.targets.0.tls.caFile": "ca.pem"},
        ),
    ],
)
def test_every_file_that_an_object_is_made_of_is_found(kind: str, spec: str, files: dict[str, str]) -> None:
    found = {".".join(map(str, steps)): name for steps, name in named(loaded(kind, spec).resource)}
    assert found == files


def test_files_are_looked_for_beside_the_manifest(tmp_path: Path) -> None:
    camera = loaded("Camera", "{source: {file: {path: a.mp4}}}", tmp_path / "a.yaml")
    (error,) = missing(camera)
    assert (error.path, error.message) == ("spec.source.file.path", f"there is no file {tmp_path}/a.mp4")
    (tmp_path / "a.mp4").touch()
    assert list(missing(camera)) == []


def test_of_a_sequence_one_picture_is_enough(tmp_path: Path) -> None:
    spec = "{layers: [{name: b, image: {sequence: f-%04d.png, rate: '25'}}]}"
    overlay = loaded("Overlay", spec, tmp_path / "a.yaml")
    (error,) = missing(overlay)
    assert error.message == f"there is no file {tmp_path}/f-%04d.png with any number"
    (tmp_path / "f-0007.png").touch()
    assert list(missing(overlay)) == []
