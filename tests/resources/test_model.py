from __future__ import annotations

import pytest
from pydantic import ValidationError

from vistterstream.resources.model import (
    EFFECT_KEY,
    REFERENCE_KEY,
    Effect,
    Model,
    Problems,
    field,
    path_text,
)


class Item(Model):
    name: str = field(description="")


class Choice(Model):
    EXACTLY_ONE = ("first_thing", "second", "third")

    first_thing: str | None = field(None, description="")
    second: int | None = field(None, description="")
    third: int | None = field(None, description="")
    my_items: tuple[Item, ...] = field((), description="")


def problems(form: dict[str, object]) -> tuple[tuple[tuple[str | int, ...], str], ...]:
    with pytest.raises(ValidationError) as caught:
        Choice.model_validate(form)
    (error,) = caught.value.errors()
    cause = error["ctx"]["error"]
    assert isinstance(cause, Problems)
    return cause.problems


def test_exactly_one_means_exactly_one() -> None:
    assert Choice.model_validate({"second": 0}).second == 0
    assert problems({}) == (((), "exactly one of firstThing, second and third must be given"),)
    assert problems({"firstThing": "a", "third": 1}) == (
        (("third",), "exactly one of firstThing, second and third must be given; firstThing and third are"),
    )


def test_names_in_a_list_differ_and_every_repetition_is_told() -> None:
    names = [{"name": name} for name in "abaa"]
    assert problems({"second": 1, "myItems": names}) == (
        (("myItems", 2, "name"), "'a' is the name of item 0 already; names must differ"),
        (("myItems", 3, "name"), "'a' is the name of item 0 already; names must differ"),
    )


def test_a_model_is_closed_and_frozen() -> None:
    with pytest.raises(ValidationError):
        Item.model_validate({"name": "a", "nome": "b"})
    with pytest.raises(ValidationError):
        Item(name="a").name = "b"  # type: ignore[misc]


def test_a_field_carries_its_metadata() -> None:
    class Carrier(Model):
        it: str = field("x", description="It.", effect=Effect.INGEST, reference="Camera")

    info = Carrier.model_fields["it"]
    assert info.description == "It."
    assert info.json_schema_extra == {EFFECT_KEY: "ingest", REFERENCE_KEY: "Camera"}


def test_paths_are_written_as_people_write_them() -> None:
    assert path_text(("spec", "targets", 1, "url")) == "spec.targets[1].url"
    assert path_text(("metadata", "labels", "a/b")) == "metadata.labels[a/b]"
    assert path_text((0, "a")) == "[0].a"
    assert path_text(()) == ""
    assert str(Problems((("a", 0), "is wrong"), ((), "so is this"))) == "a[0]: is wrong; so is this"


def test_the_json_form_has_no_nulls() -> None:
    assert Choice(second=1, my_items=(Item(name="a"),)).dump() == {"second": 1, "myItems": [{"name": "a"}]}
