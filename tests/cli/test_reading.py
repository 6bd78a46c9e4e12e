from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from api.serving import Served, camera
from vistterstream.base.errors import VistterError
from vistterstream.cli import describing, getting, summary
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
        assert problems(source) == (["a.yaml:3:4 spec: wrong"], [])
        say_problems(source)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[1:] == ["  a.yaml:3:4 spec: wrong"]


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(summary.show, id="status"),
        pytest.param(
            partial(getting.get, kind="cam", name=None, namespace=None, output="", watch=False), id="get"
        ),
        pytest.param(partial(describing.describe, kind="cam", name="pier", namespace=None), id="describe"),
        pytest.param(partial(describing.describe, kind="cam", name=None, namespace=None), id="describe all"),
    ],
)
def test_what_keeps_the_controller_from_its_work_is_said_under_all_that_is_read(
    appliance: Served, capsys: pytest.CaptureFixture[str], command: Callable[[Path], int | None]
) -> None:
    appliance.warnings = ["statuses cannot be written: the disk is full"]
    appliance.answers.about["pid"] = 1
    appliance.apply(camera("pier"))
    with appliance.socket():
        assert command(appliance.folder) in (None, 1)
    captured = capsys.readouterr()
    assert captured.err == "Statuses cannot be written: the disk is full\n"
