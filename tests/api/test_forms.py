from __future__ import annotations

from api.serving import camera, resource
from vistterstream.api.forms import public, public_event
from vistterstream.resources.kinds import KINDS, Key
from vistterstream.store.events import Event, EventType


def test_an_object_is_what_it_dumps() -> None:
    assert public(camera("pier")) == camera("pier").dump()


def test_a_secret_keeps_its_keys_and_stays_valid() -> None:
    secret = resource("Secret", "login", data={"a": "aGVsbG8="}, stringData={"b": "world"})
    form = public(secret)
    assert set(form["data"]) == {"a", "b"}
    assert set(form["data"].values()) == {"Kioq"}
    assert "stringData" not in form or form["stringData"] == {}
    KINDS["Secret"].model.model_validate(form)


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
