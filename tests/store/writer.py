"""A process for tests to kill: forks, for each line on stdin, a child that writes to a store without end.

The line is ``STORE ACKS SEED``. The child notes in ACKS each write before it begins and after it returned,
as JSON lines; the parent says the child's pid, and when it has ended.
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any

from store.objects import camera, key
from vistterstream.store.store import Store

GROUP = [f"group-{number}" for number in range(5)]


def write(store: Store, step: dict[str, Any]) -> None:
    """Do one write; `step` says all about it."""
    name, value = step["name"], step["value"]
    if step["do"] == "apply":
        store.apply(camera(name, backup=value), manager="file")
    elif step["do"] == "delete":
        store.delete(key(name), manager="file")
    elif step["do"] == "status":
        store.set_status(key(name), {"program": value})
    else:
        with store.batch():
            for member in GROUP:
                store.apply(camera(member, backup=value), manager="file")


def steps(seed: int) -> Any:
    """Writes without end, the same for the same seed."""
    chance = random.Random(seed)
    for number in range(1_000_000):
        yield {
            "do": chance.choice(["apply", "apply", "delete", "status", "group"]),
            "name": f"camera-{chance.randrange(8)}",
            "value": f"v{seed}-{number}",
        }


def child(path: str, acks: str, seed: int) -> None:
    """Write until killed."""
    descriptor = os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(**what: Any) -> None:
        os.write(descriptor, json.dumps(what).encode() + b"\n")

    store = Store(Path(path))
    for step in steps(seed):
        note(begin=step)
        write(store, step)
        note(done=step, version=store.resource_version)


def main() -> None:
    """Serve stdin."""
    for line in sys.stdin:
        path, acks, seed = line.split()
        pid = os.fork()
        if not pid:
            child(path, acks, int(seed))
        print(pid, flush=True)
        os.waitpid(pid, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
