"""Short ways to write the objects of a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vistterstream.resources.kinds import Camera, Output, Overlay, Program, Resource, Timeline
from vistterstream.resources.output import Target
from vistterstream.timeline.compile import AssetKind, Compiled, compile_plan


def camera(name: str, **spec: Any) -> Camera:
    return Camera.model_validate({"metadata": {"name": name}, "spec": {"source": {"testPattern": {}}} | spec})


def overlay(name: str, *layers: Mapping[str, Any]) -> Overlay:
    return Overlay.model_validate({"metadata": {"name": name}, "spec": {"layers": list(layers)}})


def text(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "text": {"value": value}}


def timeline(*tracks: Mapping[str, Any], **spec: Any) -> Timeline:
    return Timeline.model_validate({"metadata": {"name": "day"}, "spec": {"tracks": list(tracks)} | spec})


def video(*cues: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": "video", "video": list(cues)}


def graphics(*cues: Mapping[str, Any], name: str = "graphics") -> dict[str, Any]:
    return {"name": name, "overlays": list(cues)}


def program(rate: str = "30", **spec: Any) -> Program:
    spec = {"format": {"frameRate": rate}, "timeline": "day"} | spec
    return Program.model_validate({"metadata": {"name": "main"}, "spec": spec})


def output(name: str, **spec: Any) -> Output:
    spec = {"program": "main", "targets": [{"name": "hls", "hls": {}}]} | spec
    return Output.model_validate({"metadata": {"name": name}, "spec": spec})


def resolve(resource: Resource, path: str, kind: AssetKind) -> str:
    return f"/{resource.kind}/{resource.metadata.name}/{kind.value}/{path}"


def hls_folder(output: Output, target: Target) -> str:
    return f"/hls/{output.metadata.name}/{target.name}"


def recording_folder(output: Output, target: Target) -> str:
    return f"/recordings/{output.metadata.name}/{target.name}"


def compiled(
    timeline: Timeline | None,
    *,
    program: Program,
    cameras: Sequence[Camera] = (),
    overlays: Sequence[Overlay] = (),
    outputs: Sequence[Output] = (),
    secrets_revision: str = "",
) -> Compiled:
    return compile_plan(
        program,
        timeline=timeline,
        overlays={overlay.metadata.name: overlay for overlay in overlays},
        cameras={camera.metadata.name: camera for camera in cameras},
        outputs=outputs,
        resolve=resolve,
        hls_folder=hls_folder,
        recording_folder=recording_folder,
        secrets_revision=secrets_revision,
    )
