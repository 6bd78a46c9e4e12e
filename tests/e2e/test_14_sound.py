"""Music under the pictures, on the real way: heard, ducked, edited, mended, and never in the way."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from e2e import stage
from peers import frames, hearing
from peers.vistter import Appliance, Object
from playout.sounds import sine, write

pytestmark = pytest.mark.e2e

MUSIC, JINGLE = 1000, 3000  # Hz
LOUD = 0.25 * 32767  # amplitude of the files


def test_music_is_heard_ducked_edited_and_mended_while_no_frame_is_lost(tmp_path: Path) -> None:
    appliance = Appliance(tmp_path)
    write(appliance.manifests / "music.wav", sine(MUSIC, 0.25, 40))
    appliance.write(
        stage.MANIFEST,
        stage.pattern("quiet", 141),
        stage.pattern("talker", 142, tone=400),
        stage.code_overlay(),
        _show(),
        stage.program(),
        stage.recording("tape", tmp_path / "tape"),
    )
    with appliance:
        stage.wait_publishing(appliance, "tape")
        told = appliance.wait_condition("Timeline", "show", "Ready", "False")
        assert told["reason"] == "SoundUnplayable"
        assert "jingle.wav cannot be heard: The file or folder does not exist." in told["message"]
        stage.wait_frames(appliance, 9 * stage.FPS)
        softer = _applied(appliance)
        stage.wait_frames(appliance, 5 * stage.FPS)
        sound = appliance.playout()["sound"]
        assert sound["state"] == appliance.status("Program", "main")["sound"] == "Normal"
        assert -50 < sound["momentary"] < -10
        _kill_decoders(appliance)
        write(appliance.folder / "jingle.new", sine(JINGLE, 0.25, 40)).rename(
            appliance.manifests / "jingle.wav"
        )
        appliance.wait_condition("Timeline", "show", "Ready")
        mended = stage.wait_frames(appliance, 9 * stage.FPS)
        appliance.stop()
    (file,) = stage.files(tmp_path / "tape")
    shown = frames.read(file)
    frames.assert_each_once(frames.program_numbers(shown))
    levels = _levels(file, shown)
    _check_ducking(levels, softer)
    _check_edit(levels, file, shown, softer)
    assert max(jingle for frame, (_, jingle) in levels.items() if frame < softer) < 50
    assert min(jingle for frame, (_, jingle) in levels.items() if mended - 30 < frame <= mended) > 0.9 * LOUD


def _show() -> Object:
    """Four seconds of silence, four of somebody who speaks, and under them two files, one of them missing."""
    show = stage.timeline([("quiet", "4s"), ("talker", "4s")])
    duck = {"amount": "-20dB", "attack": "200ms", "hold": "200ms", "release": "400ms"}
    music = {"file": "music.wav", "loop": True, "gain": "0dB", "duck": duck}
    show["spec"]["tracks"].append(
        {"name": "music", "audio": [music, {"file": "jingle.wav", "loop": True}]},
    )
    return show


def _applied(appliance: Appliance) -> int:
    """Turn the music down by 6 dB; the program's frame by which that is done."""
    revision = appliance.playout()["revision"]

    def change(objects: list[Object]) -> None:
        tracks: list[dict[str, Any]] = stage.find(objects, "Timeline", "show")["spec"]["tracks"]
        tracks[-1]["audio"][0]["gain"] = "-6dB"

    appliance.edit(stage.MANIFEST, change)
    appliance.wait(lambda: appliance.playout()["revision"] != revision, 10, "the edit is applied")
    return int(appliance.playout()["frame"])


def _kill_decoders(appliance: Appliance) -> None:
    """End the process that decodes the music; four seconds of it are decoded beforehand."""
    found = [pid for pid, command in appliance.processes().items() if f"file:{_music(appliance)}" in command]
    assert found
    for pid in found:
        os.kill(pid, signal.SIGKILL)


def _music(appliance: Appliance) -> Path:
    return appliance.manifests / "music.wav"


def _levels(file: Path, shown: list[frames.Frame]) -> dict[int, tuple[float, float]]:
    """For each program frame the amplitudes of music and jingle in the middle of it."""
    times, samples = hearing.sound(file)
    tones = [hearing.amplitude(samples, frequency) for frequency in (MUSIC, JINGLE)]
    found = {}
    for frame in shown:
        place = int(np.searchsorted(times, float(frame.time) + 0.5 / stage.FPS))
        if frame.program is not None and place < len(tones[0]):
            found[frame.program] = (float(tones[0][place]), float(tones[1][place]))
    return found


def _check_ducking(levels: dict[int, tuple[float, float]], until: int) -> None:
    """Down to a tenth while somebody speaks, else as loud as the file."""
    quiet, speaking = [], []
    for frame, (music, _) in levels.items():
        position = frame % (8 * stage.FPS)
        if min(levels) + 2 * stage.FPS < frame < until - 2 * stage.FPS:
            if 15 <= position < 60:  # up again a second after the last loud frame
                quiet.append(music)
            elif position >= 65:
                speaking.append(music)
    assert quiet
    assert speaking
    assert quiet == pytest.approx([LOUD] * len(quiet), rel=0.05)
    assert speaking == pytest.approx([LOUD / 10] * len(speaking), rel=0.2)


def _check_edit(
    levels: dict[int, tuple[float, float]], file: Path, shown: list[frames.Frame], softer: int
) -> None:
    """From the edit on half as loud, without a click; also while its process is killed and comes back."""
    after = [
        music
        for frame, (music, _) in levels.items()
        if frame > softer + 1 and 15 <= frame % (8 * stage.FPS) < 60
    ]
    assert len(after) > stage.FPS
    assert after == pytest.approx([LOUD * 10 ** (-6 / 20)] * len(after), rel=0.05)
    times, samples = hearing.sound(file)
    edited = next(float(frame.time) for frame in shown if frame.program == softer)
    near = samples[(times > edited - 1) & (times < edited + 0.3)]
    fastest = 2 * np.pi / hearing.RATE * (LOUD * MUSIC + 3277 * 400)
    assert np.abs(np.diff(near)).max() < 1.2 * fastest
