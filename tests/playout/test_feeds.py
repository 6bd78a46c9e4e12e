"""Feeds: cameras stand by, are promoted without a gap, stall, come back, and say what they are doing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from peers import needs
from peers.pushing import Pusher
from peers.rtmp import Platform
from peers.rtsp import Camera
from peers.srt import SrtRelay
from playout.clips import LENGTH, numbered_clip
from playout.plans import FORMAT, make_plan
from playout.pulse import pulse
from playout.waiting import eventually
from vistterstream.base.errors import TemporaryError
from vistterstream.ffmpeg.commands import Credentials
from vistterstream.playout.feeds import Feed, FileFeed, PatternFeed, ProcessFeed, Want, make_feed
from vistterstream.playout.protocol import CameraState, CameraStatus
from vistterstream.playout.reel import camera_reel
from vistterstream.resources.camera import (
    CameraSource,
    CameraSpec,
    FileSource,
    Pattern,
    SecretKeyRef,
    SecretRef,
    TestPatternSource,
)
from vistterstream.resources.quantities import Duration
from vistterstream.timeline.evaluate import TimelineIndex
from vistterstream.timeline.plan import CameraPlan

pytestmark = pytest.mark.anyio
CLIP_SQUARE = 10
CAMERA_SQUARE = 8  # 16 at 640 pixels, shown at 320


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def no_login() -> None:
    return None


def feed_of(
    source: CameraSource, *, stall: str = "1s", credentials: Callable[[], Credentials | None] = no_login
) -> Feed:
    spec = CameraSpec(source=source, stall_after=Duration(stall))
    return make_feed("cam", spec, FORMAT, credentials=credentials, environment=os.environ)


def film(*, loop: bool = True, path: Path | None = None) -> Feed:
    return feed_of(CameraSource(file=FileSource(path=str(path or numbered_clip()), loop=loop)))


@asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[Feed]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(feed.run)
        yield feed
        tasks.cancel_scope.cancel()


def status(feed: Feed) -> CameraStatus:
    return feed.status(time.monotonic())


def state(feed: Feed) -> CameraState:
    return feed.state(time.monotonic())


async def reaches(feed: Feed, wanted: CameraState, deadline: float = 15) -> None:
    await eventually(lambda: state(feed) is wanted, deadline, lambda: f"{wanted}: {status(feed)}")


# --- test patterns --------------------------------------------------------------------------------------


async def test_a_test_pattern_is_always_there_and_a_function_of_the_frame_number() -> None:
    source = TestPatternSource(pattern=Pattern.BARS, number=9, tone=440)
    feed = feed_of(CameraSource(test_pattern=source))
    assert isinstance(feed, PatternFeed)
    assert feed.take(5, 3200, shown=False) is None, "it costs nothing while nobody sees it"
    first = feed.take(5, 3200, shown=True)
    assert first is not None
    picture = first.frame.data.copy()
    feed.take(6, 3200, shown=True)
    again = feed.take(5, 3200, shown=True)
    assert again is not None
    assert (again.frame.data == picture).all()
    assert again.samples is not None
    assert again.samples.any()
    found = status(feed)
    assert (found.state, found.codec, found.width, found.audio, found.frames) == (
        CameraState.LIVE,
        "testpattern",
        320,
        True,
        3,
    )
    assert feed.usable(time.monotonic(), 0)


async def test_a_test_pattern_without_tone_has_no_sound() -> None:
    feed = feed_of(CameraSource(test_pattern=TestPatternSource(pattern=Pattern.GRID)))
    taken = feed.take(0, 3200, shown=True)
    assert taken is not None
    assert taken.samples is None
    assert status(feed).audio is False


# --- files ----------------------------------------------------------------------------------------------


def playing(*, loop: bool = True, path: Path | None = None, cues: Sequence[tuple[str, int]]) -> Feed:
    """The film `cam`, on a timeline that loops over `cues`."""
    feed = film(loop=loop, path=path)
    assert isinstance(feed, FileFeed)
    camera = CameraPlan(name="cam", spec=feed.spec)
    plan = make_plan(Path("/nowhere"), cues=cues, cameras=[camera])
    assert plan.timeline is not None
    index = TimelineIndex(plan.timeline)
    feed.projector.follow(camera_reel(camera, plan.cameras, index, FORMAT.frame_rate.fraction, 0))
    return feed


@pytest.mark.slow
async def test_a_file_that_nobody_needs_runs_no_process() -> None:
    async with running(playing(cues=[("cam", 1000)])) as feed:
        with pulse(feed, CLIP_SQUARE) as taking:
            await eventually(lambda: len(taking.ticks) > 6)
        assert status(feed).pid is None
        assert state(feed) is CameraState.IDLE
        assert not taking.last.usable


@pytest.mark.e2e
async def test_a_file_keeps_its_place_while_its_cue_is_off_and_goes_on_from_there() -> None:
    async with running(playing(cues=[("cam", 30), ("b", 15), ("cam", 10)])) as feed:
        feed.want(Want.FULL)
        with pulse(feed, CLIP_SQUARE) as taking:
            await eventually(lambda: taking.last.number == 28)
            pid = status(feed).pid
            await eventually(lambda: taking.last.frame > 50)
            assert status(feed).pid == pid
        shown = taking.numbers(first=20)
        wanted = {frame: min(frame, 30) if frame < 45 else frame - 15 for frame in shown}
        assert shown == wanted, "it waits with the picture that comes next"
        assert all(tick.sound for tick in taking.ticks if 20 <= tick.frame < 30 or tick.frame >= 45)


@pytest.mark.e2e
async def test_a_file_is_connecting_until_its_first_picture_is_in_time_and_stalls_only_when_shown() -> None:
    far = LENGTH // 2  # frames ahead: further than what is decoded and waits
    async with running(playing(cues=[("cam", 1000)])) as feed:
        feed.take(0, 3200, shown=False)
        feed.want(Want.FULL)
        await eventually(lambda: status(feed).frames)
        feed.take(far, 3200, shown=False)
        assert state(feed) is CameraState.CONNECTING, "it decodes, but nothing that could be shown"
        await eventually(lambda: feed.usable(time.monotonic(), far))
        assert feed.take(far, 3200, shown=True)
        assert state(feed) is CameraState.LIVE
        feed.take(2 * far, 3200, shown=False)
        assert state(feed) is CameraState.STALLED, "it was in the picture, and what follows is not there"


@pytest.mark.e2e
async def test_a_file_that_waits_for_its_cue_is_idle_and_has_no_frame_age() -> None:
    async with running(playing(cues=[("cam", 30), ("b", 1000)])) as feed:
        feed.want(Want.FULL)
        with pulse(feed, CLIP_SQUARE) as taking:
            await reaches(feed, CameraState.LIVE)
            found = status(feed)
            assert found.frame_age is not None
            taking.shown = False
            await reaches(feed, CameraState.IDLE)
            await eventually(lambda: taking.last.frame > 40)
            found = status(feed)
            assert (found.state, found.frame_age) == (CameraState.IDLE, None)
            assert found.pid is not None, "it is ready for its cue"


@pytest.mark.e2e
async def test_a_file_that_is_not_to_loop_ends_and_starts_again_at_its_next_cue() -> None:
    async with running(playing(loop=False, cues=[("cam", LENGTH + 8), ("b", 12)])) as feed:
        feed.want(Want.FULL)
        with pulse(feed, CLIP_SQUARE) as taking:
            await eventually(lambda: status(feed).reason == "Ended", 15)
            assert not taking.last.usable
            assert state(feed) is CameraState.WAITING
            await eventually(lambda: taking.last.frame > LENGTH + 30, 15)
        shown = taking.numbers(first=20)
        assert [shown[frame] for frame in range(20, LENGTH)] == [*range(20, LENGTH)]
        assert [shown[frame] for frame in range(LENGTH, LENGTH + 8)] == [None] * 8
        assert [shown[frame] for frame in range(LENGTH + 20, LENGTH + 30)] == [*range(10)], (
            "ready for its cue"
        )
        assert status(feed).restarts == {"Ended": 1}


@pytest.mark.slow
async def test_a_missing_file_says_so_and_is_tried_again_ever_more_rarely(tmp_path: Path) -> None:
    file = tmp_path / "film.mp4"
    async with running(playing(path=file, cues=[("cam", 1000)])) as feed:
        feed.want(Want.FULL)
        with pulse(feed, CLIP_SQUARE) as taking:
            await eventually(lambda: status(feed).restarts.get("FileNotFound", 0) >= 2)
            found = status(feed)
            assert found.state is CameraState.WAITING
            assert found.reason == "FileNotFound"
            assert found.message == f"There is no file {file}. Put it there, or correct the path."
            assert not taking.last.usable
            file.symlink_to(numbered_clip())
            await eventually(lambda: taking.last.usable, 15)
            await reaches(feed, CameraState.LIVE)
            assert status(feed).reason == ""


@pytest.mark.e2e
async def test_a_killed_process_of_a_file_is_started_again_where_the_clock_is() -> None:
    async with running(playing(cues=[("cam", 1000)])) as feed:
        feed.want(Want.FULL)
        with pulse(feed, CLIP_SQUARE) as taking:
            await reaches(feed, CameraState.LIVE)
            await eventually(lambda: taking.last.number is not None)
            pid = status(feed).pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await eventually(lambda: status(feed).pid not in (None, pid))
            seen = taking.last.frame
            await eventually(lambda: taking.last.frame > seen + 30)
        assert status(feed).restarts == {"Killed": 1}
        shown = taking.numbers(first=seen + 20)
        assert shown == {frame: frame % LENGTH for frame in shown}


# --- cameras --------------------------------------------------------------------------------------------


def intervals(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


@pytest.mark.e2e
async def test_a_camera_that_is_switched_off_is_tried_ever_more_rarely() -> None:
    feed = feed_of(CameraSource(url=f"rtsp://127.0.0.1:{needs.free_port()}/live"))
    times: list[float] = []
    async with running(feed):
        for count in range(1, 5):
            await eventually(lambda: sum(status(feed).restarts.values()) >= count, 15)  # noqa: B023
            times.append(time.monotonic())
        found = status(feed)
    assert found.state is CameraState.WAITING
    assert found.reason == "ConnectionRefused"
    first, second, third = intervals(times)
    assert second > first
    assert third > second
    assert third > 0.75, "a quarter of a second, doubled twice, less a quarter"


async def test_a_secret_that_is_missing_is_waited_for() -> None:
    def missing() -> Credentials | None:
        raise TemporaryError("Secret wharf-login does not exist.", delay=5, reason="SecretMissing")

    source = CameraSource(
        url=f"rtsp://127.0.0.1:{needs.free_port()}/live",
        credentials_secret_ref=SecretRef(name="wharf-login"),
    )
    async with running(feed_of(source, credentials=missing)) as feed:
        await eventually(lambda: status(feed).reason == "SecretMissing")
        assert status(feed).message == "Secret wharf-login does not exist."
        assert state(feed) is CameraState.WAITING


async def test_a_login_that_cannot_be_used_says_so_without_showing_it() -> None:
    source = CameraSource(url="srt://127.0.0.1:9", credentials_secret_ref=SecretRef(name="s"))
    async with running(feed_of(source, credentials=lambda: Credentials("", "tiny"))) as feed:
        await eventually(lambda: status(feed).reason == "SecretInvalid")
        assert "10 to 79 bytes" in status(feed).message
        assert "tiny" not in status(feed).message


@pytest.mark.e2e
async def test_a_camera_that_stands_by_is_promoted_and_demoted_without_a_gap(tmp_path: Path) -> None:
    with Camera(tmp_path, 3) as camera:
        async with running(feed_of(CameraSource(url=camera.url), stall="2s")) as feed:
            await reaches(feed, CameraState.STANDBY)
            standby = status(feed)
            assert (standby.codec, standby.width, standby.height) == ("h264", 640, 360)
            with pulse(feed, CAMERA_SQUARE) as taking:
                await eventually(lambda: taking.last.usable)
                start = len(taking.ticks)
                feed.want(Want.FULL)
                states = [CameraState.STANDBY]

                def promoted() -> bool:
                    states.append(state(feed))
                    return states[-1] is CameraState.LIVE

                await eventually(promoted, 15)
                assert set(states) <= {CameraState.STANDBY, CameraState.LIVE}, (
                    "its key frames were there all along"
                )
                assert status(feed).pid != standby.pid
                assert status(feed).audio is False
                live = len(taking.ticks)
                await eventually(lambda: len(taking.ticks) > live + 30)
                feed.want(Want.STANDBY)
                await reaches(feed, CameraState.STANDBY)
                demoted = len(taking.ticks)
                await eventually(lambda: len(taking.ticks) > demoted + 15)
            ticks = taking.ticks[start:]
            assert all(tick.usable and tick.given for tick in ticks), "no frame without a picture"
            moving = [tick.number for tick in taking.ticks[live : live + 30]]
            assert len(set(moving)) > 20, "decoded in full"
            assert status(feed).restarts == {}, "planned changes are no failures"


@pytest.mark.e2e
async def test_a_camera_that_hangs_stalls_in_time_and_is_taken_back_when_it_moves(tmp_path: Path) -> None:
    with Camera(tmp_path, 3) as camera:
        async with running(feed_of(CameraSource(url=camera.url), stall="1s")) as feed:
            feed.want(Want.FULL)
            await reaches(feed, CameraState.LIVE)
            with pulse(feed, CAMERA_SQUARE) as taking:
                camera.freeze()
                frozen = time.monotonic()
                await eventually(lambda: taking.ticks and not taking.last.usable)
                assert 0.8 < time.monotonic() - frozen < 2.5
                assert state(feed) is CameraState.STALLED
                assert taking.last.given, "the mixer may still have the last picture"
                await eventually(lambda: status(feed).restarts, 15, "it is connected anew")
                camera.thaw()
                await eventually(lambda: taking.last.usable, 30)
            await reaches(feed, CameraState.LIVE)


@pytest.mark.e2e
async def test_a_killed_ingest_and_an_unplugged_camera_come_back(tmp_path: Path) -> None:
    with Camera(tmp_path, 3) as camera:
        async with running(feed_of(CameraSource(url=camera.url), stall="1s")) as feed:
            feed.want(Want.FULL)
            await reaches(feed, CameraState.LIVE)
            pid = status(feed).pid
            assert pid is not None
            with pulse(feed, CAMERA_SQUARE) as taking:
                os.kill(pid, signal.SIGKILL)
                killed = time.monotonic()
                await eventually(lambda: status(feed).pid not in (None, pid))
                await eventually(lambda: taking.last.usable)
                assert time.monotonic() - killed < 6
                camera.kill()
                await eventually(lambda: not taking.last.usable)
                await eventually(lambda: status(feed).restarts.get("ConnectionRefused"))
                camera.restart()
                await eventually(lambda: taking.last.usable, 25)


@pytest.mark.e2e
@pytest.mark.parametrize("auth", ["basic", "digest"])
async def test_a_password_with_every_awkward_sign_opens_the_camera_and_a_wrong_one_says_so(
    tmp_path: Path, auth: str
) -> None:
    password = "p@ss:w/rd%#?&="
    with Camera(tmp_path, 3, user="joe", password=password, auth=auth) as camera:
        source = CameraSource(url=camera.url, credentials_secret_ref=SecretRef(name="s"))
        async with running(feed_of(source, credentials=lambda: Credentials("joe", password))) as feed:
            await reaches(feed, CameraState.STANDBY)
        async with running(feed_of(source, credentials=lambda: Credentials("joe", "wrong"))) as feed:
            await eventually(lambda: status(feed).reason == "Unauthorized")


@pytest.mark.e2e
async def test_a_wrong_passphrase_says_so(tmp_path: Path) -> None:
    with SrtRelay(tmp_path, passphrase="low-water-at-nine") as camera:
        source = CameraSource(url=camera.url, passphrase_secret_ref=SecretKeyRef(name="s", key="phrase"))
        async with running(feed_of(source, credentials=lambda: Credentials("", "high-water-at-six"))) as feed:
            await eventually(lambda: status(feed).reason == "PassphraseRefused")


@pytest.mark.e2e
async def test_a_camera_with_few_key_frames_is_waited_for_and_not_taken_for_something_else(
    tmp_path: Path,
) -> None:
    """RTMP says nothing of the picture before one; with a second of looking it took up to two minutes."""
    with Platform(tmp_path) as platform:
        url = platform.url(key="camera")
        with Pusher(tmp_path, url, "flv", "-g", "120", count=120, loop=True):
            # Its key frames are 8 s apart, and the first one is past when a second of its sound has come.
            await eventually(lambda: [one for one in platform.publishers() if one.bytes_in > 10_000], 15)
            async with running(feed_of(CameraSource(url=url))) as feed:
                feed.want(Want.FULL)
                await eventually(lambda: state(feed) is CameraState.LIVE, 15)
                assert status(feed).restarts == {}


async def test_the_right_feed_is_made_for_each_source() -> None:
    assert isinstance(film(), FileFeed)
    assert isinstance(feed_of(CameraSource(url="rtsp://h/x")), ProcessFeed)
