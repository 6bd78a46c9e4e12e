"""Objects for tests, short to write."""

from __future__ import annotations

from typing import Any

from vistterstream.resources.kinds import KINDS, Key, Resource


def make(kind: str, name: str, spec: dict[str, Any] | None = None, **metadata: Any) -> Resource:
    info = KINDS[kind]
    form = {"apiVersion": info.api_version, "kind": kind, "metadata": {"name": name, **metadata}}
    return info.model.model_validate(form | ({"spec": spec} if spec is not None else {}))


def camera(name: str, *, labels: dict[str, str] | None = None, **spec: Any) -> Resource:
    source: dict[str, Any] = {"testPattern": {}}
    return make("Camera", name, {"source": source} | spec, **({"labels": labels} if labels else {}))


def secret(name: str, *, data: dict[str, str] | None = None, **values: str) -> Resource:
    form = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}
    return KINDS["Secret"].model.model_validate(form | ({"data": data} if data else {}))


def key(name: str, kind: str = "Camera", namespace: str = "default") -> Key:
    return Key(kind, namespace, name)
