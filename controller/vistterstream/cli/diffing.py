"""``vistter diff``: what manifests would change, field by field and process by process."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from vistterstream.base.errors import VistterError
from vistterstream.base.files import lexical
from vistterstream.cli.columns import Form
from vistterstream.cli.console import as_sentence, console, say
from vistterstream.cli.manifestfiles import STDIN, called, located, read
from vistterstream.cli.reader import Reader
from vistterstream.cli.reading import reader
from vistterstream.resources.kinds import DEFAULT_NAMESPACE, SOURCE_FILE, Key
from vistterstream.resources.messages import enumeration

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


def diff(folder: Path, paths: Iterable[Path], *, stands_for: Path | None = None, as_json: bool) -> int:
    """Write the differences; 0 without any, 1 with some, 2 where that cannot be told.

    With `stands_for`, the one path that is given is compared as if it were in that place.
    """
    try:
        found = _difference(folder, [called(path) for path in paths], stands_for)
    except VistterError as error:
        say(f"{as_sentence(error.message)}.", style="red")
        return 2
    if found is None:
        return 2
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _write(found)
    return 1 if any(_differs(item) for item in (*found["objects"], *found["processes"])) else 0


def _difference(folder: Path, paths: list[Path], stands_for: Path | None) -> Form | None:
    """The difference; None after having told about errors in the manifests. Raises VistterError."""
    if stands_for is not None and len(paths) != 1:
        raise VistterError("with --as, give one copy with -f", reason="BadArguments")
    roots = [lexical(path) for path in ([stands_for] if stands_for else paths)]
    loaded, _files = read(paths)
    if loaded.errors:
        for error in loaded.errors:
            say(str(error))
        say("These manifests have errors; nothing was compared.", style="red")
        return None
    applied = located(loaded, partial(_moved, paths[0], stands_for) if stands_for else lexical)
    with reader(folder) as source:
        _say_if_elsewhere(source, roots)
        deleted = _removed(source, roots, {resource.key for resource in applied})
        forms = [resource.dump() for resource in applied]
        answer: Form = source.ask("diff", objects=forms, deleted=deleted)["difference"]
    return answer


def _moved(copy: Path, to: Path, file: Path) -> Path:
    """Where `file` of `copy` stands when the copy stands at `to`."""
    return lexical(to) / file.absolute().relative_to(copy.absolute())


def _say_if_elsewhere(source: Reader, roots: list[Path]) -> None:
    """Say what cannot be told of manifests that the controller does not watch, and how it can."""
    watched = [Path(path) for path in source.ask("version")["version"].get("manifests", ())]
    for root in roots:
        if watched and not any(root.is_relative_to(path) or path.is_relative_to(root) for path in watched):
            copy, here = ("-", "What you give") if root == lexical(STDIN) else (root, root)
            say(
                f"{here} is not on air: its relative paths start there, and what it lacks is not missed. "
                f"To compare a copy of what is on air: vistter diff -f {copy} --as {watched[0]}",
                style="yellow",
            )


def _removed(source: Reader, roots: list[Path], given: set[Key]) -> list[Form]:
    """The objects that came from under `roots` and are not in there any more."""
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
        out.print(f"{_name(item)}: {item['verdict']}", style=_STYLES[item["verdict"]])
        _changes(item["changes"])
        _dangling(item)
    touched = [item for item in found["processes"] if _differs(item)]
    if not touched:
        say("Nothing changes on air.")
        return
    out.print("On air:", style="bold")
    replaced = {_program(item) for item in touched if _is_replaced(item) and item["role"] == "playout"}
    for item in touched:
        with_it = item["role"] != "playout" and _is_replaced(item) and _program(item) in replaced
        told = f"  with it {_who(item)}" if with_it else sentence(item)
        out.print(f"  {told}", style=_STYLES[item["consequence"]])


def _is_replaced(item: Form) -> bool:
    return bool(item["consequence"] == "replaced")


def _program(item: Form) -> tuple[str, str]:
    return item["namespace"], item["program"]


def _changes(changes: list[Form]) -> None:
    out = console()
    for change in changes:
        out.print(f"  {change['path']}: {_value(change['old'])} → {_value(change['new'])}")


def _dangling(item: Form) -> None:
    """The fields that name what would not exist; a controller of an older version does not tell."""
    for field in item.get("dangling", ()):
        so = ", so nothing carries it" if field["kind"] == "Program" else ""
        told = f"  {field['path']}: there is no {field['kind']} {field['name']}{so}"
        console().print(told, style="yellow")


def _name(item: Form) -> str:
    away = f" ({item['namespace']})" if item["namespace"] != DEFAULT_NAMESPACE else ""
    return f"{item['kind']} {item['name']}{away}"


def sentence(item: Form) -> str:
    """What becomes of a process, in words."""
    name, consequence = item["name"], item["consequence"]
    pid = f" (pid {item['pid']})" if item["pid"] else ""
    match item["role"], consequence:
        case "playout", "applied live":
            return f"program {name} takes it live, between two frames; its playout{pid} stays"
        case "playout", "replaced":
            return f"the playout of program {name}{pid} is replaced: everything of it is interrupted"
        case "encoder", "replaced":
            left = f", which goes on for {_others(item)}" if item.get("others") else ""
            now = f" (now pid {item['pid']}{left})" if item["pid"] else ""
            return f"output {name} moves to another encoder{now}{_why(item)}"
        case "encoder", "stopped" if item.get("others"):
            return f"output {name} leaves its encoder{pid}, which goes on for {_others(item)}"
        case "encoder", "started" if item.get("others"):
            return f"output {name} joins the encoder of {_others(item)}"
        case "encoder" | "pusher", "applied live":
            return f"the {item['role']} of output {name}{pid} stays; the change is applied live"
    doing = {
        "replaced": f"is replaced{_why(item)}",
        "started": "begins",
        "stopped": "ends",
        "applied live": "stays; the change is applied live",
    }[consequence]
    return f"{_who(item)} {doing}"


def _others(item: Form) -> str:
    """The outputs that an encoder has besides; a controller of an older version does not tell."""
    others = item["others"]
    return f"output{'s' if others[1:] else ''} {enumeration(others, 'and')}"


def _who(item: Form) -> str:
    """A process, by what it works for."""
    name, program = item["name"], item["program"]
    who = {
        "playout": f"the playout of program {name}",
        "ingest": f"the ingest of camera {name} in program {program}",
        "encoder": f"the encoding for output {name}",
        "pusher": f"the pusher of output {name}",
    }[item["role"]]
    return f"{who} (pid {item['pid']})" if item["pid"] else who


def _why(item: Form) -> str:
    return f": {', '.join(change['path'] for change in item['changes'])}" if item["changes"] else ""


def _value(value: Any) -> str:
    if value is None:
        return "(not set)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
