"""Drawing ahead: what is ready, what is not, and that both give the same frames."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from peers.waiting import until
from playout.pictures import noise
from vistterstream.playout.ahead import FRAMES, Ahead, Worker
from vistterstream.playout.clock import Epoch
from vistterstream.playout.compositor import Scene, prepare
from vistterstream.playout.frames import Frame, Planes
from vistterstream.playout.items import Drawn
from vistterstream.playout.mixing import Bus, Playing
from vistterstream.playout.sound import Samples
from vistterstream.playout.sprites import Looks, Sprite
from vistterstream.playout.stage import Stage, look_ahead, make
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.evaluate import TimelineIndex
from vistterstream.timeline.plan import OverlayCuePlan, OverlayInstance, TimelinePlan

RATE = Fraction(30)
EPOCH = Epoch(monotonic_ns=0, wall_ns=1_779_000_000 * 10**9)
_EMPTY = np.zeros((2, 2), np.uint16)


class Studio:
    """Draws states, on any thread, when it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.drawn: list[tuple[Hashable, str]] = []

    def draw(self, state: Hashable) -> Looks:
        name = threading.current_thread().name
        if name != threading.main_thread().name:
            assert self.let.wait(5)
        self.drawn.append((state, name))
        return (Sprite(0, 0, 2, 2, Planes(_EMPTY, _EMPTY, _EMPTY, _EMPTY)),)


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.close()


class TestAhead:
    def test_what_was_foreseen_is_not_drawn_again(self, worker: Worker) -> None:
        studio = Studio()
        studio.let.set()
        ahead = Ahead(studio.draw, worker)
        ahead.foresee("a")
        until(lambda: len(studio.drawn) == 1 and ahead._coming["a"].done())
        assert ahead.at("a") is ahead.at("a")
        assert studio.drawn == [("a", "overlays-ahead_0")]
        assert ahead.missed == 0

    def test_what_is_not_ready_is_drawn_when_it_is_due(self, worker: Worker) -> None:
        studio = Studio()
        ahead = Ahead(studio.draw, worker)
        ahead.foresee("a")
        ahead.foresee("b")
        assert ahead.at("b") is not None
        assert studio.drawn == [("b", "MainThread")]
        assert ahead.missed == 1
        studio.let.set()

    def test_a_state_that_holds_is_drawn_once(self, worker: Worker) -> None:
        studio = Studio()
        ahead = Ahead(studio.draw, worker)
        for _ in range(5):
            ahead.at("a")
            ahead.foresee("a")
        assert studio.drawn == [("a", "MainThread")]

    def test_it_looks_only_so_far_ahead(self, worker: Worker) -> None:
        studio = Studio()
        ahead = Ahead(studio.draw, worker)
        for state in range(100):
            ahead.foresee(state)
        assert len(ahead._coming) == FRAMES
        studio.let.set()

    def test_a_worker_ends_with_its_last_scene(self) -> None:
        worker = Worker()
        other = worker.shared()
        assert other is worker
        worker.start()
        wanted = []
        for _ in range(2):
            worker.close()
            wanted.append(worker.wanted)
        assert wanted == [True, False]
        assert worker.submit(lambda _: (), "a") is None
        assert worker.shared() is not worker


class Silent:
    """No beds."""

    def take(self, playing: Playing, start: int, count: int) -> Samples | None:
        return None


def turning(number: int) -> dict[str, Any]:
    frames = [{"at": "0s", "value": 0}, {"at": "2s", "value": 90 + number}]
    return {
        "name": f"l{number}",
        "group": {
            "width": 300,
            "height": 160,
            "layers": [
                {"name": "box", "rectangle": {"width": 300, "height": 160, "color": "#2A6FDBC0"}},
                {"name": "time", "clock": {"size": 40, "format": "%H:%M:%S"}},
            ],
        },
        "position": {"anchor": "center", "x": 20 * number},
        "tracks": [{"property": "rotation", "keyframes": frames}],
    }


def stage() -> Stage:
    spec = OverlaySpec.model_validate(
        {"canvas": {"width": 640, "height": 360}, "layers": [turning(0), turning(1)]}
    )
    plan = TimelinePlan(
        name="t", length=60, loop=True, overlays=(OverlayCuePlan(start=10, end=50, instance="o"),)
    )
    overlay = OverlayInstance(id="o", overlay="o", spec=spec)
    scene = prepare(
        Format(width=640, height=360), [overlay], Fallback(), wall=datetime(2026, 5, 17, tzinfo=UTC)
    )
    return Stage(index=TimelineIndex(plan), scene=scene, feeds={}, sounds=Silent())


def items(scene: Scene) -> list[Drawn]:
    found = [item for item in scene.items["o"] if isinstance(item, Drawn)]
    assert len(found) == 2
    return found


def settle(scene: Scene) -> None:
    """Wait until all is drawn that was foreseen."""
    pending = [future for item in items(scene) for future in item.ahead._coming.values()]
    until(lambda: all(future.done() for future in pending))


@pytest.mark.slow
def test_frames_drawn_ahead_are_those_that_are_drawn_when_they_are_due() -> None:
    """A clock and a turning group, through the entry of the cue and the seam of the loop."""
    live, offline = stage(), stage()
    offline.scene.draw_at_once()
    out, other = Frame(640, 360), Frame(640, 360)
    for number in range(40, 160):
        make(live, number, RATE, EPOCH, number / 30, out, Bus(RATE))
        make(offline, number, RATE, EPOCH, number / 30, other, Bus(RATE))
        assert out.buffer == other.buffer, number
        look_ahead(live, number, RATE, EPOCH)
        settle(live.scene)
    # The one that showed at the very beginning had not been foreseen; its entries in the loop were.
    assert [item.ahead.missed for item in items(live.scene)] == [1, 1]
    assert all(item.ahead.missed > 70 for item in items(offline.scene))
    live.scene.close()


def test_after_a_jump_what_comes_is_foreseen_anew() -> None:
    shown = stage()
    assert list(shown.scene.ahead_of(20)) == [21, 22, 23, 24]
    assert list(shown.scene.ahead_of(21)) == [25]
    assert list(shown.scene.ahead_of(23)) == [26, 27]
    assert list(shown.scene.ahead_of(500)) == [501, 502, 503, 504]
    assert list(shown.scene.ahead_of(3)) == [4, 5, 6, 7]
    shown.scene.close()
    assert list(shown.scene.ahead_of(4)) == []


def test_no_frame_is_touched_that_is_on_the_air() -> None:
    """What was shown stays as it is while more is drawn."""
    live = stage()
    out = noise(640, 360)
    make(live, 20, RATE, EPOCH, 0.0, out, Bus(RATE))
    before = bytes(out.buffer)
    look_ahead(live, 20, RATE, EPOCH)
    settle(live.scene)
    again = Frame(640, 360)
    make(live, 20, RATE, EPOCH, 0.0, again, Bus(RATE))
    assert bytes(again.buffer) == before
    live.scene.close()
