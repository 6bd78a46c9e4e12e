"""Numbers in pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playout.pictures import ffmpeg, noise
from vistterstream.playout.framecode import BITS, draw, pack, read, unpack
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.playout.patterns import TestPattern
from vistterstream.resources.camera import Pattern, TestPatternSource
from vistterstream.resources.program import Format

VALUES = st.integers(1, 2**32 - 2)


def scaled(frame: Frame, width: int, height: int) -> Bytes:
    """The luma of the frame, scaled by FFmpeg."""
    size = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{frame.width}x{frame.height}", "-i", "-"]
    filters = ["-vf", f"scale={width}:{height}", "-pix_fmt", "gray", "-f", "rawvideo", "-"]
    out = ffmpeg([*size, *filters], bytes(frame.buffer))
    return np.frombuffer(out, np.uint8)[: width * height].reshape(height, width)


def test_a_value_says_who_speaks_and_counts() -> None:
    assert unpack(pack(7, 1234)) == (7, 1234)
    assert unpack(pack(255, 2**24 + 5)) == (255, 5)
    assert pack(0x12, 0x345678) == 0x12345678


def test_the_most_significant_bit_comes_first_and_white_is_one() -> None:
    frame = noise(320, 64)
    draw(frame.y, frame.u, frame.v, 0, 0, 0xA0000001, 8)
    row = frame.y[3, 4 : BITS * 8 : 8]
    assert row.tolist() == [235, 16, 235] + [16] * 28 + [235]
    assert (frame.u[:4, : BITS * 4] == 128).all()
    assert (frame.v[:4, : BITS * 4] == 128).all()


def test_nothing_beside_the_row_is_touched() -> None:
    frame, before = noise(320, 64), noise(320, 64)
    draw(frame.y, frame.u, frame.v, 10, 6, 12345, 8)
    changed = frame.y != before.y
    assert not changed[:6].any()
    assert not changed[14:].any()
    assert not changed[:, :10].any()
    assert not changed[:, 10 + 256 :].any()
    chroma = frame.uv != before.uv
    assert not chroma[:, :3].any()
    assert not chroma[:, 7:].any()
    assert not chroma[:, :, :5].any()
    assert not chroma[:, :, 5 + 128 :].any()


@given(VALUES, st.sampled_from([2, 4, 8, 16, 64]), st.integers(0, 10), st.integers(0, 10))
def test_what_was_drawn_is_read(value: int, square: int, x: int, y: int) -> None:
    frame = Frame(BITS * square + 40, square + 40)
    frame.fill((90, 128, 128))
    draw(frame.y, frame.u, frame.v, 2 * x, 2 * y, value, square)
    assert read(frame.y, 2 * x, 2 * y, square) == value


@given(VALUES, st.integers(0, 2**32 - 1))
def test_noise_as_of_a_poor_encoder_does_no_harm(value: int, seed: int) -> None:
    frame = noise(600, 32)
    draw(frame.y, frame.u, frame.v, 16, 8, value, 16)
    dirt = np.random.default_rng(seed).normal(0, 50, frame.y.shape)
    frame.y[:] = np.clip(frame.y + dirt, 0, 255).astype(np.uint8)
    assert read(frame.y, 16, 8, 16) == value


@pytest.mark.slow
@pytest.mark.parametrize("pattern", list(Pattern))
def test_codes_survive_x264_at_a_low_bit_rate(pattern: Pattern) -> None:
    """150 kbit/s at 640x360, less than a tenth of what such a picture wants; counters that carry far."""
    format = Format(width=640, height=360)
    camera = TestPattern(TestPatternSource(pattern=pattern, number=9), format)
    counters = range(0xFFF0, 0x10020)
    frames = []
    for counter in counters:
        frame = Frame(640, 360)
        camera.render(counter, frame)
        frames.append(bytes(frame.buffer))
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "640x360", "-r", "30", "-i", "-"]
    x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "150k", "-maxrate", "150k", "-bufsize", "75k"]
    stream = ffmpeg([*raw, *x264, "-f", "mpegts", "-"], b"".join(frames))
    assert len(stream) < len(b"".join(frames)) / 20
    back = ffmpeg(["-f", "mpegts", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-"], stream)
    decoded = np.frombuffer(back, np.uint8).reshape(-1, 360, 640)
    assert [read(luma, 0, 0, 16) for luma in decoded] == [pack(9, counter) for counter in counters]


@pytest.mark.parametrize(("width", "height", "square"), [(640, 360, 8), (1920, 1080, 24), (960, 540, 12)])
def test_codes_survive_scaling(width: int, height: int, square: int) -> None:
    frame = noise(1280, 720)
    draw(frame.y, frame.u, frame.v, 0, 0, 0xDEADBEEF, 16)
    assert read(scaled(frame, width, height), 0, 0, square) == 0xDEADBEEF


def test_a_crossfade_of_two_codes_is_refused_rather_than_misread() -> None:
    one, other = noise(600, 32), noise(600, 32)
    draw(one.y, one.u, one.v, 0, 0, pack(1, 100), 16)
    draw(other.y, other.u, other.v, 0, 0, pack(2, 200), 16)
    mixed = (one.y // 2 + other.y // 2).astype(np.uint8)
    assert read(mixed, 0, 0, 16) is None


@pytest.mark.parametrize("level", [0, 16, 33, 126, 235, 255])
def test_a_plain_picture_is_no_code(level: int) -> None:
    assert read(np.full((720, 1280), level, np.uint8), 0, 0, 16) is None


def test_a_row_that_reaches_out_of_the_picture_is_no_code() -> None:
    luma = np.full((64, 512), 235, np.uint8)
    assert read(luma, 2, 0, 16) is None
    assert read(luma, 0, 60, 16) is None
