from __future__ import annotations

import os
import signal

import pytest

from cli.commands import SMALL, vistter
from peers.vistter import Appliance, manifest

pytestmark = pytest.mark.e2e


def test_a_healthy_appliance_is_a_few_lines(on_air: Appliance) -> None:
    done = vistter("status", state=on_air.state)
    assert done.returncode == 0
    assert "main: camera pier is on air for" in done.stdout
    assert "cameras: 2 of 2 as they should be" in done.stdout
    assert "preview: http://127.0.0.1:" in done.stdout
    assert "correct-horse" not in done.stdout


def test_without_a_controller_the_playouts_are_believed(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Appliance(tmp_path_factory.mktemp("alone")) as appliance:
        appliance.write("small.yaml", SMALL)
        appliance.wait_on_air("main", "pier")
        playout = appliance.pid("playout", "main")
        assert playout is not None
        appliance.kill()
        appliance.controller.reap()
        done = vistter("status", state=appliance.state)
        assert (done.returncode, done.stdout) == (1, "main: pier (without a controller)\n")
        os.kill(playout, signal.SIGSTOP)
        done = vistter("status", state=appliance.state)
        told = f"main: its playout (pid {playout}) runs, but does not answer (without a controller)\n"
        assert (done.returncode, done.stdout) == (1, told)
        os.kill(playout, signal.SIGKILL)
        done = vistter("status", state=appliance.state)
        assert (done.returncode, done.stdout) == (2, "main: nothing; no playout runs\n")


def test_what_is_wrong_is_named_and_the_status_is_1(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Appliance(tmp_path_factory.mktemp("wrong")) as appliance:
        appliance.write(
            "a.yaml", manifest("Output", "lonely", {"program": "none", "targets": [{"name": "p", "hls": {}}]})
        )
        appliance.wait_condition("Output", "lonely", "Ready", "False")
        done = vistter("status", state=appliance.state)
        assert done.returncode == 1
        assert "No program is configured" in done.stdout
        assert "lonely: " in done.stdout
        assert "Program default/none does not exist" in done.stdout


@pytest.mark.parametrize("broken", [True, False])
def test_manifests_that_cannot_be_taken_are_not_well_and_neither_is_an_appliance_without_a_program(
    tmp_path_factory: pytest.TempPathFactory, broken: bool
) -> None:
    with Appliance(tmp_path_factory.mktemp("nothing")) as appliance:
        if broken:
            appliance.write("small.yaml", SMALL)
            appliance.wait_condition("Output", "preview", "Ready")
            assert vistter("status", state=appliance.state).returncode == 0
            appliance.write("broken.yaml", "kind: [")
            appliance.wait(lambda: appliance.ask("problems")["problems"], 10, "it is reported")
        done = vistter("status", state=appliance.state)
        assert done.returncode == 1
        assert ("Manifests that could not be taken" in done.stderr) is broken
