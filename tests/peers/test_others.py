"""The RTMPS and SRT platforms and the faulty wire, tried with a hand-written FFmpeg."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from peers import frames
from peers.proxy import Proxy
from peers.pushing import Pusher
from peers.rtmp import Platform
from peers.rtmps import SecurePlatform
from peers.srt import SrtPlatform
from peers.waiting import holds, until

pytestmark = pytest.mark.e2e
ROW = frames.Row()


def test_the_rtmps_platform_records_for_a_client_that_trusts_its_certificate(tmp_path: Path) -> None:
    with SecurePlatform(tmp_path) as platform:
        trust = ("-tls_verify", "1", "-ca_file", str(platform.certificate))
        with Pusher(tmp_path, platform.url("abc"), "flv", *trust) as pusher:
            assert pusher.wait(20) == 0, pusher.said()
        files = until(platform.recordings, 10, "a recording")
        assert len(frames.read(files[0], camera=None, program=ROW)) >= 40


def test_the_rtmps_platform_cannot_be_verified_without_its_certificate(tmp_path: Path) -> None:
    with (
        SecurePlatform(tmp_path) as platform,
        Pusher(tmp_path, platform.url("abc"), "flv", "-tls_verify", "1") as pusher,
    ):
        assert pusher.wait(20) != 0
        assert platform.recordings() == []


def test_the_srt_platform_records_and_ends_with_its_publisher(tmp_path: Path) -> None:
    with SrtPlatform(tmp_path) as platform:
        with Pusher(tmp_path, f"{platform.url}?mode=caller&pkt_size=1316", "mpegts") as pusher:
            assert pusher.wait(20) == 0, pusher.said()
        platform.wait(20)
        numbers = frames.program_numbers(frames.read(platform.recording, camera=None, program=ROW))
        frames.assert_each_once(numbers)
        assert len(numbers) >= 30
        platform.restart()
        assert platform.running


def test_the_proxy_forwards_stalls_and_cuts(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform, Proxy(platform.port) as proxy:
        url = f"rtmp://127.0.0.1:{proxy.port}/live/abc"
        with Pusher(tmp_path, url, "flv", count=900) as pusher:
            until(lambda: platform.publishing("abc"), 10, "the platform sees the publisher")
            proxy.faults.stalled = True
            until(lambda: _same(platform), 5, "nothing arrives any more")
            holds(lambda: pusher.running, 0.5, "the connection stays open")
            proxy.faults.stalled = False
            until(lambda: not _same(platform), 5, "it arrives again")
            proxy.cut()
            assert pusher.wait(20) != 0
        assert proxy.connections == 1


def _same(platform: Platform) -> bool:
    before = platform.publishers()[0].bytes_in
    end = time.monotonic() + 0.4
    until(lambda: time.monotonic() > end, 2, "a moment has passed")
    return platform.publishers()[0].bytes_in == before


def test_the_proxy_throttles_and_delays(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform, Proxy(platform.port) as proxy:
        proxy.faults.delay = 0.1
        url = f"rtmp://127.0.0.1:{proxy.port}/live/abc"
        started = time.monotonic()
        with Pusher(tmp_path, url, "flv", count=900):
            until(lambda: platform.publishing("abc"), 20, "the platform sees the publisher")
            assert time.monotonic() - started > 0.5  # the handshake alone passes five times
            proxy.faults.refusing = True
            proxy.cut()
            until(lambda: not platform.publishers(), 5, "the publisher is gone")
