"""The compositor against FFmpeg's filters: the same crossfade, overlays and ticker, one graph, one thread.

Required: at most 1.0 × its processor time a frame; 0.7 × is the ambition. Both make the same frames (three
are compared, overlay by overlay), in turns, and the median of the turns' ratios counts. FFmpeg blends with
``blend`` at a fixed opacity, the fastest that it has (``xfade`` takes eight times as long); its sources are
kept in memory (``loop``), nothing is encoded, and what it takes to start is left out. It puts what slides on
whole pixels, where the compositor interpolates. ``python -m bench.bench_filters [--quick]``.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from math import pi
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from bench import lively
from bench.figures import Figure, main
from peers import needs
from vistterstream.playout.compositor import Scene, compose, prepare
from vistterstream.playout.frames import Bytes, Frame, to_yuv
from vistterstream.playout.geometry import View
from vistterstream.playout.pieces import Bounds
from vistterstream.playout.ticker import Strip, strip
from vistterstream.resources.program import Fallback

REQUIRED = 1.0
FRAMES, START_UP = 600, 60
TURNS = 5
FPS = 60
MIX = 0.4
COMPARED = (0, 13, 47)  # frames
TICKER_ALIKE = 6.0  # the same of its letters, which FFmpeg puts on whole pixels: up to half a pixel away
ALIKE = 1.5  # code values that any part of them may differ on the mean: one is rounded otherwise
_WALL = datetime(2026, 1, 1, tzinfo=UTC)


class _Ours:
    """The compositor with the lively picture."""

    def __init__(self, pictures: list[Frame]) -> None:
        self._pictures = pictures
        self._overlays = lively.overlays()
        self._scene: Scene = prepare(
            lively.format_of(lively.WIDTH, lively.HEIGHT), self._overlays, Fallback(), wall=_WALL
        )
        self.out = Frame(lively.WIDTH, lively.HEIGHT)

    def make(self, frames: int) -> float:
        """Seconds of processor time for a frame of so many, from the first on."""
        began = time.thread_time()
        for number in range(frames):
            shown = [(overlay.id, number + lively.START) for overlay in self._overlays]
            base, incoming = self._pictures[number % 6], self._pictures[(number + 3) % 6]
            compose(self._scene, self.out, base, incoming, MIX, shown, number, _WALL)
        return (time.thread_time() - began) / frames


class _Theirs:
    """FFmpeg with the same, from files in a folder."""

    def __init__(self, folder: Path, pictures: list[Frame]) -> None:
        self._folder = folder
        drawn = _strip()
        self._inked = [(folder / "box.yuva", _box()), (folder / "ticker.yuva", _even(drawn.rgba))]
        for path, rgba in self._inked:
            _write(path, rgba)
        with (folder / "base.yuv").open("wb") as file:
            file.writelines(frame.buffer for frame in pictures)
        with (folder / "incoming.yuv").open("wb") as file:
            file.writelines(frame.buffer for frame in [*pictures[3:], *pictures[:3]])
        self._graph = ";".join(_graph(drawn))

    def frame(self, number: int) -> Bytes:
        """One of its frames, as flat yuv420p."""
        raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
        done = subprocess.run(self._command(number + 1, raw), check=True, capture_output=True)
        size = lively.WIDTH * lively.HEIGHT * 3 // 2
        return np.frombuffer(done.stdout, np.uint8)[number * size :][:size]

    def make(self, frames: int) -> float:
        """Seconds of processor time for a frame, that of the start left out."""
        little, much = (self._spent(count) for count in (START_UP, START_UP + frames))
        return (much - little) / frames

    def _spent(self, frames: int) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = self._command(frames, ["-c:v", "wrapped_avframe", "-f", "null", "-"])
        subprocess.run(command, check=True, timeout=600, stdin=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def _command(self, frames: int, output: list[str]) -> list[str]:
        command = [needs.ffmpeg(), "-hide_banner", "-nostdin", "-loglevel", "error"]
        command += ["-filter_complex_threads", "1", "-filter_threads", "1"]
        for name in ("base.yuv", "incoming.yuv"):
            command += _raw(self._folder / name, "yuv420p", lively.WIDTH, lively.HEIGHT)
        for path, rgba in self._inked:
            command += _raw(path, "yuva420p", rgba.shape[1], rgba.shape[0])
        command += ["-filter_complex", self._graph, "-map", "[out]", "-frames:v", str(frames)]
        return [*command, "-fps_mode", "passthrough", *output]


def _strip() -> Strip:
    layer = lively.spec_of_ticker().layers[0]
    assert layer.ticker is not None
    view = View(lively.WIDTH, lively.HEIGHT, lively.spec_of_ticker().canvas)
    drawn = strip(layer.ticker, layer.position, view, Bounds(view.whole), _refuse)
    assert drawn is not None
    return drawn


def _refuse(sentence: str) -> None:
    raise SystemExit(sentence)


def _box() -> Bytes:
    """A box, (height, width, 4)."""
    width, height = lively.BOX
    color = bytes.fromhex(lively.COLOR[1:])
    image = Image.new("RGBA", lively.BOX, (*color[:3], 0))
    ImageDraw.Draw(image).rounded_rectangle((0, 0, width - 1, height - 1), lively.RADIUS, fill=tuple(color))
    return np.asarray(image)


def _even(rgba: Bytes) -> Bytes:
    """The picture with even sides, as 4:2:0 needs them."""
    return np.pad(rgba, ((0, rgba.shape[0] % 2), (0, rgba.shape[1] % 2), (0, 0)))


def _write(path: Path, rgba: Bytes) -> None:
    """A picture of one colour as yuva420p, its alpha not multiplied in."""
    height, width = rgba.shape[:2]
    y, u, v = to_yuv(rgba[rgba[..., 3].argmax() // width, rgba[..., 3].argmax() % width, :3].tolist())
    planes = [np.full(width * height, y), np.full(width * height // 4, u), np.full(width * height // 4, v)]
    path.write_bytes(b"".join(plane.astype(np.uint8).tobytes() for plane in [*planes, rgba[..., 3]]))


def _raw(path: Path, pixels: str, width: int, height: int) -> list[str]:
    """The options of an input of raw pictures."""
    form = ["-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{width}x{height}", "-r", str(FPS)]
    return [*form, "-i", str(path)]


def _graph(drawn: Strip) -> list[str]:
    """The filter graph; t is the age of the overlays in seconds."""
    clock = f"setpts=(N+{lively.START})/{FPS}/TB"
    graph = [
        f"[0:v]loop=-1:{lively.PICTURES},{clock}[base]",
        f"[1:v]loop=-1:{lively.PICTURES},{clock}[incoming]",
        f"[base][incoming]blend=all_mode=normal:all_opacity={1 - MIX}[on0]",
        f"[2:v]loop=-1:1,{clock},split={len(lively.BOXES)}"
        + "".join(f"[box{number}]" for number in range(len(lively.BOXES))),
        f"[3:v]loop=-1:1,{clock}[ticker]",
    ]
    for number, box in enumerate(lively.BOXES):
        graph.append(f"[box{number}]{_changes(box)}[shown{number}]")
        graph.append(f"[on{number}][shown{number}]overlay={_place(box)}:format=yuv420[on{number + 1}]")
    gone = f"t*{lively.SPEED}-{drawn.band.width}"
    across = f"if(lt({gone},0),-({gone}),-mod({gone},{drawn.period}))"
    graph.append(f"[on{len(lively.BOXES)}][ticker]overlay=x='{across}':y={drawn.seen.y}:format=yuv420[out]")
    return graph


def _swing(seconds: int) -> str:
    """The share of its way that something has gone and come back: pingPong of easeInOutSine."""
    return f"(1-cos({pi / seconds}*t))/2"


def _changes(box: lively.Box) -> str:
    filters = []
    if box.grows:
        larger = f"(1+{lively.LARGEST - 1}*{_swing(lively.GROW_TIME)})"
        width, height = lively.BOX
        size = f"w='2*trunc({width / 2}*{larger})':h='2*trunc({height / 2}*{larger})'"
        filters.append(f"scale={size}:eval=frame:flags=bilinear")
    if box.fades:
        filters.append(f"fade=t=out:alpha=1:st={lively.START / FPS}:d={1.3 * FRAMES / FPS}")
    return ",".join(filters) or "null"


def _place(box: lively.Box) -> str:
    across = f"{box.x}+{lively.AWAY}*{_swing(lively.AWAY_TIME)}" if box.slides else str(box.x)
    return f"x='{across}':y={box.y}"


def _compare(ours: _Ours, theirs: _Theirs) -> float:
    """How far the most different part of the compared frames is from FFmpeg's, in code values on the mean.

    Each overlay's rectangle, and the ticker's band, is compared by itself. Raises SystemExit.
    """
    farthest = 0.0
    for number in COMPARED:
        ours.make(number + 1)
        size = lively.WIDTH * lively.HEIGHT
        mine = ours.out.data.reshape(-1)[:size].reshape(lively.HEIGHT, -1).astype(int)
        other = theirs.frame(number)[:size].reshape(lively.HEIGHT, -1)
        for name, part, most in _rectangles():
            apart = float(np.abs(mine[part] - other[part]).mean())
            farthest = max(farthest, apart)
            if apart > most:
                raise SystemExit(
                    f"FFmpeg's graph shows another {name} in frame {number}: {apart:.2f} code values apart"
                )
    return farthest


def _rectangles() -> list[tuple[str, tuple[slice, slice], float]]:
    """All of the picture, each box where it sets out, and the band of the ticker; and how alike each is."""
    width, height = lively.BOX
    boxes = [
        (
            f"box {number}",
            (slice(box.y, box.y + height), slice(box.x, box.x + width)),
            ALIKE,
        )
        for number, box in enumerate(lively.BOXES)
    ]
    band = _strip().seen
    ticker = (
        "ticker",
        (slice(band.y, band.y + band.height), slice(band.x, band.x + band.width)),
        TICKER_ALIKE,
    )
    return [("picture", (slice(None), slice(None)), ALIKE), *boxes, ticker]


def measure(*, quick: bool = False) -> list[Figure]:
    """The figure."""
    pictures = lively.pictures(lively.WIDTH, lively.HEIGHT)
    with tempfile.TemporaryDirectory(prefix="vistter-bench-") as name:
        ours, theirs = _Ours(pictures), _Theirs(Path(name), pictures)
        apart = _compare(ours, theirs)
        turns = [(ours.make(FRAMES), theirs.make(FRAMES)) for _ in range(1 if quick else TURNS)]
    mine, other = (statistics.median(turn) * 1000 for turn in zip(*turns, strict=True))
    return [
        Figure(
            "that against FFmpeg's filters on one thread", statistics.median(a / b for a, b in turns), "×",
            REQUIRED, "lower", f"{mine:.2f} against {other:.2f} ms a frame; frames at most {apart:.2f} apart",
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    main(measure)
