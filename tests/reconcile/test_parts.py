from __future__ import annotations

from pathlib import Path

import pytest

from reconcile.appliances import running, settle
from reconcile.fakes import FakeHost
from reconcile.objects import apply, camera, key, program, secret, text_overlay, timeline
from vistterstream.base.redaction import redact
from vistterstream.playout.protocol import DataStatus
from vistterstream.store.store import Store

pytestmark = pytest.mark.anyio


async def test_parts_that_a_program_shows_are_in_use_and_others_are_not(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    apply(
        store,
        camera("wharf"),
        text_overlay("title"),
        text_overlay("spare"),
        timeline("day", "wharf", overlays=("title",)),
        timeline("night", "wharf"),
        program("main", "day"),
    )
    async with running(store, host, state_dir) as appliance:
        assert appliance.conditions("Timeline", "day") == {"Ready": "True InUse"}
        assert appliance.conditions("Timeline", "night") == {"Ready": "True NotUsed"}
        assert appliance.conditions("Overlay", "title") == {"Ready": "True InUse"}
        assert appliance.conditions("Overlay", "spare") == {"Ready": "True NotUsed"}
        apply(store, program("main", "night"))
        await settle()
        assert appliance.conditions("Timeline", "day") == {"Ready": "True NotUsed"}
        assert appliance.conditions("Overlay", "title") == {"Ready": "True NotUsed"}
        assert appliance.conditions("Timeline", "night") == {"Ready": "True InUse"}


async def test_a_timeline_that_nobody_shows_still_says_what_it_lacks(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    apply(store, timeline("day", "wharf"))
    async with running(store, host, state_dir) as appliance:
        assert appliance.conditions("Timeline", "day")["Ready"] == "False CameraNotFound"
        apply(store, camera("wharf"))
        await settle()
        assert appliance.conditions("Timeline", "day") == {"Ready": "True NotUsed"}


async def test_what_the_playout_cannot_draw_is_told_of_the_overlay(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    apply(
        store,
        camera("wharf"),
        text_overlay("title"),
        timeline("day", "wharf", overlays=("title",)),
        program("main", "day"),
    )
    async with running(store, host, state_dir) as appliance:
        appliance.playout().observe(overlay_problems={"title": "there is no font Helvetia"})
        await settle()
        assert appliance.conditions("Overlay", "title")["Stalled"] == "True Incomplete"
        assert appliance.condition("Overlay", "title").message == "there is no font Helvetia"
        assert appliance.events(key("Overlay", "title")) == ["OverlayIncomplete"]
        appliance.playout().observe(overlay_problems={})
        await settle()
        assert appliance.conditions("Overlay", "title") == {"Ready": "True InUse"}


async def test_what_data_sources_say_is_told_of_their_overlay(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    apply(
        store,
        camera("wharf"),
        text_overlay("title"),
        timeline("day", "wharf", overlays=("title",)),
        program("main", "day"),
    )
    async with running(store, host, state_dir) as appliance:
        said = [
            DataStatus(overlay="title", name="wind", text="7 kn", age=0.5),
            DataStatus(overlay="title", name="news"),
            DataStatus(overlay="other", name="wind", text="8 kn"),
        ]
        appliance.playout().observe(data=said)
        await settle()
        told = appliance.get("Overlay", "title").status
        assert told.dump()["data"] == [{"name": "news"}, {"name": "wind", "text": "7 kn"}]


async def test_a_secret_is_known_and_masked(store: Store, host: FakeHost, state_dir: Path) -> None:
    async with running(store, host, state_dir) as appliance:
        apply(store, secret("quay", password="pa55-of-the-quay-two"))
        await settle()
        assert appliance.conditions("Secret", "quay") == {"Ready": "True Known"}
        assert redact("pa55-of-the-quay-two") == "***"
        assert "pa55" not in repr(appliance.get("Secret", "quay").status)
