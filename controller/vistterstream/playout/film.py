"""A media file, decoded picture by picture as a program needs it: picture number k is always the same.

The command is the one that plays the file on air, so the pictures are the same too, to the bit.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from vistterstream.ffmpeg import commands
from vistterstream.ffmpeg.failures import Failure
from vistterstream.ffmpeg.processes import enlarge_pipe
from vistterstream.ffmpeg.streams import Survey, SurveyReader
from vistterstream.playout.avi import AviError, AviReader
from vistterstream.playout.frames import FramePool
from vistterstream.playout.jitter import Taken
from vistterstream.playout.reel import Place, pictures
from vistterstream.playout.sound import samples_before
from vistterstream.playout.strip import Strip
from vistterstream.playout.tool import Tool
from vistterstream.resources.program import Format

_AHEAD = 3  # pictures decoded beyond the one that is given out: its sound is whole then
_NEAR = 60  # seconds of pictures that are rather decoded than sought


class Film:
    """A file. Its pictures may be asked for in any order; rising is fastest.

    One that lies within a minute of another, or of the beginning, is reached by decoding all before it: some
    sound (AAC with its substituted noise) is the same to the bit only then.

    `length` is the number of its pictures, 0 where it cannot be read; `failure` tells why, or why it ended
    when it should not have.
    """

    def __init__(
        self, path: str, format: Format, environment: Mapping[str, str], *, sha256: str | None = None
    ) -> None:
        self._path, self._format, self._environment = path, format, environment
        self._rate: Fraction = format.frame_rate.fraction
        self._run: _Run | None = None
        self.failure: Failure | None = None
        self._sha256 = sha256
        self._found = self._survey()
        self.length = 0 if self._found is None else pictures(self._found.end, self._rate)

    def take(self, place: Place, samples: int) -> Taken | None:
        """The picture, and `samples` of sound; None where the file does not give it.

        The picture is good until the next call.
        """
        if self._found is None:
            return None
        run = self._run
        near = round(_NEAR * self._rate)
        if run is None or not run.strip.low <= place.picture <= run.strip.next + near:
            run = self._open(place.picture if place.picture > near else 0)
        taken = run.take(place, samples)
        if taken is None and run.begun_at:  # it could not be sought: from the beginning
            taken = self._open(0).take(place, samples)
        assert self._run is not None
        self.failure = self._run.failure
        return taken

    def close(self) -> None:
        """End the process."""
        if self._run is not None:
            self._run.close()
            self._run = None

    def _open(self, first: int) -> _Run:
        assert self._found is not None
        self.close()
        self._run = _Run(self._path, self._found, self._format, first, self.length, self._environment)
        return self._run

    def _survey(self) -> Survey | None:
        self.failure = wrong_file(self._path, self._sha256)
        if self.failure is not None:
            return None
        for whole in (False, True):
            reader = SurveyReader()
            argv = commands.survey(self._path, whole=whole)
            tool = Tool(argv, role="survey", environment=self._environment, take=reader.feed)
            try:
                failure = tool.wait()
            finally:
                tool.close()
            if failure.reason != "Ended":
                self.failure = of_file(self._path, failure)
                return None
            if reader.found is not None:
                return reader.found
        self.failure = no_pictures(self._path)
        return None


def wrong_file(path: str, sha256: str | None) -> Failure | None:
    """That the file is not the one with this digest; None where it is, or cannot be read. Reads all of it."""
    if sha256 is None:
        return None
    try:
        with Path(path).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None  # whoever plays it finds out
    if found == sha256.lower():
        return None
    sentence = f"The file is another than the manifest wants: its SHA-256 is {found}."
    return Failure("WrongFile", f"{sentence} Put the right file there, or change sha256.")


_OF_FILES = {
    "FileNotFound": "There is no file {path}. Put it there, or correct the path.",
    "NotAFile": "{path} does not name a file. Correct the path.",
    "PermissionDenied": "{path} may not be read. Let the user that runs VistterStream read it.",
    "InvalidData": "{path} is not video that can be read. Put a video there, or correct the path.",
    "ConnectionLost": "{path} cannot be read to its end. Put a whole file there, or see to its disk.",
    "Ended": "{path} has come to its end.",
}


def of_file(path: str, failure: Failure) -> Failure:
    """What FFmpeg failed with, told as of devices and platforms, in words for the file, which they name."""
    known = _OF_FILES.get(failure.reason)
    if known is None:
        return failure
    reason = "InvalidData" if failure.reason == "ConnectionLost" else failure.reason
    return Failure(reason, known.replace("{path}", path))


def no_pictures(path: str) -> Failure:
    """That the file can be read, and has no pictures."""
    return Failure("InvalidData", f"{path} has no pictures. Put a video there, or correct the path.")


class _Run:
    """One process that decodes the file from picture `begun_at` on."""

    def __init__(
        self,
        path: str,
        found: Survey,
        format: Format,
        first: int,
        length: int,
        environment: Mapping[str, str],
    ) -> None:
        self._path, self.begun_at = path, first
        self.failure: Failure | None = None
        self.strip = Strip(first, samples_before(first, format.frame_rate.fraction))
        self._has_sound = found.audio is not None
        self._length = length
        self._pool = FramePool(format.width, format.height, _AHEAD + 3)
        argv = commands.film(path, found, format, first=first)
        self._tool = Tool(argv, role="film", environment=environment, stdout=True)
        assert self._tool.child.stdout is not None
        descriptor = self._tool.child.stdout.fileno()
        enlarge_pipe(descriptor)
        size = format.width * format.height * 3 // 2
        self._stream = AviReader(lambda view: os.readv(descriptor, [view]), size)

    def take(self, place: Place, samples: int) -> Taken | None:
        """As `Film.take`, of a picture that is not behind. The last one of all stands for those that should
        follow it and do not.
        """
        strip = self.strip
        while not strip.ended and strip.next <= place.picture + _AHEAD:
            self._read_picture(place)
        last = strip.last
        if last is None:
            return None
        wanted = min(place.picture, last)
        for frame in strip.drop_before(wanted):
            self._pool.give(frame)
        if strip.current is None or strip.current[0] != wanted:
            if strip.head != wanted:
                return None
            for frame in strip.take(wanted):
                self._pool.give(frame)
        assert strip.current is not None
        sound = strip.sound(place.sample, samples) if self._has_sound and not place.silent else None
        return Taken(strip.current[1], sound, fresh=True)

    def close(self) -> None:
        """End the process."""
        self._tool.close()

    def _read_picture(self, place: Place) -> None:
        for frame in self.strip.drop_before(min(place.picture, self.strip.next - 1)):
            self._pool.give(frame)  # one stays, in case that it is the last of all
        room = self._pool.take()
        assert room is not None  # there are more than may wait
        try:
            while (chunk := self._stream.next_chunk(room.buffer)) is not None:
                if chunk.kind == "video":
                    number = self.strip.next + self._stream.missing
                    self._stream.missing = 0
                    self.strip.put(number, room)
                    return
                self.strip.put_sound(chunk.data)
                if self.strip.sound_end > place.sample:
                    self.strip.forget_sound_before(place.sample)
        except AviError as error:
            self.failure = Failure("InvalidData", f"FFmpeg sent what cannot be read: {error}.")
        self._pool.give(room)
        self.strip.ended = True
        ended = self._tool.wait()
        if self.failure is None and ended.reason != "Ended":
            self.failure = of_file(self._path, ended)
