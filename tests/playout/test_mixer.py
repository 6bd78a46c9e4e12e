"""The mixer: which source a frame shows, its sound, and shows swapped between two frames."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import cast

import anyio
import numpy as np
import pytest

from playout.plans import FORMAT, FPS, SQUARE, code_overlay, pattern
from vistterstream.base.clocks import steady_ns
from vistterstream.playout import framecode
from vistterstream.playout.clock import Epoch
from vistterstream.playout.compositor import prepare
from vistterstream.playout.deck import Deck
from vistterstream.playout.encoder import Encoder
from vistterstream.playout.feeds import Feed, PatternFeed, Want
from vistterstream.playout.frames import Frame, FramePool
from vistterstream.playout.jitter import Taken
from vistterstream.playout.mixer import Mixer, Show, Swapped
from vistterstream.playout.protocol import CameraState, CameraStatus, OnAir, Standing
from vistterstream.playout.sound import samples_of
from vistterstream.playout.stage import Choice, choose
from vistterstream.resources.camera import CameraSource, CameraSpec, FileSource, TestPatternSource
from vistterstream.resources.program import Fallback, PlaybackState
from vistterstream.resources.quantities import Color
from vistterstream.resources.timeline import TransitionType
from vistterstream.timeline.evaluate import TimelineIndex
from vistterstream.timeline.plan import (
    OverlayCuePlan,
    PlaybackPlan,
    TimelinePlan,
    TransitionPlan,
    VideoCuePlan,
)

RATE = Fraction(FPS)
CODE = 10  # side of a pattern's squares at this width


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Switch(PatternFeed):
    """A test pattern that can be switched off, as a camera can; the state it is in is set, too."""

    def __init__(self, name: str, number: int, *, backup: str | None = None, tone: int = 0) -> None:
        source = CameraSource(test_pattern=TestPatternSource(number=number, tone=tone))
        super().__init__(name, CameraSpec(source=source, backup=backup), FORMAT)
        self.on = True
        self.now = CameraState.LIVE
        self.taken: list[tuple[int, bool]] = []

    def usable(self, now: float, number: int) -> bool:
        return self.on

    def state(self, now: float) -> CameraState:
        return self.now

    def take(self, number: int, samples: int, shown: bool) -> Taken | None:
        self.taken.append((number, shown))
        return super().take(number, samples, shown)


def feeds(*switches: Switch) -> dict[str, Feed]:
    return {switch.name: switch for switch in switches}


# --- the choice -----------------------------------------------------------------------------------------


def test_a_cue_shows_its_camera() -> None:
    assert choose("a", feeds(Switch("a", 1)), 0.0, 0) == Choice("Camera", "a", "Cue")


def test_no_cue_shows_the_slate() -> None:
    assert choose(None, feeds(Switch("a", 1)), 0.0, 0) == Choice("Slate", "", "NoCue")


def test_a_backup_stands_in_and_so_does_the_backup_s_backup() -> None:
    a, b, c = Switch("a", 1, backup="b"), Switch("b", 2, backup="c"), Switch("c", 3)
    a.on = False
    assert choose("a", feeds(a, b, c), 0.0, 0) == Choice("Camera", "b", "Backup")
    b.on = False
    assert choose("a", feeds(a, b, c), 0.0, 0) == Choice("Camera", "c", "Backup")


def test_backups_in_a_circle_end_at_the_slate() -> None:
    a, b = Switch("a", 1, backup="b"), Switch("b", 2, backup="a")
    a.on = b.on = False
    assert choose("a", feeds(a, b), 0.0, 0).kind == "Slate"


def test_a_backup_that_is_no_camera_of_the_program_is_passed_over() -> None:
    a = Switch("a", 1, backup="elsewhere")
    a.on = False
    assert choose("a", feeds(a), 0.0, 0) == Choice("Slate", "a", "CameraStalled")


@pytest.mark.parametrize("state", list(CameraState))
def test_the_slate_says_why(state: CameraState) -> None:
    a = Switch("a", 1)
    a.on, a.now = False, state
    reasons = {CameraState.STALLED: "CameraStalled", CameraState.LIVE: "CameraStalled"}
    reasons[CameraState.WAITING] = "CameraLost"
    assert choose("a", feeds(a), 0.0, 0) == Choice("Slate", "a", reasons.get(state, "CameraConnecting"))


def test_a_file_is_neither_connected_to_nor_out_of_reach() -> None:
    a = Switch("a", 1)
    a.spec = CameraSpec(source=CameraSource(file=FileSource(path="film.mp4")))
    a.on = False
    reasons = {}
    for state in (CameraState.IDLE, CameraState.CONNECTING, CameraState.STALLED, CameraState.WAITING):
        a.now = state
        reasons[state.value] = choose("a", feeds(a), 0.0, 0).reason
    assert [*reasons.values()] == ["FileStarting", "FileStarting", "CameraStalled", "FileLost"]


def test_a_camera_that_does_not_exist_says_so() -> None:
    assert choose("ghost", {}, 0.0, 0) == Choice("Slate", "ghost", "CameraMissing")


# --- frames ---------------------------------------------------------------------------------------------


@dataclass
class Sink:
    """Takes what an encoder would: the numbers, the pictures' codes, the sound."""

    numbers: list[int] = field(default_factory=list)
    cameras: list[tuple[int, int] | None] = field(default_factory=list)
    codes: list[int | None] = field(default_factory=list)
    corners: list[int] = field(default_factory=list)  # luma at the lower left
    sound: list[bytes] = field(default_factory=list)

    def offer(self, number: int, frame: Frame, sound: bytes) -> None:
        self.numbers.append(number)
        value = framecode.read(frame.y, 0, 0, CODE)
        self.cameras.append(None if value is None else framecode.unpack(value))
        self.codes.append(framecode.read(frame.y, 0, 96, SQUARE))
        self.corners.append(int(frame.y[-4, 4]))
        self.sound.append(sound)


def timeline(*cues: VideoCuePlan, length: int = 100, overlay: bool = True) -> TimelinePlan:
    instance = code_overlay().id
    shown = (OverlayCuePlan(start=0, end=None, instance=instance),) if overlay else ()
    return TimelinePlan(name="t", length=length, loop=True, video=cues, overlays=shown)


@dataclass
class Stage:
    """A mixer with a sink for an encoder, ticked by the test."""

    mixer: Mixer
    sink: Sink
    pool: FramePool

    def play(self, first: int, count: int, *, repeat: bool = False) -> None:
        for number in range(first, first + count):
            self.mixer.tick(number, repeat)


def show_of(
    plan: TimelinePlan | None,
    cameras: Mapping[str, Feed],
    sinks: Sequence[Sink],
    *,
    revision: str = "one",
    color: str = "#803020",
) -> Show:
    overlay = code_overlay()
    scene = prepare(FORMAT, (overlay,), Fallback(color=Color(color)), wall=datetime.now(UTC), previous=None)
    return Show(
        revision=revision,
        index=TimelineIndex(plan) if plan is not None else None,
        scene=scene,
        feeds=cameras,
        sounds=Deck({}),
        encoders=tuple(cast(Encoder, sink) for sink in sinks),
        overlay_names={overlay.id: overlay.overlay},
    )


@contextmanager
def stage(plan: TimelinePlan | None, *switches: Switch, pool: int = 6) -> Iterator[Stage]:
    sink = Sink()
    frames = FramePool(FORMAT.width, FORMAT.height, pool)
    show = show_of(plan, feeds(*switches), [sink])
    mixer = Mixer(FORMAT, frames, show, Epoch(steady_ns(), time.time_ns()))
    try:
        yield Stage(mixer, sink, frames)
    finally:
        mixer.close()
        show.scene.close()


def cue(start: int, end: int, camera: str, fade: int = 0) -> VideoCuePlan:
    crossfade = TransitionPlan(type=TransitionType.CROSSFADE, frames=fade) if fade else None
    return VideoCuePlan(start=start, end=end, camera=camera, transition=crossfade)


def test_a_cut_lands_on_its_frame_and_every_frame_is_handed_on_once() -> None:
    plan = timeline(cue(0, 7, "a"), cue(7, 20, "b"), length=20)
    with stage(plan, Switch("a", 1), Switch("b", 2)) as play:
        play.play(0, 40)
    assert play.sink.numbers == [*range(40)]
    assert [camera and camera[0] for camera in play.sink.cameras] == ([1] * 7 + [2] * 13) * 2
    assert play.sink.codes == [framecode.pack(255, number) for number in range(40)]


def test_what_is_on_air_is_told_with_its_first_frame_each_time_it_changes() -> None:
    plan = timeline(cue(0, 5, "a"), cue(5, 10, "b"), length=12)
    a = Switch("a", 1)
    with stage(plan, a, Switch("b", 2)) as play:
        play.play(0, 12)
        a.on = False
        play.play(12, 3)

        async def told() -> list[OnAir | Swapped]:
            return await play.mixer.events()

        events = [event for event in anyio.run(told) if isinstance(event, OnAir)]
        epoch = play.mixer.epoch
    assert [(event.kind, event.name, event.frame, event.reason) for event in events] == [
        ("Camera", "a", 0, "Cue"),
        ("Camera", "b", 5, "Cue"),
        ("Slate", "", 10, "NoCue"),
        ("Slate", "a", 12, "CameraStalled"),
    ]
    assert events[1].since == pytest.approx(epoch.wall_of(5, RATE) / 1e9)
    assert events[0].overlays == events[0].entered == ["code"]
    assert [(event.timeline, event.position, event.cue) for event in events] == [
        ("t", 0, 0),
        ("t", 5, 1),
        ("t", 10, None),
        ("t", 0, 0),
    ]


def test_a_camera_that_is_cued_again_has_come_with_the_first_cue() -> None:
    plan = timeline(cue(0, 5, "a"), cue(5, 8, "a"), cue(8, 10, "b"), length=10)
    with stage(plan, Switch("a", 1), Switch("b", 2)) as play:
        seen = []
        for number in range(16):
            play.play(number, 1)
            assert play.mixer.on_air is not None
            assert play.mixer.on_air.came is not None
            seen.append((play.mixer.on_air.frame, play.mixer.on_air.came.frame))
    assert seen == [(0, 0)] * 5 + [(5, 0)] * 3 + [(8, 8)] * 2 + [(10, 10)] * 5 + [(15, 10)]


@pytest.mark.parametrize("state", [PlaybackState.PAUSED, PlaybackState.HELD])
def test_a_timeline_that_is_stopped_and_goes_on_again_is_told_with_its_frames(state: PlaybackState) -> None:
    plays = timeline(cue(0, 50, "a"), length=50)
    start = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    since = datetime.fromtimestamp(start + float(4 / RATE), UTC)
    playback = PlaybackPlan(state=state, since=since.isoformat())
    a = Switch("a", 1)
    with stage(plays.model_copy(update={"playback": playback}), a) as play:
        play.mixer.epoch = Epoch(steady_ns(), round(start * 1e9))
        seen = []
        for number in range(8):
            if number == 6:
                play.mixer.swap(show_of(plays, feeds(a), [play.sink]))
            play.play(number, 1)
            assert play.mixer.on_air is not None
            seen.append((play.mixer.on_air.frame, play.mixer.on_air.standing))
        came = play.mixer.on_air.came if play.mixer.on_air is not None else None
    at = float(4 / RATE) if state is PlaybackState.PAUSED else None
    stands = Standing(state=state.value, at=at, since=since.timestamp())
    assert seen == [(0, None)] * 4 + [(4, stands)] * 2 + [(6, None)] * 2
    assert came is not None
    assert came.frame == 0, "the picture has been there all the time"


def test_without_a_timeline_the_slate_is_on_air() -> None:
    with stage(None, Switch("a", 1)) as play:
        play.play(0, 3)
        assert play.mixer.on_air is not None
        assert (play.mixer.on_air.kind, play.mixer.on_air.reason) == ("Slate", "NoCue")
    assert play.sink.cameras == [None] * 3
    assert len(set(play.sink.corners)) == 1


def test_a_crossfade_goes_from_one_picture_and_sound_to_the_other() -> None:
    plan = timeline(cue(0, 10, "a"), cue(10, 20, "b", fade=5), length=20, overlay=False)
    with stage(plan, Switch("a", 1, tone=1000), Switch("b", 2)) as play:
        play.play(2, 16)
    loud = [np.abs(np.frombuffer(data, np.int16).astype(int)).max() for data in play.sink.sound]
    assert min(loud[:8]) > 3000
    fading = loud[8:13]
    assert fading == sorted(fading, reverse=True)
    assert 0 < fading[-1] < fading[0]
    assert max(loud[14:]) == 0


def test_sound_has_exactly_the_samples_of_its_frame() -> None:
    with stage(timeline(cue(0, 100, "a")), Switch("a", 1, tone=440)) as play:
        play.play(5, 30)
    assert [len(data) // 4 for data in play.sink.sound] == [samples_of(n, RATE) for n in range(5, 35)]


def test_a_picture_is_repeated_when_the_program_is_behind_and_its_sound_goes_on() -> None:
    with stage(timeline(cue(0, 100, "a")), Switch("a", 1, tone=440)) as play:
        play.play(0, 3)
        play.play(3, 4, repeat=True)
        play.play(7, 1)
    assert play.sink.numbers == [*range(8)], "nothing is skipped in the count"
    assert [framecode.unpack(code or 0)[1] for code in play.sink.codes] == [0, 1, 2, 2, 2, 2, 2, 7]
    assert all(np.frombuffer(data, np.int16).any() for data in play.sink.sound)
    assert play.mixer.starved == 0


def test_the_very_first_frame_is_made_even_when_it_is_late() -> None:
    with stage(timeline(cue(0, 100, "a")), Switch("a", 1)) as play:
        play.play(0, 1, repeat=True)
    assert play.sink.numbers == [0]


def test_a_pool_that_is_empty_repeats_pictures_counted_and_loses_no_frame() -> None:
    with stage(timeline(cue(0, 100, "a")), Switch("a", 1), pool=3) as play:
        play.play(0, 2)
        held = [play.pool.take(), play.pool.take()]
        play.play(2, 3)
        for frame in held:
            if frame is not None:
                play.pool.give(frame)
        play.play(5, 1)
    assert play.sink.numbers == [*range(6)]
    assert play.mixer.starved == 3
    assert framecode.unpack(play.sink.codes[-1] or 0)[1] == 5


def test_no_picture_of_the_pool_is_lost_over_many_frames() -> None:
    with stage(timeline(cue(0, 50, "a"), cue(50, 100, "b", fade=5)), Switch("a", 1), Switch("b", 2)) as play:
        play.play(0, 300)
        assert play.pool.free == play.pool.count - 1, "all but the one on air"


def test_cameras_that_are_not_shown_are_told_so() -> None:
    a, b = Switch("a", 1), Switch("b", 2)
    with stage(timeline(cue(0, 5, "a"), cue(5, 100, "b")), a, b) as play:
        play.play(0, 10)
    assert a.taken == [(number, number < 5) for number in range(10)]
    assert b.taken == [(number, number >= 5) for number in range(10)]


def test_a_new_show_is_taken_over_between_two_frames() -> None:
    a, b = Switch("a", 1), Switch("b", 2)
    with stage(timeline(cue(0, 100, "a")), a, b) as play:
        play.play(0, 5)
        following = show_of(timeline(cue(0, 100, "b")), feeds(a, b), [play.sink], revision="two")
        play.mixer.swap(following)
        play.play(5, 5)

        async def told() -> list[OnAir | Swapped]:
            return await play.mixer.events()

        swaps = [event for event in anyio.run(told) if isinstance(event, Swapped)]
        assert [(swap.show.revision, swap.frame) for swap in swaps] == [("one", 0), ("two", 5)]
        assert swaps[1].show is following
        assert swaps[1].due_ns == play.mixer.epoch.wall_of(5, RATE)
        following.scene.close()
    assert play.sink.numbers == [*range(10)]
    assert [camera and camera[0] for camera in play.sink.cameras] == [1] * 5 + [2] * 5


def test_of_several_shows_in_a_row_the_last_counts() -> None:
    a = Switch("a", 1)
    with stage(None, a) as play:
        play.play(0, 1)
        first = show_of(None, feeds(a), [play.sink], revision="two")
        last = replace(first, revision="three")
        play.mixer.swap(first)
        play.mixer.swap(last)
        play.play(1, 1)
        assert play.mixer.show is last
        first.scene.close()


@pytest.mark.anyio
async def test_who_waits_for_events_is_woken_from_another_thread() -> None:
    with stage(timeline(cue(0, 100, "a")), Switch("a", 1)) as play:

        async def in_a_thread() -> None:
            await anyio.to_thread.run_sync(play.play, 0, 2)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(in_a_thread)
            with anyio.fail_after(5):
                events = await play.mixer.events()
        assert events
        play.mixer.wake()
        with anyio.fail_after(5):
            assert [event for event in await play.mixer.events() if isinstance(event, Swapped)] == []


def test_a_status_of_a_pattern_is_a_camera_s() -> None:
    feed: Feed = PatternFeed("a", pattern("a", 1).spec, FORMAT)
    feed.want(Want.FULL)
    assert isinstance(feed.status(0.0), CameraStatus)
