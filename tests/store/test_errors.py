from __future__ import annotations

from store.objects import key
from vistterstream.store.errors import Conflict, Gone, Invalid


def test_a_conflict_names_field_and_owner_and_what_to_do() -> None:
    conflict = Conflict(key("wharf"), [("spec.stallAfter", "studio"), ("spec.backup", "cli")])
    assert (conflict.field, conflict.owner, conflict.reason) == ("spec.stallAfter", "studio", "Conflict")
    assert conflict.message == (
        "spec.stallAfter (and 1 more field) of Camera default/wharf was set to another value by studio; "
        "change it there, or take it over with force"
    )


def test_a_conflict_about_the_whole_object_says_whose_it_is() -> None:
    conflict = Conflict(key("wharf"), [("", "file")])
    assert conflict.message == "Camera default/wharf belongs to file; delete it there"


def test_gone_says_which_versions_there_are() -> None:
    gone = Gone(5, 10, 20)
    assert gone.reason == "Expired"
    assert "5 is not between 10 and 20" in gone.message


def test_invalid_has_its_reason() -> None:
    assert Invalid("no").reason == "Invalid"
