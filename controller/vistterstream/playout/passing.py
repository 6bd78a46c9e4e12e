"""Overlays that come and go as one: what `enter` and `exit` of a cue do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vistterstream.playout.items import Item, Shown, Studio, item_of
from vistterstream.playout.moment import Moment
from vistterstream.playout.pieces import Tell
from vistterstream.resources.overlay import Area, Envelope, GroupLayer, Layer, Position
from vistterstream.timeline.tracks import Passage

Drawn = tuple[Layer, Item]
"""A layer, and what has been drawn of it."""


class Passing:
    """Layers that are a group while they come or go, and themselves between: a group costs more."""

    def __init__(self, items: Sequence[Item], group: Item, passage: Passage) -> None:
        self._items, self._group, self._passage = tuple(items), group, passage

    def shown(self, moment: Moment) -> Sequence[Shown]:
        """What there is to blend."""
        return [shown for item in self._now(moment) for shown in item.shown(moment)]

    def foresee(self, moment: Moment) -> None:
        """Pass it on to what will be shown."""
        for item in self._now(moment):
            item.foresee(moment)

    def draw_at_once(self) -> None:
        """Pass it on."""
        for item in (*self._items, self._group):
            item.draw_at_once()

    def close(self) -> None:
        """Pass it on."""
        for item in (*self._items, self._group):
            item.close()

    def _now(self, moment: Moment) -> Sequence[Item]:
        return (self._group,) if self._passage.at(moment.age, moment.length) else self._items


def as_one(
    drawn: Sequence[Drawn], enter: Envelope | None, exit: Envelope | None, studio: Studio, tell: Tell
) -> tuple[Item, ...]:
    """The layers, from the bottom up, such that they come and go as one. `tell` gets a sentence for each
    that cannot, with its name.

    Frame codes are left out of it: they are always solid, and lie on top while the others pass.
    """
    items = tuple(item for _, item in drawn)
    layers = tuple(_placed(layer, studio) for layer, _ in drawn if layer.frame_code is None)
    if (enter is None and exit is None) or not layers:
        return items
    # Not validated: groups stand one deeper in each other than anybody may write them.
    group = GroupLayer.model_construct(width=None, height=None, layers=layers)
    there = Position(area=Area.CANVAS)
    whole = Layer.model_construct(name="all", group=group, position=there, enter=enter, exit=exit)
    one = item_of(whole, replace(studio, room=studio.room.beside()), tell)
    if one is None:
        return items
    plain = [item for layer, item in drawn if layer.frame_code is None]
    codes = [item for layer, item in drawn if layer.frame_code is not None]
    return (Passing(plain, one, Passage(enter, exit, studio.rate)), *codes)


def _placed(layer: Layer, studio: Studio) -> Layer:
    """The layer with its position as it is outside of a group: the box is all of the canvas here."""
    position = layer.position.model_copy(update={"area": layer.position.area or studio.view.canvas.area})
    return layer.model_copy(update={"position": position})
