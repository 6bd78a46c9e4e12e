"""Every sort of camera comes on air, every sort of target is delivered to, and a backup takes over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from e2e import stage
from peers import frames, needs
from peers.http import HttpCamera
from peers.probe import loudness, probe
from peers.pushing import Pusher
from peers.rtmp import Platform
from peers.rtmps import SecurePlatform
from peers.rtsp import Camera
from peers.srt import SrtPlatform, SrtReceiver, SrtRelay
from peers.vistter import Appliance, Object, manifest

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
NAMES = ("tcp", "udp", "rtmp", "srt", "http")
PASSPHRASE = "low-water-at-nine"
SECRET = manifest("Secret", "srt", stringData={"passphrase": PASSPHRASE})
ENCRYPTED = {"passphraseSecretRef": {"name": "srt", "key": "passphrase"}}


def _output(name: str, *targets: dict[str, Any], **spec: Any) -> Object:
    return manifest(
        "Output", name, {"program": "main", "encoding": stage.ENCODING, "targets": list(targets), **spec}
    )


@pytest.mark.timeout(180)
def test_cameras_over_rtsp_rtmp_srt_and_http_are_shown_with_their_sound(tmp_path: Path) -> None:
    with (
        Platform(tmp_path) as platform,
        HttpCamera(tmp_path, 135) as http,
        SrtRelay(tmp_path, passphrase=PASSPHRASE) as relay,
        Camera(tmp_path, 131, fps=stage.FPS, tone=440) as tcp,
        Camera(tmp_path, 132, fps=stage.FPS, tone=440) as udp,
        Pusher(tmp_path, platform.url(key="camera"), "flv", number=133, loop=True),
        Pusher(tmp_path, relay.udp_url, "mpegts", number=134, loop=True),
    ):
        appliance = Appliance(tmp_path)
        appliance.write(
            stage.MANIFEST,
            stage.camera("tcp", tcp.url),
            stage.camera("udp", udp.url, source={"transport": "udp"}),
            stage.camera("rtmp", platform.url(key="camera")),
            SECRET,
            stage.camera("srt", relay.url, source=ENCRYPTED),
            stage.camera("http", http.url),
            stage.code_overlay(),
            stage.timeline([(name, "1s") for name in NAMES]),
            stage.program(),
            stage.rtmp("platform", platform),
        )
        with appliance:
            stage.wait_publishing(appliance, "platform")
            stage.wait_online(appliance, *NAMES)
            for name in NAMES:
                assert appliance.status("Camera", name)["audio"] is True
            first = stage.wait_frames(appliance, 2 * stage.FPS)
            stage.wait_frames(appliance, 11 * stage.FPS)
            appliance.stop()
        shown = frames.read(platform.recording("platform"))
        assert loudness(platform.recording("platform")) > -40
    frames.assert_each_once(frames.program_numbers(shown))
    for frame in stage.since(shown, first)[: 10 * stage.FPS]:
        assert frame.number == 131 + (frame.program or 0) // stage.FPS % 5


@pytest.mark.timeout(120)
def test_rtmps_with_a_trusted_certificate_and_srt_are_delivered(tmp_path: Path) -> None:
    with (
        SecurePlatform(tmp_path) as secure,
        SrtPlatform(tmp_path) as srt,
        SrtReceiver(tmp_path, passphrase=PASSPHRASE) as encrypted,
    ):
        trusted = {"name": "a", "url": secure.url("trusted"), "tls": {"caFile": str(secure.certificate)}}
        appliance = Appliance(tmp_path)
        appliance.write(
            stage.MANIFEST,
            stage.pattern("pier", 141, tone=440),
            stage.code_overlay(),
            stage.timeline([("pier", "1000s")]),
            stage.program(),
            _output("secure", trusted),
            _output("srt", {"name": "a", "url": srt.url}),
            SECRET,
            _output("encrypted", {"name": "a", "url": encrypted.url, **ENCRYPTED}),
            _output("stranger", {"name": "a", "url": secure.url("untrusted")}),
        )
        with appliance:
            stage.wait_publishing(appliance, "secure", "srt", "encrypted")
            trouble = appliance.wait_condition("Output", "stranger", "Publishing", "False")
            assert "certificate" in trouble["message"].lower()
            stage.wait_frames(appliance, 4 * stage.FPS)
            appliance.stop()
        srt.wait(10)
        delivered = [*secure.recordings(), srt.recording, encrypted.recording]
    assert len(delivered) == 3  # the one that does not trust the certificate delivered nothing
    for file in delivered:
        assert (probe(file).video, probe(file).audio) == ("h264", "aac")
        shown = frames.read(file)
        frames.assert_each_once(frames.program_numbers(shown))
        assert {frame.number for frame in shown[stage.FPS :]} == {141}


@pytest.mark.timeout(120)
def test_the_backup_target_takes_over_and_the_other_output_notices_nothing(tmp_path: Path) -> None:
    with Platform(tmp_path, name="one") as one, Platform(tmp_path, name="two") as two:
        primary = {"name": "primary", "url": one.url(key="show")}
        backup = {"name": "backup", "url": two.url(key="show")}
        appliance = Appliance(tmp_path)
        appliance.write(
            stage.MANIFEST,
            stage.pattern("pier", 151),
            stage.code_overlay(),
            stage.timeline([("pier", "1000s")]),
            stage.program(),
            _output("show", primary, backup, failover={"attempts": 2}),
            stage.rtmp("steady", two),
        )
        with appliance:
            stage.wait_publishing(appliance, "show", "steady")
            assert appliance.status("Output", "show")["activeTarget"] == "primary"
            one.kill()
            appliance.wait(
                lambda: appliance.status("Output", "show").get("activeTarget") == "backup",
                30,
                "the backup is active",
            )
            stage.wait_publishing(appliance, "show")
            appliance.wait(lambda: two.publishing("show"), 10, "the backup is fed")
            appliance.stop()
        shown = frames.read(two.recording("steady"))
    frames.assert_each_once(frames.program_numbers(shown))


def _documented_metrics() -> set[str]:
    """The names in the table of docs/operations.md."""
    rows = re.findall(r"^\| (`vistter_.*?) \|", OPERATIONS.read_text(), re.M)
    return {name for row in rows for name in re.findall(r"`(vistter_\w+)`", row)}


@pytest.mark.timeout(120)
def test_the_page_its_picture_health_and_metrics_are_served(tmp_path: Path) -> None:
    port = needs.free_port()
    address = f"http://127.0.0.1:{port}"
    appliance = Appliance(tmp_path, arguments=("--listen", f"127.0.0.1:{port}"))
    appliance.write(
        stage.MANIFEST,
        stage.pattern("pier", 161),
        stage.code_overlay(),
        stage.timeline([("pier", "1000s")]),
        stage.program(),
        _output("web", {"name": "page", "hls": {"segmentDuration": "1s"}}),
    )
    with appliance:
        stage.wait_publishing(appliance, "web")
        assert stage.fetch(f"{address}/healthz")[0] == 200
        appliance.wait(lambda: stage.fetch(f"{address}/readyz")[0] == 200, 10, "it is ready")
        assert "VistterStream" in stage.fetch(address)[1]
        playlist = f"{address}/hls/web/page/index.m3u8"
        appliance.wait(lambda: stage.fetch(playlist)[0] == 200, 10, "there is a playlist")
        assert probe(playlist).video == "h264"
        metrics = stage.fetch(f"{address}/metrics")[1]
        assert set(re.findall(r"^# TYPE (vistter_\w+) ", metrics, re.M)) == _documented_metrics()
        appliance.stop()
    assert stage.fetch(f"{address}/healthz")[0] == 0
