"""An encoder is kept going: killed, frozen or behind, the stream goes on with rising timestamps."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import anyio
import numpy as np
import pytest

from peers import frames as recorded
from peers.frames import Row
from peers.waiting import until
from playout.plans import FORMAT, FPS, SQUARE, encoding_plan
from playout.waiting import eventually
from vistterstream.base.clocks import steady_ns
from vistterstream.ffmpeg import commands
from vistterstream.ffmpeg.processes import PIPE_SIZE, enlarge_pipe
from vistterstream.playout import framecode
from vistterstream.playout.clock import Epoch, Ticker
from vistterstream.playout.encoder import Encoder, _Run, frame_pool, queue_length, start_length
from vistterstream.playout.frames import BLACK, FramePool
from vistterstream.playout.hub import Subscription
from vistterstream.playout.sound import samples_of
from vistterstream.resources.output import Preset
from vistterstream.resources.program import Format
from vistterstream.resources.quantities import FrameRate

pytestmark = pytest.mark.anyio
RATE = Fraction(FPS)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


# --- the queue ------------------------------------------------------------------------------------------


def small_pool(count: int = 12) -> FramePool:
    return FramePool(64, 64, count)


class Pipes:
    """The two pipes into an encoder, with far ends that are read as the test says."""

    def __init__(self) -> None:
        self.video_out, self.video_in = os.pipe()
        self.audio_out, self.audio_in = os.pipe()

    def close(self) -> None:
        for descriptor in (self.video_out, self.video_in, self.audio_out, self.audio_in):
            try:
                os.close(descriptor)
            except OSError:
                continue


@contextmanager
def pumping(run: _Run) -> Iterator[Pipes]:
    """The writing thread of `run`, ended at the end."""
    pipes = Pipes()
    thread = threading.Thread(target=run.pump, args=(pipes.video_in, pipes.audio_in))
    thread.start()
    try:
        yield pipes
    finally:
        run.finish()
        os.close(pipes.video_out)
        os.close(pipes.audio_out)
        thread.join(10)
        pipes.close()
        assert not thread.is_alive()


def offer(run: _Run, pool: FramePool, number: int) -> bool:
    """Offer a picture whose every luma sample is `number`; False where the pool has none."""
    frame = pool.take()
    if frame is None:
        return False
    frame.fill((number % 256, 128, 128))
    run.offer(frame, bytes([number % 256]) * 16)
    pool.give(frame)
    return True


def read_exactly(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = os.read(descriptor, size - len(data))
        assert piece, "the pipe ended"
        data += piece
    return data


async def test_a_full_queue_repeats_pictures_and_keeps_the_count_and_all_the_sound() -> None:
    pool = small_pool()
    run = _Run(0, 4, pool)
    with pumping(run) as pipes:
        for number in range(30):
            assert offer(run, pool, number), "a full queue takes no more pictures from the pool"
        assert run.put == 30
        assert 20 <= run.repeated <= 26
        run.finish()
        pictures = [read_exactly(pipes.video_out, 64 * 96)[0] for _ in range(30)]
        sound = [read_exactly(pipes.audio_out, 16)[0] for _ in range(30)]
        until(lambda: run.written == 30, 5, "all is written")
    assert sound == [*range(30)]
    assert pictures == sorted(pictures)
    assert pictures[0] == 0
    assert 30 - len(set(pictures)) == run.repeated
    assert pool.free == pool.count, "every picture is given back"


async def test_a_process_that_keeps_up_gets_every_picture_once() -> None:
    pool = small_pool()
    run = _Run(0, 4, pool)
    pictures = []
    with pumping(run) as pipes:
        for number in range(40):
            assert offer(run, pool, number)
            pictures.append(read_exactly(pipes.video_out, 64 * 96)[0])
    assert pictures == [*range(40)]
    assert run.repeated == 0
    assert pool.free == pool.count


async def test_a_process_that_dies_frees_the_thread_and_the_pictures() -> None:
    pool = small_pool()
    run = _Run(0, 6, pool)
    with pumping(run):
        for number in range(10):
            offer(run, pool, number)
    assert pool.free == pool.count
    offer(run, pool, 11)
    assert pool.free == pool.count, "what is offered afterwards is not kept"


@pytest.mark.parametrize(
    ("width", "height", "rate", "length", "at_the_start"),
    [
        (320, 180, "30", 30, 120),
        (1280, 720, "30", 30, 120),
        (1920, 1080, "60", 60, 86),
        (3840, 2160, "60", 21, 21),
        (64, 64, "1", 6, 6),
    ],
)
async def test_about_a_second_may_wait_and_four_at_the_start_within_256_mib(
    width: int, height: int, rate: str, length: int, at_the_start: int
) -> None:
    format = Format(width=width, height=height, frame_rate=FrameRate(rate))
    assert queue_length(format) == length
    assert start_length(format) == at_the_start


async def test_the_pool_takes_memory_for_what_waits_longer_only_while_it_waits() -> None:
    pool = frame_pool(Format(width=1920, height=1080, frame_rate=FrameRate("60")))
    assert pool.count < 35, "a hundred megabytes"
    waiting = [pool.take() for _ in range(86)]
    assert None not in waiting
    assert pool.free < 0
    for frame in waiting:
        assert frame is not None
        pool.give(frame)
    assert pool.free == pool.count


async def test_a_process_that_starts_late_gets_every_picture_once() -> None:
    pool = FramePool(64, 64, 12, extra=400)
    in_pipe = PIPE_SIZE // pool.picture_bytes + 2
    run = _Run(0, 4, pool, 300)
    with pumping(run) as pipes:
        for number in range(300):
            assert offer(run, pool, number)
        assert run.repeated == 0, "nobody reads yet"
        pictures = [read_exactly(pipes.video_out, 64 * 96)[0] for _ in range(299)]
        assert in_pipe < 299
        until(lambda: run.written == 300, 5, "it has caught up")
        enlarge_pipe(pipes.video_in, 4096)  # so that the rest must wait
        for number in range(300, 330):
            assert offer(run, pool, number)
        assert run.repeated > 0, "from then on about a second may wait"
        run.finish()
        pictures += [read_exactly(pipes.video_out, 64 * 96)[0] for _ in range(31)]
    assert pictures[:300] == [number % 256 for number in range(300)]
    assert pool.free == pool.count


# --- a real encoder -------------------------------------------------------------------------------------


@dataclass
class Program:
    """A clock that hands numbered pictures to an encoder, and what the encoder's stream was."""

    encoder: Encoder
    ticker: Ticker
    pool: FramePool
    starved: int = 0
    subscription: Subscription = field(init=False)
    stream: bytearray = field(default_factory=bytearray)

    @property
    def pid(self) -> int:
        pid = self.encoder.status().pid
        assert pid is not None
        return pid


@asynccontextmanager
async def on_air(*, start: int = 0) -> AsyncIterator[Program]:
    """Numbered pictures at FPS from program frame `start` on; everything the hub passes on is kept."""
    pool = frame_pool(FORMAT)
    epoch = Epoch(steady_ns() - start * 1_000_000_000 // FPS, time.time_ns())
    program: Program

    def tick(number: int, _repeat: bool) -> None:
        frame = pool.take()
        if frame is None:
            program.starved += 1
            return
        frame.fill(BLACK)
        framecode.draw(frame.y, frame.u, frame.v, 0, 96, framecode.pack(255, number), SQUARE)
        program.encoder.offer(number, frame, bytes(4 * samples_of(number, RATE)))
        pool.give(frame)

    ticker = Ticker(lambda: epoch, RATE, tick, lambda _frame: None)
    encoder = Encoder(
        encoding_plan(), FORMAT, pool, next_frame=lambda: ticker.frame + 1, environment=os.environ
    )
    program = Program(encoder, ticker, pool)
    program.subscription = encoder.hub.subscribe()

    async def keep() -> None:
        while True:
            while program.subscription._queue:
                piece = program.subscription._queue.popleft()
                program.subscription._queued -= len(piece.data)
                program.stream += piece.data
            await anyio.sleep(0.02)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(encoder.run)
        tasks.start_soon(keep)
        ticker.start()
        try:
            yield program
            await anyio.to_thread.run_sync(ticker.stop)
        finally:
            await anyio.to_thread.run_sync(ticker.stop)
            tasks.cancel_scope.cancel()
    while program.subscription._queue:
        program.stream += program.subscription._queue.popleft().data


def packets(file: Path, kind: str) -> list[tuple[float, float]]:
    """Decoding and presentation times of all packets of a stream, in order."""
    command = ["ffprobe", "-v", "error", "-select_streams", kind, "-show_packets", "-of", "json", str(file)]
    done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    found = json.loads(done.stdout)["packets"]
    return [(float(packet["dts_time"]), float(packet["pts_time"])) for packet in found]


def numbers(file: Path) -> list[int]:
    """The program frames that a recording shows."""
    seen = recorded.read(file, camera=None, program=Row(y=96, square=SQUARE))
    return recorded.program_numbers(seen)


async def until_running(program: Program, *, other_than: int | None = None) -> int:
    """Wait until a process runs that has said something; its pid."""

    def runs() -> bool:
        status = program.encoder.status()
        return status.state == "Running" and status.pid != other_than

    await eventually(runs, 20, lambda: str(program.encoder.status()))
    return program.pid


def assert_rising(times: list[float], what: str) -> None:
    breaks = [(earlier, later) for earlier, later in pairwise(times) if later <= earlier]
    assert not breaks, f"{what}: {breaks[:5]}"


@pytest.mark.e2e
async def test_every_frame_is_encoded_once_at_the_program_s_clock(tmp_path: Path) -> None:
    async with on_air(start=9000) as program:
        await until_running(program)
        begun = program.ticker.frame
        await eventually(lambda: program.ticker.frame > begun + FPS)
        status = program.encoder.status()
        last = program.ticker.frame
    file = tmp_path / "out.ts"
    file.write_bytes(program.stream)
    seen = numbers(file)
    recorded.assert_each_once(seen)
    assert seen[0] <= 9000 + 5 * FPS
    assert seen[-1] >= last - 1, "stopping writes what is queued"
    first_time = packets(file, "v")[0][1]
    expected = seen[0] / FPS + 10
    assert abs(first_time - expected) < 0.25, "timestamps are the program's clock, ten seconds on"
    assert (status.speed or 0) > 0
    assert status.restarts == {}
    assert program.pool.free == program.pool.count
    assert program.starved == 0


@pytest.mark.e2e
async def test_a_killed_encoder_is_replaced_and_the_stream_goes_on_with_rising_timestamps(
    tmp_path: Path,
) -> None:
    async with on_air(start=100) as program:
        first = await until_running(program)
        os.kill(first, signal.SIGKILL)
        second = await until_running(program, other_than=first)
        begun = program.ticker.frame
        await eventually(lambda: program.ticker.frame > begun + FPS)
        assert program.encoder.status().restarts == {"Killed": 1}
        assert program.subscription.dropped_groups == 0
    assert second != first
    file = tmp_path / "out.ts"
    file.write_bytes(program.stream)
    for kind in ("v", "a"):
        assert_rising([decoding for decoding, _ in packets(file, kind)], f"{kind} decoding times")
    seen = numbers(file)
    assert_rising([float(number) for number in seen], "program frames")
    gaps = [later - earlier - 1 for earlier, later in pairwise(seen)]
    assert sum(gap > 0 for gap in gaps) == 1, "one gap, where it died"
    assert max(gaps) < 2 * FPS
    pictures = packets(file, "v")
    times = sorted(time for _, time in pictures)
    assert abs((times[-1] - times[0]) - (seen[-1] - seen[0]) / FPS) < 0.1, "the gap is a gap in time, too"


@pytest.mark.e2e
async def test_a_jump_of_the_clock_starts_a_new_process_at_once() -> None:
    async with on_air() as program:
        first = await until_running(program)
        program.encoder.replace("ClockJump")
        await until_running(program, other_than=first)
        assert program.encoder.status().restarts == {"ClockJump": 1}


@pytest.mark.e2e
async def test_an_encoder_that_cannot_be_started_says_so_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commands, "executable", lambda: "/nowhere/ffmpeg")
    async with on_air() as program:
        await eventually(lambda: program.encoder.status().restarts.get("CannotStart", 0) >= 2)
        status = program.encoder.status()
        assert status.pid is None
        assert "cannot be started" in status.message
        monkeypatch.undo()
        await until_running(program)


@pytest.mark.e2e
async def test_a_frozen_encoder_is_noticed_and_replaced(tmp_path: Path) -> None:
    async with on_air() as program:
        first = await until_running(program)
        os.kill(first, signal.SIGSTOP)
        frozen = time.monotonic()
        await until_running(program, other_than=first)
        assert time.monotonic() - frozen < 12
        assert program.encoder.status().restarts == {"Stalled": 1}
        begun = program.ticker.frame
        await eventually(lambda: program.ticker.frame > begun + FPS)
        assert program.encoder.status().state == "Running"
        assert program.starved == 0, "the clock never lacked a picture"
    file = tmp_path / "out.ts"
    file.write_bytes(program.stream)
    assert_rising([decoding for decoding, _ in packets(file, "v")], "decoding times")
    assert_rising([float(number) for number in numbers(file)], "program frames")


@pytest.mark.e2e
async def test_one_thread_that_is_not_enough_gives_way_to_more(monkeypatch: pytest.MonkeyPatch) -> None:
    format = Format(width=1920, height=1080, frame_rate=FrameRate("60"))
    video = encoding_plan().encoding.video.model_copy(update={"preset": Preset.MEDIUM})
    encoding = encoding_plan().encoding.model_copy(update={"video": video})
    plan = encoding_plan().model_copy(update={"encoding": encoding})
    monkeypatch.setattr("vistterstream.playout.encoder.one_is_enough", lambda _encoding, _format: True)
    monkeypatch.setattr("vistterstream.playout.threads.idle_seconds", time.monotonic)  # as with more cores
    pool = frame_pool(format)
    noise = np.random.default_rng(1).integers(16, 235, (format.height * 3 // 2, format.width), np.uint8)
    epoch = Epoch(steady_ns(), time.time_ns())

    def tick(number: int, _repeat: bool) -> None:
        if (frame := pool.take()) is not None:
            frame.data[:] = np.roll(noise, number * 7, axis=1)
            encoder.offer(number, frame, bytes(4 * samples_of(number, Fraction(60))))
            pool.give(frame)

    ticker = Ticker(lambda: epoch, Fraction(60), tick, lambda _frame: None)
    encoder = Encoder(plan, format, pool, next_frame=lambda: ticker.frame + 1, environment=os.environ)

    def threads_of_x264() -> bool:
        pid = encoder.status().pid
        return pid is not None and b"-threads\x001\x00" in Path(f"/proc/{pid}/cmdline").read_bytes()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(encoder.run)
        ticker.start()
        try:
            await eventually(threads_of_x264, 20)
            await eventually(lambda: encoder.status().restarts == {"OneThread": 1}, 60)
            await eventually(lambda: encoder.status().pid is not None, 20)
            assert not threads_of_x264()
        finally:
            await anyio.to_thread.run_sync(ticker.stop)
            tasks.cancel_scope.cancel()


@pytest.mark.e2e
async def test_an_encoder_that_is_held_up_for_a_while_catches_up_without_losing_the_count(
    tmp_path: Path,
) -> None:
    async with on_air() as program:
        pid = await until_running(program)
        os.kill(pid, signal.SIGSTOP)
        begun = program.ticker.frame
        await eventually(lambda: program.ticker.frame > begun + 2.5 * FPS)
        os.kill(pid, signal.SIGCONT)
        repeated = program.encoder.repeated
        assert repeated > 0
        await eventually(lambda: program.ticker.frame > begun + 5 * FPS)
        assert program.encoder.status().restarts == {}
        assert program.pid == pid
    file = tmp_path / "out.ts"
    file.write_bytes(program.stream)
    times = sorted(time for _, time in packets(file, "v"))
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert max(steps) < 1.5 / FPS, "every program frame has its place in time"
    missing = [later - earlier - 1 for earlier, later in pairwise(numbers(file)) if later > earlier + 1]
    assert 0 < sum(missing) <= program.encoder.repeated
