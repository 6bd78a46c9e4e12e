"""``vistter get``: objects as tables, JSON or YAML, once or with each change."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vistterstream.api.client import ConnectionLost
from vistterstream.base.errors import VistterError
from vistterstream.cli.asked import parted, several_kinds
from vistterstream.cli.columns import Form, columns, message
from vistterstream.cli.console import Table, as_sentence, console, say
from vistterstream.cli.reader import Reader
from vistterstream.cli.reading import reader, say_problems
from vistterstream.resources.kinds import DEFAULT_NAMESPACE, KINDS
from vistterstream.resources.messages import enumeration


def get(
    folder: Path, kind: str, name: str | None, namespace: str | None, output: str, *, watch: bool
) -> None:
    """Write the objects. Raises VistterError."""
    kind, name = parted(kind, name)
    kinds = several_kinds(kind)
    wanted = _only(kinds)
    with reader(folder) as source:
        objects, version = _find(source, kinds, namespace, name)
        if watch:
            _watch(source, kinds, namespace, name, objects, version, output)
        elif output in ("json", "yaml"):
            _document(objects[0] if name and wanted else _as_list(objects), output)
        else:
            _tables(objects, wanted, wide=output == "wide")
        say_problems(source)


def _find(
    source: Reader, kinds: tuple[str, ...], namespace: str | None, name: str | None
) -> tuple[list[Form], int]:
    """The objects, and the version to watch from. Raises VistterError where the one that is named is not."""
    if name is not None:
        namespace = namespace or DEFAULT_NAMESPACE
    answer = source.ask("list", kind=_only(kinds), namespace=namespace)
    objects: list[Form] = [form for form in answer["objects"] if not kinds or form["kind"] in kinds]
    if name is not None:
        objects = [form for form in objects if form["metadata"]["name"] == name]
        if not objects:
            kind = enumeration(kinds) if kinds else "object"
            raise VistterError(f"there is no {kind} {namespace}/{name}", reason="NotFound")
    return objects, answer["resourceVersion"]


def _only(kinds: tuple[str, ...]) -> str | None:
    """The kind to ask for: None, for all, where there is not just one."""
    return kinds[0] if len(kinds) == 1 else None


def _as_list(objects: list[Form]) -> Form:
    return {"apiVersion": "v1", "kind": "List", "items": objects}


def _document(form: Form, output: str) -> None:
    if output == "json":
        print(json.dumps(form, indent=2, ensure_ascii=False))
        return
    import yaml

    yaml.safe_dump(form, sys.stdout, sort_keys=False, allow_unicode=True, width=110)


def _tables(objects: list[Form], kind: str | None, *, wide: bool) -> None:
    if not objects:
        plural = KINDS[kind].plural if kind else "objects"
        say(f"No {plural} found.")
        return
    groups = [kind] if kind else [found for found in KINDS if any(form["kind"] == found for form in objects)]
    for index, group in enumerate(groups):
        if len(groups) > 1:
            if index:
                print()
            console().print(KINDS[group].plural.upper(), style="bold underline")
        _table([form for form in objects if form["kind"] == group], group, wide=wide)


def _table(objects: list[Form], kind: str, *, wide: bool) -> None:
    shown = columns(
        kind,
        wide=wide,
        namespaces=any(form["metadata"]["namespace"] != DEFAULT_NAMESPACE for form in objects),
        messages=any(message(form) for form in objects),
    )
    table = Table([column.heading for column in shown], console())
    table.print([column.cell(form) for column in shown] for form in objects)


def _watch(
    source: Reader,
    kinds: tuple[str, ...],
    namespace: str | None,
    name: str | None,
    objects: list[Form],
    version: int,
    output: str,
) -> None:
    """Write the objects, then each change until Ctrl-C: as a row of a table, or a JSON object a line (YAML:
    a document) with ``type`` and ``object``.
    """
    found = source.follow("watch", kind=_only(kinds), namespace=namespace, name=name, since=version)
    changes = (answer for answer in found if not kinds or answer["change"]["object"]["kind"] in kinds)
    try:
        if output in ("json", "yaml"):
            for form in objects:
                _change("ADDED", form, output)
            for answer in changes:
                _change(answer["change"]["type"], answer["change"]["object"], output)
        else:
            _watch_table(objects, changes, wide=output == "wide")
    except ConnectionLost as error:
        say(f"{as_sentence(error.message)}.", style="yellow")


def _change(type_: str, form: Form, output: str) -> None:
    change = {"type": type_, "object": form}
    if output == "json":
        print(json.dumps(change, ensure_ascii=False), flush=True)
    else:
        print("---")
        _document(change, output)
        sys.stdout.flush()


def _watch_table(objects: list[Form], changes: Iterator[dict[str, Any]], *, wide: bool) -> None:
    tables: dict[str, Table] = {}
    last = ""
    for kind in KINDS:
        group = [form for form in objects if form["kind"] == kind]
        if group:
            _rows(tables, group, wide=wide, heading=True)
            last = kind
    for answer in changes:
        form = answer["change"]["object"]
        _rows(
            tables,
            [form],
            wide=wide,
            heading=form["kind"] != last,
            gone=answer["change"]["type"] == "DELETED",
        )
        last = form["kind"]


def _rows(
    tables: dict[str, Table], objects: list[Form], *, wide: bool, heading: bool, gone: bool = False
) -> None:
    kind = objects[0]["kind"]
    shown = columns(kind, wide=wide, namespaces=False, messages=True)
    if kind not in tables:
        tables[kind] = Table([column.heading for column in shown], console())
    rows = [[column.cell(form) for column in shown] for form in objects]
    if gone:
        rows = [[*row[:-1], ("deleted", "bad")] for row in rows]
    tables[kind].print(rows, heading=heading)
    sys.stdout.flush()
