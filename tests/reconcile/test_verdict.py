from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconcile.objects import camera, key
from vistterstream.base.errors import PermanentError, TemporaryError, VistterError
from vistterstream.base.redaction import redact
from vistterstream.reconcile.problems import Problem
from vistterstream.reconcile.verdict import Outlook, Verdict, condition, conditions, of_error, of_problems
from vistterstream.resources.conditions import Condition
from vistterstream.resources.kinds import Resource

NOW = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)


def said(found: tuple[Condition, ...]) -> dict[str, str]:
    return {one.type: f"{one.status} {one.reason}" for one in found}


def after(resource: Resource, found: tuple[Condition, ...], generation: int) -> Resource:
    status = resource.status.model_copy(update={"conditions": found})
    metadata = resource.metadata.model_copy(update={"generation": generation})
    return resource.model_copy(update={"status": status, "metadata": metadata})


@pytest.mark.parametrize(
    ("error", "outlook"),
    [
        (PermanentError("no", reason="Invalid"), Outlook.STALLED),
        (TemporaryError("later", delay=1, reason="Waiting"), Outlook.RECONCILING),
        (VistterError("what", reason="InternalError"), Outlook.RECONCILING),
    ],
)
def test_an_error_says_whether_the_user_must_act(error: VistterError, outlook: Outlook) -> None:
    assert of_error(error) == Verdict(False, error.reason, error.message, outlook)


def test_problems_stall_and_without_any_there_is_no_verdict() -> None:
    assert of_problems([]) is None
    verdict = of_problems([Problem(key("Camera", "wharf"), "spec.backup", "CameraNotFound", "no pier")])
    assert verdict == Verdict(False, "CameraNotFound", "no pier", Outlook.STALLED)


def test_reconciling_and_stalled_are_there_only_while_they_hold() -> None:
    wharf = camera("wharf")
    for outlook in (Outlook.RECONCILING, Outlook.STALLED):
        found = conditions(wharf, Verdict(False, "Why", "because", outlook), NOW)
        assert said(found) == {"Ready": "False Why", outlook.value: "True Why"}
    wharf = after(wharf, found, 2)
    assert said(conditions(wharf, Verdict(True, "Fine"), NOW)) == {"Ready": "True Fine"}


def test_the_time_moves_with_the_status_alone_and_the_generation_with_the_spec() -> None:
    wharf = after(camera("wharf"), conditions(camera("wharf"), Verdict(True, "Live"), NOW), 2)
    later = NOW + timedelta(seconds=5)
    (same,) = conditions(wharf, Verdict(True, "Standby", "other words"), later)
    assert (same.reason, same.message, same.observed_generation) == ("Standby", "other words", 2)
    assert same.last_transition_time == "2026-05-17T09:30:00Z"
    (changed,) = conditions(wharf, Verdict(False, "Stalled"), later)
    assert changed.last_transition_time == "2026-05-17T09:30:05Z"


def test_the_kinds_own_conditions_stay_in_their_place() -> None:
    wharf = camera("wharf")
    first = conditions(wharf, Verdict(True, "Live"), NOW, condition("Online", True, "Live"))
    wharf = after(wharf, first, 1)
    second = conditions(wharf, Verdict(False, "Stalled"), NOW, condition("Online", False, "Stalled"))
    assert [one.type for one in first] == [one.type for one in second] == ["Ready", "Online"]


def test_a_condition_is_redacted() -> None:
    redact.learn(["s3cr3t-in-message"])
    assert (
        condition("Online", None, "Unknown", "rtsp://u:p@h/x s3cr3t-in-message").message
        == "rtsp://***@h/x ***"
    )
