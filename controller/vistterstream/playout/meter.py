"""How loud the program is: sample peak, and momentary loudness by EBU R 128.

Loudness is that of ITU-R BS.1770-4: K-weighted (a shelf for the head, a high pass), the mean square over
400 ms, both channels added, in LUFS; a new figure each 100 ms. The weighting is a filter with an infinite
response; cut off after 2048 samples, where it has died away to a millionth, it is a product of two Fourier
transforms, which costs a tenth of a per cent of a core. Nothing is computed where there is silence.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
import numpy.typing as npt

from vistterstream.playout.sound import SAMPLE_RATE

LOWEST = -120.0
"""What is said, in dBFS and LUFS, of silence."""

_HOP = SAMPLE_RATE // 10
_HOPS = 4  # in a window of 400 ms, and in a block that is computed at a time
_TAPS = 2048
_SIZE = 21_600  # of the transforms: at least a block and the taps, with small prime factors
_PLACE = slice(_TAPS - 1, _TAPS - 1 + _HOPS * _HOP)  # of the block in what is transformed
_PEAK_HOPS = 10
_BEHIND = 100  # pieces of sound that may wait; more are dropped, the oldest first
_MEMORY_HOPS = 100
_AUDIBLE = -60.0  # LUFS
_CLIPPED = 32767
_FULL = 32768.0
# BS.1770-4, tables 1 and 2, at 48 kHz: b0, b1, b2, a1, a2.
_SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585)
_HIGH_PASS = (1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621)

_Complex = npt.NDArray[np.complex64]


class SoundState(StrEnum):
    """What people want to know who do not look at a meter."""

    SILENT = "Silent"  # nothing above -60 LUFS for ten seconds
    NORMAL = "Normal"
    CLIPPING = "Clipping"  # samples at full scale within the last ten seconds


@dataclass(frozen=True)
class Reading:
    """`momentary` is the loudness of the last 400 ms in LUFS, `peak` the highest sample of the last second on
    either channel, in dB of full scale. Silence has LOWEST.
    """

    momentary: float = LOWEST
    peak: float = LOWEST
    state: SoundState = SoundState.SILENT


class Meter:
    """`put` is for the clock thread, everything else for another one."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque(maxlen=_BEHIND)
        self._rest = b""
        # Kept, since memory of this size would be asked of the kernel each time (a third of the cost).
        self._padded = np.zeros(_SIZE, np.complex64)  # samples before the block, the block, and nothing
        self._work = np.zeros(_SIZE, np.complex64)
        self._sounding = False  # whether the end of the block before was something else than silence
        self._energies: deque[float] = deque([0.0] * _HOPS, maxlen=_HOPS)
        self._peaks: deque[int] = deque([0] * _PEAK_HOPS, maxlen=_PEAK_HOPS)
        self._since_sound = self._since_clip = _MEMORY_HOPS  # hops

    def put(self, sound: bytes) -> None:
        """Take the sound of a frame: 16-bit stereo."""
        self._waiting.append(sound)

    def update(self) -> list[Reading]:
        """Compute what can be; a reading for each 100 ms."""
        data = [self._rest]
        while self._waiting:
            data.append(self._waiting.popleft())
        sound = np.frombuffer(b"".join(data), np.int16).reshape(-1, 2)
        block = _HOP * _HOPS
        whole = len(sound) // block * block
        self._rest = sound[whole:].tobytes()
        return [
            reading
            for start in range(0, whole, block)
            for reading in self._block(sound[start : start + block])
        ]

    @property
    def reading(self) -> Reading:
        """The newest."""
        peak = max(self._peaks) / _FULL
        state = SoundState.SILENT if self._since_sound >= _MEMORY_HOPS else SoundState.NORMAL
        return Reading(
            momentary=self._momentary(),
            peak=20 * math.log10(peak) if peak else LOWEST,
            state=state if self._since_clip >= _MEMORY_HOPS else SoundState.CLIPPING,
        )

    def _momentary(self) -> float:
        energy = sum(self._energies) / (_HOP * _HOPS)
        return max(LOWEST, -0.691 + 10 * math.log10(energy)) if energy else LOWEST

    def _block(self, sound: npt.NDArray[np.int16]) -> list[Reading]:
        """400 ms of sound."""
        hops = sound.reshape(_HOPS, -1)
        peaks = np.maximum(hops.max(axis=1).astype(np.int32), -hops.min(axis=1).astype(np.int32))
        sounding = bool(peaks.any())
        energies = self._weighted(sound) if sounding or self._sounding else [0.0] * _HOPS
        self._sounding = sounding
        readings = []
        for energy, peak in zip(energies, peaks, strict=True):
            self._energies.append(float(energy))
            self._peaks.append(int(peak))
            self._since_clip = 0 if peak >= _CLIPPED else self._since_clip + 1
            self._since_sound = 0 if self._momentary() >= _AUDIBLE else self._since_sound + 1
            readings.append(self.reading)
        return readings

    def _weighted(self, sound: npt.NDArray[np.int16]) -> list[float]:
        """The K-weighted energy of each hop, of both channels together: left is the real part of a complex
        number, right the imaginary, and the filter, being real, keeps them apart.
        """
        padded, work = self._padded, self._work
        padded[: _TAPS - 1] = padded[len(sound) : len(sound) + _TAPS - 1]
        np.multiply(sound, np.float32(1 / _FULL), out=padded.view(np.float32).reshape(-1, 2)[_PLACE])
        # "ortho" on both ways, or numpy computes the first in double precision, at three times the cost.
        np.fft.fft(padded, norm="ortho", out=work)  # type: ignore[arg-type]  # the stubs know doubles alone
        np.multiply(work, _response(), out=work)
        np.fft.ifft(work, norm="ortho", out=work)  # type: ignore[arg-type]
        sides = work[_PLACE].view(np.float32).reshape(_HOPS, -1)
        energies: list[float] = np.einsum("ij,ij->i", sides, sides).tolist()
        return energies


@cache
def _response() -> _Complex:
    """The transform of the K-weighting's response to an impulse."""
    impulse = np.zeros(_SIZE)
    impulse[0] = 1.0
    impulse[:_TAPS] = _filtered(_filtered(impulse[:_TAPS], _SHELF), _HIGH_PASS)
    return np.fft.fft(impulse).astype(np.complex64)


def _filtered(samples: npt.NDArray[np.float64], section: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Through a filter of the second order, directly."""
    b0, b1, b2, a1, a2 = section
    result = np.zeros_like(samples)
    x1 = x2 = y1 = y2 = 0.0
    for place, x in enumerate(samples.tolist()):
        y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
        x2, x1, y2, y1 = x1, x, y1, y
        result[place] = y
    return result
