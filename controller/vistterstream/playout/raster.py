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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps, UnidentifiedImageError

from vistterstream.playout import lettering, typefaces
from vistterstream.playout.frames import Bytes, Frame, Planes, Words, planes, to_yuv
from vistterstream.resources.overlay import (
    Align,
    Anchor,
    Canvas,
    ClockLayer,
    CountdownLayer,
    ImageLayer,
    Layer,
    Missing,
    Position,
    QrLayer,
    RectangleLayer,
    TextLayer,
    TickerLayer,
)
from vistterstream.resources.program import Fallback
from vistterstream.resources.quantities import Color

CACHE_BYTES = 256 * 2**20
MAX_PIXELS = 64_000_000
"""Pixels of the largest picture file that is opened: 8K twice over, 256 MB as RGBA."""
LARGEST_LETTERS = 2
"""Largest font size, in heights of the picture; beyond it one letter would take gigabytes."""
MAX_LAYER_PIXELS = 4_200_000
"""Pixels of the largest layer that moves, about two pictures of 1920x1080: 67 MB."""
DRAWING_ERRORS = (OSError, ValueError, MemoryError, Image.DecompressionBombError)
"""What Pillow and FreeType raise for fonts that are not what they say, and for too much of a text."""
MAX_ANIMATION_PIXELS = 12_000_000
MAX_ANIMATION_FRAMES = 1_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")

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

    def common(self, other: Rect) -> Rect:
        """The part that lies in `other` too; no width or no height where nothing does."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Rect(left, top, max(right - left, 0), max(bottom - top, 0))

    def around(self, other: Rect) -> Rect:
        """The smallest rectangle that holds both."""
        left, top = min(self.x, other.x), min(self.y, other.y)
        right = max(self.x + self.width, other.x + other.width)
        bottom = max(self.y + self.height, other.y + other.height)
        return Rect(left, top, right - left, bottom - top)

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

    @property
    def whole(self) -> Rect:
        """The program's picture."""
        return Rect(0, 0, self.width, self.height)

    def place(self, position: Position, width: int, height: int) -> Rect:
        """Where a layer of that size (program pixels) stands."""
        x, y = self.exact(position.anchor, position.x, position.y, width, height)
        return Rect(nearest(x), nearest(y), width, height)

    def exact(self, anchor: Anchor, x: float, y: float, width: float, height: float) -> tuple[float, float]:
        """Left and top of a layer of that size (program pixels) that stands at `x`, `y` (canvas pixels)."""
        across, down = shares(anchor)
        return (
            (self.width - width) * across + x * self.scale_x,
            (self.height - height) * down + y * self.scale_y,
        )


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
    except DRAWING_ERRORS as error:
        tell(f"It cannot be drawn ({error}); use another font, or a smaller size.")
        return None
    return drawn


class ClockFace:
    """Draws the changing text of a clock layer, fast: one colour on one ground, so planes come from tables.

    Digits are equally wide, so that nothing jumps. The box is widened to the 2x2 grid of the chroma.
    """

    def __init__(
        self, clock: ClockLayer | CountdownLayer, position: Position, view: View, tell: Tell
    ) -> None:
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


@dataclass(frozen=True, slots=True)
class Strip:
    """The text of a ticker in one line, on nothing, again and again: as `rgba` from its `period` on.

    `band` is where it runs, `seen` the rows of it that are in the strip.
    """

    rgba: Bytes
    period: int
    band: Rect
    seen: Rect


def strip(ticker: TickerLayer, position: Position, view: View, tell: Tell) -> Strip | None:
    """The strip of a ticker, one period and a band long; None if nothing shows. Raises Unusable."""
    font = _font(ticker.font, ticker.size, view, tell)
    padding, gap = nearest(ticker.padding * view.scale_y), nearest(ticker.gap * view.scale_x)
    ascent, descent = font.getmetrics()
    longest = MAX_LAYER_PIXELS // max(ascent + descent, 1)
    texts = [text for text in ticker.value.splitlines() if text.strip()]
    lines = [lettering.line(_cut(text, font, longest, None), font) for text in texts]
    _tell_missing(lines, tell)
    ascent = max([ascent, *(line.ascent for line in lines)])
    height = ascent + max([descent, *(line.descent for line in lines)]) + 2 * padding
    band = view.place(position, _side(ticker.width, view.scale_x), height)
    seen = band.common(view.whole)
    most = MAX_LAYER_PIXELS // max(height, 1) - band.width
    lefts, period = list[int](), 0
    for line in lines:
        lefts.append(period)
        period += math.ceil(line.width) + gap
    if not lines or seen.empty or not period:
        return None
    if period > most:
        tell("The text of the ticker is too long and is cut off; make it shorter, or smaller.")
        period = max(most, 1)
    letters = Image.new("L", (period, height))
    pictures = Image.new("RGBA", letters.size)
    for line, left in zip(lines, lefts, strict=True):
        if left < period:
            line.draw(letters, pictures, left, padding + ascent)
    inked = Image.alpha_composite(_tinted(letters, ticker.color), pictures)
    once = np.asarray(inked)[seen.y - band.y :][: seen.height]
    times = -(-(period + band.width + 2) // period)
    return Strip(np.tile(once, (1, times, 1))[:, : period + band.width + 2], period, band, seen)


def band(ticker: TickerLayer, drawn: Strip) -> Sprite | None:
    """The ground that a ticker runs on."""
    if ticker.background is None:
        return None
    color = np.array(ticker.background.rgba, np.uint8)
    return sprite(np.broadcast_to(color, (drawn.seen.height, drawn.seen.width, 4)), drawn.seen)


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


@dataclass(frozen=True, slots=True)
class Piece:
    """A drawn layer: its pixels where they are `seen`, and the `box` that its position speaks of.

    `ink` is the coverage of what has the layer's colour, and `under` what lies beneath that.
    """

    rgba: Bytes
    seen: Rect
    box: Rect
    ink: Bytes | None = None
    under: Bytes | None = None


def _draw(layer: Layer, view: View, opacity: float, tell: Tell) -> Sprite | None:
    drawn = piece(layer, view, view.whole, tell)
    return None if drawn is None else sprite(drawn.rgba, drawn.seen, opacity)


def piece(layer: Layer, view: View, bounds: Rect, tell: Tell) -> Piece | None:
    """The part of the layer that lies within `bounds`, None where nothing does. Raises Unusable."""
    if layer.image is not None:
        return _image(layer.image, layer.position, view, bounds, tell)
    if layer.text is not None:
        return _text(layer.text, layer.position, view, bounds, tell)
    if layer.rectangle is not None:
        return _rectangle(layer.rectangle, layer.position, view, bounds)
    if layer.qr is not None:
        return _qr(layer.qr, layer.position, view, bounds)
    return None


def _qr(code: QrLayer, position: Position, view: View, bounds: Rect) -> Piece | None:
    """A QR code; its squares have whole pixels, so that they stay sharp; what is left over is its edge."""
    import segno  # here, because most programs show none

    try:
        made = segno.make_qr(code.value, error=code.correction.value[0], boost_error=True)
    except segno.DataOverflowError:
        raise Unusable(
            "A QR code cannot hold so much with this correction; give a shorter value, or less correction."
        ) from None
    cells = np.array([list(row) for row in made.matrix], bool)
    side = _side(code.size, view.scale)
    rect = view.place(position, side, side)
    seen = _bounded(rect, bounds)
    square = side // (len(cells) + 2 * code.quiet_zone)
    if square < 1:
        raise Unusable(f"The QR code has {len(cells)} squares a side and only {side} pixels; make it larger.")
    if seen.empty:
        return None
    dark = np.kron(cells, np.ones((square, square), bool))
    rgba = np.empty((side, side, 4), np.uint8)
    rgba[:] = code.background.rgba
    edge = (side - len(dark)) // 2
    rgba[edge : edge + len(dark), edge : edge + len(dark)][dark] = code.color.rgba
    left, top = seen.x - rect.x, seen.y - rect.y
    return Piece(rgba[top : top + seen.height, left : left + seen.width], seen, rect)


def _bounded(rect: Rect, bounds: Rect) -> Rect:
    """The part of `rect` that is drawn. Raises Unusable where that is more than is ever kept."""
    seen = rect.common(bounds)
    if seen.width * seen.height > MAX_LAYER_PIXELS:
        raise Unusable(
            f"It is {seen.width}x{seen.height} pixels; what moves has at most "
            f"{MAX_LAYER_PIXELS // 1_000_000} million. Make it smaller."
        )
    return seen


def _rectangle(shape: RectangleLayer, position: Position, view: View, bounds: Rect) -> Piece | None:
    rect = view.place(position, _side(shape.width, view.scale_x), _side(shape.height, view.scale_y))
    seen = _bounded(rect, bounds)
    if seen.empty:
        return None
    rgba = np.broadcast_to(np.array(shape.color.rgba, np.uint8), (seen.height, seen.width, 4))
    if not shape.radius:
        return Piece(rgba, seen, rect, np.full(rgba.shape[:2], 255, np.uint8))
    ink = _rounded_corners(rect, seen, shape.radius * view.scale)
    rgba = rgba.copy()
    rgba[..., 3] = np.floor(ink * (shape.color.rgba[3] / 255) + 0.5)
    return Piece(rgba, seen, rect, ink)


def _rounded_corners(rect: Rect, seen: Rect, radius: float) -> Bytes:
    """Coverage, 0 to 255, of a rectangle with round corners: by the distance of each pixel from its edge."""
    radius = min(radius, rect.width / 2, rect.height / 2)
    x = np.arange(seen.width, dtype=np.float32) + np.float32(seen.x - rect.x + 0.5)
    y = np.arange(seen.height, dtype=np.float32) + np.float32(seen.y - rect.y + 0.5)
    across = np.maximum(np.abs(x - rect.width / 2) - (rect.width / 2 - radius), 0)
    down = np.maximum(np.abs(y - rect.height / 2) - (rect.height / 2 - radius), 0)
    beyond = np.hypot(across[np.newaxis, :], down[:, np.newaxis]) - radius
    coverage: Bytes = np.floor(np.clip(0.5 - beyond, 0, 1) * 255 + 0.5).astype(np.uint8)
    return coverage


def _image(layer: ImageLayer, position: Position, view: View, bounds: Rect, tell: Tell) -> Piece | None:
    try:
        picture = _open(Path(layer.file), layer.sha256)
    except Unusable as error:
        if layer.fallback is None:
            raise
        tell(str(error))
        picture = _stand_in(layer, layer.fallback, view)
    return _scaled(picture, layer, position, view, bounds)


def _stand_in(layer: ImageLayer, missing: Missing, view: View) -> Image.Image:
    """A box instead of a picture, of the size that it was given (16:9 where that leaves it open)."""
    width = layer.width or (layer.height or 180) * 16 // 9
    height = layer.height or max(width * 9 // 16, 1)
    scale = min(view.scale_x, view.scale_y, 4096 / max(width, height))
    picture = Image.new("RGBA", (_side(width, scale), _side(height, scale)), missing.color.rgba)
    if missing.text:
        _caption(picture, missing.text, edged=False)
    return picture


@dataclass(frozen=True, slots=True)
class Animation:
    """The frames of a picture file, and when each of them begins, in ms; the last time is the end."""

    pieces: tuple[Piece, ...]
    starts: tuple[float, ...]


def animation(layer: ImageLayer, position: Position, view: View, bounds: Rect, tell: Tell) -> Animation:
    """The frames of the layer's file, as many as may be kept. Raises Unusable.

    Players take 100 ms for a frame that says 10 ms or less; so do we.
    """
    pieces: list[Piece] = []
    starts, pixels = [0.0], 0
    for picture, duration in _frames(Path(layer.file), layer.sha256):
        drawn = _scaled(picture, layer, position, view, bounds)
        if drawn is None:
            break
        pixels += drawn.seen.width * drawn.seen.height
        if pieces and (pixels > MAX_ANIMATION_PIXELS or len(pieces) >= MAX_ANIMATION_FRAMES):
            tell(
                f"The animation {layer.file} is cut off after {len(pieces)} frames: all of them together "
                f"have at most {MAX_ANIMATION_PIXELS // 1_000_000} million pixels. Make it smaller."
            )
            break
        pieces.append(drawn)
        starts.append(starts[-1] + duration)
    return Animation(tuple(pieces), tuple(starts))


def _frames(path: Path, sha256: str | None) -> Iterator[tuple[Image.Image, float]]:
    """Each frame of a picture file, RGBA, and how long it is shown, in ms. Raises Unusable."""
    with _opened(path, sha256) as file:
        for number in range(getattr(file, "n_frames", 1)):
            file.seek(number)
            frame = file.convert("RGBA")
            duration = float(file.info.get("duration") or 0)
            yield frame, duration if duration > 10 else 100.0


def _scaled(
    picture: Image.Image, layer: ImageLayer, position: Position, view: View, bounds: Rect
) -> Piece | None:
    width, height = _image_size(layer, picture.width, picture.height, view)
    rect = view.place(position, width, height)
    seen = _bounded(rect, bounds)
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
    return Piece(np.asarray(scaled), seen, rect)


def _image_size(layer: ImageLayer, width: int, height: int, view: View) -> tuple[int, int]:
    """The size in program pixels of a picture file of `width` x `height`."""
    if layer.width is not None and layer.height is not None:
        return _side(layer.width, view.scale_x), _side(layer.height, view.scale_y)
    if layer.width is not None:
        return _side(layer.width, view.scale), _side(layer.width * height / width, view.scale)
    if layer.height is not None:
        return _side(layer.height * width / height, view.scale), _side(layer.height, view.scale)
    return _side(width, view.scale), _side(height, view.scale)


def _open(path: Path, sha256: str | None = None) -> Image.Image:
    """The picture in the file, RGBA, turned as its Exif data say. Raises Unusable."""
    with _opened(path, sha256) as file:
        return ImageOps.exif_transpose(file).convert("RGBA")


@contextmanager
def _opened(path: Path, sha256: str | None) -> Iterator[Image.Image]:
    """The picture file, with that digest if one is given. What goes wrong meanwhile is raised as Unusable."""
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        raise Unusable(f"{path} is not a file; name a PNG, JPEG, WebP or GIF picture.")
    try:
        if sha256 is not None:
            _check_digest(path, sha256)
        with Image.open(path, formats=FORMATS) as file:
            if file.width * file.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            yield file
    except FileNotFoundError:
        raise Unusable(
            f"There is no picture {path}; put it there, or name another file in the manifest."
        ) from None
    except UnidentifiedImageError as error:
        raise Unusable(f"{path} is not a PNG, JPEG, WebP or GIF picture; convert it to one.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unusable(
            f"The picture {path} has more than {MAX_PIXELS // 1_000_000} million pixels; scale it down."
        ) from error
    except Unusable:
        raise
    except (OSError, ValueError, SyntaxError, EOFError) as error:  # what Pillow's decoders raise
        raise Unusable(f"The picture {path} cannot be read ({error}); save it anew.") from error


def _check_digest(path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256.lower():
        raise Unusable(
            f"The picture {path} is another than the manifest wants: its SHA-256 is {found}. "
            "Put the right file there, or change sha256."
        )


def _text(style: TextLayer, position: Position, view: View, bounds: Rect, tell: Tell) -> Piece | None:
    font = _font(style.font, style.size, view, tell)
    lines = _paragraph(style, font, view, tell)
    padding = nearest(style.padding * view.scale) if style.background is not None else 0
    box = lines.box(position, view, padding)
    reach = lines.height // 2 + _reach(style, view)  # letters may reach out of their box
    seen = _bounded(box.grown(reach), bounds)
    if seen.empty or not style.value.strip():
        return None
    share = _ALIGNED[style.align] if style.align else shares(position.anchor)[0]
    letters, pictures = lines.drawn(box, seen, padding, share)
    under = _ground(style, box, seen)
    if style.shadow is not None or style.outline is not None:
        width = style.outline.width * view.scale if style.outline is not None else 0.0
        around, _ = lines.drawn(box, seen, padding, share, stroke=width) if width else (letters, pictures)
        under = _surrounded(style, under, around, pictures, view)
    rgba = _inked(letters, style, under)
    if pictures.getbbox() is not None:
        rgba = np.asarray(Image.alpha_composite(Image.fromarray(rgba), pictures))
        under = Image.alpha_composite(under, pictures)
    return Piece(rgba, seen, box, np.asarray(letters), np.asarray(under))


def _paragraph(style: TextLayer, font: typefaces.Font, view: View, tell: Tell) -> _Paragraph:
    """The lines of a text, wrapped, as many and as long as the picture could show at all."""
    texts = style.value.replace("\t", "    ").splitlines() or [""]
    if style.width is not None:
        width = style.width * view.scale_x
        texts = [part for text in texts for part in lettering.wrapped(text, font, width)]
    ascent, descent = font.getmetrics()
    most = 2 * view.height // max(nearest((ascent + descent) * style.line_spacing), 1) + 1
    shown = [_cut(text, font, 2 * view.width, None) for text in texts[:most]]
    if shown != texts:
        tell("The text is far larger than the picture and is cut off; make it shorter or smaller.")
    lines = [lettering.line(text, font) for text in shown]
    _tell_missing(lines, tell)
    return _Paragraph(
        lines,
        ascent=max([ascent, *(line.ascent for line in lines)]),
        descent=max([descent, *(line.descent for line in lines)]),
        spacing=style.line_spacing,
    )


def _tell_missing(lines: Sequence[lettering.Line], tell: Tell) -> None:
    missing = sorted({character for line in lines for character in line.missing})
    if missing:
        names = ", ".join(f"{character} (U+{ord(character):04X})" for character in missing[:5])
        tell(
            f"No font on this machine has {names}{' and others' if len(missing) > 5 else ''}; install one, "
            "such as Debian's fonts-noto-core, fonts-noto-cjk and fonts-noto-color-emoji."
        )


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """Lines of text, measured in program pixels."""

    lines: list[lettering.Line]
    ascent: int
    descent: int
    spacing: float

    @property
    def height(self) -> int:
        """Of one line."""
        return max(self.ascent + self.descent, 1)

    @property
    def step(self) -> int:
        """From one line to the next."""
        return max(nearest(self.height * self.spacing), 1)

    def box(self, position: Position, view: View, padding: int) -> Rect:
        """Where the box of the text stands."""
        width = math.ceil(max(line.width for line in self.lines)) + 2 * padding
        height = self.height + self.step * (len(self.lines) - 1)
        return view.place(position, width, height + 2 * padding)

    def drawn(
        self, box: Rect, seen: Rect, padding: int, share: float, stroke: float = 0.0
    ) -> tuple[Image.Image, Image.Image]:
        """Coverage of the letters in the part of the picture that is `seen`, and emoji; see `Line.draw`.

        `share` of the free space of each line lies at its left.
        """
        letters = Image.new("L", (seen.width, seen.height))
        pictures = Image.new("RGBA", letters.size)
        top = box.y - seen.y + padding + self.ascent
        for number, line in enumerate(self.lines):
            left = box.x - seen.x + padding + (box.width - 2 * padding - line.width) * share
            line.draw(letters, pictures, left, top + number * self.step, stroke)
        return letters, pictures


_ALIGNED = {Align.LEFT: 0.0, Align.CENTER: 0.5, Align.RIGHT: 1.0}


def _reach(style: TextLayer, view: View) -> int:
    """How far outline and shadow reach beyond letters, in program pixels."""
    outline = style.outline.width if style.outline is not None else 0.0
    shadow = style.shadow
    beyond = 0.0 if shadow is None else max(abs(shadow.right), abs(shadow.down)) + 3 * shadow.blur
    return math.ceil((outline + beyond) * view.scale)


def _ground(style: TextLayer, box: Rect, seen: Rect) -> Image.Image:
    """What lies under the letters."""
    picture = Image.new("RGBA", (seen.width, seen.height))
    if style.background is not None:
        left, top = box.x - seen.x, box.y - seen.y
        picture.paste(style.background.rgba, (left, top, left + box.width, top + box.height))
    return picture


def _surrounded(
    style: TextLayer, under: Image.Image, around: Image.Image, pictures: Image.Image, view: View
) -> Image.Image:
    """`under` with shadow and outline of letters that, with their outline, cover `around`."""
    if style.shadow is not None:
        shadow = style.shadow
        shape = ImageChops.lighter(around, pictures.getchannel("A"))
        cast = Image.new("L", shape.size)
        cast.paste(shape, (nearest(shadow.right * view.scale), nearest(shadow.down * view.scale)))
        if shadow.blur:
            cast = cast.filter(ImageFilter.GaussianBlur(shadow.blur * view.scale))
        under = Image.alpha_composite(under, _tinted(cast, shadow.color))
    if style.outline is not None:
        under = Image.alpha_composite(under, _tinted(around, style.outline.color))
    return under


def _tinted(coverage: Image.Image, color: Color) -> Image.Image:
    """Coverage in a colour."""
    *rgb, alpha = color.rgba
    ink = Image.new("RGBA", coverage.size, (*rgb, 0))
    ink.putalpha(coverage.point([round(value * alpha / 255) for value in range(256)]))
    return ink


def _inked(letters: Image.Image, style: TextLayer, under: Image.Image) -> Bytes:
    """RGBA of the letters (their coverage), coloured, on what lies under them."""
    ink = _tinted(letters, style.color)
    if under.getchannel("A").getbbox() is None:
        return np.asarray(ink)
    return np.asarray(Image.alpha_composite(under, ink))


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
        share, _ = shares(anchor)
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


def shares(anchor: Anchor) -> tuple[float, float]:
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
