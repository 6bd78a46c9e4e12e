"""The parts of a plan that the next one takes over where it has the same. Pure.

Of a timeline of thousands of cues an edit changes a few. Each part is known by all that it was made of, so
that a plan comes out the same whether it was made anew or of the parts of another; what it took over is the
very same object, which is found out at once where two plans are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from vistterstream.timeline.flatten import FlatCue, FlatOverlay, Piece
from vistterstream.timeline.plan import OverlayCuePlan, OverlayInstance, VideoCuePlan

V = TypeVar("V")


class Shown(NamedTuple):
    """The plan that came of a video cue, nothing being wrong, and what it follows from."""

    flat: FlatCue
    key: object
    plan: VideoCuePlan


class Overlaid(NamedTuple):
    """The same of an overlay cue, and what its overlay follows from."""

    flat: FlatOverlay
    key: object
    plan: OverlayCuePlan
    instance: object


@dataclass(frozen=True, slots=True)
class Parts:
    """What one plan was made of, each by what it follows from."""

    video: Mapping[object, VideoCuePlan] = field(default_factory=dict)
    overlays: Mapping[object, OverlayCuePlan] = field(default_factory=dict)
    instances: Mapping[object, tuple[OverlayInstance, tuple[str, ...]]] = field(default_factory=dict)
    """Each with sentences about what it lacks."""
    pieces: Mapping[object, Piece] = field(default_factory=dict)
    surroundings: object = None
    """All but itself that a cue's plan follows from: while it is equal, `shown` and `overlaid` hold."""
    shown: Mapping[int, Shown] = field(default_factory=dict)
    """By the identity of the cues in `pieces`, which they keep: one look-up for each of thousands."""
    overlaid: Mapping[int, Overlaid] = field(default_factory=dict)


class Workshop(Generic[V]):
    """Makes parts of one sort, or takes those `before`; what is not asked for again is forgotten."""

    def __init__(self, before: Mapping[object, V]) -> None:
        self._before = before
        self.made: dict[object, V] = {}

    def get(self, key: object, make: Callable[[], V]) -> V:
        """The part that follows from `key` alone."""
        found = self.made.get(key)
        if found is None:
            found = self._before.get(key)
            self.made[key] = found = make() if found is None else found
        return found


NOTHING = Parts()
"""Of no plan."""
