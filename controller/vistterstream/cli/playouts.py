"""What the playouts of a state folder say themselves, for when no controller runs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import anyio

from vistterstream.api import words
from vistterstream.playout import client
from vistterstream.playout.protocol import PlayoutStatus
from vistterstream.reconcile.observations import stands

_PATIENCE = 3.0  # seconds for an answer; one that is well needs some milliseconds


@dataclass(frozen=True, slots=True)
class PlayoutState:
    """One that runs: the program's name in the state folder, its process, and what it shows in words."""

    program: str
    pid: int
    shows: str
    answers: bool = True


def states(folder: Path) -> list[PlayoutState]:
    """The playouts that run, asked over their sockets; those that do not answer, too."""
    return anyio.run(_states, folder)


async def _states(folder: Path) -> list[PlayoutState]:
    """Asked side by side: those that hang are waited for once."""
    found: dict[Path, PlayoutState] = {}

    async def ask(path: Path, pid: int) -> None:
        found[path] = await _state(path, pid)

    async with anyio.create_task_group() as tasks:
        for path, pid in client.alive(folder).items():
            tasks.start_soon(ask, path, pid)
    still = client.alive(folder)  # one that has ended meanwhile is not one that hangs
    return [found[path] for path in sorted(found) if found[path].answers or path in still]


async def _state(path: Path, pid: int) -> PlayoutState:
    with anyio.move_on_after(_PATIENCE), suppress(client.NotRunning, client.PlayoutLost):
        playout = await client.connect(path)
        try:
            return PlayoutState(path.name, pid, _shows(await playout.status()))
        finally:
            await playout.aclose()
    return PlayoutState(path.name, pid, f"its playout (pid {pid}) runs, but does not answer", answers=False)


def _shows(status: PlayoutStatus) -> str:
    if status.on_air is None:
        return "nothing yet"
    on_air = status.on_air
    form = {"source": {"kind": on_air.kind, "name": on_air.name}, "reason": on_air.reason}
    slate = on_air.kind == "Slate"
    shown = f"the slate ({words.on_air_reason(form)})" if slate else words.on_air_title(form)
    return shown if on_air.standing is None else f"{shown}; the timeline {stands(on_air.standing)}"
