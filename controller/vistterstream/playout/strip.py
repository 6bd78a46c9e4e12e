"""A strip of a file: the pictures that are decoded and wait, by number, and their sound, by sample."""

from __future__ import annotations

from collections import deque

import numpy as np

from vistterstream.playout.frames import Frame
from vistterstream.playout.sound import BYTES_PER_SAMPLE, Samples, silence

_MUCH_SOUND = 8 << 20  # bytes; what pictures that are skipped leave behind is dropped then


class Strip:
    """Pictures of one run through a file, in rising order, from `first` on. Not thread-safe.

    `current` is the picture that was given out last; it stays as it is until the next one is.
    """

    def __init__(self, first: int, sample: int) -> None:
        """`sample` is the number of the first sample of sound that will come."""
        self._waiting: deque[tuple[int, Frame]] = deque()
        self._sound = bytearray()
        self._sound_start = sample
        self.current: tuple[int, Frame] | None = None
        self.next = first
        self.ended = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def low(self) -> int:
        """The lowest picture that can still be given out."""
        if self.current is not None:
            return self.current[0]
        return self._waiting[0][0] if self._waiting else self.next

    @property
    def head(self) -> int | None:
        """The lowest picture that waits."""
        return self._waiting[0][0] if self._waiting else None

    def holds(self, number: int) -> bool:
        """Whether that picture waits."""
        return any(one == number for one, _ in self._waiting)

    @property
    def last(self) -> int | None:
        """The highest picture that is there."""
        if self._waiting:
            return self._waiting[-1][0]
        return self.current[0] if self.current is not None else None

    @property
    def sound_end(self) -> int:
        """The sample after the last one that has come."""
        return self._sound_start + len(self._sound) // BYTES_PER_SAMPLE

    def put(self, number: int, frame: Frame) -> None:
        """The next picture."""
        self._waiting.append((number, frame))
        self.next = number + 1

    def put_sound(self, data: bytes) -> None:
        """The sound that goes on where the last ended; what waits in vain for long is dropped."""
        self._sound += data
        if len(self._sound) > _MUCH_SOUND:
            self.forget_sound_before(self.sound_end - _MUCH_SOUND // 2 // BYTES_PER_SAMPLE)

    def drop_before(self, number: int) -> list[Frame]:
        """Give up the waiting pictures before `number`; the frames that are free now."""
        released = []
        while self._waiting and self._waiting[0][0] < number:
            released.append(self._waiting.popleft()[1])
        return released

    def take(self, number: int) -> list[Frame]:
        """Make picture `number`, which waits at the head, the current one; the frames that are free now."""
        released = [] if self.current is None else [self.current[1]]
        self.current = self._waiting.popleft()
        if self.current[0] != number:
            raise ValueError(f"picture {number} is not the next; that is {self.current[0]}")
        return released

    def sound(self, start: int, samples: int) -> Samples:
        """Samples from `start` on; silence where the file has none, or has it no more."""
        self.forget_sound_before(start)
        lead = min(samples, max(0, self._sound_start - start))
        data = bytes(self._sound[: (samples - lead) * BYTES_PER_SAMPLE])
        whole = len(data) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE
        found = np.frombuffer(data[:whole], np.int16).reshape(-1, 2)
        if len(found) == samples:
            return found
        result = silence(samples)
        result[lead : lead + len(found)] = found
        return result

    def forget_sound_before(self, sample: int) -> None:
        """The sound before is not asked for any more."""
        count = min(max(0, sample - self._sound_start), len(self._sound) // BYTES_PER_SAMPLE)
        del self._sound[: count * BYTES_PER_SAMPLE]
        self._sound_start += count
