from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import vistterstream
from cli.commands import vistter
from vistterstream.cli.main import app

COMMANDS = ["run", "stop", "status", "get", "describe", "events", "validate", "diff", "crds", "version"]


@pytest.mark.slow
def test_help_names_every_command_and_a_first_step() -> None:
    done = vistter("--help", cold=True)
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"│ {command} " in done.stdout
    assert "vistter run --manifests examples/01-hello" in done.stdout
    assert "\x1b[" not in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str) -> None:
    done = CliRunner().invoke(app, [command, "-h"], prog_name="vistter")
    assert done.exit_code == 0
    assert f"Usage: vistter {command}" in done.stdout


def test_help_imports_neither_models_nor_servers() -> None:
    code = (
        "import sys\nfrom vistterstream.cli.main import app\n"
        "print(sorted({'aiohttp', 'anyio', 'cv2', 'pydantic_core', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_package_can_be_run_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vistterstream", "version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{vistterstream.__version__}\n"


def test_without_a_command_help_is_shown() -> None:
    done = vistter()
    assert "Usage: vistter" in done.stdout + done.stderr


@pytest.mark.slow
def test_a_wrong_command_is_refused_on_stderr() -> None:
    done = vistter("fly", cold=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "No such command 'fly'" in done.stderr


@pytest.mark.slow
def test_a_wrong_value_is_refused_with_those_that_there_are() -> None:
    done = vistter("get", "cameras", "-o", "csv", cold=True)
    assert (done.returncode, done.stdout) == (2, "")
    words = " ".join(done.stderr.replace("│", " ").split())
    assert (
        "Invalid value for '--output' / '-o': 'csv' is not one of 'table', 'wide', 'json', 'yaml'." in words
    )


def test_an_error_is_one_sentence(tmp_path: Path) -> None:
    done = vistter("get", "cameras", state=tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    folder = tmp_path / "nowhere"
    hint = f"start one with: vistter run --state-dir {folder}"
    assert done.stderr == f"No controller runs on {folder}; {hint}\n"


def test_debug_shows_where_an_error_comes_from(tmp_path: Path) -> None:
    done = vistter("--debug", "get", "cameras", state=tmp_path / "nowhere")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_wrong_kind_is_told_with_the_right_ones(tmp_path: Path) -> None:
    done = vistter("get", "boats", state=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("There is no kind 'boats'; the kinds are cameras, overlays")


def test_kinds_are_completed() -> None:
    done = vistter(
        "get", env={"_VISTTER_COMPLETE": "complete_bash", "COMP_WORDS": "vistter get ou", "COMP_CWORD": "2"}
    )
    assert done.stdout.split() == ["outputs"]


@pytest.mark.e2e
def test_names_are_completed_from_a_running_controller(on_air: object) -> None:
    state = on_air.state  # type: ignore[attr-defined]
    words = {"_VISTTER_COMPLETE": "complete_bash", "COMP_WORDS": "vistter get cam s", "COMP_CWORD": "3"}
    assert vistter("get", state=state, env=words).stdout.split() == ["spare"]
