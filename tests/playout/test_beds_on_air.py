"""Beds on the air and offline: the same samples, whatever the timeline does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from peers.waiting import until
from playout.plans import FORMAT, pattern
from playout.sounds import counting, sine, write
from playout.test_offline import Recorder
from vistterstream.playout.clock import Epoch
from vistterstream.playout.compositor import prepare
from vistterstream.playout.deck import Deck, upcoming
from vistterstream.playout.encoder import Encoder
from vistterstream.playout.feeds import PatternFeed
from vistterstream.playout.frames import Frame, FramePool
from vistterstream.playout.mixer import Mixer, Show
from vistterstream.playout.offline import Offline
from vistterstream.playout.sound import Samples, samples_before
from vistterstream.resources.program import Fallback, Format, PlaybackState
from vistterstream.resources.quantities import FrameRate
from vistterstream.timeline.evaluate import TimelineIndex
from vistterstream.timeline.plan import (
    AudioCuePlan,
    DuckPlan,
    GainPoint,
    Plan,
    PlaybackPlan,
    TimelinePlan,
    VideoCuePlan,
)

EPOCH_NS = 1_767_225_600 * 10**9  # 2026-01-01
DUCK = DuckPlan(threshold=1e-4, factor=0.2, attack=3, hold=4, release=10)


def plan_of(*audio: AudioCuePlan, format: Format = FORMAT, **timeline: Any) -> Plan:
    """Twenty frames of a tone, twenty of silence, over and over."""
    video = (
        VideoCuePlan(start=0, end=20, camera="tone", gain=0.5),
        VideoCuePlan(start=20, end=40, camera="quiet"),
    )
    return Plan(
        namespace="default",
        program="main",
        format=format,
        cameras=(pattern("tone", 1, tone=440), pattern("quiet", 2)),
        timeline=TimelinePlan(name="t", length=40, loop=True, video=video, audio=audio, **timeline),
        fallback=Fallback(),
    )


class OnAir:
    """The live mixer, ticked by hand; sounds are waited for, as the clock would not."""

    def __init__(self, plan: Plan) -> None:
        self.deck = Deck(os.environ)
        self.rate = plan.format.frame_rate.fraction
        self.recorder = Recorder()
        self.scene = prepare(plan.format, (), plan.fallback, wall=datetime(2026, 1, 1, tzinfo=UTC))
        pool = FramePool(plan.format.width, plan.format.height, 3)
        self.mixer = Mixer(plan.format, pool, self._show(plan), Epoch(0, EPOCH_NS))

    def swap(self, plan: Plan) -> None:
        self.mixer.swap(self._show(plan))

    def play(self, frames: range) -> Samples:
        before = len(self.recorder.sound)
        for number in frames:
            index = self.mixer.show.index
            assert index is not None
            wanted = upcoming(index, number, self.rate, EPOCH_NS)
            self.deck.want(wanted, time.monotonic())
            end = samples_before(number + 1, self.rate)
            for which in wanted:
                if which.first <= number:
                    needed = end - samples_before(which.first, self.rate)
                    until(lambda which=which, needed=needed: self.deck.ready(which, needed), 20, f"{which}")  # type: ignore[misc]
            self.mixer.tick(number, repeat=False)
        return np.frombuffer(self.recorder.sound[before:], np.int16).reshape(-1, 2)

    def close(self) -> None:
        self.mixer.close()
        self.scene.close()
        self.deck.close()

    def _show(self, plan: Plan) -> Show:
        assert plan.timeline is not None
        return Show(
            index=TimelineIndex(plan.timeline),
            scene=self.scene,
            feeds={
                camera.name: PatternFeed(camera.name, camera.spec, plan.format) for camera in plan.cameras
            },
            revision="",
            encoders=(cast("Encoder", self.recorder),),
            sounds=self.deck,
            overlay_names={},
        )


@contextmanager
def on_air(plan: Plan) -> Iterator[OnAir]:
    with closing(OnAir(plan)) as air:
        yield air


def rendered(plan: Plan, frames: range) -> Samples:
    frame = Frame(plan.format.width, plan.format.height)
    with closing(Offline(plan, EPOCH_NS, first=frames.start)) as program:
        sound = [program.make(number, frame).sound for number in frames]
        assert program.problems == []
    return np.concatenate(sound)


def bed(file: Path, **fields: Any) -> AudioCuePlan:
    return AudioCuePlan.model_validate({"start": 0, "end": 40, "file": str(file)} | fields)


@pytest.fixture(scope="module")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sounds") / "tone.wav", sine(330, 0.4, 1.7))


@pytest.mark.slow
@pytest.mark.parametrize("rate", ["15", "30000/1001"])
def test_the_air_and_a_rendering_agree_to_the_sample(tone: Path, rate: str) -> None:
    curve = (GainPoint(frame=3.3, decibels=-20), GainPoint(frame=17.1, decibels=0))
    plan = plan_of(
        bed(tone, loop=True, through=True, duck=DUCK),
        bed(tone, start=5, end=33, curve=curve, fade_in=4, fade_out=6),
        bed(tone, start=10, end=20, loop=True, gain=0.3),
        format=FORMAT.model_copy(update={"frame_rate": FrameRate(rate)}),
    )
    with on_air(plan) as air:
        sound = air.play(range(130))
    assert np.abs(sound).max() > 10_000
    assert (rendered(plan, range(130)) == sound).all()
    start, end = (samples_before(number, Fraction(rate)) for number in (75, 80))
    assert (rendered(plan, range(75, 80)) == sound[start:end]).all()


def test_a_file_that_plays_through_knows_no_rounds_of_the_timeline(tmp_path: Path) -> None:
    file = write(tmp_path / "count.wav", counting(30_000))
    plan = plan_of(bed(file, loop=True, through=True))
    silent = plan.timeline.model_copy(  # type: ignore[union-attr]
        update={"video": (VideoCuePlan(start=0, end=40, camera="quiet"),)}
    )
    sound = rendered(plan.model_copy(update={"timeline": silent}), range(120))
    assert (sound == np.tile(counting(30_000), (13, 1))[: len(sound)]).all()


@pytest.mark.slow
def test_a_plan_swapped_in_does_not_click(tone: Path) -> None:
    before = plan_of(bed(tone, loop=True, through=True), bed(tone, gain=0.5, loop=True))
    after = plan_of(bed(tone, loop=True, through=True, gain=0.1))
    with on_air(before) as air:
        air.play(range(90))
        air.swap(after)
        sound = air.play(range(90, 95))[:, 0].astype(int)
    fastest = 0.6 * 32767 * 2 * np.pi * 330 / 48_000 + 0.1 * 32767 * 2 * np.pi * 440 / 48_000
    assert np.abs(np.diff(sound)).max() <= fastest * 1.02
    assert (rendered(after, range(91, 95))[:, 0] == sound[3200:]).all()


def test_a_timeline_that_stands_is_silent(tone: Path) -> None:
    paused = PlaybackPlan(state=PlaybackState.PAUSED, since="2026-01-01T00:00:04.8Z")  # frame 72
    plan = plan_of(bed(tone, loop=True), playback=paused)
    with on_air(plan) as air:
        sound = air.play(range(65, 80))
    frames = [sound[start : start + 3200] for start in range(0, len(sound), 3200)]
    assert [bool(frame.any()) for frame in frames] == [True] * 8 + [False] * 7
    assert np.abs(frames[7][-1]).max() < 10  # the frame in which it fades out
    assert (rendered(plan, range(65, 80)) == sound).all()


def test_a_missing_file_is_told_and_the_rest_is_heard(tone: Path) -> None:
    plan, frame = plan_of(bed(Path("/nowhere.wav"))), Frame(FORMAT.width, FORMAT.height)
    with closing(Offline(plan, EPOCH_NS)) as program:
        assert np.abs(program.make(3, frame).sound).max() > 1000
        assert program.problems == ["/nowhere.wav: The file or folder does not exist. Check the path."]
