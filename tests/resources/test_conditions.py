from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from vistterstream.resources.conditions import (
    Condition,
    ConditionStatus,
    find_condition,
    set_condition,
    timestamp,
)

NOON = datetime(2026, 5, 17, 12, 0, 0, 999_999, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
ONLINE = Condition(type="Online", status=ConditionStatus.TRUE, reason="FramesArrive", message="All is well.")


def test_a_new_condition_gets_the_time() -> None:
    (condition,) = set_condition((), ONLINE, NOON)
    assert condition == ONLINE.model_copy(update={"last_transition_time": "2026-05-17T12:00:00Z"})


def test_the_time_stays_while_the_status_does() -> None:
    conditions = set_condition((), ONLINE, NOON)
    other = ONLINE.model_copy(update={"reason": "StandingBy", "message": "Key frames only."})
    (condition,) = set_condition(conditions, other, LATER)
    assert condition.reason == "StandingBy"
    assert condition.last_transition_time == "2026-05-17T12:00:00Z"


@pytest.mark.parametrize("status", [ConditionStatus.FALSE, ConditionStatus.UNKNOWN])
def test_the_time_moves_with_the_status(status: ConditionStatus) -> None:
    conditions = set_condition((), ONLINE, NOON)
    (condition,) = set_condition(conditions, ONLINE.model_copy(update={"status": status}), LATER)
    assert condition.last_transition_time == "2026-05-17T12:05:00Z"


def test_a_time_that_the_caller_brings_does_not_count() -> None:
    brought = ONLINE.model_copy(update={"last_transition_time": "1999-01-01T00:00:00Z"})
    (condition,) = set_condition((), brought, NOON)
    assert condition.last_transition_time == "2026-05-17T12:00:00Z"


def test_conditions_keep_their_places() -> None:
    types = ("Ready", "Online", "Stalled")
    conditions: tuple[Condition, ...] = ()
    for type_ in types:
        conditions = set_condition(conditions, ONLINE.model_copy(update={"type": type_}), NOON)
    conditions = set_condition(conditions, ONLINE, LATER)
    assert tuple(condition.type for condition in conditions) == types


def test_a_condition_is_found_by_its_type() -> None:
    assert find_condition((ONLINE,), "Online") is ONLINE
    assert find_condition((ONLINE,), "Ready") is None
    assert ONLINE.holds
    assert not ONLINE.model_copy(update={"status": ConditionStatus.UNKNOWN}).holds


def test_times_are_in_utc_and_need_a_zone() -> None:
    oslo = timezone(timedelta(hours=2))
    assert timestamp(datetime(2026, 5, 17, 12, 0, tzinfo=oslo)) == "2026-05-17T10:00:00Z"
    with pytest.raises(ValueError, match="zone"):
        timestamp(datetime(2026, 5, 17, 12, 0))


def test_the_json_form_is_that_of_kubernetes() -> None:
    (condition,) = set_condition((), ONLINE.model_copy(update={"observed_generation": 3}), NOON)
    assert condition.dump() == {
        "type": "Online",
        "status": "True",
        "reason": "FramesArrive",
        "message": "All is well.",
        "observedGeneration": 3,
        "lastTransitionTime": "2026-05-17T12:00:00Z",
    }
