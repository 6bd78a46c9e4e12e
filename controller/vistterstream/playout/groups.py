"""Groups: layers that stand, move, fade and are cut as one.

What is in a group is laid together in full resolution, premultiplied, in the group's box; that is cut to the
box, masked, and then posed as any other layer. Contents that do not change are laid together once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from vistterstream.playout.frames import Floats
from vistterstream.playout.geometry import Rect, View
from vistterstream.playout.masks import coverage
from vistterstream.playout.moment import Moment
from vistterstream.playout.moving import finer_for
from vistterstream.playout.pieces import Bounds, Tell, Unusable, unlimited
from vistterstream.playout.plates import Patch, Plate, looks_of, together
from vistterstream.playout.sliding import Slider
from vistterstream.playout.sprites import Looks
from vistterstream.playout.turning import Turner
from vistterstream.resources.overlay import GroupLayer, Layer
from vistterstream.timeline.tracks import Motion, Opacity, Pose

MAX_GROUP_PIXELS = 3840 * 2160
"""Pixels of the largest group: 133 MB where all of it is filled."""


class Part(Protocol):
    """A layer whose look follows from a state that is found fast. Any thread may ask for a patch."""

    @property
    def constant(self) -> bool:
        """Whether it looks the same in every frame."""

    def state(self, moment: Moment) -> Hashable:
        """All that it depends on at that moment."""

    def patch(self, state: Hashable) -> Patch | None:
        """What it looks like in that state, in full resolution."""

    def looks(self, state: Hashable) -> Looks:
        """The same, ready for blending."""


@dataclass(frozen=True, slots=True)
class Member:
    """A layer of a group."""

    part: Part
    curve: Opacity

    @property
    def constant(self) -> bool:
        """Whether it looks the same in every frame."""
        return self.part.constant and self.curve.constant is not None


Held = tuple[float, Hashable] | None
"""The opacity and the state of a member; None where it is invisible."""


class State(NamedTuple):
    """How a group stands, and what is in it."""

    pose: Pose
    members: tuple[Held, ...]


def inside(layer: Layer, group: GroupLayer, motion: Motion, view: View) -> View:
    """The view of the layers in the group, as finely as it is drawn. Raises Unusable."""
    box = view.of_group(group.width, group.height).finer(finer_for(motion))
    width, height = box.whole.width, box.whole.height
    if width * height > MAX_GROUP_PIXELS:
        raise Unusable(
            f"The box of the group has {width}x{height} pixels, at most {MAX_GROUP_PIXELS // 1_000_000} "
            "million are possible; give it a smaller width or height, or a smaller scale."
        )
    return box


class Group:
    """A group of layers."""

    def __init__(
        self, layer: Layer, motion: Motion, view: View, inner: View, members: Sequence[Member], tell: Tell
    ) -> None:
        """`inner` is the view `inside`, for which the members have been made."""
        self._layer, self._motion, self._view = layer, motion, view
        self._members = tuple(members)
        self._bounds = inner.whole
        self._finer = finer_for(motion)
        self._mask: Floats | None = None
        if layer.mask is not None:
            left = coverage(layer.mask, self._bounds, self._bounds, inner, tell)
            self._mask = None if left is None else left.astype(np.float32)[..., np.newaxis] / np.float32(255)
        self._made: tuple[tuple[Held, ...], Slider | Turner | None] | None = None

    @property
    def settled(self) -> bool:
        """Whether what is in it looks the same in every frame."""
        return all(member.constant for member in self._members)

    @property
    def constant(self) -> bool:
        """Whether it looks the same in every frame."""
        return self.settled and self._motion.constant

    def state(self, moment: Moment) -> State:
        """All that it depends on at that moment."""
        held = tuple(_held(member, moment) for member in self._members)
        return State(self._motion.at(moment.age, moment.length), held)

    @property
    def pixels(self) -> int:
        """Of its box, as finely as it is drawn."""
        return self._bounds.width * self._bounds.height

    def patch(self, state: Hashable, take: Callable[[int], None] = unlimited) -> Patch | None:
        """What it looks like in that state; `take` is told of its pixels, and may raise Unusable."""
        assert isinstance(state, State), "it is what `state` gave"
        drawn = self._drawn(state, take)
        return None if drawn is None else drawn.patch(state.pose)

    def looks(self, state: Hashable) -> Looks:
        """The same, ready for blending."""
        assert isinstance(state, State), "it is what `state` gave"
        drawn = self._drawn(state, unlimited)
        if isinstance(drawn, Turner):
            return drawn.looks(state.pose)
        return () if drawn is None else looks_of(drawn.patch(state.pose))

    def _drawn(self, state: State, take: Callable[[int], None]) -> Slider | Turner | None:
        made = self._made  # read once: another thread may put another there
        if made is None or made[0] != state.members:
            self._made = made = (state.members, self._posable(state.members, planar=False, take=take))
        return made[1]

    def slider(self, moment: Moment, take: Callable[[int], None] = unlimited) -> Slider | None:
        """What moves where contents are `settled` and only the place changes; None if nothing shows.

        `take` is told of its pixels, and may raise Unusable.
        """
        made = self._posable(self.state(moment).members, planar=True, take=take)
        assert made is None or isinstance(made, Slider), "it only moves"
        return made

    def _posable(
        self, members: tuple[Held, ...], *, planar: bool, take: Callable[[int], None]
    ) -> Slider | Turner | None:
        contents = self._contents(members, take)
        if contents is None:
            return None
        pixels, rect = contents
        across, down = self._corner()
        seen = Rect(rect.x + across, rect.y + down, rect.width, rect.height)
        box = Rect(across, down, self._bounds.width, self._bounds.height)
        drawn = Plate(pixels, seen, box)
        if self._motion.moves_only:
            return Slider(drawn, self._layer, self._view, planar=planar)
        anchor = self._layer.position.anchor
        return Turner(drawn, anchor, self._view, self._finer, lasting=self.settled)

    def _corner(self) -> tuple[int, int]:
        """Where the box lies while the group rests, in pixels as fine as it is drawn."""
        view = self._view.finer(self._finer)
        place = view.place(self._layer.position, self._bounds.width, self._bounds.height)
        return place.x, place.y

    def _contents(self, members: tuple[Held, ...], take: Callable[[int], None]) -> Patch | None:
        patches = []
        for member, held in zip(self._members, members, strict=True):
            if held is None:
                continue
            opacity, state = held
            patch = member.part.patch(state)
            if patch is not None:
                patches.append((patch, opacity))
        whole = together(patches, Bounds(self._bounds, take))
        if whole is None or self._mask is None:
            return whole
        pixels, rect = whole
        left = self._mask[rect.y : rect.y + rect.height, rect.x : rect.x + rect.width]
        return pixels * left, rect


def _held(member: Member, moment: Moment) -> Held:
    opacity = member.curve.at(moment.age, moment.length)
    return (opacity, member.part.state(moment)) if opacity > 0 else None
