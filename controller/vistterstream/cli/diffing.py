"""``vistter diff``: what manifests would change on air."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.text import Text

from vistterstream.base.errors import VistterError
from vistterstream.cli.columns import Form
from vistterstream.cli.console import console, say
from vistterstream.cli.manifestfiles import read
from vistterstream.cli.reading import Reader, reader
from vistterstream.resources.kinds import DEFAULT_NAMESPACE, SOURCE_FILE

_LONGEST = 200  # characters of a value

_STYLES = {"new": "green", "removed": "red", "replace": "yellow", "live": "cyan", "unchanged": "bright_black"}


def diff(folder: Path, paths: Iterable[Path], *, as_json: bool) -> int:
    """Write the differences; 0 without any, 1 with some, 2 where that cannot be told."""
    try:
        paths = list(paths)
        loaded, _files = read(paths)
        if loaded.errors:
            for error in loaded.errors:
                say(str(error))
            say("These manifests have errors; nothing of them was compared.", style="red")
            return 2
        with reader(folder) as source:
            forms = [located.resource.dump() for located in loaded.objects]
            found = [source.ask("diff", object=form)["difference"] for form in forms]
            found += _removed(
                source, paths, {(item["kind"], item["namespace"], item["name"]) for item in found}
            )
    except VistterError as error:
        say(f"{error.message[:1].upper()}{error.message[1:]}.", style="red")
        return 2
    _write(found, as_json=as_json)
    return 1 if any(item["verdict"] != "unchanged" for item in found) else 0


def _removed(source: Reader, paths: list[Path], given: set[tuple[str, str, str]]) -> Iterator[Form]:
    """The objects that came from under `paths` and are not in there any more."""
    roots = [path.absolute() for path in paths]
    for form in source.ask("list")["objects"]:
        metadata = form["metadata"]
        file = metadata.get("annotations", {}).get(SOURCE_FILE)
        key = (form["kind"], metadata["namespace"], metadata["name"])
        if file and key not in given and any(Path(file).is_relative_to(root) for root in roots):
            yield {"kind": key[0], "namespace": key[1], "name": key[2], "verdict": "removed"} | {
                "changes": [],
                "processes": [],
            }


def _write(found: list[Form], *, as_json: bool) -> None:
    out = console()
    for item in found:
        if as_json:
            print(json.dumps(item, ensure_ascii=False))
            continue
        out.print(Text.assemble((f"{_name(item)}: {verdict(item)}", _STYLES[item["verdict"]])))
        for change in item["changes"]:
            out.print(
                Text(f"  {change['path']}: {_value(change['old'])} → {_value(change['new'])}{_cost(change)}")
            )
    if not as_json and found and all(item["verdict"] == "unchanged" for item in found):
        say("Nothing would change.")


def _name(item: Form) -> str:
    away = f" ({item['namespace']})" if item["namespace"] != DEFAULT_NAMESPACE else ""
    return f"{item['kind']} {item['name']}{away}"


def verdict(item: Form) -> str:
    """What would happen to the object, in words."""
    match item["verdict"]:
        case "unchanged":
            return "unchanged"
        case "new":
            return "new"
        case "removed":
            return "removed"
        case "live":
            return "applied live, no process is replaced"
    return "; ".join(_replaced(process) for process in item["processes"])


def _replaced(process: Form) -> str:
    pid = f" (pid {process['pid']})" if process["pid"] else " (none runs now)"
    name = process["name"]
    return {
        "ingest": f"the ingest of camera {name} is replaced{pid}",
        "encoder": f"output {name} moves to another encoder, now{pid}",
        "pusher": f"the pusher of output {name} is replaced{pid}",
        "playout": f"the playout of program {name} is replaced{pid}, which interrupts its outputs",
    }[process["role"]]


def _value(value: Any) -> str:
    if value is None:
        return "(not set)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _cost(change: Form) -> str:
    return "" if change["effect"] in ("none", "live") else f"  [{change['effect']}]"
