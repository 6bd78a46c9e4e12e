"""The engine: everything one playout runs, converged to its plan.

`Engine.run` starts the clock and keeps going until `stop`. `apply` reads the plan again and changes what the
plan's models declare must change: feeds, encoders and pushers are started, replaced and removed by name,
and what the frames are made from is swapped in whole between two frames.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from vistterstream.base import logs
from vistterstream.base.clocks import steady_ns
from vistterstream.base.errors import PermanentError, TemporaryError
from vistterstream.base.memory import undisturbed
from vistterstream.base.processes import OWNER_VARIABLE
from vistterstream.base.redaction import redact
from vistterstream.ffmpeg.commands import Credentials
from vistterstream.playout import priority
from vistterstream.playout.asrun import AsRunLog, Spoken, changed_words
from vistterstream.playout.clock import NANOSECONDS, Epoch, Ticker, load_epoch, save_epoch
from vistterstream.playout.compositor import Scene, prepare
from vistterstream.playout.data import Data, lookup
from vistterstream.playout.deck import Deck, upcoming
from vistterstream.playout.encoder import Encoder, frame_pool
from vistterstream.playout.feeds import Feed, FileFeed, Want, make_feed
from vistterstream.playout.files import DATA, EPOCH, object_name, read_plan
from vistterstream.playout.frames import FramePool
from vistterstream.playout.mixer import Mixer, Show, Swapped, Words
from vistterstream.playout.mixing import Playing
from vistterstream.playout.protocol import Applied, OnAir, PlayoutStatus, SoundStatus
from vistterstream.playout.pusher import Pusher
from vistterstream.playout.reel import camera_reel, clip_camera, clip_reel
from vistterstream.playout.tasks import Running
from vistterstream.resources.camera import CameraSpec, SecretKeyRef
from vistterstream.resources.effects import changes
from vistterstream.resources.model import Effect
from vistterstream.resources.output import Target, carried_on
from vistterstream.timeline.digests import plan_revision
from vistterstream.timeline.evaluate import TimelineIndex, elapsed, needed, restart
from vistterstream.timeline.plan import CLIP, CameraPlan, ClipPlan, OutputPlan, Plan

_LEAD_SECONDS = 10  # a camera is decoded in full this long before it is shown
_LINGER_SECONDS = 20.0  # and this long after
_HOUSEKEEPING = 0.25
_ON_AIR_DEADLINE = 10.0
_KEEP_DATA_EVERY = 10.0  # values that change each second must not wear out a disk
_ASRUN_BACKLOG = 1000  # changes of what is on air that may wait for the disk
_log = logs.get("playout")


class Engine:
    """One playout, in its folder ``STATE/playout/PROGRAM``."""

    def __init__(self, folder: Path, *, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = {**environment, OWNER_VARIABLE: str(folder), "TZ": "UTC"}
        self._plan, self._secrets = read_plan(folder)
        redact.learn(self._secrets.values())
        self._stopping = anyio.Event()
        self._applying = anyio.Lock()
        self._changed = anyio.Event()
        self._signature: object = None
        self._last_swap: Swapped | None = None
        self._errors: deque[str] = deque(maxlen=10)
        self._needed_until: dict[str, float] = {}
        self._deck = Deck(self._environment)
        self._following: TimelineIndex | None = None  # of a plan that is about to be taken over
        self._rate_marks: deque[tuple[float, int]] = deque(maxlen=20)
        self._data = Data(folder / DATA)
        self._keeping = anyio.Lock()
        self._texts: Mapping[str, str | None] = {}  # of data, as they are shown

    @property
    def plan(self) -> Plan:
        """The plan that it runs."""
        return self._plan

    def stop(self) -> None:
        """Go off air: `run` ends when everything has ended."""
        self._stopping.set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Be on air until `stop`; `ready` is called with the first frame. Raises what ended the clock."""
        format = self._plan.format
        epoch = self._epoch = load_epoch(self._folder / EPOCH)
        pool = frame_pool(format)
        async with anyio.create_task_group() as tasks:
            self._build(tasks, pool)
            self._data.converge(self._plan.overlays, self._secrets)
            now = epoch.frame_at(steady_ns(), format.frame_rate.fraction)
            self._want_sounds(_index(self._plan), now, epoch)
            with undisturbed():
                scene = await anyio.to_thread.run_sync(self._prepare, self._plan, None)
                show = self._converge(self._plan, self._secrets, scene)
            self._mixer = Mixer(format, pool, show, epoch)
            self._ticker = Ticker(
                lambda: self._mixer.epoch, format.frame_rate.fraction, self._mixer.tick, self._resync
            )
            self._ticker.start()
            self._converge_outputs(self._plan, self._secrets, {}, {})
            tasks.start_soon(self._follow_mixer)
            tasks.start_soon(self._keep_house)
            tasks.start_soon(self._follow_data)
            ready()
            try:
                await self._stopping.wait()
            finally:
                with anyio.CancelScope(shield=True):
                    await self._shut_down()
                tasks.cancel_scope.cancel()
        self._mixer.close()
        self._scene.close()
        if self._ticker.failure is not None:
            raise self._ticker.failure

    def _build(self, tasks: TaskGroup, pool: FramePool) -> None:
        self._pool = pool
        self._feeds: Running[Feed] = Running(tasks)
        self._encoders: Running[Encoder] = Running(tasks)
        self._pushers: Running[Pusher] = Running(tasks)

    async def _shut_down(self) -> None:
        """Off air in order: no more frames, encoders write their end, pushers theirs."""
        await anyio.to_thread.run_sync(self._ticker.stop)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._feeds.stop)
            tasks.start_soon(anyio.to_thread.run_sync, self._data.close)
            tasks.start_soon(anyio.to_thread.run_sync, self._deck.close)
            await self._encoders.stop()
            await self._pushers.stop()
        await self._keep_data()

    # --- converging to a plan ---------------------------------------------------------------------------

    async def apply(self) -> Applied:
        """Read the plan again and converge to it; raises PermanentError and changes nothing if it cannot."""
        async with self._applying:
            with undisturbed():
                return await self._apply()

    async def _apply(self) -> Applied:
        plan, secrets = await anyio.to_thread.run_sync(read_plan, self._folder, self._plan)
        if plan.format != self._plan.format:
            raise PermanentError(
                "The format has changed; the playout must be replaced.", reason="FormatChanged"
            )
        redact.learn(secrets.values())
        before, known, old_scene = self._plan, self._secrets, self._scene
        self._data.converge(plan.overlays, secrets)
        if plan.timeline is not None and plan.timeline.audio:
            self._following = _index(plan)
            self._want_sounds(self._mixer.show.index, self._ticker.frame, self._mixer.epoch)
        try:
            scene = await anyio.to_thread.run_sync(self._prepare, plan, old_scene)
            show = self._converge(plan, secrets, scene)
            self._mixer.swap(show)
            swapped = await self._swapped(show)
        finally:
            self._following = None
        old_scene.close()
        self._plan, self._secrets = plan, secrets
        self._converge_outputs(plan, secrets, {output.name: output for output in before.outputs}, known)
        self._remove_unused(plan)
        self._notify()
        _log.info("plan applied", revision=show.revision, frame=swapped.frame)
        return Applied(revision=show.revision, frame=swapped.frame, due=swapped.due_ns / NANOSECONDS)

    def _prepare(self, plan: Plan, previous: Scene | None, same_plan: bool = False) -> Scene:
        priority.yield_it()  # encoders come first, of other programs too
        self._texts = self._data.texts
        return prepare(
            plan.format,
            plan.overlays,
            plan.fallback,
            wall=datetime.now(UTC),
            previous=previous,
            images=plan.images,
            data=lookup(self._texts),
            same_plan=same_plan,
        )

    def _converge(self, plan: Plan, secrets: Mapping[str, str], scene: Scene) -> Show:
        """Start what the plan needs to make frames; the show that is made from it."""
        self._scene = scene
        for camera in plan.cameras:
            feed = self._feeds.get(camera.name)
            if feed is None or self._must_replace_feed(feed, camera.spec, secrets):
                self._feeds.put(camera.name, self._make_feed(camera, plan, secrets))
            else:
                feed.spec = camera.spec
        for clip in plan.clips:
            if self._feeds.get(f"{CLIP}{clip.id}") is None:
                self._feeds.put(f"{CLIP}{clip.id}", self._make_clip(clip, plan))
        for encoding in plan.encodings:
            if self._encoders.get(encoding.id) is None:
                encoder = Encoder(
                    encoding,
                    plan.format,
                    self._pool,
                    next_frame=self._next_frame,
                    environment=self._environment,
                )
                self._encoders.put(encoding.id, encoder)
        index = _index(plan)
        self._follow_reels(plan, index)
        names = _feed_names(plan)
        wanted = {encoding.id for encoding in plan.encodings}
        # Encoders that the plan no longer has go on until their pushers have gone.
        return Show(
            revision=plan_revision(plan),
            index=index,
            scene=scene,
            feeds={name: feed for name, feed in self._feeds.items() if name in names},
            sounds=self._deck,
            encoders=tuple(encoder for name, encoder in self._encoders.items() if name in wanted),
            overlay_names={overlay.id: overlay.overlay for overlay in plan.overlays},
            words=self._data.words(self._texts),
        )

    def _follow_reels(self, plan: Plan, index: TimelineIndex | None) -> None:
        """Tell each file which of its pictures belongs to which frame."""
        rate, wall_ns = plan.format.frame_rate.fraction, self._epoch.wall_ns
        for camera in plan.cameras:
            feed = self._feeds.get(camera.name)
            if isinstance(feed, FileFeed):
                reel = None if index is None else camera_reel(camera, plan.cameras, index, rate, wall_ns)
                feed.projector.follow(reel)
        for clip in plan.clips:
            feed = self._feeds.get(f"{CLIP}{clip.id}")
            if isinstance(feed, FileFeed) and index is not None:
                feed.projector.follow(clip_reel(clip, index, rate, wall_ns))

    def _must_replace_feed(self, feed: Feed, spec: CameraSpec, secrets: Mapping[str, str]) -> bool:
        if any(change.effect is Effect.INGEST for change in changes(feed.spec, spec)):
            return True
        return _login(spec, secrets) != _login(spec, self._secrets)

    def _converge_outputs(
        self,
        plan: Plan,
        secrets: Mapping[str, str],
        before: Mapping[str, OutputPlan],
        known: Mapping[str, str],
    ) -> None:
        for output in plan.outputs:
            pusher = self._pushers.get(output.name)
            old = before.get(output.name)
            secret = partial(_secret, secrets)
            if pusher is None or old is None or _must_replace(pusher, old, output, secrets, known):
                encoder = self._encoders.get(output.encoding)
                assert encoder is not None  # the plan's outputs name the plan's encodings
                pcm = encoder.plan.encoding.lossless
                pusher = Pusher(
                    output,
                    encoder.hub,
                    secret=secret,
                    environment=self._environment,
                    pcm=pcm,
                    rate=plan.format.frame_rate.fraction,
                    before=pusher,
                )
                self._pushers.put(output.name, pusher)
            else:
                pusher.take(output, secret, _edited(old, output, secrets, known))
        for name in set(self._pushers) - {output.name for output in plan.outputs}:
            self._pushers.remove(name)

    def _remove_unused(self, plan: Plan) -> None:
        for name in set(self._feeds) - _feed_names(plan):
            self._feeds.remove(name)
            self._needed_until.pop(name, None)
        for name in set(self._encoders) - {encoding.id for encoding in plan.encodings}:
            self._encoders.remove(name)

    def _make_feed(self, camera: CameraPlan, plan: Plan, secrets: Mapping[str, str]) -> Feed:
        return make_feed(
            camera.name,
            camera.spec,
            plan.format,
            credentials=lambda: _credentials(camera.spec, secrets),
            environment=self._environment,
        )

    def _make_clip(self, clip: ClipPlan, plan: Plan) -> Feed:
        return FileFeed(
            Path(clip.file).name,
            clip_camera(clip),
            plan.format,
            environment=self._environment,
            sha256=clip.sha256,
        )

    # --- the clock --------------------------------------------------------------------------------------

    def _next_frame(self) -> int:
        """The first frame that an encoder which starts now is to get."""
        return self._ticker.frame + 1

    def _resync(self, frame: int) -> None:
        """The clock jumped to `frame`: called by the clock thread, before it goes on."""
        self._errors.append(f"The machine stood still; the program went on at frame {frame}.")
        for encoder in self._encoders.values():
            encoder.replace("ClockJump")

    async def _follow_mixer(self) -> None:
        """Write down what is shown, and tell `apply` when its show was taken over."""
        asrun = AsRunLog(
            self._folder.parent.parent / "asrun" / object_name(self._plan.namespace, self._plan.program),
            self._plan.program,
        )
        words: Words = {}
        shown, to_write = anyio.create_memory_object_stream[OnAir | Spoken](_ASRUN_BACKLOG)
        async with shown, to_write, anyio.create_task_group() as tasks:
            tasks.start_soon(self._log_on_air, asrun, to_write)
            while True:
                for event in await self._mixer.events():
                    if isinstance(event, Swapped):
                        self._last_swap = event
                        spoken = changed_words(words, event.show.words)
                        words = event.show.words
                        if spoken:
                            self._hand_on(shown, Spoken(event.frame, event.due_ns / NANOSECONDS, spoken))
                    else:
                        self._hand_on(shown, event)
                self._notify()

    def _hand_on(self, shown: MemoryObjectSendStream[OnAir | Spoken], event: OnAir | Spoken) -> None:
        try:
            shown.send_nowait(event)
        except anyio.WouldBlock:
            self._report("The as-run log's disk does not answer; lines are missing.")

    async def _log_on_air(self, asrun: AsRunLog, events: MemoryObjectReceiveStream[OnAir | Spoken]) -> None:
        """In a task of its own: a disk that hangs must not hold up anything else."""
        async for shown in events:
            try:
                await anyio.to_thread.run_sync(asrun.write, shown)
            except OSError as error:
                self._report(f"The as-run log cannot be written: {error.strerror}.")

    async def _swapped(self, show: Show) -> Swapped:
        """Wait until frames are made from `show`; a clock that makes none is the end of this playout."""
        with anyio.move_on_after(_ON_AIR_DEADLINE):
            while (swap := self._last_swap) is None or swap.show is not show:
                await self._changed.wait()
            return swap
        self._report("The clock stands still; the playout ends, for another to take its place.")
        self.stop()
        raise TemporaryError("The playout's clock stands still.", delay=1, reason="ClockStalled")

    # --- data -------------------------------------------------------------------------------------------

    async def _follow_data(self) -> None:
        """Show what the data say now, and keep it for the next start.

        Half of the time at most is spent on drawing, however often the data change.
        """
        kept = -_KEEP_DATA_EVERY
        while True:
            began = time.monotonic()
            if self._data.texts != self._texts:
                try:
                    await self._draw_data()
                except Exception:  # the worker's edge: a word that is not shown must not end the program
                    _log.exception("the words of data could not be drawn")
            if self._data.unsaved and time.monotonic() - kept >= _KEEP_DATA_EVERY:
                kept = time.monotonic()
                await self._keep_data()
            await anyio.sleep(max(_HOUSEKEEPING, time.monotonic() - began))

    async def _draw_data(self) -> None:
        """Draw the overlays whose data changed, on another thread, and swap them in between two frames."""
        async with self._applying:
            old_scene = self._scene
            scene = await anyio.to_thread.run_sync(self._prepare, self._plan, old_scene, True)
            self._scene = scene
            show = replace(self._mixer.show, scene=scene, words=self._data.words(self._texts))
            self._mixer.swap(show)
            with suppress(TemporaryError):  # the clock stands still, and the playout ends
                await self._swapped(show)
            old_scene.close(scene)

    async def _keep_data(self) -> None:
        async with self._keeping:
            if not self._data.unsaved:
                return
            try:
                await anyio.to_thread.run_sync(self._data.save, abandon_on_cancel=True)
            except OSError as error:
                self._report(f"Values of data sources cannot be kept for the next start: {error.strerror}.")

    # --- keeping house ----------------------------------------------------------------------------------

    async def _keep_house(self) -> None:
        """What has to be looked at regularly: which cameras are needed, the wall clock, what changed."""
        while True:
            self._want_cameras()
            self._want_sounds(self._mixer.show.index, self._ticker.frame, self._mixer.epoch)
            self._follow_wall_clock()
            self._mixer.meter.update()
            if not self._ticker.alive and not self._stopping.is_set():
                _log.error("the clock failed", error=str(self._ticker.failure))
                self._stopping.set()
            self._rate_marks.append((time.monotonic(), self._ticker.frame))
            signature = self._state_signature()
            if signature != self._signature:
                self._signature = signature
                self._notify()
            await anyio.sleep(_HOUSEKEEPING)

    def _want_cameras(self) -> None:
        """Promote what will be shown soon, and the backups of what should be shown but cannot."""
        now = time.monotonic()
        soon = self._needed_soon()
        feeds = dict(self._feeds.items())
        for name in list(soon):
            while (
                name in feeds and not feeds[name].usable(now, self._ticker.frame) and feeds[name].spec.backup
            ):
                backup = feeds[name].spec.backup
                if backup is None or backup in soon:
                    break
                soon.add(backup)
                name = backup
        for name in soon:
            self._needed_until[name] = now + _LINGER_SECONDS
        for name, feed in feeds.items():
            feed.want(Want.FULL if self._needed_until.get(name, 0.0) > now else Want.STANDBY)

    def _want_sounds(self, index: TimelineIndex | None, frame: int, epoch: Epoch) -> None:
        """Decode what plays at `frame` or soon after, by the timeline on air and by one that is to follow."""
        rate = self._plan.format.frame_rate.fraction
        wanted: dict[Playing, int] = {}
        for timeline in (index, self._following):
            if timeline is not None and timeline.plan.audio:
                wanted |= upcoming(timeline, frame, rate, epoch.wall_ns)
        self._deck.want(wanted, time.monotonic())

    def _needed_soon(self) -> set[str]:
        show = self._mixer.show
        if show.index is None:
            return set()
        rate = self._plan.format.frame_rate.fraction
        at = (self._ticker.frame, rate, self._mixer.epoch.wall_ns)
        horizon = round(_LEAD_SECONDS * rate)
        return set(needed(show.index, elapsed(show.index, *at), horizon, restart(show.index, *at)))

    def _follow_wall_clock(self) -> None:
        epoch = self._mixer.epoch.stepped(steady_ns(), time.time_ns())
        if epoch is not self._mixer.epoch:
            self._report("The time of day was set; the timeline follows it.")
            self._mixer.epoch = self._epoch = epoch
            self._follow_reels(self._plan, self._mixer.show.index)
            save_epoch(self._folder / EPOCH, epoch)

    def _report(self, sentence: str) -> None:
        if not self._errors or self._errors[-1] != sentence:
            self._errors.append(redact(sentence))
            _log.warning("playout problem", problem=sentence)

    # --- telling ----------------------------------------------------------------------------------------

    async def changed(self) -> None:
        """Wait for a change of what `status` tells people."""
        await self._changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def _state_signature(self) -> object:
        """What people want to know at once when it changes; figures that always move are left out."""
        now = time.monotonic()
        status = self.status()
        return (
            [(name, feed.state(now)) for name, feed in self._feeds.items()],
            [(camera.pid, camera.reason, camera.codec) for camera in status.cameras.values()],
            [(encoder.pid, encoder.state) for encoder in status.encoders.values()],
            [
                (name, output.state, output.pid, output.active_target, output.failed_target, output.reason)
                for name, output in status.outputs.items()
            ],
            list(self._errors),
            status.overlay_problems,
            status.picture_problems,
            status.clip_problems,
            status.sound_problems,
            status.sound.state if status.sound is not None else None,
        )

    def status(self) -> PlayoutStatus:
        """Everything observed, now."""
        now = time.monotonic()
        show = self._mixer.show
        repeated = sum(encoder.repeated for encoder in self._encoders.values())
        problems = dict(show.scene.problems)
        heard = self._mixer.meter.reading
        for overlay, sentences in self._data.problems.items():
            problems[overlay] = " ".join([*([problems[overlay]] if overlay in problems else []), *sentences])
        return PlayoutStatus(
            pid=os.getpid(),
            revision=show.revision,
            frame=self._ticker.frame,
            fps=self._measured_rate(),
            realtime=self._ticker.realtime,
            late_frames=self._ticker.late,
            repeated_frames=self._ticker.repeated + self._mixer.starved + repeated,
            on_air=self._mixer.on_air,
            cameras={
                name: feed.status(now) for name, feed in self._feeds.items() if not name.startswith(CLIP)
            },
            encoders={name: encoder.status() for name, encoder in self._encoders.items()},
            outputs={name: pusher.status() for name, pusher in self._pushers.items()},
            picture_problems={file: self._plan.worded(said) for file, said in show.scene.unreadable.items()},
            clip_problems=self._clip_problems(now),
            overlay_problems={name: self._plan.worded(said) for name, said in problems.items()},
            data=self._data.status,
            sound=SoundStatus(momentary=heard.momentary, peak=heard.peak, state=heard.state.value),
            sound_problems=self._deck.problems,
            errors=list(self._errors),
        )

    def _clip_problems(self, now: float) -> dict[str, str]:
        """A sentence for each file of a clip that cannot be played."""
        clips = [feed for name, feed in self._feeds.items() if name.startswith(CLIP)]
        told = [(feed.spec.source.file, feed.status(now)) for feed in clips]
        return {
            file.path: status.message
            for file, status in told
            if file is not None and status.message and status.reason != "Ended"
        }

    def _measured_rate(self) -> float:
        if len(self._rate_marks) < 2:
            return 0.0
        (start, first), (end, last) = self._rate_marks[0], self._rate_marks[-1]
        return (last - first) / (end - start) if end > start else 0.0


def _feed_names(plan: Plan) -> set[str]:
    """The sources that move."""
    return {*(camera.name for camera in plan.cameras), *(f"{CLIP}{clip.id}" for clip in plan.clips)}


def _index(plan: Plan) -> TimelineIndex | None:
    return TimelineIndex(plan.timeline) if plan.timeline is not None else None


def _credentials(spec: CameraSpec, secrets: Mapping[str, str]) -> Credentials | None:
    """The login of a camera, or its passphrase as a password; None where it needs none.

    Raises TemporaryError while the Secret lacks it.
    """
    if (passphrase := spec.source.passphrase_secret_ref) is not None:
        return Credentials("", _secret(secrets, passphrase))
    reference = spec.source.credentials_secret_ref
    if reference is None:
        return None
    try:
        return Credentials(secrets[f"{reference.name}/username"], secrets[f"{reference.name}/password"])
    except KeyError:
        raise TemporaryError(
            f"Secret {reference.name} with the keys username and password does not exist.",
            delay=5,
            reason="SecretMissing",
        ) from None


def _login(spec: CameraSpec, secrets: Mapping[str, str]) -> tuple[str | None, ...]:
    if (passphrase := spec.source.passphrase_secret_ref) is not None:
        return (secrets.get(f"{passphrase.name}/{passphrase.key}"),)
    reference = spec.source.credentials_secret_ref
    if reference is None:
        return ()
    return tuple(secrets.get(f"{reference.name}/{key}") for key in ("username", "password"))


def _must_replace(
    pusher: Pusher,
    old: OutputPlan,
    new: OutputPlan,
    secrets: Mapping[str, str],
    known: Mapping[str, str],
) -> bool:
    """Whether `pusher` cannot go on with `new`: its encoding, or the very target it is at, has changed."""
    if any(change.effect is Effect.PUSHER for change in changes(old, new)):
        return True
    return carried_on(pusher.target, new.targets) is None or _rekeyed(pusher.target, secrets, known)


def _edited(
    old: OutputPlan, new: OutputPlan, secrets: Mapping[str, str], known: Mapping[str, str]
) -> list[str]:
    """The targets of `new` that are not as they were, or are new, in their order."""
    return [
        target.name
        for target in new.targets
        if carried_on(target, old.targets) is None or _rekeyed(target, secrets, known)
    ]


def _rekeyed(target: Target, secrets: Mapping[str, str], known: Mapping[str, str]) -> bool:
    keys = [f"{reference.name}/{reference.key}" for reference in target.secrets.values()]
    return any(secrets.get(key) != known.get(key) for key in keys)


def _secret(secrets: Mapping[str, str], reference: SecretKeyRef) -> str:
    """A secret value; raises TemporaryError while the Secret lacks it."""
    try:
        return secrets[f"{reference.name}/{reference.key}"]
    except KeyError:
        raise TemporaryError(
            f"Secret {reference.name} has no key {reference.key}.", delay=5, reason="SecretMissing"
        ) from None
