"""Reads the numbers that pictures carry: which camera frame, which program frame, in a recording.

A code is a row of 32 squares, most significant bit first, white is 1: 8 bits say who speaks, 24 count. A
camera speaks with its number, 1 to 254; the program (an overlay's frameCode layer) with 255. All black and
all white are no codes, so that neither a dark nor a bright picture is taken for one.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from peers import needs

BITS = 32
THRESHOLD = 126  # half way between 16 and 235
PROGRAM = 255  # the number with which the program speaks
CONTRAST = 40  # a square nearer than this to the threshold is not one of a code
_SHOWN = re.compile(rb"Parsed_showinfo.*? n: *\d+ pts: *(-?\d+)")
_TIME_BASE = re.compile(rb"Parsed_showinfo.*?config in time_base: (\d+/\d+)")


@dataclass(frozen=True)
class Row:
    """Where a code lies: top left corner and side of a square, in pixels, all even."""

    y: int = 0
    x: int = 0
    square: int = 16

    def filter(self) -> str:
        """Crop the row, then average each square's inner part into one pixel."""
        side = self.square
        return f"crop={BITS * side}:{side // 2}:{self.x}:{self.y + side // 4},scale={BITS * 4}:1:flags=area"

    @property
    def samples(self) -> int:
        """Bytes that `filter` makes of a frame: four a square."""
        return BITS * 4


@dataclass(frozen=True)
class Area:
    """A part of the picture whose mean luma is wanted; in pixels, all even, 16 or more wide and high."""

    x: int
    y: int
    width: int
    height: int

    def filter(self) -> str:
        """Crop it and shrink it to eight by eight."""
        return f"crop={self.width}:{self.height}:{self.x}:{self.y},scale=8:8:flags=area"

    @property
    def samples(self) -> int:
        """Bytes that `filter` makes of a frame."""
        return 64


CAMERA_ROW = Row()
PROGRAM_ROW = Row(y=32)


@dataclass(frozen=True)
class Frame:
    """A frame of a recording. A code is None where the picture carries none (a slate, another picture)."""

    time: Fraction  # presentation time, s
    number: int | None  # the camera's
    counter: int | None  # the camera's frame, modulo 2^24
    program: int | None  # the program's frame, modulo 2^24
    lumas: tuple[float, ...] = ()  # of the areas asked for, 0 to 255


def read(
    source: Path | Sequence[Path] | str,
    *,
    camera: Row | None = CAMERA_ROW,
    program: Row | None = PROGRAM_ROW,
    areas: Sequence[Area] = (),
) -> list[Frame]:
    """Every frame of a recording, in order; several files are read one after another.

    Raises AssertionError where FFmpeg reads nothing at all. A file that is still written, or cut off, is
    read as far as it goes.
    """
    if not isinstance(source, (Path, str)):
        return [frame for file in source for frame in read(file, camera=camera, program=program, areas=areas)]
    rows = [row for row in (camera, program) if row is not None]
    times, samples = _decode(str(source), [*rows, *areas])
    nothing: list[int | None] = [None] * len(times)
    codes = iter([[_code(piece) for piece in column] for column in samples[: len(rows)]])
    cameras = next(codes) if camera is not None else nothing
    programs = next(codes) if program is not None else nothing
    lumas = [
        tuple(sum(piece) / len(piece) for piece in pieces)
        for pieces in zip(*samples[len(rows) :], strict=True)
    ]
    return list(map(_frame, times, cameras, programs, lumas or [()] * len(times)))


def _frame(time: Fraction, camera: int | None, program: int | None, lumas: tuple[float, ...]) -> Frame:
    if camera is not None and camera >> 24 == PROGRAM:
        camera = None
    if program is not None and program >> 24 != PROGRAM:
        program = None
    return Frame(
        time=time,
        number=None if camera is None else camera >> 24,
        counter=None if camera is None else camera & 0xFFFFFF,
        program=None if program is None else program & 0xFFFFFF,
        lumas=lumas,
    )


def _decode(source: str, parts: Sequence[Row | Area]) -> tuple[list[Fraction], list[list[bytes]]]:
    """Presentation times, and for each part what its filter made of each frame."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{index}.gray" for index in range(len(parts))]
        graph = f"[0:v:0]showinfo=checksum=0,split={len(parts)}"
        graph += "".join(f"[c{index}]" for index in range(len(parts)))
        command = [needs.ffmpeg(), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "info", "-copyts"]
        command += ["-threads", "1", "-i", source, "-an"]
        maps: list[str] = []
        for index, (part, file) in enumerate(zip(parts, files, strict=True)):
            graph += f";[c{index}]{part.filter()},format=gray[o{index}]"
            maps += ["-map", f"[o{index}]", "-fps_mode", "passthrough", "-f", "rawvideo", str(file)]
        done = subprocess.run(
            [*command, "-filter_complex", graph, *maps], capture_output=True, timeout=120, check=False
        )
        base = _TIME_BASE.search(done.stderr)
        assert base, f"no picture in {source}: {done.stderr.decode(errors='replace')[-1500:]}"
        unit = Fraction(base.group(1).decode())
        times = [int(ticks) * unit for ticks in _SHOWN.findall(done.stderr)]
        samples = [_pieces(file.read_bytes(), part.samples) for file, part in zip(files, parts, strict=True)]
    shortest = min(len(times), *map(len, samples))
    return times[:shortest], [column[:shortest] for column in samples]


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data) - size + 1, size)]


def _code(line: bytes) -> int | None:
    """The number in one line: four samples a square, of which the inner two count."""
    value = 0
    for bit in range(BITS):
        luma = (line[bit * 4 + 1] + line[bit * 4 + 2]) // 2
        if abs(luma - THRESHOLD) < CONTRAST:
            return None
        value = value << 1 | (luma > THRESHOLD)
    return None if value in (0, (1 << BITS) - 1) else value


def program_numbers(frames: Iterable[Frame]) -> list[int]:
    """The program frame numbers, where shown."""
    return [frame.program for frame in frames if frame.program is not None]


def assert_each_once(numbers: Sequence[int]) -> None:
    """Require n, n + 1, n + 2, …: none missing, none twice; the message names the first ten breaks."""
    assert numbers, "no frame carries a number"
    breaks = [
        f"{later} after {earlier} (at {index})"
        for index, (earlier, later) in enumerate(pairwise(numbers))
        if later != earlier + 1
    ]
    assert not breaks, f"{len(breaks)} breaks in {len(numbers)} frames: {'; '.join(breaks[:10])}"


def assert_rising(frames: Sequence[Frame]) -> None:
    """Require presentation times that rise from each frame to the next."""
    for earlier, later in pairwise(frames):
        assert later.time > earlier.time, f"time went from {earlier} to {later}"
