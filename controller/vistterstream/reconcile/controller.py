"""The controller: puts the loop, the reconcilers and the playouts together, and takes them apart again.

Start here to see who runs. `Controller.run` holds the state folder's lock, teaches the redactor every secret
before a word is written, and then lets two tasks work: the loop, and the writer of statuses. What a playout
does, it does in a process of its own; when the controller goes, the playouts stay, unless it was asked to
stop them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import anyio
from anyio.abc import TaskStatus

from vistterstream.base import logs
from vistterstream.base.errors import VistterError
from vistterstream.base.metrics import Metrics
from vistterstream.reconcile import camera, output, parts, program, secrets
from vistterstream.reconcile.appliance import Appliance
from vistterstream.reconcile.assets import Assets
from vistterstream.reconcile.figures import Figures
from vistterstream.reconcile.host import Client, Host, LocalHost
from vistterstream.reconcile.loop import Loop, Registry
from vistterstream.reconcile.paths import image_names
from vistterstream.reconcile.playouts import Playouts, read_plan, write_intent
from vistterstream.reconcile.statuses import Statuses
from vistterstream.resources.conditions import find_condition
from vistterstream.resources.kinds import DEFAULT_NAMESPACE, Key, Resource, Secret
from vistterstream.resources.status import Status
from vistterstream.store.events import EventType
from vistterstream.store.store import Store

log = logs.get("reconcile")

STOP_DEADLINE = 9.0
"""Seconds in which everything is off air; the promise to the user is ten."""
_CHILD_DEADLINE = 4.0

Renderer = Callable[[Appliance, Any, datetime], Status]

RENDERERS: dict[str, Renderer] = {
    "Camera": camera.render,
    "Output": output.render,
    "Overlay": parts.render_overlay,
    "Program": program.render,
    "Secret": parts.render_secret,
    "Timeline": parts.render_timeline,
}


class OnExit(StrEnum):
    """What becomes of the playouts when the controller ends."""

    STOP = "stop"
    LEAVE = "leave"


def registry() -> Registry[Appliance]:
    """The handlers of all kinds."""
    on: Registry[Appliance] = Registry()
    for module in (camera, output, parts, program):
        on.include(module.on)
    return on


class Controller:
    """Converges the world to what `store` says. Made and run in an event loop; run once.

    `sources_settled` is to be called when every source has delivered what it had at the start: only then a
    playout that belongs to no Program is known to be unwanted.
    """

    def __init__(
        self,
        state_dir: Path,
        store: Store,
        *,
        metrics: Metrics | None = None,
        on_exit: OnExit = OnExit.LEAVE,
        host: Host | None = None,
    ) -> None:
        self.state_dir = state_dir.absolute()
        self.metrics = metrics or Metrics()
        self.on_exit = on_exit
        self._store = store
        self._host = host or LocalHost()
        self._settled = anyio.Event()
        self._scope = anyio.CancelScope()
        self._stop = False
        self._appliance: Appliance | None = None

    def sources_settled(self) -> None:
        """Every source has delivered what it had at the start."""
        self._settled.set()

    def images_changed(self) -> None:
        """A file beside the manifests changed: each program looks at its pictures again."""
        if self._appliance is not None:
            for program in self._store.list("Program")[0]:
                self._appliance.enqueue(program.key)

    @property
    def problem(self) -> str:
        """Why statuses cannot be written, as a sentence; empty while they can."""
        return self._appliance.statuses.problem if self._appliance is not None else ""

    def not_ready(self) -> list[str]:
        """Why the appliance is not what its manifests say yet, in sentences; empty when it is."""
        reasons = [] if self._settled.is_set() else ["the manifests are still being read"]
        reasons += filter(None, [self.problem])
        for resource in self._store.list("Program")[0]:
            ready = find_condition(resource.status.conditions, "Ready")
            if ready is None or not ready.holds:
                why = ready.message if ready is not None else "it has not been looked at yet"
                reasons.append(f"{resource.key} is not ready: {why}")
        return reasons

    def stop_all(self) -> None:
        """Take everything off air and end `run`. Nothing comes back on air until another run."""
        self._stop = True
        self._scope.cancel()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until cancelled or stopped. The caller holds the lock (`lock.state_lock`).

        When it returns, or has been cancelled, the playouts have ended or been left, as `on_exit` says.
        """
        appliance = self._appliance = self._prepare()
        try:
            with self._scope:
                await self._work(appliance, task_status)
        finally:
            with anyio.CancelScope(shield=True):
                await self._leave_or_stop(appliance)

    def _prepare(self) -> Appliance:
        for resource in self._store.list("Secret")[0]:
            if isinstance(resource, Secret):
                secrets.learn(resource)
        appliance = Appliance(
            state_dir=self.state_dir,
            store=self._store,
            playouts=Playouts(self.state_dir, self._host, self._tell),
            assets=Assets(self.state_dir / "assets"),
            salt=secrets.salt(self.state_dir),
        )
        appliance.statuses = Statuses(self._store, self._render, self.metrics, refused=self._told_old)
        self.metrics.add(Figures(appliance.playouts))
        return appliance

    async def _work(self, appliance: Appliance, task_status: TaskStatus[None]) -> None:
        loop = Loop(registry(), appliance, self._store, self.metrics, appliance.outcome)
        appliance.enqueue = loop.enqueue
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(appliance.statuses.run)
            tasks.start_soon(self._clean_up, appliance)
            await tasks.start(loop.run)
            task_status.started()

    async def _clean_up(self, appliance: Appliance) -> None:
        """Once the sources have spoken: end the playouts of programs that are no more."""
        await self._settled.wait()
        wanted = {
            self._host.playout_dir(self.state_dir, resource.metadata.namespace, resource.metadata.name)
            for resource in self._store.list("Program")[0]
        }
        for folder in self._host.running(self.state_dir):
            if folder not in wanted:
                appliance.enqueue(_program_of(folder))  # its worker finds no such Program, and stops it
        keep = {name for folder in wanted if (plan := read_plan(folder)) for name in image_names(plan)}
        for path in appliance.assets.collect(keep):
            log.info("an image that no plan names was deleted", path=str(path))

    # The end

    async def _leave_or_stop(self, appliance: Appliance) -> None:
        stop = self._stop or self.on_exit is OnExit.STOP
        if stop:
            why = "everything was stopped" if self._stop else "the controller was ended"
            clients = {playout.folder: playout.client for playout in appliance.playouts if playout.client}
            await stop_playouts(self.state_dir, self._host, why, clients)
        await appliance.playouts.leave()
        if stop:
            appliance.stopped = True
            appliance.statuses.flush(resource.key for resource in self._store.list()[0])

    # What the reconcilers call back

    def _tell(self, *what: Any, **more: Any) -> None:
        assert self._appliance is not None
        self._appliance.tell(*what, **more)

    def _told_old(self, key: Key, problem: str) -> None:
        assert self._appliance is not None
        self._appliance.tell(key, "StatusNotWritten", f"From now on {problem}", EventType.WARNING)

    def _render(self, resource: Resource, now: datetime) -> Status:
        appliance = self._appliance
        assert appliance is not None
        if not appliance.knows(resource):
            return resource.status
        return RENDERERS[resource.kind](appliance, resource, now)


async def stop_playouts(
    state_dir: Path, host: Host, why: str, clients: Mapping[Path, Client] = MappingProxyType({})
) -> list[Path]:
    """End every playout of `state_dir`, side by side, within `STOP_DEADLINE` seconds; the folders.

    Needs no controller; one that runs gives the `clients` it has. The caller holds the lock.
    """
    folders = host.running(state_dir)
    started = time.monotonic()
    with anyio.move_on_after(STOP_DEADLINE):
        async with anyio.create_task_group() as tasks:
            for folder in folders:
                tasks.start_soon(_stop_playout, host, folder, why, clients.get(folder))
    log.info("playouts ended", count=len(folders), seconds=round(time.monotonic() - started, 2))
    return folders


async def _stop_playout(host: Host, folder: Path, why: str, client: Client | None) -> None:
    try:
        write_intent(folder, why)
    except OSError as error:  # a disk that is full keeps nothing on air
        log.warning("that a playout is to end cannot be written", folder=str(folder), error=str(error))
    try:
        if client is not None:
            await client.stop(deadline=_CHILD_DEADLINE)
        else:
            await host.end(folder, deadline=_CHILD_DEADLINE)
    except (VistterError, OSError) as error:
        log.warning("a playout did not end in order", folder=str(folder), error=str(error))


def _program_of(folder: Path) -> Key:
    name, _, namespace = folder.name.partition("@")
    return Key("Program", namespace or DEFAULT_NAMESPACE, name)
