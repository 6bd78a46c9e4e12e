"""Reads picture files, within bounds; what is wrong with one is told in a sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from vistterstream.playout.pieces import Unusable

MAX_PIXELS = 64_000_000
"""Pixels of the largest picture file that is opened: 8K twice over, 256 MB as RGBA."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


def open_picture(path: Path, sha256: str | None = None) -> Image.Image:
    """The picture in the file, RGBA, turned as its Exif data say. Raises Unusable."""
    with _opened(path, sha256) as file:
        return ImageOps.exif_transpose(file).convert("RGBA")


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of the picture in the file, as its head says them. Raises Unusable."""
    with _opened(path, None) as file:
        return file.size


def frames_of(path: Path, sha256: str | None) -> Iterator[tuple[Image.Image, float]]:
    """Each frame of a picture file, RGBA, and how long it is shown, in ms. Raises Unusable."""
    with _opened(path, sha256) as file:
        for number in range(getattr(file, "n_frames", 1)):
            file.seek(number)
            frame = file.convert("RGBA")
            duration = float(file.info.get("duration") or 0)
            yield frame, duration if duration > 10 else 100.0


def stamp_of(path: Path) -> str:
    """Changes when the file does (its date and size); empty where there is none."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{status.st_mtime_ns}:{status.st_size}"


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
