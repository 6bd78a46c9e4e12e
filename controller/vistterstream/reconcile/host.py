"""Where playouts run: what the reconcilers need of `playout.client`, and this machine as the place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Protocol

import anyio

from vistterstream.base.errors import VistterError
from vistterstream.playout import client
from vistterstream.playout.client import NotRunning, PlayoutClient
from vistterstream.playout.files import read_identity
from vistterstream.playout.protocol import Applied, Hello, PlayoutStatus
from vistterstream.timeline.plan import Plan

__all__ = ["Client", "Host", "LocalHost", "NotRunning", "Unresponsive"]


class Unresponsive(VistterError):
    """A playout runs in the folder, but does not answer."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"the playout (process {pid}) runs, but does not answer", reason="PlayoutSilent")
        self.pid = pid


class Client(Protocol):
    """A connection to one playout. Every request may raise `playout.client.PlayoutLost`."""

    @property
    def pid(self) -> int: ...  # noqa: D102
    async def apply(self) -> Applied: ...  # noqa: D102
    async def status(self) -> PlayoutStatus: ...  # noqa: D102
    def watch(self) -> AsyncIterator[PlayoutStatus]: ...  # noqa: D102
    async def stop(self, *, deadline: float = ...) -> None: ...  # noqa: D102
    async def wait_ended(self) -> None: ...  # noqa: D102
    async def aclose(self) -> None: ...  # noqa: D102


class Host(Protocol):
    """Starts, finds and ends playouts."""

    def playout_dir(self, state_dir: Path, namespace: str, name: str) -> Path:
        """The folder of a program's playout."""

    def running(self, state_dir: Path) -> list[Path]:
        """The folders of all playouts that run or ran."""

    def write_plan(self, folder: Path, plan: Plan, secrets: Mapping[str, str]) -> None:
        """Write what the playout is to converge to. Raises OSError."""

    async def start(self, folder: Path) -> Client:
        """Start the playout of `folder`. Raises VistterError where it does not come up."""

    async def connect(self, folder: Path) -> Client:
        """Adopt the one that runs in `folder`. Raises NotRunning, Unresponsive."""

    async def end(self, folder: Path, *, deadline: float) -> None:
        """End whatever runs in `folder`, at the latest by force after `deadline` seconds."""


class LocalHost:
    """The machine that the controller runs on."""

    def playout_dir(self, state_dir: Path, namespace: str, name: str) -> Path:
        """The folder of a program's playout."""
        return client.playout_dir(state_dir, namespace, name)

    def running(self, state_dir: Path) -> list[Path]:
        """The folders of all playouts that run or ran."""
        return client.running(state_dir)

    def write_plan(self, folder: Path, plan: Plan, secrets: Mapping[str, str]) -> None:
        """Write what the playout is to converge to. Raises OSError."""
        client.write_plan(folder, plan, secrets)

    async def start(self, folder: Path) -> Client:
        """Start the playout of `folder`; it ends what a dead one left behind, while it loads."""
        return await client.start(folder)

    async def connect(self, folder: Path) -> Client:
        """Adopt the one that runs in `folder`. Raises NotRunning, Unresponsive."""
        try:
            return await client.connect(folder)
        except NotRunning:
            identity = read_identity(folder)
            if identity is not None and identity.alive:
                raise Unresponsive(identity.pid) from None
            raise

    async def end(self, folder: Path, *, deadline: float) -> None:
        """End the very process that its identity names, then what is left of its children."""
        found = _whoever_runs(folder)
        if found is None:
            await client.sweep(folder)
            client.forget(folder)
            return
        try:
            await found.stop(deadline=deadline)
        finally:
            with anyio.CancelScope(shield=True):
                await found.aclose()


def _whoever_runs(folder: Path) -> PlayoutClient | None:
    """A client of the playout in `folder` that has not been asked whether it answers."""
    identity = read_identity(folder)
    if identity is None or not identity.alive:
        return None
    nobody = Hello(pid=identity.pid, nonce=identity.nonce, program="", namespace="", version="")
    try:
        return PlayoutClient(folder, identity, nobody, process=None)
    except ProcessLookupError:
        return None
