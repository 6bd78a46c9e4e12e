"""How much sound belongs to a frame, and mixing it. 48 kHz, two channels, 16 bit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 48_000
BYTES_PER_SAMPLE = 4  # both channels

Samples = npt.NDArray[np.int16]
"""``(samples, 2)`` int16."""


def samples_before(frame: int, rate: Fraction) -> int:
    """Samples from frame 0 to the start of `frame`, exact: sound and picture cannot drift apart."""
    return frame * SAMPLE_RATE * rate.denominator // rate.numerator


def samples_of(frame: int, rate: Fraction) -> int:
    """Samples that go with `frame`: 1600 at 30 frames/s, 1601 or 1602 at 30000/1001."""
    return samples_before(frame + 1, rate) - samples_before(frame, rate)


def silence(samples: int) -> Samples:
    """That many samples of silence."""
    return np.zeros((samples, 2), np.int16)


def at_equal_power(start: float, end: float, samples: int) -> npt.NDArray[np.float32]:
    """The gains, (samples, 1), of a sound whose share of a crossfade goes from `start` to `end`.

    A quarter of a sine: the squares of the gains of both sounds add up to one. Computed in double precision,
    so that it is the same to the bit wherever it is.
    """
    shares = np.linspace(start, end, samples, endpoint=False)
    return np.sin(shares * (np.pi / 2)).astype(np.float32)[:, None]


def crossfade(outgoing: Samples, incoming: Samples, start: float, end: float) -> Samples:
    """Both mixed, the weight of `incoming` going from `start` to `end` (0 to 1) over the samples."""
    weight = np.linspace(start, end, len(outgoing), endpoint=False, dtype=np.float32)[:, None]
    mixed = outgoing * (1 - weight) + incoming * weight
    return np.clip(np.rint(mixed), -32768, 32767).astype(np.int16)
