from __future__ import annotations

from pathlib import Path

import pytest

from vistterstream.resources.generate import generate, generated, main

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_tree_is_clean() -> None:
    assert generate(ROOT, check=True) == []


@pytest.mark.slow
def test_files_are_written_once_and_then_fresh(tmp_path: Path) -> None:
    written = generate(tmp_path, check=False)
    assert written == sorted(generated())
    assert generate(tmp_path, check=True) == []
    assert generate(tmp_path, check=False) == []
    assert (tmp_path / "crds/schema.json").stat().st_mode & 0o777 == 0o644


@pytest.mark.slow
def test_a_file_that_was_changed_is_missing_or_left_over_is_stale(tmp_path: Path) -> None:
    generate(tmp_path, check=False)
    (tmp_path / "docs/reference/camera.md").write_text("changed")
    (tmp_path / "crds/schema.json").unlink()
    (tmp_path / "docs/reference/lamp.md").write_text("of a kind that is gone")
    stale = ["crds/schema.json", "docs/reference/camera.md", "docs/reference/lamp.md"]
    assert generate(tmp_path, check=True) == stale
    assert (tmp_path / "docs/reference/camera.md").read_text() == "changed"
    assert generate(tmp_path, check=False) == stale
    assert not (tmp_path / "docs/reference/lamp.md").exists()
    assert generate(tmp_path, check=True) == []


def test_the_command_fails_where_something_is_stale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check", str(tmp_path)]) == 1
    assert "crds/schema.json is stale; run" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 0
    assert "docs/reference/README.md written" in capsys.readouterr().err
    assert main(["--check", str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""
