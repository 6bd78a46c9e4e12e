"""Sound files for tests: each sample says where in the file it is."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from vistterstream.playout.sound import SAMPLE_RATE, Samples


def counting(samples: int, start: int = 1) -> Samples:
    """Samples that count up on the left and down on the right; none is 0 up to 32767."""
    left = (np.arange(start, start + samples) % 32768).astype(np.int16)
    return np.stack((left, -left), axis=1)


def sine(frequency: float, peak: float, seconds: float, *, right: float | None = None) -> Samples:
    """A tone whose peak is given, full scale being 1; that of the right channel may be another."""
    wave = np.sin(np.arange(round(seconds * SAMPLE_RATE)) * (2 * np.pi * frequency / SAMPLE_RATE))
    sides = np.stack((wave * peak, wave * (peak if right is None else right)), axis=1)
    found: Samples = np.rint(sides * 32767).astype(np.int16)
    return found


def write(file: Path, samples: Samples) -> Path:
    """A WAV file at 48 kHz, two channels, 16 bit."""
    with wave.open(str(file), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(samples.tobytes())
    return file
