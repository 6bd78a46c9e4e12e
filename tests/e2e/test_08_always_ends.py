"""``vistter stop`` and Ctrl-C always end everything within ten seconds, also with stuck peers."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from e2e import stage
from peers import frames
from peers.probe import probe
from peers.rtmp import Platform
from peers.rtsp import Camera
from peers.vistter import Appliance, alive

LIMIT = 10.0


def _no_sockets(appliance: Appliance) -> bool:
    """No socket file in the state folder, and none bound there."""
    bound = Path("/proc/net/unix").read_text()
    return (
        not any(path.is_socket() for path in appliance.state.rglob("*")) and str(appliance.state) not in bound
    )


def _show(appliance: Appliance, camera: Camera, platform: Platform, folder: Path) -> None:
    appliance.write(
        stage.MANIFEST,
        stage.camera("wharf", camera.url),
        stage.film("pier", stage.noisy_clip(folder)),
        stage.code_overlay(),
        stage.timeline([("pier", "5s"), ("wharf", "1s")]),
        stage.program(),
        stage.noisy_rtmp("platform", platform.url(key="platform")),
        stage.recording("mkv", folder / "mkv", encoding=stage.NOISY),
        stage.recording("mp4", folder / "mp4", "mp4", encoding=stage.NOISY),
        stage.recording("ts", folder / "ts", "ts", encoding=stage.NOISY),
    )


def _wait_blocked(appliance: Appliance) -> None:
    """The platform's pusher takes nothing any more: all on the way is full, and it hangs in its write."""

    def sent() -> tuple[int, int]:
        said = appliance.playout()
        return int(said["frame"]), int(said["outputs"]["platform"]["bytes"])

    since, before = sent()

    def blocked() -> bool:
        nonlocal since, before
        frame, count = sent()
        if count != before:
            since, before = frame, count
        return frame - since > 2 * stage.FPS

    appliance.wait(blocked, 40, "the pusher is blocked")
    assert alive(appliance.pid("pusher", "platform"))
    assert appliance.status("Output", "platform")["reconnects"] == 0


def _gone(appliance: Appliance, asked: float) -> None:
    took = time.monotonic() - asked
    print(f"ended in {took:.2f} s")
    assert took <= LIMIT
    assert appliance.processes() == {}
    assert _no_sockets(appliance)


def _playable(folder: Path) -> None:
    for kind in ("mkv", "mp4", "ts"):
        for file in stage.files(folder / kind):
            media = probe(file)
            assert (media.video, media.audio) == ("h264", "aac")
            frames.assert_each_once(frames.program_numbers(frames.read(file)))


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "stuck",
    [
        pytest.param(False, id="all well", marks=pytest.mark.soak),  # others end what is well, too
        pytest.param(True, id="stuck camera and platform"),
    ],
)
@pytest.mark.parametrize("way", ["vistter stop", "Ctrl-C"])
def test_it_ends_and_leaves_playable_recordings(tmp_path: Path, way: str, stuck: bool) -> None:
    with Platform(tmp_path) as platform, Camera(tmp_path, 101, fps=stage.FPS) as camera:
        appliance = Appliance(tmp_path, on_exit="stop")
        _show(appliance, camera, platform, tmp_path)
        with appliance:
            stage.wait_publishing(appliance, "platform", "mkv", "mp4", "ts")
            stage.wait_online(appliance, "wharf")
            stage.wait_frames(appliance, 3 * stage.FPS)
            if stuck:
                camera.freeze()
                platform.freeze()
                _wait_blocked(appliance)
            asked = time.monotonic()
            if way == "Ctrl-C":
                os.killpg(appliance.controller.pid, signal.SIGINT)
            else:
                assert appliance.cli("stop", deadline=LIMIT + 5).returncode == 0
            assert appliance.controller.wait(LIMIT) == 0
            _gone(appliance, asked)
    _playable(tmp_path)


def test_stop_without_a_controller_ends_what_one_left(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform, Camera(tmp_path, 101, fps=stage.FPS) as camera:
        appliance = Appliance(tmp_path, on_exit="leave")
        _show(appliance, camera, platform, tmp_path)
        with appliance:
            stage.wait_publishing(appliance, "platform", "mkv", "mp4", "ts")
            appliance.kill()
            assert appliance.children()
            asked = time.monotonic()
            done = appliance.cli("stop", deadline=LIMIT + 5)
            assert done.returncode == 0, done.stderr
            _gone(appliance, asked)
    _playable(tmp_path)
