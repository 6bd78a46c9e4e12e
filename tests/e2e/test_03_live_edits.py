"""Edits of a running show reach the platform without a lost frame, soon, and touch only what they name."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pytest

from e2e import stage
from peers import frames
from peers.rtmp import Platform
from peers.rtsp import Camera
from peers.vistter import Appliance, Object, manifest

TITLE = frames.Area(x=160, y=240, width=320, height=64)
CORNER = frames.Area(x=16, y=96, width=64, height=64)
LIMIT = 0.5  # s, median from saving a file to the due time of the first changed frame, for each kind
KINDS = {"text": 3, "order": 3, "camera": 3, "gap": 1, "slate": 3}  # of edits, and how many of each
CHANGED = 6.0  # of mean luma; encoding noise stays below a tenth of it
DARK, BRIGHT = "#202020", "#E0E0E0"
WORDS = ["Low tide", "HIGH WATER AT NINE"]


def _title(text: str) -> Object:
    """Text on a plain ground that covers TITLE, so that nothing else moves in there."""
    ground = {
        "name": "ground",
        "rectangle": {"width": TITLE.width, "height": TITLE.height, "color": "#000000"},
        "position": {"x": TITLE.x, "y": TITLE.y},
    }
    words = {
        "name": "words",
        "text": {"value": text, "size": 28, "padding": 0},
        "position": {"x": TITLE.x, "y": TITLE.y + 12},
    }
    canvas = {"width": stage.WIDTH, "height": stage.HEIGHT}
    return manifest("Overlay", "title", {"canvas": canvas, "layers": [ground, words]})


def _show(camera: Camera, platform: Platform) -> list[Object]:
    return [
        stage.camera("wharf", camera.url),
        stage.pattern("pier", 32),
        stage.pattern("gull", 33),
        stage.code_overlay(),
        _title(WORDS[0]),
        stage.timeline(
            [("pier", "1000s"), ("gull", "1000s"), ("wharf", "1000s")], overlays=[{"overlay": "title"}]
        ),
        stage.program(fallback={"color": DARK}),
        stage.rtmp("platform", platform),
    ]


def _set_title(objects: list[Object], text: str) -> None:
    objects[objects.index(stage.find(objects, "Overlay", "title"))] = _title(text)


def _cues(objects: list[Object]) -> list[dict[str, Any]]:
    tracks = stage.find(objects, "Timeline", "show")["spec"]["tracks"]
    found = next(track["video"] for track in tracks if "video" in track)
    assert isinstance(found, list)
    return found


def _reverse(objects: list[Object]) -> None:
    """The other way round, all but the last, which stands by and is not shown here."""
    cues = _cues(objects)
    cues[:-1] = reversed(cues[:-1])


def _add_camera(objects: list[Object], name: str, number: int) -> None:
    objects.insert(0, stage.pattern(name, number))
    _cues(objects).insert(0, {"camera": name, "duration": "1000s"})


def _set_slate(objects: list[Object], color: str) -> None:
    stage.find(objects, "Program", "main")["spec"]["fallback"] = {"color": color}


class _Edits:
    """Makes edits one after the other, keeps when each was saved, and who ran at each time."""

    def __init__(self, appliance: Appliance) -> None:
        self._appliance = appliance
        self.saved: list[tuple[str, float, int]] = []  # what, Unix time, program frame then

    def make(self, what: str, change: Callable[[list[Object]], object]) -> None:
        """Save the edit and let the program go on for 1.2 s."""
        frame = int(self._appliance.playout()["frame"])
        saved = self._appliance.edit(stage.MANIFEST, change)
        self.saved.append((what, saved, frame))
        stage.wait_frames(self._appliance, 18)


def _pids(appliance: Appliance) -> dict[str, int | None]:
    return {
        "playout": appliance.pid("playout", "main"),
        "encoder": appliance.pid("encoder", "platform"),
        "pusher": appliance.pid("pusher", "platform"),
        "ingest": appliance.pid("ingest", "wharf"),
    }


def _picture_edits(edits: _Edits) -> None:
    for round_ in range(3):
        edits.make("text", partial(_set_title, text=WORDS[(round_ + 1) % 2]))
        edits.make("order", _reverse)
        edits.make("camera", partial(_add_camera, name=f"new-{round_}", number=40 + round_))
    edits.make("gap", lambda objects: _cues(objects)[0].update(at="500000s"))
    for color in (BRIGHT, DARK, BRIGHT):
        edits.make("slate", partial(_set_slate, color=color))


def _first_change(shown: list[frames.Frame], frame: int) -> int:
    """The first program frame after `frame` whose camera, title or slate differs from the one before."""
    window = stage.since(shown, frame)
    for earlier, later in pairwise(window):
        moved = [abs(a - b) for a, b in zip(earlier.lumas, later.lumas, strict=True)]
        if later.number != earlier.number or max(moved) > CHANGED:
            assert later.program is not None
            return later.program
    raise AssertionError(f"nothing changed after frame {frame}")


def _figures(appliance: Appliance, edits: _Edits, shown: list[frames.Frame]) -> dict[str, list[float]]:
    """By kind of edit, the seconds from each save to its first changed frame."""
    delays: dict[str, list[float]] = {}
    for what, saved, frame in edits.saved:
        delay = appliance.due(_first_change(shown, frame), stage.FPS) - saved
        delays.setdefault(what, []).append(delay)
    for what, some in delays.items():  # the figures are wanted
        told = ", ".join(f"{delay * 1000:.0f}" for delay in some)
        print(f"{what:8} {statistics.median(some) * 1000:6.0f} ms of {told}")
    return delays


@pytest.mark.timeout(180)
def test_edits_of_the_picture_lose_no_frame_change_no_process_and_come_soon(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform, Camera(tmp_path, 31, fps=stage.FPS) as camera:
        appliance = Appliance(tmp_path)
        appliance.write(stage.MANIFEST, *_show(camera, platform))
        with appliance:
            stage.wait_publishing(appliance, "platform")
            stage.wait_online(appliance, "wharf")
            before = _pids(appliance)
            edits = _Edits(appliance)
            stage.wait_frames(appliance, stage.FPS)
            _picture_edits(edits)
            assert _pids(appliance) == before
            stage.wait_frames(appliance, stage.FPS)
            appliance.stop()
        shown = frames.read(platform.recording("platform"), areas=[TITLE, CORNER])
    frames.assert_each_once(frames.program_numbers(shown))
    delays = _figures(appliance, edits, shown)
    assert {what: len(some) for what, some in delays.items()} == KINDS
    for what, some in delays.items():
        assert min(some) > 0, what
        assert statistics.median(some) <= LIMIT, what


ROUND = [("wharf", 2), ("quay", 2), ("pier", 2)]  # the cues after the edit, and their seconds


def _add_quay(objects: list[Object], camera: Camera) -> None:
    objects.insert(0, stage.camera("quay", camera.url))
    _cues(objects).insert(1, {"camera": "quay", "duration": f"{ROUND[1][1]}s"})


@pytest.mark.timeout(180)
def test_a_real_camera_added_live_starts_its_own_ingest_and_touches_nothing_else(tmp_path: Path) -> None:
    """Both RTSP cameras are on air in turn, so that each one's ingest runs all the time."""
    numbers = {"wharf": 31, "quay": 34, "pier": 32}
    with (
        Platform(tmp_path) as platform,
        Camera(tmp_path, numbers["wharf"], fps=stage.FPS) as wharf,
        Camera(tmp_path, numbers["quay"], fps=stage.FPS) as quay,
    ):
        appliance = Appliance(tmp_path)
        cues = [(name, f"{seconds}s") for name, seconds in ROUND if name != "quay"]
        appliance.write(
            stage.MANIFEST,
            stage.camera("wharf", wharf.url),
            stage.pattern("pier", numbers["pier"]),
            stage.code_overlay(),
            stage.timeline(cues),
            stage.program(),
            stage.rtmp("platform", platform),
        )
        with appliance:
            stage.wait_publishing(appliance, "platform")
            stage.wait_online(appliance, "wharf")
            before, processes = _pids(appliance), appliance.children()
            edited = stage.wait_frames(appliance, stage.FPS)
            appliance.edit(stage.MANIFEST, partial(_add_quay, camera=quay))
            stage.wait_online(appliance, "quay")
            first = stage.wait_frames(appliance, stage.FPS)
            stage.wait_frames(appliance, 7 * stage.FPS)
            assert _pids(appliance) == before
            assert appliance.children() == processes | {appliance.pid("ingest", "quay")}
            assert appliance.status("Output", "platform")["reconnects"] == 0
            appliance.stop()
        shown = frames.read(platform.recording("platform"))
    frames.assert_each_once(frames.program_numbers(shown))
    ends = list(accumulate(seconds * stage.FPS for _, seconds in ROUND))
    for frame in stage.since(shown, first):
        position = (frame.program or 0) % ends[-1]
        name = ROUND[next(index for index, end in enumerate(ends) if position < end)][0]
        assert frame.number == numbers[name], frame
    # Meanwhile the slate stood in for the new camera alone: the old ones were never missing.
    meanwhile = [frame for frame in stage.since(shown, edited) if (frame.program or 0) < first]
    assert {frame.number for frame in meanwhile} <= {None, *numbers.values()}
    for frame in meanwhile:
        position = (frame.program or 0) % ends[-1]
        if frame.number is None:
            assert ends[0] <= position < ends[1], frame


@pytest.mark.timeout(180)
def test_a_second_output_comes_and_goes_and_the_first_notices_nothing(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform, Camera(tmp_path, 31, fps=stage.FPS) as camera:
        appliance = Appliance(tmp_path)
        appliance.write(stage.MANIFEST, *_show(camera, platform))
        with appliance:
            stage.wait_publishing(appliance, "platform")
            stage.wait_online(appliance, "wharf")
            before, processes = _pids(appliance), appliance.children()
            for name in ("second", "third"):
                appliance.write("another.yaml", stage.rtmp(name, platform))
                stage.wait_publishing(appliance, name)
                assert appliance.pid("encoder", name) == before["encoder"]
                assert appliance.children() == processes | {appliance.pid("pusher", name)}
                stage.wait_frames(appliance, 2 * stage.FPS)
                appliance.remove("another.yaml")
                appliance.wait(lambda: appliance.children() == processes, 10, "its pusher is gone")
                appliance.wait(partial(_lost, platform, name), 5, "the platform lost it")
                assert _pids(appliance) == before
            appliance.stop()
        shown = frames.read(platform.recording("platform"))
        others = [frames.read(platform.recording(name)) for name in ("second", "third")]
    frames.assert_each_once(frames.program_numbers(shown))
    for other in others:
        frames.assert_each_once(frames.program_numbers(other))
        assert len(other) >= stage.FPS


def _lost(platform: Platform, key: str) -> bool:
    return not platform.publishing(key)
