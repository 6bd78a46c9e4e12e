"""Mixes the sound of a frame: that of the pictures, with its gain, and the beds that play along.

Gains go evenly from one frame to the next, so that an edit, a cue that is cut off or a jump of the timeline
does not click: what was heard in the frame before fades out within one more, what comes in the middle of its
cue fades in. All that is remembered is the frame before, and for ducking how loud the last frames were.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from vistterstream.playout.ducking import Levels, loudness, window
from vistterstream.playout.sound import Samples, at_equal_power, crossfade, samples_before, silence
from vistterstream.timeline.beds import Bed
from vistterstream.timeline.evaluate import TimelineIndex

_Wide = npt.NDArray[np.float32]


class Playing(NamedTuple):
    """One run of a sound file: which, and the program frame with which its first sample begins.

    `copy` tells apart several that are the same.
    """

    file: str
    loop: bool
    first: int
    copy: int = 0


class Sounds(Protocol):
    """Where the samples of beds come from."""

    def take(self, playing: Playing, start: int, count: int) -> Samples | None:
        """`count` samples from sample `start` on, silence after the file's end; None if it has none now."""


@dataclass(frozen=True)
class Part:
    """The sound of a picture: whose, its gain at the end of the frame, its share of a transition, and whether
    that is at equal power.
    """

    name: str
    samples: Samples | None
    gain: float
    share: tuple[float, float] = (1.0, 1.0)
    power: bool = False


def playing(beds: Iterable[Bed], number: int) -> list[tuple[Playing, Bed]]:
    """What `beds`, as they are at program frame `number`, play."""
    seen: dict[Playing, int] = {}
    found = []
    for bed in beds:
        plain = Playing(bed.cue.file, bed.cue.loop, number - bed.age)
        copy = seen[plain] = seen.get(plain, -1) + 1
        found.append((plain._replace(copy=copy), bed))
    return found


def memory(index: TimelineIndex | None) -> int:
    """How many frames before it the sound of a frame depends on."""
    cues = index.plan.audio if index is not None else ()
    return max((window(cue.duck) if cue.duck is not None else 1 for cue in cues), default=0)


class Bus:
    """The program's sound. One thread mixes, frame after frame; after a jump it knows nothing."""

    def __init__(self, rate: Fraction) -> None:
        self._rate = rate
        self._number: int | None = None
        self._running = False  # whether the frame before was mixed here
        self._gains: dict[str, float] = {}
        self._heard: dict[Playing, float] = {}
        self._levels = Levels()

    def mix(
        self, number: int, parts: Sequence[Part], beds: Iterable[Bed], sounds: Sounds, *, measure: bool
    ) -> Samples:
        """The sound of frame `number`. `parts` are that of the picture, or of the two of a transition;
        `measure` tells whether a bed may have to go down for it, now or soon.
        """
        self._running = self._number is not None and number == self._number + 1
        if not self._running:
            self._gains, self._heard = {}, {}
            self._levels.forget()
        self._number = number
        first = samples_before(number, self._rate)
        count = samples_before(number + 1, self._rate) - first
        pictures = self._pictures(parts, count)
        if measure:
            self._levels.put(number, loudness(pictures))
        added = self._beds(number, first, count, playing(beds, number), sounds)
        return pictures if added is None else _narrow(pictures + added)

    def _pictures(self, parts: Sequence[Part], count: int) -> Samples:
        before, self._gains = self._gains, {part.name: part.gain for part in parts}
        gains = [(before.get(part.name, part.gain), part.gain) for part in parts]
        sounds = [silence(count) if part.samples is None else part.samples for part in parts]
        if all(gain == (1.0, 1.0) and not part.power for gain, part in zip(gains, parts, strict=True)):
            return sounds[0] if len(parts) == 1 else crossfade(sounds[0], sounds[1], *parts[1].share)
        mixed = np.zeros((count, 2), np.float32)
        for part, samples, gain in zip(parts, sounds, gains, strict=True):
            if part.samples is not None and any(gain):
                over = at_equal_power if part.power else _ramp
                mixed += samples * (_ramp(*gain, count) * over(*part.share, count))
        return _narrow(mixed)

    def _beds(
        self, number: int, first: int, count: int, beds: list[tuple[Playing, Bed]], sounds: Sounds
    ) -> _Wide | None:
        """What the beds add; None where nothing is heard of them."""
        before, self._heard = self._heard, {}
        added: _Wide | None = None
        for which, start, end in self._ways(number, beds, before):
            samples = sounds.take(which, first - samples_before(which.first, self._rate), count)
            if samples is None:
                self._heard.pop(which, None)
            elif start or end:
                heard = samples * _ramp(start, end, count)
                added = heard if added is None else np.add(added, heard, out=added)
        return added

    def _ways(
        self, number: int, beds: list[tuple[Playing, Bed]], before: dict[Playing, float]
    ) -> list[tuple[Playing, float, float]]:
        """For each sound its factors at the start and the end of the frame."""
        ways = []
        for which, bed in beds:
            duck = bed.cue.duck
            down = (1.0, 1.0) if duck is None else self._levels.factors(duck, number)
            planned, end = bed.volume(bed.age) * down[0], bed.volume(bed.age + 1) * down[1]
            start = before.get(which, 0.0 if self._running and bed.age else planned)
            ways.append((which, start, end))
            self._heard[which] = end
        return ways + [(which, was, 0.0) for which, was in before.items() if was and which not in self._heard]


def _ramp(start: float, end: float, count: int) -> _Wide | float:
    """Factors that go evenly from `start` to the one that the next frame starts with."""
    if start == end:
        return start
    return np.linspace(start, end, count, endpoint=False, dtype=np.float32)[:, None]


def _narrow(wide: _Wide) -> Samples:
    return np.clip(np.rint(wide), -32768, 32767).astype(np.int16)
