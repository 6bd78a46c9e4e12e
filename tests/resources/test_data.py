from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from vistterstream.resources.data import DataSource
from vistterstream.resources.overlay import OverlaySpec

URL = "https://example.org/weather.json?station=3"


def source(**more: Any) -> DataSource:
    return DataSource.model_validate({"name": "wind", "url": URL} | more)


def test_a_source_needs_a_name_and_an_address_alone() -> None:
    assert source().interval.seconds == 60
    assert source().timeout.seconds == 5


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"name": "wind-speed"}, "is not a token name"),
        ({"url": "file:///etc/passwd"}, "cannot start with file: here; use http or https; serve the file"),
        ({"url": "ftp://example.org/a"}, "cannot start with ftp: here"),
        (
            {"url": "http://user:secret@example.org/a"},
            "do not belong in the address; .*authorizationSecretRef",
        ),
        ({"path": "wind/speed"}, "does not start with a slash; write '/wind/speed'"),
        ({"path": "/a~2"}, "has a ~ that stands for nothing"),
        ({"path": "/" + "a" * 512}, "at most 512 characters"),
        ({"interval": "999ms"}, "is not between 1s and 24h"),
        ({"timeout": "61s"}, "is not between 100ms and 60s"),
        ({"interval": "60s", "maxAge": "30s"}, "maxAge: 30s is less than the interval"),
        (
            {"url": "http://example.org/a", "authorizationSecretRef": {"name": "a", "key": "b"}},
            "a secret would be read by others on the way; use https",
        ),
        (
            {"url": "http://localhost.example.org/", "authorizationSecretRef": {"name": "a", "key": "b"}},
            "use https",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        source(**more)
    assert "secret@" not in str(caught.value.errors(include_input=False))


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:80"])
def test_a_secret_may_go_to_this_machine_in_the_open(host: str) -> None:
    source(url=f"http://{host}/a", authorizationSecretRef={"name": "a", "key": "b"})


def test_two_sources_of_an_overlay_have_two_names() -> None:
    layers = [{"name": "a", "text": {"value": "{{ wind }}"}}]
    with pytest.raises(ValidationError, match="names must differ"):
        OverlaySpec.model_validate({"layers": layers, "data": [{"name": "wind", "url": URL}] * 2})
