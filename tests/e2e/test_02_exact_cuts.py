"""A cut lands on the frame the timeline says, and the platform has every program frame once."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from e2e import stage
from peers import frames
from peers.rtmp import Platform
from peers.rtsp import Camera
from peers.vistter import Appliance

FPS = 30
CUES = [("wharf", "5s"), ("pier", "7s"), ("wharf", "3500ms"), ("pier", "4033ms")]  # 19.533 s, looped
NUMBERS = {"wharf": 51, "pier": 52}
SECONDS = 60


def _expected(frame: int) -> int:
    """The number of the camera that the timeline shows at that program frame: whole frames, added up."""
    ends, total = [], 0
    for name, duration in CUES:
        milliseconds = int(duration[:-2]) if duration.endswith("ms") else int(duration[:-1]) * 1000
        total += milliseconds
        ends.append(((total * FPS + 500) // 1000, NUMBERS[name]))
    position = frame % ends[-1][0]
    return next(number for end, number in ends if position < end)


def _record(tmp_path: Path, seconds: int) -> tuple[list[frames.Frame], int]:
    with (
        Platform(tmp_path) as platform,
        Camera(tmp_path, NUMBERS["wharf"], fps=FPS) as wharf,
        Camera(tmp_path, NUMBERS["pier"], fps=FPS) as pier,
    ):
        appliance = Appliance(tmp_path)
        appliance.write(
            stage.MANIFEST,
            stage.camera("wharf", wharf.url),
            stage.camera("pier", pier.url),
            stage.code_overlay(),
            stage.timeline(CUES),
            stage.program(fps=FPS),
            stage.rtmp("platform", platform),
        )
        with appliance:
            stage.wait_publishing(appliance, "platform")
            stage.wait_online(appliance, "wharf", "pier")
            first = stage.wait_frames(appliance, 1)
            stage.wait_frames(appliance, seconds * FPS, FPS)
            status = appliance.playout()
            appliance.stop()
        assert status["repeated_frames"] == 0
        return frames.read(platform.recording("platform")), first


def _check(shown: list[frames.Frame], first: int, seconds: int) -> int:
    """All that must hold of a recording; the number of cuts in it."""
    assert all(frame.program is not None for frame in shown)
    frames.assert_each_once(frames.program_numbers(shown))
    frames.assert_rising(shown)
    window = stage.since(shown, first)
    assert len(window) >= seconds * FPS
    wrong = [
        f"frame {frame.program} shows {frame.number}, not {_expected(frame.program or 0)}"
        for frame in window
        if frame.number != _expected(frame.program or 0)
    ]
    assert not wrong, f"{len(wrong)}: {wrong[:10]}"
    return sum(later.number != earlier.number for earlier, later in pairwise(window))


@pytest.mark.timeout(180)
def test_sixty_seconds_with_ten_cuts_have_every_frame_once_and_cut_on_the_frame(tmp_path: Path) -> None:
    shown, first = _record(tmp_path, SECONDS)
    assert _check(shown, first, SECONDS) >= 10


@pytest.mark.soak
def test_an_hour_has_every_frame_once(tmp_path: Path) -> None:
    shown, first = _record(tmp_path, 3600)
    assert _check(shown, first, 3600) >= 600
