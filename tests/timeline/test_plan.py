"""The plan's own form."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from vistterstream.resources.program import Format
from vistterstream.resources.quantities import EasingFunction
from vistterstream.resources.timeline import TransitionType
from vistterstream.timeline.plan import (
    PLAN_VERSION,
    DailyPlan,
    ImagePlan,
    OverlayCuePlan,
    Plan,
    PlanText,
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


def test_words_name_the_file_that_a_copy_is_of() -> None:
    plan = Plan(namespace="default", program="main", format=Format(), originals={"/st/1a.png": "/m/air.png"})
    assert plan.worded("/st/1a.png is no picture, /st/2b.png is") == "/m/air.png is no picture, /st/2b.png is"
    assert ImagePlan(id="i", file="/st/1a.png", name="air.png").called == "air.png"
    assert ImagePlan(id="i", file="/m/air.png").called == "air.png"


def test_a_plan_of_an_unknown_shape_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        Plan.model_validate({"namespace": "default", "program": "main", "format": {}, "colour": "red"})


def _plan(*cameras: str, overlays: int = 0) -> Plan:
    cues = tuple(VideoCuePlan(start=at, end=at + 1, camera=name) for at, name in enumerate(cameras))
    shown = tuple(OverlayCuePlan(start=at, end=None, instance="x") for at in range(overlays))
    timeline = TimelinePlan(name="t", length=10, loop=True, video=cues, overlays=shown)
    return Plan(namespace="default", program="main", format=Format(), timeline=timeline)


def test_what_stands_in_a_plan_as_in_the_one_before_is_not_read_again() -> None:
    before, after = _plan("a", "b", "c", overlays=2), _plan("a", "x", "c", overlays=2)
    read = Plan.read(PlanText.of(after.text), before)
    assert read == after
    assert read.timeline is not None
    assert before.timeline is not None
    same = [one is other for one, other in zip(read.timeline.video, before.timeline.video, strict=True)]
    assert same == [True, False, True]
    assert read.timeline.overlays[0] is before.timeline.overlays[0]


@pytest.mark.parametrize(
    "plan",
    [
        _plan(),
        _plan("a"),
        _plan("a", overlays=1),
        Plan(namespace="default", program="main", format=Format()),
    ],
    ids=["gap", "cue", "both", "none"],
)
def test_a_plan_is_one_json_object_however_it_is_laid_out(plan: Plan) -> None:
    assert json.loads(plan.text) == plan.dump()
    for laid_out in (plan.text, json.dumps(plan.dump()).encode(), json.dumps(plan.dump(), indent=1).encode()):
        assert Plan.read(PlanText.of(laid_out)) == plan


@pytest.mark.parametrize("change", [(b"\n{", b"\n{{"), (b"],", b"]\n,\n{}\n,"), (b'"name":"t"', b'"name":7')])
def test_a_plan_with_a_broken_line_is_refused(change: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Plan.read(PlanText.of(_plan("a", overlays=1).text.replace(*change)))


def test_a_copy_with_other_values_is_put_into_words_anew() -> None:
    plan = _plan("a")
    assert plan.timeline is not None
    cue = plan.timeline.video[0]
    assert b'"camera":"a"' in cue.text
    assert b'"camera":"b"' in cue.model_copy(update={"camera": "b"}).text
    assert b'"program":"main"' in plan.text
    assert b'"program":"other"' in plan.model_copy(update={"program": "other"}).text
