"""A real camera goes to a platform, to HLS and to a recording at once, encoded once, with its sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from e2e import stage
from peers import frames
from peers.probe import Media, loudness, probe
from peers.rtmp import Platform
from peers.rtsp import Camera
from peers.vistter import Appliance, command_line, manifest

SILENCE = -80.0  # dB of full scale; digital silence survives AAC below that


def _show(camera: Camera, platform: Platform, folder: Path) -> list[dict[str, Any]]:
    hls = {"name": "web", "hls": {"folder": str(folder / "hls"), "segmentDuration": "1s"}}
    return [
        stage.camera("wharf", camera.url),
        stage.code_overlay(),
        stage.timeline([("wharf", "10s")]),
        stage.program(),
        stage.rtmp("platform", platform),
        manifest("Output", "web", {"program": "main", "encoding": stage.ENCODING, "targets": [hls]}),
        stage.recording("disk", folder / "recordings"),
    ]


def _on_air(tmp_path: Path, tone: int) -> tuple[list[Path], Path]:
    """Run the show for six seconds; the three deliveries (FLV, the last HLS segments, MKV), and the FLV."""
    with Platform(tmp_path) as platform, Camera(tmp_path, 21, tone=tone, fps=stage.FPS) as camera:
        appliance = Appliance(tmp_path)
        appliance.write(stage.MANIFEST, *_show(camera, platform, tmp_path))
        with appliance:
            appliance.wait_on_air("main", "wharf")
            stage.wait_publishing(appliance, "platform", "web", "disk")
            _encoded_once(appliance)
            _camera_is_described(appliance, audio=tone > 0)
            stage.wait_frames(appliance, 6 * stage.FPS)
            hls = probe(tmp_path / "hls" / "index.m3u8")  # while it is live, as a viewer does
            _is_the_program(hls)
            appliance.stop()
        flv = platform.recording("platform")
    return [flv, _segments(tmp_path / "hls"), *stage.files(tmp_path / "recordings")], flv


def _segments(folder: Path) -> Path:
    """What the playlist lists, in one file (the playlist itself says that more will come)."""
    names = [line for line in (folder / "index.m3u8").read_text().splitlines() if not line.startswith("#")]
    assert len(names) >= 5
    joined = folder / "joined.ts"
    joined.write_bytes(b"".join((folder / name).read_bytes() for name in names))
    return joined


def _encoded_once(appliance: Appliance) -> None:
    encoders = {appliance.pid("encoder", output) for output in ("platform", "web", "disk")}
    assert len(encoders) == 1
    assert None not in encoders
    running = [pid for pid in appliance.processes() if "libx264" in command_line(pid)]
    assert running == list(encoders)
    assert len({appliance.pid("pusher", output) for output in ("platform", "web", "disk")}) == 3


def _camera_is_described(appliance: Appliance, *, audio: bool) -> None:
    # The picture may be on air before the camera says so: each status is written in its own turn.
    appliance.wait_condition("Camera", "wharf", "Online", deadline=10)
    status = appliance.status("Camera", "wharf")
    assert status["video"] == {"codec": "h264", "width": 640, "height": 360, "frameRate": str(stage.FPS)}
    assert status["audio"] is audio
    assert "ffmpeg" in command_line(status["ingest"]["pid"])[0]


def _is_the_program(media: Media) -> None:
    assert (media.video, media.width, media.height) == ("h264", stage.WIDTH, stage.HEIGHT)
    assert (media.audio, media.sample_rate, media.channels) == ("aac", 48_000, 2)


def test_a_camera_reaches_platform_hls_and_recording_encoded_once_with_its_sound(tmp_path: Path) -> None:
    deliveries, flv = _on_air(tmp_path, tone=440)
    assert len(deliveries) == 3
    for delivery in deliveries:
        _is_the_program(probe(delivery))
        assert loudness(delivery) > -40
    shown = frames.read(flv)
    frames.assert_each_once(frames.program_numbers(shown))
    assert len(shown) >= 5 * stage.FPS
    assert {frame.number for frame in shown[-3 * stage.FPS :]} == {21}


def test_a_camera_without_sound_is_delivered_with_silence(tmp_path: Path) -> None:
    deliveries, _flv = _on_air(tmp_path, tone=0)
    for delivery in deliveries:
        _is_the_program(probe(delivery))
        assert loudness(delivery) < SILENCE
