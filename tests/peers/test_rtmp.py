"""The RTMP platform records what it gets, refuses keys, can be frozen, cut off and restarted."""

from __future__ import annotations

from pathlib import Path

import pytest

from peers import frames
from peers.probe import probe
from peers.pushing import Pusher
from peers.rtmp import Platform
from peers.waiting import holds, until

pytestmark = pytest.mark.e2e
ROW = frames.Row()


def test_it_records_every_frame_that_is_pushed(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform, Pusher(tmp_path, platform.url(key="abc"), "flv") as pusher:
        until(lambda: platform.publishing("abc"), 10, "the platform sees the publisher")
        assert pusher.wait(20) == 0
        until(lambda: not platform.publishers(), 5, "the publisher has gone")
        file = platform.recording("abc")
        seen = frames.read(file, camera=None, program=ROW)
        assert frames.program_numbers(seen) == list(range(45))
        frames.assert_rising(seen)
        assert (probe(file).video, probe(file).audio) == ("h264", "aac")
        assert platform.asked == ["abc"]


def test_it_turns_away_a_refused_key(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform:
        platform.refused.add("bad")
        with Pusher(tmp_path, platform.url(key="bad"), "flv") as pusher:
            assert pusher.wait(20) != 0
        assert platform.recordings() == []


def test_a_frozen_platform_answers_nobody_and_goes_on_when_thawed(tmp_path: Path) -> None:
    with (
        Platform(tmp_path) as platform,
        Pusher(tmp_path, platform.url(key="abc"), "flv", count=90) as pusher,
    ):
        until(lambda: platform.publishing("abc"), 10, "the platform sees the publisher")
        platform.freeze()
        size = platform.recording("abc").stat().st_size
        with pytest.raises(OSError, match="timed out"):
            platform.publishers()
        holds(lambda: platform.recording("abc").stat().st_size == size, 0.5, "nothing is recorded")
        platform.thaw()
        assert pusher.wait(20) == 0


def test_a_cut_and_a_killed_platform_end_the_publisher(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform:
        with Pusher(tmp_path, platform.url(key="one"), "flv", count=900) as pusher:
            until(lambda: platform.publishing("one"), 10, "the platform sees the publisher")
            platform.cut("one")
            assert pusher.wait(20) != 0
        with Pusher(tmp_path, platform.url(key="two"), "flv", count=900) as pusher:
            until(lambda: platform.publishing("two"), 10, "the platform sees the publisher")
            platform.kill()
            assert pusher.wait(20) != 0
        platform.restart()
        assert platform.publishers() == []
