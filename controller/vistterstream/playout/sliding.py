"""Layers that keep their shape and only move."""

from __future__ import annotations

from vistterstream.playout.geometry import Rect, View, nearest
from vistterstream.playout.planar import Planar
from vistterstream.playout.plates import Patch, Plate, shifted
from vistterstream.playout.sprites import Looks
from vistterstream.resources.overlay import Layer, Side
from vistterstream.timeline.tracks import Pose


class Slider:
    """A layer that keeps its shape and only moves.

    Where it comes to rest (at the last keyframes of x and y, or its position) it stands on whole pixels, as
    a layer that never moves does.
    """

    def __init__(self, drawn: Plate, layer: Layer, view: View, *, planar: bool = True) -> None:
        """`planar` prepares for `looks`; without there is `patch`, and not the other."""
        self._planar = Planar(drawn.pixels) if planar else None
        self._drawn = None if planar else drawn
        self._view = view
        self._rest = _rest(layer)
        box, seen = drawn.box, drawn.seen
        left, top = view.exact(layer.position.anchor, *self._rest, box.width, box.height)
        self._home = Rect(
            nearest(left) + seen.x - box.x, nearest(top) + seen.y - box.y, seen.width, seen.height
        )

    def looks(self, pose: Pose) -> Looks:
        """What it looks like in that pose; good until the next question."""
        assert self._planar is not None, "it was made to have looks"
        return self._planar.at(*self.place(pose), self._view.whole)

    def patch(self, pose: Pose) -> Patch | None:
        """The same in full resolution, where it was not made to have looks."""
        assert self._drawn is not None, "it was made to have patches"
        return shifted(self._drawn, *self.place(pose), self._view.whole)

    def place(self, pose: Pose) -> tuple[float, float]:
        """Left and top of its pixels in that pose."""
        left = self._home.x + (pose.x - self._rest[0]) * self._view.scale_x
        top = self._home.y + (pose.y - self._rest[1]) * self._view.scale_y
        across, down = slid(pose, self._view, left, top, self._home.width, self._home.height)
        return left + across, top + down


def slid(pose: Pose, view: View, left: float, top: float, width: float, height: float) -> tuple[float, float]:
    """How far a layer with that rectangle has slid, in program pixels."""
    if pose.slide is None:
        return 0.0, 0.0
    side, share, distance = pose.slide
    if side in (Side.LEFT, Side.RIGHT):
        whole = distance * view.scale_x if distance is not None else None
        way = left + width if side is Side.LEFT else view.whole.width - left
        far = (whole if whole is not None else max(way, 0.0)) * share
        return (-far if side is Side.LEFT else far), 0.0
    whole = distance * view.scale_y if distance is not None else None
    way = top + height if side is Side.TOP else view.whole.height - top
    far = (whole if whole is not None else max(way, 0.0)) * share
    return 0.0, (-far if side is Side.TOP else far)


def _rest(layer: Layer) -> tuple[float, float]:
    """Where its position comes to rest, in canvas pixels from its anchor."""
    last = {track.property.value: track.keyframes[-1].value for track in layer.tracks}
    x, y = last.get("x"), last.get("y")
    return (
        layer.position.x if x is None else x,
        layer.position.y if y is None else y,
    )
