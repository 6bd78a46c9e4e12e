"""Test patterns: pictures and sound made here, for set-up, demos and measurements.

Frame k of a pattern is a pure function of k. What does not move is painted once; a frame costs a copy and
a few small blends. Each pattern shows its label and a running time code, so that a frozen picture is seen
to be frozen.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vistterstream.playout import framecode, typefaces
from vistterstream.playout.blend import Blender
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.playout.geometry import Rect
from vistterstream.playout.sprites import Sprite, sprite
from vistterstream.resources.camera import Pattern, TestPatternSource
from vistterstream.resources.program import Format

SAMPLE_RATE = 48_000
TONE_PEAK = 3277
"""Amplitude of the tone: -20 dB of full scale, the line-up level of EBU R 68 less 2 dB."""
CODE_SQUARE = 16
"""Side of the squares of a numbered pattern, in pixels."""

_DARK = (18, 21, 33)
_LIGHT = (244, 246, 251)
_SMALLEST = (200, 120)  # a smaller picture has no room for letters

Samples = NDArray[np.int16]


def code_square(width: int) -> int:
    """Side of the squares that carry a pattern's number in a picture of that width: 16, or what fits."""
    return min(CODE_SQUARE, width // framecode.BITS // 2 * 2)


def first_sample(k: int, rate: Fraction) -> int:
    """Number of the first sample of frame `k` at 48 kHz: exact, so that sound never drifts from pictures."""
    return k * SAMPLE_RATE * rate.denominator // rate.numerator


class TestPattern:
    """One source's picture and sound. One thread renders at a time."""

    __test__ = False  # not a test class for pytest

    def __init__(self, source: TestPatternSource, format: Format) -> None:
        self._number = source.number
        self._rate = format.frame_rate.fraction
        self._square = code_square(format.width)
        painters: dict[Pattern, type[_Painter]] = {
            Pattern.BARS: _Bars,
            Pattern.MOTION: _Motion,
            Pattern.GRID: _Grid,
        }
        self._picture: _Painter = painters[source.pattern](source, format)
        small = format.width < _SMALLEST[0] or format.height < _SMALLEST[1]
        self._panel = None if small else _Panel(source, format)
        self._tone = _tone(source.tone)

    def render(self, k: int, out: Frame) -> None:
        """Make `out`, of the program's size, frame `k` of the pattern."""
        self._picture.paint(k, out)
        if self._panel is not None:
            self._panel.paint(k, out)
        if self._number:
            value = framecode.pack(self._number, k)
            framecode.draw(out.y, out.u, out.v, 0, 0, value, self._square)

    def tone(self, k: int) -> Samples:
        """The sound of frame `k`, (samples, 2) at 48 kHz; read only. Frames join without a seam."""
        first = first_sample(k, self._rate)
        count = first_sample(k + 1, self._rate) - first
        start = first % SAMPLE_RATE
        return self._tone[start : start + count]


class _Painter(Protocol):
    """The picture of a pattern, without panel and number."""

    def __init__(self, source: TestPatternSource, format: Format) -> None: ...

    def paint(self, k: int, out: Frame) -> None:
        """Paint frame `k`."""


class _Bars:
    """Colour bars of 75 % (SMPTE EG 1 in layout), a grey ramp, and a marker that glides along it."""

    def __init__(self, source: TestPatternSource, format: Format) -> None:
        width, height = format.width, format.height
        self._rate = format.frame_rate.fraction
        self._ground = Frame(width, height)
        self._ground.put_rgb(_bars(width, height))
        self._blender = Blender(width)
        radius = max(min(width, height) // 30, 3)
        self._marker = _Mover(_disc(radius, source.color.rgba[:3]))
        self._reach = width - 2 * radius
        self._top = int(height * 0.705) - radius + height // 40

    def paint(self, k: int, out: Frame) -> None:
        out.copy_from(self._ground)
        share = (1 - math.cos(_turn(k, self._rate, 6))) / 2
        self._marker.paint(self._blender, out, round(self._reach * share), self._top)


class _Motion:
    """A disc that runs over a gradient, and a smaller one after it."""

    def __init__(self, source: TestPatternSource, format: Format) -> None:
        width, height = format.width, format.height
        self._rate = format.frame_rate.fraction
        self._ground = Frame(width, height)
        self._ground.put_rgb(_gradient(width, height, source.color.rgba[:3]))
        self._blender = Blender(width)
        red, green, blue, _ = source.color.rgba
        opposite = (255 - red // 2, 255 - green // 2, 255 - blue // 2)
        small, large = (max(min(width, height) // share, 3) for share in (28, 11))
        self._discs = [
            (_Mover(_disc(small, opposite)), 0.42, small),
            (_Mover(_disc(large, _LIGHT)), 0.0, large),
        ]

    def paint(self, k: int, out: Frame) -> None:
        out.copy_from(self._ground)
        for mover, lag, radius in self._discs:
            across = math.sin(_turn(k, self._rate, 8) - lag) * 0.36 + 0.5
            down = math.sin(2 * (_turn(k, self._rate, 8) - lag)) * 0.24 + 0.45
            mover.paint(
                self._blender, out, round(out.width * across) - radius, round(out.height * down) - radius
            )


class _Grid:
    """A grid that moves diagonally under a ring that stands still."""

    def __init__(self, source: TestPatternSource, format: Format) -> None:
        width, height = format.width, format.height
        self._rate = format.frame_rate.fraction
        self._cell = max(min(width, height) // 9 // 2 * 2, 4)
        self._ground = Frame(width + self._cell, height + self._cell)
        self._ground.put_rgb(
            _grid(self._ground.width, self._ground.height, self._cell, source.color.rgba[:3])
        )
        self._blender = Blender(width)
        self._ring = _ring(width, height)

    def paint(self, k: int, out: Frame) -> None:
        steps = int(k * self._cell / (2 * self._rate)) // 2 * 2
        by = self._cell - steps % self._cell  # a cell in two seconds, right and down
        _copy(self._ground, out, by, by)
        self._blender.blend(out, self._ring)


class _Panel:
    """The label and the time code, on a dark box near the lower edge."""

    def __init__(self, source: TestPatternSource, format: Format) -> None:
        self._rate = format.frame_rate.fraction
        size = max(min(format.height / 20, format.width / 32), 11.0)
        digits = typefaces.typeface("Inter", size * 0.8)
        ascent, descent = digits.getmetrics()
        edge = round(size * 0.55)
        height = _even(round(size * 1.9))
        cell = _even(math.ceil(max(digits.getlength(sign) for sign in "0123456789")))
        label = _fitting(
            source.label or source.pattern.value, format.width * 0.9 - 11 * cell - 3 * edge, size
        )
        name = typefaces.typeface("Inter Bold", size)
        left = edge * 2 + _even(math.ceil(name.getlength(label)))
        box = Image.new("RGB", (_even(left + edge + 11 * cell), height), _DARK)
        pen = ImageDraw.Draw(box)
        pen.rectangle((0, 0, max(edge // 3, 2), height), source.color.rgba[:3])
        pen.text((edge, height / 2), label, _LIGHT, name, anchor="lm")
        self._box = _tile(box)
        self._x = _even(format.width // 24)
        self._y = _even(format.height - format.height // 14 - height)
        self._digits_x = self._x + left // 2 * 2
        self._digits_y = self._y + (height - ascent - descent) // 4 * 2
        self._cell = cell
        self._digits = {
            sign: _tile(_digit(sign, digits, cell, _even(ascent + descent))) for sign in "0123456789:"
        }

    def paint(self, k: int, out: Frame) -> None:
        _paste(self._box, out, self._x, self._y)
        for place, sign in enumerate(_time_code(k, self._rate)):
            _paste(self._digits[sign], out, self._digits_x + place * self._cell, self._digits_y)


class _Mover:
    """A small picture that may stand at odd places, too: a sprite for each place in a 2x2 square."""

    def __init__(self, rgba: Bytes) -> None:
        height, width, _ = rgba.shape
        self._sprites = {(x, y): sprite(rgba, Rect(x, y, width, height)) for x in (0, 1) for y in (0, 1)}

    def paint(self, blender: Blender, out: Frame, x: int, y: int) -> None:
        """Blend it with its upper left corner at (x, y), all of it within the picture."""
        piece = self._sprites[x % 2, y % 2]
        if piece is not None:
            blender.blend(out, piece, at=(x - x % 2 + piece.x, y - y % 2 + piece.y))


def _turn(k: int, rate: Fraction, seconds: int) -> float:
    """The angle at frame `k` of a motion that repeats after so many seconds."""
    return math.tau * float(Fraction(k) / (rate * seconds) % 1)


def _time_code(k: int, rate: Fraction) -> str:
    """Hours, minutes, seconds of real time, and frames since that second began."""
    seconds = k * rate.denominator // rate.numerator
    frames = k + (-seconds * rate.numerator // rate.denominator)
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frames % 100:02}"


def _tone(frequency: int) -> Samples:
    """Two seconds of the tone, so that any second can be cut out: whole hertz repeat after one second."""
    phase = np.arange(2 * SAMPLE_RATE, dtype=np.int64) * frequency % SAMPLE_RATE
    wave = np.rint(np.sin(phase * (math.tau / SAMPLE_RATE)) * TONE_PEAK).astype(np.int16)
    samples = np.repeat(wave[:, None], 2, axis=1)
    samples.flags.writeable = False
    return samples


def _bars(width: int, height: int) -> Bytes:
    """The still part of the bars."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = _DARK
    colors = np.array(
        [[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0], [0, 0, 191]],
        np.uint8,
    )
    column = np.arange(width) * 7 // width
    picture[: int(height * 0.62)] = colors[column]
    below = np.array([6, -1, 4, -1, 2, -1, 0])[column]
    picture[int(height * 0.62) : int(height * 0.67)] = np.where(below[:, None] < 0, 16, colors[below])
    ramp = np.linspace(0, 255, width).astype(np.uint8)
    picture[int(height * 0.67) : int(height * 0.79)] = ramp[:, None]
    return picture


def _gradient(width: int, height: int, color: tuple[int, ...]) -> Bytes:
    """From a dark to a light shade of the colour, from the lower left to the upper right."""
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    share = (across / width * 0.65 + (1 - down / height) * 0.35)[..., None]
    dark = np.array(color) * 0.25
    light = np.array(color) + (255 - np.array(color)) * 0.25
    picture: Bytes = (dark + (light - dark) * share + 0.5).astype(np.uint8)
    return picture


def _grid(width: int, height: int, cell: int, color: tuple[int, ...]) -> Bytes:
    """Lines two pixels wide on a dark ground, on which chequers are just seen."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = _DARK
    down, across = np.mgrid[0:height, 0:width]
    picture[(down // (cell // 2) + across // (cell // 2)) % 2 == 0] = [value + 8 for value in _DARK]
    picture[(down % cell < 2) | (across % cell < 2)] = color
    return picture


def _ring(width: int, height: int) -> Sprite:
    """A circle with a cross in the middle of the picture."""
    scale, side = 4, min(width, height) * 3 // 4 // 2 * 2
    picture = Image.new("L", (side * scale, side * scale))
    pen = ImageDraw.Draw(picture)
    middle, line = side * scale // 2, max(side // 100, 1) * scale
    pen.ellipse((0, 0, side * scale - 1, side * scale - 1), outline=255, width=line)
    for box in (
        (middle // 2, middle, 3 * middle // 2, middle),
        (middle, middle // 2, middle, 3 * middle // 2),
    ):
        pen.line(box, 255, line // 2)
    return _colored(picture.resize((side, side), Image.Resampling.BOX), _LIGHT, width - side, height - side)


def _colored(coverage: Image.Image, color: tuple[int, ...], spare_x: int, spare_y: int) -> Sprite:
    rgba = np.empty((coverage.height, coverage.width, 4), np.uint8)
    rgba[..., :3] = color
    rgba[..., 3] = np.asarray(coverage)
    piece = sprite(rgba, Rect(spare_x // 2, spare_y // 2, coverage.width, coverage.height))
    if piece is None:
        raise ValueError("nothing was drawn")
    return piece


def _disc(radius: int, color: tuple[int, ...]) -> Bytes:
    """RGBA of a disc with a smooth edge and a slight shade."""
    side = 2 * radius
    down, across = (np.mgrid[0:side, 0:side].astype(np.float32) + 0.5 - radius) / radius
    distance = np.hypot(across, down)
    rgba = np.empty((side, side, 4), np.uint8)
    shade = 1 - 0.22 * np.clip(np.hypot(across + 0.35, down + 0.35), 0, 1.4) / 1.4
    rgba[..., :3] = np.array(color) * shade[..., None]
    rgba[..., 3] = np.clip((1 - distance) * radius + 0.5, 0, 1) * 255
    return rgba


def _fitting(text: str, room: float, size: float) -> str:
    """`text`, cut with an ellipsis where it would be wider than `room` pixels."""
    font = typefaces.typeface("Inter Bold", size)
    text = " ".join(text.split())
    shown = text
    while shown and font.getlength(shown) > room:
        text = text[:-1]
        shown = f"{text.rstrip()}…" if text else ""
    return shown


def _digit(sign: str, font: typefaces.Font, width: int, height: int) -> Image.Image:
    picture = Image.new("RGB", (width, height), _DARK)
    pen = ImageDraw.Draw(picture)
    pen.text((width / 2, font.getmetrics()[0]), sign, _LIGHT, font, anchor="ms")
    return picture


def _tile(picture: Image.Image) -> Frame:
    """A small RGB picture with even sides as planes."""
    tile = Frame(picture.width, picture.height)
    tile.put_rgb(np.asarray(picture))
    return tile


def _paste(tile: Frame, out: Frame, x: int, y: int) -> None:
    """Copy the tile to (x, y), both even; what lies outside is cut off."""
    width, height = min(tile.width, out.width - x), min(tile.height, out.height - y)
    out.y[y : y + height, x : x + width] = tile.y[:height, :width]
    across, down = slice(x // 2, (x + width) // 2), slice(y // 2, (y + height) // 2)
    out.uv[:, down, across] = tile.uv[:, : height // 2, : width // 2]


def _copy(ground: Frame, out: Frame, x: int, y: int) -> None:
    """Fill `out` with the part of a larger picture that starts at (x, y), both even."""
    np.copyto(out.y, ground.y[y : y + out.height, x : x + out.width])
    across, down = slice(x // 2, (x + out.width) // 2), slice(y // 2, (y + out.height) // 2)
    np.copyto(out.uv, ground.uv[:, down, across])


def _even(length: int) -> int:
    return length + length % 2
