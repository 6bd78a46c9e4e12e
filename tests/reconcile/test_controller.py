"""Controllers that come and go over playouts that stay."""

from __future__ import annotations

import errno
import io
import json
import os
import time
from pathlib import Path

import anyio
import pytest

from reconcile.appliances import running, settle
from reconcile.fakes import FakeHost
from reconcile.objects import apply, camera, key, program, recording, secret, stream, timeline
from vistterstream.base.errors import TemporaryError
from vistterstream.base.redaction import redact
from vistterstream.reconcile.controller import Controller, OnExit, registry, stop_playouts
from vistterstream.resources.kinds import KINDS
from vistterstream.store.store import Store
from vistterstream.timeline.plan import Plan

pytestmark = pytest.mark.anyio

MAIN = key("Program", "main")


def harbour(store: Store) -> None:
    apply(
        store,
        camera("wharf"),
        camera("pier"),
        timeline("day", "wharf", "pier"),
        program("main", "day"),
        recording("tape", "main"),
    )


async def test_a_controller_that_goes_leaves_the_playouts_and_the_next_takes_them_over(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        playout = appliance.playout()
    assert playout.alive
    assert all(client.closed for client in host.clients)
    events = len(store.events())
    async with running(store, host, state_dir) as appliance:
        assert appliance.playout() is playout
        assert playout.applied == [], "nothing on air is touched"
        assert appliance.events()[events:] == ["PlayoutAdopted"], "what is so already is no news"
        assert appliance.conditions("Program", "main") == {"Ready": "True OnAir", "OnAir": "True Camera"}


async def test_what_was_said_of_an_object_holds_until_its_playout_was_looked_for(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        main = appliance.get("Program", "main").status
        version = store.resource_version
    async with running(store, host, state_dir) as appliance:
        assert appliance.get("Program", "main").status == main
        assert appliance.events()[-1] == "PlayoutAdopted"
        assert store.resource_version == version + 1, "that one event, and no status, was written"


async def test_what_was_edited_meanwhile_is_applied_to_the_adopted_playout(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        playout = appliance.playout()
    apply(store, timeline("day", "pier"))
    async with running(store, host, state_dir) as appliance:
        assert appliance.playout() is playout
        assert [one.name for one in playout.plan.cameras] == ["pier"]
        assert len(playout.applied) == 1


async def test_a_plan_that_was_written_but_not_applied_is_applied_by_the_next_controller(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    """The controller was killed between the two."""
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        playout = appliance.playout()
        before = (playout.folder / "plan.json").read_bytes()
        apply(store, timeline("day", "pier"))
        await settle()
        newer = (playout.folder / "plan.json").read_bytes()
    playout.run(Plan.model_validate_json(before))
    assert newer == (playout.folder / "plan.json").read_bytes()
    async with running(store, host, state_dir):
        assert [one.name for one in playout.plan.cameras] == ["pier"]


async def test_a_playout_that_died_without_a_controller_is_told_and_started_again(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        appliance.playout().die()  # and the controller goes before it notices
    async with running(store, host, state_dir) as appliance:
        assert appliance.playout().alive
        assert "no controller ran" in appliance.said("PlayoutLost")


async def test_a_replacement_that_was_interrupted_is_no_failure(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    """The controller was killed after it had ended the old playout and before it started the new one."""
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        folder = appliance.playout().folder
    (folder / "intent.json").write_text(json.dumps({"end": "format.width changed"}))
    host.of("main").die()
    async with running(store, host, state_dir) as appliance:
        assert appliance.playout().alive
        assert "PlayoutLost" not in appliance.events()
        assert not (folder / "intent.json").exists()


async def test_a_playout_that_does_not_answer_is_left_alone_at_first_and_then_replaced(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        old = appliance.playout()
    old.silent = True
    async with running(store, host, state_dir, seconds=10) as appliance:
        assert host.playouts == [old]
        for kind, name, type_ in (
            ("Program", "main", "OnAir"),
            ("Output", "tape", "Publishing"),
            ("Camera", "pier", "Online"),
        ):
            assert appliance.condition(kind, name).reason == "PlayoutSilent"
            assert appliance.conditions(kind, name)[type_] == "Unknown PlayoutSilent"
        assert appliance.controller.not_ready() != []
        metrics = appliance.controller.metrics.render().decode()
        assert 'vistter_playout_up{namespace="default",program="main"} 0.0' in metrics
        await settle(30)
        assert [playout.alive for playout in host.playouts] == [False, True]
        assert "PlayoutStuck" in appliance.events()


async def test_a_playout_that_answers_again_in_time_is_taken_over(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        old = appliance.playout()
    old.silent = True
    async with running(store, host, state_dir, seconds=10) as appliance:
        old.silent = False
        await settle(5)
        assert appliance.playout() is old
        assert appliance.conditions("Program", "main")["Ready"] == "True OnAir"


async def test_playouts_without_a_program_are_ended_only_once_the_sources_have_spoken(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    apply(store, program("old"))
    async with running(store, host, state_dir):
        assert host.alive == ["main", "old"]
    store.delete(key("Program", "old"), manager="file")
    store.delete(MAIN, manager="file")
    async with running(store, host, state_dir, settled=False, seconds=600) as appliance:
        assert host.alive == ["main", "old"], "a source that is slow costs nobody the air"
        apply(store, program("main", "day"))  # now it has come
        appliance.controller.sources_settled()
        await settle()
        assert host.alive == ["main"]
        assert not (state_dir / "playout" / "old").exists()
        assert "PlayoutAdopted" in appliance.events(MAIN)


async def test_on_exit_stop_takes_everything_off_air(store: Store, host: FakeHost, state_dir: Path) -> None:
    harbour(store)
    async with running(store, host, state_dir, on_exit=OnExit.STOP):
        assert host.alive == ["main"]
    assert host.alive == []


async def test_stopping_ends_all_playouts_side_by_side_and_nothing_comes_back(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    apply(store, *(program(f"stage-{number}") for number in range(20)))
    async with running(store, host, state_dir) as appliance:
        for playout in host.playouts:
            playout.silent = True  # each takes as long to stop as it is given
        started = time.monotonic()
        before = anyio.current_time()
        appliance.controller.stop_all()
        await settle(15)
        assert host.alive == []
        assert anyio.current_time() - before < 16
        assert time.monotonic() - started < 10
        assert appliance.conditions("Program", "main") == {
            "Ready": "False Stopped",
            "OnAir": "False NoPlayout",
        }
        assert appliance.condition("Camera", "wharf").reason == "Stopped"
        assert "PlayoutLost" not in appliance.events()
        apply(store, program("late"))
        await settle(60)
        assert host.alive == []
    # but the next run is told to go on air
    async with running(store, host, state_dir) as appliance:
        assert len(host.alive) == 22
        assert "PlayoutLost" not in appliance.events()


async def test_playouts_can_be_stopped_without_a_controller(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir):
        pass
    assert await stop_playouts(state_dir, host, "vistter stop") == [state_dir / "playout" / "main"]
    assert host.alive == []


async def test_playouts_are_stopped_where_nothing_can_be_written(
    store: Store, host: FakeHost, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    harbour(store)
    async with running(store, host, state_dir):
        pass
    monkeypatch.setattr("vistterstream.reconcile.controller.write_intent", full)
    await stop_playouts(state_dir, host, "vistter stop")
    assert host.alive == []


async def test_secrets_are_masked_before_anything_is_written(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    apply(store, secret("quay", password="pa55-of-the-quay"))
    controller = Controller(state_dir, store, host=host)
    async with anyio.create_task_group() as tasks:
        await tasks.start(controller.run)
        assert redact("pa55-of-the-quay") == "***"
        tasks.cancel_scope.cancel()


async def test_readiness_names_what_is_missing(store: Store, host: FakeHost, state_dir: Path) -> None:
    harbour(store)
    apply(store, program("other", "nothing"))
    async with running(store, host, state_dir, settled=False) as appliance:
        reasons = appliance.controller.not_ready()
        assert reasons[0] == "the manifests are still being read"
        assert "Timeline default/nothing does not exist" in reasons[1]
        appliance.controller.sources_settled()
        apply(store, timeline("nothing", "wharf"))
        await settle()
        assert appliance.controller.not_ready() == []


async def test_with_a_full_disk_playouts_are_looked_after_and_it_is_told(
    store: Store, host: FakeHost, state_dir: Path, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    harbour(store)

    def full(*_: object) -> bool:
        raise TemporaryError("The store cannot be written.", delay=5, reason="StoreUnavailable")

    async with running(store, host, state_dir) as appliance:
        with monkeypatch.context() as patch:
            for name in ("set_status", "record"):
                patch.setattr(store, name, full)
            appliance.playout().die()
            await settle()
            assert appliance.playout().alive, "that it ended cannot be written down, and is acted on"
            appliance.playout().silent = True
            await settle(40)
            assert appliance.playout().alive
            assert len(host.playouts) == 3
            (reason,) = appliance.controller.not_ready()
            assert reason.startswith("statuses cannot be written")
            assert "PlayoutStuck" in log.getvalue()
            assert "Traceback" not in log.getvalue()
            assert log.getvalue().count("statuses cannot be written") == 2  # once as its own event
        await settle(10)
        assert appliance.controller.not_ready() == []
        assert appliance.conditions("Program", "main")["Ready"] == "True OnAir"


async def test_old_images_that_no_plan_names_are_deleted(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    slate = state_dir / "slate.png"
    slate.write_bytes(b"slate")
    apply(store, program("main", "day", fallback={"image": "slate.png"}))
    async with running(store, host, state_dir):
        pass
    (copy,) = (state_dir / "assets").iterdir()
    stale, fresh = (state_dir / "assets" / name for name in ("stale.png", "fresh.png"))
    for path in (stale, fresh):
        path.write_bytes(b"")
    for path in (stale, copy):
        os.utime(path, (0, 0))
    async with running(store, host, state_dir):
        assert sorted((state_dir / "assets").iterdir()) == sorted([copy, fresh])


async def test_another_programs_camera_and_outputs_are_not_mixed_up_across_namespaces(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    for resource in (program("main", "day"), timeline("day", "buoy"), camera("buoy")):
        metadata = resource.metadata.model_copy(update={"namespace": "north"})
        store.apply(resource.model_copy(update={"metadata": metadata}), manager="file")
    async with running(store, host, state_dir):
        assert host.alive == ["main", "main@north"]
        assert [one.name for one in host.of("main").plan.cameras] == ["pier", "wharf"]
        assert [one.name for one in host.of("main@north").plan.cameras] == ["buoy"]
        assert host.of("main@north").plan.outputs == ()


async def test_a_key_that_is_used_twice_is_asked_for_by_its_own_programs_only(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    apply(
        store, program("other"), secret("youtube", streamKey="abcd-efgh"), stream("live", "other", "youtube")
    )
    async with running(store, host, state_dir):
        assert host.secrets[host.of("main").folder] == {}
        assert host.secrets[host.of("other").folder] == {"youtube/streamKey": "abcd-efgh"}


def test_every_kind_is_looked_after() -> None:
    assert registry().reconcilers.keys() == KINDS.keys()
