"""A number that a picture carries, for machines: a row of 32 black and white squares.

Most significant bit first, white is 1. The upper 8 bits say who speaks, the lower 24 count. Squares of 8
pixels and more survive encoding at low bit rates and moderate scaling, so that a recording tells exactly
which frames of which source it shows.
"""

from __future__ import annotations

import functools

import numpy as np

from vistterstream.playout.frames import HALF, Bytes, Planes
from vistterstream.playout.sprites import Sprite

BITS = 32
SMALLEST = 8
"""Pixels a side of the smallest squares that are drawn."""
PROGRAM = 255
"""The number with which an overlay's frameCode layer speaks; its counter is the program's frame number."""

_COUNTER = 1 << 24
_BLACK, _WHITE = 16, 235
_UNCLEAR = (96.0, 156.0)  # of 16 to 235: what lies between is neither black nor white
_ALL_WHITE = (1 << BITS) - 1
_SHIFTS = np.arange(BITS - 1, -1, -1, dtype=np.uint32)


def pack(number: int, counter: int) -> int:
    """The value that says source `number` (0 to 255), frame `counter` (modulo 2^24)."""
    return (number & 0xFF) << 24 | counter % _COUNTER


def unpack(value: int) -> tuple[int, int]:
    """The number and the counter of a value."""
    return value >> 24, value % _COUNTER


def draw(y: Bytes, u: Bytes, v: Bytes, left: int, top: int, value: int, square: int) -> None:
    """Draw `value` in place, its first square at (left, top); squares have `square` pixels a side.

    The planes are those of a Frame; left, top and square are even, and the row lies within the picture.
    """
    row = _bits(value) * np.uint8(_WHITE - _BLACK) + np.uint8(_BLACK)
    y[top : top + square, left : left + BITS * square] = np.repeat(row, square)
    half_left, half_top, half = left // 2, top // 2, square // 2
    for plane in (u, v):
        plane[half_top : half_top + half, half_left : half_left + BITS * half] = 128


def sprite(left: int, top: int, value: int, square: int) -> Sprite:
    """`value` as a solid sprite; arguments as of `draw`."""
    row = _bits(value) * np.uint8(_WHITE - _BLACK) + np.uint8(_BLACK)
    light = np.repeat(row, square).astype(np.uint16) * np.uint16(255) + np.uint16(HALF)
    width, half = BITS * square, square // 2
    chroma = np.full((2, half, width // 2), 128 * 255 + HALF, np.uint16)
    nothing = np.zeros((square, width), np.uint16)
    planes = Planes(nothing, np.broadcast_to(light, nothing.shape), nothing[:half, : width // 2], chroma)
    return Sprite(left, top, width, square, planes)


def read(y: Bytes, left: int, top: int, square: int) -> int | None:
    """The value drawn at (left, top) of a luma plane, (height, width) uint8; None where it is unclear.

    Looks at the inner half of each square. A black or a white picture is no code: 0 (nobody's number) and
    32 ones are refused, too.
    """
    quarter = max(square // 4, 1) if square > 2 else 0
    area = y[top : top + square, left : left + BITS * square]
    if area.shape != (square, BITS * square):
        return None
    inner = area[quarter : square - quarter].reshape(-1, BITS, square)[:, :, quarter : square - quarter]
    means = inner.mean(axis=(0, 2))
    if np.any((means > _UNCLEAR[0]) & (means < _UNCLEAR[1])):
        return None
    value = int(np.sum((means > _UNCLEAR[1]).astype(np.uint32) << _SHIFTS, dtype=np.uint64))
    return None if value in (0, _ALL_WHITE) else value


@functools.lru_cache(maxsize=64)
def _bits(value: int) -> Bytes:
    return (np.uint32(value) >> _SHIFTS & np.uint32(1)).astype(np.uint8)
