"""What one layer contributes to a frame: sprites with their opacities, from the bottom up.

`item_of` draws a layer, slowly, off the clock thread; what it returns answers for each frame, fast, on the
clock thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from typing import Protocol, TypeVar

from vistterstream.playout import framecode
from vistterstream.playout.ahead import Ahead, Worker
from vistterstream.playout.clocks import MovingClock, StandingClock
from vistterstream.playout.geometry import View, nearest
from vistterstream.playout.groups import Group, Member, Part, inside
from vistterstream.playout.layers import keep, key_of, known, rasterise
from vistterstream.playout.moment import Moment
from vistterstream.playout.moving import Mover
from vistterstream.playout.pieces import DRAWING_ERRORS, Tell, Unusable
from vistterstream.playout.plates import looks_of
from vistterstream.playout.room import Room
from vistterstream.playout.sequences import PictureSequence
from vistterstream.playout.sliding import Slider, slid
from vistterstream.playout.sprites import Drawing, Look, SpriteCache
from vistterstream.playout.ticker import Runner, Ticker
from vistterstream.resources.overlay import Area, FrameCodeLayer, GroupLayer, Layer, Play
from vistterstream.timeline.tracks import CuePoints, Motion, Opacity

T = TypeVar("T")
Shown = tuple[Look, float]
"""A piece of picture, and its opacity: more than 0, at most 1."""


class Item(Protocol):
    """A layer, ready for the air."""

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """What there is to blend, from the bottom up. For the clock thread; good until the next question."""

    def foresee(self, moment: Moment) -> None:
        """Have ready, if that takes long, what will be asked for in some frames. For the clock thread."""

    def draw_at_once(self) -> None:
        """Have every frame right rather than in time: for frames that are made offline."""

    def close(self) -> None:
        """Let go of threads."""


class _Plain:
    """An item without threads."""

    def foresee(self, moment: Moment) -> None:
        """Nothing takes long."""

    def draw_at_once(self) -> None:
        """Nothing is ever late."""

    def close(self) -> None:
        """There is nothing to let go of."""


class Still(_Plain):
    """A layer that stands still; `curve` where its opacity moves."""

    def __init__(self, looks: Sequence[Look], curve: Opacity | None) -> None:
        """They lie side by side."""
        self.looks, self._curve = tuple(looks), curve
        self._solid = tuple((look, 1.0) for look in looks)

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """All of it."""
        if self._curve is None:
            return self._solid
        opacity = self._curve.at(moment.age, moment.length)
        return tuple((look, opacity) for look in self.looks) if opacity > 0 else ()


class Moving(_Plain):
    """A layer that is only moved, or shows one picture after the other."""

    def __init__(self, mover: Mover, curve: Opacity) -> None:
        self.mover, self._curve = mover, curve

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """It, where it is now."""
        opacity = self._curve.at(moment.age, moment.length)
        looks = self.mover.shown(moment.age, moment.length) if opacity > 0 else ()
        return tuple((look, opacity) for look in looks)


class Sliding(_Plain):
    """A group that is only moved."""

    def __init__(self, slider: Slider, motion: Motion, curve: Opacity) -> None:
        self._slider, self._motion, self._curve = slider, motion, curve

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """It, where it is now."""
        opacity = self._curve.at(moment.age, moment.length)
        if opacity <= 0:
            return ()
        looks = self._slider.looks(self._motion.at(moment.age, moment.length))
        return tuple((look, opacity) for look in looks)


class Drawn(_Plain):
    """A layer that takes long to draw, so that what it will look like is drawn ahead."""

    def __init__(self, part: Part, curve: Opacity, worker: Worker) -> None:
        self._part, self._curve = part, curve
        self.ahead = Ahead(part.looks, worker)

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """It, as it is now."""
        opacity = self._curve.at(moment.age, moment.length)
        looks = self.ahead.at(self._part.state(moment)) if opacity > 0 else ()
        return tuple((look, opacity) for look in looks)

    def foresee(self, moment: Moment) -> None:
        """Have it drawn for that moment."""
        if self._curve.at(moment.age, moment.length) > 0:
            self.ahead.foresee(self._part.state(moment))


class Together:
    """Layers of a group that is as large as the picture and does nothing itself."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = tuple(items)

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """All that they show; no two of them share memory that is used again."""
        return [shown for item in self._items for shown in item.shown(moment)]

    def foresee(self, moment: Moment) -> None:
        """Pass it on."""
        for item in self._items:
            item.foresee(moment)

    def draw_at_once(self) -> None:
        """Pass it on."""
        for item in self._items:
            item.draw_at_once()

    def close(self) -> None:
        """Pass it on."""
        for item in self._items:
            item.close()


class Code(_Plain):
    """A frameCode layer: the program's frame number for machines."""

    def __init__(self, layer: Layer, motion: Motion, view: View, square: int) -> None:
        self._anchor, self._motion, self._view, self._square = layer.position.anchor, motion, view, square

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """The squares of this frame: on even pixels, and all of them in the picture."""
        value = framecode.pack(framecode.PROGRAM, moment.number)
        width, pose = framecode.BITS * self._square, self._motion.at(moment.age, moment.length)
        left, top = self._view.exact(self._anchor, pose.x, pose.y, width, self._square)
        across, down = slid(pose, self._view, left, top, width, self._square)
        x = min(max(nearest(left + across), 0), self._view.width - width)
        y = min(max(nearest(top + down), 0), self._view.height - self._square)
        return ((framecode.sprite(x - x % 2, y - y % 2, value, self._square), 1.0),)


class Clocked(_Plain):
    """A clock layer, or a countdown, that stands still: what it is going to say is drawn ahead."""

    def __init__(self, clock: StandingClock, curve: Opacity, worker: Worker) -> None:
        self._say, self._curve = clock.state, curve
        self.ahead = Ahead(clock.looks, worker)

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """Its face at this time."""
        opacity = self._curve.at(moment.age, moment.length)
        looks = self.ahead.at(self._say(moment)) if opacity > 0 else ()
        return tuple((look, opacity) for look in looks)

    def foresee(self, moment: Moment) -> None:
        """Have it drawn for that moment."""
        if self._curve.at(moment.age, moment.length) > 0:
            self.ahead.foresee(self._say(moment))


class Running(_Plain):
    """A ticker layer."""

    def __init__(self, ticker: Ticker, curve: Opacity) -> None:
        self.ticker, self._curve = ticker, curve

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """The band, and the text on it."""
        opacity = self._curve.at(moment.age, moment.length)
        if opacity <= 0:
            return ()
        ground = () if self.ticker.band is None else (self.ticker.band,)
        return [(look, opacity) for look in (*ground, *self.ticker.looks(moment.age))]


@dataclass(frozen=True, slots=True)
class Studio:
    """Where and with what the layers of an overlay are drawn: for `item_of`."""

    view: View
    rate: Fraction
    cache: SpriteCache
    room: Room
    wall: datetime
    """The time of day that clocks start from."""
    worker: Worker
    """Draws ahead."""
    cue_points: CuePoints = field(default_factory=dict)
    """Where the cue points lie that tracks name."""

    def moved(self, layer: Layer) -> tuple[Motion, Opacity]:
        """How the layer moves and fades."""
        return Motion(layer, self.rate, self.cue_points), Opacity(layer, self.rate, self.cue_points)

    def against(self, layer: Layer) -> Studio:
        """The same for that layer, whose position may count from an area of its own."""
        view = self.view.against(layer.position.area)
        return self if view is self.view else replace(self, view=view)

    @property
    def start(self) -> Moment:
        """The first moment of an overlay."""
        return Moment(0, None, 0, self.wall)


def item_of(layer: Layer, studio: Studio, tell: Tell) -> Item | None:
    """The layer, drawn, or if it cannot be, what stands in for it; None where nothing shows.

    `tell` gets a sentence for each thing that is wrong.
    """
    return _or_stand_in(layer, lambda one, say: _item(one, studio, say), tell)


def _or_stand_in(layer: Layer, draw: Callable[[Layer, Tell], T | None], tell: Tell) -> T | None:
    """What `draw` makes of the layer, or if that cannot be drawn, of what stands in for it."""
    wrong: list[str] = []
    drawn = _tried(layer, draw, wrong.append)
    for sentence in wrong:
        tell(sentence)
    instead = layer.stand_in if drawn is None and wrong else None
    return drawn if instead is None else _tried(instead, draw, tell)


def _tried(layer: Layer, draw: Callable[[Layer, Tell], T | None], tell: Tell) -> T | None:
    try:
        return draw(layer, tell)
    except Unusable as error:
        tell(str(error))
    except DRAWING_ERRORS as error:
        tell(f"It cannot be drawn ({error}); use another font, or a smaller size.")
    return None


def _item(layer: Layer, studio: Studio, tell: Tell) -> Item | None:
    studio = studio.against(layer)
    motion, curve = studio.moved(layer)
    if layer.frame_code is not None:
        return _code(layer, layer.frame_code, motion, studio.view, tell)
    if layer.group is not None:
        return _group(layer, layer.group, motion, curve, studio, tell)
    if motion.still and layer.mask is None and (layer.clock or layer.countdown):
        clock = StandingClock(layer, studio.view, studio.rate, studio.start, studio.room, tell)
        return Clocked(clock, curve, studio.worker)
    if motion.still and layer.ticker is not None:
        ticker = Ticker(layer.ticker, layer.position, studio.view, studio.rate, studio.room, tell)
        return Running(ticker, curve)
    if motion.still and not _lively(layer):
        constant = curve.constant
        opacity = 1.0 if constant is None else constant
        looks = rasterise(layer, studio.view, opacity, studio.cache, studio.room, tell)
        return Still(looks, curve if constant is None else None) if looks else None
    part = _part(layer, motion, studio, tell, planar=True)
    if isinstance(part, Mover) and part.constant:
        looks = part.shown(0, None)
        return Still(looks, curve) if looks else None
    if isinstance(part, Mover) and part.fast:
        return Moving(part, curve)
    return Drawn(part, curve, studio.worker)


def _lively(layer: Layer) -> bool:
    """Whether the layer changes by itself."""
    image = layer.image
    moving = image is not None and (image.sequence is not None or image.played is not Play.STILL)
    return moving or any(part is not None for part in (layer.clock, layer.countdown, layer.ticker))


def _part(layer: Layer, motion: Motion, studio: Studio, tell: Tell, *, planar: bool) -> Part:
    """The layer, to be moved or put into a group. Raises Unusable."""
    view, rate, room = studio.view, studio.rate, studio.room
    if layer.clock or layer.countdown:
        return MovingClock(layer, motion, view, rate, studio.start, room, tell)
    if layer.image is not None and layer.image.sequence is not None:
        return PictureSequence(layer, layer.image, motion, view, rate, room, tell)
    if layer.ticker is not None:
        return Runner(layer, motion, view, rate, room, tell)
    return Mover(layer, motion, view, rate, room, tell, planar=planar)


def _group(
    layer: Layer, group: GroupLayer, motion: Motion, curve: Opacity, studio: Studio, tell: Tell
) -> Item | None:
    """A group: as cheap an item as what it does and what is in it allow."""
    key = key_of(layer, studio.view, 1.0)
    if not layer.tracks and (drawn := known(key, studio.cache, studio.room)) is not None:
        keep(key, drawn, studio.cache, studio.room)
        return Still(drawn.looks, curve)
    inner = inside(layer, group, motion, studio.view)
    plain = motion.still and layer.mask is None and curve.constant == 1.0
    if plain and inner.whole == studio.view.whole and studio.view.area is Area.CANVAS:
        within = replace(studio, view=inner)
        items = [item_of(one, within, _named(one, tell)) for one in group.layers]
        return Together([item for item in items if item is not None])
    still, moving = studio.room.used
    wrong: list[str] = []
    made = _grouped(layer, group, motion, inner, studio, wrong.append)
    for sentence in wrong:
        tell(sentence)
    if made.constant:
        looks = looks_of(made.patch(made.state(studio.start), studio.room.take_still))
        if not looks:
            return None
        used = studio.room.used
        drawn = Drawing(looks, used[0] - still, used[1] - moving)
        keep(key, drawn, studio.cache if not wrong and not layer.tracks else None, studio.room)
        return Still(drawn.looks, curve)
    if made.settled and motion.moves_only:
        slider = made.slider(studio.start, studio.room.take_moving)
        return None if slider is None else Sliding(slider, motion, curve)
    studio.room.take_group(made.pixels)
    return Drawn(made, curve, studio.worker)


def _grouped(
    layer: Layer, group: GroupLayer, motion: Motion, inner: View, studio: Studio, tell: Tell
) -> Group:
    """The group with what is in it drawn; what cannot be drawn is left out, and told. Raises Unusable."""
    members = []
    within = replace(studio, view=inner)
    for one in group.layers:
        member = _or_stand_in(one, lambda layer, say: _member(layer, within, say), _named(one, tell))
        if member is not None:
            members.append(member)
    return Group(layer, motion, studio.view, inner, members, tell)


def _member(layer: Layer, studio: Studio, tell: Tell) -> Member | None:
    studio = studio.against(layer)
    motion, curve = studio.moved(layer)
    if layer.group is None:
        return Member(_part(layer, motion, studio, tell, planar=False), curve)
    inner = inside(layer, layer.group, motion, studio.view)
    made = _grouped(layer, layer.group, motion, inner, studio, tell)
    studio.room.take_group(made.pixels)
    return Member(made, curve)


def _named(layer: Layer, tell: Tell) -> Tell:
    """Tells of a layer in a group, with its name."""
    return lambda sentence: tell(f"{layer.name}: {sentence}")


def _code(layer: Layer, code: FrameCodeLayer, motion: Motion, view: View, tell: Tell) -> Code | None:
    square = code.square - code.square % 2
    width = framecode.BITS * square
    if width > view.width or square > view.height:
        most = view.width // framecode.BITS // 2 * 2
        if most < framecode.SMALLEST:
            remedy = f"the smallest one needs {framecode.BITS * framecode.SMALLEST}. Leave it out."
        else:
            remedy = f"set frameCode.square to {most} or less."
        tell(f"The frame code is {width} pixels wide and the program {view.width}; {remedy}")
        return None
    return Code(layer, motion, view, square)
