"""A media file, decoded picture by picture as a program needs it: picture number k is always the same.

The command is the one that plays the file on air, so the pictures are the same too, to the bit.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Mapping

import numpy as np

from vistterstream.ffmpeg import commands
from vistterstream.ffmpeg.failures import Failure
from vistterstream.ffmpeg.processes import enlarge_pipe
from vistterstream.ffmpeg.streams import VideoStream, parse_stream
from vistterstream.playout.avi import AviError, AviReader
from vistterstream.playout.frames import Frame, FramePool
from vistterstream.playout.jitter import Taken
from vistterstream.playout.sound import BYTES_PER_SAMPLE, Samples, silence
from vistterstream.playout.tool import Tool
from vistterstream.resources.camera import CameraSource
from vistterstream.resources.program import Format

_AHEAD = 4  # pictures decoded before the first of them is given out: its sound is whole then
_MUCH_SOUND = 8 << 20  # bytes; what pictures that are skipped leave behind is dropped then
_LISTEN = 10.0  # seconds to wait for FFmpeg to say what it found, once a picture has come


class Film:
    """One run through a file. Pictures are asked for in rising order."""

    def __init__(self, source: CameraSource, format: Format, environment: Mapping[str, str]) -> None:
        self._source, self._format, self._environment = source, format, environment
        self._pool = FramePool(format.width, format.height, _AHEAD + 1)
        self.failure: Failure | None = None
        self._open("bt709")
        if self._queue and self._matrix() != "bt709":
            self._tool.close()
            self._open("bt601")

    @property
    def number(self) -> int:
        """The lowest picture that can still be asked for."""
        return self._first

    def take(self, number: int, start: int, samples: int) -> Taken | None:
        """Picture `number`, and `samples` of sound from sample `start` of the file; None after its end.

        The picture is good until the next call. `failure` tells why a file ended that should not have.
        """
        if number < self._first:
            raise ValueError(f"picture {number} is asked for after {self._first}")
        while not (self._ended and not self._queue) and self._first < number:
            self._fill(1)
            if self._queue:
                self._pool.give(self._queue.popleft())
                self._first += 1
            if len(self._sound) > _MUCH_SOUND:
                self._forget_sound_before(start)
        self._fill(_AHEAD)
        if not self._queue:
            return None
        sound = self._sound_from(start, samples) if self._has_sound else None
        return Taken(self._queue[0], sound, fresh=True)

    def close(self) -> None:
        """End the process."""
        self._tool.close()

    def _open(self, matrix: str) -> None:
        self._first = 0
        self._queue: deque[Frame] = deque()
        self._sound = bytearray()
        self._sound_start = 0
        self._has_sound = self._ended = False
        self._video: VideoStream | None = None
        self._told = threading.Event()
        argv = commands.ingest(self._source, self._format, matrix=matrix)
        self._tool = Tool(argv, role="film", environment=self._environment, stdout=True, take=self._listen)
        assert self._tool.child.stdout is not None
        descriptor = self._tool.child.stdout.fileno()
        enlarge_pipe(descriptor)
        size = self._format.width * self._format.height * 3 // 2
        self._stream = AviReader(lambda view: os.readv(descriptor, [view]), size)
        self._fill(1)

    def _listen(self, line: str) -> bool:
        stream = parse_stream(line)
        if isinstance(stream, VideoStream) and self._video is None:
            self._video = stream
            self._told.set()
        return stream is not None

    def _matrix(self) -> str:
        self._told.wait(_LISTEN)
        return self._video.matrix if self._video is not None else "bt709"

    def _fill(self, count: int) -> None:
        """See to it that `count` pictures wait, or all that are left."""
        while not self._ended and len(self._queue) < count:
            self._read_picture()

    def _read_picture(self) -> None:
        frame = self._pool.take()
        assert frame is not None  # there is one more than may wait
        try:
            while (chunk := self._stream.next_chunk(frame.buffer)) is not None:
                if chunk.kind == "video":
                    self._queue.append(frame)
                    return
                self._has_sound = True
                self._sound += chunk.data
        except AviError as error:
            self.failure = Failure("InvalidData", f"FFmpeg sent what cannot be read: {error}.")
        self._pool.give(frame)
        self._ended = True
        ended = self._tool.wait()
        if self.failure is None and ended.reason != "Ended":
            self.failure = ended

    def _sound_from(self, start: int, samples: int) -> Samples:
        """Sound as the file has it; silence before its beginning and after its end."""
        self._forget_sound_before(start)
        lead = min(samples, max(0, self._sound_start - start))
        data = bytes(self._sound[: (samples - lead) * BYTES_PER_SAMPLE])
        found = np.frombuffer(data[: len(data) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE], np.int16).reshape(
            -1, 2
        )
        result = silence(samples)
        result[lead : lead + len(found)] = found
        return result

    def _forget_sound_before(self, sample: int) -> None:
        count = min(max(0, sample - self._sound_start), len(self._sound) // BYTES_PER_SAMPLE)
        del self._sound[: count * BYTES_PER_SAMPLE]
        self._sound_start += count
