"""Measures how far sound and picture are apart in a recording of cameras that flash and beep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np

from peers import frames
from peers.hearing import RATE, WINDOW, Samples, Times, amplitude, sound
from peers.rtsp import Flash

_STEP = 25  # of luma: a flash in a crossfade is as dim as its camera
_FAINT = 300.0  # amplitude of a beep that counts, of 8000


@dataclass(frozen=True)
class Meeting:
    """A flash and its beep: when the flash came, in seconds of the recording, and how much later the beep."""

    camera: str
    time: float
    offset: float
    program: int | None  # number of the program frame with the flash


@dataclass(frozen=True)
class Lips:
    """What was found; `alone` are flashes without a beep."""

    meetings: tuple[Meeting, ...]
    alone: tuple[tuple[str, float], ...]

    @property
    def worst(self) -> Meeting:
        """The meeting with the largest offset."""
        return max(self.meetings, key=lambda meeting: abs(meeting.offset))

    def __str__(self) -> str:
        offsets = [meeting.offset * 1000 for meeting in self.meetings]
        return (
            f"{len(offsets)} flashes with a beep, {min(offsets):.1f} to {max(offsets):.1f} ms, median"
            f" {median(offsets):.1f} ms; {len(self.alone)} without"
        )


def measure(file: Path, cameras: Mapping[str, Flash]) -> Lips:
    """Every flash of the cameras in the recording, with its beep."""
    areas = [frames.Area(flash.x, flash.y, flash.side, flash.side) for flash in cameras.values()]
    shown = frames.read(file, areas=areas)
    times, samples = sound(file)
    meetings, alone = [], []
    for number, (name, flash) in enumerate(cameras.items()):
        beeps = _beeps(times, samples, flash.beep)
        for before, frame in pairwise(shown):
            if frame.number != before.number or frame.lumas[number] - before.lumas[number] < _STEP:
                continue  # a cut is no flash, however bright what comes in
            time = float(frame.time)
            near = beeps[np.abs(beeps - time) < 0.3]
            if len(near):
                offset = float(near[np.abs(near - time).argmin()]) - time
                meetings.append(Meeting(name, time, offset, frame.program))
            else:
                alone.append((name, time))
    return Lips(tuple(sorted(meetings, key=lambda meeting: meeting.time)), tuple(alone))


def _beeps(times: Times, samples: Samples, frequency: int) -> Times:
    """When beeps of that frequency start: where their amplitude passes half of what it comes to."""
    loud = amplitude(samples, frequency)
    later = loud[RATE // 50 :]  # 20 ms on, it is as loud as it comes
    rising = (later > _FAINT) & (loud[: len(later)] >= later / 2)
    starts = np.flatnonzero(rising[1:] & ~rising[:-1]) + 1
    quiet = loud[np.maximum(starts - RATE // 50, 0)] < later[starts] / 8
    found: Times = times[starts[quiet] + WINDOW // 2]
    return found
