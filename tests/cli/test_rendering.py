from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.commands import vistter
from cli.test_simulating import SHOW, write
from ffmpeg_.media import clip
from peers import needs
from peers.probe import probe
from peers.vistter import VISTTER
from peers.waiting import until

pytestmark = pytest.mark.slow

DEVICE = SHOW.replace("{testPattern: {pattern: grid}}", "{url: 'rtmp://10.0.0.21/live/s3cretkey'}")


def pictures(path: Path) -> list[str]:
    """A digest of each picture in a file."""
    done = subprocess.run(
        [needs.ffmpeg(), "-v", "error", "-i", str(path), "-map", "0:v", "-f", "framemd5", "-"],
        capture_output=True, check=True, text=True, timeout=60,
    )  # fmt: skip
    return [line.split(",")[-1].strip() for line in done.stdout.splitlines() if not line.startswith("#")]


def test_a_timeline_becomes_a_movie_and_the_command_says_how_fast(tmp_path: Path) -> None:
    write(tmp_path)
    done = vistter("render", "tour", "-m", tmp_path, "--from", "9s", "--to", "00:00:11:00", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("tour.mp4: 60 frames from frame 270, in ")
    assert "× real time" in done.stderr
    assert done.stdout == ""
    assert len(pictures(tmp_path / "tour.mp4")) == 60
    found = probe(tmp_path / "tour.mp4")
    assert (found.video, found.width, found.height, found.frame_rate) == ("h264", 320, 180, "30000/1001")
    assert (found.audio, found.sample_rate, found.channels) == ("aac", 48000, 2)
    assert found.duration == pytest.approx(60 * 1001 / 30000, abs=0.03)


def test_a_frame_alone_is_that_frame_of_the_movie(tmp_path: Path) -> None:
    write(tmp_path)
    for out, arguments in (
        ("all.mkv", ["--frames", "330"]),
        ("some.mkv", ["--from", "315f", "--frames", "5"]),
    ):
        done = vistter("render", "tour", "-m", tmp_path, "--lossless", "-o", tmp_path / out, *arguments)
        assert done.returncode == 0, done.stderr
    whole = pictures(tmp_path / "all.mkv")
    assert len(whole) == 330
    assert pictures(tmp_path / "some.mkv") == whole[315:320]


def test_guides_are_drawn_where_they_are_asked_for_alone(tmp_path: Path) -> None:
    write(tmp_path)
    found = []
    for name, more in (("plain.png", []), ("guides.png", ["--guides"])):
        done = vistter("render", "tour", "-m", tmp_path, "-o", tmp_path / name, *more)
        assert done.returncode == 0, done.stderr
        with Image.open(tmp_path / name) as image:
            found.append(np.asarray(image).astype(int))
    changed = np.abs(found[0] - found[1]).max(axis=2) > 8
    height, width = changed.shape
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert columns[0] == pytest.approx(width * 0.035, abs=2)
    assert rows[0] == pytest.approx(height * 0.035, abs=2)
    assert not changed[height // 10 : -height // 10, width // 10 : -width // 10].any()


def test_a_program_that_is_named_is_paused_as_on_air(tmp_path: Path) -> None:
    write(tmp_path, SHOW.replace("timeline: tour}", "timeline: tour, playback: {state: paused, at: 4s}}"))
    arguments: list[str | Path] = ["render", "tour", "-m", tmp_path, "--from", "1s", "--frames", "9"]
    arguments.append("--lossless")
    for name, more in (("paused.mkv", ["--program", "main"]), ("timeline.mkv", [])):
        done = vistter(*arguments, *more, "-o", tmp_path / name)
        assert done.returncode == 0, done.stderr
    write(tmp_path)
    done = vistter(
        "render",
        "tour",
        "-m",
        tmp_path,
        "--from",
        "1s",
        "--frames",
        "9",
        "--lossless",
        "-o",
        tmp_path / "plain.mkv",
    )
    assert done.returncode == 0, done.stderr
    assert pictures(tmp_path / "timeline.mkv") == pictures(tmp_path / "plain.mkv")
    assert pictures(tmp_path / "paused.mkv") != pictures(tmp_path / "plain.mkv")


def test_a_picture_is_the_frame_at_from(tmp_path: Path) -> None:
    write(tmp_path)
    for name, start in (("one.png", "4s"), ("two.png", "120f"), ("other.png", "1s")):
        done = vistter("render", "tour", "-m", tmp_path, "--from", start, "-o", tmp_path / name)
        assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "one.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (320, 180))
        colors = np.asarray(picture.convert("RGB"))
    assert np.abs(colors[20, 20].astype(int) - 191).max() < 4  # the first of the 75 % bars
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "other.png").read_bytes()


def test_a_device_is_a_card_or_a_file_that_stands_for_it(tmp_path: Path) -> None:
    write(tmp_path, DEVICE)
    shown = {}
    for name, more in (("card.png", []), ("clip.png", ["--source", f"pier={clip()}"])):
        done = vistter("render", "tour", "-m", tmp_path, "--from", "13s", "-o", tmp_path / name, *more)
        assert done.returncode == 0, done.stderr
        assert "s3cretkey" not in done.stdout + done.stderr
        shown[name] = (tmp_path / name).read_bytes()
    assert shown["card.png"] != shown["clip.png"]


def test_an_instant_is_a_place_on_an_anchored_timeline(tmp_path: Path) -> None:
    anchored = SHOW.replace("  loop: true\n", "  anchor: {start: '2026-05-17T09:30:00Z'}\n")
    write(tmp_path, anchored)
    done = vistter("render", "tour", "-m", tmp_path, "--from", "2026-05-17T11:30:04.004+02:00", "-o",
                   tmp_path / "a.png")  # fmt: skip
    assert (done.returncode, done.stderr.endswith("frame 120.\n")) == (0, True), done.stderr


def test_what_is_wrong_is_said_in_a_sentence_and_nothing_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    folder.mkdir()
    write(folder, DEVICE)
    cases = (
        (["tuor"], "There is no Timeline tuor in these manifests; did you mean tour?"),
        (["tour", "--program", "x"], "There is no Program x"),
        (["tour", "-o", "x.avi"], "has to end in .mp4 or .png"),
        (["tour", "-o", "x.mp4", "--lossless"], "has to end in .mkv"),
        (["tour", "-o", "x.png", "--frames", "3"], "is one picture"),
        (["tour", "-o", "nowhere/x.mp4"], "There is no folder nowhere; make it, or name another."),
        (["tour", "--to", "1s", "--frames", "3"], "do not go together"),
        (["tour", "--from", "2s", "--to", "1s"], "There is nothing between"),
        (["tour", "--from", "noon"], "--from noon is not a time"),
        (["tour", "--from", "2026-05-17T09:30:00Z"], "its timeline has no anchor"),
        (["tour", "--source", "pier"], "is not CAMERA=FILE"),
        (["tour", "--source", "x=y"], "shows no Camera x. It shows: pier, wharf."),
        (["tour", "--source", "pier=gone.mp4"], "--source: there is no file gone.mp4."),
        (["tour", "--source", "pier=manifests"], "--source: manifests is a folder; name a media file."),
        (
            ["tour", "--source", f"pier={clip()}", "--source", "pier=x"],
            "--source: Camera pier is given twice",
        ),
        (
            ["tour", "-o", "/proc/x.mp4", "--frames", "1"],
            "The file /proc/x.mp4 cannot be written in the folder /proc",
        ),
        (["tour", "-o", "/proc/x.png"], "The file /proc/x.png cannot be written in the folder /proc"),
    )
    for arguments, sentence in cases:
        done = vistter("render", *arguments, cwd=tmp_path)
        assert done.returncode == 1, arguments
        assert sentence in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["manifests"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_render_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    write(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.mp4").write_text("before")
    command: list[str | Path] = [
        VISTTER,
        "render",
        "tour",
        "-m",
        tmp_path,
        "--frames",
        "1000000",
        "-o",
        out / "a.mp4",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        until(lambda: any(path.stat().st_size for path in out.glob(".a.mp4.*")), 30, "it writes")
        process.send_signal(number)
        assert process.wait(20) == status
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
    assert [path.name for path in out.iterdir()] == ["a.mp4"]
    assert (out / "a.mp4").read_text() == "before"


def test_a_terminal_sees_how_far_it_is(tmp_path: Path) -> None:
    write(tmp_path)
    ours, theirs = pty.openpty()
    command: list[str | Path] = [
        VISTTER,
        "render",
        "tour",
        "-m",
        tmp_path,
        "--frames",
        "300",
        "-o",
        tmp_path / "a.mp4",
    ]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, stderr=theirs, env=environment) as process:
        os.close(theirs)
        said = b""
        end = time.monotonic() + 30
        try:
            while time.monotonic() < end and (data := os.read(ours, 65536)):
                said += data
        except OSError:
            pass  # the other end of a terminal is gone
        assert process.wait(10) == 0
    os.close(ours)
    assert b"/300" in said
    assert "━".encode() in said


WEATHER = SHOW.replace(
    'spec: {layers: [{name: words, text: {value: "{{ title }}"}}]}',
    'spec: {layers: [{name: words, text: {value: "{{ title }} {{ wind }}"}}], '
    'data: [{name: wind, url: "http://127.0.0.1:9/a.json", default: calm}]}',
)


def test_values_of_data_sources_are_given_and_never_fetched(tmp_path: Path) -> None:
    write(tmp_path, WEATHER)
    found = {}
    for name, arguments in {
        "given": ["--data", "wind=7 kn"],
        "of the overlay": ["--data", "tag.wind=7 kn", "--data", "wind=8 kn"],
        "default": [],
        "as the default": ["--data", "wind=calm"],
    }.items():
        done = vistter("render", "tour", "-m", tmp_path, "--from", "4s", "-o", tmp_path / "a.png", *arguments)
        assert done.returncode == 0, done.stderr
        found[name] = (tmp_path / "a.png").read_bytes()
        told = "data wind is not fetched here, and its default is shown; give one with --data wind=TEXT."
        assert (told in " ".join(done.stderr.split())) is (not arguments)
    assert found["given"] == found["of the overlay"] != found["default"]
    assert found["default"] == found["as the default"]


@pytest.mark.parametrize(
    ("given", "said"), [("wind", "is not NAME=TEXT"), ("wnd=7", "shows no data wnd. It shows: wind.")]
)
def test_data_that_nobody_asks_for_is_refused(tmp_path: Path, given: str, said: str) -> None:
    write(tmp_path, WEATHER)
    done = vistter("render", "tour", "-m", tmp_path, "--data", given, cwd=tmp_path)
    assert done.returncode != 0
    assert said in " ".join(done.stderr.split())


def test_a_file_that_cannot_stand_for_a_camera_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, DEVICE)
    (tmp_path / "words.mp4").write_text("no movie")
    done = vistter(
        "render", "tour", "-m", tmp_path, "--from", "13s", "-o", tmp_path / "a.png",
        "--source", f"pier={tmp_path}/words.mp4",
    )  # fmt: skip
    assert done.returncode == 1
    assert "Camera pier: " in done.stderr
    assert "frame 390, with 1 problem (above)." in done.stderr


def test_other_problems_are_counted_and_an_error_where_asked_for(tmp_path: Path) -> None:
    write(tmp_path, SHOW.replace("text: {value", "text: {font: Comic Sins, value"))
    arguments: list[str | Path] = ["render", "tour", "-m", tmp_path, "-o", tmp_path / "a.png"]
    for more, status in (([], 0), (["--strict"], 1)):
        done = vistter(*arguments, *more)
        assert (done.returncode, "with 1 problem (above)." in done.stderr) == (status, True), done.stderr


def test_what_a_render_takes_for_granted_is_said_first(tmp_path: Path) -> None:
    arguments: list[str | Path] = ["render", "tour", "-m", tmp_path, "-o", tmp_path / "a.png"]
    write(tmp_path, SHOW.replace("timeline: tour}", "timeline: tour, playback: {state: paused, at: 4s}}"))
    said = "Program main is paused; add --program main for what is on air."
    assert vistter(*arguments).stderr.startswith(said)
    assert said not in vistter(*arguments, "--program", "main").stderr
    daily = "anchor: {daily: {time: '06:00', timeZone: Europe/Oslo}}"
    write(tmp_path, SHOW.replace("loop: true", daily))
    assert vistter(*arguments).stderr.startswith("Timeline tour starts each day at 06:00:00 (Europe/Oslo); ")
    assert "each day" not in vistter(*arguments, "--epoch", "2026-05-17T04:00:00Z").stderr


def test_errors_of_manifests_are_counted(tmp_path: Path) -> None:
    write(tmp_path, SHOW.replace("loop: true", "lop: true"))
    done = vistter("render", "tour", "-m", tmp_path, "-o", tmp_path / "a.png")
    assert (done.returncode, done.stderr) == (1, "1 error in these manifests; nothing was done.\n")
