"""The JSON forms that leave the process: objects and events as Kubernetes writes them, secrets masked."""

from __future__ import annotations

import base64
from typing import Any

from vistterstream.base.redaction import MASK, redact_url
from vistterstream.resources.kinds import Camera, Output, Resource, Secret
from vistterstream.store.events import Event

_MASKED = base64.b64encode(MASK.encode()).decode()


def public(resource: Resource) -> dict[str, Any]:
    """The JSON form of `resource`, without what is secret in the addresses of cameras and targets; of a
    Secret the keys alone, each value replaced by ``***`` in base64. Neither mask can be applied by mistake:
    the models refuse it.
    """
    if not isinstance(resource, Secret):
        form = resource.dump()
        for place in _with_address(resource, form):
            if place.get("url") is not None:
                place["url"] = redact_url(place["url"])
        return form
    keys = dict.fromkeys((*resource.data, *resource.string_data), _MASKED)
    return resource.model_copy(update={"data": keys, "string_data": {}}).dump()


def _with_address(resource: Resource, form: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of `form` that may have a url."""
    if isinstance(resource, Camera):
        return [form["spec"]["source"]]
    return list(form["spec"]["targets"]) if isinstance(resource, Output) else []


def public_event(event: Event) -> dict[str, Any]:
    """The JSON form of `event`, in the words of events.k8s.io/v1 and core/v1."""
    regarding = event.regarding
    return {
        "regarding": {"kind": regarding.kind, "namespace": regarding.namespace, "name": regarding.name},
        "type": event.type.value,
        "reason": event.reason,
        "message": event.message,
        "reporter": event.reporter,
        "count": event.count,
        "firstTimestamp": event.first,
        "lastTimestamp": event.last,
    }
