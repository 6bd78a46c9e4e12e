"""The jitter buffer between a camera, which sends when it likes, and the program's clock.

Pictures and the sound that belongs to them go through together: a picture that is dropped takes its sound
along, a picture that is repeated brings silence, so whatever happens here, lips stay in sync.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from vistterstream.playout.frames import Frame
from vistterstream.playout.sound import BYTES_PER_SAMPLE, Samples, samples_before, silence

_PRIME = 2  # frames gathered before the first is shown
_SPARE_SOUND = 64  # frames' worth of sound kept beyond the pictures, for a camera whose sound runs ahead
_CALM_WINDOW = 5  # seconds over which the level must stay high before a frame is given up


@dataclass(frozen=True)
class Taken:
    """What a camera contributes to one frame of the program. `fresh` is False for a repeated picture."""

    frame: Frame
    samples: Samples | None  # None: it has no sound
    fresh: bool


class JitterBuffer:
    """Frames of one camera with their sound. Not thread-safe: the owner holds a lock.

    `capacity` is the most frames kept; the oldest are dropped beyond it.
    """

    def __init__(self, rate: Fraction, *, capacity: int) -> None:
        self._rate = rate
        self._capacity = capacity
        self._queue: deque[Frame] = deque()
        self._index = 0  # number of the picture at the head of the queue, counted from the first
        self._sound = bytearray()
        self._sound_start = 0  # number of the first sample in _sound
        self._heard = 0  # number of the sample after the last one given out
        self._has_sound = False
        self._primed = False
        self._ended = False
        self._lowest = capacity
        self._ticks = 0
        self.current: Frame | None = None
        self.dropped = 0
        self.repeated = 0

    @property
    def full(self) -> bool:
        """Whether another frame would have to push one out."""
        return len(self._queue) >= self._capacity

    @property
    def ready(self) -> bool:
        """Whether there is something to show, now or since earlier."""
        return self._primed or len(self._queue) >= _PRIME or (self._ended and len(self._queue) > 0)

    def end(self) -> None:
        """No more comes: what is here may be shown to the last frame."""
        self._ended = True

    def put_frame(self, frame: Frame) -> list[Frame]:
        """Take the next picture; gives back the pictures that are no longer needed."""
        released = []
        while self.full:
            released.append(self._drop())
        self._queue.append(frame)
        return released

    def put_sound(self, data: bytes) -> None:
        """Take sound as it comes, in order."""
        self._has_sound = True
        self._sound += data
        most = samples_before(self._capacity + _SPARE_SOUND, self._rate) * BYTES_PER_SAMPLE
        if len(self._sound) > most:
            self._forget_sound_before(self._sound_start + (len(self._sound) - most) // BYTES_PER_SAMPLE)

    def take(self, samples: int) -> tuple[Taken | None, list[Frame]]:
        """One frame of the program with `samples` of sound, and the pictures no longer needed."""
        if not self.ready:
            return None, []
        self._primed = True
        released = self._relax()
        if len(self._queue) > self._reserve:
            if self.current is not None:
                released.append(self.current)
            self.current = self._queue.popleft()
            start = self._next_sample()
            self._heard = start + samples
            self._index += 1
            return Taken(self.current, self._sound_from(start, samples), fresh=True), released
        if self.current is None:
            return None, released
        self.repeated += 1
        return Taken(self.current, silence(samples) if self._has_sound else None, fresh=False), released

    def replace(self, frame: Frame) -> list[Frame]:
        """Show `frame` from now on, without a queue (key frames of a camera that stands by).

        The pictures it gives back are older than the one it replaces: that one may still be in hand.
        """
        self._queue.append(frame)
        released = [self._queue.popleft() for _ in range(len(self._queue) - 2)]
        self.current = frame
        return released

    def clear(self) -> list[Frame]:
        """Empty it; gives back every picture."""
        frames = [*self._queue]
        if self.current is not None:
            frames.append(self.current)
        self._queue.clear()
        self.current = None
        self._sound.clear()
        return frames

    @property
    def _reserve(self) -> int:
        """Pictures that stay behind: the sound of a frame is whole once the next picture has come."""
        return 1 if self._has_sound and not self._ended else 0

    def _next_sample(self) -> int:
        """Where the sound of the next picture starts: where the last one's ended, if that is the one before.

        The camera's frames and the program's have the same rate, but at 30000/1001 one may have 1601 samples
        where the other has 1602; following the camera's count alone would lose or double that one sample.
        """
        start = samples_before(self._index, self._rate)
        return self._heard if abs(start - self._heard) <= 1 else start

    def _relax(self) -> list[Frame]:
        """Give up one frame when the buffer stayed needlessly full: delay that crept in goes again."""
        self._lowest = min(self._lowest, len(self._queue))
        self._ticks += 1
        if self._ticks < _CALM_WINDOW * self._rate:
            return []
        excess, self._lowest, self._ticks = self._lowest > _PRIME, self._capacity, 0
        return [self._drop()] if excess else []

    def _drop(self) -> Frame:
        self.dropped += 1
        self._index += 1
        return self._queue.popleft()

    def _sound_from(self, start: int, samples: int) -> Samples | None:
        if not self._has_sound:
            return None
        self._forget_sound_before(start)
        available = bytes(self._sound[: samples * BYTES_PER_SAMPLE])
        lead = min(samples, max(0, self._sound_start - start))
        if lead:
            available = available[: (samples - lead) * BYTES_PER_SAMPLE]
        found = np.frombuffer(available, np.int16).reshape(-1, 2)
        if len(found) == samples:
            return found
        result = silence(samples)
        result[lead : lead + len(found)] = found
        return result

    def _forget_sound_before(self, sample: int) -> None:
        count = min(max(0, sample - self._sound_start), len(self._sound) // BYTES_PER_SAMPLE)
        del self._sound[: count * BYTES_PER_SAMPLE]
        self._sound_start += count
