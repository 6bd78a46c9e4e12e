from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from peers.waiting import until
from store.objects import key
from store.writer import GROUP
from vistterstream.store.store import Store

ROUNDS = 30


@pytest.fixture
def writer() -> Iterator[subprocess.Popen[str]]:
    tests = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent / "controller")])}
    process = subprocess.Popen(
        [sys.executable, "-m", "store.writer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    with process:
        yield process
        assert process.stdin
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill_at_any_moment(
    tmp_path: Path, writer: subprocess.Popen[str]
) -> None:
    assert writer.stdin
    assert writer.stdout
    path, acks = tmp_path / "store.sqlite3", tmp_path / "acks"
    chance = random.Random(4)
    expected: dict[str, dict[str, str | None]] = {}
    version, written, interrupted = 0, 0, 0
    for number in range(ROUNDS):
        acks.write_text("")
        writer.stdin.write(f"{path} {acks} {number + 1}\n")
        writer.stdin.flush()
        pid = int(writer.stdout.readline())
        wanted = chance.randrange(1, 120)
        until(partial(enough, acks, wanted), 20, "the writer writes", every=0.002)
        os.kill(pid, signal.SIGKILL)
        assert writer.stdout.readline() == "ended\n"

        notes = [json.loads(line) for line in acks.read_text().splitlines()]
        for note in notes:
            if "done" in note:
                play(expected, note["done"])
                version, written = note["version"], written + 1
        possible = [expected]
        if "begin" in notes[-1]:
            interrupted += 1
            possible.append(play(json.loads(json.dumps(expected)), notes[-1]["begin"]))
        store = Store(path)
        found = state(store)
        assert found in possible
        assert len({found.get(member, {}).get("backup") for member in GROUP}) == 1
        assert store.resource_version >= version
        assert [row[0] for row in store._database.rows("PRAGMA integrity_check")] == ["ok"]
        store.close()
        expected = found
    assert written > 20 * ROUNDS
    assert interrupted


def enough(acks: Path, wanted: int) -> bool:
    return acks.read_text().count("\n") > wanted


def play(state: dict[str, dict[str, str | None]], step: dict[str, Any]) -> dict[str, dict[str, str | None]]:
    """What a step of the writer does, to a plain dictionary."""
    name, value = step["name"], step["value"]
    if step["do"] == "delete":
        state.pop(name, None)
    elif step["do"] == "status":
        if name in state:
            state[name]["program"] = value
    else:
        for member in [name] if step["do"] == "apply" else GROUP:
            state.setdefault(member, {"program": None})["backup"] = value
    return state


def state(store: Store) -> dict[str, dict[str, str | None]]:
    """What the store holds, in the same form."""
    found: dict[str, dict[str, str | None]] = {}
    for resource in store.list()[0]:
        assert resource == store.get(key(resource.metadata.name))
        found[resource.metadata.name] = {
            "program": getattr(resource.status, "program", None),
            "backup": resource.spec.backup,
        }
    return found
