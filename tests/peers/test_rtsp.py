"""The RTSP camera shows its number and counts its frames; it can be unplugged, hung, and asks passwords."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from peers import frames, needs
from peers.probe import loudness, probe
from peers.rtsp import Camera

pytestmark = pytest.mark.e2e


def record(
    url: str, file: Path, seconds: float = 1.5, *, timeout: float = 20
) -> subprocess.CompletedProcess[str]:
    command = [needs.ffmpeg(), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y"]
    command += ["-rtsp_transport", "tcp", "-timeout", "1500000", "-i", url, "-t", str(seconds)]
    return subprocess.run(
        [*command, "-map", "0", "-c", "copy", str(file)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_each_frame_says_which_camera_and_which_frame_it_is(tmp_path: Path) -> None:
    file = tmp_path / "out.mkv"
    with Camera(tmp_path, 137, fps=30, tone=440) as camera:
        assert record(camera.url, file).returncode == 0
    seen = frames.read(file, program=None)
    assert len(seen) >= 30
    assert {frame.number for frame in seen} == {137}
    frames.assert_each_once([frame.counter or 0 for frame in seen])
    media = probe(file)
    assert (media.video, media.width, media.height, media.audio) == ("h264", 640, 360, "aac")
    assert loudness(file) > -40


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_a_camera_with_a_password_lets_in_who_knows_it(tmp_path: Path, auth: str) -> None:
    with Camera(tmp_path, user="joe", password="open sesame", auth=auth) as camera:
        refused = record(camera.url, tmp_path / "a.mkv", 0.3)
        assert "401" in refused.stderr
        url = camera.url.replace("rtsp://", "rtsp://joe:open%20sesame@")
        assert record(url, tmp_path / "b.mkv", 0.3).returncode == 0


def test_a_killed_camera_refuses_and_comes_back_on_the_same_address(tmp_path: Path) -> None:
    with Camera(tmp_path) as camera:
        camera.kill()
        assert "refused" in record(camera.url, tmp_path / "a.mkv").stderr
        camera.restart()
        assert record(camera.url, tmp_path / "b.mkv", 0.3).returncode == 0


def test_a_frozen_camera_accepts_but_says_nothing_until_thawed(tmp_path: Path) -> None:
    with Camera(tmp_path) as camera:
        camera.freeze()
        assert record(camera.url, tmp_path / "a.mkv").returncode != 0
        camera.thaw()
        assert record(camera.url, tmp_path / "b.mkv", 0.3).returncode == 0
        camera.freeze()  # leaving the block must end a frozen one, too
