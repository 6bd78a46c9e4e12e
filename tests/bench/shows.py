"""What the benchmark puts on air, with the appliance and by hand, and the material for both."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from peers import needs
from peers.process import Peer
from peers.vistter import Appliance, Object, manifest

WIDTH, HEIGHT, FPS = 1280, 720, 30
BITRATE = "3M"
LOGO = (40, 40)  # top left corner of the logo, in pixels
ENCODING: dict[str, Any] = {
    "video": {"bitrate": BITRATE, "preset": "veryfast", "keyframeInterval": "2s"},
    "audio": {"bitrate": "128k"},
}


def make_clip(folder: Path) -> Path:
    """Ten seconds of 720p30 with motion, grain and sound, as a camera would send it."""
    clip = folder / "clip.mp4"
    command = [needs.ffmpeg(), "-hide_banner", "-loglevel", "error", "-y"]
    command += ["-f", "lavfi", "-i", f"testsrc2=s={WIDTH}x{HEIGHT}:r={FPS}:d=10"]
    command += ["-f", "lavfi", "-i", "sine=440:r=48000:d=10", "-vf", "noise=alls=8:allf=t,format=yuv420p"]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "6M", "-g", "60", "-c:a", "aac"]
    subprocess.run([*command, "-ac", "2", str(clip)], check=True, timeout=120)
    return clip


def make_logo(folder: Path) -> Path:
    """A translucent logo of 240×120."""
    logo = folder / "logo.png"
    image = Image.new("RGBA", (240, 120), (0, 0, 0, 0))
    ImageDraw.Draw(image).rounded_rectangle((4, 4, 236, 116), 30, fill=(42, 111, 219, 200))
    image.save(logo)
    return logo


def output(name: str, folder: Path) -> Object:
    """A recording: the cheapest target there is, so that nothing hides what an output costs."""
    target = {"name": "disk", "recording": {"folder": str(folder / name)}}
    return manifest("Output", name, {"program": "main", "encoding": ENCODING, "targets": [target]})


def program(cues: list[tuple[str, str]]) -> list[Object]:
    """Program, timeline and logo; the cameras and outputs are added to it."""
    video = [{"camera": name, "duration": duration} for name, duration in cues]
    tracks = [{"name": "a", "video": video}, {"name": "b", "overlays": [{"overlay": "logo"}]}]
    picture = {"width": WIDTH, "height": HEIGHT, "frameRate": str(FPS)}
    layer = {"name": "logo", "image": {"file": "logo.png"}, "position": {"x": LOGO[0], "y": LOGO[1]}}
    canvas = {"width": WIDTH, "height": HEIGHT}
    return [
        manifest("Overlay", "logo", {"canvas": canvas, "layers": [layer]}),
        manifest("Timeline", "show", {"loop": True, "tracks": tracks}),
        manifest("Program", "main", {"format": picture, "timeline": "show"}),
    ]


def file_camera(clip: Path) -> Object:
    """The clip as a camera."""
    return manifest("Camera", "wharf", {"source": {"file": {"path": str(clip)}}})


def appliance(folder: Path, objects: list[Object]) -> Appliance:
    """An appliance with these objects, not started yet."""
    folder.mkdir()
    made = Appliance(folder)
    make_logo(made.manifests)
    made.write("show.yaml", *objects)
    return made


def by_hand(folder: Path, clip: Path, threads: int | None = None) -> Peer:
    """The same job as one FFmpeg command: decode, overlay, one encode (of so many threads), two outputs."""
    folder.mkdir()
    logo = make_logo(folder)
    graph = f"[0:v]fps={FPS},format=yuv420p[v];[v][1:v]overlay={LOGO[0]}:{LOGO[1]}:format=yuv420[o]"
    command = [needs.ffmpeg(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y", "-re"]
    command += ["-stream_loop", "-1", "-i", str(clip), "-i", str(logo), "-filter_complex", graph]
    command += ["-map", "[o]", "-map", "0:a", "-c:v", "libx264", "-preset", "veryfast", "-b:v", BITRATE]
    command += [] if threads is None else ["-threads", str(threads)]
    command += ["-maxrate", BITRATE, "-bufsize", "6M", "-g", str(2 * FPS), "-keyint_min", str(2 * FPS)]
    command += ["-sc_threshold", "0", "-c:a", "aac", "-b:a", "128k", "-ar", "48000", "-ac", "2"]
    command += ["-flags", "+global_header", "-f", "tee"]
    command += [f"[f=matroska]{folder / 'one.mkv'}|[f=matroska]{folder / 'two.mkv'}"]
    command += ["-stats_period", "0.1", "-progress", "pipe:1"]
    return Peer(command, log=folder / "ffmpeg.log")


def frames_by_hand(ffmpeg: Peer) -> int:
    """Frames that the command says it has encoded."""
    return max((int(count) for count in re.findall(r"^frame=(\d+)$", ffmpeg.said(), re.MULTILINE)), default=0)
