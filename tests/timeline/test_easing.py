"""Easing: the curves of CSS, by name and by control points."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.resources.quantities import CUBIC_BEZIERS, EasingFunction
from vistterstream.timeline.easing import ease

NAMES = ["linear", "hold", "stepEnd", *CUBIC_BEZIERS]


@pytest.mark.parametrize(
    "easing", [*CUBIC_BEZIERS, "cubic-bezier(0.2, 0, 0, 1)", "cubic-bezier(0.9,-2,.1,3)"]
)
def test_curves_are_those_of_css(easing: str) -> None:
    points = EasingFunction.parse(easing).control_points
    assert points is not None
    x1, y1, x2, y2 = points
    for x in np.linspace(0.01, 0.99, 37):
        # x(t) = 3(1-t)²t·x1 + 3(1-t)t²·x2 + t³, solved by NumPy instead of by bisection
        roots = np.roots([1 + 3 * x1 - 3 * x2, 3 * x2 - 6 * x1, 3 * x1, -x])
        (t,) = (root.real for root in roots if abs(root.imag) < 1e-9 and -1e-9 <= root.real <= 1 + 1e-9)
        y = 3 * (1 - t) ** 2 * t * y1 + 3 * (1 - t) * t**2 * y2 + t**3
        assert ease(easing, float(x)) == pytest.approx(y, abs=1e-6)


def _back(s: float) -> Callable[[float], float]:
    return lambda x: (s + 1) * x**3 - s * x**2


# Robert Penner's equations, which the names are taken from: of each the curve that gathers speed.
GATHERING: dict[str, Callable[[float], float]] = {
    "Sine": lambda x: 1 - math.cos(math.pi * x / 2),
    "Quad": lambda x: x**2,
    "Cubic": lambda x: x**3,
    "Quart": lambda x: x**4,
    "Quint": lambda x: x**5,
    "Expo": lambda x: 2 ** (10 * x - 10) if x else 0.0,
    "Circ": lambda x: 1 - math.sqrt(1 - x * x),
    "Back": _back(1.70158),
}


@pytest.mark.parametrize("family", GATHERING)
def test_named_curves_are_near_the_equations_that_they_are_named_after(family: str) -> None:
    """A cubic curve cannot be those exactly: within 0.013 of them, and within 0.04 where two are joined."""
    gather = GATHERING[family]
    twice = _back(1.70158 * 1.525) if family == "Back" else gather

    def both(x: float) -> float:
        return twice(2 * x) / 2 if x < 0.5 else 1 - twice(2 - 2 * x) / 2

    for step in range(201):
        x = step / 200
        assert ease(f"easeIn{family}", x) == pytest.approx(gather(x), abs=0.013)
        assert ease(f"easeOut{family}", x) == pytest.approx(1 - gather(1 - x), abs=0.013)
        assert ease(f"easeInOut{family}", x) == pytest.approx(both(x), abs=0.04)


@pytest.mark.parametrize(
    ("easing", "heights"),
    [
        ("ease", (0.4085, 0.8024, 0.9605)),
        ("ease-in", (0.0935, 0.3154, 0.6219)),
        ("ease-out", (0.3781, 0.6846, 0.9065)),
        ("ease-in-out", (0.1292, 0.5, 0.8708)),
        ("cubic-bezier(0, 0, 1, 1)", (0.25, 0.5, 0.75)),
    ],
)
def test_the_names_of_css_are_where_browsers_have_them(
    easing: str, heights: tuple[float, float, float]
) -> None:
    assert [ease(easing, x) for x in (0.25, 0.5, 0.75)] == pytest.approx(heights, abs=1e-4)


@pytest.mark.parametrize("easing", NAMES)
def test_every_easing_starts_at_the_old_value_and_ends_at_the_new(easing: str) -> None:
    assert ease(easing, 0.0) == 0.0
    assert ease(easing, 1.0) == 1.0


def test_a_step_at_the_start_is_there_at_once_and_one_at_the_end_is_not() -> None:
    assert [ease("stepStart", share) for share in (0, 0.5, 1)] == [1, 1, 1]
    assert [ease("step-end", share) for share in (0, 0.999, 1)] == [0, 0, 1]


@pytest.mark.parametrize(("easing", "middle"), [("linear", 0.5), ("easeInOutCubic", 0.5), ("hold", 0.0)])
def test_symmetrical_easings_are_half_way_in_the_middle(easing: str, middle: float) -> None:
    assert ease(easing, 0.5) == pytest.approx(middle, abs=1e-9)


@given(st.sampled_from([name for name in NAMES if "Back" not in name]), st.floats(0, 1), st.floats(0, 1))
def test_easings_rise_and_stay_between_0_and_1(easing: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= ease(easing, low) <= ease(easing, high) + 1e-8 <= 1 + 1e-8


def test_back_goes_beyond() -> None:
    assert min(ease("easeInBack", x / 20) for x in range(20)) < -0.05
    assert max(ease("easeOutBack", x / 20) for x in range(20)) > 1.05


@pytest.mark.parametrize(
    ("css", "name"), [("ease-in-out", "easeInOut"), ("step-start", "stepStart"), ("ease", "ease")]
)
def test_the_spelling_of_css_is_taken_too(css: str, name: str) -> None:
    assert EasingFunction.parse(css).name == name
    assert ease(css, 0.3) == ease(name, 0.3)
    control_points = EasingFunction.parse(css).control_points
    assert control_points == CUBIC_BEZIERS.get(name)


@pytest.mark.parametrize(
    "text", ["", "easein", "cubic-bezier(0,0,1)", "cubic-bezier(1.1,0,0,1)", "cubic-bezier(0,0,-0.1,1)"]
)
def test_what_is_no_easing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"easing|x1 and x2"):
        EasingFunction.parse(text)
