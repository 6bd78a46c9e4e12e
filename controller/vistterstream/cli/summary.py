"""``vistter status``: the appliance in a few lines."""

from __future__ import annotations

from pathlib import Path

from vistterstream.api import words
from vistterstream.cli.columns import STATES, Form, message
from vistterstream.cli.console import STYLES, console
from vistterstream.cli.reader import Reader
from vistterstream.cli.reading import reader, say_problems
from vistterstream.cli.spans import since
from vistterstream.playout.files import object_name
from vistterstream.resources.kinds import KINDS


def show(folder: Path) -> int:
    """Write what is on air, and every object that is not as it should be; 1 where there is one, where there
    is no program, where manifests could not be taken or the state folder cannot be written, or where the
    playouts work on without a controller; 2 where no controller and no playout runs.
    """
    with reader(folder) as source:
        objects = source.ask("list")["objects"]
        about = source.ask("version")["version"]
        if "pid" not in about:  # nobody answers: the store was read
            return _without_controller(source, objects)
        _lines(objects, about)
        untaken = say_problems(source)
    programs = any(form["kind"] == "Program" for form in objects)
    return 0 if programs and not untaken and all(map(_well, objects)) else 1


def _without_controller(source: Reader, objects: list[Form]) -> int:
    """Write what the playouts say; what the store says was true once."""
    from vistterstream.cli.stored import Stored

    assert isinstance(source, Stored)
    out = console()
    running = {state.program: state for state in source.playouts}
    programs = [form["metadata"] for form in objects if form["kind"] == "Program"]
    names = [object_name(metadata["namespace"], metadata["name"]) for metadata in programs]
    for name in sorted({*names, *running}):
        state = running.get(name)
        shown = f"{state.shows} (without a controller)" if state else "nothing; no playout runs"
        out.print(f"{name}: {shown}", style=STYLES["warn" if state and state.answers else "bad"])
    return 1 if running else 2


def _lines(objects: list[Form], about: Form) -> None:
    out = console()
    programs = [form for form in objects if form["kind"] == "Program"]
    if not programs:
        out.print("No program is configured: nothing can be on air.")
    for form in programs:
        state = words.program_state(form)
        out.print(f"{form['metadata']['name']}: {_shown(form)}", style=STYLES[state.tone])
    for kind in KINDS:
        ours = [form for form in objects if form["kind"] == kind]
        if ours:
            well = sum(map(_well, ours))
            out.print(f"{KINDS[kind].plural}: {well} of {len(ours)} as they should be")
        for form in ours:
            if not _well(form):
                state = STATES.get(kind, words.ready_state)(form)
                said = message(form) or state.word
                out.print(f"  {form['metadata']['name']}: {said}", style=STYLES[state.tone])
    if about.get("preview"):
        out.print(f"preview: {about['preview']}")


def _shown(form: Form) -> str:
    on_air = form.get("status", {}).get("onAir")
    if on_air is None:
        return "nothing is on air"
    title = words.on_air_title(on_air)
    kind = "camera " if on_air["source"]["kind"] == "Camera" else ""
    return f"{kind}{title} is on air for {since(on_air.get('since'))}, {words.on_air_reason(on_air)}"


def _well(form: Form) -> bool:
    ready = words.condition(form, "Ready")
    return ready is not None and ready["status"] == "True"
