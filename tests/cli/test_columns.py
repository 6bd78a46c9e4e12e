from __future__ import annotations

import pytest

from api.serving import camera, hls, program, resource
from vistterstream.api.forms import public
from vistterstream.cli.columns import COLUMNS, Form, columns, message
from vistterstream.cli.console import Cell
from vistterstream.resources.kinds import KINDS, Resource

TRACKS = [{"name": "t", "video": [{"camera": "pier", "duration": "5s"}]}]
OBJECTS: list[Resource] = [
    camera("pier"),
    resource("Camera", "clip", {"source": {"file": {"path": "a.mp4"}}}),
    resource("Camera", "bars", {"source": {"testPattern": {}}}),
    resource("Overlay", "logo", {"layers": [{"name": "l", "text": {"value": "x"}}]}),
    resource("Timeline", "tour", {"tracks": TRACKS}),
    program(),
    hls("preview"),
    resource("Secret", "login", stringData={"password": "correct-horse"}),
]


def test_every_kind_has_columns() -> None:
    assert set(COLUMNS) == set(KINDS)


@pytest.mark.parametrize("one", OBJECTS, ids=lambda one: one.metadata.name)
def test_an_object_without_a_status_has_a_row(one: Resource) -> None:
    row = [
        column.cell(public(one)) for column in columns(one.kind, wide=True, namespaces=True, messages=True)
    ]
    assert [row[0][0], row[1][0]] == ["default", one.metadata.name]
    assert "correct-horse" not in str(row)
    assert message(public(one)) == ""


def cell(form: Form, heading: str) -> Cell:
    found = {
        column.heading: column
        for column in columns(form["kind"], wide=True, namespaces=False, messages=False)
    }
    return found[heading].cell(form)


def test_the_cues_of_a_timeline_are_those_of_all_its_tracks() -> None:
    beds = {"name": "beds", "audio": [{"file": "a.mp3"}, {"file": "b.mp3"}]}
    words = {"name": "words", "overlays": [{"overlay": "logo"}]}
    tour = resource("Timeline", "tour", {"tracks": [*TRACKS, beds, words]})
    assert cell(public(tour), "CUES") == ("4", "")


def test_a_program_says_that_it_is_paused() -> None:
    form = public(program())
    source = {"kind": "Camera", "name": "pier"}
    form["status"] = {"onAir": {"source": source, "playback": {"state": "paused", "at": "2s"}}}
    assert cell(form, "ON AIR") == ("pier (paused)", "good")


@pytest.mark.parametrize(
    ("sound", "shown"),
    [
        (None, ("-", "")),
        ("Normal", ("Normal", "")),
        ("Silent", ("Silent", "idle")),
        ("Clipping", ("Clipping", "warn")),
    ],
)
def test_a_program_says_how_loud_it_is(sound: str | None, shown: Cell) -> None:
    form = public(program())
    form["status"] = {"sound": sound} if sound else {}
    assert cell(form, "SOUND") == shown
