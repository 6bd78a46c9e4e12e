from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path

import pytest
import yaml

from cli.commands import SMALL, vistter
from peers.vistter import VISTTER, Appliance, manifest
from peers.waiting import until

pytestmark = pytest.mark.e2e


def rows(text: str) -> dict[str, list[str]]:
    """The cells of each row of a table, by the first of them."""
    lines = [line for line in text.splitlines() if line]
    return {cells[0]: cells for cells in (line.split() for line in lines)}


def test_tables_show_what_is_on_air_and_the_processes(on_air: Appliance) -> None:
    done = vistter("get", "programs", state=on_air.state)
    assert (done.returncode, done.stderr) == (0, "")
    table = rows(done.stdout)
    assert table["NAME"] == ["NAME", "READY", "ON", "AIR", "SINCE", "PLAYOUT", "AGE"]
    assert table["main"][1:3] == ["True", "pier"]
    assert table["main"][4] == str(on_air.pid("playout", "main"))
    output = rows(vistter("get", "out", state=on_air.state).stdout)["preview"]
    assert output[1:4] == ["True", "Publishing", "page"]
    assert output[5:7] == [str(on_air.pid("pusher", "preview")), str(on_air.pid("encoder", "preview"))]
    cameras = rows(vistter("get", "camera", "-o", "wide", state=on_air.state).stdout)
    assert cameras["pier"][1] == "True"
    assert cameras["spare"][1:3] == ["Unknown", "NotUsed"]


def test_get_all_shows_a_table_for_each_kind(on_air: Appliance) -> None:
    found = rows(vistter("get", "all", state=on_air.state).stdout)
    assert {"CAMERAS", "TIMELINES", "PROGRAMS", "OUTPUTS", "SECRETS"} <= set(found)
    assert "OVERLAYS" not in found
    assert rows(vistter("get", state=on_air.state).stdout).keys() == found.keys(), "as without a kind"


def test_json_and_yaml_are_whole_objects(on_air: Appliance) -> None:
    one = json.loads(vistter("get", "program", "main", "-o", "json", state=on_air.state).stdout)
    assert one["status"]["onAir"]["source"] == {"kind": "Camera", "name": "pier"}
    several = yaml.safe_load(vistter("get", "cam", "-o", "yaml", state=on_air.state).stdout)
    assert (several["kind"], [item["metadata"]["name"] for item in several["items"]]) == (
        "List",
        ["pier", "spare"],
    )


@pytest.mark.parametrize("output", ["table", "wide", "json", "yaml"])
def test_secrets_show_their_keys_alone(on_air: Appliance, output: str) -> None:
    done = vistter("get", "secrets", "-o", output, state=on_air.state)
    assert "login" in done.stdout
    assert output == "table" or "password" in done.stdout
    assert "correct-horse" not in done.stdout
    assert "Y29ycmVjd" not in done.stdout


def test_what_is_not_there_is_told(on_air: Appliance) -> None:
    done = vistter("get", "camera", "nowhere", state=on_air.state)
    assert (done.returncode, done.stderr) == (1, "There is no Camera default/nowhere\n")
    done = vistter("get", "overlays", state=on_air.state)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "No overlays found.\n")
    assert vistter("get", "cameras", "-n", "town", state=on_air.state).stderr == "No cameras found.\n"


class Watching:
    """A command that goes on; its output so far."""

    def __init__(self, *arguments: str, state: Path) -> None:
        self.process = subprocess.Popen(
            [str(VISTTER), *arguments, "--state-dir", str(state)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    def end(self, number: int = 2) -> tuple[int, str]:
        """Send a signal (Ctrl-C); exit status and stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        assert self.process.stderr is not None
        status, said = self.process.wait(10), self.process.stderr.read()
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process.stderr.close()
        return status, said


def test_a_watch_goes_on_with_each_change_until_ctrl_c(tmp_path: Path) -> None:
    with Appliance(tmp_path) as appliance:
        appliance.write("stays.yaml", manifest("Secret", "stays", stringData={"key": "a-long-value"}))
        table = Watching("get", "cameras", "-w", state=appliance.state)
        lines = Watching("get", "cameras", "-w", "-o", "json", state=appliance.state)
        try:
            appliance.write("a.yaml", manifest("Camera", "pier", {"source": {"testPattern": {}}}))
            until(lambda: any("pier" in line for line in table.lines), 10, "the new camera is shown")
            appliance.remove("a.yaml")
            until(lambda: any("deleted" in line for line in table.lines), 20, "its end is shown")
            until(lambda: lines.lines and "DELETED" in lines.lines[-1], 10, "its end is told in JSON")
        finally:
            ends = table.end(), lines.end()
        assert ends == ((130, ""), (130, ""))
        changes = [json.loads(line) for line in lines.lines]
        assert [change["object"]["metadata"]["name"] for change in changes] == ["pier"] * len(changes)
        assert (changes[0]["type"], changes[-1]["type"]) == ("ADDED", "DELETED")


def test_a_watch_says_when_the_controller_ends(tmp_path: Path) -> None:
    with Appliance(tmp_path) as appliance:
        appliance.write("a.yaml", manifest("Camera", "pier", {"source": {"testPattern": {}}}))
        watching = Watching("get", "cameras", "-w", state=appliance.state)
        until(lambda: any("pier" in line for line in watching.lines), 10, "it watches")
        appliance.kill()
        watching.process.wait(10)
        assert watching.end() == (0, f"The controller of {appliance.state} has ended.\n")


def test_problems_of_manifests_are_told_on_stderr(tmp_path: Path) -> None:
    with Appliance(tmp_path) as appliance:
        appliance.write("good.yaml", manifest("Camera", "pier", {"source": {"testPattern": {}}}))
        appliance.write("bad.yaml", manifest("Camera", "bad", {"source": {"url": "gopher://x"}}))
        appliance.wait(lambda: appliance.ask("problems")["problems"], 10, "the problem is found")
        appliance.wait(lambda: appliance.get("Camera", "pier"), 10, "the good one is there")
        done = vistter("get", "cameras", state=appliance.state)
        assert done.returncode == 0
        assert "pier" in done.stdout
        assert f"{appliance.manifests}/bad.yaml:" in done.stderr
        assert "spec.source.url:" in done.stderr


def test_without_a_controller_the_store_and_the_playouts_answer(tmp_path: Path) -> None:
    with Appliance(tmp_path) as appliance:
        appliance.write("small.yaml", SMALL)
        appliance.wait_on_air("main", "pier")
        appliance.kill()
        done = vistter("get", "programs", state=appliance.state)
        assert done.returncode == 0
        assert "main" in done.stdout
        assert f"No controller runs on {appliance.state}: this is what was last known." in done.stderr
        assert "On air without it: main: pier." in done.stderr
        assert vistter("get", "cam", "pier", "-o", "json", state=appliance.state).returncode == 0
        assert vistter("get", "cam", "-w", state=appliance.state).returncode == 1
        appliance.controller.reap()
