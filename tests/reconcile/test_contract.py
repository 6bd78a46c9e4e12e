"""What the reconcilers rely on: said once, and held against the fakes and against real playouts."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from peers import needs
from reconcile.fakes import FakeHost
from reconcile.objects import apply, camera, program, recording, timeline
from vistterstream.base.errors import PermanentError
from vistterstream.playout.client import PlayoutLost
from vistterstream.playout.protocol import PlayoutStatus
from vistterstream.reconcile.gather import gather
from vistterstream.reconcile.host import Client, Host, LocalHost, NotRunning, Unresponsive
from vistterstream.reconcile.paths import Paths
from vistterstream.resources.kinds import Program
from vistterstream.store.store import Store
from vistterstream.timeline.compile import compile_plan
from vistterstream.timeline.digests import plan_revision
from vistterstream.timeline.plan import Plan

pytestmark = pytest.mark.anyio


class Rig:
    """A host with a plan to play, and hard ways to treat what it started."""

    def __init__(self, host: Host, state_dir: Path, plan: Plan) -> None:
        self.host = host
        self.state_dir = state_dir
        self.plan = plan
        self.folder = host.playout_dir(state_dir, "default", "main")
        self.clients: list[Client] = []

    def write(self, **update: object) -> Plan:
        """Write the plan, changed so."""
        plan = self.plan.model_copy(update=update)
        self.host.write_plan(self.folder, plan, {})
        return plan

    async def start(self) -> Client:
        """Write the plan and start its playout."""
        self.write()
        self.clients.append(await self.host.start(self.folder))
        return self.clients[-1]

    async def connect(self) -> Client:
        """Adopt it."""
        self.clients.append(await self.host.connect(self.folder))
        return self.clients[-1]

    def kill(self, client: Client) -> None:
        """``kill -9``."""
        if isinstance(self.host, FakeHost):
            self.host.of("main").die()
        else:
            os.kill(client.pid, signal.SIGKILL)

    def freeze(self, client: Client) -> None:
        """Let it hang."""
        if isinstance(self.host, FakeHost):
            self.host.of("main").silent = True
        else:
            os.kill(client.pid, signal.SIGSTOP)

    async def close(self) -> None:
        """Leave nothing."""
        for client in self.clients[:1]:  # it alone can wait for its own child
            await client.stop(deadline=2)
        await self.host.end(self.folder, deadline=2)
        for client in self.clients:
            await client.aclose()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.e2e)])
async def rig(request: pytest.FixtureRequest, store: Store, state_dir: Path) -> AsyncIterator[Rig]:
    if request.param == "real":
        needs.ffmpeg()
    apply(store, camera("wharf"), timeline("day", "wharf"), program("main", "day"), recording("tape", "main"))
    main = program("main", "day")
    assert isinstance(main, Program)
    inputs, paths = gather(store, main), Paths(state_dir, {})
    plan = compile_plan(
        main,
        timeline=inputs.timeline,
        overlays=inputs.overlays,
        cameras=inputs.cameras,
        outputs=inputs.outputs,
        resolve=paths.resolve,
        hls_folder=paths.hls_folder,
        recording_folder=paths.recording_folder,
    ).plan
    rig = Rig(FakeHost() if request.param == "fake" else LocalHost(), state_dir, plan)
    yield rig
    await rig.close()


async def eventually(client: Client, condition: Callable[[PlayoutStatus], bool]) -> PlayoutStatus:
    """The first status that it tells for which the condition holds."""
    with anyio.fail_after(20):
        async for status in client.watch():
            if condition(status):
                return status
    raise AssertionError("the watch ended")


async def fails(call: Callable[[], Awaitable[object]], error: type[Exception]) -> None:
    with anyio.fail_after(20), pytest.raises(error):
        await call()


async def test_a_playout_that_was_started_runs_the_plan_and_tells_what_it_observes(rig: Rig) -> None:
    client = await rig.start()
    status = await eventually(
        client, lambda status: status.on_air is not None and status.on_air.kind == "Camera"
    )
    assert status.pid == client.pid
    assert status.revision == plan_revision(rig.plan)
    assert status.on_air is not None
    assert status.on_air.name == "wharf"
    assert list(status.cameras) == ["wharf"]
    assert list(status.outputs) == ["tape"]
    assert list(status.encoders) == [rig.plan.encodings[0].id]
    assert rig.host.running(rig.state_dir) == [rig.folder]


async def test_another_controller_finds_the_same_process(rig: Rig) -> None:
    first = await rig.start()
    second = await rig.connect()
    assert second.pid == first.pid
    assert (await second.status()).revision == plan_revision(rig.plan)


async def test_what_does_not_run_cannot_be_adopted(rig: Rig) -> None:
    rig.write()
    await fails(rig.connect, NotRunning)
    client = await rig.start()
    rig.kill(client)
    await client.wait_ended()
    await fails(rig.connect, NotRunning)


async def test_a_new_plan_is_taken_by_the_process_that_runs(rig: Rig) -> None:
    client = await rig.start()
    newer = rig.write(outputs=(), encodings=())
    applied = await client.apply()
    assert applied.revision == plan_revision(newer)
    status = await eventually(client, lambda status: status.revision == plan_revision(newer))
    assert status.pid == client.pid
    assert status.outputs == {}


async def test_another_format_is_refused_and_what_runs_goes_on(rig: Rig) -> None:
    client = await rig.start()
    rig.write(format=rig.plan.format.model_copy(update={"width": 640}))
    with pytest.raises(PermanentError) as refused:
        await client.apply()
    assert refused.value.reason == "FormatChanged"
    assert (await client.status()).revision == plan_revision(rig.plan)


@pytest.mark.slow
async def test_a_watch_ends_when_the_playout_is_killed(rig: Rig) -> None:
    client = await rig.start()

    async def watch() -> None:
        async for _ in client.watch():
            rig.kill(client)

    await fails(watch, PlayoutLost)
    with anyio.fail_after(5):
        await client.wait_ended()
    await fails(client.status, PlayoutLost)


async def test_one_that_was_killed_can_be_started_again(rig: Rig) -> None:
    client = await rig.start()
    rig.kill(client)
    await client.wait_ended()
    again = await rig.start()
    assert again.pid != client.pid
    await eventually(again, lambda status: status.on_air is not None)
    rig.clients.reverse()


async def test_stopping_ends_it_and_it_can_be_ended_again(rig: Rig) -> None:
    client = await rig.start()
    with anyio.fail_after(10):
        await client.stop(deadline=5)
        await client.wait_ended()
    await rig.host.end(rig.folder, deadline=1)
    await fails(rig.connect, NotRunning)


@pytest.mark.slow
async def test_one_that_hangs_is_told_apart_and_ended_by_force(rig: Rig) -> None:
    client = await rig.start()
    rig.freeze(client)
    await fails(rig.connect, Unresponsive)
    with anyio.fail_after(9):
        await rig.host.end(rig.folder, deadline=1)
    with anyio.fail_after(1):
        await client.wait_ended()
    await fails(rig.connect, NotRunning)
