"""Ducking: how far a bed is down, from how loud the pictures' sound was in the frames up to now.

It is a function of those frames alone, of as many as attack, hold and release take, so that the air and a
rendering agree, and a playout that starts in the middle is right after that time. With a loud frame the bed
is down; from the last one on it stays down for `hold` frames, then comes up evenly in `release`; the mean of
that over the last `attack` frames smooths its way down.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vistterstream.playout.sound import Samples
from vistterstream.timeline.plan import DuckPlan

_FULL = 1 << 30  # the square of full scale
_KEPT = 4096  # frames: thirty seconds at 120 frames/s, and some
_LEAST = 10 ** (-96 / 20)


def loudness(samples: Samples) -> float:
    """The mean square of the louder channel, full scale being 1."""
    if not len(samples):
        return 0.0
    wide = samples.astype(np.float32)
    return float(max(np.dot(channel, channel) for channel in wide.T) / (_FULL * len(samples)))


def window(duck: DuckPlan) -> int:
    """How many frames the two factors of a frame depend on, itself included."""
    return duck.attack + duck.hold + duck.release + 1


class Levels:
    """How loud the last frames were. A frame that is not known counts as silent."""

    def __init__(self) -> None:
        self._levels = np.zeros(_KEPT, np.float64)
        self._numbers = np.full(_KEPT, -1, np.int64)

    def put(self, number: int, level: float) -> None:
        """Remember the level of a frame."""
        self._levels[number % _KEPT] = level
        self._numbers[number % _KEPT] = number

    def forget(self) -> None:
        """Know nothing."""
        self._numbers[:] = -1

    def factors(self, duck: DuckPlan, number: int) -> tuple[float, float]:
        """The factor of the bed's gain at the start and at the end of frame `number`."""
        numbers = np.arange(number - window(duck) + 1, number + 1)
        places = numbers % _KEPT
        loud = (self._levels[places] >= duck.threshold) & (self._numbers[places] == numbers)
        if not loud.any():
            return 1.0, 1.0
        down = _down(loud, duck)
        return _factor(duck, down[-duck.attack - 1 : -1]), _factor(duck, down[-duck.attack :])


def _down(loud: npt.NDArray[np.bool_], duck: DuckPlan) -> npt.NDArray[np.float64]:
    """For each frame how far down it asks the bed to be, 0 to 1."""
    places = np.arange(len(loud))
    never = -(duck.hold + duck.release)
    since = places - np.maximum.accumulate(np.where(loud, places, never))
    down: npt.NDArray[np.float64] = np.clip(1.0 - (since - duck.hold) / duck.release, 0.0, 1.0)
    return down


def _factor(duck: DuckPlan, down: npt.NDArray[np.float64]) -> float:
    return float(max(duck.factor, _LEAST) ** down.mean())
