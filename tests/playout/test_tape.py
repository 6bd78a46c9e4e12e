"""Sound files, sample by sample."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ffmpeg_.media import make, silent_clip
from playout.sounds import counting, sine, write
from vistterstream.playout.mixing import Playing
from vistterstream.playout.sound import Samples
from vistterstream.playout.tape import Tape, Tapes

LENGTH = 30_000


def read(tape: Tape, samples: int) -> Samples:
    found = []
    while samples and len(piece := tape.read(samples)):
        found.append(piece)
        samples -= len(piece)
    return np.concatenate(found) if found else np.zeros((0, 2), np.int16)


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(write(tmp_path / "count.wav", counting(LENGTH)))


def test_a_file_is_read_to_its_end_and_no_further(file: str) -> None:
    tape = Tape(file, False, os.environ)
    assert (read(tape, LENGTH + 5) == counting(LENGTH)).all()
    assert tape.ended
    assert tape.failure is None
    assert len(tape.read(5)) == 0
    tape.close()


def test_one_that_loops_goes_on_without_a_seam(file: str) -> None:
    tape = Tape(file, True, os.environ)
    assert (read(tape, 3 * LENGTH) == np.tile(counting(LENGTH), (3, 1))).all()
    assert not tape.ended
    tape.close()


@pytest.mark.parametrize("place", [1, 20_000, LENGTH + 17, 1000 * LENGTH + 29_999])
def test_any_sample_is_found(file: str, place: int) -> None:
    tape = Tape(file, True, os.environ)
    tape.seek(place)
    assert tape.position == place
    assert (read(tape, 10) == np.tile(counting(LENGTH), (2, 1))[place % LENGTH :][:10]).all()
    tape.seek(3)  # and back
    assert read(tape, 1)[0, 0] == 4
    tape.close()


def test_a_long_file_is_not_kept_and_loops_all_the_same(tmp_path: Path) -> None:
    samples = counting(31 * 48_000)
    tape = Tape(str(write(tmp_path / "long.wav", samples)), True, os.environ)
    tape.seek(5 * len(samples) - 10)
    assert (read(tape, 20) == np.concatenate((samples[-10:], samples[:10]))).all()
    tape.close()


def test_another_rate_and_format_gives_the_same_samples_each_time(tmp_path: Path) -> None:
    wav = write(tmp_path / "tone.wav", sine(440, 0.5, 3))
    song = str(make(tmp_path / "tone.mp3", "-i", str(wav), "-ar", "44100", "-ac", "1"))
    tape = Tape(song, False, os.environ)
    whole = read(tape, 200_000)
    assert 0.3 * 32767 < np.abs(whole).max() < 0.4 * 32767  # one channel on two: 3 dB less on each
    tape.seek(70_001)
    assert (read(tape, 500) == whole[70_001:70_501]).all()
    tape.close()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("gone.wav", None, "does not exist"),
        ("text.wav", b"no sound at all\n" * 99, "no sound in it that can be read"),
        ("empty.wav", b"", "no sound in it that can be read"),
    ],
)
@pytest.mark.parametrize("loop", [True, False])
def test_what_cannot_be_read_is_told(
    tmp_path: Path, name: str, content: bytes | None, told: str, loop: bool
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    tape = Tape(str(tmp_path / name), loop, os.environ)
    tape.seek(1_000_000)
    assert len(tape.read(100)) == 0
    assert tape.ended
    assert tape.failure is not None
    assert told in tape.failure.message
    tape.close()


def test_a_film_without_sound_is_told() -> None:
    tape = Tape(str(silent_clip()), True, os.environ)
    assert len(tape.read(1)) == 0
    assert tape.failure is not None
    assert "no sound in it" in tape.failure.message
    tape.close()


def test_tapes_give_silence_after_the_end_and_hold_no_more_files_than_they_may(file: str) -> None:
    tapes = Tapes(os.environ, 2)
    for first in range(4):
        found = tapes.take(Playing(file, False, first), LENGTH - 5, 10)
        assert found is not None
        assert found[:5, 0].tolist() == [LENGTH - 4 + k for k in range(5)]
        assert not found[5:].any()
    assert tapes.take(Playing("/nowhere.wav", False, 0), 0, 10) is None
    assert tapes.problems == {
        "/nowhere.wav": "/nowhere.wav: The file or folder does not exist. Check the path."
    }
    tapes.close()
