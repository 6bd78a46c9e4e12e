"""``vistter stop``: everything off air, with a controller or without."""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from pathlib import Path

import anyio

from vistterstream.api.address import SOCKET
from vistterstream.api.client import Client, ConnectionLost, NoController
from vistterstream.base.errors import VistterError
from vistterstream.cli.console import say

DEADLINE = 12.0
"""Seconds that a controller has; it promises ten."""


def stop(folder: Path) -> int:
    """Take everything off air, and end the controller where one runs. Raises VistterError."""
    started = time.monotonic()
    while True:
        try:
            with Client(folder) as client:
                ended = _ask(client)
            break
        except NoController:
            if not folder.is_dir():
                say(f"There is no state folder {folder}: nothing runs.")
                return 0
            if _stop_playouts(folder, may_wait=time.monotonic() - started < DEADLINE):
                return 0
            time.sleep(0.1)  # a controller that is just starting, or ending
    if not ended:
        raise VistterError(
            f"The controller of {folder} has not ended within {DEADLINE:.0f} s; "
            "run vistter stop again, or end it with Ctrl-C twice"
        )
    say(f"Everything is off air, and the controller has ended ({time.monotonic() - started:.1f} s).")
    return 0


def _ask(client: Client) -> bool:
    """Whether the controller's process has ended."""
    try:
        process = os.pidfd_open(client.ask("version")["version"]["pid"])
    except ProcessLookupError:
        return True
    try:
        with suppress(ConnectionLost):  # it was ending already
            client.ask("stop")
        return bool(select.select([process], [], [], DEADLINE)[0])
    finally:
        os.close(process)


def _stop_playouts(folder: Path, *, may_wait: bool) -> bool:
    """End the playouts that no controller looks after; False where one holds the folder all the same."""
    from vistterstream.base import logs
    from vistterstream.cli.playouts import states
    from vistterstream.cli.stored import busy
    from vistterstream.reconcile.controller import stop_playouts
    from vistterstream.reconcile.host import LocalHost
    from vistterstream.reconcile.lock import Taken, state_lock

    logs.configure(level="warning")
    try:
        with state_lock(folder):
            ran = [state.program for state in states(folder)]
            anyio.run(stop_playouts, folder, LocalHost(), "everything was stopped")
            (folder / SOCKET).unlink(missing_ok=True)  # a controller that was killed leaves it
    except Taken as taken:
        if may_wait:
            return False
        raise busy(folder, taken) from taken
    ended = f"what was on air has ended: {', '.join(ran)}" if ran else "nothing was on air"
    say(f"No controller runs on {folder}; {ended}.")
    return True
