"""An encoder: the FFmpeg process that encodes the program in one encoding, kept running.

The clock hands it every frame with its sound; a thread writes them into the process. Nothing may hold the
clock up and nothing may be left out: when the process is behind and the queue is full, the picture is
written again instead of the new one, and only when it stands still altogether it is replaced. A successor
starts with its timestamps at the program's clock, so pushers go on as if nothing had happened.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import anyio

from vistterstream.base import logs
from vistterstream.base.errors import TemporaryError
from vistterstream.ffmpeg import commands
from vistterstream.ffmpeg.failures import Failure, explain
from vistterstream.ffmpeg.processes import PIPE_SIZE, Child, enlarge_pipe
from vistterstream.ffmpeg.progress import Progress, ProgressReader
from vistterstream.playout.frames import Frame, FramePool
from vistterstream.playout.hub import Hub
from vistterstream.playout.lending import PicturePipe, most_lent
from vistterstream.playout.pacing import Backoff
from vistterstream.playout.protocol import EncoderStatus
from vistterstream.playout.threads import Shortage, one_is_enough
from vistterstream.resources.output import Encoding
from vistterstream.resources.program import Format
from vistterstream.timeline.plan import EncodingPlan

_QUEUE_BYTES = 256 << 20
_KEPT_BYTES = 64 << 20
_START_SECONDS = 4
_LAG_LIMIT = 10.0  # seconds of program that may wait before the process is given up
_STILL_LIMIT = 4.0  # seconds without a byte in or out
_WATCH_INTERVAL = 0.5
_GATHER = 0.05  # seconds for which what the encoder writes is left to gather
_READ = 1 << 20  # bytes that are read at once
_STOP_GRACE = 2.0
_SPARE_FRAMES = 4  # being composed, last shown, in each writer's hand
_TS_WRAP = Fraction(1 << 33, 90_000)  # MPEG-TS timestamps have 33 bits at 90 kHz
_TS_START = 10  # seconds; room below for the encoder's delay, so that nothing is shifted at frame 0
_log = logs.get("playout")


def queue_length(format: Format) -> int:
    """Pictures that may wait for an encoder: about a second, within 256 MiB."""
    return _pictures(format, 1, _QUEUE_BYTES)


def start_length(format: Format) -> int:
    """Pictures that may wait for a process that starts: about four seconds, within 256 MiB.

    On a busy machine it takes more than a second until it reads; then it catches up.
    """
    return _pictures(format, _START_SECONDS, _QUEUE_BYTES)


def frame_pool(format: Format) -> FramePool:
    """Frames for a program: those that may wait, those in the pipe, and those that are in somebody's hand.

    Memory for 64 MiB of those that wait is there from the beginning, for the others once they wait.
    """
    lent = most_lent(_picture_bytes(format), PIPE_SIZE)
    always = _pictures(format, 1, _KEPT_BYTES)
    # One encoder may hold on to all that may wait for it, and the others still need theirs.
    extra = start_length(format) + lent + _SPARE_FRAMES
    return FramePool(format.width, format.height, always + lent + _SPARE_FRAMES, extra)


def _pictures(format: Format, seconds: int, most: int) -> int:
    return max(6, min(round(seconds * format.frame_rate.fraction), most // _picture_bytes(format)))


def _picture_bytes(format: Format) -> int:
    return format.width * format.height * 3 // 2


def _bitrate(encoding: Encoding, format: Format) -> int:
    """Bits a second to be reckoned with; without loss, a quarter of the raw picture's."""
    if encoding.lossless:
        return format.width * format.height * 3 * round(format.frame_rate.fraction)
    return encoding.video.bitrate.bits_per_second


@dataclass(frozen=True)
class _Item:
    frame: Frame | None  # None: the picture before, again
    sound: bytes


class _Run:
    """One run of the process: its queue and the thread that writes.

    `limit` pictures may wait, and up to `start_limit` until the process has caught up for the first time.
    """

    def __init__(self, first_frame: int, limit: int, pool: FramePool, start_limit: int = 0) -> None:
        self.first_frame = first_frame
        self._limit = max(limit, start_limit)
        self._steady_limit = limit
        self._in_pipe = PIPE_SIZE // pool.picture_bytes + 2  # that many are written though nobody reads
        self._pool = pool
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._pictures = 0
        self._closed = False
        self._lock = threading.Lock()
        self._pipe: PicturePipe | None = None
        self.put = 0
        self.written = 0
        self.repeated = 0
        self.last_write = time.monotonic()

    def offer(self, frame: Frame, sound: bytes) -> None:
        """For the clock thread: queue the next frame; never waits."""
        with self._lock:
            if self._closed:
                return
            if self._pictures >= self._limit:
                self.repeated += 1
                item = _Item(None, sound)
            else:
                self._pictures += 1
                item = _Item(self._pool.keep(frame), sound)
            self.put += 1
            self._queue.put(item)

    def finish(self) -> None:
        """No more frames: the thread writes what is queued, then ends."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)

    def abandon(self) -> None:
        """There is nobody to write to."""
        self.finish()
        self._drain()

    def pump(self, video: int, audio: int) -> None:
        """The writing thread: everything queued into the two pipes, until the end or a broken pipe.

        Pictures that are still in the pipe then are given back by `release`.
        """
        last: Frame | None = None
        pipe = self._pipe = PicturePipe(video, self._pool.give)
        try:
            while (item := self._queue.get()) is not None:
                if item.frame is not None:
                    if last is not None:
                        self._give(last)
                    last = item.frame
                _write_all(audio, memoryview(item.sound))
                if last is not None:
                    pipe.write(self._pool.keep(last))
                self.written += 1
                self.last_write = time.monotonic()
                if self.written > self._in_pipe and self._queue.empty():
                    self._limit = self._steady_limit
        except OSError:
            self.finish()
        if last is not None:
            self._give(last)
        self._drain()

    def release(self) -> None:
        """The process has ended: what it did not read is given back."""
        if self._pipe is not None:
            self._pipe.take_back()

    def _give(self, frame: Frame) -> None:
        with self._lock:
            self._pictures -= 1
        self._pool.give(frame)

    def _drain(self) -> None:
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return
            if item is not None and item.frame is not None:
                self._give(item.frame)


def _write_all(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


class Encoder:
    """Keeps one encoding of the program going. `offer` is for the clock thread, the rest for the loop."""

    def __init__(
        self,
        plan: EncodingPlan,
        format: Format,
        pool: FramePool,
        *,
        next_frame: Callable[[], int],
        environment: Mapping[str, str],
    ) -> None:
        self.plan = plan
        self.hub = Hub(_bitrate(plan.encoding, format))
        self._format = format
        self._rate = format.frame_rate.fraction
        self._pool = pool
        self._next_frame = next_frame
        self._environment = environment
        self._run: _Run | None = None
        self._child: Child | None = None
        self._message = ""
        self._restarts: dict[str, int] = {}
        self._repeated_before = 0
        self._replace: str | None = None
        self._threads = 1 if one_is_enough(plan.encoding, format) else None
        self._progress: Progress | None = None
        self._rates: deque[tuple[float, int]] = deque(maxlen=8)
        self._shortage = Shortage()
        self._last_output = time.monotonic()

    @property
    def repeated(self) -> int:
        """Pictures repeated because the process was behind."""
        run = self._run
        return self._repeated_before + (run.repeated if run is not None else 0)

    def offer(self, number: int, frame: Frame, sound: bytes) -> None:
        """Take program frame `number`; never waits. Frames before the process's first are not for it."""
        run = self._run
        if run is not None and number >= run.first_frame:
            run.offer(frame, sound)

    def replace(self, reason: str) -> None:
        """Start a new process at the program's clock (after a jump of it)."""
        self._replace = reason

    def status(self) -> EncoderStatus:
        """What it is doing."""
        running = self._child is not None
        return EncoderStatus(
            pid=self._child.pid if self._child is not None else None,
            state=("Running" if self._progress is not None else "Starting") if running else "Waiting",
            message="" if running else self._message,
            speed=self._progress.speed if self._progress is not None else None,
            bitrate=self._bitrate(),
            restarts=dict(self._restarts),
        )

    async def run(self) -> None:
        """Keep a process running until cancelled; the last one then gets to write its end."""
        backoff = Backoff(first=0.1, most=5.0)
        while True:
            started = time.monotonic()
            failure = await self._run_once()
            self._message = failure.message
            self._restarts[failure.reason] = self._restarts.get(failure.reason, 0) + 1
            backoff.worked(time.monotonic() - started)
            delay = backoff.next()
            _log.warning("encoder lost", reason=failure.reason, message=failure.message, retry=delay)
            await anyio.sleep(delay)

    async def _run_once(self) -> Failure:
        audio_read, audio_write = os.pipe2(os.O_CLOEXEC)
        enlarge_pipe(audio_write)
        first = self._next_frame()
        self.hub.restart()
        self._progress, self._replace = None, None
        self._shortage = Shortage()
        # Frames queue up from here on, so that none between `first` and the process's start is left out.
        run = self._run = _Run(first, queue_length(self._format), self._pool, start_length(self._format))
        try:
            child = self._spawn(first, audio_read)
        except TemporaryError as error:
            self._run = None
            run.abandon()
            os.close(audio_write)
            return Failure(error.reason, error.message)
        finally:
            os.close(audio_read)
        assert child.stdin is not None
        thread = threading.Thread(
            target=run.pump, args=(child.stdin.fileno(), audio_write), name="encoder", daemon=True
        )
        thread.start()
        self._child, self._last_output = child, time.monotonic()
        verdict: list[Failure] = []
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._watch, run, verdict, child)
                async with anyio.create_task_group() as readers:
                    readers.start_soon(child.read_lines, self._line_taker())
                    readers.start_soon(self._read_output, child)
                await child.wait()
                tasks.cancel_scope.cancel()
        finally:
            await self._shut_down(child, run, thread, audio_write)
        return verdict[0] if verdict else explain(child.status or 0, child.last_lines)

    def _spawn(self, first: int, audio_read: int) -> Child:
        offset = (first / self._rate + _TS_START) % _TS_WRAP
        argv = commands.encoder(
            self.plan.encoding, self._format, audio_fd=audio_read, offset=offset, threads=self._threads
        )
        child = Child.spawn(
            argv,
            role="encoder",
            environment=self._environment,
            stdin=True,
            stdout=True,
            pass_fds=(audio_read,),
        )
        assert child.stdin is not None
        enlarge_pipe(child.stdin.fileno())
        assert child.stdout is not None
        enlarge_pipe(child.stdout.fileno())
        return child

    async def _shut_down(self, child: Child, run: _Run, thread: threading.Thread, audio: int) -> None:
        """Let the process encode what it has, then end it: its queue, its inputs, its output, in order."""
        with anyio.CancelScope(shield=True):
            run.finish()
            self._run = None
            self._repeated_before += run.repeated
            with anyio.move_on_after(_STOP_GRACE):
                await anyio.to_thread.run_sync(thread.join, abandon_on_cancel=True)
            if thread.is_alive():
                await child.stop(grace=0.0)  # it does not read; its death frees the thread
                await anyio.to_thread.run_sync(thread.join)
            os.close(audio)
            assert child.stdin is not None
            child.stdin.close()
            with anyio.move_on_after(_STOP_GRACE):
                await self._read_output(child)
            await child.stop(grace=0.5)
            run.release()
            self._child = None
            child.close()

    async def _read_output(self, child: Child) -> None:
        """Feed the hub. FFmpeg writes each packet by itself; looked at now and then they cost a third."""
        assert child.stdout is not None
        descriptor = child.stdout.fileno()
        os.set_blocking(descriptor, False)
        while True:
            try:
                data = os.read(descriptor, _READ)
            except BlockingIOError:
                await anyio.sleep(_GATHER)
                continue
            if not data:
                return
            self._last_output = time.monotonic()
            self.hub.feed(data)
            if len(data) < _READ:  # there is no more
                await anyio.sleep(_GATHER)

    async def _watch(self, run: _Run, verdict: list[Failure], child: Child) -> None:
        """Give the process up when it stands still, is far behind, or is to be replaced."""
        while True:
            await anyio.sleep(_WATCH_INTERVAL)
            self._rates.append((time.monotonic(), self.hub.bytes))
            failure = self._judge(run, time.monotonic())
            if failure is not None:
                verdict.append(failure)
                await child.stop(grace=0.0)
                return

    def _judge(self, run: _Run, now: float) -> Failure | None:
        if self._replace is not None:
            return Failure(self._replace, "The program's clock jumped; encoding anew from now.")
        waiting = run.put - run.written
        at_work = now - run.last_write < 2 * _WATCH_INTERVAL
        if self._threads is not None and at_work and self._shortage.seen(now, run.repeated, self._rate):
            self._threads = None  # and not tried again
            return Failure("OneThread", "One thread cannot encode this in time; going on with more.")
        if waiting > _LAG_LIMIT * self._rate:
            return Failure("TooSlow", "The encoder is too slow for this format; choose a faster preset.")
        still = waiting > 1 and now - run.last_write > _STILL_LIMIT
        if still or (run.written > self._rate and now - self._last_output > 2 * _STILL_LIMIT):
            return Failure("Stalled", "The encoder stood still.")
        return None

    def _line_taker(self) -> Callable[[str], bool]:
        reader = ProgressReader()

        def take(line: str) -> bool:
            progress = reader.feed(line)
            if isinstance(progress, Progress):
                self._progress = progress
            return bool(progress)

        return take

    def _bitrate(self) -> float | None:
        if len(self._rates) < 2:
            return None
        (start, before), (end, after) = self._rates[0], self._rates[-1]
        return (after - before) * 8 / (end - start) if end > start else None
