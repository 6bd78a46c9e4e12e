from __future__ import annotations

import pytest

from api.serving import camera, hls, program, resource
from vistterstream.api.forms import public
from vistterstream.cli.columns import COLUMNS, columns, message
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
