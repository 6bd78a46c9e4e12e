from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cli.commands import ROOT, vistter


@pytest.mark.slow
def test_crds_go_to_stdout(tmp_path: Path) -> None:
    done = vistter("crds")
    kinds = {document["spec"]["names"]["kind"] for document in yaml.safe_load_all(done.stdout)}
    assert kinds == {"Camera", "Overlay", "Timeline", "Program", "Output"}
    assert done.stderr == ""


@pytest.mark.slow
def test_crds_are_the_ones_of_the_repository(tmp_path: Path) -> None:
    done = vistter("crds", "--out", tmp_path / "crds")
    assert (done.returncode, done.stdout) == (0, "")
    written = {file.name: file.read_text() for file in (tmp_path / "crds").iterdir()}
    assert written == {file.name: file.read_text() for file in (ROOT / "crds").glob("*.yaml")}
