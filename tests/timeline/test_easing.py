"""Easing: the curves of CSS, by name and by control points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.resources.overlay import Easing
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


def test_an_overlay_s_easings_are_easings() -> None:
    for easing in Easing:
        assert ease(easing, 0.25) == ease(EasingFunction.parse(easing.value), 0.25)
