"""The reader of an ingest's AVI stream: against what FFmpeg writes, and against what it never would."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffmpeg_.media import clip, silent_clip
from vistterstream.ffmpeg import commands
from vistterstream.playout.avi import AviError, AviReader, Chunk
from vistterstream.playout.sound import BYTES_PER_SAMPLE, samples_before
from vistterstream.resources.camera import CameraSource, FileSource
from vistterstream.resources.program import Format
from vistterstream.resources.quantities import FrameRate

PICTURE = 64
Read = Callable[[memoryview], int]


def from_bytes(data: bytes, sizes: list[int] | None = None) -> Read:
    """A raw read that gives at most so many bytes each time, as a pipe does."""
    position, turn = 0, 0

    def readinto(view: memoryview) -> int:
        nonlocal position, turn
        most = sizes[turn % len(sizes)] if sizes else len(view)
        turn += 1
        piece = data[position : position + min(most, len(view))]
        view[: len(piece)] = piece
        position += len(piece)
        return len(piece)

    return readinto


def chunk(tag: bytes, data: bytes) -> bytes:
    return tag + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def header(*more: bytes) -> bytes:
    lists = b"LIST" + struct.pack("<I", 4 + 12) + b"hdrl" + chunk(b"avih", b"1234") + b"".join(more)
    return b"RIFF\xff\xff\xff\xffAVI " + lists + chunk(b"JUNK", bytes(1001)) + b"LIST\xff\xff\xff\xffmovi"


def read_all(read: Read, size: int = PICTURE) -> list[tuple[Chunk, bytes]]:
    reader, found = AviReader(read, size), []
    buffer = memoryview(bytearray(size))
    while (got := reader.next_chunk(buffer)) is not None:
        found.append((got, bytes(buffer) if got.kind == "video" else got.data))
    return found


CHUNKS = st.lists(
    st.one_of(
        st.tuples(st.just(b"00dc"), st.binary(min_size=PICTURE, max_size=PICTURE)),
        st.tuples(st.just(b"00dc"), st.just(b"")),
        st.tuples(st.just(b"01wb"), st.binary(max_size=300)),
        st.tuples(st.sampled_from([b"JUNK", b"idx1"]), st.binary(max_size=100)),
    ),
    max_size=12,
)


@settings(max_examples=30)
@given(CHUNKS, st.lists(st.integers(1, 200), min_size=1, max_size=5))
def test_any_split_of_the_stream_gives_the_same_chunks(
    chunks: list[tuple[bytes, bytes]], sizes: list[int]
) -> None:
    stream = header() + b"".join(chunk(tag, data) for tag, data in chunks)
    expected = [(tag, data) for tag, data in chunks if tag == b"01wb" or (tag == b"00dc" and data)]
    found = read_all(from_bytes(stream, sizes))
    assert [(b"00dc" if got.kind == "video" else b"01wb", data) for got, data in found] == expected


@settings(max_examples=30)
@given(CHUNKS, st.integers(0, 2000))
def test_a_stream_that_is_cut_off_anywhere_just_ends(chunks: list[tuple[bytes, bytes]], at: int) -> None:
    stream = header() + b"".join(chunk(tag, data) for tag, data in chunks)
    whole = read_all(from_bytes(stream))
    assert read_all(from_bytes(stream[:at])) == whole[: len(read_all(from_bytes(stream[:at])))]


@pytest.mark.parametrize(
    "bad",
    [
        chunk(b"02wb", b"x"),
        b"01wb" + struct.pack("<I", 1 << 30),
        b"00dc" + struct.pack("<I", 1 << 31),
        bytes(100),
    ],
)
def test_what_ffmpeg_never_writes_is_an_error(bad: bytes) -> None:
    with pytest.raises(AviError, match="unexpected chunk"):
        read_all(from_bytes(header() + chunk(b"01wb", b"good") + bad))


def test_a_picture_of_another_size_is_left_out() -> None:
    stream = header() + chunk(b"00dc", bytes(PICTURE - 1)) + chunk(b"00dc", b"\1" * PICTURE)
    assert [data for _, data in read_all(from_bytes(stream))] == [b"\1" * PICTURE]


def test_an_empty_picture_means_as_before_and_is_left_out() -> None:
    stream = header() + chunk(b"00dc", bytes(PICTURE)) + chunk(b"00dc", b"") + chunk(b"00dc", b"\1" * PICTURE)
    assert [data[:1] for _, data in read_all(from_bytes(stream))] == [b"\0", b"\1"]


def ffmpeg_avi(file: str, rate: str) -> tuple[Read, bytes]:
    format = Format(width=128, height=72, frame_rate=FrameRate(rate))
    argv = commands.ingest(CameraSource(file=FileSource(path=file, loop=False)), format)
    done = subprocess.run(argv, capture_output=True, timeout=30, check=True)
    return from_bytes(done.stdout, [65536, 1, 7]), done.stdout


@pytest.mark.parametrize("rate", ["15", "30", "30000/1001"])
def test_ffmpeg_s_stream_is_read_with_sound_ahead_of_the_pictures_it_belongs_to(rate: str) -> None:
    read, _ = ffmpeg_avi(str(clip()), rate)
    pictures, samples = 0, 0
    for got, data in read_all(read, 128 * 72 * 3 // 2):
        if got.kind == "audio":
            samples += len(data) // BYTES_PER_SAMPLE
            continue
        # The jitter buffer keeps one picture back and relies on this.
        if pictures < 2 * Fraction(rate) - 1:
            assert samples >= samples_before(pictures, Fraction(rate))
        pictures += 1
    assert pictures == round(2 * Fraction(rate))
    assert abs(samples - 96_000) < 3000


def test_ffmpeg_s_stream_without_sound_is_read() -> None:
    read, _ = ffmpeg_avi(str(silent_clip()), "30")
    assert [got.kind for got, _ in read_all(read, 128 * 72 * 3 // 2)] == ["video"] * 60
