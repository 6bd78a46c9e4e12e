"""Reads picture files, within bounds; what is wrong with one is told in a sentence."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vistterstream.playout.pieces import Unusable

MAX_PIXELS = 64_000_000
"""Pixels of the largest picture file that is opened: 8K twice over, 256 MB as RGBA."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_BROKEN = (  # what Pillow's decoders raise for broken files
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    struct.error,
    zlib.error,
)


def open_picture(path: Path, sha256: str | None = None) -> Image.Image:
    """The picture in the file, RGBA, turned as its Exif data say. Raises Unusable."""
    with _opened(path, sha256) as file:
        return _rgba(ImageOps.exif_transpose(file))


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of the picture in the file, as its head says them. Raises Unusable."""
    with _opened(path, None) as file:
        return file.size


def frames_of(path: Path, sha256: str | None) -> Iterator[tuple[Image.Image, float]]:
    """Each frame of a picture file, RGBA, and how long it is shown, in ms. Raises Unusable.

    What an APNG shows where nobody can play it may be no frame of it.
    """
    with _opened(path, sha256) as file:
        first = 1 if getattr(file, "default_image", False) else 0
        if first and "A" in file.getbands():
            file.paste((0,) * len(file.getbands()), (0, 0, *file.size))  # what its frames are laid over
        for number in range(first, getattr(file, "n_frames", 1)):
            file.seek(number)
            frame = _rgba(file)
            duration = float(file.info.get("duration") or 0)
            yield frame, duration if duration > 10 else 100.0


def _rgba(picture: Image.Image) -> Image.Image:
    """The picture as RGBA; one of 16 bits is scaled, which `convert` does not do."""
    if not picture.mode.startswith("I"):
        return picture.convert("RGBA")
    values = np.clip(np.asarray(picture), 0, 65535).astype(np.uint32)
    scaled = Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8)).convert("RGBA")
    if isinstance(clear := picture.info.get("transparency"), int):
        scaled.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
    return scaled


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
    except _BROKEN as error:
        raise Unusable(f"The picture {path} cannot be read ({error}); save it anew.") from error


def _check_digest(path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256.lower():
        raise Unusable(
            f"The picture {path} is another than the manifest wants: its SHA-256 is {found}. "
            "Put the right file there, or change sha256."
        )
