"""``vistter events``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from vistterstream.api.answers import MANIFEST
from vistterstream.api.client import ConnectionLost
from vistterstream.cli.asked import one_kind, parted
from vistterstream.cli.columns import Form
from vistterstream.cli.console import Cell, Table, as_sentence, console, say
from vistterstream.cli.reading import reader
from vistterstream.cli.spans import since
from vistterstream.resources.kinds import DEFAULT_NAMESPACE

HEADINGS = ("LAST SEEN", "TYPE", "REASON", "OBJECT", "COUNT", "MESSAGE")


def events(
    folder: Path, kind: str | None, name: str | None, namespace: str | None, *, as_json: bool, watch: bool
) -> None:
    """Write the events about an object, a kind, or everything. Raises VistterError; NotFound where nothing is
    known of an object that is named. One that was deleted still has its events.
    """
    if kind is not None:
        kind, name = parted(kind, name)
    wanted = None if kind is None or kind.lower() == "all" else _kind(kind)
    if wanted == MANIFEST and name is not None:
        name = str(Path(name).absolute())
    table = Table(HEADINGS, console())
    with reader(folder) as source:
        found = source.ask("events", kind=wanted, name=name, namespace=namespace)["events"]
        if not found and name is not None and not watch and wanted not in (None, MANIFEST):
            source.ask("get", kind=wanted, namespace=namespace or DEFAULT_NAMESPACE, name=name)
        if not as_json:
            table.print([row(event) for event in found])
        elif not watch:
            _lines(found)
        if not watch:
            return
        seen = 0
        try:
            for answer in source.follow("events", kind=wanted, name=name, namespace=namespace, follow=True):
                seen += 1
                if as_json:
                    _lines([answer["event"]])
                elif seen > len(found):  # the table has the first of them
                    table.print([row(answer["event"])], heading=False)
                    sys.stdout.flush()
        except ConnectionLost as error:
            say(f"{as_sentence(error.message)}.", style="yellow")


def _kind(word: str) -> str:
    """The kind that is meant; events may also be about a file. Raises UnknownKind."""
    return MANIFEST if word.lower() in ("manifest", "manifests") else one_kind(word)


def _lines(found: list[Form]) -> None:
    for event in found:
        print(json.dumps(event, ensure_ascii=False), flush=True)


def row(event: Form) -> list[Cell]:
    """An event as cells under `HEADINGS`."""
    regarding = event["regarding"]
    away = f"@{regarding['namespace']}" if regarding["namespace"] != DEFAULT_NAMESPACE else ""
    between = " " if regarding["kind"] == MANIFEST else "/"  # its name is a path
    return [
        (since(event["lastTimestamp"]), ""),
        (event["type"], "warn" if event["type"] == "Warning" else ""),
        (event["reason"], ""),
        (f"{regarding['kind']}{between}{regarding['name']}{away}", ""),
        (str(event["count"]), ""),
        (event["message"], ""),
    ]
