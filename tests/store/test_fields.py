from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vistterstream.store.fields import Managers, leaves, merge, release, same, show

SCALARS = st.one_of(st.booleans(), st.integers(0, 2), st.sampled_from(["a", "b"]), st.just([1]), st.just([2]))
NAMES = st.sampled_from(["spec", "labels", "a", "b"])
DOCUMENTS = st.dictionaries(
    NAMES,
    st.recursive(SCALARS, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=5),
    max_size=3,
)
APPLIES = st.lists(
    st.tuples(st.sampled_from(["file", "studio", "cli"]), DOCUMENTS, st.booleans()), max_size=12
)


def fold(*steps: tuple[str, dict[str, Any]], force: bool = False) -> tuple[dict[str, Any], Managers]:
    document: dict[str, Any] = {}
    managers: Managers = {}
    for manager, wanted in steps:
        merged = merge(document, managers, manager, wanted, force=force)
        assert force or not merged.rivals
        document, managers = merged.document, merged.managers
    return document, managers


def test_another_managers_other_value_is_a_conflict_that_names_the_field_and_its_owner() -> None:
    document, managers = fold(("file", {"spec": {"stallAfter": "2s", "backup": "pier"}}))
    merged = merge(document, managers, "studio", {"spec": {"stallAfter": "3s"}}, force=False)
    assert merged.rivals == ((("spec", "stallAfter"), "file"),)


def test_the_same_value_is_shared_and_stays_until_the_last_owner_gives_it_up() -> None:
    document, managers = fold(
        ("file", {"spec": {"stallAfter": "2s", "backup": "pier"}}), ("studio", {"spec": {"stallAfter": "2s"}})
    )
    merged = merge(document, managers, "file", {"spec": {"backup": "pier"}}, force=False)
    assert merged.document == {"spec": {"stallAfter": "2s", "backup": "pier"}}
    merged = merge(merged.document, merged.managers, "studio", {}, force=False)
    assert merged.document == {"spec": {"backup": "pier"}}


def test_a_shared_field_cannot_be_changed_by_one_of_its_owners() -> None:
    document, managers = fold(("file", {"a": 1}), ("studio", {"a": 1}))
    assert merge(document, managers, "file", {"a": 2}, force=False).rivals == ((("a",), "studio"),)


def test_force_takes_a_field_over_and_leaves_the_rest_to_its_owner() -> None:
    document, managers = fold(("file", {"a": 1, "b": 1}))
    merged = merge(document, managers, "studio", {"a": 2}, force=True)
    assert merged.document == {"a": 2, "b": 1}
    assert merged.managers == {"file": frozenset({("b",)}), "studio": frozenset({("a",)})}


def test_what_is_no_longer_applied_goes_with_the_mappings_that_it_leaves_empty() -> None:
    document, managers = fold(("file", {"spec": {"fallback": {"text": "back soon"}, "timeline": "t"}}))
    merged = merge(document, managers, "file", {"spec": {"timeline": "t"}}, force=False)
    assert merged.document == {"spec": {"timeline": "t"}}


def test_an_empty_mapping_is_a_value_that_others_may_fill() -> None:
    document, managers = fold(("file", {"source": {"testPattern": {}}}))
    merged = merge(document, managers, "studio", {"source": {"testPattern": {"tone": 440}}}, force=False)
    assert not merged.rivals
    assert merged.document == {"source": {"testPattern": {"tone": 440}}}
    again = merge(merged.document, merged.managers, "file", {"source": {"testPattern": {}}}, force=False)
    assert not again.rivals
    assert again.document == merged.document
    left = merge(again.document, again.managers, "studio", {}, force=False)
    assert left.document == {"source": {"testPattern": {}}}


def test_a_scalar_in_the_place_of_anothers_mapping_is_a_conflict_and_force_replaces_it() -> None:
    document, managers = fold(("file", {"a": {"b": 1, "c": 2}}))
    assert len(merge(document, managers, "studio", {"a": 5}, force=False).rivals) == 2
    merged = merge(document, managers, "studio", {"a": 5}, force=True)
    assert merged.document == {"a": 5}
    assert merged.managers == {"studio": frozenset({("a",)})}
    back = merge(merged.document, merged.managers, "file", {"a": {"b": 1}}, force=True)
    assert back.document == {"a": {"b": 1}}
    assert back.managers == {"file": frozenset({("a", "b")})}


def test_lists_are_owned_as_a_whole() -> None:
    document, managers = fold(("file", {"targets": [{"name": "a"}]}))
    assert merge(document, managers, "studio", {"targets": [{"name": "b"}]}, force=False).rivals


def test_true_is_not_one() -> None:
    assert not same(True, 1)
    assert not same({"a": 1}, {"a": 1.0})
    assert same({"a": 1, "b": 2}, {"b": 2, "a": 1})


def test_paths_are_shown_as_people_write_them() -> None:
    assert show(("spec", "stallAfter")) == "spec.stallAfter"
    assert show(("metadata", "labels", "example.com/site")) == "metadata.labels[example.com/site]"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.just("file"), DOCUMENTS), min_size=1))
def test_a_manager_alone_always_gets_exactly_what_it_last_applied(
    steps: list[tuple[str, dict[str, Any]]],
) -> None:
    document, managers = fold(*steps)
    assert same(document, steps[-1][1])
    assert managers == {"file": frozenset(path for path, _ in leaves(document))}


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(APPLIES)
def test_merges_never_lose_what_was_applied_nor_keep_what_nobody_owns(
    applies: list[tuple[str, dict[str, Any], bool]],
) -> None:
    document: dict[str, Any] = {}
    managers: Managers = {}
    for manager, wanted, force in applies:
        before = copy.deepcopy((document, managers, wanted))
        merged = merge(document, managers, manager, wanted, force=force)
        assert (document, managers, wanted) == before
        if merged.rivals and not force:
            assert all(path in managers[other] for path, other in merged.rivals)
            continue
        document, managers = merged.document, merged.managers
        have = dict(leaves(document))
        for path, value in leaves(wanted):
            assert value == {} or same(have[path], value)
        owned = {path for paths in managers.values() for path in paths}
        assert have.keys() <= owned
        again = merge(document, managers, manager, wanted, force=False)
        assert not again.rivals
        assert (again.document, again.managers) == (document, managers)
        for other in managers:
            without = release(document, managers, other)
            rest = {path for name, paths in managers.items() if name != other for path in paths}
            assert dict(leaves(without.document)).keys() <= rest
