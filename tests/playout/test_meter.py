"""The meter agrees with FFmpeg's own, and costs next to nothing."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from peers import needs
from playout.sounds import sine, write
from vistterstream.playout.meter import LOWEST, Meter, Reading, SoundState
from vistterstream.playout.sound import Samples, silence

FRAME = 1600


def readings(sound: Samples, pieces: Sequence[int] = (FRAME,)) -> list[Reading]:
    """A reading for each 100 ms, the sound being handed over in pieces of these sizes, over and over."""
    meter, found, start, count = Meter(), [], 0, 0
    while start < len(sound):
        piece = sound[start : start + pieces[count % len(pieces)]]
        meter.put(piece.tobytes())
        start, count = start + len(piece), count + 1
        if count % 7 == 0:
            found += meter.update()
    return found + meter.update()


def by_ffmpeg(file: Path) -> list[float]:
    """The momentary loudness that the filter ebur128 gives, each 100 ms."""
    command = [needs.ffmpeg(), "-hide_banner", "-nostats", "-nostdin", "-i", str(file)]
    command += ["-af", "ebur128=framelog=info", "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [float(value) for value in re.findall(r"t: *[0-9.]+ .*?M: *(-?[0-9.]+|nan|-inf)", done.stderr)]


def speech(seconds: float) -> Samples:
    """Noise in syllables with pauses; lower on the left, louder on the right."""
    chance = np.random.default_rng(3)
    count = round(seconds * 48_000)
    noise = chance.standard_normal((count, 2))
    noise[:, 0] = np.convolve(noise[:, 0], np.ones(24) / 5, mode="same")
    syllables = np.abs(np.sin(np.arange(count) * (2 * np.pi * 2.3 / 48_000))) ** 3
    pauses = np.repeat(chance.random(count // 24_000 + 1) > 0.3, 24_000)[:count]
    shaped = noise * (syllables * pauses)[:, None] * [2000.0, 3500.0]
    found: Samples = np.clip(shaped, -32768, 32767).astype(np.int16)
    return found


SOUNDS = {
    "1 kHz at -20 dBFS": sine(1000, 0.1, 6),
    "40 Hz": sine(40, 0.5, 6),
    "12 kHz, right alone": sine(12_000, 0.0, 6, right=0.3),
    "full scale": sine(997, 1.0, 6),
    "soft": sine(440, 0.002, 6),
    "speech": speech(20),
    "bursts": np.concatenate(
        [sine(700, 0.4, 0.25), silence(40_000), sine(90, 0.8, 0.7), silence(90_000)] * 3
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SOUNDS)
def test_momentary_loudness_is_that_of_ffmpeg(name: str, tmp_path: Path) -> None:
    sound = SOUNDS[name]
    theirs = by_ffmpeg(write(tmp_path / "sound.wav", sound))
    ours = [reading.momentary for reading in readings(sound, (FRAME, 801, 2002))]
    pairs = [(our, their) for our, their in zip(ours, theirs, strict=False) if their > -70]
    assert len(pairs) >= 25
    # FFmpeg writes one digit behind the point; what it means lies within 0.05 of that.
    assert max(abs(our - their) for our, their in pairs) <= 0.1


def test_a_tone_at_minus_23_has_minus_23() -> None:
    # EBU Tech 3341, case 1: a sine of 1 kHz at -23 dBFS on both channels has -23.0 LUFS.
    assert readings(sine(1000, 10 ** (-23 / 20), 3))[-1].momentary == pytest.approx(-23.0, abs=0.1)


def test_the_peak_is_the_highest_sample_of_the_last_second_on_either_channel() -> None:
    sound = np.concatenate([sine(997, 0.1, 1), sine(997, 0.05, 0.4, right=0.5), sine(997, 0.1, 2)])
    peaks = [reading.peak for reading in readings(sound)]
    assert peaks[9] == pytest.approx(-20.0, abs=0.01)
    assert peaks[12] == pytest.approx(-6.02, abs=0.01)
    assert peaks[22] == pytest.approx(-6.02, abs=0.01)
    assert peaks[24] == pytest.approx(-20.0, abs=0.01)
    assert readings(np.full((48_000, 2), -32768, np.int16))[-1].peak == 0.0


def test_silence_is_the_lowest_and_what_follows_is_right() -> None:
    assert Meter().reading == Reading(LOWEST, LOWEST)
    found = readings(np.concatenate([sine(1000, 0.5, 1.2), silence(96_000), sine(1000, 0.1, 1.2)]))
    assert (found[25].momentary, found[25].peak) == (LOWEST, LOWEST)
    assert found[-1].momentary == pytest.approx(-20.0, abs=0.1)


def test_in_a_word_it_is_silent_normal_or_clipping() -> None:
    parts = [sine(1000, 1.0, 0.4), sine(1000, 0.01, 10), silence(11 * 48_000), sine(1000, 0.01, 0.4)]
    states = [reading.state for reading in readings(np.concatenate(parts))]
    changes = [
        (place, state) for place, state in enumerate(states) if not place or state != states[place - 1]
    ]
    assert changes == [
        (0, SoundState.CLIPPING),
        (103, SoundState.NORMAL),
        (206, SoundState.SILENT),
        (214, SoundState.NORMAL),
    ]
    assert Meter().reading.state is SoundState.SILENT


def test_what_nobody_computes_does_not_grow() -> None:
    meter = Meter()
    for _ in range(100_000):
        meter.put(b"\0" * 4 * FRAME)
    assert len(meter.update()) <= 100 * FRAME // 4800


def test_it_costs_next_to_nothing() -> None:
    sound, meter = speech(12), Meter()
    meter.put(sound.tobytes())
    meter.update()  # the first time it works out its filter
    best = 1.0
    for _ in range(5):
        meter.put(sound.tobytes())
        before = time.thread_time()
        meter.update()
        best = min(best, (time.thread_time() - before) * FRAME / len(sound))
    assert best < 0.0001, f"{best * 1000:.3f} ms of CPU a frame at 30 frames/s"
