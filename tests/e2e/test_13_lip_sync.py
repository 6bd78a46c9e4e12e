"""Lips and voice stay together: flashes and beeps of real cameras, measured at the platform."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from e2e import stage
from peers import lips
from peers.lips import Lips
from peers.rtmp import Platform
from peers.rtsp import Camera, Flash
from peers.vistter import Appliance

pytestmark = pytest.mark.e2e

FPS = 30
FLASHES = {
    "wharf": Flash(x=64, y=160, side=96, beep=1000),
    "pier": Flash(x=400, y=160, side=96, beep=3000),
}
NUMBERS = {"wharf": 131, "pier": 132}
LIMIT = 0.020  # s
FADE = {"type": "crossfade", "duration": "2s"}


def test_lips_and_voice_stay_together(tmp_path: Path) -> None:
    found = recorded(tmp_path, seconds=30, restarts=1)
    check(found, 30)


@pytest.mark.soak
def test_lips_and_voice_stay_together_for_ten_minutes(tmp_path: Path) -> None:
    found = recorded(tmp_path, seconds=600, restarts=5)
    check(found, 600)
    first, last = found.meetings[:60], found.meetings[-60:]
    drift = sum(one.offset for one in last) / 60 - sum(one.offset for one in first) / 60
    print(f"drift {drift * 1000:.2f} ms")
    assert abs(drift) <= LIMIT / 2


def check(found: Lips, seconds: int) -> None:
    print(found)
    assert len(found.meetings) >= seconds * 0.9
    assert len(found.alone) <= len(found.meetings) // 20, "a cut may end a flash before its beep is one"
    assert abs(found.worst.offset) <= LIMIT, found.worst


def recorded(folder: Path, *, seconds: int, restarts: int) -> Lips:
    """What the platform got of two cameras that cut and crossfade, an encoder being killed now and then."""
    with (
        Platform(folder) as platform,
        Camera(folder, NUMBERS["wharf"], fps=FPS, flash=FLASHES["wharf"]) as wharf,
        Camera(folder, NUMBERS["pier"], fps=FPS, flash=FLASHES["pier"]) as pier,
    ):
        appliance = Appliance(folder)
        show = stage.timeline([("wharf", "7s"), ("pier", "5s"), ("wharf", "6s"), ("pier", "6500ms")])
        video = show["spec"]["tracks"][0]["video"]
        video[2]["transition"], video[3]["transition"] = dict(FADE), dict(FADE)
        appliance.write(
            stage.MANIFEST,
            stage.camera("wharf", wharf.url),
            stage.camera("pier", pier.url),
            stage.code_overlay(),
            show,
            stage.program(fps=FPS),
            stage.rtmp("air", platform),
        )
        with appliance:
            stage.wait_online(appliance, *FLASHES)
            stage.wait_publishing(appliance, "air")
            for _ in range(restarts):
                stage.wait_frames(appliance, seconds * FPS // (restarts + 1), FPS)
                encoder = appliance.pid("encoder", "air")
                assert encoder is not None
                os.kill(encoder, signal.SIGKILL)
            stage.wait_frames(appliance, seconds * FPS // (restarts + 1), FPS)
            appliance.stop()
        return lips.measure(platform.recording("air"), FLASHES)
