"""What was on air and what is rendered from the same manifests are the same, to the bit and to the sample."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from e2e import stage
from ffmpeg_.media import make
from peers import needs
from peers.vistter import Appliance, Object, manifest
from vistterstream.playout import framecode
from vistterstream.playout.sound import samples_before

WIDTH, HEIGHT, RATE = 320, 180, Fraction(30000, 1001)
SQUARE = 8
SIZE = WIDTH * HEIGHT * 3 // 2
SECONDS = 12


def _films(folder: Path) -> None:
    """A film at another rate, with B-frames and AAC, and one with PCM; both are gone round several times."""
    coded = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "40", "-ac", "2")
    sound = "aevalsrc='0.3*sin(2*PI*(300+90*t)*t)|0.3*sin(2*PI*(500-40*t)*t):s=48000:d={0}'"
    source = (
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=400x225:rate=25:duration=5",
        "-f",
        "lavfi",
        "-i",
        sound.format(5),
    )
    make(folder / "wharf.mp4", *source, *coded, "-c:a", "aac")
    source = ("-f", "lavfi", "-i", "mandelbrot=size=320x180:rate=30", "-f", "lavfi", "-i", sound.format(4))
    make(folder / "pier.mov", *source, *coded, "-t", "4", "-c:a", "pcm_s16le")
    make(folder / "bed.wav", "-f", "lavfi", "-i", "aevalsrc='0.2*sin(2*PI*220*t)':s=48000:d=3", "-ac", "2")
    for number in range(9):
        Image.new("RGB", (48, 32), (25 * number, 200 - 20 * number, 90)).save(folder / f"n{number}.png")


def _lively() -> list[dict[str, Any]]:
    """What changes by itself, and a group that turns while something moves in it."""
    slide = {
        "property": "x",
        "repeat": "pingPong",
        "keyframes": [{"at": "0s", "value": 0}, {"at": "1s", "value": 20}],
    }
    turn = {
        "property": "rotation",
        "repeat": "loop",
        "keyframes": [{"at": "0s", "value": 0}, {"at": "3s", "value": 360, "easing": "easeInOutSine"}],
    }
    inner = {"name": "a", "rectangle": {"width": 30, "height": 20, "color": "#F4C020C0"}, "tracks": [slide]}
    return [
        {"name": "news", "ticker": {"value": "High tide at noon", "width": WIDTH, "size": 16, "speed": 77.3},
         "position": {"y": 2}},
        {"name": "group", "group": {"width": 60, "height": 40, "layers": [inner]},
         "position": {"x": 250, "y": 90}, "tracks": [turn]},
        {"name": "film", "image": {"sequence": "n%d.png", "play": "pingPong"},
         "position": {"x": 10, "y": 60}, "rotation": 15},
        {"name": "left", "countdown": {"duration": "9s", "size": 14}, "position": {"x": 220, "y": 40}},
    ]  # fmt: skip


def _show(folder: Path) -> list[Object]:
    """Every transition, layers of every manner, and a bed that ducks, over two files and a clip."""
    moving = [
        {"property": "opacity", "keyframes": [{"at": "0s", "value": 0}, {"at": "600ms", "value": 1}]},
        {
            "property": "x",
            "keyframes": [{"at": "0s", "value": 10}, {"at": "2s", "value": 90, "easing": "easeOutCubic"}],
        },
    ]
    tag = {
        "canvas": {"width": WIDTH, "height": HEIGHT},
        "layers": [
            {"name": "box", "rectangle": {"width": 120, "height": 30, "color": "#2A6FDBB0"},
             "position": {"x": 20, "y": 120}, "tracks": moving},
            {"name": "words", "text": {"value": "{{ title }}", "size": 18}, "position": {"x": 24, "y": 124}},
            {"name": "time", "clock": {"format": "%H:%M:%S", "size": 14}, "position": {"x": 220, "y": 60}},
        ],
    }  # fmt: skip
    corner = {
        "canvas": {"width": WIDTH, "height": HEIGHT, "area": "titleSafe"},
        "layers": [
            {"name": "box", "rectangle": {"width": 110, "height": 40, "color": "#800000"},
             "position": {"anchor": "topRight"}},
            {"name": "day", "clock": {"timecode": "timeOfDay", "timeZone": "Asia/Kathmandu", "size": 14},
             "position": {"anchor": "topRight", "x": -4, "y": 2}},
            {"name": "show", "clock": {"timecode": "timeline", "size": 14},
             "position": {"anchor": "topRight", "area": "actionSafe", "x": -4, "y": 22}},
        ],
    }  # fmt: skip
    code = {"name": "code", "frameCode": {"square": SQUARE}, "position": {"x": 0, "y": HEIGHT - SQUARE}}
    video: list[dict[str, Any]] = [
        {
            "camera": "wharf",
            "duration": "1500ms",
            "transition": {"type": "crossfade", "duration": "500ms", "sound": "equalPower"},
        },
        {
            "camera": "pier",
            "duration": "1s",
            "transition": {"type": "wipe", "softness": 0.2, "duration": "400ms"},
        },
        {"file": {"path": "pier.mov", "in": "1s"}, "duration": "1200ms", "transition": {"type": "push"}},
        {
            "camera": "wharf",
            "duration": "1s",
            "transition": {"type": "fadeThroughBlack", "duration": "800ms", "easing": "easeInOutQuad"},
        },
    ]
    video += [
        {
            "camera": camera,
            "duration": "700ms",
            "transition": {"type": kind, "direction": direction, "duration": "400ms", "easing": easing},
        }
        for camera, kind, direction, easing in (
            ("pier", "slide", "up", "easeOutCubic"),
            ("wharf", "wipe", "down", "linear"),
            ("pier", "push", "right", "cubic-bezier(0.3, 0, 0.7, 1)"),
            ("wharf", "slide", "left", "easeInOutSine"),
            ("pier", "wipe", "right", "easeIn"),
        )
    ]
    bed = {
        "file": "bed.wav",
        "at": "500ms",
        "duration": "5s",
        "loop": True,
        "fadeIn": "700ms",
        "curve": [{"at": "0s", "gain": "-12dB"}, {"at": "3s", "gain": "0dB", "easing": "easeIn"}],
        "duck": {"threshold": "-30dB", "amount": "-12dB"},
    }
    overlays = [
        {"overlay": "tag", "at": "200ms", "duration": "2s", "values": {"title": "The old wharf"}},
        {"overlay": "tag", "at": "2500ms", "duration": "1800ms", "values": {"title": "The pier"}},
        {"overlay": "corner", "at": "1s", "duration": "3s", "layer": -1,
         "enter": {"duration": "12f", "slide": "right"}, "exit": {"duration": "15f"}},
    ]  # fmt: skip
    tracks = [
        {"name": "v", "video": video},
        {"name": "o", "overlays": overlays},
        {"name": "lively", "overlays": [{"overlay": "lively", "at": "300ms", "duration": "7s"}]},
        {"name": "code", "overlays": [{"overlay": "code"}]},
        {"name": "bed", "audio": [bed]},
    ]
    target = {"name": "disk", "recording": {"folder": str(folder / "recording")}}
    encoding = {"lossless": True, "video": {"preset": "ultrafast", "keyframeInterval": "1s"}}
    picture = {"width": WIDTH, "height": HEIGHT, "frameRate": "30000/1001"}
    return [
        manifest("Camera", "wharf", {"source": {"file": {"path": "wharf.mp4"}}}),
        manifest("Camera", "pier", {"source": {"file": {"path": "pier.mov"}}}),
        manifest("Overlay", "tag", tag),
        manifest("Overlay", "corner", corner),
        manifest("Overlay", "lively", {"canvas": {"width": WIDTH, "height": HEIGHT}, "layers": _lively()}),
        manifest("Overlay", "code", {"canvas": {"width": WIDTH, "height": HEIGHT}, "layers": [code]}),
        manifest("Timeline", "show", {"loop": True, "tracks": tracks}),
        manifest("Program", "main", {"format": picture, "timeline": "show"}),
        manifest("Output", "archive", {"program": "main", "encoding": encoding, "targets": [target]}),
    ]


def _read(file: Path) -> tuple[list[bytes], bytes]:
    """The pictures and the sound in a file."""
    command = [needs.ffmpeg(), "-v", "error", "-nostdin", "-i", str(file)]
    pictures, sound = (
        subprocess.run([*command, *how, "pipe:1"], capture_output=True, check=True, timeout=300).stdout
        for how in (("-map", "0:v", "-f", "rawvideo", "-pix_fmt", "yuv420p"), ("-map", "0:a", "-f", "s16le"))
    )
    return [pictures[at : at + SIZE] for at in range(0, len(pictures), SIZE)], sound


def _number(picture: bytes) -> int | None:
    """The program frame that the picture says it is."""
    luma = np.frombuffer(picture, np.uint8, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
    code = framecode.read(luma, 0, HEIGHT - SQUARE, SQUARE)
    return None if code is None else framecode.unpack(code)[1]


def _record(tmp_path: Path, seconds: int) -> tuple[Path, int, int]:
    """Be on air; the recording, and the first and the last frame that count."""
    appliance = Appliance(tmp_path)
    _films(appliance.manifests)
    appliance.write(stage.MANIFEST, *_show(tmp_path))
    with appliance:
        stage.wait_publishing(appliance, "archive")
        stage.wait_online(appliance, "wharf", "pier")
        first = stage.wait_frames(appliance, 30, 30)
        last = stage.wait_frames(appliance, round(seconds * RATE), 30)
        status = appliance.playout()
        appliance.stop()
    assert status["repeated_frames"] == 0
    (recording,) = stage.files(tmp_path / "recording")
    return recording, first, last


def _render(tmp_path: Path, first: int, count: int) -> Path:
    """The same frames, offline."""
    epoch = json.loads((tmp_path / "state/playout/main/epoch.json").read_text())["wall_ns"]
    instant = f"{datetime.fromtimestamp(epoch // 10**9, UTC):%Y-%m-%dT%H:%M:%S}.{epoch % 10**9:09}Z"
    out = tmp_path / "offline.mkv"
    arguments = ["render", "show", "-m", str(tmp_path / "manifests"), "--lossless", "--epoch", instant]
    arguments += ["--from", f"{first}f", "--frames", str(count), "-o", str(out)]
    done = Appliance(tmp_path, start=False).cli(*arguments, deadline=600)
    assert done.returncode == 0, done.stderr
    return out


def _compare(tmp_path: Path, seconds: int) -> None:
    recording, first, last = _record(tmp_path, seconds)
    pictures, sound = _read(recording)
    begin = _number(pictures[0])
    assert begin is not None
    pictures.pop()  # it may have been under way when the output ended
    assert [_number(picture) for picture in pictures] == [*range(begin, begin + len(pictures))]
    shown = pictures[first - begin : last - begin]
    offline_pictures, offline_sound = _read(_render(tmp_path, first, last - first))
    assert len(shown) == len(offline_pictures) == last - first
    different = [first + at for at, picture in enumerate(shown) if picture != offline_pictures[at]]
    assert not different, f"{len(different)} of {len(shown)} pictures: {different[:20]}"
    assert len(set(shown)) > 0.9 * len(shown), "and they are not all the same"
    _compare_sound(sound, offline_sound, samples_before(first, RATE) - samples_before(begin, RATE))


def _compare_sound(live: bytes, offline: bytes, expected: int) -> None:
    """Every sample is the same; `expected` is where the offline sound should begin in the live one."""
    found = live.find(offline[: 4 * 4800], max(0, 4 * (expected - 4800)))
    assert found >= 0, "the sound is another"
    assert abs(found // 4 - expected) <= 4800
    same = live[found : found + len(offline)]
    # What was recorded may end a frame before: its last sound was on its way when the output ended.
    assert len(same) >= len(offline) - 4 * 4800
    assert same == offline[: len(same)]
    assert np.abs(np.frombuffer(same, np.int16)).max() > 1000


@pytest.mark.timeout(240)
def test_seconds_on_air_are_what_is_rendered(tmp_path: Path) -> None:
    _compare(tmp_path, SECONDS)


@pytest.mark.soak
def test_a_minute_on_air_is_what_is_rendered(tmp_path: Path) -> None:
    _compare(tmp_path, 60)
