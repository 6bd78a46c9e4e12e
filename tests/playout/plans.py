"""Small plans for tests: test patterns, the program's frame number burnt in, files as outputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from peers.frames import Row
from vistterstream.resources.camera import CameraSource, CameraSpec, FileSource, Pattern, TestPatternSource
from vistterstream.resources.output import (
    AudioEncoding,
    Container,
    Encoding,
    Failover,
    HlsTarget,
    Preset,
    RecordingTarget,
    Target,
    VideoEncoding,
)
from vistterstream.resources.overlay import (
    Anchor,
    Canvas,
    FrameCodeLayer,
    Layer,
    OverlaySpec,
    Position,
    RectangleLayer,
)
from vistterstream.resources.program import Fallback, Format
from vistterstream.resources.quantities import BitRate, Color, Duration, FrameRate
from vistterstream.timeline.compile import encoding_id
from vistterstream.timeline.plan import (
    CameraPlan,
    EncodingPlan,
    OutputPlan,
    OverlayCuePlan,
    OverlayInstance,
    Plan,
    TimelinePlan,
    VideoCuePlan,
)

FPS = 15
FORMAT = Format(width=320, height=180, frame_rate=FrameRate(str(FPS)))
SQUARE = 8
CAMERA_ROW = Row(y=0, square=10)  # of a numbered test pattern at this width
PROGRAM_ROW = Row(y=96, square=SQUARE)
ENCODING = Encoding(
    video=VideoEncoding(bitrate=BitRate("600k"), preset=Preset.ULTRAFAST, keyframe_interval=Duration("1s")),
    audio=AudioEncoding(bitrate=BitRate("64k")),
)


def pattern(name: str, number: int, *, tone: int = 0) -> CameraPlan:
    """A numbered test pattern."""
    source = TestPatternSource(pattern=Pattern.MOTION, number=number, tone=tone)
    return CameraPlan(name=name, spec=CameraSpec(source=CameraSource(test_pattern=source)))


def film(name: str, path: Path, *, loop: bool = True) -> CameraPlan:
    """A file."""
    source = CameraSource(file=FileSource(path=str(path), loop=loop))
    return CameraPlan(name=name, spec=CameraSpec(source=source))


def code_overlay(color: str = "#202020") -> OverlayInstance:
    """The program's frame number at PROGRAM_ROW, and a box whose colour makes overlays differ."""
    box = RectangleLayer(width=32, height=32, color=Color(color))
    layers = (
        Layer(
            name="code",
            frame_code=FrameCodeLayer(square=SQUARE),
            position=Position(anchor=Anchor.TOP_LEFT, x=0, y=96),
        ),
        Layer(name="box", rectangle=box, position=Position(anchor=Anchor.BOTTOM_RIGHT)),
    )
    spec = OverlaySpec(canvas=Canvas(width=FORMAT.width, height=FORMAT.height), layers=layers)
    return OverlayInstance(id=f"code-{color}", overlay="code", spec=spec)


def encoding_plan(encoding: Encoding = ENCODING) -> EncodingPlan:
    """The plan of an encoding."""
    return EncodingPlan(id=encoding_id(encoding), encoding=encoding)


def output(name: str, *targets: Target, encoding: Encoding = ENCODING, attempts: int = 3) -> OutputPlan:
    """An output with these targets."""
    return OutputPlan(
        name=name,
        encoding=encoding_id(encoding),
        targets=targets,
        failover=Failover(attempts=attempts, stable_after=Duration("10s")),
    )


def recording(name: str, folder: Path, *, encoding: Encoding = ENCODING) -> OutputPlan:
    """An output that records MPEG-TS, which can be read while it is written."""
    target = RecordingTarget(folder=str(folder), container=Container.TS)
    return output(name, Target(name="file", recording=target), encoding=encoding)


def hls(name: str, folder: Path) -> OutputPlan:
    """An output that makes HLS."""
    target = HlsTarget(folder=str(folder), segment_duration=Duration("1s"))
    return output(name, Target(name="web", hls=target))


def make_plan(
    folder: Path,
    *,
    cues: Sequence[tuple[str, int]] = (("a", 30), ("b", 30)),
    cameras: Sequence[CameraPlan] = (),
    color: str = "#202020",
    outputs: Sequence[OutputPlan] | None = None,
    encodings: Sequence[Encoding] = (ENCODING,),
    format: Format = FORMAT,
    secrets_revision: str = "",
) -> Plan:
    """A program that loops over `cues` (camera, frames) and records into `folder`/recording."""
    overlay = code_overlay(color)
    video, start = [], 0
    for camera, length in cues:
        video.append(VideoCuePlan(start=start, end=start + length, camera=camera))
        start += length
    return Plan(
        namespace="default",
        program="main",
        format=format,
        cameras=(pattern("a", 1, tone=440), pattern("b", 2), *cameras),
        overlays=(overlay,),
        timeline=TimelinePlan(
            name="t",
            length=start,
            loop=True,
            video=tuple(video),
            overlays=(OverlayCuePlan(start=0, end=start, instance=overlay.id),),
        ),
        fallback=Fallback(color=Color("#803020")),
        encodings=tuple(encoding_plan(encoding) for encoding in encodings),
        outputs=(recording("rec", folder / "recording"),) if outputs is None else tuple(outputs),
        secrets_revision=secrets_revision,
    )
