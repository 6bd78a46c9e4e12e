from __future__ import annotations

from typing import Any

import yaml

from api.serving import camera, resource
from vistterstream.api.forms import public, public_event
from vistterstream.resources.kinds import Key
from vistterstream.resources.manifests import load
from vistterstream.store.events import Event, EventType


def test_an_object_is_what_it_dumps() -> None:
    assert public(camera("pier")) == camera("pier").dump()


def test_a_secret_shows_its_keys_and_cannot_be_applied_by_mistake() -> None:
    secret = resource("Secret", "login", data={"a": "aGVsbG8="}, stringData={"b": "world"})
    form = public(secret)
    assert set(form["data"]) == {"a", "b"}
    assert set(form["data"].values()) == {"Kioq"}
    assert form["stringData"] == {}
    errors = load(yaml.safe_dump(form).encode(), "a.yaml").errors
    assert [error.path for error in errors] == ["data.a", "data.b"]
    assert all("was not shown" in error.message for error in errors)


def test_an_address_is_shown_without_its_key_and_cannot_be_applied_by_mistake() -> None:
    urls = ("rtmp://10.0.0.9/live/s3cretkey", "srt://10.0.0.9:9000?streamid=s3cretkey")
    targets: list[Any] = [{"name": name, "url": url} for name, url in zip("ab", urls, strict=True)]
    targets.append({"name": "c", "hls": {}})
    for shown in (
        resource("Camera", "pier", {"source": {"url": "http://10.0.0.5/live?token=s3cretkey"}}),
        resource("Camera", "quay", {"source": {"url": urls[0]}}),
        resource("Output", "platform", {"program": "main", "targets": targets}),
    ):
        form = public(shown)
        assert "s3cretkey" not in str(form)
        assert "s3cretkey" in str(shown.dump())
        errors = load(yaml.safe_dump(form).encode(), "a.yaml").errors
        assert errors
        assert all(error.path.endswith("url") and "was not shown" in error.message for error in errors)


def test_an_event_is_said_in_the_words_of_kubernetes() -> None:
    event = Event(
        7, Key("Camera", "default", "pier"), EventType.WARNING, "Lost", "Gone.", "playout", 3, "a", "b"
    )
    assert public_event(event) == {
        "regarding": {"kind": "Camera", "namespace": "default", "name": "pier"},
        "type": "Warning",
        "reason": "Lost",
        "message": "Gone.",
        "reporter": "playout",
        "count": 3,
        "firstTimestamp": "a",
        "lastTimestamp": "b",
    }
