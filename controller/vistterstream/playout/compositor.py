"""Puts a frame of the program together: the picture, a crossfade, and overlays, on YUV planes in place.

`prepare` does everything slow and runs on another thread; it returns a `Scene`, which the clock thread
swaps in between two frames. `compose` is all that happens on the clock thread.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np

from vistterstream.playout import framecode
from vistterstream.playout.blend import Blender
from vistterstream.playout.clockface import ClockFace
from vistterstream.playout.frames import Frame
from vistterstream.playout.geometry import View
from vistterstream.playout.layers import rasterise
from vistterstream.playout.moving import Mover, Room
from vistterstream.playout.pieces import DRAWING_ERRORS, Tell, Unusable
from vistterstream.playout.slate import slate, slate_key
from vistterstream.playout.sprites import Sprite, SpriteCache
from vistterstream.playout.stills import Stills
from vistterstream.playout.ticker import Ticker
from vistterstream.playout.transitions import Transitions
from vistterstream.resources.overlay import (
    ClockLayer,
    CountdownLayer,
    FrameCodeLayer,
    Layer,
    Play,
    Position,
)
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.plan import ImagePlan, OverlayInstance, TransitionPlan
from vistterstream.timeline.tracks import Motion, Opacity

SLOW_CLOCK = 0.001
"""Seconds; the text of a clock that takes longer to draw is drawn ahead of time on another thread."""

_MAX_CLOCK_TEXT = 128
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIRECTIVE = re.compile("%(.)")


@dataclass(frozen=True, slots=True)
class _Sprites:
    """A layer that stands still; `curve` where its opacity moves."""

    sprite: Sprite
    curve: Opacity | None


@dataclass(frozen=True, slots=True)
class _Moving:
    """A layer that moves or changes its shape, colour or text."""

    mover: Mover
    curve: Opacity


@dataclass(frozen=True, slots=True)
class _Code:
    """A frameCode layer."""

    x: int
    y: int
    square: int


@dataclass(frozen=True, slots=True)
class _Clocks:
    """A clock layer."""

    clock: Clock
    curve: Opacity
    rate: Fraction | None = None
    """Frames a second, of a clock whose time is the age of its overlay."""


@dataclass(frozen=True, slots=True)
class _Running:
    """A ticker layer."""

    ticker: Ticker
    curve: Opacity


_Item = _Sprites | _Moving | _Code | _Clocks | _Running


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
        self._wanted = self._text = self._format(wall)
        self._sprite = self._face.sprite(self._text)
        self._second: datetime | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._ahead: dict[str, Future[Sprite | None]] = {}
        if min(_seconds(lambda: self._face.sprite(self._text)) for _ in range(3)) > SLOW_CLOCK:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="clock-layer")
            # Its thread starts here and not at the first turn: it must not inherit the clock's priority.
            self._worker.submit(self._format, wall)

    def sprite(self, wall: datetime) -> Sprite | None:
        """What the clock looks like at `wall`.

        A slow one may show the text before for some frames where the next could not be foreseen.
        """
        second = wall.replace(microsecond=0)
        if second != self._second:
            self._second = second
            self._turn(second)
        if self._worker is not None and self._wanted != self._text:
            drawn = self._ahead.get(self._wanted)
            if drawn is not None and drawn.done():
                self._text, self._sprite = self._wanted, drawn.result()
        return self._sprite

    def draw_at_once(self) -> None:
        """From now on draw each text when it is due, however long that takes: no frame waits for anybody."""
        self.close()
        self._worker = None

    def close(self) -> None:
        """End the thread that draws ahead, if there is one."""
        if self._worker is not None:
            self._worker.shutdown(wait=False, cancel_futures=True)

    def _turn(self, second: datetime) -> None:
        """Draw the text of a new second, or where that is slow see to it that it and the next are drawn."""
        self._wanted = self._format(second)
        if self._worker is None:
            if self._wanted != self._text:
                self._text, self._sprite = self._wanted, self._face.sprite(self._wanted)
            return
        coming = {self._wanted, self._format(second + timedelta(seconds=1))} - {self._text}
        self._ahead = {
            text: self._ahead.get(text) or self._worker.submit(self._face.sprite, text)
            for text in sorted(coming)
        }

    def _format(self, wall: datetime) -> str:
        return self._say(wall)[:_MAX_CLOCK_TEXT]


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
        end = _EPOCH + timedelta(microseconds=int(layer.duration.seconds * 1_000_000))

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


class Scene:
    """Everything that overlays and slate of one plan look like, ready to be put on frames.

    `slate` is the fallback's picture (read only). `problems` has a sentence for each Overlay (by name)
    that could not be drawn as it should, `slate_problem` one for the slate. One thread composes.
    """

    def __init__(
        self, format: Format, fallback: Fallback, previous: Scene | None, images: Sequence[ImagePlan] = ()
    ) -> None:
        self.width, self.height = format.width, format.height
        self.cache: SpriteCache = previous.cache if previous is not None else SpriteCache()
        self.slate_key = slate_key(fallback, format.width, format.height)
        self.slate_problem: str | None = None
        if previous is not None and previous.slate_key == self.slate_key:
            self.slate: Frame = previous.slate
            self.slate_problem = previous.slate_problem
        else:
            wrong: list[str] = []
            self.slate = slate(fallback, format.width, format.height, wrong.append)
            self.slate_problem = " ".join(wrong) or None
        self.problems: dict[str, str] = {}
        self.items: dict[str, tuple[_Item, ...]] = {}
        self.blender = Blender(format.width)
        self.transitions = Transitions()
        self.stills: Stills = Stills(format, images, previous.stills if previous is not None else None)

    def draw_at_once(self) -> None:
        """Have every frame right rather than in time: for frames that are made offline."""
        for items in self.items.values():
            for item in items:
                if isinstance(item, _Clocks):
                    item.clock.draw_at_once()

    def close(self) -> None:
        """Let go of threads; the scene must not be composed any more."""
        for items in self.items.values():
            for item in items:
                if isinstance(item, _Clocks):
                    item.clock.close()


def prepare(
    format: Format,
    overlays: Sequence[OverlayInstance],
    fallback: Fallback,
    *,
    wall: datetime,
    previous: Scene | None = None,
    images: Sequence[ImagePlan] = (),
) -> Scene:
    """Draw everything that a plan may show. Slow (up to a second); never raises for what cannot be drawn.

    `wall` is the time of day, with a zone, that clock layers start from. What `previous` drew and still
    looks the same is taken over; `previous` may be on the air meanwhile, and is closed by its owner after.
    """
    scene = Scene(format, fallback, previous, images)
    rate = format.frame_rate.fraction
    for overlay in overlays:
        sentences: dict[str, None] = {}
        view = View(format.width, format.height, overlay.spec.canvas)
        room = Room()
        items = [
            _item(layer, view, rate, scene.cache, room, wall, sentences) for layer in overlay.spec.layers
        ]
        scene.items[overlay.id] = tuple(item for item in items if item is not None)
        if sentences:
            known = scene.problems.get(overlay.overlay, "")
            new = " ".join(sentence for sentence in sentences if sentence not in known)
            scene.problems[overlay.overlay] = f"{known} {new}".strip()
    return scene


def compose(
    scene: Scene,
    out: Frame,
    base: Frame,
    incoming: Frame | None,
    mix: float,
    overlays: Sequence[tuple[str, int] | tuple[str, int, int | None]],
    number: int,
    wall: datetime,
    transition: TransitionPlan | None = None,
) -> None:
    """Make `out` the frame of the program: `base`, or where there is an `incoming` picture the `transition`
    (a crossfade where None) that has come the share `mix` of its way from `base` to it, and on it the
    overlays (instance id, age in frames, and the length of the cue where it
    is known, from the bottom up).

    `number` is the program's frame number (for frameCode layers), `wall` the frame's time of day, with a
    zone. `base` and `incoming` stay as they are; `out` may be `base`. An id that the scene does not know
    shows nothing.
    """
    if incoming is not None:
        scene.transitions.blend(out, base, incoming, mix, transition)
    elif out is not base:
        np.copyto(out.data, base.data)
    for id, age, *rest in overlays:
        length = rest[0] if rest else None
        for item in scene.items.get(id, ()):
            if isinstance(item, _Code):
                value = framecode.pack(framecode.PROGRAM, number)
                framecode.draw(out.y, out.u, out.v, item.x, item.y, value, item.square)
                continue
            opacity = 1.0 if item.curve is None else item.curve.at(age, length)
            for sprite in _sprites_of(item, age, length, wall) if opacity > 0 else ():
                if sprite is not None:
                    scene.blender.blend(out, sprite, opacity)


def _sprites_of(
    item: _Sprites | _Moving | _Clocks | _Running, age: int, length: int | None, wall: datetime
) -> tuple[Sprite | None, ...]:
    """What a layer looks like, from the bottom up."""
    if isinstance(item, _Sprites):
        return (item.sprite,)
    if isinstance(item, _Moving):
        return (item.mover.sprite(age, length),)
    if isinstance(item, _Running):
        return (item.ticker.band, item.ticker.sprite(age))
    if item.rate is not None:
        wall = _EPOCH + timedelta(microseconds=int(age * 1_000_000 / item.rate))
    return (item.clock.sprite(wall),)


def _item(
    layer: Layer,
    view: View,
    rate: Fraction,
    cache: SpriteCache,
    room: Room,
    wall: datetime,
    sentences: dict[str, None],
) -> _Item | None:
    def tell(sentence: str) -> None:
        sentences[f"Layer {layer.name}: {sentence}"] = None

    curve = Opacity(layer, rate)
    if layer.frame_code is not None:
        return _code(layer.frame_code, layer.position, view, tell)
    if layer.clock is not None:
        return _Clocks(Clock(layer.clock, layer.position, view, wall, tell), curve)
    if layer.countdown is not None:
        aged = layer.countdown.duration is not None
        start = _EPOCH if aged else wall
        clock = Clock(layer.countdown, layer.position, view, start, tell)
        return _Clocks(clock, curve, rate if aged else None)
    constant = curve.constant
    motion = Motion(layer, rate)
    if not motion.still or layer.ticker or (layer.image and layer.image.play is not Play.STILL):
        return _moving(layer, motion, curve, view, rate, room, tell)
    sprite = rasterise(layer, view, 1.0 if constant is None else constant, cache, tell)
    if sprite is None:
        return None
    return _Sprites(sprite, curve if constant is None else None)


def _moving(
    layer: Layer, motion: Motion, curve: Opacity, view: View, rate: Fraction, room: Room, tell: Tell
) -> _Item | None:
    """A layer that is not as its position says; one that never changes is posed here and now."""
    try:
        if layer.ticker is not None:
            return _Running(Ticker(layer.ticker, layer.position, view, rate, room, tell), curve)
        mover = Mover(layer, motion, view, rate, room, tell)
    except Unusable as error:
        tell(str(error))
        return None
    except DRAWING_ERRORS as error:
        tell(f"It cannot be drawn ({error}); use another font, or a smaller size.")
        return None
    if mover.constant:
        sprite = mover.sprite(0, None)
        return None if sprite is None else _Sprites(sprite, curve)
    return _Moving(mover, curve)


def _code(layer: FrameCodeLayer, position: Position, view: View, tell: Tell) -> _Code | None:
    square = layer.square - layer.square % 2
    rect = view.place(position, framecode.BITS * square, square)
    if rect.width > view.width or rect.height > view.height:
        tell(
            f"The frame code is {rect.width} pixels wide and the program {view.width}; "
            f"set frameCode.square to {view.width // framecode.BITS // 2 * 2} or less."
        )
        return None
    x = min(max(rect.x, 0), view.width - rect.width)
    y = min(max(rect.y, 0), view.height - rect.height)
    return _Code(x - x % 2, y - y % 2, square)
