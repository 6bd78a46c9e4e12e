"""The as-run log: a line for each change, in the file of its day."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from peers.waiting import until
from vistterstream.base.redaction import redact
from vistterstream.playout.asrun import AsRunLog, Spoken, changed_words
from vistterstream.playout.mixer import Words
from vistterstream.playout.protocol import OnAir


def shown(when: datetime, **more: object) -> OnAir:
    fields = {"kind": "Camera", "name": "wharf", "since": when.timestamp(), "frame": 7, "reason": "Cue"}
    return OnAir.model_validate(fields | more)


NOON = datetime(2026, 3, 29, 12, 0, 0, 123456, tzinfo=UTC)


def test_a_line_says_when_what_which_frame_and_why(tmp_path: Path) -> None:
    overlays = {"overlays": ["tag", "clock"], "entered": ["clock"], "left": ["title"]}
    overlays["sounds"] = ["sea.flac"]
    place = {"timeline": "show", "position": 120, "cue": 3}
    AsRunLog(tmp_path / "asrun" / "main", "main").write(shown(NOON, **overlays, **place))
    (file,) = (tmp_path / "asrun" / "main").iterdir()
    assert file.name == "2026-03-29.jsonl"
    assert json.loads(file.read_text()) == {
        "time": "2026-03-29T12:00:00.123456+00:00",
        "frame": 7,
        "program": "main",
        "source": {"kind": "Camera", "name": "wharf"},
        "reason": "Cue",
        "timeline": {"name": "show", "frame": 120, "cue": 3, "playback": "playing"},
        "overlays": ["tag", "clock"],
        "entered": ["clock"],
        "left": ["title"],
        "sounds": ["sea.flac"],
    }


def test_a_line_says_that_the_timeline_is_paused_or_held(tmp_path: Path) -> None:
    log = AsRunLog(tmp_path, "main")
    for state in ("paused", "held"):
        log.write(shown(NOON, standing={"state": state}))
    (file,) = tmp_path.iterdir()
    lines = map(json.loads, file.read_text().splitlines())
    assert [line["timeline"]["playback"] for line in lines] == ["paused", "held"]


def test_words_of_data_have_a_line_of_their_own(tmp_path: Path) -> None:
    redact.learn(["s3cret-tide"])
    words = {"weather": {"wind": "7 kn", "tide": "s3cret-tide", "news": None}}
    AsRunLog(tmp_path, "main").write(Spoken(9, NOON.timestamp(), words))
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text()) == {
        "time": "2026-03-29T12:00:00.123456+00:00",
        "frame": 9,
        "program": "main",
        "data": {"weather": {"wind": "7 kn", "tide": "***", "news": None}},
    }


def test_only_words_that_are_others_than_before_are_told() -> None:
    before: Words = {"weather": {"wind": "7", "news": None}, "board": {"score": "0:0"}}
    assert changed_words({}, before) == before
    assert changed_words(before, before) == {}
    assert changed_words(before, {"weather": {"wind": "8", "news": None}}) == {"weather": {"wind": "8"}}
    assert changed_words(before, {**before, "new": {"a": None}}) == {"new": {"a": None}}
    assert changed_words(before, {}) == {}


def test_the_slate_says_which_camera_is_missing_and_why(tmp_path: Path) -> None:
    AsRunLog(tmp_path, "main").write(shown(NOON, kind="Slate", reason="CameraStalled"))
    (file,) = tmp_path.iterdir()
    line = json.loads(file.read_text())
    assert (line["source"], line["reason"]) == ({"kind": "Slate", "name": "wharf"}, "CameraStalled")


def test_each_day_of_the_world_s_clock_has_its_file_and_lines_are_appended(tmp_path: Path) -> None:
    log = AsRunLog(tmp_path, "main")
    midnight = datetime(2026, 3, 30, tzinfo=UTC)
    for offset in (-2.0, -0.001, 0.0, 5.0):
        log.write(shown(datetime.fromtimestamp(midnight.timestamp() + offset, UTC)))
    AsRunLog(tmp_path, "main").write(shown(midnight))
    counts = {file.name: len(file.read_text().splitlines()) for file in tmp_path.iterdir()}
    assert counts == {"2026-03-29.jsonl": 2, "2026-03-30.jsonl": 3}


def test_a_secret_in_a_name_is_masked_and_the_line_stays_json(tmp_path: Path) -> None:
    redact.learn(['as"run-secret'])
    AsRunLog(tmp_path, "main").write(shown(NOON, overlays=['x as"run-secret y']))
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text())["overlays"] == ["x *** y"]


def test_names_in_any_script_are_written_as_they_are(tmp_path: Path) -> None:
    AsRunLog(tmp_path, "main").write(shown(NOON, overlays=["Grüße 港"]))
    assert "Grüße 港" in next(tmp_path.iterdir()).read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_made_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="directory"):
        AsRunLog(tmp_path / "file" / "main", "main").write(shown(NOON))


@pytest.mark.slow
def test_a_writer_that_is_killed_costs_the_last_line_at_most(tmp_path: Path) -> None:
    code = (
        "import sys, itertools; from pathlib import Path; from vistterstream.playout.asrun import AsRunLog\n"
        "from vistterstream.playout.protocol import OnAir\n"
        "log = AsRunLog(Path(sys.argv[1]), 'main')\n"
        "for n in itertools.count():\n"
        "    log.write(OnAir(kind='Camera', name='a' * 200, since=1e9, frame=n, reason='Cue'))\n"
    )
    file = tmp_path / "2001-09-09.jsonl"
    writer = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    try:
        until(lambda: file.exists() and file.stat().st_size > 50_000, 20, "lines are written")
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait(10)
    lines = file.read_text().splitlines()
    assert [json.loads(line)["frame"] for line in lines[:-1]] == list(range(len(lines) - 1))
