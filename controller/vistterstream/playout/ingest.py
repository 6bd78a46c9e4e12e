"""An ingest: the FFmpeg process that pulls and decodes one camera, and the thread that reads it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from enum import Enum

import anyio

from vistterstream.base import logs
from vistterstream.ffmpeg.failures import Failure, explain
from vistterstream.ffmpeg.processes import Child, enlarge_pipe
from vistterstream.ffmpeg.streams import AudioStream, VideoStream, parse_stream
from vistterstream.playout.avi import AviError, AviReader
from vistterstream.playout.frames import Frame, FramePool
from vistterstream.playout.jitter import JitterBuffer, Taken
from vistterstream.resources.program import Format

_LIVE_SECONDS = 0.4  # most delay that a live camera may build up
_STANDBY_FRAMES = 4
_SPARE_FRAMES = 3  # one being read, one on air, one in hand
_STOP_GRACE = 1.0
_PAUSE = 1.0  # seconds without a picture after which a camera has to prove itself
_STEADY = 0.4  # seconds of pictures that prove it
_log = logs.get("playout")


class Pace(Enum):
    """How pictures are taken from the process."""

    LIVE = "live"  # as they come; the newest win
    STANDBY = "standby"  # key frames only, the last one is kept


# Seconds for a first picture. One that stands by may need four key frames, since the decoder of a camera with
# B-frames holds the first ones back, and key frames may be ten seconds apart.
_FIRST_FRAME_PATIENCE = {Pace.LIVE: 20.0, Pace.STANDBY: 60.0}


class Ingest:
    """One run of the process. `take` is for the clock thread, everything else for the event loop."""

    def __init__(
        self, name: str, argv: Sequence[str], format: Format, pace: Pace, environment: Mapping[str, str]
    ) -> None:
        rate = format.frame_rate.fraction
        capacity = max(4, round(_LIVE_SECONDS * rate)) if pace is Pace.LIVE else _STANDBY_FRAMES
        self._argv = argv
        self._pace = pace
        self._environment = environment
        self._picture_size = format.width * format.height * 3 // 2
        self._pool = FramePool(format.width, format.height, capacity + _SPARE_FRAMES)
        self._buffer = JitterBuffer(rate, capacity=capacity)
        self._condition = threading.Condition()
        self._closing = False
        self._child: Child | None = None
        self._broken = ""
        self._arrived = time.monotonic()
        self._resumed: float | None = None
        self.name = name
        self.started = self._arrived
        self.frames = 0
        self.video: VideoStream | None = None
        self.audio: AudioStream | None = None

    @property
    def pid(self) -> int | None:
        """The process, None before it started."""
        return self._child.pid if self._child is not None else None

    @property
    def pace(self) -> Pace:
        """How pictures are taken."""
        return self._pace

    def frame_age(self, now: float) -> float | None:
        """Seconds since the newest picture came, on the monotonic clock; None before the first."""
        return now - self._arrived if self.frames else None

    @property
    def steady(self) -> bool:
        """Whether pictures come one after another: false just after a pause.

        A camera that hangs ends with a handful of stale pictures, which FFmpeg gives out as it gives up.
        """
        return self._resumed is None or self._arrived - self._resumed > _STEADY

    def silent_for(self, now: float) -> float:
        """Seconds since the last sign of life, on the monotonic clock."""
        return now - self._arrived

    @property
    def ready(self) -> bool:
        """Whether it has a picture to show."""
        return self._buffer.current is not None or self._buffer.ready

    def take(self, samples: int) -> Taken | None:
        """The picture and sound for the next frame of the program. For the clock thread."""
        with self._condition:
            if self._pace is Pace.STANDBY:
                current = self._buffer.current
                return None if current is None else Taken(current, None, fresh=False)
            taken, released = self._buffer.take(samples)
            for frame in released:
                self._pool.give(frame)
            if released:
                self._condition.notify()
            return taken

    async def run(self) -> Failure:
        """Run the process to its end; why it ended. Cancelling stops it. Raises TemporaryError."""
        child = self._child = Child.spawn(
            self._argv, role=f"ingest {self.name}", environment=self._environment, stdout=True
        )
        assert child.stdout is not None
        enlarge_pipe(child.stdout.fileno())
        reader = threading.Thread(target=self._read, name=f"ingest-{self.name}", daemon=True)
        reader.start()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(child.read_lines, self._take_line)
                await child.wait()
                await anyio.to_thread.run_sync(reader.join, abandon_on_cancel=True)
        finally:
            await self._shut_down(child, reader)
        if self._broken:
            return Failure("InvalidData", self._broken)
        return explain(child.status or 0, child.last_lines)

    async def _shut_down(self, child: Child, reader: threading.Thread) -> None:
        with anyio.CancelScope(shield=True):
            with self._condition:
                self._closing = True
                self._condition.notify_all()
            await child.stop(grace=_STOP_GRACE)
            await anyio.to_thread.run_sync(reader.join)
            child.close()

    def _take_line(self, line: str) -> bool:
        stream = parse_stream(line)
        if isinstance(stream, VideoStream) and self.video is None:
            self.video = stream
        elif isinstance(stream, AudioStream) and self.audio is None:
            self.audio = stream
        return stream is not None

    # --- the reading thread -----------------------------------------------------------------------------

    def _read(self) -> None:
        assert self._child is not None
        assert self._child.stdout is not None
        descriptor = self._child.stdout.fileno()
        stream = AviReader(lambda view: os.readv(descriptor, [view]), self._picture_size)
        try:
            while self._read_one(stream):
                pass
        except AviError as error:
            self._broken = f"FFmpeg sent what cannot be read: {error}."
        with self._condition:
            self._buffer.end()

    def _read_one(self, stream: AviReader) -> bool:
        frame = self._free_frame()
        if frame is None:
            return False
        while True:
            chunk = stream.next_chunk(frame.buffer)
            if chunk is None:
                self._pool.give(frame)
                return False
            if chunk.kind == "video":
                self._keep(frame)
                return True
            with self._condition:
                self._buffer.put_sound(chunk.data)

    def _free_frame(self) -> Frame | None:
        """A frame to read into."""
        with self._condition:
            while not self._closing:
                if (frame := self._pool.take()) is not None:
                    return frame
                self._condition.wait(0.5)
        return None

    def _keep(self, frame: Frame) -> None:
        with self._condition:
            if self._pace is Pace.STANDBY:
                released = self._buffer.replace(frame)
            else:
                released = self._buffer.put_frame(frame)
            for old in released:
                self._pool.give(old)
            now = time.monotonic()
            if self._pace is Pace.LIVE and self.frames and now - self._arrived > _PAUSE:
                self._resumed = now
            self._arrived = now
            self.frames += 1


def patience(ingest: Ingest, stall_after: float) -> float:
    """Seconds of silence after which the process is given up and started again."""
    if not ingest.frames:
        return _FIRST_FRAME_PATIENCE[ingest.pace]
    return max(30.0, stall_after) if ingest.pace is Pace.STANDBY else max(6.0, 2 * stall_after)
