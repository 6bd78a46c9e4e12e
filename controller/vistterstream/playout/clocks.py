"""Clocks and countdowns: what they say, and drawing it as it changes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from vistterstream.playout.clockface import ClockFace, clock_piece
from vistterstream.playout.geometry import View
from vistterstream.playout.masks import masked
from vistterstream.playout.moment import Moment
from vistterstream.playout.moving import finer_for, posable
from vistterstream.playout.pieces import Tell
from vistterstream.playout.plates import Patch
from vistterstream.playout.sliding import Slider
from vistterstream.playout.sprites import Sprite
from vistterstream.playout.turning import Turner
from vistterstream.resources.overlay import ClockLayer, CountdownLayer, Layer, Position
from vistterstream.timeline.tracks import Motion, Pose

SLOW_CLOCK = 0.001
"""Seconds; the text of a clock that takes longer to draw is drawn a second ahead on another thread."""
YEAR_1970 = datetime(1970, 1, 1, tzinfo=UTC)
"""From here on a countdown of a duration counts."""

_MAX_CLOCK_TEXT = 128
_TEXTS = 4  # texts of a moving clock that are kept: this second's, the next, and some that were
_DIRECTIVE = re.compile("%(.)")


class Clock:
    """The changing text of a clock layer. `sprite` is for the clock thread alone."""

    def __init__(
        self,
        layer: ClockLayer | CountdownLayer,
        position: Position,
        view: View,
        wall: datetime,
        tell: Tell,
    ) -> None:
        """Draws the text for `wall`, to see how long that takes. The model has checked zone and format."""
        self._say = time_of_day(layer) if isinstance(layer, ClockLayer) else time_left(layer)
        self._face = ClockFace(layer, position, view, tell)
        self._text = self._format(wall)
        self._sprite = self._face.sprite(self._text)
        self._second: datetime | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._ahead: dict[str, Future[Sprite | None]] = {}
        if min(_seconds(lambda: self._face.sprite(self._text)) for _ in range(3)) > SLOW_CLOCK:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="clock-layer")
            # Its thread starts here and not at the first turn: it must not inherit the clock's priority.
            self._worker.submit(self._format, wall)

    def sprite(self, wall: datetime) -> Sprite | None:
        """What the clock looks like at `wall`: drawn ahead, or where that is not ready, now.

        A frame may be late, never wrong.
        """
        second = wall.replace(microsecond=0)
        if second != self._second:
            self._second = second
            self._turn(second)
        return self._sprite

    def draw_at_once(self) -> None:
        """From now on draw each text when it is due, however long that takes: no frame waits for anybody."""
        self.close()
        self._worker, self._ahead = None, {}

    def close(self) -> None:
        """End the thread that draws ahead, if there is one."""
        if self._worker is not None:
            self._worker.shutdown(wait=False, cancel_futures=True)

    def _turn(self, second: datetime) -> None:
        """Show the text of a new second, and where that is slow, have the next drawn."""
        text = self._format(second)
        if text != self._text:
            drawn = self._ahead.get(text)
            ready = drawn is not None and drawn.done()
            self._text, self._sprite = text, drawn.result() if drawn and ready else self._face.sprite(text)
        if self._worker is not None:
            following = self._format(second + timedelta(seconds=1))
            known = self._ahead.get(following)
            self._ahead = {following: known or self._worker.submit(self._face.sprite, following)}

    def _format(self, wall: datetime) -> str:
        return self._say(wall)[:_MAX_CLOCK_TEXT]


class ClockState(NamedTuple):
    """How a clock stands, and what it says."""

    pose: Pose
    text: str


class MovingClock:
    """A clock that is moved, turned, masked or in a group. Any thread may ask."""

    def __init__(
        self, layer: Layer, motion: Motion, view: View, rate: Fraction, wall: datetime, tell: Tell
    ) -> None:
        """Draws the text for `wall`. Raises Unusable."""
        self._say, self._aged = _sayer(layer)
        self._layer, self._motion, self._view, self._rate = layer, motion, view, rate
        self._fine = view.finer(finer_for(motion))
        text = self._say(YEAR_1970 if self._aged else wall)[:_MAX_CLOCK_TEXT]
        self._drawn: dict[str, Slider | Turner | None] = {text: self._draw(text, tell)}

    @property
    def constant(self) -> bool:
        """Whether it looks the same in every frame."""
        return False

    def state(self, moment: Moment) -> ClockState:
        """All that it depends on at that moment."""
        wall = aged(moment.age, self._rate) if self._aged else moment.wall
        return ClockState(self._motion.at(moment.age, moment.length), self._say(wall)[:_MAX_CLOCK_TEXT])

    def patch(self, state: Hashable) -> Patch | None:
        """What it looks like in that state."""
        assert isinstance(state, ClockState), "it is what `state` gave"
        pose, text = state
        known = self._drawn  # read once: another thread may put others there
        if text not in known:
            drawn = self._draw(text, _told)
            self._drawn = known = {**dict(list(known.items())[1 - _TEXTS :]), text: drawn}
        shown = known[text]
        return None if shown is None else shown.patch(pose)

    def _draw(self, text: str, tell: Tell) -> Slider | Turner | None:
        face = self._layer.clock or self._layer.countdown
        assert face is not None, "it is for clocks"
        piece = clock_piece(face, text, self._layer.position, self._fine, tell)
        if piece is None:
            return None
        piece = masked(piece, self._layer.mask, self._fine, tell)
        return posable(piece, self._layer, self._motion, self._view, planar=False)


def _sayer(layer: Layer) -> tuple[Callable[[datetime], str], bool]:
    """What a clock or countdown says at an instant; and whether that is one of `aged`."""
    if layer.clock is not None:
        return time_of_day(layer.clock), False
    assert layer.countdown is not None, "it is for clocks"
    return time_left(layer.countdown), layer.countdown.duration is not None


def aged(age: int, rate: Fraction) -> datetime:
    """The instant that a countdown of a duration takes for now, `age` frames after its cue's start."""
    return YEAR_1970 + timedelta(microseconds=int(age * 1_000_000 / rate))


def _told(_sentence: str) -> None:
    """It was said when the first text was drawn."""


def time_of_day(layer: ClockLayer) -> Callable[[datetime], str]:
    """What a clock says at an instant."""
    zone = ZoneInfo(layer.time_zone)
    return lambda wall: wall.astimezone(zone).strftime(layer.format)


def time_left(layer: CountdownLayer) -> Callable[[datetime], str]:
    """What a countdown says at an instant; of one from the cue's start, at that age after the year 1970.

    Seconds that have begun count as whole ones, so that it says zero when the time has come.
    """
    if layer.to is not None:
        end = datetime.fromisoformat(layer.to)
    else:
        assert layer.duration is not None, "the model has checked that there is one of them"
        end = YEAR_1970 + timedelta(microseconds=int(layer.duration.seconds * 1_000_000))

    def say(wall: datetime) -> str:
        left = max(-((wall.replace(microsecond=0) - end) // timedelta(seconds=1)), 0)
        return layer.done if not left and layer.done else _remaining(layer.format, left)

    return say


def _remaining(format: str, left: int) -> str:
    """`format` with the seconds that are left; the largest unit in it has all that is above it."""
    parts: dict[str, str] = {"%": "%"}
    for directive, length in (("D", 86400), ("H", 3600), ("M", 60), ("S", 1)):
        if f"%{directive}" in format:
            parts[directive] = str(left // length) if directive == "D" else f"{left // length:02}"
            left %= length
    return _DIRECTIVE.sub(lambda match: parts.get(match[1], ""), format)


def _seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
