"""The mixer: makes each frame of the program, in the clock thread.

What to show comes from a `Show`, which the event loop swaps in whole between two frames. The choice of the
source is a pure function (`choose`); the rest takes pictures and sound from the feeds, has them composed
and hands the result to every encoder.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio

from vistterstream.playout.clock import NANOSECONDS, Epoch
from vistterstream.playout.compositor import Scene, compose
from vistterstream.playout.encoder import Encoder
from vistterstream.playout.feeds import Feed
from vistterstream.playout.frames import Frame, FramePool
from vistterstream.playout.jitter import Taken
from vistterstream.playout.protocol import CameraState, OnAir
from vistterstream.playout.sound import Samples, crossfade, samples_of, silence
from vistterstream.resources.program import Format
from vistterstream.timeline.evaluate import Picture, TimelineIndex, picture, position

_SLATE_REASONS = {
    CameraState.IDLE: "CameraConnecting",
    CameraState.STANDBY: "CameraConnecting",
    CameraState.CONNECTING: "CameraConnecting",
    CameraState.LIVE: "CameraStalled",
    CameraState.STALLED: "CameraStalled",
    CameraState.WAITING: "CameraLost",
}


@dataclass(frozen=True)
class Show:
    """Everything that the frames are made from; never changed, only replaced."""

    revision: str
    index: TimelineIndex | None
    scene: Scene
    feeds: Mapping[str, Feed]
    encoders: tuple[Encoder, ...]
    overlay_names: Mapping[str, str]  # of each overlay instance id


@dataclass(frozen=True)
class Choice:
    """What stands for a cue's camera: a camera (itself or a backup), or the slate; and why."""

    kind: str
    name: str
    reason: str


def choose(camera: str | None, feeds: Mapping[str, Feed], now: float) -> Choice:
    """The camera that the cue names, its first usable backup, or the slate."""
    if camera is None:
        return Choice("Slate", "", "NoCue")
    wanted, name, seen = camera, camera, set[str]()
    while name in feeds and name not in seen:
        seen.add(name)
        if feeds[name].usable(now):
            return Choice("Camera", name, "Cue" if name == wanted else "Backup")
        name = feeds[name].spec.backup or ""
    if wanted not in feeds:
        return Choice("Slate", wanted, "CameraMissing")
    return Choice("Slate", wanted, _SLATE_REASONS[feeds[wanted].state(now)])


@dataclass(frozen=True)
class Swapped:
    """A show was taken over: the first frame made from it, and when it was due (Unix time, ns)."""

    show: Show
    frame: int
    due_ns: int


class Mixer:
    """Makes frames. `tick` is for the clock thread, everything else for the event loop."""

    def __init__(self, format: Format, pool: FramePool, show: Show, epoch: Epoch) -> None:
        self._format = format
        self._rate = format.frame_rate.fraction
        self._pool = pool
        self._show = show
        self._next: Show | None = show
        self._last: Frame | None = None
        self._mix = 0.0  # of the frame before
        self._shown: tuple[object, ...] | None = None
        self._events: deque[OnAir | Swapped] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.epoch = epoch
        self.on_air: OnAir | None = None
        self.starved = 0  # pictures repeated for want of a free frame

    @property
    def show(self) -> Show:
        """What frames are made from."""
        return self._show

    def swap(self, show: Show) -> None:
        """Make frames from `show` from the next one on; `events` tells when that was."""
        self._next = show

    def wake(self) -> None:
        """Let a waiting `events` return, with nothing where nothing happened. From any thread."""
        os.eventfd_write(self._wake, 1)

    async def events(self) -> list[OnAir | Swapped]:
        """Wait for and return what happened: changes of what is on air, and shows taken over."""
        await anyio.wait_readable(self._wake)
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        found = []
        while self._events:
            found.append(self._events.popleft())
        return found

    def close(self) -> None:
        """Let go; the clock must have ended."""
        os.close(self._wake)

    # --- the clock thread -------------------------------------------------------------------------------

    def tick(self, number: int, repeat: bool) -> None:
        """Make program frame `number` and hand it on; with `repeat`, the picture before once more."""
        show = self._take_over(number)
        due = self.epoch.wall_of(number, self._rate)
        where = position(show.index, number, self._rate, self.epoch.wall_ns) if show.index else None
        cue = picture(show.index, where) if show.index else Picture(None, None, 0.0, (), None)
        samples = samples_of(number, self._rate)
        now = time.monotonic()
        outgoing = choose(cue.camera, show.feeds, now)
        incoming = choose(cue.incoming, show.feeds, now) if cue.incoming is not None else None
        taken = self._take(show, number, samples, {choice.name for choice in (outgoing, incoming) if choice})
        sound = _sound(taken, outgoing, incoming, (self._mix, cue.mix), samples)
        self._mix = cue.mix
        frame = None if repeat and self._last is not None else self._pool.take()
        if frame is not None:
            base = _picture_of(show, taken, outgoing)
            over = _picture_of(show, taken, incoming) if incoming else None
            wall = datetime.fromtimestamp(due / NANOSECONDS, UTC)
            compose(show.scene, frame, base, over, cue.mix, cue.overlays, number, wall)
            self._keep(frame)
        elif not repeat:
            self.starved += 1
        if self._last is not None:
            data = sound.tobytes()
            for encoder in show.encoders:
                encoder.offer(number, self._last, data)
        self._note(show, incoming or outgoing, cue, number, due)

    def _take_over(self, number: int) -> Show:
        following, self._next = self._next, None
        if following is not None:
            self._show = following
            self._events.append(Swapped(following, number, self.epoch.wall_of(number, self._rate)))
            self.wake()
        return self._show

    def _take(self, show: Show, number: int, samples: int, shown: set[str]) -> dict[str, Taken]:
        """One frame's worth from every feed: live cameras that are not shown go on as well."""
        taken = {}
        for name, feed in show.feeds.items():
            got = feed.take(number, samples, name in shown)
            if got is not None:
                taken[name] = got
        return taken

    def _keep(self, frame: Frame) -> None:
        if self._last is not None:
            self._pool.give(self._last)
        self._last = frame

    def _note(self, show: Show, choice: Choice, cue: Picture, number: int, due_ns: int) -> None:
        overlays = tuple(show.overlay_names[instance] for instance, _ in cue.overlays)
        shown = (choice, overlays)
        if shown == self._shown:
            return
        self._shown = shown
        self.on_air = OnAir(
            kind=choice.kind,
            name=choice.name,
            since=due_ns / NANOSECONDS,
            frame=number,
            reason=choice.reason,
            overlays=list(overlays),
        )
        self._events.append(self.on_air)
        self.wake()


def _picture_of(show: Show, taken: Mapping[str, Taken], choice: Choice) -> Frame:
    if choice.kind == "Camera" and choice.name in taken:
        return taken[choice.name].frame
    return show.scene.slate


def _samples_from(taken: Mapping[str, Taken], choice: Choice, samples: int) -> Samples:
    if choice.kind == "Camera" and choice.name in taken:
        found = taken[choice.name].samples
        if found is not None:
            return found
    return silence(samples)


def _sound(
    taken: Mapping[str, Taken],
    outgoing: Choice,
    incoming: Choice | None,
    mix: tuple[float, float],
    samples: int,
) -> Samples:
    """The sound follows the picture, through a crossfade too; `mix` at the start and end of the frame."""
    sound = _samples_from(taken, outgoing, samples)
    if incoming is None:
        return sound
    return crossfade(sound, _samples_from(taken, incoming, samples), *mix)
