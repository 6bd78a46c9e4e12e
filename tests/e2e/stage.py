"""What the end-to-end tests put on air: small numbered pictures, manifests as data, reading them back.

The program's picture is 640×360. A camera's number and frame counter stand in its first 16 rows, the
program's frame number, drawn by the overlay ``code``, in the rows from 32 on; all that a test measures lies
below row 64.
"""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from peers import needs
from peers.frames import Frame
from peers.rtmp import Platform
from peers.vistter import Appliance, Object, manifest

WIDTH, HEIGHT, FPS = 640, 360, 15
MANIFEST = "show.yaml"
ENCODING: dict[str, Any] = {
    "video": {"bitrate": "700k", "preset": "ultrafast", "keyframeInterval": "1s"},
    "audio": {"bitrate": "96k"},
}
NOISY: dict[str, Any] = {
    "video": {"bitrate": "3M", "preset": "ultrafast", "keyframeInterval": "1s"},
    "audio": {"bitrate": "96k"},
}


def program(*, timeline: str = "show", fps: int = FPS, **spec: Any) -> Object:
    """The Program ``main``."""
    picture = {"width": WIDTH, "height": HEIGHT, "frameRate": str(fps)}
    return manifest("Program", "main", {"format": picture, "timeline": timeline, **spec})


def camera(name: str, url: str, **spec: Any) -> Object:
    """A Camera at an address."""
    source = {"url": url, **spec.pop("source", {})}
    return manifest("Camera", name, {"source": source, "stallAfter": "1s", **spec})


def pattern(name: str, number: int, **source: Any) -> Object:
    """A Camera that needs no process: a plain moving test pattern with its number in it."""
    return manifest("Camera", name, {"source": {"testPattern": {"number": number, **source}}})


def code_overlay() -> Object:
    """The Overlay that writes the program's frame number into the picture."""
    layer = {"name": "number", "frameCode": {"square": 16}, "position": {"x": 0, "y": 32}}
    return manifest("Overlay", "code", {"canvas": {"width": WIDTH, "height": HEIGHT}, "layers": [layer]})


def timeline(
    cues: Sequence[tuple[str, str]],
    *,
    overlays: Sequence[dict[str, Any]] = (),
    loop: bool = True,
    **spec: Any,
) -> Object:
    """The Timeline ``show``: (camera, duration) one after the other, the code on top of everything."""
    tracks: list[dict[str, Any]] = []
    if cues:
        video = [{"camera": name, "duration": duration} for name, duration in cues]
        tracks.append({"name": "pictures", "video": video})
    tracks += [{"name": f"graphics-{index}", "overlays": [cue]} for index, cue in enumerate(overlays)]
    tracks.append({"name": "code", "overlays": [{"overlay": "code"}]})
    return manifest("Timeline", "show", {"loop": loop, "tracks": tracks, **spec})


def rtmp(name: str, platform: Platform, key: str | None = None, **spec: Any) -> Object:
    """An Output to an RTMP platform; the key is in the address, as the tests' own platforms allow."""
    target = {"name": "primary", "url": platform.url(key=key or name)}
    return manifest("Output", name, {"program": "main", "encoding": ENCODING, "targets": [target], **spec})


def noisy_clip(folder: Path) -> Path:
    """A film that needs the whole bit rate of NOISY: the buffers to a platform that hangs fill soon."""
    clip = folder / "noise.mp4"
    command = [needs.ffmpeg(), "-hide_banner", "-loglevel", "error", "-f", "lavfi"]
    command += ["-i", f"testsrc2=s={WIDTH}x{HEIGHT}:r={FPS}:d=4"]
    command += ["-vf", "noise=alls=60:allf=t,format=yuv420p", "-c:v", "libx264", "-preset", "ultrafast"]
    subprocess.run([*command, "-b:v", "6M", str(clip)], check=True, capture_output=True, timeout=60)
    return clip


def film(name: str, path: Path) -> Object:
    """A Camera that plays a file."""
    return manifest("Camera", name, {"source": {"file": {"path": str(path)}}})


def noisy_rtmp(name: str, url: str) -> Object:
    """An Output to an RTMP address at the bit rate of `noisy_clip`."""
    targets = [{"name": "primary", "url": url}]
    return manifest("Output", name, {"program": "main", "encoding": NOISY, "targets": targets})


def recording(name: str, folder: Path, container: str = "mkv", **spec: Any) -> Object:
    """An Output that records into files."""
    target = {"name": "disk", "recording": {"folder": str(folder), "container": container}}
    return manifest("Output", name, {"program": "main", "encoding": ENCODING, "targets": [target], **spec})


def find(objects: Sequence[Object], kind: str, name: str) -> Object:
    """The object of that kind and name."""
    return next(item for item in objects if item["kind"] == kind and item["metadata"]["name"] == name)


def wait_publishing(appliance: Appliance, *outputs: str, deadline: float = 30.0) -> None:
    """Return when all these outputs deliver."""
    for output in outputs:
        appliance.wait_condition("Output", output, "Publishing", deadline=deadline)


def wait_online(appliance: Appliance, *cameras: str, deadline: float = 30.0) -> None:
    """Return when all these cameras are online."""
    for name in cameras:
        appliance.wait_condition("Camera", name, "Online", deadline=deadline)


def wait_frames(appliance: Appliance, count: int, fps: int = FPS) -> int:
    """Return when the program is `count` frames further; the frame number it then has."""
    target = int(appliance.playout()["frame"]) + count
    appliance.wait(
        lambda: int(appliance.playout()["frame"]) >= target, count / fps + 10, f"program frame {target}"
    )
    return target


def since(frames: Sequence[Frame], program_frame: int) -> list[Frame]:
    """The frames from that program frame on; those without a number are kept, to be found out."""
    for index, frame in enumerate(frames):
        if frame.program is not None and frame.program >= program_frame:
            return list(frames[index:])
    raise AssertionError(f"program frame {program_frame} is not in the recording")


def sequence(frames: Sequence[Frame]) -> list[int | None]:
    """The numbers of the cameras shown, one after the other; None for a picture without one (the slate)."""
    return [number for number, _run in groupby(frame.number for frame in frames)]


def files(folder: Path) -> list[Path]:
    """The recordings in a folder, the oldest first."""
    return sorted(path for path in folder.iterdir() if path.is_file())


def fetch(url: str) -> tuple[int, str]:
    """Status and body of an answer over HTTP; status 0 where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # our own appliance
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode("utf-8", "replace")
    except OSError:
        return 0, ""
