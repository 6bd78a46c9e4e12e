"""Clocks and countdowns: what they say, and drawing it as it changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from vistterstream.playout.calendar import written
from vistterstream.playout.clockface import ClockFace, clock_piece
from vistterstream.playout.geometry import EVERYWHERE, View
from vistterstream.playout.masks import masked
from vistterstream.playout.moment import Moment
from vistterstream.playout.moving import finer_for, posable
from vistterstream.playout.pieces import Bounds, Tell
from vistterstream.playout.plates import Patch, looks_of
from vistterstream.playout.room import Room
from vistterstream.playout.sliding import Slider
from vistterstream.playout.sprites import Looks
from vistterstream.playout.turning import Turner
from vistterstream.resources.overlay import ClockLayer, CountdownLayer, Layer, TimecodeOf
from vistterstream.timeline.daytime import timecode_of, timecode_of_day
from vistterstream.timeline.tracks import Motion, Pose

YEAR_1970 = datetime(1970, 1, 1, tzinfo=UTC)
"""From here on a countdown of a duration counts."""

_MAX_CLOCK_TEXT = 128
_TEXTS = 5  # texts of a clock that are there at once: that which is shown, and as many as are drawn ahead
_DIRECTIVE = re.compile("%(.)")


class StandingClock:
    """The changing text of a clock or countdown that stands still. Any thread may ask."""

    def __init__(
        self, layer: Layer, view: View, rate: Fraction, start: Moment, room: Room, tell: Tell
    ) -> None:
        """Draws the text of `start`, to have done once what later texts need too.

        Raises Unusable where there is no `room` for it and for those that follow it.
        """
        self.state: Callable[[Moment], str] = sayer(layer, rate)
        self._face = ClockFace(_face(layer), layer.position, view, tell)
        room.take_still(_TEXTS * self._face.size(self.state(start)))
        self._face.sprite(self.state(start))

    def looks(self, state: Hashable) -> Looks:
        """What it looks like when it says that."""
        assert isinstance(state, str), "it is what `state` gave"
        sprite = self._face.sprite(state)
        return () if sprite is None else (sprite,)


class ClockState(NamedTuple):
    """How a clock stands, and what it says."""

    pose: Pose
    text: str


class MovingClock:
    """A clock that is moved, turned, masked or in a group. Any thread may ask."""

    def __init__(
        self,
        layer: Layer,
        motion: Motion,
        view: View,
        rate: Fraction,
        start: Moment,
        room: Room,
        tell: Tell,
    ) -> None:
        """Draws the text of `start`. Raises Unusable."""
        self._say = sayer(layer, rate)
        self._layer, self._motion, self._view = layer, motion, view
        self._fine = view.finer(finer_for(motion))
        text = self._say(start)
        all_texts = Bounds(EVERYWHERE, lambda pixels: room.take_moving(_TEXTS * pixels))
        self._drawn: dict[str, Slider | Turner | None] = {text: self._draw(text, all_texts, tell)}

    @property
    def constant(self) -> bool:
        """Whether it looks the same in every frame."""
        return False

    def state(self, moment: Moment) -> ClockState:
        """All that it depends on at that moment."""
        return ClockState(self._motion.at(moment.age, moment.length), self._say(moment))

    def looks(self, state: Hashable) -> Looks:
        """The same as `patch`, ready for blending."""
        return looks_of(self.patch(state))

    def patch(self, state: Hashable) -> Patch | None:
        """What it looks like in that state."""
        assert isinstance(state, ClockState), "it is what `state` gave"
        pose, text = state
        known = self._drawn  # read once: another thread may put others there
        if text not in known:
            drawn = self._draw(text, Bounds(EVERYWHERE), _told)
            self._drawn = known = {**dict(list(known.items())[1 - _TEXTS :]), text: drawn}
        shown = known[text]
        return None if shown is None else shown.patch(pose)

    def _draw(self, text: str, bounds: Bounds, tell: Tell) -> Slider | Turner | None:
        piece = clock_piece(_face(self._layer), text, self._layer.position, self._fine, bounds, tell)
        if piece is None:
            return None
        piece = masked(piece, self._layer.mask, self._fine, tell)
        return posable(piece, self._layer, self._motion, self._view, planar=False)


def sayer(layer: Layer, rate: Fraction) -> Callable[[Moment], str]:
    """What a clock or countdown says at a moment, in a program of that rate."""
    say = _sayer(_face(layer), rate)
    return lambda moment: say(moment)[:_MAX_CLOCK_TEXT]


def _sayer(face: ClockLayer | CountdownLayer, rate: Fraction) -> Callable[[Moment], str]:
    if isinstance(face, CountdownLayer):
        left = time_left(face, rate)
        if face.duration is not None:
            return lambda moment: left(aged(moment.age, rate))
        return lambda moment: left(moment.wall)
    if face.timecode is TimecodeOf.TIMELINE:
        return lambda moment: timecode_of(moment.position or 0, rate)
    if face.timecode is TimecodeOf.TIME_OF_DAY:
        zone = ZoneInfo(face.time_zone)
        return lambda moment: timecode_of_day(moment.number, rate, moment.epoch_ns, zone)
    clock = time_of_day(face)
    return lambda moment: clock(moment.wall)


def _face(layer: Layer) -> ClockLayer | CountdownLayer:
    face = layer.clock or layer.countdown
    assert face is not None, "it is for clocks"
    return face


def aged(age: int, rate: Fraction) -> datetime:
    """The instant that a countdown of a duration takes for now, `age` frames after its cue's start."""
    return YEAR_1970 + timedelta(microseconds=int(age * 1_000_000 / rate))


def _told(_sentence: str) -> None:
    """It was said when the first text was drawn."""


def time_of_day(layer: ClockLayer) -> Callable[[datetime], str]:
    """What a clock says at an instant."""
    zone = ZoneInfo(layer.time_zone)
    write = written(layer.format, layer.locale)
    return lambda wall: write(wall.astimezone(zone))


def time_left(layer: CountdownLayer, rate: Fraction) -> Callable[[datetime], str]:
    """What a countdown says at an instant; of one from the cue's start, at that age after the year 1970.

    Seconds that have begun count as whole ones, so that it says zero when the time has come.
    """
    if layer.to is not None:
        end = datetime.fromisoformat(layer.to)
    else:
        assert layer.duration is not None, "the model has checked that there is one of them"
        end = YEAR_1970 + timedelta(microseconds=int(layer.duration.frames(rate) * 1_000_000 / rate))

    def say(wall: datetime) -> str:
        left = max(-((wall.replace(microsecond=0) - end) // timedelta(seconds=1)), 0)
        return _remaining(layer.format, left) if left or layer.done is None else layer.done

    return say


def _remaining(format: str, left: int) -> str:
    """`format` with the seconds that are left; the largest unit in it has all that is above it."""
    parts: dict[str, str] = {"%": "%"}
    for directive, length in (("D", 86400), ("H", 3600), ("M", 60), ("S", 1)):
        if f"%{directive}" in format:
            parts[directive] = str(left // length) if directive == "D" else f"{left // length:02}"
            left %= length
    return _DIRECTIVE.sub(lambda match: parts.get(match[1], ""), format)
