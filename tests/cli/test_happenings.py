from __future__ import annotations

import json

import pytest

from cli.commands import vistter
from cli.test_getting import Watching
from peers.vistter import Appliance
from peers.waiting import until

pytestmark = pytest.mark.e2e


def test_events_are_a_table_or_json_lines(on_air: Appliance) -> None:
    done = vistter("events", state=on_air.state)
    assert done.stdout.startswith("LAST SEEN   TYPE")
    assert "Program/main" in done.stdout
    lines = vistter("events", "-o", "json", state=on_air.state).stdout.splitlines()
    assert len(lines) == len(done.stdout.splitlines()) - 1
    assert {json.loads(line)["type"] for line in lines} <= {"Normal", "Warning"}


def test_events_about_one_object(on_air: Appliance) -> None:
    lines = vistter("events", "out", "preview", "-o", "json", state=on_air.state).stdout.splitlines()
    assert lines
    assert {json.loads(line)["regarding"]["name"] for line in lines} == {"preview"}


def test_events_about_an_object_that_never_was_are_refused_as_by_describe(on_air: Appliance) -> None:
    for command in ("events", "describe"):
        done = vistter(command, "camera", "nosuch", state=on_air.state)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "There is no Camera default/nosuch\n"
    assert vistter("events", "secret", "login", state=on_air.state).returncode == 0, "it is, and has none"


def test_events_about_a_manifest(on_air: Appliance) -> None:
    path = on_air.manifests / "broken.yaml"
    path.write_text("kind: [")
    try:
        until(lambda: str(path) in vistter("events", "manifest", state=on_air.state).stdout, 10, "it is told")
        done = vistter("events", "manifest", path, state=on_air.state)
        assert done.returncode == 0
        assert f"   Manifest {path}   " in done.stdout
        assert "Program/main" not in done.stdout
    finally:
        path.unlink()


def test_a_watch_begins_with_what_has_happened(on_air: Appliance) -> None:
    watching = Watching("events", "-w", state=on_air.state)
    until(lambda: any("PlayoutStarted" in line for line in watching.lines), 10, "the past is told")
    assert watching.end() == (130, "")
    assert sum("PlayoutStarted" in line for line in watching.lines) == 1
