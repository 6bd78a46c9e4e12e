"""Documents are fetched from a real server, which may be as bad as it likes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from peers.documents import Documents, redirects, sends
from peers.rtmps import make_certificate
from vistterstream.playout import download
from vistterstream.playout.download import MAX_BYTES, MAX_REDIRECTS, Download, DownloadFailed, NotModified


@pytest.fixture
def server() -> Iterator[Documents]:
    with Documents() as documents:
        yield documents


def fails(url: str, timeout: float = 5.0) -> DownloadFailed:
    with pytest.raises(DownloadFailed) as caught:
        Download(url, timeout).run()
    return caught.value


def test_a_document_is_fetched_as_it_is(server: Documents) -> None:
    url = server.put("/a.json", {"wind": 7})
    assert Download(url + "?station=3", 5).run() == b'{"wind": 7}'
    (asked,) = server.asked
    assert asked.path == "/a.json?station=3"
    assert asked.headers["Host"] == f"127.0.0.1:{server.port}"
    assert asked.headers["Accept-Encoding"] == "identity"
    assert "Authorization" not in asked.headers


def test_proxies_of_the_environment_play_no_part(server: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert Download(server.put("/a", 1), 5).run() == b"1"


def test_a_document_may_be_as_large_as_is_said_and_no_larger(server: Documents) -> None:
    url = server.answer("/full", sends(b" " * MAX_BYTES))
    assert len(Download(url, 5).run()) == MAX_BYTES
    wrong = fails(server.answer("/more", sends(b" " * (MAX_BYTES + 1))))
    assert (wrong.reason, wrong.message) == ("TooLarge", "sent more than 256 KiB")


@pytest.mark.parametrize("when", ["first line", "headers", "body"])
def test_the_time_is_over_however_slowly_the_bytes_come(server: Documents, when: str) -> None:
    starts = {"first line": b"HT", "headers": b"HTTP/1.0 200 OK\r\nX", "body": b"HTTP/1.0 200 OK\r\n\r\n"}
    url = server.answer("/slow", server.drips(starts[when] + b"1" * 10_000, every=0.02))
    began = time.monotonic()
    assert fails(url, timeout=0.6).reason == "Timeout"
    assert time.monotonic() - began < 5, "and not when the last byte has come, after 200 s"


def test_a_server_that_says_nothing_is_not_waited_for(server: Documents) -> None:
    wrong = fails(server.answer("/silent", server.silent()), timeout=0.3)
    assert (wrong.reason, wrong.message) == ("Timeout", "did not answer within 0.3 s")


def test_it_can_be_given_up_from_another_thread(server: Documents) -> None:
    download = Download(server.answer("/silent", server.silent()), 60)
    failed: list[DownloadFailed] = []

    def run() -> None:
        try:
            download.run()
        except DownloadFailed as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 5
    while not server.asked and time.monotonic() < deadline:
        thread.join(0.01)
    download.cancel()
    thread.join(5)
    assert not thread.is_alive()
    assert len(failed) == 1


def test_what_broke_off_is_not_taken_for_the_whole(server: Documents) -> None:
    half = sends(b"12", Content_Length="4")
    assert fails(server.answer("/half", half)).reason == "BadAnswer"


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "answered 404 Not Found"), (500, "answered 500 Internal Server Error"), (799, "answered 799")],
)
def test_a_bad_status_is_told_in_our_words(server: Documents, status: int, said: str) -> None:
    wrong = fails(server.answer("/x", sends(b"{}", status=status)))
    assert (wrong.reason, wrong.message) == ("BadStatus", said)


def test_what_does_not_speak_http_or_is_compressed_is_refused(server: Documents) -> None:
    def rubbish(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")

    assert fails(server.answer("/ssh", rubbish)).reason == "BadAnswer"
    assert fails(server.answer("/gzip", sends(b"\x1f\x8b", Content_Encoding="gzip"))).reason == "BadAnswer"


def test_nobody_there_is_told_in_a_sentence() -> None:
    with Documents() as gone:
        url = gone.url
    wrong = fails(url)
    assert (wrong.reason, wrong.message) == ("ConnectionFailed", "cannot be reached (Connection refused)")
    assert fails("http://nowhere.invalid/").reason == "NameUnknown"


def test_a_certificate_that_is_none_is_not_trusted(server: Documents) -> None:
    assert fails(server.url.replace("http:", "https:")).reason == "TlsFailed"


def test_a_document_that_is_known_is_not_sent_again(server: Documents) -> None:
    first = Download(server.answer("/a", sends(b"[1]", ETag='"v1"')), 5)
    assert (first.run(), first.etag) == (b"[1]", '"v1"')
    server.answer("/a", sends(b"", status=304))
    with pytest.raises(NotModified):
        Download(first.url, 5, etag=first.etag).run()
    assert [asked.headers.get("If-None-Match") for asked in server.asked] == [None, '"v1"']
    assert fails(first.url).message == "answered 304 Not Modified", "to somebody who did not ask for it"


@pytest.mark.parametrize("tag", ["v1", '"a\tb"', '"' + "a" * 300 + '"', "W/v1"])
def test_a_tag_that_is_none_is_not_kept(server: Documents, tag: str) -> None:
    download = Download(server.answer("/a", sends(b"[1]", ETag=tag)), 5)
    download.run()
    assert download.etag is None


class TestTls:
    @pytest.fixture
    def pair(self, tmp_path: Path) -> tuple[Path, Path]:
        certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
        make_certificate(certificate, key)
        return certificate, key

    @pytest.fixture(autouse=True)
    def _no_old_trust(self) -> Iterator[None]:
        yield
        download._tls_context.cache_clear()

    @pytest.mark.slow
    def test_a_certificate_that_the_machine_trusts_is_enough(
        self, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        download._tls_context.cache_clear()
        monkeypatch.setenv("SSL_CERT_FILE", str(pair[0]))
        with Documents(tls=pair) as server:
            assert Download(server.put("/a", [1]), 5).run() == b"[1]"
            wrong = fails(server.url.replace("127.0.0.1", "localhost"))
            assert wrong.reason == "TlsFailed", "it names another host"
            with Documents() as plain:
                server.answer("/down", redirects(plain.put("/a", 1)))
                assert fails(server.url + "/down").message == "redirects from https to http"

    def test_one_that_nobody_knows_is_not(self, pair: tuple[Path, Path]) -> None:
        download._tls_context.cache_clear()
        with Documents(tls=pair) as server:
            wrong = fails(server.put("/a", [1]))
            assert wrong.reason == "TlsFailed"
            assert wrong.message.startswith("cannot be trusted (its certificate: self-signed certificate")
            assert server.asked == []


@pytest.mark.slow
def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    server: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a name with an IPv6 address on a machine whose IPv6 leads nowhere."""
    url = server.put("/a", 1)
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):  # until the kernel takes no more, and drops who comes
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        places = (full.getsockname(), ("127.0.0.1", server.port))
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: found)
        assert Download(url, 2).run() == b"1"


class TestRedirects:
    def test_some_are_followed(self, server: Documents) -> None:
        server.put("/there", [1])
        server.answer("/here", redirects("there", 307))
        assert Download(server.answer("/a", redirects(server.url + "/here")), 5).run() == b"[1]"

    def test_not_for_ever(self, server: Documents) -> None:
        assert fails(server.answer("/a", redirects("/a"))).reason == "TooManyRedirects"
        assert len(server.asked) == MAX_REDIRECTS + 1

    @pytest.mark.parametrize(
        "place", ["file:///etc/passwd", "ftp://h/a", "http://user:secret@127.0.0.1/", "http://h:99999/"]
    )
    def test_not_to_what_may_not_be_named_in_a_manifest(self, server: Documents, place: str) -> None:
        wrong = fails(server.answer("/a", redirects(place)))
        assert wrong.reason == "BadRedirect"
        assert "secret" not in wrong.message

    def test_the_secret_goes_to_the_named_host_alone(self, server: Documents) -> None:
        with Documents() as other:
            other.put("/b", 1)
            server.answer("/c", redirects(other.url + "/b"))
            url = server.answer("/a", redirects("/c"))
            assert Download(url, 5, authorization="Bearer abc").run() == b"1"
            assert [asked.headers.get("Authorization") for asked in server.asked] == ["Bearer abc"] * 2
            assert "Authorization" not in other.asked[0].headers
