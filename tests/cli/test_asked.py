from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.serving import camera, hls, program
from vistterstream.base.errors import VistterError
from vistterstream.cli.asked import one_kind, parted, several_kinds
from vistterstream.cli.describing import describe
from vistterstream.cli.getting import get
from vistterstream.cli.happenings import events
from vistterstream.store.store import Store


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    store = Store(tmp_path / "store.sqlite3")
    for one in (camera("pier"), camera("main"), program("main"), hls("page")):
        store.apply(one, manager="file")
    store.close()
    return tmp_path


def test_an_object_is_named_in_one_word_or_two() -> None:
    assert parted("cam", None) == ("cam", None)
    assert parted("cam", "pier") == ("cam", "pier")
    assert parted("cam/pier", None) == ("cam", "pier")
    assert parted("manifest//srv/a.yaml", None) == ("manifest", "/srv/a.yaml")


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        ("cam/pier", "cam/yard", "one object at a time, .*: not 'cam/pier' and 'cam/yard' too"),
        ("cam/", None, "no name after the / of 'cam/'"),
    ],
)
def test_what_names_no_object_or_two_is_refused(kind: str, name: str | None, told: str) -> None:
    with pytest.raises(VistterError, match=told):
        parted(kind, name)


def test_several_kinds_are_a_list_with_commas() -> None:
    assert several_kinds("cam") == ("Camera",)
    assert several_kinds("outputs,cam,out") == ("Output", "Camera")
    assert several_kinds("ALL") == several_kinds("cam,all") == ()
    with pytest.raises(VistterError, match="there is no kind ''; the kinds are"):
        several_kinds("cam,")


def test_who_takes_one_kind_says_so() -> None:
    assert one_kind("ov") == "Overlay"
    with pytest.raises(VistterError, match="only vistter get takes several"):
        one_kind("cam,out")


def names(text: str) -> list[str]:
    return [f"{form['kind']} {form['metadata']['name']}" for form in json.loads(text)["items"]]


def test_get_shows_several_kinds_and_an_object_that_is_named_with_its_kind(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    get(kept, "cam,prog", None, None, "json", watch=False)
    assert names(capsys.readouterr().out) == ["Camera main", "Camera pier", "Program main"]
    get(kept, "out,prog", "main", None, "json", watch=False)
    assert names(capsys.readouterr().out) == ["Program main"]
    get(kept, "cam,out", None, None, "table", watch=False)
    assert capsys.readouterr().out.split("\n\n")[1].startswith("OUTPUTS\nNAME ")
    get(kept, "cam/pier", None, None, "json", watch=False)
    assert json.loads(capsys.readouterr().out)["metadata"]["name"] == "pier"
    with pytest.raises(VistterError, match="there is no Camera or Output default/north"):
        get(kept, "cam,out", "north", None, "json", watch=False)


def test_describe_and_events_take_the_name_with_the_kind(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(kept, "cam/pier", None, None)
    assert capsys.readouterr().out.startswith("Name:         pier\n")
    with pytest.raises(VistterError, match="there is no Camera default/yard"):
        events(kept, "cam/yard", None, None, as_json=False, watch=False)
