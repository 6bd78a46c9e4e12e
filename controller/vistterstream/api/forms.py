"""The JSON forms that leave the process: objects and events as Kubernetes writes them, secrets masked."""

from __future__ import annotations

import base64
from typing import Any

from vistterstream.base.redaction import MASK
from vistterstream.resources.kinds import Resource, Secret
from vistterstream.store.events import Event

_MASKED = base64.b64encode(MASK.encode()).decode()


def public(resource: Resource) -> dict[str, Any]:
    """The JSON form of `resource`; of a Secret the keys alone, each value replaced by ``***`` (in base64,
    so that the form stays a valid Secret).
    """
    if not isinstance(resource, Secret):
        return resource.dump()
    keys = dict.fromkeys((*resource.data, *resource.string_data), _MASKED)
    return resource.model_copy(update={"data": keys, "string_data": {}}).dump()


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
