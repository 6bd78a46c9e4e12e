"""The values of data sources: fetched from a real server, kept, and told when they cannot be had."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from peers.documents import Documents, sends
from peers.waiting import until
from vistterstream.playout import data
from vistterstream.playout.data import Data, key_of, lookup
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.timeline.plan import OverlayInstance


@pytest.fixture
def server() -> Iterator[Documents]:
    with Documents() as documents:
        yield documents


def source(url: str, name: str = "wind", **more: Any) -> dict[str, Any]:
    return {"name": name, "url": url, "interval": "1s", **more}


def overlay(*sources: dict[str, Any], name: str = "weather") -> OverlayInstance:
    layer = {"name": "text", "text": {"value": "{{ wind }}"}}
    spec = OverlaySpec.model_validate({"layers": [layer], "data": list(sources)})
    return OverlayInstance(id=name, overlay=name, spec=spec)


@contextmanager
def fetching(
    file: Path, *overlays: OverlayInstance, now: Callable[[], float] | None = None, **secrets: str
) -> Iterator[Data]:
    found = Data(file) if now is None else Data(file, now=now)
    found.converge(overlays, {name.replace("_", "/"): value for name, value in secrets.items()})
    try:
        yield found
    finally:
        found.close()


def says(found: Data, shown: OverlayInstance, number: int = 0) -> str | None:
    return lookup(found.texts)(shown, shown.spec.data[number])


@pytest.mark.slow
def test_a_value_is_fetched_and_follows_the_document(server: Documents, tmp_path: Path) -> None:
    shown = overlay(source(server.put("/a", {"wind": {"speed": 7.50}}), path="/wind/speed"))
    with fetching(tmp_path / "data.json", shown) as found:
        assert says(found, shown) is None, "nobody waits for it"
        until(lambda: says(found, shown) == "7.5", 5)
        before = found.texts
        server.put("/a", {"wind": {"speed": 8}})
        until(lambda: found.texts != before, 5)
        assert says(found, shown) == "8"
        assert found.problems == {}
        (status,) = found.status
        assert (status.overlay, status.name, status.text, status.failures) == ("weather", "wind", "8", {})
        assert status.fetches >= 2
        assert status.age is not None
        assert 0 <= status.age < 5


def test_sources_of_one_address_share_what_is_fetched(server: Documents, tmp_path: Path) -> None:
    url = server.put("/a", {"wind": 7, "names": [{"n": "A"}, {"n": "B"}]})
    one = overlay(source(url, path="/wind"), source(url, "list", path="/names", each="/n", separator=" · "))
    other = overlay(source(url, path="/wind"), name="other")
    with fetching(tmp_path / "data.json", one, other) as found:
        until(lambda: says(found, one, 1) == "A · B", 5)
        assert says(found, one) == says(found, other) == "7"
        assert len(server.asked) == 1
        assert [(status.overlay, status.name) for status in found.status] == [
            ("weather", "wind"),
            ("weather", "list"),
            ("other", "wind"),
        ]


@pytest.mark.slow
def test_a_document_that_has_not_changed_is_as_fresh_as_one_that_was_sent(
    server: Documents, tmp_path: Path
) -> None:
    time = [1_000_000.0]
    url = server.answer("/a", sends(b'{"wind": 7}', ETag='"one"'))
    shown = overlay(source(url, path="/wind", maxAge="10s"))
    with fetching(tmp_path / "data.json", shown, now=lambda: time[0]) as found:
        until(lambda: says(found, shown) == "7", 5)
        server.answer("/a", sends(b"", status=304))
        time[0] += 60
        assert says(found, shown) is None
        until(lambda: says(found, shown) == "7", 5)
        assert server.asked[-1].headers["If-None-Match"] == '"one"'
        assert found.status[0].failures == {}


@pytest.mark.slow
def test_for_a_new_source_a_known_document_is_fetched_again(server: Documents, tmp_path: Path) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        if "If-None-Match" in request.headers:
            sends(b"", status=304)(request)
        else:
            sends(b'{"wind": 7, "gust": 11}', ETag='"one"')(request)

    wind, gust = (source(server.answer("/a", answer), name, path=f"/{name}") for name in ("wind", "gust"))
    with fetching(tmp_path / "data.json", overlay(wind)) as found:
        until(lambda: len(server.asked) > 2, 10)
        both = overlay(wind, gust)
        found.converge([both], {})
        until(lambda: says(found, both, 1) == "11", 5)


@pytest.mark.slow
def test_the_last_good_value_stays_when_the_server_fails(server: Documents, tmp_path: Path) -> None:
    url = server.put("/a", {"wind": 7})
    shown = overlay(source(url + "?key=s3cret", path="/wind"))
    with fetching(tmp_path / "data.json", shown) as found:
        until(lambda: says(found, shown) == "7", 5)
        server.answer("/a", sends(b"", status=503))
        until(lambda: found.problems, 5)
        assert says(found, shown) == "7"
        (sentence,) = found.problems["weather"]
        assert (
            sentence
            == f"Data wind: {url}?*** answered 503 Service Unavailable; the last good value is shown."
        )
        assert found.status[0].failures == {"BadStatus": 2}, "one alone is not told while there is a value"
        server.put("/a", {"wind": 9})
        until(lambda: says(found, shown) == "9", 10)
        assert found.problems == {}


def test_what_is_the_same_for_several_sources_is_told_once(server: Documents, tmp_path: Path) -> None:
    url = server.url + "/a"
    names = ("wind", "gust", "sky")
    shown = overlay(*(source(url, name) for name in names), source(url, "tide", default="low"))
    with fetching(tmp_path / "data.json", shown) as found:
        until(lambda: found.problems, 5)
        assert found.problems["weather"] == [
            f"Data wind, gust and sky: {url} answered 404 Not Found; there is no value yet.",
            f"Data tide: {url} answered 404 Not Found; there is no value yet, and its default is shown.",
        ]


@pytest.mark.parametrize(
    ("body", "reason", "said"),
    [
        (b"{", "BadDocument", "sent something that cannot be read: it is not JSON: "),
        (b"[" * 100_000, "BadDocument", "sent something that cannot be read: it is nested too deep"),
        (b"{}", "NoValue", "sent something else than expected: there is nothing at /wind in it"),
        (b'{"wind": null}', "NoValue", "sent something else than expected: the value at /wind is null"),
        (b" " * 300_000, "TooLarge", "sent more than 256 KiB"),
    ],
)
def test_what_is_no_value_is_told(
    server: Documents, tmp_path: Path, body: bytes, reason: str, said: str
) -> None:
    shown = overlay(source(server.answer("/a", sends(body)), path="/wind", default="–"))
    with fetching(tmp_path / "data.json", shown) as found:
        until(lambda: found.problems, 5)
        (sentence,) = found.problems["weather"]
        assert f"/a {said}" in sentence
        assert sentence.endswith("; there is no value yet, and its default is shown.")
        assert list(found.status[0].failures) == [reason]


class TestKept:
    def test_values_outlive_the_process(self, server: Documents, tmp_path: Path) -> None:
        file, shown = tmp_path / "data.json", overlay(source(server.put("/a", "7 kn")))
        with fetching(file, shown) as found:
            until(lambda: says(found, shown) == "7 kn", 5)
            before = found.unsaved
            found.save()
            assert (before, found.unsaved) == (True, False)
        assert file.stat().st_mode & 0o777 == 0o600
        server.answer("/a", server.silent())
        with fetching(file, shown) as again:
            assert says(again, shown) == "7 kn"

    def test_what_no_source_asks_for_is_forgotten(self, server: Documents, tmp_path: Path) -> None:
        file, shown = tmp_path / "data.json", overlay(source(server.put("/a", "7 kn")))
        with fetching(file, shown) as found:
            until(lambda: says(found, shown) is not None, 5)
            found.converge([overlay(source(server.put("/b", "8 kn")))], {})
            found.save()
        assert key_of(shown.spec.data[0]) not in json.loads(file.read_bytes())["values"]

    @pytest.mark.parametrize(
        "stored",
        [b"", b"{", b"[]", b'{"values": 1}', b'{"values": {"a": {"text": 1}}}', b"\xff", b"[" * 9999],
    )
    def test_a_file_that_cannot_be_read_is_no_matter(self, tmp_path: Path, stored: bytes) -> None:
        file = tmp_path / "data.json"
        file.write_bytes(stored)
        assert Data(file).texts == {}

    @pytest.mark.slow
    def test_a_value_that_is_too_old_is_not_shown(self, server: Documents, tmp_path: Path) -> None:
        time = [1_000_000.0]
        shown = overlay(source(server.put("/a", "7 kn"), maxAge="60s", default="calm"))
        with fetching(tmp_path / "data.json", shown, now=lambda: time[0]) as found:
            until(lambda: says(found, shown) == "7 kn", 5)
            server.answer("/a", sends(b"", status=500))
            until(lambda: found.problems, 5)
            time[0] += 60
            assert says(found, shown) == "7 kn"
            time[0] += 1
            assert says(found, shown) is None
            assert found.problems["weather"][0].endswith(
                "; its last good value is too old, and its default is shown."
            )


class TestSecrets:
    def test_the_secret_is_sent_and_never_told(self, server: Documents, tmp_path: Path) -> None:
        reference = {"name": "weather", "key": "token"}
        shown = overlay(source(server.put("/a", 1), authorizationSecretRef=reference))
        with fetching(tmp_path / "data.json", shown, weather_token="Bearer abcdefgh") as found:
            until(lambda: says(found, shown) == "1", 5)
            assert server.asked[0].headers["Authorization"] == "Bearer abcdefgh"
            found.save()
        assert b"abcdefgh" not in (tmp_path / "data.json").read_bytes()

    def test_a_new_secret_is_used_at_once(self, server: Documents, tmp_path: Path) -> None:
        reference = {"name": "weather", "key": "token"}
        slow = {"interval": "24h", "authorizationSecretRef": reference}
        shown = overlay(source(server.put("/a", 1)) | slow)
        with fetching(tmp_path / "data.json", shown) as found:
            until(lambda: found.problems, 5)
            assert "needs a Secret that has no such key" in found.problems["weather"][0]
            assert server.asked == []
            found.converge([shown], {"weather/token": "Bearer new"})
            until(lambda: server.asked, 5)
            assert server.asked[0].headers["Authorization"] == "Bearer new"


def test_more_addresses_than_anybody_needs_are_not_fetched(
    server: Documents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "MAX_ADDRESSES", 2)
    shown = overlay(*(source(server.put(f"/{number}", number), f"n{number}") for number in range(3)))
    with fetching(tmp_path / "data.json", shown) as found:
        until(lambda: [says(found, shown, number) for number in range(3)] == ["0", "1", None], 5)
        assert "is one address too many" in found.problems["weather"][0]
        assert {asked.path for asked in server.asked} == {"/0", "/1"}


def test_it_ends_at_once_even_in_the_middle_of_a_fetch(server: Documents, tmp_path: Path) -> None:
    shown = overlay(source(server.answer("/a", server.silent()), timeout="60s"))
    with fetching(tmp_path / "data.json", shown):
        until(lambda: server.asked, 5)
