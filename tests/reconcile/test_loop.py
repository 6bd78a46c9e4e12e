from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

from reconcile.objects import camera, make, timeline
from vistterstream.base.errors import PermanentError, TemporaryError, VistterError
from vistterstream.base.metrics import Metrics
from vistterstream.base.redaction import redact
from vistterstream.reconcile.loop import Loop, Registry
from vistterstream.reconcile.queue import Backoff
from vistterstream.resources.kinds import Key
from vistterstream.store.store import Store

pytestmark = pytest.mark.anyio


@dataclass
class Notes:
    """What the handlers of a test wrote down, each with the time."""

    said: list[tuple[float, str]] = field(default_factory=list)
    outcomes: dict[Key, VistterError | None] = field(default_factory=dict)

    def say(self, what: str) -> None:
        self.said.append((round(anyio.current_time(), 3), what))

    @property
    def words(self) -> list[str]:
        return [what for _, what in self.said]

    def times(self, what: str) -> list[float]:
        return [when for when, said in self.said if said == what]


@asynccontextmanager
async def looping(
    store: Store, registry: Registry[Notes], *, metrics: Metrics | None = None
) -> AsyncIterator[tuple[Notes, Loop[Notes]]]:
    notes = Notes()
    loop = Loop(
        registry,
        notes,
        store,
        metrics or Metrics(),
        lambda key, error: notes.outcomes.__setitem__(key, error),
        backoff=Backoff(first=1.0, cap=60.0, jitter=0.0),
        chance=lambda: 0.0,
    )
    async with anyio.create_task_group() as tasks:
        await tasks.start(loop.run)
        yield notes, loop
        tasks.cancel_scope.cancel()


async def settle(condition: Callable[[], bool] = lambda: True, *, seconds: float = 0.01) -> None:
    """Let `seconds` pass (on the virtual clock), then check."""
    await anyio.sleep(seconds)
    assert condition()


WHARF = Key("Camera", "default", "wharf")


async def test_every_object_is_reconciled_at_start_and_after_each_change(store: Store) -> None:
    on: Registry[Notes] = Registry()

    @on.reconcile("Camera")
    async def reconcile(notes: Notes, camera: Any) -> None:
        notes.say(f"{camera.metadata.name} {camera.spec.stall_after}")

    store.apply(camera("wharf"), manager="test")
    store.apply(camera("pier"), manager="test")
    async with looping(store, on) as (notes, loop):
        await settle()
        assert sorted(notes.words) == ["pier 2s", "wharf 2s"]
        store.apply(camera("wharf", stall="5s"), manager="test")
        await settle(lambda: notes.words[2:] == ["wharf 5s"])
        assert loop.idle


async def test_a_burst_of_changes_becomes_one_call_with_the_newest_state(store: Store) -> None:
    on: Registry[Notes] = Registry()

    @on.reconcile("Camera")
    async def reconcile(notes: Notes, camera: Any) -> None:
        notes.say(camera.spec.stall_after)

    async with looping(store, on) as (notes, _):
        for seconds in range(1, 101):
            store.apply(camera("wharf", stall=f"{seconds}s"), manager="test")
        await settle(lambda: notes.words == ["100s"])


async def test_an_object_has_one_worker_and_what_changed_meanwhile_is_seen_afterwards(store: Store) -> None:
    on: Registry[Notes] = Registry()
    at_work = 0

    @on.reconcile("Camera")
    async def reconcile(notes: Notes, camera: Any) -> None:
        nonlocal at_work
        at_work += 1
        assert at_work == 1
        notes.say(camera.spec.stall_after)
        await anyio.sleep(10)
        at_work -= 1

    store.apply(camera("wharf", stall="1s"), manager="test")
    async with looping(store, on) as (notes, _):
        await settle(seconds=3)
        store.apply(camera("wharf", stall="2s"), manager="test")
        store.apply(camera("wharf", stall="3s"), manager="test")
        await settle(seconds=30)
        assert notes.said == [(0.0, "1s"), (10.0, "3s")]


async def test_a_worker_that_hangs_holds_up_no_other_object(store: Store) -> None:
    on: Registry[Notes] = Registry()

    @on.reconcile("Camera")
    async def reconcile(notes: Notes, camera: Any) -> None:
        if camera.metadata.name.startswith("stuck"):
            await anyio.sleep_forever()
        notes.say(camera.metadata.name)

    for number in range(50):
        store.apply(camera(f"stuck-{number}"), manager="test")
    store.apply(camera("wharf"), manager="test")
    async with looping(store, on) as (notes, _):
        await settle(lambda: notes.words == ["wharf"])


async def test_a_fault_is_told_redacted_and_retried_with_growing_delays_while_others_go_on(
    store: Store, log: io.StringIO
) -> None:
    on: Registry[Notes] = Registry()
    redact.learn(["hunter2-hunter2"])

    @on.reconcile("Camera")
    async def reconcile(notes: Notes, camera: Any) -> None:
        notes.say(camera.metadata.name)
        if camera.metadata.name == "wharf" and len(notes.times("wharf")) < 5:
            raise ValueError("cannot use hunter2-hunter2")

    metrics = Metrics()
    store.apply(camera("wharf"), manager="test")
    store.apply(camera("pier"), manager="test")
    async with looping(store, on, metrics=metrics) as (notes, loop):
        await settle()
        error = notes.outcomes[WHARF]
        assert error is not None
        assert error.reason == "InternalError"
        assert "ValueError: cannot use ***" in error.message
        assert "hunter2" not in error.message
        await settle(seconds=100)
        assert notes.times("wharf") == [0.0, 1.0, 3.0, 7.0, 15.0]
        assert notes.times("pier") == [0.0]
        assert notes.outcomes[WHARF] is None
        assert loop.idle
    assert "ValueError: cannot use ***" in log.getvalue(), "with its traceback"
    assert "hunter2" not in log.getvalue()
    assert b'vistter_reconcile_errors_total{kind="Camera",reason="InternalError"} 4.0' in metrics.render()
    assert b'vistter_reconcile_total{kind="Camera"} 6.0' in metrics.render()


@pytest.mark.slow
async def test_a_change_is_tried_at_once_however_long_the_backoff_is(store: Store) -> None:
    on: Registry[Notes] = Registry()

    @on.reconcile("Camera")
    async def reconcile(notes: Notes, camera: Any) -> None:
        notes.say("attempt")
        if camera.spec.stall_after == "2s":
            raise RuntimeError

    store.apply(camera("wharf"), manager="test")
    async with looping(store, on) as (notes, _):
        await settle(seconds=20)
        assert notes.times("attempt") == [0.0, 1.0, 3.0, 7.0, 15.0]
        store.apply(camera("wharf", stall="3s"), manager="test")
        await settle(seconds=1000)
        assert len(notes.times("attempt")) == 6, "the attempt that was waiting is not made any more"


async def test_a_temporary_error_is_retried_when_it_says_and_a_permanent_one_not_at_all(store: Store) -> None:
    on: Registry[Notes] = Registry()

    @on.reconcile("Camera")
    async def reconcile(notes: Notes, camera: Any) -> None:
        notes.say("camera")
        raise TemporaryError("the switch starts", delay=7.0)

    @on.reconcile("Overlay")
    async def reconcile_overlay(notes: Notes, overlay: Any) -> None:
        notes.say("overlay")
        raise PermanentError("this cannot work")

    metrics = Metrics()
    store.apply(camera("wharf"), manager="test")
    layer = {"name": "box", "rectangle": {"width": 10, "height": 10, "color": "#FFFFFF"}}
    store.apply(make("Overlay", "logo", {"layers": [layer]}), manager="test")
    async with looping(store, on, metrics=metrics) as (notes, _):
        await settle(seconds=15)
        assert notes.times("camera") == [0.0, 7.0, 14.0]
        assert notes.times("overlay") == [0.0]
    assert b'vistter_reconcile_errors_total{kind="Camera",reason="InternalError"} 0.0' in metrics.render()
    assert metrics.render().count(b'kind="Camera",reason=') == 1, "waiting is no error"
    assert b'vistter_reconcile_errors_total{kind="Overlay",reason="Failed"} 1.0' in metrics.render()


async def test_what_refers_to_a_changed_object_is_reconciled_too_however_far_away(store: Store) -> None:
    on: Registry[Notes] = Registry()
    for kind in ("Camera", "Timeline", "Program", "Output"):

        @on.reconcile(kind)
        async def reconcile(notes: Notes, resource: Any) -> None:
            notes.say(f"{resource.kind}/{resource.metadata.name}")

    target = {"name": "disk", "recording": {}}
    store.apply(camera("wharf", backup="pier"), manager="test")
    store.apply(camera("alone"), manager="test")
    store.apply(timeline("day", "wharf"), manager="test")
    store.apply(timeline("night", "alone"), manager="test")
    store.apply(make("Program", "main", {"timeline": "day"}), manager="test")
    store.apply(make("Output", "tape", {"program": "main", "targets": [target]}), manager="test")
    async with looping(store, on) as (notes, _):
        await settle()
        notes.said.clear()
        store.apply(camera("pier"), manager="test")
        await settle()
        chain = ["Camera/pier", "Camera/wharf", "Timeline/day", "Program/main", "Output/tape"]
        assert notes.words == chain
        notes.said.clear()
        store.delete(Key("Camera", "default", "pier"), manager="test")
        await settle(lambda: notes.words == chain[1:])


async def test_cameras_that_back_each_other_up_do_not_go_round_in_circles(store: Store) -> None:
    on: Registry[Notes] = Registry()

    @on.reconcile("Camera")
    async def reconcile(notes: Notes, camera: Any) -> None:
        notes.say(camera.metadata.name)

    store.apply(camera("wharf", backup="pier"), manager="test")
    store.apply(camera("pier", backup="wharf"), manager="test")
    async with looping(store, on) as (notes, loop):
        await settle(seconds=10)
        assert sorted(notes.words) == ["pier", "wharf"]
        assert loop.idle


async def test_writing_a_status_is_no_reason_to_reconcile(store: Store) -> None:
    on: Registry[Notes] = Registry()

    @on.reconcile("Camera")
    async def reconcile(notes: Notes, camera: Any) -> None:
        notes.say("reconcile")
        store.set_status(camera.key, {"observedGeneration": len(notes.words)})

    store.apply(camera("wharf"), manager="test")
    async with looping(store, on) as (notes, _):
        await settle(lambda: notes.words == ["reconcile"], seconds=10)


async def test_a_change_of_annotations_is_one(store: Store) -> None:
    """Relative paths start where the manifest lies, and that stands in an annotation."""
    on: Registry[Notes] = Registry()

    @on.reconcile("Program")
    async def reconcile(notes: Notes, program: Any) -> None:
        notes.say(program.metadata.annotations.get("stream.vistter.io/source-file", ""))

    store.apply(make("Program", "main", {}), manager="test")
    async with looping(store, on) as (notes, _):
        await settle()
        annotations = {"stream.vistter.io/source-file": "/srv/main.yaml"}
        store.apply(make("Program", "main", {}, annotations=annotations), manager="test")
        await settle(lambda: notes.words == ["", "/srv/main.yaml"])


async def test_delete_is_called_for_what_is_gone_after_its_daemons_have_ended(store: Store) -> None:
    on: Registry[Notes] = Registry()

    @on.daemon("Camera")
    async def follow(notes: Notes, key: Key) -> None:
        notes.say("follows")
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(1)
            notes.say("ended")

    @on.delete("Camera")
    async def delete(notes: Notes, key: Key) -> None:
        notes.say("deleted")

    store.apply(camera("wharf"), manager="test")
    async with looping(store, on) as (notes, _):
        await settle()
        store.apply(camera("wharf", stall="9s"), manager="test")
        await settle(lambda: notes.words == ["follows"])
        store.delete(WHARF, manager="test")
        await settle(lambda: notes.words == ["follows", "ended", "deleted"], seconds=5)
        store.apply(camera("wharf"), manager="test")
        await settle(lambda: notes.words[3:] == ["follows"])


@pytest.mark.slow
async def test_a_daemon_that_fails_is_started_again_with_backoff_and_one_that_returns_is_not(
    store: Store,
) -> None:
    on: Registry[Notes] = Registry()

    @on.daemon("Camera")
    async def falls(notes: Notes, key: Key) -> None:
        notes.say("falls")
        await anyio.sleep(0.5)
        raise OSError("the line is down")

    @on.daemon("Camera")
    async def returns(notes: Notes, key: Key) -> None:
        notes.say("returns")

    store.apply(camera("wharf"), manager="test")
    async with looping(store, on) as (notes, _):
        await settle(seconds=10)
        assert notes.times("falls") == [0.0, 1.5, 4.0, 8.5]
        assert notes.times("returns") == [0.0]


async def test_a_timer_ticks_while_the_object_exists_and_never_beside_its_worker(store: Store) -> None:
    on: Registry[Notes] = Registry()

    @on.reconcile("Camera")
    async def reconcile(notes: Notes, camera: Any) -> None:
        await anyio.sleep(7)
        notes.say("reconciled")

    @on.timer("Camera", interval=5.0)
    async def tick(notes: Notes, key: Key) -> None:
        notes.say("tick")

    store.apply(camera("wharf"), manager="test")
    async with looping(store, on) as (notes, _):
        await settle(seconds=13)
        assert notes.said == [(7.0, "reconciled"), (7.0, "tick"), (12.0, "tick")]
        store.delete(WHARF, manager="test")
        await settle(lambda: len(notes.said) == 3, seconds=60)


async def test_a_watch_that_was_compacted_away_is_followed_by_a_new_list(tmp_path: Path) -> None:
    on: Registry[Notes] = Registry()

    @on.reconcile("Camera")
    async def reconcile(notes: Notes, camera: Any) -> None:
        notes.say(f"+{camera.metadata.name}")

    @on.delete("Camera")
    async def delete(notes: Notes, key: Key) -> None:
        notes.say(f"-{key.name}")

    store = Store(tmp_path / "store.sqlite3", remembered_deletions=1)
    names = [f"camera-{number}" for number in range(6)]
    for name in [*names, "wharf"]:
        store.apply(camera(name), manager="test")
    async with looping(store, on) as (notes, loop):
        await settle()
        notes.said.clear()
        for name in names:  # more than the store remembers, before the loop gets to look
            store.delete(Key("Camera", "default", name), manager="test")
        store.apply(camera("pier"), manager="test")
        await settle()
        assert sorted(set(notes.words)) == sorted(["+pier", "+wharf", *(f"-{name}" for name in names)])
        assert loop.idle
        store.apply(camera("wharf", stall="9s"), manager="test")
        await settle(lambda: notes.words[-1] == "+wharf")
    store.close()


async def test_a_name_can_be_enqueued_for_later_and_an_earlier_wish_wins(store: Store) -> None:
    on: Registry[Notes] = Registry()

    @on.reconcile("Camera")
    async def reconcile(notes: Notes, camera: Any) -> None:
        notes.say("reconcile")

    store.apply(camera("wharf"), manager="test")
    async with looping(store, on) as (notes, loop):
        await settle(seconds=1)
        loop.enqueue(WHARF, delay=10)
        loop.enqueue(WHARF, delay=2)
        loop.enqueue(WHARF, delay=5)
        await settle(seconds=60)
        assert notes.times("reconcile") == [0.0, 3.0]


def test_a_kind_has_one_reconciler() -> None:
    on: Registry[Notes] = Registry()
    other: Registry[Notes] = Registry()

    @other.reconcile("Camera")
    async def reconcile(notes: Notes, camera: Any) -> None: ...

    on.include(other)
    with pytest.raises(ValueError, match="two handlers registered to reconcile Camera"):
        on.include(other)


async def test_the_queue_depth_counts_who_waits(store: Store) -> None:
    on: Registry[Notes] = Registry()

    @on.reconcile("Camera")
    async def reconcile(notes: Notes, camera: Any) -> None:
        await anyio.sleep(10)

    metrics = Metrics()
    store.apply(camera("wharf"), manager="test")
    async with looping(store, on, metrics=metrics) as (_, loop):
        await settle()
        assert b"vistter_queue_depth 0.0" in metrics.render()
        loop.enqueue(WHARF)
        await settle()
        assert b"vistter_queue_depth 1.0" in metrics.render()
