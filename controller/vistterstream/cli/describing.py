"""``vistter describe``: everything about an object, for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from vistterstream.cli import happenings
from vistterstream.cli.asked import one_kind, parted
from vistterstream.cli.columns import Form, message
from vistterstream.cli.console import Cell, Table, console, say
from vistterstream.cli.reader import Reader
from vistterstream.cli.reading import reader, say_problems
from vistterstream.cli.spans import since
from vistterstream.resources.kinds import DEFAULT_NAMESPACE, KINDS, SOURCE_FILE, SOURCE_LINE, KindInfo


def describe(folder: Path, kind: str, name: str | None, namespace: str | None) -> None:
    """Describe an object, or all of a kind. Raises VistterError."""
    kind, name = parted(kind, name)
    info = KINDS[one_kind(kind)]
    with reader(folder) as source:
        if name is not None:
            _one(source, info.kind, namespace or DEFAULT_NAMESPACE, name)
        else:
            _all(source, info, namespace)
        say_problems(source)


def _all(source: Reader, info: KindInfo, namespace: str | None) -> None:
    objects = source.ask("list", kind=info.kind, namespace=namespace)["objects"]
    if not objects:
        say(f"No {info.plural} found.")
    for index, form in enumerate(objects):
        if index:
            print()
        _one(source, info.kind, form["metadata"]["namespace"], form["metadata"]["name"])


def _one(source: Reader, kind: str, namespace: str, name: str) -> None:
    answer = source.ask("describe", kind=kind, namespace=namespace, name=name)["description"]
    form, out = answer["object"], console()
    _heading(form, answer.get("owner"), out)
    _section("Spec" if kind != "Secret" else "Keys", out)
    _tree(form.get("spec") or dict.fromkeys(sorted(form.get("data", {})), "(not shown)"), out)
    status = {key: value for key, value in form.get("status", {}).items() if key != "conditions"}
    status.pop("observedGeneration", None)
    if status:
        _section("Status", out)
        _tree(status, out)
    _conditions(form, out)
    _processes(form, out)
    _relations(answer, out)
    _events(answer["events"], out)


def _heading(form: Form, owner: str | None, out: Console) -> None:
    metadata = form["metadata"]
    annotations = metadata.get("annotations", {})
    file = annotations.get(SOURCE_FILE)
    created = metadata.get("creationTimestamp")
    lines = [
        ("Name", metadata["name"]),
        ("Namespace", metadata["namespace"]),
        ("Kind", f"{form['kind']} ({form['apiVersion']})"),
        ("Written in", f"{file}:{annotations.get(SOURCE_LINE, 1)}" if file else None),
        ("Managed by", owner),
        ("Created", f"{created} ({since(created)} ago)" if created else None),
        ("Generation", _generation(form)),
        ("Says", message(form) or None),
    ]
    for label, value in lines:
        if value is not None:
            out.print(f"{label + ':':14}{value}")


def _generation(form: Form) -> str:
    generation = form["metadata"].get("generation")
    observed = form.get("status", {}).get("observedGeneration")
    if observed is None or observed == generation:
        return str(generation)
    return f"{generation} (the status is of {observed})"


def _section(title: str, out: Console) -> None:
    out.print(f"{title}:", style="bold" if out.is_terminal else "")


def _tree(value: Any, out: Console) -> None:
    import yaml

    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    for line in text.rstrip("\n").splitlines():
        out.print(f"  {line}")


def _indented(headings: list[str], rows: list[list[Cell]], out: Console) -> None:
    table = Table([f"  {headings[0]}", *headings[1:]], out)
    table.print([[(f"  {row[0][0]}", row[0][1]), *row[1:]] for row in rows])


def _conditions(form: Form, out: Console) -> None:
    conditions = form.get("status", {}).get("conditions", [])
    if not conditions:
        return
    _section("Conditions", out)
    _indented(
        ["TYPE", "STATUS", "FOR", "REASON", "MESSAGE"],
        [
            [
                (entry["type"], ""),
                (entry["status"], _tone(entry)),
                (since(entry.get("lastTransitionTime")), ""),
                (entry.get("reason") or "-", ""),
                (entry.get("message") or "", ""),
            ]
            for entry in conditions
        ],
        out,
    )


def _tone(entry: Form) -> str:
    bad_if_true = entry["type"] in ("Stalled", "Reconciling")
    if entry["status"] == "Unknown":
        return "idle"
    return "good" if (entry["status"] == "True") is not bad_if_true else "warn"


def _processes(form: Form, out: Console) -> None:
    """The processes that the status names. Their arguments are not shown: they may hold a secret."""
    status = form.get("status", {})
    roles = [
        role for role in ("playout", "ingest", "encoder", "pusher") if (status.get(role) or {}).get("pid")
    ]
    if not roles:
        return
    _section("Processes", out)
    rows: list[list[Cell]] = []
    for role in roles:
        pid = status[role]["pid"]
        name, state = _process(pid)
        rows.append([(role, ""), (str(pid), ""), (name, ""), (state, "good" if state == "runs" else "bad")])
    _indented(["ROLE", "PID", "COMMAND", "STATE"], rows, out)


def _process(pid: int) -> tuple[str, str]:
    """The name of a process and its state (proc_pid_stat(5))."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "-", "is gone"
    name = text[text.index("(") + 1 : text.rindex(")")]
    if name.startswith("ffmpeg"):
        name = "ffmpeg"  # as a package names it: ffmpeg-linux-x86_64-v7
    letter = text[text.rindex(")") + 2]
    return name, {"T": "is stopped", "Z": "has ended", "X": "has ended"}.get(letter, "runs")


def _relations(answer: Form, out: Console) -> None:
    if answer["references"]:
        _section("Uses", out)
        for target in _targets(answer["references"]):
            out.print(f"  {target}")
    if answer["usedBy"]:
        _section("Used by", out)
        for user in answer["usedBy"]:
            out.print(f"  {user['kind']} {user['name']}")


def _targets(references: list[Form]) -> Iterator[str]:
    """Each object once, with the fields that name it."""
    paths: dict[tuple[str, str, bool], list[str]] = {}
    for entry in references:
        paths.setdefault((entry["kind"], entry["name"], entry["exists"]), []).append(entry["path"])
    for (kind, name, exists), found in paths.items():
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield f"{kind} {name} ({found[0]}{more})" + ("" if exists else ": does not exist")


def _events(events: list[Form], out: Console) -> None:
    _section("Events", out)
    if not events:
        out.print("  none")
        return
    keep = [index for index, heading in enumerate(happenings.HEADINGS) if heading != "OBJECT"]
    rows = [[happenings.row(event)[index] for index in keep] for event in events]
    _indented([happenings.HEADINGS[index] for index in keep], rows, out)
