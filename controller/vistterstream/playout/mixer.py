"""The mixer: makes each frame of the program, in the clock thread.

What to show comes from a `Show`, which the event loop swaps in whole between two frames; how a frame is made
of it stands in `stage`. The mixer hands it to every encoder and tells what is on air.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

import anyio

from vistterstream.playout.clock import NANOSECONDS, Epoch
from vistterstream.playout.encoder import Encoder
from vistterstream.playout.entries import Entries
from vistterstream.playout.frames import Frame, FramePool
from vistterstream.playout.meter import Meter
from vistterstream.playout.mixing import Bus
from vistterstream.playout.protocol import Came, OnAir, Standing
from vistterstream.playout.stage import Made, Stage, look_ahead, make
from vistterstream.resources.program import Format, PlaybackState

Words = Mapping[str, Mapping[str, str | None]]
"""By Overlay and data source, the text that is shown; None where there is none."""


@dataclass(frozen=True)
class Show(Stage):
    """Everything that the frames are made from, and where they go; never changed, only replaced."""

    revision: str
    encoders: tuple[Encoder, ...]
    overlay_names: Mapping[str, str]  # of each overlay instance id
    words: Words = field(default_factory=dict)


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
        self._bus = Bus(self._rate)
        self.meter = Meter()
        self._entries = Entries()
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
        frame = None if repeat and self._last is not None else self._pool.take()
        made = make(show, number, self._rate, self.epoch, time.monotonic(), frame, self._bus)
        if frame is not None:
            self._keep(frame)
        elif not repeat:
            self.starved += 1
        data = made.sound.tobytes()
        self.meter.put(data)
        if self._last is not None:
            for encoder in show.encoders:
                encoder.offer(number, self._last, data)
        self._note(show, made, number)
        look_ahead(show, number, self._rate, self.epoch)

    def _take_over(self, number: int) -> Show:
        following, self._next = self._next, None
        if following is not None:
            self._show = following
            self._events.append(Swapped(following, number, self.epoch.wall_of(number, self._rate)))
            self.wake()
        return self._show

    def _keep(self, frame: Frame) -> None:
        if self._last is not None:
            self._pool.give(self._last)
        self._last = frame

    def _note(self, show: Show, made: Made, number: int) -> None:
        change = self._entries.note(number, made, show.overlay_names)
        if change is None:
            return
        now = Came(since=self.epoch.wall_of(number, self._rate) / NANOSECONDS, frame=number)
        self.on_air = OnAir(
            kind=change.shown.kind,
            name=change.shown.name,
            since=now.since,
            frame=number,
            reason=change.shown.reason,
            overlays=list(change.overlays),
            entered=list(change.entered),
            left=list(change.left),
            sounds=list(change.sounds),
            timeline="" if show.index is None else show.index.plan.name,
            position=made.position,
            cue=made.cue.cue,
            preset=_preset(show, made),
            standing=_standing(made, self._rate),
            came=now if self.on_air is None or change.fresh else self.on_air.came,
        )
        self._events.append(self.on_air)
        self.wake()


def _standing(made: Made, rate: Fraction) -> Standing | None:
    """Whether the timeline is kept from going on."""
    playback = made.playback
    if playback is None or playback.state is PlaybackState.PLAYING:
        return None
    paused = playback.state is PlaybackState.PAUSED and made.position is not None
    return Standing(
        state=playback.state.value,
        at=float((made.position or 0) / rate) if paused else None,
        since=datetime.fromisoformat(playback.since).timestamp() if playback.since is not None else None,
    )


def _preset(show: Show, made: Made) -> str:
    """The place that the camera on air is to look at."""
    if show.index is None or made.cue.cue is None or made.shown.kind != "Camera":
        return ""
    return show.index.cue(made.cue.cue).preset or ""
