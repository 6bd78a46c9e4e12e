from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from api.serving import camera, served
from vistterstream.api.client import NoController
from vistterstream.base.errors import VistterError
from vistterstream.cli import stored
from vistterstream.cli.reading import problems, reader
from vistterstream.reconcile.lock import state_lock
from vistterstream.store.store import Store


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    store = Store(tmp_path / "store.sqlite3")
    store.apply(camera("pier"), manager="file")
    store.close()
    return tmp_path


def test_the_store_answers_where_no_controller_runs(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with reader(kept) as source:
        assert source.ask("list", kind="cam")["objects"][0]["metadata"]["name"] == "pier"
        assert source.ask("describe", kind="cam", name="pier")["description"]["owner"] == "file"
        assert problems(source) == ([], [])
        with pytest.raises(VistterError, match="there is no Camera default/yard"):
            source.ask("get", kind="cam", name="yard")
        with pytest.raises(NoController):
            source.follow("watch")
    said = capsys.readouterr().err
    assert f"No controller runs on {kept}: this is what was last known." in said
    assert "No playout runs: nothing is on air." in said


def test_reading_changes_nothing(kept: Path) -> None:
    with reader(kept) as source:
        first = source.ask("list")
        assert source.ask("list") == first


def test_a_folder_that_a_controller_holds_is_left_alone(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "PATIENCE", 0.3)
    busy = pytest.raises(VistterError, match=rf"a controller \(pid {os.getpid()}\) is starting or ending")
    with state_lock(kept), busy, reader(kept):
        pass


def test_a_controller_that_is_just_starting_is_waited_for(tmp_path: Path) -> None:
    with served(tmp_path) as appliance:
        appliance.apply(camera("pier"))
        answers: list[str] = []

        def ask() -> None:
            with reader(tmp_path) as source:
                answers.append(source.ask("version")["version"]["version"])

        with state_lock(tmp_path):
            thread = threading.Thread(target=ask)
            thread.start()
            with appliance.socket():
                thread.join(10)
        assert answers == ["1.2.3"]


def test_without_a_store_there_is_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(NoController), reader(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
