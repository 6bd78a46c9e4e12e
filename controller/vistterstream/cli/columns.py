"""The columns that ``vistter get`` shows of each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vistterstream.api import words
from vistterstream.cli.console import Cell
from vistterstream.cli.spans import since

Form = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and the cell of an object; `wide` ones are shown on request."""

    heading: str
    cell: Callable[[Form], Cell]
    wide: bool = False


def plain(value: object) -> Cell:
    """A text without a tone, ``-`` for nothing."""
    return ("-" if value is None or value == "" else str(value), "")


def _status(form: Form) -> Form:
    status: Form = form.get("status", {})
    return status


def _pid(part: str) -> Callable[[Form], Cell]:
    return lambda form: plain((_status(form).get(part) or {}).get("pid"))


def _holds(type_: str, state: Callable[[Form], words.State]) -> Callable[[Form], Cell]:
    def cell(form: Form) -> Cell:
        entry = words.condition(form, type_)
        return (entry["status"] if entry else "Unknown", state(form).tone)

    return cell


def _reason(type_: str, state: Callable[[Form], words.State]) -> Callable[[Form], Cell]:
    def cell(form: Form) -> Cell:
        entry = words.condition(form, type_)
        return (entry.get("reason") or "-" if entry else "-", state(form).tone)

    return cell


def _on_air(form: Form) -> Cell:
    on_air = _status(form).get("onAir")
    state = words.program_state(form)
    if not on_air:
        return "-", state.tone
    playback = on_air.get("playback")
    return words.on_air_title(on_air) + (f" ({playback['state']})" if playback else ""), state.tone


def _why(form: Form) -> Cell:
    on_air = _status(form).get("onAir")
    return plain(words.on_air_reason(on_air) if on_air else "")


def _format(form: Form) -> Cell:
    spec = form["spec"].get("format", {})
    return plain(f"{spec.get('width')}x{spec.get('height')} {spec.get('frameRate')}/s" if spec else "")


def _sound(form: Form) -> Cell:
    audio = _status(form).get("audio")
    return plain(None if audio is None else "yes" if audio else "no")


def _level(form: Form) -> Cell:
    """How loud a program is, in a word."""
    sound = _status(form).get("sound")
    return (
        (sound, "warn" if sound == "Clipping" else "idle" if sound == "Silent" else "")
        if sound
        else plain("")
    )


def _source(form: Form) -> Cell:
    source = form["spec"]["source"]
    if "url" in source:
        return plain(source["url"])
    if "file" in source:
        return plain(f"file {source['file']['path']}")
    return plain(f"test pattern {source['testPattern'].get('pattern', '')}".strip())


def _cues(form: Form) -> Cell:
    tracks = form["spec"]["tracks"]
    sorts = ("video", "overlays", "audio")
    return plain(sum(len(track.get(sort, ())) for track in tracks for sort in sorts))


def _secret_keys(form: Form) -> Cell:
    return plain(", ".join(sorted(form.get("data", {}))))


READY = Column("READY", _holds("Ready", words.ready_state))

COLUMNS: dict[str, tuple[Column, ...]] = {
    "Camera": (
        Column("ONLINE", _holds("Online", words.camera_state)),
        Column("STATE", _reason("Online", words.camera_state)),
        Column("VIDEO", lambda form: plain(words.picture(form))),
        Column("PID", _pid("ingest")),
        Column("SOUND", _sound, wide=True),
        Column("PROGRAM", lambda form: plain(_status(form).get("program")), wide=True),
        Column("SOURCE", _source, wide=True),
    ),
    "Overlay": (READY, Column("LAYERS", lambda form: plain(len(form["spec"]["layers"])))),
    "Timeline": (
        READY,
        Column("LOOP", lambda form: plain("yes" if form["spec"].get("loop") else "no")),
        Column("CUES", _cues),
    ),
    "Program": (
        READY,
        Column("ON AIR", _on_air),
        Column("SINCE", lambda form: plain(since((_status(form).get("onAir") or {}).get("since")))),
        Column("PLAYOUT", _pid("playout")),
        Column("SOUND", _level, wide=True),
        Column("WHY", _why, wide=True),
        Column(
            "OVERLAYS",
            lambda form: plain(",".join((_status(form).get("onAir") or {}).get("overlays", []))),
            wide=True,
        ),
        Column("TIMELINE", lambda form: plain(form["spec"].get("timeline")), wide=True),
        Column("FORMAT", _format, wide=True),
    ),
    "Output": (
        Column("PUBLISHING", _holds("Publishing", words.output_state)),
        Column("STATE", _reason("Publishing", words.output_state)),
        Column("TARGET", lambda form: plain(_status(form).get("activeTarget"))),
        Column("RECONNECTS", lambda form: plain(_status(form).get("reconnects"))),
        Column("PUSHER", _pid("pusher")),
        Column("ENCODER", _pid("encoder")),
        Column("PROGRAM", lambda form: plain(form["spec"]["program"]), wide=True),
    ),
    "Secret": (
        READY,
        Column("KEYS", lambda form: plain(len(form.get("data", {})))),
        Column("NAMES", _secret_keys, wide=True),
    ),
}

STATES: dict[str, Callable[[Form], words.State]] = {
    "Camera": words.camera_state,
    "Program": words.program_state,
    "Output": words.output_state,
}


def message(form: Form) -> str:
    """What is to be said about an object that is not as it should be."""
    return STATES.get(form["kind"], words.ready_state)(form).message


def columns(kind: str, *, wide: bool, namespaces: bool, messages: bool) -> list[Column]:
    """The columns for a table of `kind`."""
    found = [Column("NAMESPACE", lambda form: plain(form["metadata"]["namespace"]))] if namespaces else []
    found.append(Column("NAME", lambda form: plain(form["metadata"]["name"])))
    found += [column for column in COLUMNS[kind] if wide or not column.wide]
    found.append(Column("AGE", lambda form: plain(since(form["metadata"].get("creationTimestamp")))))
    if messages:
        found.append(Column("MESSAGE", lambda form: (message(form), "")))
    return found
