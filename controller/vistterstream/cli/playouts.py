"""What the playouts of a state folder say themselves, for when no controller runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import anyio

from vistterstream.api import words
from vistterstream.playout import client
from vistterstream.playout.protocol import PlayoutStatus
from vistterstream.reconcile.observations import stands


@dataclass(frozen=True, slots=True)
class PlayoutState:
    """One that runs: the program's name in the state folder, its process, and what it shows in words."""

    program: str
    pid: int
    shows: str
    answers: bool = True


def states(folder: Path) -> list[PlayoutState]:
    """The playouts that run, asked over their sockets."""
    return anyio.run(_states, folder)


async def _states(folder: Path) -> list[PlayoutState]:
    found = []
    for path in client.running(folder):
        try:
            playout = await client.connect(path)
        except client.NotRunning:
            continue
        try:
            state = PlayoutState(path.name, playout.pid, "it does not answer", answers=False)
            with anyio.move_on_after(3):
                state = PlayoutState(path.name, playout.pid, _shows(await playout.status()))
            found.append(state)
        except client.PlayoutLost:
            found.append(PlayoutState(path.name, playout.pid, "it does not answer", answers=False))
        finally:
            await playout.aclose()
    return found


def _shows(status: PlayoutStatus) -> str:
    if status.on_air is None:
        return "nothing yet"
    on_air = status.on_air
    form = {"source": {"kind": on_air.kind, "name": on_air.name}, "reason": on_air.reason}
    slate = on_air.kind == "Slate"
    shown = f"the slate ({words.on_air_reason(form)})" if slate else words.on_air_title(form)
    return shown if on_air.standing is None else f"{shown}; the timeline {stands(on_air.standing)}"
