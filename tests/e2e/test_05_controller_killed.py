"""The controller may be killed at any moment: no frame is lost, and the next one adopts what runs."""

from __future__ import annotations

import os
import random
import signal
import time
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest

from e2e import stage
from peers import frames
from peers.rtmp import Platform
from peers.rtsp import Camera
from peers.vistter import Appliance, Object, alive, manifest, process_state
from peers.waiting import until

ADOPTION = 5.0  # s from start to adopted
MARK = frames.Area(x=160, y=240, width=320, height=64)
LEVELS, STEP = 8, 28  # brightnesses of the mark, and how far apart they are


def _mark(round_: int) -> Object:
    """An overlay whose brightness tells the round."""
    luma = "#" + f"{16 + round_ % LEVELS * STEP:02X}" * 3
    layer = {
        "name": "mark",
        "rectangle": {"width": MARK.width, "height": MARK.height, "color": luma},
        "position": {"x": MARK.x, "y": MARK.y},
    }
    canvas = {"width": stage.WIDTH, "height": stage.HEIGHT}
    return manifest("Overlay", "mark", {"canvas": canvas, "layers": [layer]})


def _show(camera: Camera, platform: Platform) -> list[Object]:
    return [
        stage.camera("wharf", camera.url),
        stage.code_overlay(),
        stage.timeline([("wharf", "1000s")], overlays=[{"overlay": "mark"}]),
        stage.program(),
        stage.rtmp("platform", platform),
    ]


def _pids(appliance: Appliance) -> dict[str, int | None]:
    return {
        "playout": appliance.pid("playout", "main"),
        "ingest": appliance.pid("ingest", "wharf"),
        "encoder": appliance.pid("encoder", "platform"),
        "pusher": appliance.pid("pusher", "platform"),
    }


def _until(moment: float) -> None:
    until(lambda: time.monotonic() >= moment, 10, "the random moment", every=0.005)


def _levels(shown: list[frames.Frame]) -> list[tuple[int, int]]:
    """The marks that the frames show, one after the other: the first program frame of each, and its level."""
    found = [(frame.program or 0, round((frame.lumas[0] - 16) / STEP)) for frame in shown]
    off = [abs(frame.lumas[0] - 16 - STEP * level) for frame, (_, level) in zip(shown, found, strict=True)]
    assert max(off) < STEP / 4  # none is between two marks
    return [next(run) for _, run in groupby(found, key=itemgetter(1))]


def _edit_while_down(appliance: Appliance, round_: int) -> str:
    """Save another mark; the revision of the plan that the playout runs without it."""
    before = str(appliance.playout()["revision"])
    appliance.write("mark.yaml", _mark(round_))
    return before


def _adopt(appliance: Appliance, pids: dict[str, int | None], revision: str) -> float:
    """Start a controller; s until it says what is on air, with the same processes and the edit applied."""
    started = time.monotonic()
    appliance.start()
    appliance.wait(
        lambda: _pids(appliance) == pids and appliance.playout()["revision"] != revision,
        ADOPTION + 5,
        f"the same processes {pids} with the edit applied",
    )
    return time.monotonic() - started


def _kill_while_starting(appliance: Appliance, moment: float) -> None:
    """Start a controller and kill it that many seconds later, ready or not."""
    begun = time.monotonic()
    appliance.controller.start()
    _until(begun + moment)
    appliance.kill()


def _rounds(tmp_path: Path, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    print(f"seed {seed}")  # to repeat a failure
    with Platform(tmp_path) as platform, Camera(tmp_path, 71, fps=stage.FPS) as camera:
        appliance = Appliance(tmp_path)
        appliance.write(stage.MANIFEST, *_show(camera, platform))
        appliance.write("mark.yaml", _mark(0))
        adoptions, started = [], []
        with appliance:
            stage.wait_publishing(appliance, "platform")
            stage.wait_online(appliance, "wharf")
            pids, processes = _pids(appliance), appliance.children()
            assert processes == set(pids.values())
            for round_ in range(1, rounds + 1):
                _until(time.monotonic() + chance.uniform(0, 0.6))
                appliance.kill()
                revision = _edit_while_down(appliance, round_)
                if round_ % 2:
                    _kill_while_starting(appliance, chance.uniform(0.1, 2.0))
                started.append(time.time())
                adoptions.append(_adopt(appliance, pids, revision))
                assert appliance.children() == processes
            appliance.stop()
        shown = frames.read(platform.recording("platform"), areas=[MARK])
    print(f"adopted within {max(adoptions):.2f} s, {rounds} times")
    assert max(adoptions) <= ADOPTION
    frames.assert_each_once(frames.program_numbers(shown))
    marks = _levels(shown)
    assert [level for _, level in marks] == [round_ % LEVELS for round_ in range(rounds + 1)]
    seen = [appliance.due(frame, stage.FPS) for frame, _ in marks[1:]]
    delays = [at - since for at, since in zip(seen, started, strict=True)]
    print(f"edits made meanwhile are seen after {min(delays):.2f} to {max(delays):.2f} s")
    assert max(delays) <= ADOPTION


@pytest.mark.timeout(300)
def test_twenty_killed_controllers_cost_no_frame_and_leave_no_orphan(tmp_path: Path) -> None:
    _rounds(tmp_path, rounds=20, seed=random.randrange(1 << 32))


@pytest.mark.soak
def test_five_hundred_killed_controllers_cost_no_frame(tmp_path: Path) -> None:
    _rounds(tmp_path, rounds=500, seed=random.randrange(1 << 32))


def test_what_was_on_air_stays_when_the_controller_leaves(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform, Camera(tmp_path, 71, fps=stage.FPS) as camera:
        appliance = Appliance(tmp_path, on_exit="leave")
        appliance.write(stage.MANIFEST, *_show(camera, platform))
        appliance.write("mark.yaml", _mark(0))
        with appliance:
            stage.wait_publishing(appliance, "platform")
            processes = appliance.children()
            os.kill(appliance.controller.pid, signal.SIGTERM)
            assert appliance.controller.wait(10) == 0
            assert processes
            assert all(alive(pid) and process_state(pid) != "T" for pid in processes)
            stage.wait_frames(appliance, stage.FPS)
            appliance.start()
            appliance.wait(lambda: appliance.children() == processes, 5, "nothing was started again")
            appliance.stop()
            assert not appliance.children()
