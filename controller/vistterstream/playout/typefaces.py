"""Finds fonts by family name: the bundled Inter, then those installed on the machine.

Inter (https://rsms.me/inter, SIL Open Font License 1.1, see ``fonts/OFL.txt``) comes as package data in
Regular and Bold, cut down to Latin, Greek, Cyrillic and common signs.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterable
from pathlib import Path

from PIL import ImageFont, features

DEFAULT_FAMILY = "Inter"

Font = ImageFont.FreeTypeFont

_SUFFIXES = {".ttf", ".otf", ".ttc"}
_PLAIN = ("regular", "book", "roman", "normal", "medium")  # styles that stand for a family, the best first
_RAQM = features.check("raqm")
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


def figures() -> list[str] | None:
    """OpenType features for text whose digits must all be equally wide; None where shaping cannot do it."""
    return ["tnum"] if _RAQM else None


def _folders() -> list[Path]:
    home = Path.home()
    return [
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        home / ".local/share/fonts",
        home / ".fonts",
    ]


@functools.lru_cache(maxsize=1)
def _bundled() -> dict[str, Path]:
    return _index(sorted(Path(__file__).with_name("fonts").glob("*.ttf")))


def _installed() -> dict[str, Path]:
    """The fonts of the machine; those that came since the last question are found."""
    folders = tuple((path, _changed(path)) for top in _folders() for path in _tree(top))
    with _lock:  # the first question reads some hundred files; the second waits rather than doing it again
        return _scan(folders)


@functools.lru_cache(maxsize=1)
def _scan(folders: tuple[tuple[Path, int], ...]) -> dict[str, Path]:
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
