"""Answers while no controller runs: from the store, and from the playouts, which work on alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from vistterstream.api.answers import Answers
from vistterstream.api.client import Client, NoController
from vistterstream.api.local import Request, answer
from vistterstream.base.errors import VistterError
from vistterstream.cli.console import say
from vistterstream.cli.playouts import PlayoutState, states
from vistterstream.cli.reader import Form, Reader
from vistterstream.reconcile.lock import Taken, state_lock
from vistterstream.store.store import Store

PATIENCE = 10.0
"""Seconds for which a controller may be starting or ending."""


class Stored:
    """Answers from the store of the state folder, while no controller runs there."""

    def __init__(self, folder: Path, answers: Answers, playouts: list[PlayoutState]) -> None:
        self._folder = folder
        self._answers = answers
        self.playouts = playouts

    def ask(self, op: str, **fields: Any) -> Form:
        """The answer. Raises VistterError."""
        return answer(self._answers, Request(op=op, **fields))

    def follow(self, op: str, **fields: Any) -> Iterator[Form]:
        """Nothing happens without a controller. Raises NoController."""
        raise NoController(self._folder)


@contextmanager
def stored(folder: Path) -> Iterator[Reader]:
    """The store of the state folder, which is said; its controller after all, where it was only starting.
    Raises NoController where there is no store either.
    """
    with ExitStack() as stack:
        client = _client_or_lock(folder, stack)
        if client is not None:
            yield client
            return
        playouts = states(folder)
        say(_without_controller(folder, playouts), style="yellow")
        store = Store(folder / "store.sqlite3")
        stack.callback(store.close)
        yield Stored(folder, Answers(store, folder), playouts)


def _client_or_lock(folder: Path, stack: ExitStack) -> Client | None:
    """A connection or, where no controller runs, None and the lock of the folder: a controller that is just
    starting or ending is waited for. Raises NoController where there is no store.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return stack.enter_context(Client(folder))
        except NoController:
            if not (folder / "store.sqlite3").exists():
                raise
        try:
            stack.enter_context(state_lock(folder))
        except Taken as taken:
            if time.monotonic() > deadline:
                raise busy(folder, taken) from taken
            time.sleep(0.1)
        else:
            return None


def busy(folder: Path, taken: Taken) -> VistterError:
    """The error about a process that holds the state folder and does not answer."""
    pid = f" (pid {taken.pid})" if taken.pid is not None else ""
    return VistterError(
        f"a controller{pid} is starting or ending on {folder} and does not answer yet; try again in a moment",
        reason="Busy",
    )


def _without_controller(folder: Path, playouts: list[PlayoutState]) -> str:
    return (
        f"No controller runs on {folder}: this is what was last known. "
        f"{_on_air(playouts)} Start one with: vistter run --state-dir {folder}"
    )


def _on_air(found: list[PlayoutState]) -> str:
    """What the playouts say, which work on alone."""
    if not found:
        return "No playout runs: nothing is on air."
    return "On air without it: " + "; ".join(f"{state.program}: {state.shows}" for state in found) + "."
