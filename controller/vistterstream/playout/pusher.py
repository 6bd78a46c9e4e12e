"""A pusher: carries one output's stream to one target at a time, and keeps at it."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import anyio

from vistterstream.base import logs
from vistterstream.base.errors import PermanentError, TemporaryError, VistterError
from vistterstream.ffmpeg import commands
from vistterstream.ffmpeg.commands import PLAYLIST
from vistterstream.ffmpeg.failures import Failure, explain
from vistterstream.ffmpeg.processes import Child
from vistterstream.ffmpeg.progress import Progress, ProgressReader
from vistterstream.playout.hub import Hub, Subscription
from vistterstream.playout.pacing import Backoff
from vistterstream.playout.protocol import OutputState, OutputStatus
from vistterstream.playout.totals import Totals
from vistterstream.resources.camera import SecretKeyRef
from vistterstream.resources.output import Target, carried_on
from vistterstream.timeline.plan import OutputPlan

_CONNECT_LIMIT = 15.0  # seconds from the first byte given to the first frame taken
_STALL_LIMIT = 8.0  # seconds in which a target takes nothing
_WATCH_INTERVAL = 0.5
_STOP_GRACE = 3.0
_TIDY_LIMIT = 1.0  # a disk may hang
_SEGMENT = re.compile(r"segment-\d+\.ts(?:\.tmp)?")
_OPENED = re.compile(r"Opening '.*?([^/]+)' for writing$")
_SEQUENCE = re.compile(r"#EXT-X-MEDIA-SEQUENCE:(\d{1,18})")
_log = logs.get("playout")


class Pusher:
    """Delivers one output. `take` changes what it goes by as long as its target is carried on as it was."""

    def __init__(
        self,
        plan: OutputPlan,
        hub: Hub,
        *,
        secret: Callable[[SecretKeyRef], str],
        environment: Mapping[str, str],
        pcm: bool = False,
        rate: Fraction = Fraction(30),
        before: Pusher | None = None,
    ) -> None:
        """`pcm` tells that the hub's sound is uncompressed, `rate` its frames a second.

        It takes the place of the pusher `before`: it begins with that one's target if there is one of that
        name still, and goes on counting.
        """
        self._pcm, self._rate = pcm, rate
        self.plan = plan
        self._hub = hub
        self._secret = secret
        self._environment = environment
        self._target = _place(plan, before.target.name) if before is not None else 0
        self._edited = ""  # name of a target to try next, since it was edited while nothing is delivered
        self._nudge = anyio.Event()
        self._failures_here = 0
        self._state = OutputState.CONNECTING
        self._failure: Failure | None = None  # the last
        self._failed_target = ""  # whose it was
        self._child: Child | None = None
        self._file: str | None = None  # name of the one that was opened last
        self._frames = 0
        self._published_at: float | None = None
        self._advanced_at = 0.0
        self._retry_at: float | None = None
        self.totals: Totals = before.totals if before is not None else Totals()

    def status(self) -> OutputStatus:
        """What it is doing."""
        failure = self._failure if self._state is not OutputState.PUBLISHING else None
        return OutputStatus(
            state=self._state,
            reason=failure.reason if failure else "",
            message=failure.message if failure else "",
            failed_target=self._failed_target if failure else "",
            active_target=self.target.name,
            encoding=self.plan.encoding,
            pid=self._child.pid if self._child is not None else None,
            reconnects=max(0, self.totals.starts - 1),
            bytes=self.totals.bytes,
            dropped_groups=self.totals.dropped_groups,
            retry_at=self._retry_at,
            restarts=dict(self.totals.restarts),
        )

    @property
    def target(self) -> Target:
        """The one that it delivers to, or tries now or next."""
        return self.plan.targets[self._target]

    def take(self, plan: OutputPlan, secret: Callable[[SecretKeyRef], str], edited: Sequence[str]) -> None:
        """Go by `plan` from now on, in which `target` must be carried on as it was, and so its connection.

        While nothing is delivered, the first of the targets that were `edited` is tried next, and at once.
        """
        stays = carried_on(self.target, plan.targets)
        assert stays is not None
        self.plan, self._secret, self._target = plan, secret, plan.targets.index(stays)
        if edited and self._state is not OutputState.PUBLISHING:
            self._edited = edited[0]
            self._nudge.set()

    async def run(self) -> None:
        """Deliver until cancelled; the process then gets to write its end."""
        backoff = Backoff(first=0.5, most=30.0)
        while True:
            backoff.stable_after = float(self.plan.failover.stable_after.seconds)
            failure = await self._run_once(self.target)
            failed = self.target.name  # now: it may have been given another
            self._failure, self._failed_target = failure, failed
            self.totals.failed(failure.reason)
            delivered = time.monotonic() - self._published_at if self._published_at is not None else 0.0
            self._note_failure(delivered)
            backoff.worked(delivered)
            delay = backoff.next()
            _log.warning(
                "output lost",
                output=self.plan.name,
                target=failed,
                reason=failure.reason,
                message=failure.message,
                next_target=self.target.name,
                retry=round(delay, 2),
            )
            self._state, self._retry_at = OutputState.WAITING, time.time() + delay
            if await self._edited_within(delay):
                backoff.failures = 0
            self._retry_at = None

    async def _edited_within(self, delay: float) -> bool:
        """Wait, but no longer than until a target is edited, or not at all if one was: that is the next."""
        self._nudge = anyio.Event()
        if not self._edited:
            with anyio.move_on_after(delay):
                await self._nudge.wait()
        if not self._edited:
            return False
        self._target, self._failures_here, self._edited = _place(self.plan, self._edited), 0, ""
        return True

    def _note_failure(self, delivered: float) -> None:
        """Count it, and go over to the next target when this one failed too often in a row."""
        if delivered >= self.plan.failover.stable_after.seconds:
            self._failures_here = 0
        self._failures_here += 1
        if len(self.plan.targets) > 1 and self._failures_here >= self.plan.failover.attempts:
            self._target = (self._target + 1) % len(self.plan.targets)
            self._failures_here = 0

    async def _run_once(self, target: Target) -> Failure:
        self._state, self._published_at, self._frames = OutputState.CONNECTING, None, 0
        try:
            first_segment = await anyio.to_thread.run_sync(_prepare_folder, target, self.plan.home)
            child = Child.spawn(
                self._command(target, first_segment),
                role=f"pusher {self.plan.name}",
                environment=self._environment,
                stdin=True,
            )
        except VistterError as error:
            return Failure(error.reason, error.message)
        self.totals.starts += 1
        self._file = None
        try:
            return await self._supervise(child)
        finally:
            await self._leave_nothing_empty(target)

    def _command(self, target: Target, first_segment: int | None) -> list[str]:
        found = {field: self._secret(reference) for field, reference in target.secrets.items()}
        try:
            return commands.pusher(
                target,
                stream_key=found.get("streamKeySecretRef"),
                passphrase=found.get("passphraseSecretRef"),
                pcm=self._pcm,
                rate=self._rate,
                first_segment=first_segment,
            )
        except ValueError as error:
            raise PermanentError(
                f"What the Secret holds cannot be used: {error}.", reason="SecretInvalid"
            ) from error

    async def _supervise(self, child: Child) -> Failure:
        self._child = child
        subscription = self._hub.subscribe()
        self.totals.follow(subscription)
        self._advanced_at = time.monotonic()
        verdict: list[Failure] = []
        assert child.stdin is not None
        os.set_blocking(child.stdin.fileno(), False)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(subscription.write, child.stdin.fileno())
                tasks.start_soon(self._watch, subscription, verdict, child)
                await child.read_lines(self._line_taker())
                await child.wait()
                tasks.cancel_scope.cancel()
        finally:
            self._hub.unsubscribe(subscription)
            self.totals.settle(subscription)
            await child.stop(grace=_STOP_GRACE, close_stdin=True)
            self._child = None
            child.close()
        return verdict[0] if verdict else explain(child.status or 0, child.last_lines)

    async def _watch(self, queue: Subscription, verdict: list[Failure], child: Child) -> None:
        """End a process whose target takes nothing."""
        while True:
            await anyio.sleep(_WATCH_INTERVAL)
            failure = self._judge(queue, time.monotonic())
            if failure is not None:
                verdict.append(failure)
                await child.stop(grace=0.5)
                return

    async def _leave_nothing_empty(self, target: Target) -> None:
        """Delete the recording that was begun last if nothing got into it: no room was left on the disk."""
        if target.recording is None or target.recording.folder is None or self._file is None:
            return
        file = Path(target.recording.folder) / self._file
        with anyio.move_on_after(_TIDY_LIMIT, shield=True):
            await anyio.to_thread.run_sync(_remove_if_empty, file, abandon_on_cancel=True)

    def _judge(self, queue: Subscription, now: float) -> Failure | None:
        if not queue.bytes:
            self._advanced_at = now  # nothing was given yet
            return None
        if self._state is OutputState.CONNECTING and now - self._advanced_at > _CONNECT_LIMIT:
            return Failure("Timeout", "The target did not answer in time. Check its address.")
        if queue.blocked_for(now) > _STALL_LIMIT:
            return Failure("Stalled", "The target stopped taking data; connecting anew.")
        return None

    def _line_taker(self) -> Callable[[str], bool]:
        reader = ProgressReader()

        def take(line: str) -> bool:
            if opened := _OPENED.search(line):
                self._file = opened[1]
            progress = reader.feed(line)
            if isinstance(progress, Progress) and progress.frame > self._frames:
                self._frames = progress.frame
                self._advanced_at = time.monotonic()
                if self._state is OutputState.CONNECTING:
                    self._state, self._published_at = OutputState.PUBLISHING, self._advanced_at
                    self._edited = ""
            return bool(progress)

        return take


def _place(plan: OutputPlan, name: str) -> int:
    """Where the target of that name stands, or the first."""
    return next((place for place, target in enumerate(plan.targets) if target.name == name), 0)


def _prepare_folder(target: Target, home: str | None = None) -> int | None:
    """Make the folder of a target that writes files, but never `home`, nor what is above both of them.

    Gives the media sequence number of the HLS playlist in it, if there is one to go on from. Raises
    TemporaryError where it cannot be made.
    """
    files = target.hls or target.recording
    if files is None or files.folder is None:
        return None
    folder = Path(files.folder)
    try:
        _make_folder(folder, home)
        return _tidy(folder) if target.hls is not None else None
    except OSError as error:
        raise TemporaryError(
            f"The folder {files.folder} cannot be used: {error.strerror}.", delay=5, reason="FolderUnusable"
        ) from error


def _remove_if_empty(file: Path) -> None:
    with suppress(OSError):  # it stays, as it would have
        found = file.lstat()
        if stat.S_ISREG(found.st_mode) and found.st_size == 0:
            file.unlink()


def _make_folder(folder: Path, home: str | None) -> None:
    """Make `folder`, with the folders above it up to those that hold `home` too.

    Raises OSError, TemporaryError.

    Manifests are swapped by two renames. A folder that was made between them would be in the way of the
    second: the new manifests would land inside it.
    """
    if home is None:
        folder.mkdir(parents=True, exist_ok=True)
        return
    made = Path(os.path.commonpath((folder, home)))
    if not made.is_dir():
        raise TemporaryError(
            f"The folder {folder} cannot be used: {made} is gone. Bring it back.",
            delay=5,
            reason="FolderUnusable",
        )
    for name in folder.relative_to(made).parts:  # one by one: it may go at any moment
        made /= name
        made.mkdir(exist_ok=True)


def _tidy(folder: Path) -> int | None:
    """Delete HLS segments that the playlist does not name: a muxer that was killed leaves its last one.

    Only what is named as our muxer names them; anything else in the folder is somebody's. Gives the media
    sequence number of the playlist.
    """
    try:
        playlist = (folder / PLAYLIST).read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        playlist = []
    named = {line for line in playlist if not line.startswith("#")}
    for path in folder.iterdir():
        if _SEGMENT.fullmatch(path.name) and path.name not in named:
            path.unlink(missing_ok=True)
    if playlist[:1] != ["#EXTM3U"]:
        return None  # FFmpeg does not go on from it either
    return next((int(found[1]) for line in playlist if (found := _SEQUENCE.fullmatch(line))), None)
