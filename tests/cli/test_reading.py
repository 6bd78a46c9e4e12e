from __future__ import annotations

import pytest

from api.serving import Served, camera
from vistterstream.base.errors import VistterError
from vistterstream.cli.reading import problems, reader, say_problems


def test_a_controller_answers_itself(appliance: Served, capsys: pytest.CaptureFixture[str]) -> None:
    appliance.apply(camera("pier"))
    with appliance.socket(), reader(appliance.folder) as source:
        assert source.ask("list", kind="cam")["objects"][0]["metadata"]["name"] == "pier"
        with pytest.raises(VistterError, match="there is no Camera default/yard"):
            source.ask("get", kind="cam", name="yard")
    assert capsys.readouterr().err == ""


def test_problems_are_said_on_stderr(appliance: Served, capsys: pytest.CaptureFixture[str]) -> None:
    appliance.complaints = ["a.yaml:3:4 spec: wrong"]
    with appliance.socket(), reader(appliance.folder) as source:
        assert problems(source) == ["a.yaml:3:4 spec: wrong"]
        say_problems(source)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[1:] == ["  a.yaml:3:4 spec: wrong"]
