from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.commands import ROOT, SMALL, vistter
from vistterstream.cli.validating import validate

FOLDERS = sorted([*(ROOT / "examples").glob("[0-9]*"), ROOT / "manifests"])


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_example_is_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate([folder], partial=False) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith(": all good.\n")


def test_all_errors_of_all_files_are_told_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(SMALL)
    (tmp_path / "a.yaml").write_text(
        "apiVersion: stream.vistter.io/v1alpha1\nkind: Camera\nmetadata: {name: A_B}\n"
        "spec:\n  source: {url: 'gopher://x'}\n  stallAfter: soon\n  colour: red\n"
    )
    (tmp_path / "b.yml").write_text("kind: [\n")
    done = vistter("validate", tmp_path)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert len(lines) >= 5
    assert all(line.startswith((f"{tmp_path}/a.yaml:", f"{tmp_path}/b.yml:")) for line in lines)
    assert any(line.startswith(f"{tmp_path}/a.yaml:6:15 spec.stallAfter: ") for line in lines)
    assert f"{len(lines)} errors in 2 files." in done.stderr


def test_references_that_lead_nowhere_are_errors_unless_this_is_a_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(SMALL.replace("camera: pier", "camera: peer"))
    assert validate([file], partial=False) == 1
    said = capsys.readouterr().out
    assert ".video[0].camera: there is no Camera" in said
    assert "pier" in said  # the name that was meant
    assert validate([file], partial=True) == 0


def test_paths_without_manifests_are_an_error(tmp_path: Path) -> None:
    done = vistter("validate", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "There are no manifests" in done.stderr
    done = vistter("validate", tmp_path / "nowhere")
    assert done.returncode == 1
    assert f"The path {tmp_path}/nowhere cannot be read: there is no such file" in done.stderr


def test_a_path_is_told_as_it_was_given() -> None:
    for command in (("validate",), ("diff", "-f")):
        assert "The path nope cannot be read: there is no such file" in vistter(*command, "nope").stderr


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n"])
def test_manifests_without_an_object_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "a.yaml").write_text(text)
    assert validate([tmp_path / "a.yaml"], partial=False) == 1
    assert capsys.readouterr().err == "There are no objects in there.\n"


def test_a_secret_is_in_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n"
        "data: {password: correct-horse!}\nstringData: {b: [hunter22]}\n"
    )
    assert validate([tmp_path], partial=False) == 1
    said = capsys.readouterr()
    assert "correct-horse" not in said.out + said.err
    assert "hunter22" not in said.out + said.err


@pytest.mark.slow
@pytest.mark.parametrize("debug", [False, True])
def test_an_error_that_nobody_foresaw_is_one_sentence_unless_debugging(tmp_path: Path, debug: bool) -> None:
    (tmp_path / "a.yaml").write_text(SMALL)
    code = (
        "from vistterstream.resources import manifests\n"
        "from vistterstream.cli.main import main\n"
        "manifests._load = lambda text, file: 1 / 0\n"
        "main()\n"
    )
    options = ["--debug"] if debug else []
    done = subprocess.run(
        [sys.executable, "-c", code, *options, "validate", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert f"nternal error while reading {tmp_path}/a.yaml (ZeroDivisionError)" in done.stderr
    assert ("Traceback" in done.stderr) is debug
    assert debug or done.stderr.count("\n") == 1


def test_a_stream_key_in_an_address_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = "rtmp://127.0.0.1:1935/live/5f2b1c9e7d3a4b6c"
    file = tmp_path / "a.yaml"
    output = (
        "apiVersion: stream.vistter.io/v1alpha1\nkind: Output\nmetadata: {name: platform}\n"
        "spec:\n  program: main\n  targets:\n  - name: a\n    url: "
    )
    file.write_text(output + url + "\n")
    assert validate([tmp_path], partial=True) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert f"Warning: {file}:8:10 spec.targets[0].url: this looks like a stream key; put it in" in said.err
    assert "5f2b1c9e7d3a4b6c" not in said.err
    file.write_text(f"{output}{url}\n    streamKeySecretRef: {{name: platform, key: key}}\n")
    assert validate([tmp_path], partial=True) == 0
    assert "Warning" not in capsys.readouterr().err


NAMES_FILES = """
apiVersion: stream.vistter.io/v1alpha1
kind: Overlay
metadata: {name: logo}
spec:
  layers:
    - {name: a, image: {file: logo.png}}
    - {name: b, image: {file: here.png}}
"""


def test_a_file_that_is_missing_is_warned_of_though_no_program_shows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(NAMES_FILES)
    (tmp_path / "here.png").touch()
    for partial in (True, False):
        assert validate([file], partial=partial) == 0
        said = capsys.readouterr()
        told = " ".join(said.err.split())
        assert said.out == ""
        assert f"{file}:7:31 spec.layers[0].image.file: there is no file {tmp_path}/logo.png" in told
        assert told.count("Warning: ") == 1
        assert "1 Overlay: no errors, 1 warning." in told


def test_what_is_an_error_is_not_warned_of_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(SMALL.replace("testPattern: {pattern: grid}", "file: {path: a.mp4}"))
    assert validate([tmp_path], partial=False) == 1
    said = capsys.readouterr()
    assert f"spec.source.file.path: there is no file {tmp_path}/a.mp4" in said.out
    assert "Warning" not in said.err


def test_a_sound_file_that_is_missing_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        "apiVersion: stream.vistter.io/v1alpha1\nkind: Timeline\nmetadata: {name: day}\nspec:\n  tracks:\n"
        "    - name: music\n      audio: [{file: here.mp3, duration: 1s}, {file: gone.mp3, duration: 1s}]\n"
    )
    (tmp_path / "here.mp3").touch()
    assert validate([file], partial=False) == 0
    told = f"Warning: {file}:7:54 spec.tracks[0].audio[1].file: there is no file {tmp_path}/gone.mp3"
    assert told in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_looking_at_manifests_starts_neither_logs_nor_loops_nor_pixels() -> None:
    heavy = {"structlog", "anyio", "asyncio", "numpy", "cv2", "PIL", "aiohttp"}
    code = "import vistterstream.cli.validating, sys; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert not heavy & set(done.stdout.split())
