"""Easing: how far a move has come when a share of its time has passed. Shared by transitions and overlays.

The curves are those of CSS Easing Functions 1; their names and control points stand in
`vistterstream.resources.quantities`. Pure: the same input gives the same output to the bit.
"""

from __future__ import annotations

from functools import lru_cache

from vistterstream.resources.quantities import EasingFunction


def ease(easing: str, share: float) -> float:
    """The share of the way covered when `share` (0 to 1) of the time has passed.

    `easing` is the text of an `EasingFunction` (an `Easing` of an overlay is one too; it has been
    checked). ``hold`` and ``stepEnd`` stay at the old value until the end, ``stepStart`` is at
    the new one from the start. The Back curves, and a ``cubic-bezier`` of one's own, may leave 0..1.
    """
    if easing == "linear":
        return share
    name, points = _known(easing)
    if points is not None:
        return cubic_bezier(*points, share)
    if name == "linear":
        return share
    if name == "stepStart":
        return 1.0
    return 0.0 if share < 1.0 else 1.0


@lru_cache(maxsize=1024)
def _known(easing: str) -> tuple[str, tuple[float, float, float, float] | None]:
    function = EasingFunction.parse(str(easing))
    return function.name, function.control_points


def cubic_bezier(x1: float, y1: float, x2: float, y2: float, x: float) -> float:
    """Height of the curve from (0, 0) to (1, 1) at `x`, which grows with the parameter (x1, x2 in 0..1)."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    low, high = 0.0, 1.0
    while high - low > 1e-9:
        t = (low + high) / 2
        rest = 1 - t  # `_bernstein`, written out: this is asked many times a frame
        if 3 * rest * rest * t * x1 + 3 * rest * t * t * x2 + t * t * t < x:
            low = t
        else:
            high = t
    return _bernstein(y1, y2, (low + high) / 2)


def _bernstein(first: float, second: float, t: float) -> float:
    """Cubic Bézier polynomial with end values 0 and 1 and the two control values."""
    return 3 * (1 - t) * (1 - t) * t * first + 3 * (1 - t) * t * t * second + t * t * t
