"""Finds fonts by family name: the bundled Inter, then those installed on the machine.

Inter (https://rsms.me/inter, SIL Open Font License 1.1, see ``fonts/OFL.txt``) comes as package data in
Regular and Bold, cut down to Latin, Greek, Cyrillic and common signs.
"""

from __future__ import annotations

import functools
import os
import re
import struct
import threading
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from PIL import ImageFont, features

DEFAULT_FAMILY = "Inter"

Font = ImageFont.FreeTypeFont
Installed = tuple[tuple[Path, int], ...]
"""Folders with fonts, and when each was changed last."""

_SUFFIXES = {".ttf", ".otf", ".ttc"}
_PLAIN = ("regular", "book", "roman", "normal", "medium")  # styles that stand for a family, the best first
SHAPES = bool(features.check("raqm"))
"""Whether letters are shaped as their script wants: Pillow's wheels do so where FriBidi is installed."""
PICTURE_SIZE = 109
"""Pixels per em of the pictures in Noto Color Emoji, the one size that it has."""

_EMOJI = "NotoColorEmoji"
_SCRIPTS = (
    "NotoSans-Regular.ttf",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoSansBengali-Regular.ttf",
    "NotoSansTamil-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoColorEmoji.ttf",
    "NotoSansSymbols-Regular.ttf",
    "NotoSansSymbols2-Regular.ttf",
    "NotoSansMath-Regular.ttf",
    "DejaVuSans.ttf",
)
_SHAPED = re.compile("[\u0600-\u07bf\u0840-\u109f\u1780-\u17ff\u1a20-\u1aaf\ufb50-\ufdff\ufe70-\ufefc]")
_LARGEST_CMAP = 4 << 20
_SHOWN_FORMATS = set(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\ufff9\ufffa\ufffb\U000110bd\U000110cd"
)
"""Of the category Cf, and yet with a look of their own: signs around Arabic numbers, and such."""
_lock = threading.Lock()


class UnknownFont(Exception):
    """No font of that family is here."""


@functools.lru_cache(maxsize=128)
def typeface(family: str, size: float) -> Font:
    """The font called `family` (or family and style, ``Inter Bold``), any case, at `size` pixels per em.

    Raises UnknownFont.
    """
    path = _bundled().get(family.casefold()) or _installed().get(family.casefold())
    if path is None:
        raise UnknownFont(family)
    return ImageFont.truetype(str(path), max(size, 1.0))


def has(font: Font, character: str) -> bool:
    """Whether the font has a glyph for the character, or the character shows nothing."""
    return ignorable(character) or _covers(str(font.path), ord(character))


def ignorable(character: str) -> bool:
    """Whether a character shows nothing of its own: spaces, controls, and what asks for a look (VS16)."""
    if "\ufe00" <= character <= "\ufe0f" or character.isspace():
        return True
    category = unicodedata.category(character)
    return category == "Cc" or (category == "Cf" and character not in _SHOWN_FORMATS)


def installed() -> Installed:
    """The folders with fonts as they are now, for `having`; looking takes longer than asking."""
    return tuple((path, _changed(path)) for top in _folders() for path in _tree(top))


def having(
    characters: Sequence[str], size: float, installed: Installed, *, pictured: bool = False
) -> tuple[Font, float] | None:
    """An installed font that has all the characters, and the factor that brings it to `size`; None without.

    Noto is asked first, script by script, then every other font. The factor is 1, but for fonts that hold
    pictures of one size (emoji); those come first where `pictured`.
    """
    if not characters:
        return None
    for path in _fallbacks(installed, pictured=pictured):
        if all(_covers(path, ord(character)) for character in characters):
            try:
                return _sized(path, size)
            except OSError:
                continue  # not a font that FreeType reads
    return None


@functools.lru_cache(maxsize=256)
def _sized(path: str, size: float) -> tuple[Font, float]:
    try:
        return ImageFont.truetype(path, max(size, 1.0)), 1.0
    except OSError:
        return ImageFont.truetype(path, PICTURE_SIZE), size / PICTURE_SIZE


def _fallbacks(installed: Installed, *, pictured: bool) -> Iterator[str]:
    preferred, others = _ranked(installed)
    yield from [path for path in preferred if _EMOJI in path] if pictured else ()
    yield from preferred
    yield from others


@functools.lru_cache(maxsize=1)
def _ranked(folders: Installed) -> tuple[list[str], list[str]]:
    """Files of installed fonts: those of `_SCRIPTS` in that order, and all others (upright ones first)."""
    files = [path for folder, _ in folders for path in _files(folder)]
    by_name = {path.name: str(path) for path in reversed(files)}
    preferred = [by_name[name] for name in _SCRIPTS if name in by_name]
    rest = sorted((str(path) for path in files), key=lambda path: ("Regular" not in path, path))
    return preferred, [path for path in rest if path not in set(preferred)]


def _covers(path: str, point: int) -> bool:
    ranges = _ranges(path)
    if ranges is None:
        return _differs(path, point)
    starts, ends = ranges
    index = bisect_right(starts, point) - 1
    return index >= 0 and point <= ends[index]


@functools.lru_cache(maxsize=4096)
def _ranges(path: str) -> tuple[list[int], list[int]] | None:
    """First and last code points of the ranges that the font has glyphs for, in order; None if compressed."""
    try:
        with open(path, "rb") as file:
            if file.read(4) in {b"wOFF", b"wOF2"}:
                return None
            file.seek(0)
            found = sorted(_mapped(file))
    except (OSError, struct.error, ValueError):
        found = []
    return [start for start, _ in found], [end for _, end in found]


@functools.lru_cache(maxsize=65536)
def _differs(path: str, point: int) -> bool:
    """Whether the glyph of a character is another than that of what no font has."""
    font = _small(path)
    return bytes(font.getmask(chr(point))) != bytes(font.getmask("\uffff"))


@functools.lru_cache(maxsize=16)
def _small(path: str) -> Font:
    return ImageFont.truetype(path, 24, layout_engine=ImageFont.Layout.BASIC)


def _mapped(file: BinaryIO) -> list[tuple[int, int]]:
    """The ranges of a font's cmap table (OpenType 1.9, formats 4 and 12); of a collection's first font."""
    base = 0
    head = file.read(16)
    if head[:4] == b"ttcf":
        (base,) = struct.unpack_from(">I", head, 12)
        file.seek(base)
        head = file.read(16)
    (tables,) = struct.unpack_from(">H", head, 4)
    file.seek(base + 12)
    directory = file.read(16 * tables)
    records = {directory[at : at + 4]: at for at in range(0, 16 * tables, 16)}
    offset, length = struct.unpack_from(">II", directory, records.get(b"cmap", 16 * tables) + 8)
    file.seek(offset)
    table = file.read(min(length, _LARGEST_CMAP))
    (count,) = struct.unpack_from(">H", table, 2)
    subtables = {struct.unpack_from(">HHI", table, 4 + 8 * number) for number in range(count)}
    ranges: dict[int, list[tuple[int, int]]] = {}
    for platform, _encoding, at in subtables:
        (form,) = struct.unpack_from(">H", table, at)
        if platform in (0, 3) and form in (4, 12):
            ranges[form] = _segments(table, at) if form == 4 else _groups(table, at)
    return ranges.get(12) or ranges.get(4) or []


def _segments(table: bytes, at: int) -> list[tuple[int, int]]:
    (double,) = struct.unpack_from(">H", table, at + 6)
    count = double // 2
    ends = struct.unpack_from(f">{count}H", table, at + 14)
    starts = struct.unpack_from(f">{count}H", table, at + 16 + double)
    return [(start, end) for start, end in zip(starts, ends, strict=True) if start <= end and start != 0xFFFF]


def _groups(table: bytes, at: int) -> list[tuple[int, int]]:
    (count,) = struct.unpack_from(">I", table, at + 12)
    numbers = struct.unpack_from(f">{3 * count}I", table, at + 16)
    return list(zip(numbers[0::3], numbers[1::3], strict=True))


def unshaped(text: str) -> bool:
    """Whether `text` has letters that want to be shaped (Arabic, Indic and such), and nobody shapes them."""
    return not SHAPES and _SHAPED.search(text) is not None


def figures() -> list[str] | None:
    """OpenType features for text whose digits must all be equally wide; None where shaping cannot do it."""
    return ["tnum"] if SHAPES else None


def _folders() -> list[Path]:
    """Where systems keep fonts, and users theirs (XDG Base Directory Specification)."""
    home = Path.home()
    return [
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / "fonts",
        home / ".fonts",
    ]


@functools.lru_cache(maxsize=1)
def _bundled() -> dict[str, Path]:
    return _index(sorted(Path(__file__).with_name("fonts").glob("*.ttf")))


def _installed() -> dict[str, Path]:
    """The fonts of the machine; those that came since the last question are found."""
    folders = installed()
    with _lock:  # the first question reads some hundred files; the second waits rather than doing it again
        return _scan(folders)


@functools.lru_cache(maxsize=1)
def _scan(folders: Installed) -> dict[str, Path]:
    return _index(path for folder, _ in folders for path in _files(folder))


def _tree(folder: Path) -> list[Path]:
    return [Path(path) for path, _, _ in os.walk(folder)]


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    except OSError:
        return []  # gone meanwhile, or not ours to read


def _index(paths: Iterable[Path]) -> dict[str, Path]:
    """Files by family, and by family and style; of several styles the plainest stands for the family."""
    found: dict[str, tuple[int, Path]] = {}
    for path in paths:
        try:
            family, style = ImageFont.truetype(str(path), 12).getname()
        except OSError:
            continue  # not a font that FreeType reads
        if not family:
            continue
        style = (style or "").casefold()
        rank = _PLAIN.index(style) if style in _PLAIN else len(_PLAIN)
        for name in (family.casefold(), f"{family} {style}".casefold()):
            if name not in found or rank < found[name][0]:
                found[name] = (rank, path)
    return {name: path for name, (_rank, path) in found.items()}
