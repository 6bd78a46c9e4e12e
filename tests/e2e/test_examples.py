"""Every example runs as it is shipped; where one names a camera or a platform, a real one stands there."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from peers.documents import Documents
from peers.probe import probe
from peers.rtmp import Platform
from peers.rtsp import Camera
from peers.vistter import Appliance
from vistterstream.playout.files import DATA, playout_dir

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def example(folder: Path, name: Path, *replacements: tuple[str, str]) -> Appliance:
    """An appliance with a copy of an example; `replacements` put other addresses into its manifests."""
    appliance = Appliance(folder, start=False)
    shutil.copytree(name, appliance.manifests, dirs_exist_ok=True)
    for file in appliance.manifests.glob("*.yaml"):
        text = file.read_text()
        for old, new in replacements:
            text = text.replace(old, new)
        file.write_text(text)
    return appliance


def healthy(appliance: Appliance) -> None:
    """No manifest was refused, and every object says that it is ready."""
    assert appliance.ask("problems")["problems"] == []
    for form in appliance.ask("list")["objects"]:
        appliance.wait_condition(form["kind"], form["metadata"]["name"], "Ready")


def playlist(appliance: Appliance, output: str) -> Path:
    """The HLS playlist of an output, as soon as it is there."""
    path = appliance.state / "hls" / output / "page" / "index.m3u8"
    appliance.wait(path.exists, 20, f"{output} has a playlist")
    return path


def test_every_example_is_tested_here() -> None:
    here = Path(__file__).read_text()
    missing = [folder.name for folder in EXAMPLES.glob("[0-9]*") if f'"{folder.name}"' not in here]
    assert not missing


def test_01_hello_cuts_between_its_cameras_and_records(tmp_path: Path) -> None:
    with example(tmp_path, EXAMPLES / "01-hello") as appliance:
        appliance.start()
        appliance.wait_on_air("main", "harbour")
        healthy(appliance)
        assert "CameraStalled" not in {line["reason"] for line in (*appliance.events(), *appliance.as_run())}
        on_air = appliance.wait_on_air("main", "lighthouse", deadline=20)
        assert "station" in on_air["overlays"]
        assert appliance.pid("encoder", "preview") == appliance.pid("encoder", "recording")
        media = probe(playlist(appliance, "preview"))
        assert (media.width, media.height) == (1280, 720)
        appliance.stop()
        recordings = list((appliance.state / "recordings" / "recording" / "disk").glob("*.mkv"))
        assert [probe(file).width for file in recordings] == [1280]


def test_02_rtsp_camera_to_rtmp_logs_in_and_publishes(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform, Camera(tmp_path, 2, user="viewer", password="change-me") as camera:
        addresses = [
            ("rtsp://127.0.0.1:8554/wharf", camera.url),
            ("rtmp://127.0.0.1:1935/live", platform.url().rstrip("/")),
        ]
        with example(tmp_path, EXAMPLES / "02-rtsp-camera-to-rtmp", *addresses) as appliance:
            appliance.start()
            appliance.wait_on_air("main", "wharf")
            healthy(appliance)
            appliance.wait(lambda: platform.publishing("paste-the-stream-key-here"), 10, "it publishes")


def test_03_lower_thirds_shows_its_overlay(tmp_path: Path) -> None:
    with example(tmp_path, EXAMPLES / "03-lower-thirds") as appliance:
        appliance.start()
        appliance.wait_on_air("main", "stage")
        healthy(appliance)
        appliance.wait(
            lambda: appliance.status("Program", "main")["onAir"]["overlays"] == ["name-tag"],
            15,
            "it is shown",
        )


def test_04_failover_shows_the_backup_and_goes_to_the_next_target(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform:
        addresses = [
            ("rtsp://127.0.0.1:8554", "rtsp://127.0.0.1:9"),  # discard: nobody listens
            ("rtmp://127.0.0.1:1935", "rtmp://127.0.0.1:9"),
            ("rtmp://127.0.0.1:1936/live", platform.url().rstrip("/")),
        ]
        with example(tmp_path, EXAMPLES / "04-failover", *addresses) as appliance:
            appliance.start()
            appliance.wait_on_air("main", "pier")
            assert appliance.status("Program", "main")["onAir"]["reason"] == "Backup"
            appliance.wait_condition("Output", "preview", "Publishing")
            appliance.wait_condition("Output", "platform", "Publishing", deadline=40)
            assert appliance.status("Output", "platform")["activeTarget"] == "backup"
            assert platform.publishing("paste-the-stream-key-here")


def test_05_outputs_share_the_encoders_that_are_the_same(tmp_path: Path) -> None:
    with example(tmp_path, EXAMPLES / "05-one-encoding-many-outputs") as appliance:
        appliance.start()
        appliance.wait_on_air("main", "square")
        healthy(appliance)
        encoders = [appliance.pid("encoder", output) for output in ("preview", "archive", "small")]
        assert encoders[0] == encoders[1] != encoders[2]
        for output in ("preview", "small"):
            assert probe(playlist(appliance, output)).width == 1280


def _entered(appliance: Appliance) -> set[str]:
    """The overlays that have come on air."""
    return {name for line in appliance.as_run() for name in line["entered"]}


def test_06_church_service_shows_what_its_hour_asks_for(tmp_path: Path) -> None:
    doors = datetime.now(UTC) - timedelta(minutes=11, seconds=50)  # the reading begins soon
    anchor = ("2026-05-17T09:55:00+02:00", doors.isoformat(timespec="seconds"))
    with example(tmp_path, EXAMPLES / "06-church-service", anchor) as appliance:
        appliance.start()
        appliance.wait(lambda: "lower-third" in _entered(appliance), 40, "the name of the reader comes")
        healthy(appliance)
        assert "pulpit" in {line["source"]["name"] for line in appliance.as_run()}
        appliance.wait_condition("Output", "preview", "Publishing")


def test_07_live_words_follow_their_document_and_do_without_it(tmp_path: Path) -> None:
    folder = EXAMPLES / "07-live-words"
    document = json.loads((folder / "served" / "harbour.json").read_text())
    with Documents() as server:
        address = ("http://127.0.0.1:8090", server.url)
        with example(tmp_path, folder, address) as appliance:
            appliance.start()
            appliance.wait_on_air("main", "pier")
            ready = appliance.wait_condition("Overlay", "harbour", "Ready", "False")
            assert (
                "answered 404 Not Found; there is no value yet, and its default is shown" in ready["message"]
            )
            server.put("/harbour.json", document)
            healthy(appliance)
            appliance.wait(
                lambda: (playout_dir(appliance.state, "default", "main") / DATA).exists(), 20, "kept"
            )
            appliance.wait(lambda: len(server.asked) > 3, 20, "it is fetched again and again")


def test_the_default_state_of_a_fresh_appliance_runs(tmp_path: Path) -> None:
    with example(tmp_path, ROOT / "manifests") as appliance:
        appliance.start()
        appliance.wait_on_air("main", "first-camera")
        healthy(appliance)
        playlist(appliance, "preview")


def test_the_readme_names_every_example() -> None:
    named = set(re.findall(r"^\| `([0-9][^`]*)`", (EXAMPLES / "README.md").read_text(), re.MULTILINE))
    assert named == {folder.name for folder in EXAMPLES.glob("[0-9]*")}


def test_08_harbour_day_stands_where_the_clock_of_its_zone_says(tmp_path: Path) -> None:
    with example(tmp_path, EXAMPLES / "08-harbour-day") as appliance:
        zone = ZoneInfo("Europe/Oslo")
        begun = datetime.now(zone) - timedelta(hours=6, minutes=1, seconds=1)  # now it is past noon by it
        manifest = appliance.manifests / "day.yaml"
        manifest.write_text(manifest.read_text().replace('"06:00"', f'"{begun:%H:%M}"'))
        appliance.start()
        on_air = appliance.wait(
            lambda: found if (found := appliance.status("Program", "main").get("onAir")) else None,
            20,
            "it is on air",
        )
        healthy(appliance)
        assert on_air["source"]["name"] in ("wharf", "pier", "lighthouse")
        assert "station" in on_air["overlays"]
        log = next((appliance.state / "asrun" / "main").glob("*.jsonl"))
        first = json.loads(log.read_text().splitlines()[0])
        passed = datetime.fromisoformat(first["time"]) - begun.replace(second=0, microsecond=0)
        assert first["timeline"]["name"] == "day"
        assert abs(first["timeline"]["frame"] / 25 - passed.total_seconds()) < 0.1
        appliance.wait_condition("Output", "preview", "Publishing")
