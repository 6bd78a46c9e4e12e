"""A camera, a platform or a playout that hangs is found, acted on and recovered; the others lose nothing."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from e2e import stage
from peers import frames
from peers.proxy import Proxy
from peers.rtmp import Platform
from peers.rtsp import Camera
from peers.vistter import Appliance, alive
from vistterstream.reconcile.playouts import STUCK_AFTER


@pytest.mark.timeout(180)
def test_a_hung_camera_gives_way_to_the_slate_and_comes_back(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform, Camera(tmp_path, 91, fps=stage.FPS) as camera:
        appliance = Appliance(tmp_path)
        appliance.write(
            stage.MANIFEST,
            stage.camera("wharf", camera.url),
            stage.code_overlay(),
            stage.timeline([("wharf", "1000s")]),
            stage.program(),
            stage.rtmp("platform", platform),
        )
        with appliance:
            stage.wait_publishing(appliance, "platform")
            stage.wait_online(appliance, "wharf")
            appliance.wait_on_air("main", "wharf")
            stage.wait_frames(appliance, stage.FPS)
            pushers = appliance.pid("pusher", "platform")
            hung = appliance.pid("ingest", "wharf")
            camera.freeze()
            frozen = time.time()
            on_air = appliance.wait_on_air("main", "Slate")
            offline = appliance.wait_condition("Camera", "wharf", "Online", "False")
            assert offline["reason"]
            assert "wharf" in offline["message"] or len(offline["message"]) > 20
            shown_late = appliance.due(on_air["frame"], stage.FPS) - frozen
            _wait_given_up(appliance, hung)
            stage.wait_frames(appliance, stage.FPS)
            camera.thaw()
            appliance.wait_on_air("main", "wharf", deadline=30)
            stage.wait_online(appliance, "wharf")
            stage.wait_frames(appliance, 2 * stage.FPS)
            assert appliance.pid("pusher", "platform") == pushers
            appliance.stop()
        shown = frames.read(platform.recording("platform"))
    print(f"slate {shown_late:.2f} s after the camera hung")
    assert shown_late <= 1.0 + 0.5 + 2 / stage.FPS  # stallAfter, and what was buffered
    frames.assert_each_once(frames.program_numbers(shown))


def _wait_given_up(appliance: Appliance, ingest: int | None) -> None:
    """The half-open connection is not waited for: another process tries."""
    assert ingest is not None
    appliance.wait(
        lambda: appliance.pid("ingest", "wharf") not in (None, ingest), 20, "the hung connection is given up"
    )
    assert not alive(ingest)


@pytest.mark.timeout(240)
def test_a_hung_platform_is_reconnected_and_the_other_outputs_lose_nothing(tmp_path: Path) -> None:
    with Platform(tmp_path, name="good") as good, Platform(tmp_path, name="bad") as bad:
        appliance = Appliance(tmp_path)
        clip = stage.noisy_clip(tmp_path)
        appliance.write(
            stage.MANIFEST,
            stage.film("wharf", clip),
            stage.code_overlay(),
            stage.timeline([("wharf", "1000s")]),
            stage.program(),
            stage.noisy_rtmp("good", good.url(key="good")),
            stage.noisy_rtmp("bad", bad.url(key="bad")),
        )
        with appliance:
            stage.wait_publishing(appliance, "good", "bad")
            pushers = appliance.pid("pusher", "good"), appliance.pid("pusher", "bad")
            bad.freeze()
            frozen = time.monotonic()
            trouble = appliance.wait_condition("Output", "bad", "Publishing", "False", deadline=60)
            print(f"found after {time.monotonic() - frozen:.1f} s: {trouble['reason']}")
            assert len(trouble["message"]) > 20
            stage.wait_frames(appliance, 5 * stage.FPS)
            bad.thaw()
            stage.wait_publishing(appliance, "bad", deadline=60)
            appliance.wait(lambda: bad.publishing("bad"), 20, "the platform is fed again")
            assert appliance.pid("pusher", "good") == pushers[0]
            assert appliance.pid("pusher", "bad") != pushers[1]
            assert appliance.status("Output", "good")["reconnects"] == 0
            stage.wait_frames(appliance, 2 * stage.FPS)
            appliance.stop()
        shown = frames.read(good.recording("good"))
    frames.assert_each_once(frames.program_numbers(shown))


@pytest.mark.timeout(180)
def test_a_connection_that_is_cut_or_refused_comes_back(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform, Proxy(platform.port) as proxy:
        appliance = Appliance(tmp_path)
        target = f"rtmp://127.0.0.1:{proxy.port}/live/wire"
        appliance.write(
            stage.MANIFEST,
            stage.pattern("pier", 92),
            stage.code_overlay(),
            stage.timeline([("pier", "1000s")]),
            stage.program(),
            stage.noisy_rtmp("wire", target),
            stage.rtmp("steady", platform),
        )
        with appliance:
            stage.wait_publishing(appliance, "wire", "steady")
            proxy.faults.refusing = True
            proxy.cut()
            appliance.wait_condition("Output", "wire", "Publishing", "False")
            proxy.faults.refusing = False
            stage.wait_publishing(appliance, "wire", deadline=40)
            appliance.wait(lambda: platform.publishing("wire"), 10, "the platform is fed again")
            assert appliance.status("Output", "wire")["reconnects"] >= 1
            appliance.stop()
        shown = frames.read(platform.recording("steady"))
    frames.assert_each_once(frames.program_numbers(shown))


@pytest.mark.timeout(240)
def test_a_hung_playout_is_told_of_and_replaced(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform, Camera(tmp_path, 93, fps=stage.FPS) as camera:
        appliance = Appliance(tmp_path)
        appliance.write(
            stage.MANIFEST,
            stage.camera("wharf", camera.url),
            stage.code_overlay(),
            stage.timeline([("wharf", "1000s")]),
            stage.program(),
            stage.rtmp("platform", platform),
        )
        with appliance:
            stage.wait_publishing(appliance, "platform")
            appliance.wait_on_air("main", "wharf")
            before = appliance.children()
            hung = appliance.pid("playout", "main")
            assert hung is not None
            os.kill(hung, signal.SIGSTOP)
            frozen = time.monotonic()
            silent = appliance.wait_condition("Program", "main", "OnAir", "Unknown")
            assert silent["reason"] == "PlayoutSilent"
            appliance.wait_condition("Output", "platform", "Publishing", "Unknown")
            appliance.wait_condition("Camera", "wharf", "Online", "Unknown")
            assert not appliance.ask("health")["health"]["ready"]
            appliance.wait(lambda: not alive(hung), STUCK_AFTER + 10, "the hung playout is ended")
            print(f"ended after {time.monotonic() - frozen:.1f} s")
            assert time.monotonic() - frozen > STUCK_AFTER - 2  # it reports once a second
            appliance.wait_on_air("main", "wharf")
            stage.wait_publishing(appliance, "platform", deadline=40)
            assert appliance.pid("playout", "main") != hung
            assert not before & appliance.children(), "nothing of the hung one is left"
            appliance.wait(lambda: appliance.ask("health")["health"]["ready"], 10, "it is ready again")
            stage.wait_frames(appliance, stage.FPS)
            appliance.stop()
