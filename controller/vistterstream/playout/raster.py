"""Turns the layers of an overlay, and the slate, into pixels. The slow part: never on the clock thread.

What cannot be drawn (a file that is gone, a font that nobody has) is told in a sentence and left out; it
never stops the rest. What was drawn is cached by content, bounded by bytes.
"""

from __future__ import annotations

import hashlib
import math
import textwrap
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from vistterstream.playout import typefaces
from vistterstream.playout.frames import Bytes, Frame, Planes, Words, planes, to_yuv
from vistterstream.resources.overlay import (
    Anchor,
    Canvas,
    ClockLayer,
    ImageLayer,
    Layer,
    Position,
    TextLayer,
)
from vistterstream.resources.program import Fallback

CACHE_BYTES = 256 * 2**20
MAX_PIXELS = 64_000_000
"""Pixels of the largest picture file that is opened: 8K twice over, 256 MB as RGBA."""
LARGEST_LETTERS = 2
"""Largest font size, in heights of the picture; beyond it one letter would take gigabytes."""
FORMATS = ("PNG", "JPEG", "WEBP")

Tell = Callable[[str], None]
"""Takes a sentence for the user about something that cannot be drawn as it should."""


class Unusable(Exception):
    """A layer that cannot be drawn; the message is a sentence for the user."""


class Rect(NamedTuple):
    """A rectangle of program pixels."""

    x: int
    y: int
    width: int
    height: int

    def within(self, width: int, height: int) -> Rect:
        """The part that lies in a picture of that size; no width or no height where nothing does."""
        left, top = max(self.x, 0), max(self.y, 0)
        right, bottom = min(self.x + self.width, width), min(self.y + self.height, height)
        return Rect(left, top, max(right - left, 0), max(bottom - top, 0))

    def grown(self, by: int) -> Rect:
        """The rectangle with `by` pixels more on each side."""
        return Rect(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def widened(self) -> Rect:
        """The smallest rectangle around it with even corners."""
        left, top = self.x // 2 * 2, self.y // 2 * 2
        return Rect(left, top, _even(self.x + self.width - left), _even(self.y + self.height - top))

    @property
    def empty(self) -> bool:
        """Whether it holds no pixel."""
        return not self.width or not self.height


@dataclass(frozen=True, slots=True)
class Sprite:
    """A piece of picture and its place: x, y, width and height are even and within the program."""

    x: int
    y: int
    width: int
    height: int
    planes: Planes

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return self.planes.nbytes


@dataclass(frozen=True, slots=True)
class View:
    """How a canvas lies on the program's picture."""

    width: int  # of the program
    height: int
    canvas: Canvas

    @property
    def scale_x(self) -> float:
        """Program pixels per canvas pixel, across."""
        return self.width / self.canvas.width

    @property
    def scale_y(self) -> float:
        """Program pixels per canvas pixel, down."""
        return self.height / self.canvas.height

    @property
    def scale(self) -> float:
        """The scale of what keeps its proportions: letters, and pictures without both sides given."""
        return min(self.scale_x, self.scale_y)

    def place(self, position: Position, width: int, height: int) -> Rect:
        """Where a layer of that size (program pixels) stands."""
        across, down = _shares(position.anchor)
        x = (self.width - width) * across + position.x * self.scale_x
        y = (self.height - height) * down + position.y * self.scale_y
        return Rect(nearest(x), nearest(y), width, height)


class SpriteCache:
    """Keeps what was drawn last, up to so many bytes. Safe to use from any thread."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._sprites: OrderedDict[str, Sprite] = OrderedDict()
        self._bytes = 0

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return self._bytes

    def get(self, key: str) -> Sprite | None:
        """What was put under the key, if it is still here."""
        with self._lock:
            sprite = self._sprites.get(key)
            if sprite is not None:
                self._sprites.move_to_end(key)
            return sprite

    def put(self, key: str, sprite: Sprite) -> None:
        """Keep it, and let go of what was used longest ago where there is no room."""
        with self._lock:
            old = self._sprites.pop(key, None)
            self._bytes += sprite.nbytes - (old.nbytes if old else 0)
            self._sprites[key] = sprite
            while self._bytes > self._limit and self._sprites:
                _, gone = self._sprites.popitem(last=False)
                self._bytes -= gone.nbytes


def rasterise(layer: Layer, view: View, opacity: float, cache: SpriteCache, tell: Tell) -> Sprite | None:
    """The layer's sprite with a fixed `opacity` worked in; None if it shows nothing.

    For image, text and rectangle layers. `tell` gets a sentence for each thing that is wrong.
    """
    try:
        key = _key(layer, view, opacity)
        drawn = cache.get(key)
        if drawn is None:
            wrong: list[str] = []
            drawn = _draw(layer, view, opacity, wrong.append)
            for sentence in wrong:
                tell(sentence)
            if drawn is not None and not wrong:
                cache.put(key, drawn)
    except Unusable as error:
        tell(str(error))
        return None
    except (OSError, ValueError, MemoryError) as error:  # of FreeType, for a font that is not what it says
        tell(f"It cannot be drawn ({error}); use another font, or a smaller size.")
        return None
    return drawn


class ClockFace:
    """Draws the changing text of a clock layer, fast: one colour on one ground, so planes come from tables.

    Digits are equally wide, so that nothing jumps. The box is widened to the 2x2 grid of the chroma.
    """

    def __init__(self, clock: ClockLayer, position: Position, view: View, tell: Tell) -> None:
        self._font = _font(clock.font, clock.size, view, tell)
        self._boxed = clock.background is not None
        self._padding = nearest(clock.padding * view.scale) if self._boxed else 0
        self._position, self._view = position, view
        ink, ground = clock.color.rgba, clock.background.rgba if clock.background else (0, 0, 0, 0)
        self._luma = _table(np.arange(256), ink, ground)
        self._chroma = _table(np.arange(4 * 255 + 1) / 4, ink, ground)

    def sprite(self, text: str) -> Sprite | None:
        """The clock showing `text`, solid; None if that is nothing."""
        lines = _lines(text, self._font, self._view, typefaces.figures(), _said)
        box = lines.box(self._position, self._view, self._padding)
        seen = (box if self._boxed else box.grown(lines.height // 2)).widened()
        seen = seen.within(self._view.width, self._view.height)
        if seen.empty or not text.strip():
            return None
        letters = np.asarray(lines.drawn(box, seen, self._padding, self._position.anchor))
        pairs = np.add(letters[:, 0::2], letters[:, 1::2], dtype=np.uint16)
        sums = pairs[0::2] + pairs[1::2]
        rest, light, _, _ = self._luma
        chroma_rest, _, light_u, light_v = self._chroma
        drawn = Planes(
            rest=rest.take(letters),
            light=light.take(letters),
            chroma_rest=chroma_rest.take(sums),
            chroma_light=np.stack([light_u.take(sums), light_v.take(sums)]),
        )
        return Sprite(*seen, planes=drawn)


def slate_key(fallback: Fallback, width: int, height: int) -> str:
    """What the slate's pixels depend on."""
    stamp = _stamp(Path(fallback.image)) if fallback.image is not None else ""
    return f"{fallback.model_dump_json()}|{width}x{height}|{stamp}"


def slate(fallback: Fallback, width: int, height: int, tell: Tell) -> Frame:
    """The picture that stands in, as `fallback` wants it; its colour alone where all else fails."""
    picture = Image.new("RGB", (width, height), fallback.color.rgba[:3])
    if fallback.image is not None:
        try:
            picture = _cover(_open(Path(fallback.image)), picture)
        except Unusable as error:
            tell(str(error))
    if fallback.text:
        _caption(picture, fallback.text, edged=fallback.image is not None)
    frame = Frame(width, height)
    frame.put_rgb(np.asarray(picture))
    return frame


def _key(layer: Layer, view: View, opacity: float) -> str:
    """Digest of everything that the pixels depend on, the file's date and size included."""
    content = layer.model_dump_json(exclude={"name", "tracks", "opacity"}, exclude_none=True)
    file = _stamp(Path(layer.image.file)) if layer.image is not None else ""
    text = f"{content}|{view.width}x{view.height}|{view.canvas.width}x{view.canvas.height}|{opacity!r}|{file}"
    return hashlib.sha256(text.encode()).hexdigest()


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{status.st_mtime_ns}:{status.st_size}"


def _draw(layer: Layer, view: View, opacity: float, tell: Tell) -> Sprite | None:
    if layer.image is not None:
        return _image(layer.image, layer.position, view, opacity)
    if layer.text is not None:
        return _text(layer.text, layer.position, view, opacity, tell)
    if layer.rectangle is not None:
        shape = layer.rectangle
        rect = view.place(layer.position, _side(shape.width, view.scale_x), _side(shape.height, view.scale_y))
        seen = rect.within(view.width, view.height)
        color = np.array(shape.color.rgba, np.uint8)
        return sprite(np.broadcast_to(color, (seen.height, seen.width, 4)), seen, opacity)
    return None


def _image(layer: ImageLayer, position: Position, view: View, opacity: float) -> Sprite | None:
    picture = _open(Path(layer.file))
    width, height = _image_size(layer, picture.width, picture.height, view)
    rect = view.place(position, width, height)
    seen = rect.within(view.width, view.height)
    if seen.empty:
        return None
    across, down = picture.width / width, picture.height / height
    box = (
        (seen.x - rect.x) * across,
        (seen.y - rect.y) * down,
        min((seen.x - rect.x + seen.width) * across, picture.width),
        min((seen.y - rect.y + seen.height) * down, picture.height),
    )
    scaled = picture.resize((seen.width, seen.height), Image.Resampling.LANCZOS, box=box)
    return sprite(np.asarray(scaled), seen, opacity)


def _image_size(layer: ImageLayer, width: int, height: int, view: View) -> tuple[int, int]:
    """The size in program pixels of a picture file of `width` x `height`."""
    if layer.width is not None and layer.height is not None:
        return _side(layer.width, view.scale_x), _side(layer.height, view.scale_y)
    if layer.width is not None:
        return _side(layer.width, view.scale), _side(layer.width * height / width, view.scale)
    if layer.height is not None:
        return _side(layer.height * width / height, view.scale), _side(layer.height, view.scale)
    return _side(width, view.scale), _side(height, view.scale)


def _open(path: Path) -> Image.Image:
    """The picture in the file, RGBA, turned as its Exif data say. Raises Unusable."""
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        raise Unusable(f"{path} is not a file; name a PNG, JPEG or WebP picture.")
    try:
        with Image.open(path, formats=FORMATS) as file:
            if file.width * file.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            return ImageOps.exif_transpose(file).convert("RGBA")
    except FileNotFoundError:
        raise Unusable(
            f"There is no picture {path}; put it there, or name another file in the manifest."
        ) from None
    except UnidentifiedImageError as error:
        raise Unusable(f"{path} is not a PNG, JPEG or WebP picture; convert it to one.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unusable(
            f"The picture {path} has more than {MAX_PIXELS // 1_000_000} million pixels; scale it down."
        ) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:  # what Pillow's decoders raise
        raise Unusable(f"The picture {path} cannot be read ({error}); save it anew.") from error


def _text(style: TextLayer, position: Position, view: View, opacity: float, tell: Tell) -> Sprite | None:
    font = _font(style.font, style.size, view, tell)
    lines = _lines(style.value, font, view, None, tell)
    padding = nearest(style.padding * view.scale) if style.background is not None else 0
    box = lines.box(position, view, padding)
    seen = box.grown(lines.height // 2).within(view.width, view.height)  # letters may reach out of their box
    if seen.empty or not style.value.strip():
        return None
    letters = lines.drawn(box, seen, padding, position.anchor)
    return sprite(_over_box(letters, style, box, seen), seen, opacity)


def _over_box(letters: Image.Image, style: TextLayer, box: Rect, seen: Rect) -> Bytes:
    """RGBA of the letters (their coverage), coloured, on their box if there is one."""
    *color, alpha = style.color.rgba
    ink = Image.new("RGBA", letters.size, (*color, 0))
    ink.putalpha(letters.point([round(value * alpha / 255) for value in range(256)]))
    if style.background is None:
        return np.asarray(ink)
    picture = Image.new("RGBA", letters.size)
    left, top = box.x - seen.x, box.y - seen.y
    picture.paste(style.background.rgba, (left, top, left + box.width, top + box.height))
    return np.asarray(Image.alpha_composite(picture, ink))


def _table(
    coverage: NDArray[np.float64] | NDArray[np.int64],
    ink: tuple[int, int, int, int],
    ground: tuple[int, int, int, int],
) -> tuple[Words, Words, Words, Words]:
    """For each coverage (0 to 255) of letters on a ground, as in `Planes`: rest, and light of Y, U and V."""
    share = coverage / 255 * (ink[3] / 255)
    below = (1 - share) * (ground[3] / 255)
    solid = share + below
    alpha = np.floor(255 * solid + 0.5)
    ink_share = np.divide(share, solid, out=np.zeros_like(solid), where=solid > 0)
    lights = [
        np.floor(alpha * (top * ink_share + bottom * (1 - ink_share)) + 128.5).astype(np.uint16)
        for top, bottom in zip(to_yuv(ink[:3]), to_yuv(ground[:3]), strict=True)
    ]
    return (255 - alpha).astype(np.uint16), lights[0], lights[1], lights[2]


def _said(_sentence: str) -> None:
    """For what has been told already, or is told by somebody else."""


def _font(family: str, canvas_size: int, view: View, tell: Tell) -> typefaces.Font:
    size, most = canvas_size * view.scale, LARGEST_LETTERS * view.height
    if size > most:
        tell("The letters are larger than the picture and are made smaller; give a smaller size.")
        size = most
    try:
        return typefaces.typeface(family, size)
    except typefaces.UnknownFont:
        tell(f"There is no font {family!r} on this machine; install it, or use {typefaces.DEFAULT_FAMILY}.")
        return typefaces.typeface(typefaces.DEFAULT_FAMILY, size)


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines of text in one font, measured in program pixels."""

    lines: list[str]
    widths: list[float]
    height: int  # of one line
    font: typefaces.Font
    figures: list[str] | None

    def box(self, position: Position, view: View, padding: int) -> Rect:
        """Where the box of the text stands."""
        width = math.ceil(max(self.widths)) + 2 * padding
        return view.place(position, width, self.height * len(self.lines) + 2 * padding)

    def drawn(self, box: Rect, seen: Rect, padding: int, anchor: Anchor) -> Image.Image:
        """The coverage of the letters in the part of the picture that is `seen`; aligned as anchored."""
        letters = Image.new("L", (seen.width, seen.height))
        pen = ImageDraw.Draw(letters)
        share, _ = _shares(anchor)
        top = box.y - seen.y + padding + self.font.getmetrics()[0]
        for number, (line, width) in enumerate(zip(self.lines, self.widths, strict=True)):
            left = box.x - seen.x + padding + (box.width - 2 * padding - width) * share
            place = (left, top + number * self.height)
            pen.text(place, line, 255, self.font, anchor="ls", features=self.figures)
        return letters


def _lines(text: str, font: typefaces.Font, view: View, figures: list[str] | None, tell: Tell) -> _Lines:
    """As many lines, and as long, as the picture could show at all."""
    ascent, descent = font.getmetrics()
    height = max(ascent + descent, 1)
    lines = text.replace("\t", "    ").splitlines() or [""]
    most = 2 * view.height // height + 1
    shown = [_cut(line, font, 2 * view.width, figures) for line in lines[:most]]
    if shown != lines:
        tell("The text is far larger than the picture and is cut off; make it shorter or smaller.")
    return _Lines(shown, [font.getlength(line, features=figures) for line in shown], height, font, figures)


def _cut(line: str, font: typefaces.Font, limit: int, figures: list[str] | None) -> str:
    """The longest beginning of `line` that is not wider than `limit` pixels."""
    if len(line) * font.size < limit or font.getlength(line, features=figures) <= limit:
        return line
    low, high = 0, len(line)
    while high - low > 1:
        middle = (low + high) // 2
        if font.getlength(line[:middle], features=figures) <= limit:
            low = middle
        else:
            high = middle
    return line[:low]


def sprite(rgba: Bytes, place: Rect, opacity: float = 1.0) -> Sprite | None:
    """The sprite of `rgba`, (height, width, 4), at `place`: trimmed to what shows, padded to the 2x2 grid."""
    if place.empty:
        return None
    alpha = np.floor(rgba[..., 3] * np.float32(opacity) + np.float32(0.5)).astype(np.uint8)
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not len(rows):
        return None
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    x, y = place.x + int(left), place.y + int(top)
    odd_x, odd_y = x % 2, y % 2
    height, width = int(bottom - top), int(right - left)
    padded = np.zeros((_even(odd_y + height), _even(odd_x + width), 4), np.uint8)
    inner = padded[odd_y : odd_y + height, odd_x : odd_x + width]
    inner[..., :3] = rgba[top:bottom, left:right, :3]
    inner[..., 3] = alpha[top:bottom, left:right]
    return Sprite(
        x=x - odd_x,
        y=y - odd_y,
        width=padded.shape[1],
        height=padded.shape[0],
        planes=planes(padded),
    )


def _cover(picture: Image.Image, ground: Image.Image) -> Image.Image:
    """`picture` scaled to fill `ground`, cut where it is too long, on its colour."""
    filled = ImageOps.fit(picture, ground.size, Image.Resampling.LANCZOS)
    return Image.alpha_composite(ground.convert("RGBA"), filled).convert("RGB")


def _caption(picture: Image.Image, text: str, *, edged: bool) -> None:
    """Write `text` into the middle, in as large letters as fit, dark on light or light on dark.

    On a picture the letters get an edge in the other shade.
    """
    width, height = picture.size
    pen = ImageDraw.Draw(picture)
    size = height / 11
    while True:
        font = typefaces.typeface(typefaces.DEFAULT_FAMILY, size)
        columns = max(int(width * 0.84 / max(font.getlength("n"), 1)), 8)
        lines = [part for line in text.splitlines() for part in textwrap.wrap(line, columns) or [""]]
        wrapped = "\n".join(lines)
        left, top, right, bottom = pen.multiline_textbbox((0, 0), wrapped, font, align="center")
        if (right - left <= width * 0.92 and bottom - top <= height * 0.9) or size < 9:
            break
        size *= 0.85
    light = np.asarray(picture.convert("L").resize((8, 8))).mean() > 150
    ink, edge = ("#121521", "#FFFFFF") if light else ("#F4F6FB", "#121521")
    place = ((width - left - right) / 2, (height - top - bottom) / 2)
    pen.multiline_text(
        place, wrapped, ink, font, align="center", stroke_width=size / 24 if edged else 0, stroke_fill=edge
    )


def _shares(anchor: Anchor) -> tuple[float, float]:
    """How far across and down the anchor point lies: 0, ½ or 1 each."""
    name = anchor.value.lower()
    across = 0.0 if "left" in name else 1.0 if "right" in name else 0.5
    down = 0.0 if "top" in name else 1.0 if "bottom" in name else 0.5
    return across, down


def _side(length: float, scale: float) -> int:
    return max(nearest(length * scale), 1)


def nearest(value: float) -> int:
    """The nearest whole number."""
    return math.floor(value + 0.5)


def _even(length: int) -> int:
    return length + length % 2
