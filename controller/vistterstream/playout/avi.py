"""Reads the AVI stream of an ingest: raw pictures and sound, as they come.

Only what FFmpeg writes into a pipe needs to be understood (checked with FFmpeg 7 and 9): a header list, then
one ``movi`` list without end whose chunks are pictures (``00dc``), sound (``01wb``) or padding. The format is
RIFF as in Microsoft's AVI RIFF File Reference; an empty picture chunk stands for one that is missing.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

_HEADER = struct.Struct("<4sI")
_LISTS = (b"RIFF", b"LIST")
_MAX_AUDIO = 1 << 20


class AviError(Exception):
    """The stream is not what FFmpeg writes."""


@dataclass(frozen=True)
class Chunk:
    """One chunk: `kind` "video" or "audio"; sound in `data`, a picture in the buffer it was read into."""

    kind: str
    data: bytes = b""


class AviReader:
    """Pulls chunks from `readinto`, a raw, blocking read that gives 0 at the end.

    `missing` counts the pictures that FFmpeg left out for a gap in the timestamps.
    """

    def __init__(self, readinto: Callable[[memoryview], int | None], picture_size: int) -> None:
        self._readinto = readinto
        self._picture_size = picture_size
        self._scratch = memoryview(bytearray(1 << 16))
        self.missing = 0

    def next_chunk(self, picture: memoryview) -> Chunk | None:
        """The next chunk; a picture goes into `picture`. None at the end of the stream; raises AviError."""
        while True:
            header = self._read_exactly(_HEADER.size)
            if header is None:
                return None
            tag, size = _HEADER.unpack(header)
            if tag in _LISTS:
                self._enter_list(size)
            elif tag == b"00dc" and size == self._picture_size:
                return Chunk("video") if self._fill(picture[:size]) else None
            elif tag == b"01wb" and size <= _MAX_AUDIO:
                data = self._read_exactly(size + (size & 1))
                return None if data is None else Chunk("audio", data[:size])
            elif tag == b"00dc" and not size:
                self.missing += 1
            elif tag in (b"JUNK", b"idx1", b"00dc", b"01wb") and size <= _MAX_AUDIO:
                self._skip(size + (size & 1))
            else:
                raise AviError(f"unexpected chunk {tag!r} of {size} bytes")

    def _enter_list(self, size: int) -> None:
        kind = self._read_exactly(4)
        if kind not in (b"AVI ", b"movi", b"AVIX"):
            self._skip(size - 4)

    def _skip(self, size: int) -> None:
        while size > 0:
            piece = self._scratch[: min(size, len(self._scratch))]
            if not self._fill(piece):
                return
            size -= len(piece)

    def _read_exactly(self, size: int) -> bytes | None:
        if size <= len(self._scratch):
            piece = self._scratch[:size]
            return bytes(piece) if self._fill(piece) else None
        data = bytearray(size)
        return bytes(data) if self._fill(memoryview(data)) else None

    def _fill(self, view: memoryview) -> bool:
        filled = 0
        while filled < len(view):
            count = self._readinto(view[filled:])
            if not count:
                return False
            filled += count
        return True
