from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.reconcile.decisions import Apply, Deaths, Keep, Replace, Start, Wait, decide, named, topics
from vistterstream.resources.effects import Change
from vistterstream.resources.model import Effect
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.digests import plan_revision
from vistterstream.timeline.plan import Plan


def plan(**more: Any) -> Plan:
    return Plan(namespace="default", program="main", **({"format": Format()} | more))


def test_what_runs_the_plan_is_kept() -> None:
    assert decide(plan(), None, revision=plan_revision(plan()), alive=True, retry_at=0, now=0) == Keep()


def test_a_change_is_applied_and_another_format_replaces() -> None:
    old = plan()
    live = decide(plan(fallback=Fallback(text="Soon")), old, revision="old", alive=True, retry_at=0, now=0)
    assert isinstance(live, Apply)
    assert named(live.changes) == "fallback.text"
    both = plan(format=Format(width=640), fallback=Fallback(text="Soon"))
    replaced = decide(both, old, revision="old", alive=True, retry_at=0, now=0)
    assert isinstance(replaced, Replace)
    assert named(replaced.changes) == "format.width"


def test_a_plan_that_was_written_but_not_taken_is_applied() -> None:
    assert decide(plan(), plan(), revision="old", alive=True, retry_at=0, now=0) == Apply(())
    assert decide(plan(), None, revision="old", alive=True, retry_at=0, now=0) == Apply(())


def test_what_does_not_run_is_started_when_it_is_time() -> None:
    assert decide(plan(), None, revision=None, alive=False, retry_at=5, now=2) == Wait(3)
    assert decide(plan(), None, revision=None, alive=False, retry_at=5, now=5) == Start()


def test_the_first_death_costs_no_delay_and_the_next_ones_more_and_more() -> None:
    deaths, now, delays = Deaths(), 100.0, []
    for _ in range(8):
        deaths = deaths.another(now=now, lived=1.0, chance=0.0)
        delays.append(deaths.retry_at - now)
        now = deaths.retry_at + 1
    assert delays == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_one_that_lived_long_has_no_past() -> None:
    assert Deaths(7, 100.0).another(now=500.0, lived=60.0, chance=0.5) == Deaths(1, 500.0)


@pytest.mark.slow
@given(st.integers(1, 1000), st.floats(0, 1), st.floats(0, 59))
def test_nobody_waits_longer_than_half_a_minute(count: int, chance: float, lived: float) -> None:
    assert Deaths(count, 0.0).another(now=0.0, lived=lived, chance=chance).retry_at <= 30.0


def test_changes_are_told_by_what_they_are_about() -> None:
    paths = (
        "timeline.video[0].end",
        "timeline.length",
        "cameras[wharf].spec.source.url",
        "outputs[tape]",
        "overlays[0a1b]",
        "secretsRevision",
    )
    changes = [Change(path, None, None, Effect.LIVE) for path in paths]
    assert topics(changes) == "timeline, camera wharf, output tape, overlays, secrets"
    assert topics([]) == ""
    names = Change("originals[/st/1a.png]", None, "/m/air.png", Effect.LIVE)
    assert topics([names]) == "names of images"
    assert topics([*changes[:2], names]) == "timeline"


def test_many_changes_are_counted() -> None:
    changes = [Change(f"field{n}", None, None, Effect.LIVE) for n in range(7)]
    assert named(changes) == "field0, field1, field2, field3, field4 and 2 more"
    assert named([changes[0], changes[0]]) == "field0"
    assert named([]) == ""
