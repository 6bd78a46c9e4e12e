"""What is too long for CI: memory over ten minutes, and a show that goes on while everything breaks."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from bench import bench_appliance, bench_endurance
from e2e import stage
from peers import frames
from peers.rtmp import Platform
from peers.rtsp import Camera
from peers.vistter import Appliance, alive

pytestmark = pytest.mark.soak


def test_the_playouts_memory_is_flat_over_ten_minutes(tmp_path: Path) -> None:
    for figure in bench_appliance.playout_memory(tmp_path, bench_appliance.FULL):
        print(figure)
        assert figure.met, figure


def test_a_million_frames_leave_memory_and_cost_where_they_were() -> None:
    for figure in bench_endurance.measure():
        print(figure)
        assert figure.met, figure


def test_half_an_hour_of_killed_cameras_pushers_and_controllers_loses_no_frame_elsewhere(
    tmp_path: Path,
) -> None:
    chance = random.Random(seed := random.randrange(1 << 32))
    print(f"seed {seed}")
    with Platform(tmp_path) as platform, Camera(tmp_path, 171, fps=stage.FPS) as camera:
        appliance = Appliance(tmp_path)
        appliance.write(
            stage.MANIFEST,
            stage.camera("wharf", camera.url),
            stage.pattern("pier", 172),
            stage.code_overlay(),
            stage.timeline([("wharf", "4s"), ("pier", "3s")]),
            stage.program(),
            stage.rtmp("steady", platform),
            stage.rtmp("troubled", platform),
        )
        with appliance:
            stage.wait_publishing(appliance, "steady", "troubled")
            for _ in range(180):
                _trouble(appliance, camera, chance)
                stage.wait_frames(appliance, 10 * stage.FPS)
                stage.wait_publishing(appliance, "steady", "troubled", deadline=60)
            appliance.stop()
        shown = frames.read(platform.recording("steady"))
    frames.assert_each_once(frames.program_numbers(shown))
    assert len(shown) >= 1700 * stage.FPS


def _trouble(appliance: Appliance, camera: Camera, chance: random.Random) -> None:
    match chance.choice(["camera", "ingest", "pusher", "controller"]):
        case "camera":
            camera.kill()
            camera.restart()
        case "controller":
            appliance.kill()
            appliance.start()
        case "ingest":
            _kill(appliance.pid("ingest", "wharf"))
        case "pusher":
            _kill(appliance.pid("pusher", "troubled"))


def _kill(pid: int | None) -> None:
    if pid is not None and alive(pid):
        os.kill(pid, signal.SIGKILL)
