"""A file on air: read ahead of the clock, so that each program frame shows the picture that belongs to it.

Which one that is says a `Reel`, from the plan and the frame's number. A thread reads the process that decodes
the file some pictures ahead; the process then waits, at no cost. Where the file is to go on elsewhere (it
starts anew, or the timeline jumps), a second process is started before. Where a picture is not there in time,
the last one stays for stallAfter, and the fallback comes then; meanwhile the process decodes as fast as it
can, and what is too late is dropped.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from vistterstream.base import logs
from vistterstream.base.errors import VistterError
from vistterstream.ffmpeg import commands
from vistterstream.ffmpeg.failures import Failure, explain
from vistterstream.ffmpeg.processes import Child, enlarge_pipe
from vistterstream.ffmpeg.streams import Survey, SurveyReader
from vistterstream.playout import priority
from vistterstream.playout.avi import AviError, AviReader
from vistterstream.playout.film import no_pictures, of_file, wrong_file
from vistterstream.playout.frames import Frame, FramePool
from vistterstream.playout.jitter import Taken
from vistterstream.playout.pacing import Backoff
from vistterstream.playout.reel import Place, Reel, pictures
from vistterstream.playout.sound import samples_before
from vistterstream.playout.strip import Strip
from vistterstream.resources.program import Format

_FEWEST_AHEAD, _MOST_AHEAD = 4, 16  # pictures that wait: half a second of them, where they are not too large
_MEMORY_AHEAD = 32 << 20  # bytes of such pictures, for each process
_RESERVE = 2  # of them, behind the one that is given out: its sound is whole then
_SOON = 2.0  # seconds before a jump at which the process for what follows is started
_BEHIND = 2.0  # seconds that a process may have to make good; one that is further behind is started anew
_SLOW = 1.0  # seconds without the picture after which two threads are to decode
_MOST_LEAD = 8.0  # seconds ahead of the clock at which a slow one is started at most
_PATIENCE = 15.0  # seconds without a picture after which a process is given up
_STOP_GRACE = 1.0
_LOOK = 0.1  # seconds between two looks
_LOOK_AGAIN = 0.5  # and at a file that failed, for another one; it is tried when it was the same twice
_log = logs.get("playout")


class Run:
    """One process that decodes a file from picture `first` on. `fetch`, `has` and `advance` are for the clock
    thread, everything else for the event loop.
    """

    def __init__(
        self, name: str, argv: Sequence[str], format: Format, first: int, length: int, sound: bool
    ) -> None:
        """`length` is the number of the file's pictures, `sound` tells whether it has some."""
        rate = format.frame_rate.fraction
        self._name, self._argv = name, argv
        self._size = format.width * format.height * 3 // 2
        self._ahead = max(_FEWEST_AHEAD, min(_MOST_AHEAD, _MEMORY_AHEAD // self._size))
        self._pool = FramePool(format.width, format.height, self._ahead + 2)
        self._strip = Strip(first, samples_before(first, rate))
        self._length, self._all_sound = length, samples_before(length, rate) if sound else 0
        self._has_sound = sound
        self._condition = threading.Condition()
        self._closing = False
        self._wanted = first
        self._broken = ""
        self._child: Child | None = None
        self.began = self._reading_since = time.monotonic()
        self.frames = 0
        self.given = False  # whether it has given a picture
        self.failure: Failure | None = None
        self.scope = anyio.CancelScope()

    @property
    def pid(self) -> int | None:
        """The process, None before it started."""
        return self._child.pid if self._child is not None else None

    @property
    def low(self) -> int:
        """The lowest picture that it can still give, and go on from."""
        return self._wanted

    @property
    def next(self) -> int:
        """The picture that is decoded next."""
        return self._strip.next

    def silent_for(self, now: float) -> float:
        """Seconds that its reader has waited for a picture, on the monotonic clock."""
        waits = not self._strip.ended and len(self._strip) < self._ahead
        return now - self._reading_since if waits else 0.0

    # --- the clock thread -------------------------------------------------------------------------------

    def advance(self, place: Place) -> None:
        """Nothing before this place is wanted any more."""
        with self._condition:
            self._advance(place)

    def has(self, place: Place, samples: int) -> bool:
        """Whether the picture is there, with its sound."""
        with self._condition:
            return self._ready(place, samples)

    def fetch(self, place: Place, samples: int) -> Taken | None:
        """The picture and its sound; None where it is not there yet. It stays as it is until another is."""
        with self._condition:
            self._advance(place)
            if not self._ready(place, samples):
                return None
            strip = self._strip
            if strip.head == place.picture:
                self._give(strip.take(place.picture))
                self._condition.notify()  # there is room for another
            assert strip.current is not None
            self.given = True
            sound = self._has_sound and not place.silent
            return Taken(strip.current[1], strip.sound(place.sample, samples) if sound else None, fresh=True)

    def _advance(self, place: Place) -> None:
        self._wanted = place.picture
        self._give(self._strip.drop_before(place.picture))

    def _ready(self, place: Place, samples: int) -> bool:
        strip = self._strip
        if strip.current is not None and strip.current[0] == place.picture:
            return True
        if strip.ended and strip.last is not None and strip.last < place.picture:
            return strip.current is not None  # the file has fewer than it said: its last one stays
        if not strip.holds(place.picture):
            return False
        if not self._has_sound or place.silent or strip.ended:
            return True
        assert strip.last is not None
        whole = strip.sound_end >= place.sample + samples
        return whole or strip.last >= place.picture + _RESERVE

    def _give(self, frames: list[Frame]) -> None:
        for frame in frames:
            self._pool.give(frame)
        if frames:
            self._condition.notify()

    # --- the event loop ---------------------------------------------------------------------------------

    async def run(self, environment: Mapping[str, str]) -> Failure:
        """Run the process to its end; why it ended. Cancelling stops it. Raises TemporaryError."""
        child = self._child = Child.spawn(
            self._argv, role=f"ingest {self._name}", environment=environment, stdout=True
        )
        assert child.stdout is not None
        enlarge_pipe(child.stdout.fileno())
        reader = threading.Thread(target=self._read, name=f"ingest-{self._name}", daemon=True)
        reader.start()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(child.read_lines, lambda _: False)
                await child.wait()
                await anyio.to_thread.run_sync(reader.join, abandon_on_cancel=True)
        finally:
            await self._shut_down(child, reader)
        if self._broken:
            return Failure("InvalidData", self._broken)
        if self._whole:
            return explain(0, ())
        return explain(child.status or 0, child.last_lines)

    @property
    def _whole(self) -> bool:
        """Whether all that the file has has come."""
        return self._strip.next >= self._length and self._strip.sound_end >= self._all_sound

    async def _shut_down(self, child: Child, reader: threading.Thread) -> None:
        with anyio.CancelScope(shield=True):
            with self._condition:
                self._closing = True
                self._condition.notify_all()
            child.signal(signal.SIGKILL)  # it waits for us to read, and has nobody to say goodbye to
            await child.stop(grace=_STOP_GRACE)
            await anyio.to_thread.run_sync(reader.join)
            child.close()

    # --- the reading thread -----------------------------------------------------------------------------

    def _read(self) -> None:
        assert self._child is not None
        assert self._child.stdout is not None
        descriptor = self._child.stdout.fileno()
        stream = AviReader(lambda view: os.readv(descriptor, [view]), self._size)
        try:
            while not self._whole and self._read_one(stream):
                pass
        except AviError as error:
            self._broken = f"FFmpeg sent what cannot be read: {error}."
        with self._condition:
            self._strip.ended = True
        if self._whole:
            self._child.signal(signal.SIGKILL)  # what is left is not wanted

    def _read_one(self, stream: AviReader) -> bool:
        frame = self._free_frame()
        if frame is None:
            return False
        while True:
            chunk = stream.next_chunk(frame.buffer)
            with self._condition:
                if chunk is not None and chunk.kind == "video":
                    self._keep(frame, self._strip.next + stream.missing)
                    stream.missing = 0
                    return True
                if chunk is not None:
                    self._strip.put_sound(chunk.data)
                if chunk is None or self._whole:
                    self._pool.give(frame)
                    return False

    def _free_frame(self) -> Frame | None:
        """A frame to read into. This is where the process is made to wait."""
        with self._condition:
            while not self._closing:
                if len(self._strip) < self._ahead and (frame := self._pool.take()) is not None:
                    self._reading_since = time.monotonic()
                    return frame
                self._condition.wait(0.5)
        return None

    def _keep(self, frame: Frame, number: int) -> None:
        self._strip.put(number, frame)
        self._give(self._strip.drop_before(min(self._wanted, number)))
        self.frames += 1


Stamp = tuple[int, int, int, int]
"""What tells that a file is the one that was looked at."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a file is: its survey, the number of its pictures, and the file that this holds for."""

    survey: Survey
    length: int
    stamp: Stamp


class Projector:
    """Plays one file by a reel. `take` and `usable` are for the clock thread, the rest for the event loop."""

    def __init__(
        self,
        name: str,
        path: str,
        format: Format,
        environment: Mapping[str, str],
        *,
        sha256: str | None = None,
    ) -> None:
        """`sha256` is what the file must be."""
        self._sha256 = sha256
        self._name, self._path, self._format, self._environment = name, path, format, environment
        self._rate = format.frame_rate.fraction
        self._behind = float(_BEHIND * self._rate)  # in frames
        self._reel: Reel | None = None
        self._known: _Known | None = None
        self._placed: tuple[int, Reel, _Known, Place | None] | None = None  # of one frame, by these
        self._runs: tuple[Run, ...] = ()
        self.number: int | None = None  # the newest frame that was asked for
        self._held: tuple[Taken, int] | None = None  # what was shown last, and in which frame it was new
        self._held_at = 0.0  # and when
        self._shown = -1  # the newest frame that showed something
        self.showing = (
            False  # whether pictures were shown that should go on: it neither waits nor failed since
        )
        self._scan: _Scan | None = None
        self._wanted = False
        self._changed = anyio.Event()
        self._backoff = Backoff()
        self._failed_at = self._retry_at = self._look_at = 0.0
        self._tried: Stamp | None = None  # the file that was last tried
        self._seen: Stamp | None = None  # the one that was there at the last look since
        self._threads: int | None = None  # that decode, where one has been too slow
        self._in_time = 0.0  # when the picture of the newest frame was last there, or none was needed
        self._lead = 0.0  # seconds ahead of the clock at which a process is started that comes too late
        self._frames_before = 0
        self.hold = 0.0  # seconds for which the last picture stands for one that is not there yet
        self.failure: Failure | None = None
        self.restarts: dict[str, int] = {}

    # --- the clock thread -------------------------------------------------------------------------------

    def usable(self, number: int, samples: int) -> bool:
        """Whether there is something to show in program frame `number`. Any thread may ask."""
        place = self._place(number)
        if place is None:
            return False
        run = self._run_for(place)
        return (run is not None and run.has(place, samples)) or self._may_hold(number)

    def take(self, number: int, samples: int, shown: bool) -> Taken | None:
        """Picture and sound of program frame `number`; None where nothing is there, or nobody looks."""
        self.number = number
        place = self._place(number)
        run = self._run_for(place) if place is not None else None
        if place is not None and run is not None and not shown:
            run.advance(place)
            self.showing = self.showing and not run.has(place, samples)
        if place is None or not shown:
            return None
        taken = run.fetch(place, samples) if run is not None else None
        if taken is not None:
            self._held, self._shown = (taken, number), number
            self._held_at, self.showing = time.monotonic(), True
            return taken
        if self._held is None or not self._may_hold(number):
            return None
        self._shown = number
        return Taken(self._held[0].frame, None, fresh=False)

    def _may_hold(self, number: int) -> bool:
        held = self._held
        if held is None or number - self._shown not in (0, 1):
            return False
        return number - held[1] <= self.hold * self._rate

    def _place(self, number: int) -> Place | None:
        """The place of program frame `number`: the last one that was found is remembered, since each frame is
        asked for several times.
        """
        reel, known = self._reel, self._known
        if reel is None or known is None:
            return None
        placed = self._placed
        if placed is None or placed[0] != number or placed[1] is not reel or placed[2] is not known:
            placed = self._placed = (number, reel, known, reel.place(number, known.length))
        return placed[3]

    def _run_for(self, place: Place) -> Run | None:
        """The run that is nearest before the place."""
        return max(
            (run for run in self._runs if run.low <= place.picture), key=lambda run: run.low, default=None
        )

    # --- the event loop ---------------------------------------------------------------------------------

    def follow(self, reel: Reel | None) -> None:
        """Play by this reel from now on."""
        self._reel, self._scan = reel, None
        self._wake()

    def want(self, wanted: bool) -> None:
        """Say whether it is needed. One that is not keeps its place; its process waits."""
        if wanted != self._wanted:
            self._wanted, self.showing = wanted, False
            self._in_time = time.monotonic()
            self._wake()

    @property
    def survey(self) -> Survey | None:
        """What the file is, where that is known."""
        return self._known.survey if self._known is not None else None

    @property
    def ended(self) -> bool:
        """Whether the file is over."""
        known, reel, number = self._known, self._reel, self.number
        return known is not None and reel is not None and number is not None and self._place(number) is None

    @property
    def pid(self) -> int | None:
        """The process that gives the pictures."""
        return self._runs[0].pid if self._runs else None

    @property
    def frames(self) -> int:
        """Pictures decoded."""
        return self._frames_before + sum(run.frames for run in self._runs)

    def frame_age(self, now: float) -> float | None:
        """Seconds since the picture for the newest frame came; None before the first."""
        if self._held is None:
            return None
        return 0.0 if self._held[1] == self.number else now - self._held_at

    @property
    def shown(self) -> bool:
        """Whether it is in the picture: in the newest frame, or in the one before while that is made."""
        return self.number is not None and self.number - self._shown in (0, 1)

    async def run(self) -> None:
        """Keep it going until cancelled."""
        async with anyio.create_task_group() as tasks:
            try:
                while True:
                    await self._look(tasks)
                    rest = _LOOK_AGAIN if self._failing else None
                    with anyio.move_on_after(_LOOK if self._wanted else rest):
                        await self._changed.wait()
            finally:
                tasks.cancel_scope.cancel()

    @property
    def _failing(self) -> bool:
        return self.failure is not None and self.failure.reason != "Ended"

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def _look(self, tasks: TaskGroup) -> None:
        """Start what is needed now or soon, end what is not."""
        now = time.monotonic()
        # Before it is asked what is needed: the clock goes on meanwhile, and a run that has just given that
        # picture would seem to lie behind it.
        lows = {run: run.low for run in self._runs}
        if not self._wanted:
            self._keep_only(self._needed()[:1], lows)
            if self._failing and await self._replaced(now) and await self._get_to_know():
                self.failure = None
            return
        if now < self._retry_at and not await self._replaced(now):
            self._in_time = now
            return
        if self._known is None and not await self._get_to_know():
            return
        self._judge(now)
        self._note_end()
        needed = self._needed()
        self._note_speed(needed, now)
        if needed and self._late(needed[0], lows, now):
            self._lead = min(_MOST_LEAD, max(1.0, 2 * self._lead))
        elif self._held is not None and self._held[1] == self.number:
            self._lead = 0.0
        self._keep_only(needed, lows)
        for picture in needed:
            if not any(self._serves(run, picture, lows) for run in self._runs):
                await self._start(tasks, picture)

    def _serves(self, run: Run, picture: int, lows: Mapping[Run, int]) -> bool:
        """Whether the run gives the picture, or will in time; `lows` are those of runs, where not as now."""
        low = lows.get(run, run.low)
        return low - self._ahead <= picture <= run.next + self._behind

    @property
    def _ahead(self) -> int:
        """Frames ahead of the clock at which a process is started."""
        return round(self._lead * self._rate) if self._lead else 0

    def _note_speed(self, needed: Sequence[int], now: float) -> None:
        """Have more threads decode from the next start on, where the picture has not been there for long."""
        if not needed or any(run.next > needed[0] for run in self._runs):
            self._in_time = now
        elif now - self._in_time > _SLOW:
            self._threads = 2  # and stay with it

    def _late(self, picture: int, lows: Mapping[Run, int], now: float) -> bool:
        """Whether a process is so slow that it has fallen behind before it gave anything."""
        limit = picture - self._behind
        behind = (run for run in self._runs if lows.get(run, run.low) <= picture and run.next < limit)
        return any(not run.given and now - run.began > _BEHIND for run in behind)

    def _needed(self) -> list[int]:
        """The picture that is to be shown now, and the one after the next jump."""
        reel, known, number = self._reel, self._known, self.number
        if reel is None or known is None or number is None:
            return []
        if self._scan is None or self._scan.length != known.length:
            self._scan = _Scan(reel, known.length, number)
        found = self._scan.look(number, round(_SOON * self._rate))
        return [picture for picture in found if picture is not None]

    def _keep_only(self, needed: Sequence[int], lows: Mapping[Run, int]) -> None:
        """End the runs that serve nothing of this; the one that serves the first stands first."""
        kept = [run for run in self._runs if any(self._serves(run, picture, lows) for picture in needed)]
        kept.sort(key=lambda run: not self._serves(run, needed[0], lows))
        for run in self._runs:
            if run not in kept:
                self._end(run)
        self._runs = tuple(kept)

    def _end(self, run: Run) -> None:
        self._frames_before += run.frames
        run.scope.cancel()

    def _judge(self, now: float) -> None:
        """Give up what failed, or does not answer."""
        for run in self._runs:
            if run.failure is None and run.silent_for(now) > _PATIENCE:
                run.failure = Failure("Stalled", "The file gave no picture for too long; reading it anew.")
        for run in [run for run in self._runs if run.failure is not None]:
            assert run.failure is not None
            self._runs = tuple(one for one in self._runs if one is not run)
            self._end(run)
            self._fail(of_file(self._path, run.failure))

    def _fail(self, failure: Failure) -> None:
        self.failure, self.showing = failure, False
        self.restarts[failure.reason] = self.restarts.get(failure.reason, 0) + 1
        delay = self._backoff.next()
        self._failed_at = time.monotonic()
        self._retry_at = self._failed_at + delay
        _log.warning("file lost", file=self._name, reason=failure.reason, retry=round(delay, 2))

    async def _replaced(self, now: float) -> bool:
        """Whether another file is there than the one that failed, or none any more; it is tried at once, but
        not while it is being written.
        """
        if now < self._look_at:
            return False
        self._look_at = now + _LOOK_AGAIN
        before = self._seen
        self._seen = await anyio.to_thread.run_sync(_stamp, self._path, abandon_on_cancel=True)
        if self._seen == self._tried or self._seen != before:
            return False
        self._retry_at = 0.0
        self._backoff.failures = 0
        return True

    def _note_end(self) -> None:
        over = self.failure is not None and self.failure.reason == "Ended"
        if self.ended and not over:
            self.failure, self.showing = of_file(self._path, explain(0, ())), False
            self.restarts["Ended"] = self.restarts.get("Ended", 0) + 1
        elif not self.ended and (
            over or any(run.frames for run in self._runs if run.began > self._failed_at)
        ):
            self.failure = None

    async def _start(self, tasks: TaskGroup, picture: int) -> None:
        """Start a process that gives the pictures from this one on."""
        known = self._known
        assert known is not None
        if await anyio.to_thread.run_sync(_stamp, self._path, abandon_on_cancel=True) != known.stamp:
            await self._get_to_know()  # another file, or none any more
            return
        if self._ahead and self._reel is not None and self.number is not None:
            place = self._reel.place(self.number + self._ahead, known.length)
            picture = picture if place is None or place.picture < picture else place.picture
        argv = commands.film(self._path, known.survey, self._format, first=picture, threads=self._threads)
        sound = known.survey.audio is not None
        run = Run(self._name, argv, self._format, picture, known.length, sound)
        self._runs = (*self._runs, run)
        tasks.start_soon(self._go, run)

    async def _go(self, run: Run) -> None:
        began = time.monotonic()
        with run.scope:
            try:
                ended = await run.run(self._environment)
            except VistterError as error:
                ended = Failure(error.reason, error.message)
            self._backoff.worked(time.monotonic() - began if run.frames else 0.0)
            if ended.reason != "Ended":
                run.failure = ended
                self._wake()

    async def _get_to_know(self) -> bool:
        """Find out what the file is; whether that could be done."""
        stamp = await anyio.to_thread.run_sync(_stamp, self._path, abandon_on_cancel=True)
        self._tried = self._seen = stamp
        wrong = await anyio.to_thread.run_sync(_wrong, self._path, self._sha256, abandon_on_cancel=True)
        if wrong is not None:
            self._fail(wrong)
            return False
        survey: Survey | None = None
        failure = no_pictures(self._path)
        for whole in (False, True):
            reader = SurveyReader()
            try:
                failure = await self._ask(commands.survey(self._path, whole=whole), reader)
            except VistterError as error:
                failure = Failure(error.reason, error.message)
            survey = reader.found if failure.reason == "Ended" else None
            if survey is not None or failure.reason != "Ended":
                break
        if survey is None or stamp is None:
            ended = failure.reason == "Ended"
            self._fail(no_pictures(self._path) if ended else of_file(self._path, failure))
            return False
        length = pictures(survey.end, self._rate)
        if self._reel is not None and (lack := self._reel.lacks(length)) is not None:
            self._fail(lack)  # and look again later: the file may be another then
            return False
        self._known = _Known(survey, length, stamp)
        self._in_time = time.monotonic()
        return True

    async def _ask(self, argv: Sequence[str], reader: SurveyReader) -> Failure:
        child = Child.spawn(argv, role=f"survey {self._name}", environment=self._environment)
        try:
            await child.read_lines(reader.feed)
            await child.wait()
        finally:
            await child.stop(grace=0.0)
            child.close()
        return explain(child.status or 0, child.last_lines)


class _Scan:
    """Looks ahead of the clock for where a reel jumps; each frame is asked for once."""

    def __init__(self, reel: Reel, length: int, number: int) -> None:
        self._reel, self.length = reel, length
        self._at = number
        self._place = reel.place(number, length)
        self._jumps: list[tuple[int, int]] = []  # frame and the picture there

    def look(self, number: int, ahead: int) -> tuple[int | None, int | None]:
        """The picture of frame `number`, and that after the next jump within `ahead` frames."""
        if number > self._at:
            self._at, self._place, self._jumps = number, self._reel.place(number, self.length), []
        while self._at < number + ahead:
            self._at += 1
            before, self._place = self._place, self._reel.place(self._at, self.length)
            if self._place is not None and (
                before is None or not 0 <= self._place.picture - before.picture <= 1
            ):
                self._jumps.append((self._at, self._place.picture))
        self._jumps = [jump for jump in self._jumps if jump[0] > number]
        now = self._reel.place(number, self.length)
        following = self._jumps[0][1] if self._jumps else None
        return None if now is None else now.picture, following


def _wrong(path: str, sha256: str | None) -> Failure | None:
    """As `wrong_file`, as an ordinary thread: reading a long film must not hold encoders up."""
    priority.yield_it()
    return wrong_file(path, sha256)


def _stamp(path: str) -> Stamp | None:
    """The stamp of a file, which changes with its permissions, too; None where there is none."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_ctime_ns
