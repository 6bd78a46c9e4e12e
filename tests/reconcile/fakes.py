"""Playouts that show nothing: they answer like real ones; a test says what they observe and when they die.

Kept honest by ``test_contract.py``, whose tests run against these and against real processes.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import anyio

from vistterstream.base.errors import PermanentError, TemporaryError
from vistterstream.playout import client
from vistterstream.playout.client import NotRunning, PlayoutLost
from vistterstream.playout.protocol import (
    Applied,
    CameraState,
    CameraStatus,
    EncoderStatus,
    OnAir,
    OutputState,
    OutputStatus,
    PlayoutStatus,
)
from vistterstream.reconcile.host import Unresponsive
from vistterstream.resources.effects import changes
from vistterstream.resources.model import Effect
from vistterstream.timeline.digests import plan_revision
from vistterstream.timeline.plan import Plan


class FakePlayout:
    """One process, so to speak."""

    def __init__(self, pid: int, folder: Path) -> None:
        self.pid = pid
        self.folder = folder
        self.plan = _read(folder)
        self.alive = True
        self.silent = False
        self.mute = False  # it answers, but reports nothing
        self.refuses = ""  # reason with which it refuses every plan
        self.applied: list[str] = []
        self.news = anyio.Event()
        self.gone = anyio.Event()
        self.status = self._observe()

    def _observe(self) -> PlayoutStatus:
        """All cameras live, all outputs publishing, the first camera on air."""
        cameras = {
            one.name: CameraStatus(state=CameraState.LIVE, pid=self.pid + 1) for one in self.plan.cameras
        }
        encoders = {one.id: EncoderStatus(pid=self.pid + 2, state="Running") for one in self.plan.encodings}
        outputs = {
            one.name: OutputStatus(
                state=OutputState.PUBLISHING,
                active_target=one.targets[0].name,
                encoding=one.encoding,
                pid=self.pid + 3,
            )
            for one in self.plan.outputs
        }
        video = self.plan.timeline.video if self.plan.timeline is not None else ()
        first = video[0].camera if video and video[0].camera in cameras else None
        on_air = (
            OnAir(kind="Camera", name=first, since=0.0, frame=0, reason="Cue")
            if first is not None
            else OnAir(kind="Slate", name="", since=0.0, frame=0, reason="NoCue")
        )
        return PlayoutStatus(
            pid=self.pid,
            revision=plan_revision(self.plan),
            frame=0,
            fps=15.0,
            realtime=False,
            on_air=on_air,
            cameras=cameras,
            encoders=encoders,
            outputs=outputs,
        )

    def observe(self, **update: Any) -> None:
        """Let it report something else from now on."""
        self.status = self.status.model_copy(update=update)
        self.tell()

    def see(self, camera: str, **update: Any) -> None:
        """Let it report something else about a camera."""
        seen = self.status.cameras[camera].model_copy(update=update)
        self.observe(cameras={**self.status.cameras, camera: seen})

    def deliver(self, output: str, **update: Any) -> None:
        """Let it report something else about an output."""
        seen = self.status.outputs[output].model_copy(update=update)
        self.observe(outputs={**self.status.outputs, output: seen})

    def tell(self) -> None:
        """Wake the watchers."""
        self.news.set()
        self.news = anyio.Event()

    def die(self) -> None:
        """``kill -9``."""
        self.alive = False
        self.gone.set()
        self.tell()

    def run(self, plan: Plan) -> None:
        """Let it run `plan`."""
        self.plan = plan
        self.status = self._observe()
        self.tell()

    def apply(self) -> Applied:
        """Take the plan in the folder."""
        plan = _read(self.folder)
        if any(change.effect is Effect.PLAYOUT for change in changes(self.plan, plan)):
            raise PermanentError("the format has changed", reason="FormatChanged")
        if self.refuses:
            raise PermanentError("it does not understand the plan", reason=self.refuses)
        self.applied.append(plan_revision(plan))
        self.run(plan)
        return Applied(revision=plan_revision(plan), frame=1, due=0.0)


class FakeClient:
    """What `playout.client.PlayoutClient` is to a playout."""

    def __init__(self, playout: FakePlayout) -> None:
        self._playout = playout
        self.closed = False

    @property
    def pid(self) -> int:
        return self._playout.pid

    async def apply(self) -> Applied:
        await self._answer()
        return self._playout.apply()

    async def status(self) -> PlayoutStatus:
        await self._answer()
        return self._playout.status

    async def watch(self) -> AsyncIterator[PlayoutStatus]:
        while True:
            await self._answer()
            if not self._playout.mute:
                yield self._playout.status
            news = self._playout.news
            with anyio.move_on_after(1.0):
                await news.wait()

    async def stop(self, *, deadline: float = 8.0) -> None:
        with anyio.CancelScope(shield=True):
            if self._playout.silent:
                await anyio.sleep(deadline)
            self._playout.die()

    async def wait_ended(self) -> None:
        await self._playout.gone.wait()

    async def aclose(self) -> None:
        self.closed = True

    async def _answer(self) -> None:
        await anyio.lowlevel.checkpoint()
        while self._playout.silent and self._playout.alive:
            news = self._playout.news
            await news.wait()
        if not self._playout.alive:
            raise PlayoutLost("The playout went away, or does not answer.")


@dataclass
class FakeHost:
    """A machine whose playouts outlive controllers: give the same one to the next."""

    playouts: list[FakePlayout] = field(default_factory=list)
    clients: list[FakeClient] = field(default_factory=list)
    secrets: dict[Path, dict[str, str]] = field(default_factory=dict)  # as they were last handed over
    refusals: list[str] = field(default_factory=list)  # sentences with which the next starts fail
    start_takes: float = 0.0  # seconds
    written: int = 0
    _pids: count[int] = field(default_factory=lambda: count(100_000, 10))

    def of(self, name: str) -> FakePlayout:
        """The running playout of the program in the folder `name`."""
        found = [playout for playout in self.playouts if playout.alive and playout.folder.name == name]
        assert len(found) == 1, f"{len(found)} playouts of {name} run"
        return found[0]

    @property
    def alive(self) -> list[str]:
        """The folders' names of all running playouts."""
        return sorted(playout.folder.name for playout in self.playouts if playout.alive)

    def playout_dir(self, state_dir: Path, namespace: str, name: str) -> Path:
        return client.playout_dir(state_dir, namespace, name)

    def running(self, state_dir: Path) -> list[Path]:
        return client.running(state_dir)

    def write_plan(self, folder: Path, plan: Plan, secrets: Mapping[str, str]) -> None:
        client.write_plan(folder, plan, secrets)
        self.secrets[folder] = dict(secrets)
        self.written += 1

    async def start(self, folder: Path) -> FakeClient:
        await anyio.sleep(self.start_takes)
        if self.refusals:
            raise TemporaryError(self.refusals.pop(0), delay=1.0, reason="PlayoutFailed")
        assert not self._running(folder), f"a second playout in {folder}"
        playout = FakePlayout(next(self._pids), folder)
        (folder / "identity.json").write_text(json.dumps({"pid": playout.pid}))
        self.playouts.append(playout)
        return self._client(playout)

    async def connect(self, folder: Path) -> FakeClient:
        await anyio.lowlevel.checkpoint()
        playout = self._running(folder)
        if playout is None:
            raise NotRunning("its process has ended")
        if playout.silent:
            raise Unresponsive(playout.pid)
        return self._client(playout)

    async def end(self, folder: Path, *, deadline: float) -> None:
        playout = self._running(folder)
        if playout is not None:
            await FakeClient(playout).stop(deadline=deadline)

    def _running(self, folder: Path) -> FakePlayout | None:
        return next((one for one in self.playouts if one.alive and one.folder == folder), None)

    def _client(self, playout: FakePlayout) -> FakeClient:
        self.clients.append(FakeClient(playout))
        return self.clients[-1]


def _read(folder: Path) -> Plan:
    return Plan.model_validate_json((folder / "plan.json").read_bytes())
