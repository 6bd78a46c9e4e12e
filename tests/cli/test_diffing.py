from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cli.commands import SMALL, vistter
from peers.vistter import Appliance
from peers.waiting import until
from vistterstream.cli.diffing import sentence

pytestmark = pytest.mark.e2e


def changed(tmp_path: Path, *replacements: tuple[str, str]) -> Path:
    text = SMALL
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "changed.yaml"
    file.write_text(text)
    return file


def test_what_runs_already_changes_nothing(on_air: Appliance, tmp_path: Path) -> None:
    done = vistter("diff", "-f", on_air.manifests, state=on_air.state)
    assert done.returncode == 0
    assert set(done.stdout.splitlines()) == {
        "Camera pier: unchanged",
        "Camera spare: unchanged",
        "Timeline tour: unchanged",
        "Program main: unchanged",
        "Output preview: unchanged",
        "Secret login: unchanged",
    }
    assert done.stderr == "Nothing changes on air.\n"


def test_fields_and_processes_that_would_change_are_named(on_air: Appliance, tmp_path: Path) -> None:
    file = changed(tmp_path, ("duration: 1h", "duration: 2h"), ("bitrate: 200k", "bitrate: 300k"))
    done = vistter("diff", "-f", file, state=on_air.state)
    assert done.returncode == 1
    assert "  spec.tracks[pictures].video[0].duration: 1h → 2h\n" in done.stdout
    assert "  spec.encoding.video.bitrate: 200k → 300k\n" in done.stdout
    playout, encoder = on_air.pid("playout", "main"), on_air.pid("encoder", "preview")
    assert f"program main takes it live, between two frames; its playout (pid {playout}) stays" in done.stdout
    assert f"output preview moves to another encoder (now pid {encoder})" in done.stdout
    assert on_air.status("Program", "main")["playout"]["pid"] == playout


def test_what_is_replaced_with_the_playout_stands_under_it(on_air: Appliance, tmp_path: Path) -> None:
    file = changed(tmp_path, ("width: 320", "width: 640"))
    done = vistter("diff", "-f", file, state=on_air.state)
    playout, encoder, pusher = (
        on_air.pid(role, name)
        for role, name in (("playout", "main"), ("encoder", "preview"), ("pusher", "preview"))
    )
    assert done.stdout.partition("On air:\n")[2].splitlines() == [
        f"  the playout of program main (pid {playout}) is replaced: everything of it is interrupted",
        f"    with it the encoding for output preview (pid {encoder})",
        f"    with it the pusher of output preview (pid {pusher})",
    ]


def test_an_output_whose_program_is_missing_says_why_nothing_changes(
    on_air: Appliance, tmp_path: Path
) -> None:
    file = changed(tmp_path, ("name: preview", "name: lonely"), ("program: main", "program: none"))
    done = vistter("diff", "-f", file, state=on_air.state)
    assert done.returncode == 1
    assert (
        "Output lonely: new\n  spec.program: there is no Program none, so nothing carries it\n" in done.stdout
    )
    assert done.stderr.endswith("\nNothing changes on air.\n")


def test_json_tells_the_same(on_air: Appliance, tmp_path: Path) -> None:
    file = changed(tmp_path, ("width: 320", "width: 640"))
    done = vistter("diff", "-f", file, "-o", "json", state=on_air.state)
    found = json.loads(done.stdout)
    consequences = {(one["role"], one["name"]): one["consequence"] for one in found["processes"]}
    assert consequences[("playout", "main")] == "replaced"
    assert {one["name"]: one["verdict"] for one in found["objects"]}["main"] == "changed"


def test_values_of_secrets_are_masked(on_air: Appliance, tmp_path: Path) -> None:
    file = changed(tmp_path, ("correct-horse-battery-staple", "another-long-password"))
    done = vistter("diff", "-f", file, state=on_air.state)
    assert "  data.password: *** → ***\n" in done.stdout
    assert "another-long-password" not in done.stdout + done.stderr


def test_objects_that_a_folder_no_longer_has_are_removed(on_air: Appliance) -> None:
    text = (on_air.manifests / "small.yaml").read_text()
    part = on_air.folder / "part.yaml"
    part.write_text(text)
    done = vistter("diff", "-f", part, state=on_air.state)
    assert "removed" not in done.stdout  # the others came from elsewhere
    part.unlink()


RELATIVE = """
apiVersion: stream.vistter.io/v1alpha1
kind: Camera
metadata: {name: tape}
spec: {source: {file: {path: media/tape.mp4}}}
"""


def test_a_copy_is_compared_as_if_it_stood_in_the_place_of_the_original(
    on_air: Appliance, tmp_path: Path
) -> None:
    """Relative paths start at the original, and what the copy lacks is removed."""
    original = on_air.manifests / "tape.yaml"
    original.write_text(RELATIVE)
    try:
        until(lambda: on_air.get("Camera", "tape"), 10, "the controller has it")
        copy = tmp_path / "copy"
        shutil.copytree(on_air.manifests, copy)
        done = vistter("diff", "-f", copy, "--as", on_air.manifests, state=on_air.state)
        assert (done.returncode, done.stderr) == (0, "Nothing changes on air.\n")
        (copy / "tape.yaml").unlink()
        done = vistter("diff", "-f", copy, "--as", on_air.manifests, state=on_air.state)
        assert done.returncode == 1
        assert "Camera tape: removed" in done.stdout
        done = vistter("diff", "-f", copy, state=on_air.state)
        assert "Camera tape" not in done.stdout
        assert f"vistter diff -f {copy} --as {on_air.manifests}" in done.stderr
        done = vistter("diff", "-f", copy, "-f", copy, "--as", on_air.manifests, state=on_air.state)
        assert (done.returncode, done.stderr) == (2, "With --as, give one copy with -f.\n")
    finally:
        original.unlink()
        until(lambda: not on_air.get("Camera", "tape"), 10, "it is gone")


def test_manifests_with_errors_are_not_compared(on_air: Appliance, tmp_path: Path) -> None:
    file = changed(tmp_path, ("pattern: motion", "pattern: stripes"))
    done = vistter("diff", "-f", file, state=on_air.state)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{file}:" in done.stderr
    assert vistter("diff", "-f", tmp_path / "nowhere", state=on_air.state).returncode == 2


ROLES = ["playout", "ingest", "encoder", "pusher"]
CONSEQUENCES = ["replaced", "started", "stopped", "applied live"]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("consequence", CONSEQUENCES)
def test_each_consequence_has_a_sentence(role: str, consequence: str) -> None:
    item = {"role": role, "name": "x", "program": "main", "consequence": consequence, "pid": 7, "changes": []}
    assert "x" in sentence(item)


@pytest.mark.parametrize(
    ("consequence", "pid", "told"),
    [
        ("stopped", 7, "output x leaves its encoder (pid 7), which goes on for outputs a and b"),
        ("started", None, "output x joins the encoder of outputs a and b"),
        ("replaced", 7, "output x moves to another encoder (now pid 7, which goes on for outputs a and b)"),
        ("replaced", None, "output x moves to another encoder"),
    ],
)
def test_an_encoder_that_is_shared_is_told_with_those_that_share_it(
    consequence: str, pid: int | None, told: str
) -> None:
    item = {"role": "encoder", "name": "x", "program": "main", "consequence": consequence, "pid": pid}
    assert sentence({**item, "changes": [], "others": ["a", "b"]}) == told
