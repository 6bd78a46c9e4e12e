"""A sound file, decoded sample by sample from its start: sample k is always the same.

Not even FFmpeg finds a sample in the middle of any file by its number, so what lies before is decoded and
thrown away (an hour of MP3 takes seconds). Nobody waits for that who may not: see `deck`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

import numpy as np

from vistterstream.ffmpeg import commands
from vistterstream.ffmpeg.failures import Failure
from vistterstream.playout.mixing import Playing
from vistterstream.playout.sound import BYTES_PER_SAMPLE, SAMPLE_RATE, Samples, silence
from vistterstream.playout.tool import Tool

_CHUNK = 1 << 16  # bytes: a third of a second
_KEPT = 30 * SAMPLE_RATE  # samples (6 MB): what loops and is no longer is decoded once, and kept


class Tape:
    """A file that is read in order, and starts again at its end if it is to loop.

    `position` counts from its start on, all its rounds together. `failure` says why it ended too early.
    Only `interrupt` and `kill` may be called from another thread.
    """

    def __init__(self, file: str, loop: bool, environment: Mapping[str, str]) -> None:
        self._file, self._loop, self._environment = file, loop, environment
        self._tool: Tool | None = None
        self._interrupted = False
        self._rest = b""
        self._round = 0  # sample with which the round that is read began
        self._length: int | None = None  # of the file, once its end has been seen
        self._kept: list[Samples] | None = [] if loop else None  # all of a round so far; None: too much
        self._whole: Samples | None = None  # all of the file
        self.position = 0
        self.ended = False
        self.failure: Failure | None = None

    def seek(self, sample: int) -> None:
        """Go to a sample: forward by reading on, back by starting over."""
        if self._whole is not None:
            self.position = sample
        elif sample < self.position:
            self._start_over(0)
        while self.position < sample and not self.ended:
            if self._length and self._loop and sample - self._round >= self._length:
                self._start_over(sample // self._length * self._length)
            self.read(sample - self.position)

    def read(self, most: int) -> Samples:
        """The next samples, at least one and at most `most`; none at the end."""
        while not self.ended:
            if self._whole is not None:
                return self._again(self._whole, most)
            tool = self._tool or self._open()
            assert tool.child.stdout is not None
            missing = min(most * BYTES_PER_SAMPLE - len(self._rest), _CHUNK)
            data = self._rest + os.read(tool.child.stdout.fileno(), missing)
            if len(data) == len(self._rest):
                self._end_round(tool)
                continue
            whole = len(data) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE
            self._rest = data[whole:]
            if whole:
                return self._counted(np.frombuffer(data[:whole], np.int16).reshape(-1, 2))
        return silence(0)

    def _counted(self, samples: Samples) -> Samples:
        self.position += len(samples)
        if self._kept is not None:
            self._kept.append(samples)
            if self.position - self._round > _KEPT:
                self._kept = None
        return samples

    def _again(self, whole: Samples, most: int) -> Samples:
        """The next samples of a file that is known by heart."""
        start = self.position % len(whole)
        samples = whole[start : start + most]
        self.position += len(samples)
        return samples

    def interrupt(self) -> None:
        """Have it end at once, and for good."""
        self._interrupted = True
        self.kill()

    def kill(self) -> None:
        """Kill the process that decodes, if there is one: what is being read ends, as a failure."""
        tool = self._tool
        if tool is not None:
            tool.child.signal(signal.SIGKILL)

    def close(self) -> None:
        """End the process."""
        if self._tool is not None:
            self._tool.child.signal(signal.SIGKILL)  # it waits for us to read, and has nothing to lose
            self._tool.close()
            self._tool = None

    def _open(self) -> Tool:
        tool = Tool(commands.sound(self._file), role="sound", environment=self._environment, stdout=True)
        self._tool, self._rest = tool, b""
        if self._interrupted:
            tool.child.signal(signal.SIGKILL)
        return tool

    def _end_round(self, tool: Tool) -> None:
        """The file has come to its end, or its process has."""
        ended = tool.wait()
        self.close()
        length = self.position - self._round
        if ended.reason != "Ended" or not length:
            self.failure = _in_words(ended)
        self.ended = self.failure is not None or not self._loop
        if self._kept and self.failure is None:
            self._whole = np.concatenate(self._kept)
        self._length, self._round, self._kept = length, self.position, None

    def _start_over(self, sample: int) -> None:
        """Begin the round that starts with `sample`."""
        self.close()
        self.position = self._round = sample
        self.ended, self.failure = False, None
        self._kept = [] if self._loop else None


def _in_words(ended: Failure) -> Failure:
    if ended.reason in ("Ended", "InvalidData"):
        return Failure("InvalidData", "There is no sound in it that can be read. Check the file.")
    return ended


class Tapes:
    """The sounds of beds, read when they are wanted: for frames that are made offline."""

    def __init__(self, environment: Mapping[str, str], most: int) -> None:
        """Of more than `most` files, those that were not wanted for the longest are closed."""
        self._environment, self._most = environment, most
        self._tapes: dict[Playing, Tape] = {}
        self.problems: dict[str, str] = {}

    def take(self, playing: Playing, start: int, count: int) -> Samples | None:
        """`count` samples from `start` on, silence after the end; None where the file cannot be read."""
        tape = self._tapes.pop(playing, None) or Tape(playing.file, playing.loop, self._environment)
        self._tapes[playing] = tape  # the newest
        while len(self._tapes) > self._most:
            self._tapes.pop(next(iter(self._tapes))).close()
        tape.seek(start)
        result, found = silence(count), 0
        while found < count and not tape.ended:
            samples = tape.read(count - found)
            result[found : found + len(samples)] = samples
            found += len(samples)
        if tape.failure is not None:
            self.problems[playing.file] = f"{playing.file}: {tape.failure.message}"
            return None
        return result

    def close(self) -> None:
        """End every process."""
        for tape in self._tapes.values():
            tape.close()
        self._tapes.clear()
