"""``vistter diff``: what manifests would change, field by field and process by process."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.text import Text

from vistterstream.base.errors import VistterError
from vistterstream.cli.columns import Form
from vistterstream.cli.console import console, say
from vistterstream.cli.manifestfiles import located, read
from vistterstream.cli.reading import Reader, reader
from vistterstream.resources.kinds import DEFAULT_NAMESPACE, SOURCE_FILE, Key

_LONGEST = 200  # characters of a value
_STYLES = {
    "new": "green",
    "removed": "red",
    "changed": "cyan",
    "unchanged": "bright_black",
    "started": "green",
    "stopped": "red",
    "replaced": "yellow",
    "applied live": "cyan",
}


def diff(folder: Path, paths: Iterable[Path], *, as_json: bool) -> int:
    """Write the differences; 0 without any, 1 with some, 2 where that cannot be told."""
    try:
        found = _difference(folder, list(paths))
    except VistterError as error:
        say(f"{error.message[:1].upper()}{error.message[1:]}.", style="red")
        return 2
    if found is None:
        return 2
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _write(found)
    return 1 if any(_differs(item) for item in (*found["objects"], *found["processes"])) else 0


def _difference(folder: Path, paths: list[Path]) -> Form | None:
    """The difference; None after having told about errors in the manifests. Raises VistterError."""
    loaded, _files = read(paths)
    if loaded.errors:
        for error in loaded.errors:
            say(str(error))
        say("These manifests have errors; nothing was compared.", style="red")
        return None
    applied = located(loaded)
    with reader(folder) as source:
        deleted = _removed(source, paths, {resource.key for resource in applied})
        forms = [resource.dump() for resource in applied]
        answer: Form = source.ask("diff", objects=forms, deleted=deleted)["difference"]
    return answer


def _removed(source: Reader, paths: list[Path], given: set[Key]) -> list[Form]:
    """The objects that came from under `paths` and are not in there any more."""
    roots = [path.absolute() for path in paths]
    found = []
    for form in source.ask("list")["objects"]:
        metadata = form["metadata"]
        file = metadata.get("annotations", {}).get(SOURCE_FILE)
        key = Key(form["kind"], metadata["namespace"], metadata["name"])
        if file and key not in given and any(Path(file).is_relative_to(root) for root in roots):
            found.append({"kind": key.kind, "namespace": key.namespace, "name": key.name})
    return found


def _differs(item: Form) -> bool:
    return "unchanged" not in (item.get("verdict"), item.get("consequence"))


def _write(found: Form) -> None:
    out = console()
    for item in found["objects"]:
        out.print(Text(f"{_name(item)}: {item['verdict']}", style=_STYLES[item["verdict"]]))
        _changes(item["changes"])
    touched = [item for item in found["processes"] if _differs(item)]
    if not touched:
        say("Nothing changes on air.")
        return
    out.print(Text("On air:", style="bold"))
    for item in touched:
        out.print(Text(f"  {sentence(item)}", style=_STYLES[item["consequence"]]))


def _changes(changes: list[Form]) -> None:
    out = console()
    for change in changes:
        out.print(Text(f"  {change['path']}: {_value(change['old'])} → {_value(change['new'])}"))


def _name(item: Form) -> str:
    away = f" ({item['namespace']})" if item["namespace"] != DEFAULT_NAMESPACE else ""
    return f"{item['kind']} {item['name']}{away}"


def sentence(item: Form) -> str:
    """What becomes of a process, in words."""
    name, consequence, program = item["name"], item["consequence"], item["program"]
    pid = f" (pid {item['pid']})" if item["pid"] else ""
    match item["role"], consequence:
        case "playout", "applied live":
            return f"program {name} takes it live, between two frames; its playout{pid} stays"
        case "playout", "replaced":
            return f"the playout of program {name}{pid} is replaced: everything of it is interrupted"
        case "encoder", "replaced":
            now = f" (now pid {item['pid']})" if item["pid"] else ""
            return f"output {name} moves to another encoder{now}{_why(item)}"
        case "encoder" | "pusher", "applied live":
            return f"the {item['role']} of output {name}{pid} stays; the change is applied live"
    who = {
        "playout": f"the playout of program {name}",
        "ingest": f"the ingest of camera {name} in program {program}",
        "encoder": f"the encoding for output {name}",
        "pusher": f"the pusher of output {name}",
    }[item["role"]]
    doing = {
        "replaced": f"is replaced{_why(item)}",
        "started": "begins",
        "stopped": "ends",
        "applied live": "stays; the change is applied live",
    }[consequence]
    return f"{who}{pid} {doing}"


def _why(item: Form) -> str:
    return f": {', '.join(change['path'] for change in item['changes'])}" if item["changes"] else ""


def _value(value: Any) -> str:
    if value is None:
        return "(not set)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
