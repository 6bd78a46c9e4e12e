"""What ffprobe says about a file or an address."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peers import needs


@dataclass(frozen=True)
class Media:
    """A probed file. Sizes in pixels, times in seconds; None where there is no such stream."""

    format: str
    duration: float | None
    video: str | None
    width: int | None
    height: int | None
    frame_rate: str | None
    audio: str | None
    sample_rate: int | None
    channels: int | None


def probe(source: Path | str, *, deadline: float = 30.0) -> Media:
    """Probe with Debian's ffprobe, which is another FFmpeg than the product's. Raises AssertionError."""
    command = [needs.program("ffprobe"), "-v", "error", "-of", "json", "-show_streams", "-show_format"]
    done = subprocess.run([*command, str(source)], capture_output=True, timeout=deadline, check=False)
    assert done.returncode == 0, f"ffprobe cannot read {source}: {done.stderr.decode()[-1000:]}"
    said = json.loads(done.stdout)
    none: dict[str, Any] = {}
    video = next((stream for stream in said["streams"] if stream["codec_type"] == "video"), none)
    audio = next((stream for stream in said["streams"] if stream["codec_type"] == "audio"), none)
    duration = said["format"].get("duration")
    return Media(
        format=said["format"]["format_name"],
        duration=None if duration is None else float(duration),
        video=video.get("codec_name"),
        width=video.get("width"),
        height=video.get("height"),
        frame_rate=video.get("r_frame_rate"),
        audio=audio.get("codec_name"),
        sample_rate=int(audio["sample_rate"]) if audio else None,
        channels=audio.get("channels"),
    )


def loudness(source: Path | str, *, deadline: float = 60.0) -> float:
    """Mean volume of the first audio stream in dB of full scale; silence is about -91."""
    command = [needs.ffmpeg(), "-hide_banner", "-nostdin", "-nostats", "-i", str(source), "-map", "0:a:0"]
    done = subprocess.run(
        [*command, "-af", "volumedetect", "-f", "null", "-"],
        capture_output=True,
        timeout=deadline,
        check=False,
    )
    for line in done.stderr.decode(errors="replace").splitlines():
        if "mean_volume:" in line:
            return float(line.partition("mean_volume:")[2].split()[0])
    raise AssertionError(f"no sound in {source}: {done.stderr.decode(errors='replace')[-1000:]}")
