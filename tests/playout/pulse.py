"""The program's clock for a test of one part: a real ticker that takes one frame after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playout.plans import FORMAT
from vistterstream.base.clocks import steady_ns
from vistterstream.playout import framecode
from vistterstream.playout.clock import Epoch, Ticker
from vistterstream.playout.feeds import Feed
from vistterstream.playout.sound import samples_of


@dataclass(frozen=True)
class Tick:
    """What a camera gave for one frame: whether it was fit to be shown, and its own frame number."""

    usable: bool
    given: bool
    number: int | None
    sound: bool
    frame: int  # of the program


@dataclass
class Pulse:
    """What a feed gave, frame by frame."""

    feed: Feed
    square: int
    shown: bool = True
    ticks: list[Tick] = field(default_factory=list)

    def tick(self, number: int, _repeat: bool) -> None:
        """Take one frame, as the mixer does in the clock thread."""
        usable = self.feed.usable(time.monotonic(), number)
        taken = self.feed.take(number, samples_of(number, FORMAT.frame_rate.fraction), self.shown)
        code = None if taken is None else framecode.read(taken.frame.y, 0, 0, self.square)
        self.ticks.append(
            Tick(
                usable=usable,
                given=taken is not None,
                number=None if code is None else framecode.unpack(code)[1],
                sound=taken is not None and taken.samples is not None and bool(taken.samples.any()),
                frame=number,
            )
        )

    def numbers(self, *, first: int = 0) -> dict[int, int | None]:
        """The feed's own frame numbers by those of the program."""
        return {tick.frame: tick.number for tick in self.ticks if tick.frame >= first}

    @property
    def last(self) -> Tick:
        """The newest; a blank one before the first."""
        return self.ticks[-1] if self.ticks else Tick(False, False, None, False, -1)


@contextmanager
def pulse(feed: Feed, square: int) -> Iterator[Pulse]:
    """Take a frame from `feed` at each tick of FORMAT's rate; squares of its code are so large."""
    taking = Pulse(feed, square)
    epoch = Epoch(steady_ns(), time.time_ns())
    ticker = Ticker(lambda: epoch, FORMAT.frame_rate.fraction, taking.tick, lambda _frame: None)
    ticker.start()
    try:
        yield taking
    finally:
        ticker.stop()
    assert ticker.failure is None
