"""Sounds on the air: read ahead, never waited for."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from peers.vistter import command_line
from peers.waiting import until
from playout.sounds import counting, write
from vistterstream.playout import deck as decks
from vistterstream.playout.deck import Deck
from vistterstream.playout.mixing import Playing
from vistterstream.playout.sound import Samples
from vistterstream.playout.tape import Tape

SECOND = 48_000
FRAME = 1600


@pytest.fixture
def deck() -> Iterator[Deck]:
    made = Deck(os.environ)
    yield made
    made.close()


def decoders(playing: Playing) -> list[int]:
    """The processes that decode this file: other tests in this process may have children that live longer."""
    found: list[int] = []
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError):  # a thread that has just ended
            found += map(int, Path(f"/proc/self/task/{task}/children").read_text().split())
    return [pid for pid in found if f"file:{playing.file}" in command_line(pid)]


def taken(deck: Deck, playing: Playing, start: int, count: int = FRAME) -> Samples:
    """What the deck has, once it has it."""
    until(lambda: deck.ready(playing, start + count), 20, lambda: f"sample {start}; {deck.problems}")
    found = deck.take(playing, start, count)
    assert found is not None
    return found


def test_it_gives_the_samples_of_the_file_in_order(deck: Deck, tmp_path: Path) -> None:
    samples = counting(20 * SECOND)
    playing = Playing(str(write(tmp_path / "a.wav", samples)), False, 0)
    deck.want({playing: 0}, time.monotonic())
    for start in range(0, 21 * SECOND, FRAME):
        expected = np.zeros((FRAME, 2), np.int16)
        expected[: max(0, 20 * SECOND - start)] = samples[start : start + FRAME]
        assert (taken(deck, playing, start) == expected).all()


def test_it_starts_where_it_will_be_wanted(deck: Deck, tmp_path: Path) -> None:
    samples = counting(3 * SECOND)
    playing = Playing(str(write(tmp_path / "a.wav", samples)), True, -9000)
    deck.want({playing: 100 * SECOND + 7}, time.monotonic())
    assert (taken(deck, playing, 100 * SECOND + 7) == samples[SECOND + 7 :][:FRAME]).all()


def test_a_clock_that_runs_ahead_is_followed(deck: Deck, tmp_path: Path) -> None:
    samples = counting(30 * SECOND)
    playing = Playing(str(write(tmp_path / "a.wav", samples)), False, 0)
    deck.want({playing: 0}, time.monotonic())
    taken(deck, playing, 0)
    assert deck.take(playing, 25 * SECOND - FRAME, FRAME) is None
    assert (taken(deck, playing, 25 * SECOND) == samples[25 * SECOND :][:FRAME]).all()


def test_what_nobody_wants_is_unknown_and_its_process_ends(deck: Deck, tmp_path: Path) -> None:
    playing = Playing(str(write(tmp_path / "a.wav", counting(100 * SECOND))), False, 0)
    assert deck.take(playing, 0, FRAME) is None
    deck.want({playing: 0}, time.monotonic())
    taken(deck, playing, 0)
    assert decoders(playing)
    deck.want({}, time.monotonic())
    assert deck.take(playing, FRAME, FRAME) is not None, "it may have to fade out"
    deck.want({}, time.monotonic() + 2)
    assert deck.take(playing, 2 * FRAME, FRAME) is None
    until(lambda: not decoders(playing), 10, "its process has ended")


@pytest.mark.slow
def test_a_file_that_is_mended_is_heard(deck: Deck, tmp_path: Path) -> None:
    file = tmp_path / "late.wav"
    playing = Playing(str(file), False, 0)
    deck.want({playing: 0}, time.monotonic())
    until(lambda: deck.problems, 20, "it is told")
    assert deck.problems == {str(file): "The file or folder does not exist. Check the path."}
    assert deck.take(playing, 0, FRAME) is None
    write(tmp_path / "new.wav", counting(5 * SECOND)).rename(file)
    assert (taken(deck, playing, 2 * SECOND) == counting(FRAME, 1 + 2 * SECOND)).all()
    assert deck.problems == {}


@pytest.mark.slow
def test_a_process_that_dies_or_hangs_is_replaced(
    deck: Deck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decks, "_LOOK", 0.1)
    monkeypatch.setattr(decks, "_STUCK", 0.3)
    playing = Playing(str(write(tmp_path / "a.wav", counting(300 * SECOND))), False, 0)
    deck.want({playing: 0}, time.monotonic())
    start = 0
    for number in (signal.SIGKILL, signal.SIGSTOP):
        taken(deck, playing, start)
        (pid,) = decoders(playing)
        os.kill(pid, number)

        def replaced(pid: int = pid) -> bool:
            nonlocal start
            start += SECOND // 2  # the clock goes on, and uses up what was read ahead
            deck.take(playing, start, FRAME)
            deck.want({playing: 0}, time.monotonic())
            return pid not in decoders(playing) and bool(decoders(playing))

        until(replaced, 20, f"process {pid} is replaced")
        start += FRAME
        assert (taken(deck, playing, start) == counting(FRAME, start + 1)).all()
        start += FRAME


@pytest.mark.slow
def test_whatever_a_decoder_does_the_deck_goes_on(
    deck: Deck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playing = Playing(str(write(tmp_path / "a.wav", counting(SECOND))), False, 0)
    failures = [OSError(5, "Input/output error"), ValueError("a defect")]

    class Broken(Tape):
        def read(self, most: int) -> Samples:
            raise failures.pop() if len(failures) > 1 else failures[0]

    monkeypatch.setattr(decks, "_RETRY", 0.5)
    monkeypatch.setattr(decks, "_LOOK", 0.1)
    monkeypatch.setattr(decks, "Tape", Broken)
    deck.want({playing: 0}, time.monotonic())
    until(lambda: "a mistake in VistterStream" in str(deck.problems), 10, "the defect is told")
    until(lambda: "Input/output error" in str(deck.problems), 10, "the error is told")
    monkeypatch.setattr(decks, "Tape", Tape)
    assert (taken(deck, playing, 0) == counting(FRAME)).all()
    assert deck.problems == {}
