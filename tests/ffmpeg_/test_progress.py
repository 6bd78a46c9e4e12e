"""Progress comes in blocks of lines, among other lines."""

from __future__ import annotations

import subprocess

from hypothesis import given
from hypothesis import strategies as st

from ffmpeg_.media import clip
from peers import needs
from vistterstream.ffmpeg.processes import LineReader
from vistterstream.ffmpeg.progress import Progress, ProgressReader

BLOCK = """frame=120
fps=30.00
stream_0_0_q=28.0
bitrate=1501.2kbits/s
total_size=750592
out_time_us=4000000
out_time_ms=4000000
out_time=00:00:04.000000
dup_frames=0
drop_frames=0
speed=1.01x
progress=continue""".splitlines()


def feed(lines: list[str]) -> list[Progress | bool]:
    reader = ProgressReader()
    return [reader.feed(line) for line in lines]


def test_a_block_is_given_with_its_last_line() -> None:
    *within, last = feed(BLOCK)
    assert within == [True] * 11
    assert last == Progress(frame=120, total_size=750592, out_time_us=4000000, speed=1.01)


def test_lines_that_are_no_progress_are_told_apart_and_do_no_harm() -> None:
    lines = [*BLOCK[:5], "[error] frame= broken", "[libx264 @ 0x1] [info] profile=High", *BLOCK[5:]]
    found = feed(lines)
    assert found[5:7] == [False, False]
    assert found[-1] == Progress(120, 750592, 4000000, 1.01)


def test_what_is_not_known_yet_is_zero_or_none() -> None:
    lines = ["frame=0", "total_size=N/A", "out_time_us=N/A", "speed=N/A", "progress=continue"]
    assert feed(lines)[-1] == Progress(0, 0, 0, None)


def test_a_block_starts_from_nothing() -> None:
    assert feed([*BLOCK, "frame=130", "progress=end"])[-1] == Progress(130, 0, 0, None)


def test_blanks_before_a_value_are_allowed() -> None:
    assert feed(["frame=  7 ", "speed=   2x", "progress=end"])[-1] == Progress(7, 0, 0, 2.0)


@given(st.lists(st.text(max_size=40)))
def test_no_line_makes_it_fail(lines: list[str]) -> None:
    feed(lines)
    feed([f"frame={line}" for line in lines] + ["progress=end"])
    feed([f"speed={line}" for line in lines] + ["progress=end"])


def test_a_real_ffmpeg_is_understood() -> None:
    command = [needs.ffmpeg(), "-hide_banner", "-nostats", "-nostdin", "-loglevel", "level+info"]
    command += ["-progress", "pipe:2", "-i", str(clip()), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    reader = ProgressReader()
    found = [reader.feed(line) for line in LineReader().feed(done.stderr)]
    blocks = [item for item in found if isinstance(item, Progress)]
    assert blocks[-1].frame == 30
    assert 1_900_000 <= blocks[-1].out_time_us <= 2_100_000
    assert blocks[-1].speed is not None
