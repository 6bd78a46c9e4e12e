from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path

import pytest

from api.serving import Served, Site, camera, condition, hls, program
from peers.waiting import until
from vistterstream.api.http import AddressInUse, listen_addresses, serve
from vistterstream.api.http import Site as Handlers
from vistterstream.base.errors import VistterError


def folder_of_hls(appliance: Served) -> Path:
    folder = appliance.folder / "hls" / "preview" / "page"
    folder.mkdir(parents=True)
    (folder / "index.m3u8").write_text("#EXTM3U\n")
    (folder / "a b.ts").write_bytes(b"G" * 188)
    (folder / "notes.txt").write_text("not for you")
    return folder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8642", [("127.0.0.1", 8642)]),
        ("localhost:80", [("127.0.0.1", 80)]),
        ("127.9.9.9:0", [("127.9.9.9", 0)]),
        ("[::1]:8642", [("::1", 8642)]),
        ("127.0.0.1:8642-8644", [("127.0.0.1", 8642), ("127.0.0.1", 8643), ("127.0.0.1", 8644)]),
    ],
)
def test_loopback_addresses_can_be_listened_on(text: str, expected: list[tuple[str, int]]) -> None:
    assert listen_addresses(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0.0.0.0:8642", "no authentication yet: listen on 127.0.0.1:8642"),
        ("[::]:8642", "no authentication yet"),
        ("192.168.1.5:8642", "no authentication yet"),
        ("1.1.1.1:80", "no authentication yet"),
        ("example.com:80", "not an IP address"),
        (":8642", "not an IP address"),
        ("8642", "not ADDR:PORT"),
        ("127.0.0.1", "not ADDR:PORT"),
        ("127.0.0.1:x", "not ADDR:PORT"),
        ("127.0.0.1:70000", "names no port"),
        ("127.0.0.1:9-8", "names no port"),
    ],
)
def test_other_addresses_are_refused_with_what_to_do(text: str, reason: str) -> None:
    with pytest.raises(VistterError, match=reason):
        listen_addresses(text)


def test_a_taken_port_is_told(appliance: Served) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        handlers = Handlers(appliance.answers, appliance.folder, lambda: b"")
        with pytest.raises(AddressInUse, match="is taken by another program; choose another with --listen"):
            appliance.portal.start_task(serve, handlers, "127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8642", "localhost", "LOCALHOST:1", "[::1]:8642", "127.1.2.3"]
)
def test_a_request_to_this_machine_is_answered(appliance: Served, host: str) -> None:
    with appliance.site() as site:
        assert site.get("/healthz", Host=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8642",
        "127.0.0.1.evil.example",
        "192.168.1.5",
        "[::2]",
        "",
        "localhost.x",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/status", "/metrics", "/healthz", "/nowhere"])
def test_a_request_to_another_host_is_refused(appliance: Served, host: str, path: str) -> None:
    with appliance.site() as site:
        status, _headers, body = site.get(path, Host=host)
        assert status == 421
        assert body == b"This address serves its own machine only.\n"


@pytest.mark.parametrize(
    "path", ["/", "/page/page.js", "/api/status", "/metrics", "/nowhere", "/hls/a/b/c.ts"]
)
def test_every_answer_has_the_security_headers(appliance: Served, path: str) -> None:
    with appliance.site() as site:
        _status, headers, _body = site.get(path)
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in headers
        assert "Server" not in headers


def test_nothing_can_be_changed(appliance: Served) -> None:
    with appliance.site() as site:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert site.get("/api/status", method)[0] == 405


def test_the_page_and_all_it_names_are_in_the_package(appliance: Served) -> None:
    with appliance.site() as site:
        status, headers, body = site.get("/")
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        page = body.decode()
        assert "//" not in page.replace("http://www.w3.org", ""), "the page loads nothing from elsewhere"
        for path, content_type in {
            "/page/page.css": "text/css; charset=utf-8",
            "/page/page.js": "text/javascript; charset=utf-8",
            "/page/icon.svg": "image/svg+xml; charset=utf-8",
            "/page/hls.light.min.js": "text/javascript; charset=utf-8",
            "/page/hls.light.min.LICENSE.txt": "text/plain; charset=utf-8",
        }.items():
            status, headers, _body = site.get(path)
            assert (status, headers["Content-Type"]) == (200, content_type), path
        assert site.get("/page/../http.py")[0] == 404
        assert site.get("/page/..%2Fhttp.py")[0] == 404
        assert site.get("/page/nothing.js")[0] == 404


def test_hls_is_served_with_its_types(appliance: Served) -> None:
    folder_of_hls(appliance)
    with appliance.site() as site:
        status, headers, body = site.get("/hls/preview/page/index.m3u8")
        assert (status, body) == (200, b"#EXTM3U\n")
        assert headers["Content-Type"] == "application/vnd.apple.mpegurl"
        assert headers["Cache-Control"] == "no-store"
        status, headers, body = site.get("/hls/preview/page/a%20b.ts")
        assert (status, len(body), headers["Content-Type"]) == (200, 188, "video/mp2t")
        assert site.get("/hls/preview/page/a%20b.ts", Range="bytes=0-9")[0] == 206


@pytest.mark.parametrize(
    "path",
    [
        "/hls/preview/page/notes.txt",
        "/hls/preview/page/missing.ts",
        "/hls/preview/page/",
        "/hls/preview/page",
        "/hls/preview/../../store.sqlite3",
        "/hls/preview/page/..%2F..%2F..%2Fsecret.ts",
        "/hls/%2E%2E/%2E%2E/secret.ts",
        "/hls/../hls/../secret.ts",
        "/hls/preview/page/%2Fetc%2Fpasswd",
        "/hls/preview/page/link.ts",
        "/hls/preview/elsewhere/secret.ts",
        "/hls/preview/page/%00.ts",
        "/hls/preview/page/pipe.ts",
    ],
)
def test_nothing_but_hls_is_served(appliance: Served, path: str) -> None:
    folder = folder_of_hls(appliance)
    (appliance.folder / "secret.ts").write_text("secret")
    (folder / "link.ts").symlink_to(appliance.folder / "secret.ts")
    (folder.parent / "elsewhere").symlink_to(appliance.folder)
    os.mkfifo(folder / "pipe.ts")
    with appliance.site() as site:
        status, _headers, body = site.get(path)
        assert status == 404
        assert b"secret" not in body


def test_metrics_health_and_readiness(appliance: Served) -> None:
    with appliance.site(b"vistter_up 1\n") as site:
        status, headers, body = site.get("/metrics")
        assert (status, body) == (200, b"vistter_up 1\n")
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert site.get("/healthz")[::2] == (200, b"ok\n")
        assert site.get("/readyz")[::2] == (200, b"ok\n")
        appliance.reasons = ["program main is not on air", "program two is not on air"]
        assert site.get("/readyz")[::2] == (503, b"program main is not on air\nprogram two is not on air\n")
        assert site.get("/healthz")[0] == 200


def test_the_status_for_the_page_is_json(appliance: Served) -> None:
    appliance.apply(program(), hls("preview"), camera("pier"))
    with appliance.site() as site:
        status, headers, body = site.get("/api/status")
        assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
        found = json.loads(body)
        assert [entry["name"] for entry in found["cameras"]] == ["pier"]
        assert found["programs"][0]["previews"][0]["url"] == "/hls/preview/page/index.m3u8"


class Page:
    """A page that is open: the snapshots it was told."""

    def __init__(self, site: Site) -> None:
        self.snapshots: list[dict[str, object]] = []
        self.connection = socket.create_connection(("127.0.0.1", site.port), timeout=10)
        self.connection.sendall(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.lines = self.connection.makefile("rb")
        self.status = int(self.lines.readline().split()[1])
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        try:
            for line in self.lines:
                if line.startswith(b"data: {"):
                    self.snapshots.append(json.loads(line[6:]))
        except OSError:
            return

    def close(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.lines.close()
        self.connection.close()


@pytest.mark.slow
def test_an_open_page_is_told_what_changes_and_nothing_else(appliance: Served) -> None:
    appliance.apply(camera("pier"))
    with appliance.site() as site:
        page = Page(site)
        try:
            until(lambda: page.snapshots, 5, "the page has a snapshot at once")
            appliance.status("Camera", "pier", conditions=[condition("Online", "True", "Live")])
            until(lambda: len(page.snapshots) == 2, 5, "the change arrives")
            assert page.snapshots[1]["cameras"][0]["state"] == "Online"  # type: ignore[index]
            appliance.record("Camera", "pier", "CameraOnline")
            until(lambda: len(page.snapshots) == 3, 5, "the event arrives")
        finally:
            page.close()


def test_pages_that_are_closed_make_room_for_others(appliance: Served) -> None:
    with appliance.site() as site:
        pages = [Page(site) for _ in range(33)]
        try:
            assert [page.status for page in pages] == [200] * 32 + [503]
        finally:
            for page in pages:
                page.close()

        def welcome() -> bool:
            page = Page(site)
            page.close()
            return page.status == 200

        until(welcome, 10, "a closed page is forgotten")


def test_the_server_ends_while_pages_are_open(appliance: Served) -> None:
    with appliance.site() as site:
        page = Page(site)
        until(lambda: page.snapshots, 5, "the page has a snapshot")
    page.close()
