from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import anyio
import pytest

from reconcile.fakes import FakeHost
from reconcile.objects import key
from reconcile.virtual import VirtualLoop
from vistterstream.base.errors import PermanentError, TemporaryError
from vistterstream.playout.protocol import OutputState, OutputStatus, PlayoutStatus
from vistterstream.reconcile.playouts import Playouts, read_intent, read_plan, write_intent
from vistterstream.resources.kinds import Key
from vistterstream.resources.program import Fallback, Format
from vistterstream.store.events import EventType
from vistterstream.timeline.digests import plan_revision
from vistterstream.timeline.plan import Plan

pytestmark = pytest.mark.anyio

MAIN = key("Program", "main")


def plan(**more: Any) -> Plan:
    return Plan(namespace="default", program="main", **({"format": Format()} | more))


@pytest.fixture
async def told() -> list[str]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.wait_for_threads()
    return []


@pytest.fixture
def playouts(state_dir: Path, host: FakeHost, told: list[str]) -> Playouts:
    def tell(key: Key, reason: str, message: str, type: EventType = EventType.NORMAL) -> None:
        told.append(reason)

    return Playouts(state_dir, host, tell, chance=lambda: 0.0)


async def test_converging_twice_does_nothing_the_second_time(
    playouts: Playouts, host: FakeHost, told: list[str]
) -> None:
    for _ in range(2):
        await playouts.converge(MAIN, plan(), {})
    assert told == ["PlayoutStarted"]
    assert host.written == 1


async def test_an_output_that_comes_back_does_not_start_with_what_was_said_of_the_old_one(
    playouts: Playouts, host: FakeHost
) -> None:
    await playouts.converge(MAIN, plan(), {})
    playout = playouts.of(MAIN)
    said = OutputStatus(state=OutputState.PUBLISHING, pid=77)
    playout.status = PlayoutStatus(
        pid=1, revision="a", frame=1, fps=30, realtime=False, outputs={"web": said}
    )
    await playouts.converge(MAIN, plan(fallback=Fallback(text="soon")), {})
    assert playout.status.outputs == {}
    assert playout.outdated == plan_revision(plan())


async def test_the_plan_and_the_secrets_are_in_the_folder_for_their_owner_alone(
    playouts: Playouts, host: FakeHost
) -> None:
    await playouts.converge(MAIN, plan(secrets_revision="1"), {"youtube/streamKey": "abcd-efgh"})
    folder = playouts.of(MAIN).folder
    assert read_plan(folder) == plan(secrets_revision="1")
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("plan.json", "secrets.json"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert b"abcd" not in (folder / "plan.json").read_bytes()


async def test_a_loss_that_is_told_twice_counts_once(
    playouts: Playouts, host: FakeHost, told: list[str]
) -> None:
    await playouts.converge(MAIN, plan(), {})
    playout = playouts.of(MAIN)
    client = playout.client
    assert client is not None
    host.of("main").die()
    assert await playouts.lost(playout, client, "it was killed")
    assert not await playouts.lost(playout, client, "it was killed")
    assert told == ["PlayoutStarted", "PlayoutLost"]
    assert playout.deaths.count == 1


async def test_a_full_disk_takes_nothing_off_air(
    playouts: Playouts, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    await playouts.converge(MAIN, plan(), {})

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(host, "write_plan", full)
        with pytest.raises(TemporaryError, match="No space left on device") as error:
            await playouts.converge(MAIN, plan(fallback=Fallback(text="Soon")), {})
    assert error.value.reason == "PlanNotWritten"
    assert host.of("main").plan == plan()
    await playouts.converge(MAIN, plan(fallback=Fallback(text="Soon")), {})
    assert host.of("main").plan.fallback.text == "Soon"


async def test_an_apply_that_the_playout_did_not_live_to_answer_is_made_up_for(
    playouts: Playouts, host: FakeHost
) -> None:
    await playouts.converge(MAIN, plan(), {})
    playout = playouts.of(MAIN)
    client = playout.client
    assert client is not None
    host.of("main").die()
    newer = plan(fallback=Fallback(text="Soon"))
    with pytest.raises(TemporaryError):
        await playouts.converge(MAIN, newer, {})
    assert await playouts.lost(playout, client, "it was killed")
    await playouts.converge(MAIN, newer, {})
    assert host.of("main").plan == newer


async def test_a_playout_of_an_older_version_that_refuses_the_plan_is_replaced(
    playouts: Playouts, host: FakeHost, told: list[str]
) -> None:
    await playouts.converge(MAIN, plan(), {})
    host.of("main").refuses = "BadPlan"
    newer = plan(fallback=Fallback(text="Soon"))
    await playouts.converge(MAIN, newer, {})
    assert [playout.alive for playout in host.playouts] == [False, True]
    assert host.of("main").plan == newer
    assert told == ["PlayoutStarted", "PlayoutReplaced", "PlayoutStarted"]


async def test_a_refusal_that_another_process_would_repeat_leaves_what_is_on_air(
    playouts: Playouts, host: FakeHost
) -> None:
    await playouts.converge(MAIN, plan(), {})
    host.of("main").refuses = "TooManyCameras"
    with pytest.raises(PermanentError):
        await playouts.converge(MAIN, plan(fallback=Fallback(text="Soon")), {})
    assert host.of("main").plan == plan()


async def test_stopping_a_program_that_never_ran_is_no_news(playouts: Playouts, told: list[str]) -> None:
    await playouts.stop(MAIN, "the Program was deleted")
    assert told == []


async def test_waiting_for_a_client_ends_when_one_comes(playouts: Playouts) -> None:
    playout = playouts.of(MAIN)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(playout.arrival)
        await anyio.sleep(1)
        await playouts.converge(MAIN, plan(), {})
    assert playout.revision == plan_revision(plan())


def test_an_intent_is_read_as_it_was_written_and_nonsense_is_none(tmp_path: Path) -> None:
    assert read_intent(tmp_path) is None
    write_intent(tmp_path, "format.width changed")
    assert read_intent(tmp_path) == "format.width changed"
    for nonsense in (b"", b"[]", b"{}", b"\xff"):
        (tmp_path / "intent.json").write_bytes(nonsense)
        assert read_intent(tmp_path) is None


def test_a_plan_of_another_version_or_none_is_none(tmp_path: Path) -> None:
    assert read_plan(tmp_path) is None
    (tmp_path / "plan.json").write_text('{"version": 99, "unknown": true}')
    assert read_plan(tmp_path) is None
