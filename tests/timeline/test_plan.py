"""The plan's own form."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from vistterstream.resources.program import Format
from vistterstream.timeline.plan import PLAN_VERSION, Plan, TimelinePlan, VideoCuePlan


def test_a_plan_reads_back_as_it_was_written() -> None:
    timeline = TimelinePlan(
        name="t", length=10, loop=True, video=(VideoCuePlan(start=0, end=10, camera="a", fade=3),)
    )
    plan = Plan(namespace="default", program="main", format=Format(), timeline=timeline)
    assert plan.version == PLAN_VERSION
    assert Plan.model_validate_json(plan.model_dump_json(by_alias=True)) == plan
    assert Plan.model_validate(plan.dump()) == plan


def test_a_plan_of_an_unknown_shape_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        Plan.model_validate({"namespace": "default", "program": "main", "format": {}, "colour": "red"})
