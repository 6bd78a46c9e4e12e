"""Reads an appliance: from its controller or, where none runs, from its store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from vistterstream.api.client import Client, NoController
from vistterstream.base.errors import VistterError
from vistterstream.cli.console import say

Form = dict[str, Any]


class Reader(Protocol):
    """Answers the requests of api/local.py that only read."""

    def ask(self, op: str, **fields: Any) -> Form:
        """The answer. Raises VistterError."""

    def follow(self, op: str, **fields: Any) -> Iterator[Form]:
        """The answers to a request that goes on. Raises VistterError."""


class Stored:
    """Answers from the store of the state folder, while no controller runs there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ask(self, op: str, **fields: Any) -> Form:
        """The answer. Raises VistterError."""
        from vistterstream.api.answers import Answers
        from vistterstream.api.local import Request, answer
        from vistterstream.reconcile.lock import state_lock
        from vistterstream.store.store import Store

        with state_lock(self._folder):
            store = Store(self._folder / "store.sqlite3")
            try:
                return answer(Answers(store, self._folder), Request(op=op, **fields))
            finally:
                store.close()

    def follow(self, op: str, **fields: Any) -> Iterator[Form]:
        """Nothing happens without a controller."""
        raise NoController(self._folder)


@contextmanager
def reader(folder: Path) -> Iterator[Reader]:
    """The controller of the state folder; its store where none runs, which is said. Raises NoController
    where there is no store either.
    """
    try:
        client = Client(folder)
    except NoController:
        if not (folder / "store.sqlite3").exists():
            raise
        say(_without_controller(folder), style="yellow")
        yield Stored(folder)
        return
    with client:
        yield client


def controller(folder: Path) -> Client:
    """The controller of the state folder. Raises NoController."""
    return Client(folder)


def _without_controller(folder: Path) -> str:
    return (
        f"No controller runs on {folder}: this is what was last known. "
        f"{_on_air(folder)} Start one with: vistter run --state-dir {folder}"
    )


def _on_air(folder: Path) -> str:
    """What the playouts say, which work on alone."""
    from vistterstream.cli.playouts import states

    found = states(folder)
    if not found:
        return "No playout runs: nothing is on air."
    return "On air without it: " + "; ".join(f"{state.program}: {state.shows}" for state in found) + "."


def problems(source: Reader) -> list[str]:
    """Manifests that could not be taken, as sentences; none where nobody looks at them."""
    try:
        return list(source.ask("problems")["problems"])
    except VistterError:
        return []


def say_problems(source: Reader) -> None:
    """Tell about manifests that could not be taken."""
    found = problems(source)
    if found:
        say("Manifests that could not be taken; what they said before stays:", style="red")
        for problem in found:
            say(f"  {problem}")
