"""What can be heard in a recording."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt

from peers import needs

RATE = 48_000
WINDOW = RATE // 200  # 5 ms: tones that are multiples of 200 Hz apart do not disturb each other
_PIECE = re.compile(rb"Parsed_ashowinfo\S+ @ \S+\] n: *\d+ pts: *\S+ pts_time: *(\S+) .*?nb_samples: *(\d+)")

Times = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]


def sound(file: Path) -> tuple[Times, Samples]:
    """The time of each sample, in seconds of the recording, and the samples of the left channel."""
    command = [needs.ffmpeg(), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "info", "-copyts", "-i"]
    command += [str(file), "-vn", "-af", f"aresample={RATE},ashowinfo", "-f", "s16le", "-ac", "2", "pipe:1"]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    pieces = [float(time) + np.arange(int(count)) / RATE for time, count in _PIECE.findall(done.stderr)]
    times = np.concatenate(pieces)
    samples = np.frombuffer(done.stdout, np.int16).reshape(-1, 2)[:, 0].astype(np.float32)
    assert len(times) == len(samples), "every sample has its time"
    return times, samples


def amplitude(samples: Samples, frequency: int) -> Times:
    """The amplitude of a tone, full scale being 32768, in the WINDOW samples from each one on."""
    turned = samples * np.exp(-2j * np.pi * frequency / RATE * np.arange(len(samples)))
    total = np.concatenate(([0], np.cumsum(turned)))
    found: Times = np.abs(total[WINDOW:] - total[:-WINDOW]) * (2 / WINDOW)
    return found
