"""An ingest pulls, waits, falls silent and ends as a real FFmpeg does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest

from ffmpeg_.media import clip, silent_clip
from playout.clips import KEY_FRAMES, numbered_clip, read_number
from playout.plans import FORMAT, FPS
from playout.waiting import eventually
from vistterstream.ffmpeg import commands
from vistterstream.ffmpeg.failures import Failure
from vistterstream.playout.ingest import Ingest, Pace, patience
from vistterstream.resources.camera import CameraSource, FileSource

pytestmark = pytest.mark.anyio
SAMPLES = 48_000 // FPS


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def make(pace: Pace, path: object = None, *, loop: bool = False) -> Ingest:
    """An ingest of a film, which runs in real time, like a camera."""
    source = CameraSource(file=FileSource(path=str(path or numbered_clip()), loop=loop))
    argv = commands.ingest(source, FORMAT, keyframes_only=pace is Pace.STANDBY)
    argv.insert(argv.index("-i"), "-re")
    return Ingest("film", argv, FORMAT, pace, os.environ)


@dataclass
class Run:
    """An ingest that runs, and why it ended."""

    ingest: Ingest
    ended: list[Failure] = field(default_factory=list)

    @property
    def pid(self) -> int:
        assert self.ingest.pid is not None
        return self.ingest.pid


@asynccontextmanager
async def running(ingest: Ingest) -> AsyncIterator[Run]:
    """Run it in the background, and end it."""
    run = Run(ingest)

    async def go() -> None:
        run.ended.append(await ingest.run())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(go)
        await eventually(lambda: ingest.pid is not None or run.ended)
        yield run
        tasks.cancel_scope.cancel()


def stored(ingest: Ingest) -> int:
    """Pictures that wait to be shown."""
    return len(ingest._buffer._queue)


@pytest.mark.slow
async def test_it_says_what_the_camera_sends() -> None:
    async with running(make(Pace.LIVE, clip())) as run:
        await eventually(lambda: run.ingest.audio is not None and run.ingest.video is not None)
        video, audio = run.ingest.video, run.ingest.audio
        assert video is not None
        assert audio is not None
        assert (video.codec, video.width, video.height, video.frame_rate) == ("h264", 128, 72, "15")
        assert audio.codec == "aac"


async def test_a_camera_without_sound_gives_none() -> None:
    async with running(make(Pace.LIVE, silent_clip())) as run:
        await eventually(lambda: stored(run.ingest) > 2)
        taken = run.ingest.take(SAMPLES)
        assert taken is not None
        assert taken.samples is None
        assert run.ingest.audio is None


@pytest.mark.e2e
async def test_a_live_camera_goes_on_whether_or_not_it_is_shown_and_the_newest_pictures_win() -> None:
    async with running(make(Pace.LIVE, loop=True)) as run:
        ingest = run.ingest
        await eventually(lambda: ingest.frames > 20, 15)
        taken = ingest.take(SAMPLES)
        assert taken is not None
        number = read_number(taken.frame)
        assert number is not None
        assert number >= ingest.frames - 1 - ingest._buffer._capacity - 2
        assert ingest._buffer.dropped > 0
        age = ingest.frame_age(time.monotonic())
        assert age is not None
        assert age < 1


@pytest.mark.e2e
async def test_a_camera_that_stands_by_shows_its_last_key_frame_again_and_again() -> None:
    async with running(make(Pace.STANDBY, loop=True)) as run:
        ingest = run.ingest
        await eventually(lambda: ingest.frames >= 3, 15)
        first, second = ingest.take(SAMPLES), ingest.take(SAMPLES)
        assert first is not None
        assert second is not None
        assert not first.fresh
        assert first.samples is None
        number = read_number(first.frame)
        assert number is not None
        assert number % KEY_FRAMES == 0
        assert number > 0
        assert ingest.ready


async def test_before_the_first_picture_there_is_nothing_and_no_age() -> None:
    ingest = make(Pace.LIVE)
    assert ingest.take(SAMPLES) is None
    assert ingest.frame_age(time.monotonic()) is None
    assert not ingest.ready
    assert ingest.pid is None


@pytest.mark.parametrize("pace", list(Pace))
async def test_a_killed_process_is_told_from_one_that_ended(pace: Pace) -> None:
    async with running(make(pace, loop=True)) as run:
        await eventually(lambda: run.ingest.frames > 0, 15)
        os.kill(run.pid, signal.SIGKILL)
        await eventually(lambda: run.ended)
    assert run.ended[0].reason == "Killed"
    assert "SIGKILL" in run.ended[0].message


@pytest.mark.e2e
async def test_a_frozen_process_falls_silent_and_can_be_ended() -> None:
    async with running(make(Pace.LIVE, loop=True)) as run:
        ingest = run.ingest
        await eventually(lambda: ingest.frames > 3, 15)
        os.kill(run.pid, signal.SIGSTOP)
        frozen = time.monotonic()
        await eventually(lambda: ingest.silent_for(time.monotonic()) > 0.6)
        age = ingest.frame_age(time.monotonic())
        assert age is not None
        assert age > 0.5
        ending = time.monotonic()
    assert time.monotonic() - ending < 4, "leaving ends it at a known time"
    assert ending - frozen < 5


@pytest.mark.e2e
async def test_after_a_pause_a_camera_is_steady_again_only_after_a_row_of_pictures() -> None:
    async with running(make(Pace.LIVE, loop=True)) as run:
        ingest = run.ingest
        await eventually(lambda: ingest.frames > 3, 15)
        assert ingest.steady
        os.kill(run.pid, signal.SIGSTOP)
        await eventually(lambda: ingest.silent_for(time.monotonic()) > 1.2)
        os.kill(run.pid, signal.SIGCONT)
        await eventually(lambda: not ingest.steady)
        await eventually(lambda: ingest.steady)


async def test_a_missing_file_is_named_as_such() -> None:
    async with running(make(Pace.LIVE, "/nowhere/film.mp4")) as run:
        await eventually(lambda: run.ended)
    assert run.ended[0].reason == "FileNotFound"


async def test_what_is_no_avi_is_an_error_and_ends_the_process() -> None:
    argv = ["/bin/sh", "-c", "head -c 100000 /dev/zero; exec sleep 60"]
    async with running(Ingest("odd", argv, FORMAT, Pace.LIVE, os.environ)) as run:
        await eventually(lambda: run.ingest._broken)
        os.kill(run.pid, signal.SIGTERM)
        await eventually(lambda: run.ended)
    assert run.ended[0].reason == "InvalidData"
    assert "unexpected chunk" in run.ended[0].message


async def test_patience_is_longer_before_the_first_picture_and_for_key_frames() -> None:
    live, standby = make(Pace.LIVE), make(Pace.STANDBY)
    assert (patience(live, 2), patience(standby, 2)) == (20, 60)
    live.frames = standby.frames = 1
    assert patience(live, 2) == 6
    assert patience(live, 10) == 20
    assert patience(standby, 2) == 30
    assert patience(standby, 60) == 60
