"""Reads an appliance: from its controller or, where none runs, from its store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vistterstream.api.client import Client, NoController
from vistterstream.base.errors import VistterError
from vistterstream.cli.console import as_sentence, say
from vistterstream.cli.reader import Reader


@contextmanager
def reader(folder: Path) -> Iterator[Reader]:
    """The controller of the state folder; its store where none runs, which is said. Raises NoController
    where there is no store either.
    """
    try:
        client = Client(folder)
    except NoController:
        from vistterstream.cli.stored import stored  # takes a while to import, and is rarely needed

        with stored(folder) as source:
            yield source
        return
    with client:
        yield client


def problems(source: Reader) -> tuple[list[str], list[str]]:
    """Manifests that could not be taken, and what keeps the controller from its work, as sentences; none
    where nobody looks at them.
    """
    try:
        answer = source.ask("problems")
    except VistterError:
        return [], []
    return list(answer["problems"]), list(answer.get("warnings", ()))


def say_problems(source: Reader) -> bool:
    """Tell about manifests that could not be taken, and what keeps the controller from its work; whether
    there is anything.
    """
    found, warnings = problems(source)
    for warning in warnings:
        say(as_sentence(warning), style="red")
    if found:
        say("Manifests that could not be taken; what they said before stays:", style="red")
        for problem in found:
            say(f"  {problem}")
    return bool(found or warnings)
