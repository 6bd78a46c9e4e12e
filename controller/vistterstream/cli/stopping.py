"""``vistter stop``: everything off air, with a controller or without, and with one that does not answer."""

from __future__ import annotations

import select
import signal
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

import anyio

from vistterstream.api.address import SOCKET
from vistterstream.api.client import Client, ConnectionLost, NoController
from vistterstream.base.errors import TemporaryError
from vistterstream.base.processes import pidfd, start_time
from vistterstream.cli.console import say

DEADLINE = 12.0
"""Seconds that a controller has; it promises ten."""
ANSWER = 3.0
"""Seconds in which it says that it has understood; one that is well needs milliseconds."""
_KILL_DEADLINE = 5.0
_POLL = 0.1


class _Controller(Enum):
    """What became of the controller that was asked to end."""

    NONE = "none"  # none answers there: there is none, or one that just starts or ends
    HUNG = "hung"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who holds the state folder: the process of that number which started then."""

    pid: int
    started: int


def stop(folder: Path) -> int:
    """Take everything off air, and end the controller where one runs. Raises VistterError, OSError."""
    if not folder.is_dir():
        say(f"There is no state folder {folder}: nothing runs.")
        return 0
    began = time.monotonic()
    asked = _ask(folder, began + DEADLINE)
    if asked is _Controller.ENDED:
        say(f"Everything is off air, and the controller has ended ({time.monotonic() - began:.1f} s).")
        return 0
    if asked is _Controller.NONE and _stop_playouts(folder, until=began + DEADLINE):
        return 0
    _end_holder(folder, time.monotonic() - began)
    _stop_playouts(folder, until=time.monotonic() + _KILL_DEADLINE, last=True)
    return 0


def _ask(folder: Path, until: float) -> _Controller:
    """Ask the controller for the end, and wait for that of its process."""
    with ExitStack() as stack:
        try:
            client = stack.enter_context(Client(folder, timeout=ANSWER))
        except NoController:
            return _Controller.NONE
        holder = _holder(folder)
        process = stack.enter_context(pidfd(holder.pid)) if holder else None
        asked, understood = time.monotonic(), _Controller.ENDED
        try:
            client.ask("stop")
        except ConnectionLost:
            if time.monotonic() - asked >= ANSWER:
                return _Controller.HUNG
            understood = _Controller.NONE  # it was ending already, and may leave playouts
        if holder is None or process is None:
            return understood if _holder(folder) is None else _Controller.HUNG
        ended, _, _ = select.select([process], [], [], max(0.0, until - time.monotonic()))
        return understood if ended else _Controller.HUNG


def _holder(folder: Path) -> _Holder | None:
    """Who holds the state folder's lock; None: nobody, or it cannot be told."""
    from vistterstream.reconcile.lock import Taken, state_lock

    try:
        with state_lock(folder):
            return None
    except Taken as taken:
        started = None if taken.pid is None else start_time(taken.pid)
        return None if taken.pid is None or started is None else _Holder(taken.pid, started)


def _end_holder(folder: Path, after: float) -> None:
    """End by force what has held the state folder for these seconds and does not answer, or not end."""
    holder = _holder(folder)
    if holder is None:
        return
    with pidfd(holder.pid) as process:
        time.sleep(_POLL)  # who has just taken the lock has written its number by then
        if process is None or _holder(folder) != holder:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select([process], [], [], _KILL_DEADLINE)
    say(f"The controller (pid {holder.pid}) did not end within {after:.0f} s; it was ended by force.")


def _stop_playouts(folder: Path, *, until: float, last: bool = False) -> bool:
    """End the playouts that no controller looks after; False where one holds the folder all the time.

    Raises VistterError then, where this is the `last` attempt.
    """
    from vistterstream.base import logs
    from vistterstream.cli.stored import busy
    from vistterstream.playout.client import alive
    from vistterstream.reconcile.controller import stop_playouts
    from vistterstream.reconcile.host import LocalHost
    from vistterstream.reconcile.lock import Taken, state_lock

    logs.configure(level="warning")
    while True:
        try:
            with state_lock(folder):
                ran = [path.name for path in alive(folder)]
                anyio.run(stop_playouts, folder, LocalHost(), "everything was stopped")
                (folder / SOCKET).unlink(missing_ok=True)  # a controller that was killed leaves it
                _write_down(folder)
        except Taken as taken:  # by a controller that is just starting, or ending
            if time.monotonic() < until:
                time.sleep(_POLL)
                continue
            if last:
                raise busy(folder, taken) from taken
            return False
        ended = f"what was on air has ended: {', '.join(ran)}" if ran else "nothing was on air"
        say(f"No controller runs on {folder}; {ended}.")
        return True


def _write_down(folder: Path) -> None:
    """Have it in the store that everything has ended; where it cannot be written, that is said."""
    try:
        anyio.run(_write_stopped, folder)
    except TemporaryError as error:  # the disk is full
        say(f"That everything has ended could not be written down: {error.message}", style="yellow")


async def _write_stopped(folder: Path) -> None:
    """Write the statuses that a controller writes when it stops everything; the caller holds the lock."""
    from vistterstream.reconcile import secrets
    from vistterstream.reconcile.appliance import Appliance
    from vistterstream.reconcile.assets import Assets
    from vistterstream.reconcile.controller import RENDERERS
    from vistterstream.reconcile.host import LocalHost
    from vistterstream.reconcile.playouts import Playouts
    from vistterstream.store.events import EventType, NewEvent
    from vistterstream.store.store import Store

    if not (folder / "store.sqlite3").exists():
        return
    store = Store(folder / "store.sqlite3")
    try:
        appliance = Appliance(
            state_dir=folder,
            store=store,
            playouts=Playouts(
                folder,
                LocalHost(),
                lambda key, reason, message, type=EventType.NORMAL: store.record(
                    NewEvent(key, reason, message, type)
                ),
            ),
            assets=Assets(folder / "assets"),
            salt=secrets.salt(folder),
            stopped=True,
        )
        now = datetime.now(UTC)
        for resource in store.list()[0]:
            store.set_status(resource.key, RENDERERS[resource.kind](appliance, resource, now).dump())
    finally:
        store.close()
