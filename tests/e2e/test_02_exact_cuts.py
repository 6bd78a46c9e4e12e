"""A cut lands on the frame the timeline says, and the platform has every program frame once; the as-run log
tells each cue and each overlay with the frame on which the recording shows it.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from e2e import stage
from peers import frames
from peers.rtmp import Platform
from peers.rtsp import Camera
from peers.vistter import Appliance, Object, manifest

FPS = 30
# 19.533 s, looped; the pier is cued twice in a row, which no picture tells.
CUES = [("wharf", "5s"), ("pier", "4s"), ("pier", "3s"), ("wharf", "3500ms"), ("pier", "4033ms")]
NUMBERS = {"wharf": 51, "pier": 52}
SECONDS = 60
BOXES = {
    "red": frames.Area(x=160, y=240, width=64, height=64),
    "blue": frames.Area(x=320, y=240, width=64, height=64),
}
SHOWN = {"red": ("1s", "2700ms"), "blue": ("3033ms", "9s")}  # from when on, and how long: they overlap
BRIGHT, DARK = 180, 60  # of a box and of the ground that it lies on

Lines = list[dict[str, Any]]


def _frame(milliseconds: int) -> int:
    """The frame nearest to a time."""
    return (milliseconds * FPS + 500) // 1000


def _milliseconds(duration: str) -> int:
    return int(duration[:-2]) if duration.endswith("ms") else int(duration[:-1]) * 1000


def _starts() -> list[int]:
    """The frame of each cue, and of the end: whole frames, added up."""
    total = [0]
    for _, duration in CUES:
        total.append(total[-1] + _milliseconds(duration))
    return [_frame(time) for time in total]


def _expected(frame: int) -> int:
    """The number of the camera that the timeline shows at that program frame."""
    starts = _starts()
    position = frame % starts[-1]
    cue = next(number for number, end in enumerate(starts[1:]) if position < end)
    return NUMBERS[CUES[cue][0]]


def _box(name: str) -> Object:
    """An overlay that is bright over one area; `ground`, which is always there, is dark."""
    color, areas = ("#FFFFFF", [BOXES[name]]) if name in BOXES else ("#000000", [*BOXES.values()])
    layers = [
        {
            "name": f"box-{number}",
            "rectangle": {"width": area.width, "height": area.height, "color": color},
            "position": {"x": area.x, "y": area.y},
        }
        for number, area in enumerate(areas)
    ]
    return manifest(
        "Overlay", name, {"canvas": {"width": stage.WIDTH, "height": stage.HEIGHT}, "layers": layers}
    )


def _record(tmp_path: Path, seconds: int) -> tuple[list[frames.Frame], int, Lines]:
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
            *map(_box, ("ground", *BOXES)),
            stage.timeline(
                CUES,
                overlays=[
                    {"overlay": "ground"},
                    *({"overlay": name, "at": at, "duration": long} for name, (at, long) in SHOWN.items()),
                ],
            ),
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
            log = appliance.as_run()
        assert status["repeated_frames"] == 0
        return frames.read(platform.recording("platform"), areas=[*BOXES.values()]), first, log


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


def _check_log(log: Lines, shown: list[frames.Frame], first: int) -> None:
    """The log's lines from `first` on: on the very frames of the timeline, and as the recording shows."""
    window = stage.since(shown, first)
    last = window[-1].program or 0
    starts = _starts()
    length = starts[-1]
    lines = [line for line in log if first < line["frame"] <= last]
    cues = [
        (line["frame"], line["timeline"]["cue"])
        for earlier, line in pairwise(log)
        if line in lines
        and (line["timeline"]["cue"] != earlier["timeline"]["cue"] or "code" in line["entered"])
    ]
    assert cues == [
        (frame, starts.index(frame % length))
        for frame in range(first + 1, last + 1)
        if frame % length in starts[:-1]
    ]
    for line in lines:
        assert line["timeline"]["frame"] == line["frame"] % length
    for name, area in zip(BOXES, range(len(BOXES)), strict=True):
        seen = [(frame.program, frame.lumas[area] > (BRIGHT + DARK) / 2) for frame in window]
        assert all(not DARK <= frame.lumas[area] <= BRIGHT for frame in window)
        came = [frame for (_, before), (frame, now) in pairwise(seen) if now and not before]
        went = [frame for (_, before), (frame, now) in pairwise(seen) if before and not now]
        assert [line["frame"] for line in lines if name in line["entered"]] == came
        assert [line["frame"] for line in lines if name in line["left"]] == went
        at, long = map(_milliseconds, SHOWN[name])
        assert {(frame or 0) % length for frame in came} == {_frame(at)}
        assert {(frame or 0) % length for frame in went} == {_frame(at + long)}


@pytest.mark.timeout(180)
def test_sixty_seconds_with_ten_cuts_have_every_frame_once_and_cut_on_the_frame(tmp_path: Path) -> None:
    shown, first, log = _record(tmp_path, SECONDS)
    assert _check(shown, first, SECONDS) >= 10
    _check_log(log, shown, first)


@pytest.mark.soak
def test_an_hour_has_every_frame_once(tmp_path: Path) -> None:
    shown, first, log = _record(tmp_path, 3600)
    assert _check(shown, first, 3600) >= 600
    _check_log(log, shown, first)
