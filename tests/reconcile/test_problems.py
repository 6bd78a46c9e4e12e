from __future__ import annotations

from reconcile.objects import apply, camera, key, recording, timeline
from vistterstream.reconcile.problems import Problem, dangling, distinct, of_compiler, summary
from vistterstream.store.store import Store
from vistterstream.timeline import compile as compiler


def test_a_reference_that_leads_nowhere_is_told_with_its_path(store: Store) -> None:
    apply(store, camera("wharf"))
    day = timeline("day", "wharf", "pier")
    assert dangling(store, day) == [
        Problem(
            key("Timeline", "day"),
            "spec.tracks[0].video[1].camera",
            "CameraNotFound",
            "Camera default/pier does not exist; create it or change spec.tracks[0].video[1].camera",
        )
    ]
    apply(store, camera("pier"))
    assert dangling(store, day) == []


def test_an_output_of_no_program_dangles(store: Store) -> None:
    (problem,) = dangling(store, recording("tape", "main"))
    assert (problem.reason, problem.path) == ("ProgramNotFound", "spec.program")


def test_what_the_compiler_left_out_is_a_problem_of_the_object_to_blame() -> None:
    told = compiler.Problem(
        "Timeline", "day", "spec.tracks[0].video[0].duration", "1ms is shorter than a frame"
    )
    (problem,) = of_compiler("north", [told])
    assert str(problem.key) == "Timeline north/day"
    assert problem.message == "spec.tracks[0].video[0].duration: 1ms is shorter than a frame"


def test_of_two_problems_with_a_field_the_first_counts() -> None:
    first, second, other = (
        Problem(key("Timeline", "day"), path, reason, "…")
        for path, reason in (("spec.a", "First"), ("spec.a", "Second"), ("spec.b", "Other"))
    )
    assert distinct([first, second, other, first]) == (first, other)


def test_many_problems_are_counted_after_the_third() -> None:
    problems = [Problem(key("Timeline", "day"), "", "", f"message {n}") for n in range(5)]
    assert summary(problems) == "message 0; message 1; message 2; and 2 more"
    assert summary(problems[:3]) == "message 0; message 1; message 2"
