from __future__ import annotations

from pathlib import Path

import pytest

from api.serving import camera
from vistterstream.api.client import NoController
from vistterstream.base.errors import VistterError
from vistterstream.cli.reading import problems, reader
from vistterstream.reconcile.lock import state_lock
from vistterstream.store.store import Store


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    store = Store(tmp_path / "store.sqlite3")
    store.apply(camera("pier"), manager="file")
    store.close()
    return tmp_path


def test_the_store_answers_where_no_controller_runs(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with reader(stored) as source:
        assert source.ask("list", kind="cam")["objects"][0]["metadata"]["name"] == "pier"
        assert source.ask("describe", kind="cam", name="pier")["description"]["owner"] == "file"
        assert problems(source) == []
        with pytest.raises(VistterError, match="there is no Camera default/yard"):
            source.ask("get", kind="cam", name="yard")
        with pytest.raises(NoController):
            source.follow("watch")
    said = capsys.readouterr().err
    assert f"No controller runs on {stored}: this is what was last known." in said
    assert "No playout runs: nothing is on air." in said


def test_reading_changes_nothing(stored: Path) -> None:
    with reader(stored) as source:
        first = source.ask("list")
        assert source.ask("list") == first


def test_a_store_that_somebody_just_took_is_left_alone(stored: Path) -> None:
    with reader(stored) as source, state_lock(stored), pytest.raises(VistterError, match="already runs"):
        source.ask("list")


def test_without_a_store_there_is_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(NoController), reader(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
