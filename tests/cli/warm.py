"""Runs the ``vistter`` command in processes that have imported the libraries already.

Nearly all that a short command costs is importing pydantic's models, NumPy, OpenCV and the like. Started
once, this script imports them, and for each command forks a process, which has the arguments, the
environment, the folder and the output it is to have, imports the command line itself, and ends as any
other. Requests and answers are lines of JSON; see `commands.py`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import warnings
from typing import Any

LIBRARIES = (
    "rich.console",
    "rich.progress",
    "rich.table",
    "typer.main",
    "typer.rich_utils",
    "vistterstream.api.client",
    "vistterstream.playout.movie",
    "vistterstream.playout.offline",
    "vistterstream.reconcile.planner",
    "vistterstream.resources.manifests",
    "vistterstream.sources.scan",
    "vistterstream.store.store",
)
"""What is imported beforehand: nothing of the command line itself, which may look at its surroundings."""


def _serve() -> dict[str, Any] | None:
    """Run what is asked for, until nobody asks; in the process of a command, its request."""
    for line in sys.stdin.buffer:
        request: dict[str, Any] = json.loads(line)
        sys.stdout.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside NumPy's threads: idle
            pid = os.fork()
        if not pid:
            return request
        _answer({"pid": pid})
        _, status = os.waitpid(pid, 0)
        _answer({"status": os.waitstatus_to_exitcode(status)})
    return None


def _answer(said: dict[str, int]) -> None:
    print(json.dumps(said), flush=True)


def _become(request: dict[str, Any]) -> None:
    """Be the process that was asked for."""
    os.setsid()
    for number, (path, flags) in enumerate(
        ((os.devnull, os.O_RDONLY), (request["stdout"], os.O_WRONLY), (request["stderr"], os.O_WRONLY))
    ):
        descriptor = os.open(path, flags)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # what the old one has read of requests stays there
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["vistter", *request["arguments"]]


def main() -> None:
    """Serve; each command ends by leaving this as it would leave its own script."""
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()  # nobody looks at these objects again, and so nobody copies them
    request = _serve()
    if request is not None:
        _become(request)
        importlib.import_module("vistterstream.cli.main").main()


if __name__ == "__main__":
    main()
