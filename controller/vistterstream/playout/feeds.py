"""Feeds: what the program gets from each camera, and what keeps their processes going.

A camera that is on air, or soon will be, is decoded in full; any other device stands by on its key frames, so
that its state is known and a picture is at hand; a file or a test pattern that nobody needs costs nothing.
What a file shows, as what a test pattern does, is a function of the frame's number; a device sends what it
likes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Protocol

import anyio

from vistterstream.base import logs
from vistterstream.base.errors import PermanentError, VistterError
from vistterstream.ffmpeg import commands
from vistterstream.ffmpeg.commands import Credentials
from vistterstream.ffmpeg.failures import Failure
from vistterstream.playout.frames import Frame
from vistterstream.playout.ingest import Ingest, Pace, patience
from vistterstream.playout.jitter import Taken
from vistterstream.playout.pacing import Backoff
from vistterstream.playout.patterns import TestPattern
from vistterstream.playout.projector import Projector
from vistterstream.playout.protocol import CameraState, CameraStatus
from vistterstream.playout.sound import samples_of
from vistterstream.resources.camera import CameraSpec
from vistterstream.resources.program import Format

_STANDBY_FRESH = 15.0  # seconds for which a key frame may stand in for a camera that is being promoted
_WATCH_INTERVAL = 0.5
_log = logs.get("playout")


class Want(IntEnum):
    """How much of a camera the program needs now."""

    STANDBY = 0
    FULL = 1


class Feed(Protocol):
    """One camera, as the clock thread and the engine see it."""

    name: str
    spec: CameraSpec

    def take(self, number: int, samples: int, shown: bool) -> Taken | None:
        """Picture and sound for program frame `number`; None when there is nothing to show."""

    def usable(self, now: float, number: int) -> bool:
        """Whether what `take` gives for program frame `number` is fit to be shown at monotonic time `now`."""

    def want(self, want: Want) -> None:
        """Say how much of the camera is needed from now on."""

    def state(self, now: float) -> CameraState:
        """What the camera is doing."""

    def status(self, now: float) -> CameraStatus:
        """Everything that is known of it."""

    async def run(self) -> None:
        """Keep it going until cancelled."""


class PatternFeed:
    """A test pattern: made here, a function of the frame number alone."""

    def __init__(self, name: str, spec: CameraSpec, format: Format) -> None:
        assert spec.source.test_pattern is not None
        self.name = name
        self.spec = spec
        self._format = format
        self._pattern = TestPattern(spec.source.test_pattern, format)
        self._tone = spec.source.test_pattern.tone > 0
        self._frame = Frame(format.width, format.height)
        self._shown = 0

    def take(self, number: int, samples: int, shown: bool) -> Taken | None:
        """The pattern's picture of that frame, drawn only when it is shown."""
        if not shown:
            return None
        self._pattern.render(number, self._frame)
        self._shown += 1
        return Taken(self._frame, self._pattern.tone(number) if self._tone else None, fresh=True)

    def usable(self, now: float, number: int) -> bool:
        """Always."""
        return True

    def want(self, want: Want) -> None:
        """Nothing to prepare."""

    def state(self, now: float) -> CameraState:
        """Always live."""
        return CameraState.LIVE

    def status(self, now: float) -> CameraStatus:
        """Always live, at the program's format."""
        return CameraStatus(
            state=CameraState.LIVE,
            codec="testpattern",
            width=self._format.width,
            height=self._format.height,
            frame_rate=str(self._format.frame_rate),
            audio=self._tone,
            frame_age=0.0,
            frames=self._shown,
        )

    async def run(self) -> None:
        """Nothing to keep going."""
        await anyio.sleep_forever()


class FileFeed:
    """A file, played by a `Projector`."""

    def __init__(
        self,
        name: str,
        spec: CameraSpec,
        format: Format,
        *,
        environment: Mapping[str, str],
        sha256: str | None = None,
    ) -> None:
        assert spec.source.file is not None
        self.name = name
        self._rate = format.frame_rate.fraction
        self.projector = Projector(name, spec.source.file.path, format, environment, sha256=sha256)
        self._want = Want.STANDBY
        self.spec = spec

    @property
    def spec(self) -> CameraSpec:
        """The camera's."""
        return self._spec

    @spec.setter
    def spec(self, spec: CameraSpec) -> None:
        self._spec = spec
        self.projector.hold = float(spec.stall_after.seconds)

    def take(self, number: int, samples: int, shown: bool) -> Taken | None:
        """The picture that belongs to the frame, or for stallAfter the last one."""
        return self.projector.take(number, samples, shown)

    def usable(self, now: float, number: int) -> bool:
        """Whether that picture is there."""
        return self.projector.usable(number, samples_of(number, self._rate))

    def want(self, want: Want) -> None:
        """Say how much of the camera is needed from now on."""
        self._want = want
        self.projector.want(want is Want.FULL)

    def state(self, now: float) -> CameraState:
        """What the camera is doing. One that is ready waits at its next picture until it is shown."""
        projector, failure = self.projector, self.projector.failure
        if self._want is not Want.FULL and (failure is None or failure.reason == "Ended"):
            return CameraState.IDLE
        if failure is not None:
            return CameraState.WAITING
        if projector.number is not None and self.usable(now, projector.number):
            return CameraState.LIVE if projector.shown else CameraState.IDLE
        return CameraState.STALLED if projector.showing else CameraState.CONNECTING

    def status(self, now: float) -> CameraStatus:
        """Everything that is known of it."""
        projector, state = self.projector, self.state(now)
        video = projector.survey.video if projector.survey is not None else None
        failing = state in (CameraState.WAITING, CameraState.STALLED) and projector.failure is not None
        return CameraStatus(
            state=state,
            reason=projector.failure.reason if failing and projector.failure else "",
            message=projector.failure.message if failing and projector.failure else "",
            pid=projector.pid,
            codec=video.codec if video else None,
            width=video.width if video else None,
            height=video.height if video else None,
            frame_rate=video.frame_rate if video else None,
            audio=projector.survey.audio is not None if projector.survey is not None else None,
            frame_age=None if state is CameraState.IDLE else projector.frame_age(now),
            frames=projector.frames,
            restarts=dict(projector.restarts),
        )

    async def run(self) -> None:
        """Keep it going until cancelled."""
        await self.projector.run()


class ProcessFeed:
    """A device, pulled by an `Ingest`."""

    def __init__(
        self,
        name: str,
        spec: CameraSpec,
        format: Format,
        *,
        credentials: Callable[[], Credentials | None],
        environment: Mapping[str, str],
    ) -> None:
        self.name = name
        self.spec = spec
        self._format = format
        self._credentials = credentials
        self._environment = environment
        self._full = _Slot(Pace.LIVE)
        self._standby = _Slot(Pace.STANDBY)
        self._changed = anyio.Event()
        self._failure: Failure | None = None
        self._retry_at: float | None = None
        self._restarts: dict[str, int] = {}
        self._frames_before = 0
        self._seen: Ingest | None = None
        self._matrix = "bt709"
        self._patient = False
        self._want = Want.STANDBY
        self._update_slots()

    # --- for the clock thread ---------------------------------------------------------------------------

    def take(self, number: int, samples: int, shown: bool) -> Taken | None:
        """Picture and sound from the full ingest, else the last key frame of the one standing by."""
        full, standby = self._full.active, self._standby.active
        if full is not None:
            taken = full.take(samples)
            if taken is not None:
                return taken
        return standby.take(samples) if standby is not None and shown else None

    def usable(self, now: float, number: int = 0) -> bool:
        """Whether the newest picture is younger than stallAfter (a key frame: than some seconds)."""
        full, standby = self._full.active, self._standby.active
        limit = float(self.spec.stall_after.seconds)
        if full is not None and full.ready:
            age = full.frame_age(now)
            return age is not None and age <= limit and full.steady
        if standby is not None and standby.ready:
            age = standby.frame_age(now)
            return age is not None and age <= max(limit, _STANDBY_FRESH)
        return False

    # --- for the event loop -----------------------------------------------------------------------------

    def want(self, want: Want) -> None:
        """Say how much of the camera is needed from now on."""
        if want is not self._want:
            self._want = want
            self._update_slots()

    def state(self, now: float) -> CameraState:
        """What the camera is doing."""
        ingest = self._best
        if ingest is None or not ingest.ready:
            return CameraState.CONNECTING if self._failure is None else CameraState.WAITING
        if ingest.pace is Pace.STANDBY:
            fresh = ingest.silent_for(now) <= _STANDBY_FRESH
            return CameraState.STANDBY if fresh else CameraState.STALLED
        return CameraState.LIVE if self.usable(now) else CameraState.STALLED

    def status(self, now: float) -> CameraStatus:
        """Everything that is known of it."""
        ingest = self._best
        if ingest is not None and ingest.video is not None:
            self._seen = ingest
        video = self._seen.video if self._seen is not None else None
        age = ingest.frame_age(now) if ingest is not None else None
        state = self.state(now)
        failing = state in (CameraState.WAITING, CameraState.STALLED) and self._failure is not None
        return CameraStatus(
            state=state,
            reason=self._failure.reason if failing and self._failure else "",
            message=self._failure.message if failing and self._failure else "",
            pid=ingest.pid if ingest is not None else None,
            codec=video.codec if video else None,
            width=video.width if video else None,
            height=video.height if video else None,
            frame_rate=video.frame_rate if video else None,
            audio=self._seen.audio is not None if self._seen else None,
            frame_age=age,
            frames=self._frames_before + (ingest.frames if ingest is not None else 0),
            restarts=dict(self._restarts),
        )

    @property
    def _best(self) -> Ingest | None:
        """The ingest that there are pictures of: while it is promoted, still the one standing by."""
        full, standby = self._full.active, self._standby.active
        if standby is not None and standby.ready and not (full is not None and full.ready):
            return standby
        return full or standby

    async def run(self) -> None:
        """Keep both slots filled as wanted, until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._keep, self._full)
            tasks.start_soon(self._keep, self._standby)

    def _update_slots(self) -> None:
        """Which processes should run. The one standing by stays until the full one has pictures."""
        full_ready = self._full.ingest is not None and self._full.ingest.ready
        standby_ready = self._standby.ingest is not None and self._standby.ingest.ready
        if self._want is Want.FULL:
            self._full.wanted = True
            self._standby.wanted = self._standby.ingest is not None and not full_ready
        else:
            self._standby.wanted = True
            self._full.wanted = self._full.ingest is not None and not standby_ready
        self._changed.set()
        self._changed = anyio.Event()

    async def _keep(self, slot: _Slot) -> None:
        backoff = Backoff()
        while True:
            while not slot.wanted:
                await self._changed.wait()
            started = time.monotonic()
            failure = await self._run_once(slot)
            if failure is None:
                continue  # no longer wanted: planned, not a failure
            if failure.reason == "InvalidData" and not self._patient:
                self._patient = True  # it may say nothing of its picture before a key frame: wait for one
                continue
            self._failure = failure
            self._restarts[failure.reason] = self._restarts.get(failure.reason, 0) + 1
            backoff.worked(time.monotonic() - started if slot.delivered else 0.0)
            delay = backoff.next()
            _log.warning("camera lost", camera=self.name, reason=failure.reason, retry=round(delay, 2))
            self._retry_at = time.time() + delay
            await anyio.sleep(delay)
            self._retry_at = None

    async def _run_once(self, slot: _Slot) -> Failure | None:
        """One run of the slot's ingest; why it ended, None when it was no longer wanted."""
        try:
            argv = self._command(slot.pace)
            ingest = Ingest(self.name, argv, self._format, slot.pace, self._environment)
            return await self._supervise(slot, ingest)
        except VistterError as error:
            return Failure(error.reason, error.message)

    def _command(self, pace: Pace) -> list[str]:
        credentials = self._credentials()
        try:
            return commands.ingest(
                self.spec.source,
                self._format,
                credentials=credentials,
                keyframes_only=pace is Pace.STANDBY,
                patient=self._patient,
                matrix=self._matrix,
            )
        except ValueError as error:
            raise PermanentError(f"The login cannot be used: {error}.", reason="SecretInvalid") from error

    async def _supervise(self, slot: _Slot, ingest: Ingest) -> Failure | None:
        slot.ingest, slot.delivered = ingest, False
        verdict: list[Failure] = []
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._watch, slot, ingest, verdict, tasks.cancel_scope)
                verdict.append(await ingest.run())
                tasks.cancel_scope.cancel()
        finally:
            self._frames_before += ingest.frames
            slot.ingest = None
            self._update_slots()
        return verdict[0] if verdict else None

    async def _watch(
        self, slot: _Slot, ingest: Ingest, verdict: list[Failure], scope: anyio.CancelScope
    ) -> None:
        """End the ingest when it is no longer wanted, was started with wrong colours, or fell silent."""
        limit = float(self.spec.stall_after.seconds)
        while slot.wanted:
            with anyio.move_on_after(_WATCH_INTERVAL if slot.delivered else 0.05):
                await self._changed.wait()
            if ingest.ready and not slot.delivered:
                slot.delivered = True
                self._failure = None
                self._update_slots()
            if ingest.video is not None and ingest.video.matrix != self._matrix:
                self._matrix = ingest.video.matrix  # known now, and for good: start again with it
                break
            if ingest.silent_for(time.monotonic()) > patience(ingest, limit):
                verdict.append(Failure("Stalled", "No picture came for too long; connecting anew."))
                break
        scope.cancel()


class _Slot:
    """A place for one ingest: whether it should run, and the run that does."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.wanted = False
        self.delivered = False
        self.ingest: Ingest | None = None

    @property
    def active(self) -> Ingest | None:
        """The run, unless it is on its way out."""
        return self.ingest if self.wanted else None


def make_feed(
    name: str,
    spec: CameraSpec,
    format: Format,
    *,
    credentials: Callable[[], Credentials | None],
    environment: Mapping[str, str],
) -> Feed:
    """The feed of a camera."""
    if spec.source.test_pattern is not None:
        return PatternFeed(name, spec, format)
    if spec.source.file is not None:
        return FileFeed(name, spec, format, environment=environment)
    return ProcessFeed(name, spec, format, credentials=credentials, environment=environment)
