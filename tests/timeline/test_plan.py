"""The plan's own form."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from vistterstream.resources.program import Format
from vistterstream.resources.quantities import EasingFunction
from vistterstream.resources.timeline import TransitionType
from vistterstream.timeline.plan import (
    PLAN_VERSION,
    DailyPlan,
    Plan,
    TimelinePlan,
    TransitionPlan,
    VideoCuePlan,
)


def test_a_plan_reads_back_as_it_was_written() -> None:
    transition = TransitionPlan(type=TransitionType.WIPE, frames=3, easing=EasingFunction("easeIn"))
    cue = VideoCuePlan(start=0, end=10, camera="a", transition=transition)
    daily = DailyPlan(second=34200, time_zone="Europe/Oslo")
    timeline = TimelinePlan(name="t", length=10, loop=True, daily=daily, video=(cue,))
    plan = Plan(namespace="default", program="main", format=Format(), timeline=timeline)
    assert plan.version == PLAN_VERSION
    assert Plan.model_validate_json(plan.model_dump_json(by_alias=True)) == plan
    assert Plan.model_validate(plan.dump()) == plan


def test_a_plan_of_an_unknown_shape_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        Plan.model_validate({"namespace": "default", "program": "main", "format": {}, "colour": "red"})
