from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from store.objects import camera, key, make, secret
from vistterstream.resources.kinds import SOURCE_LINE, Resource, Secret
from vistterstream.resources.manifests import load
from vistterstream.store.errors import Invalid
from vistterstream.store.records import (
    Record,
    decode_managers,
    differs_quietly,
    document_of,
    encode_managers,
    says,
    says_the_same,
    without_values,
)


def record(resource: Resource, **other: object) -> Record:
    fields = {
        "key": resource.key,
        "uid": "u",
        "created": "2026-05-17T09:30:00Z",
        "created_version": 3,
        "version": 7,
        "generation": 2,
        "document": document_of(resource),
        "managers": {"file": frozenset[tuple[str, ...]]()},
        "status": {},
    }
    return Record(**(fields | other))  # type: ignore[arg-type]


def test_a_document_holds_what_was_written_and_no_defaults() -> None:
    resource = camera("wharf", labels={"site": "north"}, backup="pier")
    assert document_of(resource) == {
        "metadata": {"labels": {"site": "north"}},
        "spec": {"source": {"testPattern": {}}, "backup": "pier"},
    }


def test_what_the_store_sets_and_the_status_are_not_of_the_document() -> None:
    resource = make("Program", "main", {}, uid="forged", generation=9, resourceVersion="9")
    assert document_of(resource) == {"spec": {}}
    assert document_of(record(resource).resource) == {"spec": {}}


def test_values_of_a_secret_are_kept_in_one_form() -> None:
    plain = secret("login", data={"user": base64.b64encode(b"admin").decode()}, password="pa ss")
    document = document_of(plain)
    assert set(document) == {"data"}
    again = record(plain).resource
    assert again.values() == {"user": "admin", "password": "pa ss"}  # type: ignore[attr-defined]
    assert document_of(again) == document
    assert without_values(plain.key, document) == {}


def test_the_resource_has_what_the_store_set() -> None:
    metadata = record(camera("wharf")).resource.metadata
    assert (metadata.uid, metadata.generation, metadata.resource_version) == ("u", 2, "7")
    assert metadata.creation_timestamp == "2026-05-17T09:30:00Z"


EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.yaml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: str(file.parent.name))
def test_an_object_that_is_known_is_the_one_that_its_document_would_be_read_to(file: Path) -> None:
    for located in load(file.read_bytes(), str(file)).objects:
        resource, wanted = located.resource, document_of(located.resource)
        known = says(wanted, resource, wanted)
        assert (known is None) == isinstance(resource, Secret)
        read = record(resource, status={"observedGeneration": 3})
        made = replace(record(resource, known=known), status={"observedGeneration": 3}, known=known)
        assert made.resource == read.resource
        assert document_of(made.resource) == document_of(read.resource)
        assert made.resource.dump() == read.resource.dump()
        assert known is None or made.resource.spec is resource.spec


def test_a_document_of_several_managers_is_read() -> None:
    resource = camera("wharf", stallAfter="3s")
    wanted = document_of(resource)
    assert says({**wanted, "metadata": {"labels": {"site": "north"}}}, resource, wanted) is None


def test_a_bad_status_of_a_known_object_is_refused_with_its_path() -> None:
    resource = camera("wharf")
    with pytest.raises(Invalid, match=r"Camera default/wharf is not valid: status.observedGeneration: "):
        record(resource, status={"observedGeneration": "many"}, known=resource)


def test_a_document_that_makes_no_valid_object_is_refused_with_its_path() -> None:
    with pytest.raises(Invalid, match=r"Camera default/wharf is not valid: spec.source: .*exactly one of"):
        record(camera("wharf"), document={"spec": {"source": {}}})


def test_what_is_wrong_with_a_secret_is_said_without_its_value() -> None:
    with pytest.raises(Invalid) as refused:
        record(secret("login"), document={"data": {"password": "hunter2 is not base64"}})
    assert "data.password" in refused.value.message
    assert "hunter2" not in repr(refused.value) + str(refused.value.__cause__)


@pytest.mark.parametrize("name", ["Wharf", "a/b", "../etc", "a@b", "", "x" * 64, "a\nb"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(Invalid):
        record(camera("wharf"), key=key(name))
    with pytest.raises(Invalid):
        record(camera("wharf"), key=key("wharf", namespace=name))


def test_kinds_that_are_none_are_refused() -> None:
    with pytest.raises(Invalid, match="there is no kind 'Pod'"):
        record(camera("wharf"), key=key("wharf", kind="Pod"))


def test_a_default_that_was_written_out_says_the_same() -> None:
    assert says_the_same(camera("wharf"), camera("wharf", stallAfter="2s"))
    assert not says_the_same(camera("wharf"), camera("wharf", stallAfter="3s"))
    assert not says_the_same(secret("login", password="one"), secret("login", password="two"))


def test_only_the_line_of_the_manifest_differs_quietly() -> None:
    def at(line: str, **more: str) -> dict[str, object]:
        return document_of(make("Program", "main", {}, annotations={SOURCE_LINE: line, **more}))

    assert differs_quietly(at("3"), at("9"))
    assert not differs_quietly(at("3"), at("3", note="x"))


def test_owners_keep_their_order() -> None:
    managers = {"studio": frozenset({("spec", "a.b")}), "cli": frozenset({("x",), ("y", "z")})}
    decoded = decode_managers(encode_managers(managers))
    assert decoded == managers
    assert list(decoded) == ["studio", "cli"]
