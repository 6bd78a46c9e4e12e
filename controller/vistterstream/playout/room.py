"""How much may be drawn and kept: of one overlay in pixels, of a program in bytes.

A playout that runs out of memory is off the air. So what does not fit is not drawn, and is told; the rest is.
What fits follows from the manifests and the order of layers alone, never from what happens to be drawn
already: live and offline show the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from vistterstream.playout.geometry import EVERYWHERE, Rect
from vistterstream.playout.pieces import Bounds, Unusable

MAX_MOVING_PIXELS = 12_000_000
"""Pixels of all layers of an overlay that move, all frames of animations and texts of tickers included."""
MAX_STILL_PIXELS = 2 * 3840 * 2160
"""Pixels drawn of all layers of an overlay that stand still; of rectangles only those at the corners."""
MAX_GROUP_PIXELS = 2 * 3840 * 2160
"""Pixels of the boxes of all groups of an overlay whose contents change."""
MAX_PROGRAM_BYTES = 512 * 2**20
"""What all overlays of a program may keep; what is shared is counted once."""

_MOVING_BYTES = 16  # kept for each pixel of what moves: see `Planar`, `Plate`

Kept = tuple[str | None, int]
"""A digest of what is kept, where others may share it, and its bytes."""


class Purse:
    """What the overlays of a program may still keep."""

    def __init__(self, limit: int = MAX_PROGRAM_BYTES) -> None:
        self._limit, self._left = limit, limit
        self._known: set[str] = set()

    def fits(self, kept: Iterable[Kept]) -> bool:
        """Whether there is enough for that."""
        unknown = {name: size for name, size in kept if name is not None and name not in self._known}
        return sum(unknown.values()) + sum(size for name, size in kept if name is None) <= self._left

    def take(self, kept: Iterable[Kept]) -> None:
        """Use so much. Raises Unusable where there is no more."""
        kept = tuple(kept)
        if not self.fits(kept):
            raise Unusable(
                f"The overlays of this program take more than {self._limit // 2**20} MB together; show fewer "
                "of them, or make their layers smaller."
            )
        for name, size in kept:
            if name is None or name not in self._known:
                self._left -= size
            if name is not None:
                self._known.add(name)


class Room:
    """What the layers of one overlay may still take."""

    def __init__(self, purse: Purse | None = None) -> None:
        """`purse`: that of the program; one of its own without."""
        self._purse = purse or Purse()
        self._moving, self._still, self._groups = MAX_MOVING_PIXELS, MAX_STILL_PIXELS, MAX_GROUP_PIXELS
        self.kept: list[Kept] = []
        """What has been kept."""

    def beside(self) -> Room:
        """As much again, for another drawing of the same overlay; what both keep is counted together."""
        room = Room(self._purse)
        room.kept = self.kept
        return room

    @property
    def used(self) -> tuple[int, int]:
        """Pixels taken so far by layers that stand still, and by those that move."""
        return MAX_STILL_PIXELS - self._still, MAX_MOVING_PIXELS - self._moving

    @property
    def anywhere(self) -> Bounds:
        """The bounds of what moves."""
        return Bounds(EVERYWHERE, self.take_moving)

    def within(self, rect: Rect) -> Bounds:
        """The bounds of what stands still in that part of the picture."""
        return Bounds(rect, self.take_still)

    def take_moving(self, pixels: int) -> None:
        """Use so many pixels for what moves. Raises Unusable where there are no more."""
        if pixels > self._moving:
            raise Unusable(
                f"The layers of this overlay that move have more than {MAX_MOVING_PIXELS // 1_000_000} "
                "million pixels together; make some smaller, or let them stand still."
            )
        self.keep(None, pixels * _MOVING_BYTES)
        self._moving -= pixels

    def take_still(self, pixels: int) -> None:
        """Use so many pixels for what stands still. Raises Unusable where there are no more."""
        if pixels > self._still:
            raise Unusable(
                f"The layers of this overlay that stand still have more than {MAX_STILL_PIXELS // 1_000_000} "
                "million pixels together; make some smaller, or put several pictures into one."
            )
        self._still -= pixels

    def take_group(self, pixels: int) -> None:
        """Use so many pixels for a group whose contents change. Raises Unusable where there are no more."""
        if pixels > self._groups:
            raise Unusable(
                f"The groups of this overlay have more than {MAX_GROUP_PIXELS // 1_000_000} million pixels "
                "together; give them a smaller width and height."
            )
        self._groups -= pixels

    def keep(self, name: str | None, size: int) -> None:
        """So many bytes are kept, under a digest where others may share them. Raises Unusable."""
        kept = ((name, size),)
        self._purse.take(kept)
        self.kept += kept
