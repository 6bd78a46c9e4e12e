"""The sounds of beds on the air: decoded ahead by threads of their own, so that the clock never waits.

A file that is missing or broken is silent, told as a problem, and tried again when it changes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from vistterstream.base import logs
from vistterstream.base.errors import VistterError
from vistterstream.playout.mixing import Playing, playing
from vistterstream.playout.sound import SAMPLE_RATE, Samples, samples_before, silence
from vistterstream.playout.tape import Tape
from vistterstream.timeline.beds import coming
from vistterstream.timeline.evaluate import TimelineIndex, elapsed, restart

_AHEAD = 4 * SAMPLE_RATE  # samples (768 KB) that are decoded beforehand
_LOOK = 1.0  # seconds between two looks at a file that could not be read
_RETRY = 30.0  # seconds after which it is tried again, changed or not
_LEAD = 5  # seconds before it is heard that a sound is decoded
_CHUNK = _AHEAD // 8
_LINGER = 1.0  # seconds
_PATIENCE = 3.0  # seconds for a thread to end
_STUCK = 10.0  # seconds for a process to give something
_log = logs.get("playout")


class Player:
    """One run of a sound file. `take` is for the clock thread."""

    def __init__(self, playing: Playing, position: int, environment: Mapping[str, str]) -> None:
        """Decoding begins at once; `position` is the first sample that will be wanted."""
        self._playing, self._environment = playing, environment
        self._ring = np.zeros((_AHEAD, 2), np.int16)
        self._start = self._end = max(position, 0)  # the samples that the ring has
        self._over: int | None = None  # the sample after the file's last
        self._changed = threading.Condition()
        self._closing = self._filling = self._played = False
        self._watched: tuple[int | None, float] = None, 0.0  # position of the tape, and since when
        self._tape: Tape | None = None
        self.problem: str | None = None
        self._thread = threading.Thread(target=self._run, name="bed", daemon=True)
        self._thread.start()

    def take(self, start: int, count: int) -> Samples | None:
        """`count` samples from `start` on, silence after the file's end; None while they are not there."""
        with self._changed:
            end = start + count if self._over is None else min(start + count, max(self._over, start))
            there = self._start <= start and end <= self._end
            result = self._copy(start, end, count) if there else None
            self._forget_before(start + count)
        return result

    def ready(self, end: int) -> bool:
        """Whether it is decoded up to sample `end` (not included), or to its end."""
        with self._changed:
            return self._end >= end or (self._over is not None and self._over <= self._end)

    def close(self) -> None:
        """End it; `join` waits for that."""
        with self._changed:
            self._closing = True
            self._changed.notify()
            tape = self._tape
        if tape is not None:
            tape.interrupt()

    def join(self, patience: float) -> None:
        """Wait until it has ended, at most so many seconds: what hangs on a disk cannot be ended."""
        self._thread.join(patience)

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return self._thread.is_alive()

    def _copy(self, start: int, end: int, count: int) -> Samples:
        result = silence(count) if end - start < count else np.empty((count, 2), np.int16)
        place, length = start % _AHEAD, max(end - start, 0)
        straight = min(length, _AHEAD - place)
        result[:straight] = self._ring[place : place + straight]
        result[straight:length] = self._ring[: length - straight]
        return result

    def _forget_before(self, sample: int) -> None:
        """Make room; what is behind altogether goes on from there."""
        self._start = max(self._start, sample)
        if self._end < self._start:
            self._end = self._start
        if self._end - self._start <= _AHEAD // 2:
            self._changed.notify()

    # --- the decoding thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing:
            tape = self._tape = Tape(self._playing.file, self._playing.loop, self._environment)
            stamp = _stamp(self._playing.file)
            try:
                failure = self._play(tape)
            except VistterError as error:
                failure = error.message
            except OSError as error:
                failure = f"It cannot be read: {error.strerror}."
            except Exception:  # the worker's edge: a defect here must not take the sound away for good
                _log.exception("a sound's decoder failed and starts again", file=self._playing.file)
                failure = "Decoding it failed by a mistake in VistterStream; see the playout's log."
            finally:
                tape.close()
            if failure is not None and not self._closing:
                self._tell(failure)
                # One that played, and whose process was ended, is started again at once.
                self._until_changed(stamp, _LOOK if self._played else _RETRY)

    def _play(self, tape: Tape) -> str | None:
        """Decode ahead until closed; why it could not go on."""
        self._played = False
        while (wanted := self._wait_for_room()) is not None:
            if tape.position != wanted:
                tape.seek(wanted)
            samples = tape.read(_CHUNK)
            if tape.failure is not None:
                return tape.failure.message
            if tape.ended:
                self._note_end(tape.position)
                continue
            self._played = True
            self._put(wanted, samples)
        return None

    def _wait_for_room(self) -> int | None:
        """The sample to decode next, once there is room for a good many; None when it is to end."""
        with self._changed:
            while not self._closing:
                over = self._over is not None and self._end >= self._over
                if not over and self._end - self._start <= _AHEAD // 2:
                    self._filling = True
                if self._end - self._start > _AHEAD - _CHUNK or over:
                    self._filling = False
                if self._filling:
                    return self._end
                self._changed.wait()
        return None

    def _put(self, position: int, samples: Samples) -> None:
        with self._changed:
            self.problem = None
            if position != self._end:
                return  # it took so long that the clock is beyond it
            place = position % _AHEAD
            straight = min(len(samples), _AHEAD - place)
            self._ring[place : place + straight] = samples[:straight]
            self._ring[: len(samples) - straight] = samples[straight:]
            self._end += len(samples)

    def _note_end(self, sample: int) -> None:
        with self._changed:
            self.problem = None
            self._over = sample
            self._end = max(self._end, sample)

    def _tell(self, sentence: str) -> None:
        with self._changed:
            if self.problem == sentence:
                return
            self.problem = sentence
        _log.warning("a sound cannot be played", file=self._playing.file, problem=sentence)

    def _until_changed(self, stamp: object, patience: float) -> None:
        deadline = time.monotonic() + patience
        with self._changed:
            while not self._closing and time.monotonic() < deadline:
                self._changed.wait(_LOOK)
                if _stamp(self._playing.file) != stamp:
                    return

    def watch(self, now: float) -> None:
        """End a process that gives nothing any more; to be called now and then, at monotonic time `now`."""
        tape = self._tape
        position = tape.position if tape is not None and self._filling else None
        if position is None or position != self._watched[0]:
            self._watched = position, now
        elif now - self._watched[1] > _STUCK and tape is not None:
            self._watched = None, now
            tape.kill()


class Deck:
    """The sounds that the program plays, and will soon. `take` is for the clock thread."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._players: dict[Playing, Player] = {}
        self._wanted_at: dict[Playing, float] = {}
        self._leaving: list[Player] = []

    def take(self, playing: Playing, start: int, count: int) -> Samples | None:
        """See `Sounds`."""
        player = self._players.get(playing)
        return None if player is None else player.take(start, count)

    def ready(self, playing: Playing, end: int) -> bool:
        """Whether it is decoded up to sample `end` (not included), or to its end."""
        player = self._players.get(playing)
        return player is not None and player.ready(end)

    def want(self, wanted: Mapping[Playing, int], now: float) -> None:
        """Have these ready, each from the sample that is given, and let go of all others that have not been
        wanted for a second: what is cut off has to fade out. `now` is monotonic time.
        """
        self._wanted_at |= dict.fromkeys(wanted, now)
        self._wanted_at = {which: at for which, at in self._wanted_at.items() if now - at <= _LINGER}
        players = {which: player for which, player in self._players.items() if which in self._wanted_at}
        for which, position in wanted.items():
            if which not in players and (player := self._new(which, position)) is not None:
                players[which] = player
        gone = [player for playing, player in self._players.items() if playing not in players]
        self._players = players
        for player in gone:
            player.close()
        self._leaving = [player for player in (*self._leaving, *gone) if player.alive]
        for player in players.values():
            player.watch(now)

    def _new(self, which: Playing, position: int) -> Player | None:
        """A player; None where the system allows no more threads: it is asked again soon."""
        try:
            return Player(which, position, self._environment)
        except RuntimeError as error:
            _log.warning("a sound cannot be played", file=which.file, problem=str(error))
            return None

    @property
    def problems(self) -> dict[str, str]:
        """A sentence for each file that cannot be played."""
        told = ((which.file, player.problem) for which, player in self._players.items())
        return {file: problem for file, problem in sorted(told) if problem is not None}

    def close(self) -> None:
        """End everything, and wait for that, not for ever."""
        self.want({}, time.monotonic() + 2 * _LINGER)
        for player in self._leaving:
            player.join(_PATIENCE)


def upcoming(timeline: TimelineIndex, frame: int, rate: Fraction, epoch_wall_ns: int) -> dict[Playing, int]:
    """The sounds that play from program frame `frame` on or start soon, each with the first sample that will
    be wanted. Parameters as of `elapsed`.
    """
    passed, horizon = elapsed(timeline, frame, rate, epoch_wall_ns), round(_LEAD * rate)
    if elapsed(timeline, frame + 1, rate, epoch_wall_ns) == passed:
        return {}  # it stands
    soon = coming(timeline, passed, horizon)
    again = restart(timeline, frame, rate, epoch_wall_ns)
    if again is not None and again <= horizon:
        soon += coming(timeline, -again, horizon)
    now = samples_before(frame, rate)
    return {which: max(0, now - samples_before(which.first, rate)) for which, _ in playing(soon, frame)}


def _stamp(file: str) -> object:
    """What tells that a file is another."""
    try:
        found = os.stat(file)
    except OSError as error:
        return error.errno
    return found.st_ino, found.st_size, found.st_mtime_ns
