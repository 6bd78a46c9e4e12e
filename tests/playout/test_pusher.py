"""A pusher carries the stream to its targets in order, and says what is wrong with them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from ffmpeg_.media import transport_stream
from peers import needs
from peers.probe import probe
from peers.rtmp import Platform
from peers.rtmps import SecurePlatform
from peers.srt import SrtPlatform, SrtReceiver
from playout.plans import encoding_plan, output
from playout.waiting import eventually
from vistterstream.base.errors import TemporaryError
from vistterstream.ffmpeg import commands
from vistterstream.ffmpeg.binary import executable
from vistterstream.playout.hub import PACKET, Hub
from vistterstream.playout.protocol import OutputState, OutputStatus
from vistterstream.playout.pusher import Pusher, _prepare_folder
from vistterstream.resources.camera import SecretKeyRef
from vistterstream.resources.output import Container, HlsTarget, RecordingTarget, Target, Tls
from vistterstream.resources.quantities import Duration
from vistterstream.timeline.plan import OutputPlan

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def rewritten(data: bytes, seconds: float) -> bytes:
    """The stream with its timestamps (PTS, DTS, PCR) moved on, as an encoder would go on."""
    moved, ticks = bytearray(data), round(seconds * 90_000)
    for start in range(0, len(moved), PACKET):
        packet = memoryview(moved)[start : start + PACKET]
        payload = 4
        if packet[3] & 0x20:
            if packet[4] > 0 and packet[5] & 0x10:
                _move_clock(packet[6:12], ticks)
            payload = 5 + packet[4]
        if packet[1] & 0x40 and bytes(packet[payload : payload + 3]) == b"\0\0\1":
            flags = packet[payload + 7] >> 6
            if flags & 2:
                _move_time(packet[payload + 9 : payload + 14], ticks)
            if flags == 3:
                _move_time(packet[payload + 14 : payload + 19], ticks)
    return bytes(moved)


def _move_clock(field: memoryview, ticks: int) -> None:
    """A program clock reference (ISO/IEC 13818-1, 2.4.3.5): 33 bits at 90 kHz, then an extension."""
    value = int.from_bytes(field, "big")
    field[:] = ((value >> 15) + ticks << 15 | value & 0x7FFF).to_bytes(6, "big")


def _move_time(field: memoryview, ticks: int) -> None:
    """A timestamp (2.4.3.7): 33 bits in three parts, each followed by a marker bit."""
    time = (field[0] >> 1 & 7) << 30 | field[1] << 22 | (field[2] >> 1) << 15 | field[3] << 7 | field[4] >> 1
    time += ticks
    field[0] = field[0] & 0xF1 | (time >> 30 & 7) << 1
    field[1] = time >> 22 & 0xFF
    field[2] = (time >> 15 & 0x7F) << 1 | 1
    field[3] = time >> 7 & 0xFF
    field[4] = (time & 0x7F) << 1 | 1


@dataclass
class Delivery:
    """A pusher that runs on a hub which is fed in real time."""

    pusher: Pusher
    hub: Hub
    asked: list[SecretKeyRef] = field(default_factory=list)

    @property
    def status(self) -> OutputStatus:
        return self.pusher.status()

    async def publishes(self, deadline: float = 15) -> OutputStatus:
        await eventually(
            lambda: self.status.state is OutputState.PUBLISHING,
            deadline,
            lambda: f"it publishes: {self.status}",
        )
        return self.status

    async def fails_with(self, reason: str, deadline: float = 15) -> OutputStatus:
        await eventually(
            lambda: self.status.state is OutputState.WAITING and self.status.reason == reason,
            deadline,
            lambda: f"{reason}: {self.status}",
        )
        return self.status


def no_key(_reference: SecretKeyRef) -> str:
    raise AssertionError("nobody should ask for a key")


@asynccontextmanager
async def delivering(
    plan: OutputPlan, *, secret: Callable[[SecretKeyRef], str] = no_key, feed: bool = True
) -> AsyncIterator[Delivery]:
    """Run a pusher; the hub gets a real encoder's stream again and again, at four times its speed."""
    hub = Hub(encoding_plan().encoding.video.bitrate.bits_per_second)
    pusher = Pusher(plan, hub, secret=secret, environment=os.environ)

    async def feeding() -> None:
        data, turn = transport_stream().read_bytes(), 0
        step = len(data) // 50 // PACKET * PACKET
        while True:
            moved = rewritten(data, 4.0 * turn)
            for start in range(0, len(moved), step):
                hub.feed(moved[start : start + step])
                await anyio.sleep(1 / 50)
            turn += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pusher.run)
        if feed:
            tasks.start_soon(feeding)
        yield Delivery(pusher, hub)
        tasks.cancel_scope.cancel()


def recording(folder: Path | str, container: Container = Container.TS) -> Target:
    return Target(name="file", recording=RecordingTarget(folder=str(folder), container=container))


def rtmp(name: str, port: int, *, secret: bool = False) -> Target:
    reference = SecretKeyRef(name="platform", key="streamKey") if secret else None
    return Target(name=name, url=f"rtmp://127.0.0.1:{port}/live", stream_key_secret_ref=reference)


@contextmanager
def doorman() -> Iterator[tuple[int, list[float]]]:
    """A server that accepts every connection and shuts the door at once; when it did."""
    times: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()
        server.settimeout(0.05)

        def serve() -> None:
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                times.append(time.monotonic())
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], times
        finally:
            done.set()
            thread.join()


# --- files ----------------------------------------------------------------------------------------------


@pytest.mark.e2e
@pytest.mark.parametrize("container", list(Container))
async def test_a_recording_is_made_in_a_new_folder_and_gets_its_end(
    tmp_path: Path, container: Container
) -> None:
    folder = tmp_path / "new" / "folder"
    async with delivering(output("rec", recording(folder, container))) as delivery:
        found = await delivery.publishes()
        assert (found.active_target, found.reconnects, found.reason) == ("file", 0, "")
        assert found.pid is not None
        size = delivery.status.bytes
        await eventually(lambda: delivery.status.bytes > size + 50_000)
    (file,) = folder.iterdir()
    media = probe(file)
    assert (media.video, media.audio) == ("h264", "aac")
    assert (media.duration or 0) > 1


def test_hls_segments_that_no_playlist_names_are_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "index.m3u8").write_text("#EXTM3U\n#EXTINF:2.0,\nsegment-8.ts\n")
    for name in ("segment-7.ts", "segment-8.ts", "segment-9.ts.tmp", "notes.txt", "segment-holiday.ts"):
        (tmp_path / name).touch()
    _prepare_folder(Target(name="web", hls=HlsTarget(folder=str(tmp_path))))
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"index.m3u8", "notes.txt", "segment-8.ts", "segment-holiday.ts"}


def record(folder: Path) -> Target:
    return Target(name="file", recording=RecordingTarget(folder=str(folder)))


def test_the_folder_of_the_manifest_is_not_made_while_it_is_away(tmp_path: Path) -> None:
    """Else the folder that takes its place would be moved into it."""
    home = tmp_path / "air" / "north"
    for folder in (home, home / "rec", home.parent / "rec", home.parent / "south" / "rec"):
        with pytest.raises(TemporaryError, match=r"air(/north)? is gone\. Bring it back") as caught:
            _prepare_folder(record(folder), str(home))
        assert caught.value.reason == "FolderUnusable"
    assert list(tmp_path.iterdir()) == []
    _prepare_folder(record(tmp_path / "tapes" / "rec"), str(home))
    assert (tmp_path / "tapes" / "rec").is_dir()
    home.mkdir(parents=True)
    _prepare_folder(record(home / "tapes" / "rec"), str(home))
    assert (home / "tapes" / "rec").is_dir()


@pytest.mark.e2e
async def test_hls_can_be_played_while_it_is_made(tmp_path: Path) -> None:
    target = Target(name="web", hls=HlsTarget(folder=str(tmp_path), segment_duration=Duration("500ms")))
    async with delivering(output("web", target)) as delivery:
        await delivery.publishes()
        playlist = tmp_path / "index.m3u8"
        await eventually(lambda: playlist.exists() and playlist.read_text().count(".ts") >= 3)
        media = await anyio.to_thread.run_sync(lambda: probe(playlist))
        assert (media.video, media.audio) == ("h264", "aac")


@pytest.mark.parametrize(
    ("playlist", "number"),
    [
        ("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:1795933533\n#EXTINF:2.0,\nsegment-1795933533.ts\n", 1795933533),
        ("#EXTM3U\n#EXTINF:2.0,\nsegment-8.ts\n", None),
        ("<html>\n#EXT-X-MEDIA-SEQUENCE:7\n", None),
        ("", None),
    ],
)
def test_hls_goes_on_from_the_number_of_the_playlist_that_is_there(
    tmp_path: Path, playlist: str, number: int | None
) -> None:
    target = Target(name="web", hls=HlsTarget(folder=str(tmp_path / "new")))
    assert _prepare_folder(target) is None
    (tmp_path / "new" / "index.m3u8").write_text(playlist)
    assert _prepare_folder(target) == number


class Numbers:
    """The media sequence numbers of segments, over all playlists that were seen."""

    def __init__(self, playlist: Path) -> None:
        self._playlist = playlist
        self.of: dict[str, set[int]] = {}
        self.newest: list[int] = []
        self.breaks: set[str] = set()

    def look(self) -> None:
        """Take down what is listed now."""
        if not self._playlist.exists():
            return
        lines = self._playlist.read_text().splitlines()
        first = next(int(line.split(":")[1]) for line in lines if "MEDIA-SEQUENCE" in line)
        listed = [line for line in lines if line.endswith(".ts")]
        for number, name in enumerate(listed, first):
            self.of.setdefault(name, set()).add(number)
        if not self.newest or self.newest[-1] != number:
            self.newest.append(number)
        for at, line in enumerate(lines):
            if line == "#EXT-X-DISCONTINUITY":
                self.breaks.add(next(name for name in lines[at:] if name.endswith(".ts")))


@pytest.mark.e2e
async def test_an_hls_segment_keeps_its_number_when_the_pusher_is_killed_and_is_read_once(
    tmp_path: Path,
) -> None:
    web = HlsTarget(folder=str(tmp_path), segment_duration=Duration("500ms"), list_size=30)
    numbers = Numbers(tmp_path / "index.m3u8")

    async def more(count: int) -> None:
        def enough() -> bool:
            numbers.look()
            return len(numbers.of) >= goal

        goal = len(numbers.of) + count
        await eventually(enough, 20, lambda: f"{goal} segments: {numbers.of}")

    async with delivering(output("web", Target(name="web", hls=web))) as delivery:
        await more(4)
        with Reader(tmp_path / "index.m3u8") as reader:
            for _ in range(2):
                pid = delivery.status.pid
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
                await delivery.fails_with("Killed")
                await more(6)
            last = max(numbers.of)
            await eventually(lambda: last in reader.opened(), 20, lambda: reader.said())
    assert {name: len(given) for name, given in numbers.of.items()} == dict.fromkeys(numbers.of, 1)
    assert [f"segment-{min(given)}.ts" for given in numbers.of.values()] == list(numbers.of)
    assert numbers.newest == sorted(numbers.newest)
    assert len(numbers.breaks) == 3, "the first, and one after each kill"
    opened = reader.opened()
    assert opened == sorted(set(opened)), "each once, in order"
    assert "skipping" not in reader.said()


class Reader:
    """FFmpeg, which plays a playlist as it grows."""

    def __init__(self, playlist: Path) -> None:
        self._log = playlist.with_name("reader.log")
        live = ["-live_start_index", "0", "-i", str(playlist)]
        self._command = [needs.ffmpeg(), "-hide_banner", "-nostdin", *live, "-c", "copy", "-f", "null", "-"]

    def __enter__(self) -> Reader:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=log)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def said(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def opened(self) -> list[str]:
        return re.findall(r"Opening '\S*(segment-\d+\.ts)' for reading", self.said())


@pytest.mark.e2e
async def test_a_killed_recording_loses_nothing_that_was_written_and_goes_on_in_a_new_file(
    tmp_path: Path,
) -> None:
    def files() -> list[Path]:
        return [*tmp_path.iterdir()]

    def sizes() -> list[int]:
        return [file.stat().st_size for file in files()]

    async with delivering(output("rec", recording(tmp_path, Container.MKV))) as delivery:
        pid = (await delivery.publishes()).pid
        assert pid is not None
        await eventually(lambda: delivery.status.bytes > 150_000)
        given = delivery.status.bytes
        os.kill(pid, signal.SIGKILL)
        found = await delivery.fails_with("Killed")
        assert found.restarts == {"Killed": 1}
        assert found.retry_at is not None
        assert sizes()[0] > 0.5 * given, "written as it came"
        await delivery.publishes()
        assert delivery.status.reconnects == 1
        assert delivery.status.bytes > given, "what was given before still counts"
        await eventually(lambda: len(files()) == 2)
    assert all(probe(file).video == "h264" for file in files())


@pytest.mark.e2e
async def test_a_folder_that_cannot_be_made_is_told_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    async with delivering(output("rec", recording(tmp_path / "file" / "rec"))) as delivery:
        found = await delivery.fails_with("FolderUnusable")
        assert "file/rec cannot be used" in found.message
        assert found.pid is None
        (tmp_path / "file").unlink()
        await delivery.publishes()


async def test_a_folder_that_takes_no_files_is_a_matter_of_permission() -> None:
    async with delivering(output("rec", recording("/sys/kernel"))) as delivery:
        found = await delivery.fails_with("PermissionDenied")
        assert "Check the permissions" in found.message


async def test_a_full_disk_is_called_a_full_disk(tmp_path: Path) -> None:
    for seconds in range(-2, 30):  # the names that recordings of now would have
        moment = time.gmtime(time.time() + seconds), time.localtime(time.time() + seconds)
        for when in moment:
            (tmp_path / time.strftime("%Y-%m-%dT%H-%M-%S%z.ts", when)).unlink(missing_ok=True)
            (tmp_path / time.strftime("%Y-%m-%dT%H-%M-%S%z.ts", when)).symlink_to("/dev/full")
    async with delivering(output("rec", recording(tmp_path))) as delivery:
        found = await delivery.fails_with("DiskFull")
        assert "Free some space" in found.message


async def test_a_recording_that_nothing_could_be_written_to_leaves_no_empty_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, wrapper = tmp_path / "rec", tmp_path / "ffmpeg"
    folder.mkdir()
    others = {"2026-11-29T06-21-53+0000.ts", "notes.txt"}
    for name in others:
        (folder / name).touch()
    full = "trap '' XFSZ; ulimit -f 0"  # files may not grow: a write fails, as on a full disk
    wrapper.write_text(f'#!/bin/sh\n{full}\nexec "{executable()}" "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setattr(commands, "executable", lambda: str(wrapper))
    async with delivering(output("rec", recording(folder))) as delivery:
        found = await delivery.fails_with("Failed")
        assert "File too large" in found.message
        assert {path.name for path in folder.iterdir()} == others


async def test_hls_in_a_folder_that_ffmpeg_cannot_write_says_what_to_do(tmp_path: Path) -> None:
    target = Target(name="web", hls=HlsTarget(folder=str(tmp_path / "100%done")))
    async with delivering(output("web", target)) as delivery:
        found = await delivery.fails_with("FolderUnusable")
        assert "Choose another folder" in found.message


# --- targets --------------------------------------------------------------------------------------------


@pytest.mark.e2e
async def test_targets_are_tried_in_order_each_as_often_as_the_plan_says_and_then_from_the_start(
    tmp_path: Path,
) -> None:
    targets = [
        rtmp("one", needs.free_port()),
        rtmp("two", needs.free_port()),
        rtmp("three", needs.free_port()),
    ]
    seen: list[str] = []
    async with delivering(output("out", *targets, attempts=1)) as delivery:

        def look() -> bool:
            active = delivery.status.active_target
            if not seen or seen[-1] != active:
                seen.append(active)
            return len(seen) >= 4

        await eventually(look, 20, lambda: f"all are tried: {seen}")
        assert delivery.status.restarts["ConnectionRefused"] >= 3
    assert seen == ["one", "two", "three", "one"]


@pytest.mark.e2e
async def test_a_failure_is_that_of_the_target_that_failed_not_of_the_next() -> None:
    nobody = f"srt://127.0.0.1:{needs.free_port(socket.SOCK_DGRAM)}"
    plan = output("out", rtmp("one", needs.free_port()), Target(name="two", url=nobody), attempts=1)
    with capture_logs() as logged:
        async with delivering(plan) as delivery:
            await _fails_over(delivery)
    lost = [(entry["target"], entry["reason"], entry["next_target"]) for entry in logged]
    assert lost[:2] == [("one", "ConnectionRefused", "two"), ("two", "Unreachable", "one")]


async def _fails_over(delivery: Delivery) -> None:
    """From one, which refuses, to two, where nobody is."""
    found = await delivery.fails_with("ConnectionRefused")
    assert (found.failed_target, found.active_target) == ("one", "two")
    await eventually(lambda: delivery.status.state is OutputState.CONNECTING, 5)
    found = delivery.status
    assert (found.failed_target, found.reason) == ("one", "ConnectionRefused"), "while two is tried"
    found = await delivery.fails_with("Unreachable")
    assert (found.failed_target, found.active_target) == ("two", "one")
    assert "Nobody answers" in found.message


@pytest.mark.e2e
async def test_a_backup_takes_over_when_the_primary_has_failed_often_enough(tmp_path: Path) -> None:
    primary = rtmp("primary", needs.free_port())
    async with delivering(output("out", primary, recording(tmp_path), attempts=2)) as delivery:
        found = await delivery.publishes()
        assert found.active_target == "file"
        assert found.restarts == {"ConnectionRefused": 2}
        assert (found.reason, found.failed_target) == ("", "")


@pytest.mark.e2e
async def test_a_single_target_is_never_left(tmp_path: Path) -> None:
    async with delivering(output("out", rtmp("only", needs.free_port()), attempts=1)) as delivery:
        await eventually(lambda: sum(delivery.status.restarts.values()) >= 3, 15)
        assert delivery.status.active_target == "only"


@pytest.mark.e2e
async def test_a_handshake_that_leads_to_nothing_does_not_shorten_the_waiting() -> None:
    with doorman() as (port, times):
        async with delivering(output("out", rtmp("closed", port))) as delivery:
            await eventually(lambda: len(times) >= 4, 20)
            assert delivery.status.state is not OutputState.PUBLISHING
            assert delivery.status.reconnects >= 2
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps[2] > gaps[0] + 0.5
    assert gaps[2] > 1.5, "half a second, doubled twice, less a quarter"


@pytest.mark.e2e
async def test_live_changes_of_the_failover_count_at_once(tmp_path: Path) -> None:
    plan = output("out", rtmp("primary", needs.free_port()), recording(tmp_path), attempts=100)
    async with delivering(plan) as delivery:
        await delivery.fails_with("ConnectionRefused")
        delivery.pusher.plan = plan.model_copy(
            update={"failover": plan.failover.model_copy(update={"attempts": 1})}
        )
        assert (await delivery.publishes()).active_target == "file"


@pytest.mark.e2e
async def test_targets_that_are_not_delivered_to_are_edited_and_the_connection_stays(tmp_path: Path) -> None:
    dead = rtmp("dead", needs.free_port())
    plan = output("out", dead, recording(tmp_path / "good"), attempts=1)
    async with delivering(plan) as delivery:
        pid = (await delivery.publishes()).pid
        assert pid is not None
        spare = recording(tmp_path / "spare").model_copy(update={"name": "spare"})
        good = plan.targets[1].model_copy(update={"name": "better"})
        delivery.pusher.take(output("out", good, spare, dead, attempts=1), no_key, ["spare"])
        found = delivery.status
        assert (found.pid, found.active_target, found.reconnects) == (pid, "better", 1)
        os.kill(pid, signal.SIGKILL)
        found = await delivery.fails_with("Killed")
        assert (found.failed_target, found.active_target) == ("better", "spare"), "by the new list"
        assert (await delivery.publishes()).active_target == "spare"


@pytest.mark.e2e
async def test_while_nothing_is_delivered_a_target_that_is_edited_is_tried_at_once(tmp_path: Path) -> None:
    dead, wrong = rtmp("dead", needs.free_port()), rtmp("wrong", needs.free_port())
    async with delivering(output("out", dead, wrong, attempts=100)) as delivery:
        await eventually(lambda: delivery.status.restarts.get("ConnectionRefused", 0) >= 3, 20)
        await delivery.fails_with("ConnectionRefused")
        right = recording(tmp_path).model_copy(update={"name": "wrong"})
        delivery.pusher.take(output("out", dead, right, attempts=100), no_key, ["wrong"])
        assert (await delivery.publishes()).active_target == "wrong", "not after 97 more attempts"


async def test_a_pusher_that_takes_the_place_of_another_begins_with_its_target() -> None:
    one, two = rtmp("one", 9), rtmp("two", 9)
    hub = Hub(1)

    def pusher(*targets: Target, before: Pusher | None = None) -> Pusher:
        return Pusher(output("out", *targets), hub, secret=no_key, environment={}, before=before)

    former = pusher(one, two)
    assert former.target == one
    former.take(output("out", two, one), no_key, [])
    assert former.target == one
    moved = rtmp("one", 10)
    assert pusher(two, moved, before=former).target == moved
    assert pusher(two, before=former).target == two


# --- secrets --------------------------------------------------------------------------------------------


async def test_a_missing_key_is_waited_for_without_starting_anything() -> None:
    def missing(reference: SecretKeyRef) -> str:
        raise TemporaryError(
            f"Secret {reference.name} has no key {reference.key}.", delay=5, reason="SecretMissing"
        )

    plan = output("out", rtmp("primary", needs.free_port(), secret=True))
    async with delivering(plan, secret=missing) as delivery:
        found = await delivery.fails_with("SecretMissing")
        assert found.message == "Secret platform has no key streamKey."
        assert (found.pid, found.reconnects, found.bytes) == (None, 0, 0)


async def test_a_key_that_cannot_be_carried_is_told_and_not_shown() -> None:
    plan = output("out", rtmp("primary", needs.free_port(), secret=True))
    async with delivering(plan, secret=lambda _: "two words") as delivery:
        found = await delivery.fails_with("SecretInvalid")
        assert "stream key" in found.message
        assert "two words" not in found.message


# --- platforms ------------------------------------------------------------------------------------------


@pytest.mark.e2e
async def test_a_platform_that_refuses_the_key_is_told_from_one_that_is_down(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform:
        platform.refused.add("bad")
        plan = output("out", rtmp("primary", platform.port, secret=True))
        async with delivering(plan, secret=lambda _: "bad") as delivery:
            found = await delivery.fails_with("NotAccepted")  # nginx closes without a word
            assert "stream key" in found.message
            platform.refused.clear()
            await delivery.publishes()
            assert platform.publishing("bad")


@pytest.mark.e2e
async def test_a_platform_that_cuts_the_connection_gets_it_back(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform:
        async with delivering(
            output("out", rtmp("primary", platform.port, secret=True)), secret=lambda _: "k"
        ) as delivery:
            await delivery.publishes()
            await eventually(lambda: platform.publishing("k"))
            platform.cut("k")
            await eventually(lambda: delivery.status.reconnects == 1, 20, lambda: str(delivery.status))
            await delivery.publishes()
            await eventually(lambda: len(platform.recordings("k")) == 2)


@pytest.mark.e2e
async def test_a_platform_that_stops_reading_is_given_up_in_time_and_another_target_takes_over(
    tmp_path: Path,
) -> None:
    with Platform(tmp_path) as platform:
        plan = output(
            "out", rtmp("primary", platform.port, secret=True), recording(tmp_path / "rec"), attempts=1
        )
        async with delivering(plan, secret=lambda _: "k") as delivery:
            await delivery.publishes()
            platform.freeze()
            frozen = time.monotonic()
            await eventually(
                lambda: delivery.status.active_target == "file", 40, lambda: str(delivery.status)
            )
            assert time.monotonic() - frozen < 30
            await delivery.publishes()
            platform.thaw()


@pytest.mark.e2e
async def test_a_certificate_that_cannot_be_verified_is_refused_unless_it_is_trusted_or_nobody_asks(
    tmp_path: Path,
) -> None:
    with SecurePlatform(tmp_path) as platform:
        refused = Target(name="strict", url=platform.url())
        trusted = Target(name="trusted", url=platform.url(), tls=Tls(ca_file=str(platform.certificate)))
        unasked = Target(name="unasked", url=platform.url(), tls=Tls(verify=False))
        for target in (refused, trusted, unasked):
            with_key = target.model_copy(
                update={"stream_key_secret_ref": SecretKeyRef(name="s", key=target.name)}
            )
            async with delivering(
                output("out", with_key), secret=lambda reference: reference.key
            ) as delivery:
                if target is refused:
                    found = await delivery.fails_with("CertificateInvalid")
                    assert "tls.caFile" in found.message
                else:
                    await delivery.publishes()


@pytest.mark.e2e
async def test_srt_delivers_with_the_key_as_streamid(tmp_path: Path) -> None:
    with SrtPlatform(tmp_path) as platform:
        target = Target(name="srt", url=platform.url, stream_key_secret_ref=SecretKeyRef(name="s", key="k"))
        async with delivering(output("out", target), secret=lambda _: "#!::r=a/b") as delivery:
            await delivery.publishes()
            await eventually(
                lambda: platform.recording.exists() and platform.recording.stat().st_size > 50_000
            )
        platform.wait(15)
        media = probe(platform.recording)
        assert (media.video, media.audio) == ("h264", "aac")


@pytest.mark.e2e
async def test_srt_is_encrypted_with_the_passphrase_and_another_is_refused(tmp_path: Path) -> None:
    with SrtReceiver(tmp_path, passphrase="low-water-at-nine") as platform:
        phrase = SecretKeyRef(name="s", key="phrase")
        target = Target(name="srt", url=platform.url, passphrase_secret_ref=phrase)
        async with delivering(output("out", target), secret=lambda _: "high-water-at-six") as delivery:
            found = await delivery.fails_with("PassphraseRefused")
            assert "passphraseSecretRef" in found.message
        plain = target.model_copy(update={"passphrase_secret_ref": None})
        async with delivering(output("out", plain)) as delivery:
            await delivery.fails_with("PassphraseRefused")
        async with delivering(output("out", target), secret=lambda _: "low-water-at-nine") as delivery:
            await delivery.publishes()
            await eventually(lambda: platform.recording.stat().st_size > 50_000)
        media = probe(platform.recording)
        assert (media.video, media.audio) == ("h264", "aac")


async def test_a_passphrase_that_cannot_be_used_is_told_and_not_shown() -> None:
    phrase = SecretKeyRef(name="s", key="phrase")
    target = Target(name="srt", url=f"srt://127.0.0.1:{needs.free_port()}", passphrase_secret_ref=phrase)
    async with delivering(output("out", target), secret=lambda _: "hunter2") as delivery:
        found = await delivery.fails_with("SecretInvalid")
        assert "an SRT passphrase has 10 to 79 bytes" in found.message
        assert "hunter2" not in found.message


@pytest.mark.e2e
async def test_a_pusher_that_takes_the_place_of_another_goes_on_counting(tmp_path: Path) -> None:
    plan = output("rec", recording(tmp_path))
    async with delivering(plan) as delivery:
        await delivery.publishes()
        await eventually(lambda: delivery.status.bytes > 50_000)
        former = delivery.pusher
        former.totals.failed("DiskFull")
        follower = Pusher(plan, delivery.hub, secret=no_key, environment=os.environ, before=former)
        assert follower.status().bytes == delivery.status.bytes, "while the one before still runs, too"
        assert follower.status().restarts == {"DiskFull": 1}
        assert follower.status().reconnects == 0
    given = former.status().bytes
    assert follower.status().bytes == given
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follower.run)
        await eventually(lambda: follower.status().pid is not None)
        tasks.cancel_scope.cancel()
    assert follower.status().reconnects == 1
    assert follower.status().bytes >= given


@pytest.mark.e2e
async def test_a_frozen_pusher_process_is_noticed_and_replaced(tmp_path: Path) -> None:
    async with delivering(output("rec", recording(tmp_path))) as delivery:
        pid = (await delivery.publishes()).pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        await eventually(lambda: delivery.status.restarts, 30, lambda: str(delivery.status))
        assert delivery.status.restarts == {"Stalled": 1}
        await delivery.publishes()
        assert delivery.status.dropped_groups >= 0


async def test_messages_end_with_a_full_stop() -> None:
    async with delivering(output("out", rtmp("primary", needs.free_port()))) as delivery:
        found = await delivery.fails_with("ConnectionRefused")
        assert re.fullmatch(r"[A-Z].*\.", found.message)
