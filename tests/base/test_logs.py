"""Logs are JSON lines off a terminal and readable on one, and hold no secret either way."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from vistterstream.base import logs
from vistterstream.base.redaction import redact

SECRET = "hunter2-logs-öß"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _fresh_configuration() -> Iterator[None]:
    redact.learn([SECRET])
    yield
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_level_time_room_and_fields() -> None:
    stream = io.StringIO()
    log = logs.get("playout")
    logs.configure(stream=stream)  # after the logger was got, as in the program
    log.info("on air", program="main", pid=7, parts=[1, {"a": None}])
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "on air",
        "level": "info",
        "room": "playout",
        "program": "main",
        "pid": 7,
        "parts": [1, {"a": None}],
    }


def test_what_is_below_the_level_is_left_out() -> None:
    stream = io.StringIO()
    logs.configure(level="warning", stream=stream)
    log = logs.get("playout")
    log.info("chatter")
    log.warning("trouble")
    assert [line["event"] for line in lines(stream)] == ["trouble"]


class _Odd:
    def __str__(self) -> str:
        return f"odd thing with {SECRET}"


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_a_secret_is_masked_wherever_it_stands(kind: type[io.StringIO]) -> None:
    stream = kind()
    logs.configure(stream=stream)
    log = logs.get("playout")
    event = f"event {SECRET}"
    log.info(event, plain=SECRET, odd=_Odd(), deep=[{"a": (SECRET,)}], bytes=SECRET.encode())
    log.info("url", url=f"rtmp://joe:{SECRET}@host/app/key")
    try:
        raise ValueError(f"the password {SECRET} is wrong")
    except ValueError:
        log.exception("failed")
    text = stream.getvalue()
    assert text.count("***") >= 7
    assert "hunter2" not in text
    assert "ValueError" in text


def test_a_line_on_a_terminal_has_colours_and_shows_no_local_variables() -> None:
    stream = Terminal()
    logs.configure(stream=stream)
    local_thing = "something only a debugger should see"
    try:
        raise ValueError(len(local_thing))
    except ValueError:
        logs.get("playout").exception("failed")
    text = stream.getvalue()
    assert "\x1b[" in text
    assert "only a debugger should see" not in text


def test_lines_of_many_threads_stay_whole() -> None:
    stream = io.StringIO()
    logs.configure(stream=stream)
    log = logs.get("playout")
    threads = [
        threading.Thread(target=lambda: [log.info("x" * 500, n=n) for n in range(50)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines(stream)) == 200


def test_a_log_file_never_grows_beyond_twice_its_limit_and_loses_no_line_of_late(tmp_path: Path) -> None:
    file = logs.RotatingFile(tmp_path / "log.jsonl", limit=10_000)
    try:
        for number in range(1000):
            file.write(f"{number:099}\n")
    finally:
        file.close()
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {"log.jsonl", "log.jsonl.1"}
    assert max(sizes.values()) <= 10_100
    text = (tmp_path / "log.jsonl.1").read_text() + (tmp_path / "log.jsonl").read_text()
    numbers = [int(line) for line in text.splitlines()]
    assert numbers == list(range(numbers[0], 1000))


def test_a_full_disk_does_not_stop_whoever_logs() -> None:
    file = logs.RotatingFile(Path("/dev/full"))
    logs.configure(stream=file)
    logs.get("playout").info("still here")
    with contextlib.suppress(OSError):
        file.close()
    assert not file.isatty()


def test_a_log_file_is_continued(tmp_path: Path) -> None:
    for word in ("one", "two"):
        file = logs.RotatingFile(tmp_path / "log")
        file.write(f"{word}\n")
        file.close()
    assert (tmp_path / "log").read_text() == "one\ntwo\n"
