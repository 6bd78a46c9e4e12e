"""A film gives picture k, whichever way it gets there: decoded from the beginning, or sought."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ffmpeg_.media import folder, make, picture_and_sound
from playout.clips import LENGTH, numbered_clip, read_number
from playout.plans import FORMAT
from vistterstream.ffmpeg.failures import Failure
from vistterstream.playout import film as film_module
from vistterstream.playout.film import Film, of_file
from vistterstream.playout.reel import Place
from vistterstream.playout.sound import samples_before, samples_of
from vistterstream.resources.program import Format
from vistterstream.resources.quantities import FrameRate

PROGRAM = Format(width=128, height=72, frame_rate=FrameRate("30000/1001"))
RATE = PROGRAM.frame_rate.fraction


@cache
def long_film(suffix: str) -> Path:
    """Forty seconds at 24 frames/s with B-frames and key frames two seconds apart."""
    if suffix != ".mp4":
        return make(folder() / f"long{suffix}", "-i", str(long_film(".mp4")), "-c", "copy")
    codec = ("-c:v", "libx264", "-preset", "veryfast", "-g", "48", "-c:a", "aac")
    return make(folder() / "long.mp4", *picture_and_sound(40, "24", "128x72"), *codec)


@contextmanager
def opened(path: Path, format: Format = PROGRAM) -> Iterator[Film]:
    film = Film(str(path), format, os.environ)
    try:
        yield film
    finally:
        film.close()


def place(picture: int) -> Place:
    return Place(picture, samples_before(picture, RATE), silent=False)


def pictures(film: Film, first: int, count: int) -> list[str]:
    found = []
    for number in range(first, first + count):
        taken = film.take(place(number), samples_of(number, RATE))
        assert taken is not None, film.failure
        found.append(hashlib.sha256(taken.frame.buffer).hexdigest())
    return found


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_picture_is_the_same_sought_and_decoded_from_the_beginning(
    suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(long_film(suffix)) as film:
        whole = pictures(film, 0, 1190)
        assert abs(film.length - 1199) <= 1
    assert len(set(whole)) > 900
    monkeypatch.setattr(film_module, "_NEAR", 0)
    for first in (1, 29, 61, 500, 851, 1170):
        with opened(long_film(suffix)) as film:
            assert pictures(film, first, 12) == whole[first : first + 12], first


@pytest.mark.slow
def test_sound_that_is_sought_lies_where_it_lay(monkeypatch: pytest.MonkeyPatch) -> None:
    first = 700
    with opened(long_film(".mp4")) as film:
        pictures(film, 0, first)
        wanted = film.take(place(first), 4800)
        assert wanted is not None
        assert wanted.samples is not None
    monkeypatch.setattr(film_module, "_NEAR", 0)
    with opened(long_film(".mp4")) as film:
        taken = film.take(place(first), 4800)
        assert taken is not None
        assert taken.samples is not None
    assert np.abs(wanted.samples).max() > 1000
    assert np.abs(taken.samples.astype(int) - wanted.samples).max() <= 4


def test_a_file_has_its_pictures_and_what_it_lacks_is_its_last_one() -> None:
    with opened(numbered_clip(), FORMAT) as film:
        assert film.length == LENGTH
        for number in (0, LENGTH - 1, 7):
            taken = film.take(Place(number, 0, silent=True), 3200)
            assert taken is not None
            assert read_number(taken.frame) == number
            assert taken.samples is None
        beyond = film.take(Place(LENGTH + 1, 0, silent=True), 3200)
        assert beyond is not None
        assert read_number(beyond.frame) == LENGTH - 1


@pytest.mark.slow
def test_a_recording_that_was_cut_off_is_read_to_its_last_whole_picture(tmp_path: Path) -> None:
    data = long_film(".mkv").read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(data[: len(data) // 2])
    with opened(cut) as film:
        assert 300 < film.length < 900
        pictures(film, film.length - 3, 3)


def test_what_is_no_film_says_so(tmp_path: Path) -> None:
    with opened(tmp_path / "none.mp4") as film:
        assert film.length == 0
        assert film.failure is not None
        assert film.failure.reason == "FileNotFound"
        assert str(tmp_path / "none.mp4") in film.failure.message
    sound = make(tmp_path / "sound.mp4", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac")
    with opened(sound) as film:
        assert film.length == 0
        assert film.failure is not None
        assert film.take(Place(0, 0, silent=False), 100) is None


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("FileNotFound", ("FileNotFound", "There is no file /f.mp4. Put it there, or correct the path.")),
        ("NotAFile", ("NotAFile", "/f.mp4 does not name a file. Correct the path.")),
        (
            "PermissionDenied",
            ("PermissionDenied", "/f.mp4 may not be read. Let the user that runs VistterStream read it."),
        ),
        (
            "InvalidData",
            ("InvalidData", "/f.mp4 is not video that can be read. Put a video there, or correct the path."),
        ),
        (
            "ConnectionLost",
            ("InvalidData", "/f.mp4 cannot be read to its end. Put a whole file there, or see to its disk."),
        ),
        ("Ended", ("Ended", "/f.mp4 has come to its end.")),
        ("Killed", ("Killed", "as it was said")),
    ],
)
def test_what_is_told_of_a_file_names_it_and_says_what_to_do(reason: str, told: tuple[str, str]) -> None:
    failure = of_file("/f.mp4", Failure(reason, "as it was said"))
    assert (failure.reason, failure.message) == told
