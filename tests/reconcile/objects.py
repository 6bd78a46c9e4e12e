"""Objects for tests, made in the shortest way."""

from __future__ import annotations

from typing import Any

from vistterstream.resources.kinds import KINDS, Key, Resource
from vistterstream.store.store import Store

Spec = dict[str, Any]


def make(kind: str, name: str, spec: Spec | None = None, **metadata: Any) -> Resource:
    """An object; `metadata` beside its name."""
    info = KINDS[kind]
    form: Spec = {"apiVersion": info.api_version, "kind": kind, "metadata": {"name": name, **metadata}}
    return info.model.model_validate(form | ({"spec": spec} if spec is not None else {}))


def camera(name: str, *, stall: str = "2s", backup: str | None = None, url: str | None = None) -> Resource:
    """A test pattern, or the device at `url`."""
    source: Spec = {"testPattern": {}} if url is None else {"url": url}
    return make(
        "Camera", name, {"source": source, "stallAfter": stall} | ({"backup": backup} if backup else {})
    )


def locked_camera(name: str, secret: str) -> Resource:
    """A device behind a login."""
    ref = {"credentialsSecretRef": {"name": secret}}
    return make("Camera", name, {"source": {"url": "rtsp://10.0.0.21/live", **ref}})


def timeline(name: str, *cameras: str, overlays: tuple[str, ...] = (), seconds: int = 10) -> Resource:
    """Shows `cameras` for `seconds` each, with `overlays` on top all the time."""
    cues = [{"camera": camera, "duration": f"{seconds}s"} for camera in cameras]
    tracks: list[Spec] = [{"name": "pictures", "video": cues}]
    if overlays:
        tracks.append({"name": "graphics", "overlays": [{"overlay": overlay} for overlay in overlays]})
    return make("Timeline", name, {"loop": True, "tracks": tracks})


def impossible_timeline(name: str, *cameras: str) -> Resource:
    """Cues that are shorter than a frame: no plan can be made of it."""
    cues = [{"camera": camera, "duration": "1ms"} for camera in cameras]
    return make("Timeline", name, {"tracks": [{"name": "pictures", "video": cues}]})


def text_overlay(name: str, text: str = "hello") -> Resource:
    """A line of text."""
    return make("Overlay", name, {"layers": [{"name": "title", "text": {"value": text}}]})


def image_overlay(name: str, file: str, **metadata: Any) -> Resource:
    """A picture."""
    return make("Overlay", name, {"layers": [{"name": "logo", "image": {"file": file}}]}, **metadata)


def program(name: str, timeline: str | None = None, *, width: int = 320, **more: Any) -> Resource:
    """A small program."""
    spec: Spec = {"format": {"width": width, "height": 180, "frameRate": "15"}, **more}
    return make("Program", name, spec | ({"timeline": timeline} if timeline else {}))


def recording(name: str, program: str, *targets: str, bitrate: str = "500k") -> Resource:
    """Records a program."""
    encoding = {"video": {"bitrate": bitrate, "preset": "ultrafast"}}
    found = [{"name": target, "recording": {}} for target in targets or ("disk",)]
    return make("Output", name, {"program": program, "encoding": encoding, "targets": found})


def stream(name: str, program: str, secret: str, key: str = "streamKey") -> Resource:
    """Goes to a platform with a stream key."""
    target = {"name": "platform", "url": "rtmp://127.0.0.1/live"}
    ref = {"streamKeySecretRef": {"name": secret, "key": key}}
    return make("Output", name, {"program": program, "targets": [target | ref]})


def secret(name: str, **values: str) -> Resource:
    """Values."""
    form = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}
    return KINDS["Secret"].model.model_validate(form)


def apply(store: Store, *resources: Resource) -> None:
    """Write them, as a folder of manifests would."""
    with store.batch():
        for resource in resources:
            store.apply(resource, manager="file")


def key(kind: str, name: str) -> Key:
    """A key in the default namespace."""
    return Key(kind, "default", name)
