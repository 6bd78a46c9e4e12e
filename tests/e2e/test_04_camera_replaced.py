"""A camera whose address is edited gets a new ingest; nothing else does, and the output never notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e import stage
from peers import frames
from peers.rtmp import Platform
from peers.rtsp import Camera
from peers.vistter import Appliance, Object


def _set_url(objects: list[Object], url: str) -> None:
    stage.find(objects, "Camera", "wharf")["spec"]["source"]["url"] = url


def _set_backup(objects: list[Object], name: str) -> None:
    stage.find(objects, "Camera", "wharf")["spec"]["backup"] = name


def _others(appliance: Appliance) -> dict[str, int | None]:
    return {
        "playout": appliance.pid("playout", "main"),
        "encoder": appliance.pid("encoder", "platform"),
        "pusher": appliance.pid("pusher", "platform"),
        "other": appliance.pid("ingest", "other"),
    }


def _replace(appliance: Appliance, url: str) -> None:
    """Edit the address and wait for another ingest to be on air; everything else stays what it was."""
    before, ingest = _others(appliance), appliance.pid("ingest", "wharf")
    assert None not in before.values()
    appliance.edit(stage.MANIFEST, lambda objects: _set_url(objects, url))
    appliance.wait(
        lambda: appliance.pid("ingest", "wharf") not in (None, ingest), 10, "wharf has a new ingest"
    )
    appliance.wait_on_air("main", "wharf")
    stage.wait_online(appliance, "wharf")
    assert _others(appliance) == before
    stage.wait_frames(appliance, 2 * stage.FPS)


@pytest.mark.timeout(180)
def test_a_new_address_replaces_the_ingest_alone_and_slate_or_backup_stand_in(tmp_path: Path) -> None:
    with (
        Platform(tmp_path) as platform,
        Camera(tmp_path, 61, fps=stage.FPS) as old,
        Camera(tmp_path, 62, fps=stage.FPS) as new,
        Camera(tmp_path, 63, fps=stage.FPS) as other,
    ):
        appliance = Appliance(tmp_path)
        appliance.write(
            stage.MANIFEST,
            stage.camera("wharf", old.url),
            stage.camera("other", other.url),
            stage.pattern("spare", 64),
            stage.code_overlay(),
            stage.timeline([("wharf", "1000s"), ("other", "1s"), ("spare", "1s")]),
            stage.program(),
            stage.rtmp("platform", platform),
        )
        with appliance:
            stage.wait_publishing(appliance, "platform")
            appliance.wait_on_air("main", "wharf")
            stage.wait_online(appliance, "wharf", "other")
            first = stage.wait_frames(appliance, stage.FPS)
            _replace(appliance, new.url)
            appliance.edit(stage.MANIFEST, lambda objects: _set_backup(objects, "spare"))
            stage.wait_frames(appliance, stage.FPS)
            _replace(appliance, old.url)
            appliance.stop()
        shown = frames.read(platform.recording("platform"))
    frames.assert_each_once(frames.program_numbers(shown))
    assert stage.sequence(stage.since(shown, first)) == [61, None, 62, 64, 61]  # slate, then the backup
