"""Numbered pictures, shown one after the other: read while they are shown, some frames ahead.

What has been read is kept, as far as it takes no more than `CACHE_BYTES`: a short sequence that loops is read
once. A number that is missing, or a picture that cannot be read any more, shows the one before.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from vistterstream.base.numbered import numbered
from vistterstream.playout.geometry import EVERYWHERE, View
from vistterstream.playout.images import scaled, stand_in
from vistterstream.playout.masks import masked
from vistterstream.playout.moment import Moment
from vistterstream.playout.moving import State, finer_for, posable
from vistterstream.playout.pictures import open_picture, size_of
from vistterstream.playout.pieces import Bounds, Piece, Tell, Unusable
from vistterstream.playout.plates import Patch, looks_of
from vistterstream.playout.room import Room
from vistterstream.playout.sprites import Looks
from vistterstream.resources.overlay import ImageLayer, Layer, Play
from vistterstream.timeline.tracks import Motion

CACHE_BYTES = 64 * 2**20
"""Memory that the pictures of one sequence may take."""
MAX_PICTURES = 10_000
_PIXEL = 16  # bytes of what moves: the room is counted in such pixels


class PictureSequence:
    """A layer of numbered pictures. Any thread may ask."""

    def __init__(
        self,
        layer: Layer,
        image: ImageLayer,
        motion: Motion,
        view: View,
        rate: Fraction,
        room: Room,
        tell: Tell,
    ) -> None:
        """Looks which pictures there are, and reads the first. Raises Unusable."""
        assert image.sequence is not None, "it is for sequences"
        self._layer, self._image, self._motion, self._view = layer, image, motion, view
        self._fine = view.finer(finer_for(motion))
        self._bounds = Bounds(view.whole if motion.still else EVERYWHERE)
        self._play, self._share = image.played, (image.rate.fraction if image.rate else rate) / rate
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, Piece | None] = OrderedDict()
        self._paths = _without_gaps(Path(image.sequence), tell)
        if self._paths:
            self._first = self._read(0, tell)
            kept = min(_bytes(self._first) * len(set(self._paths)), CACHE_BYTES)
            room.take_moving(kept // _PIXEL)
            return
        sentence = f"There are no pictures {image.sequence}; put them there, or name others in the manifest."
        if image.fallback is None:
            raise Unusable(sentence)
        tell(sentence)
        self._paths, self._play = [Path()], Play.STILL
        self._first = self._cut(stand_in(image, image.fallback, self._fine), tell)

    @property
    def constant(self) -> bool:
        """Whether it looks the same in every frame."""
        return self._play is Play.STILL and self._motion.constant

    def state(self, moment: Moment) -> State:
        """All that it depends on at that moment."""
        return State(self._motion.at(moment.age, moment.length), self._at(moment.age))

    def looks(self, state: Hashable) -> Looks:
        """The same as `patch`, ready for blending."""
        return looks_of(self.patch(state))

    def patch(self, state: Hashable) -> Patch | None:
        """What it looks like in that state."""
        assert isinstance(state, State), "it is what `state` gave"
        pose, index = state
        piece = self._piece(index)
        if piece is None:
            return None
        return posable(piece, self._layer, self._motion, self._view, planar=False).patch(pose)

    def _at(self, age: int) -> int:
        """Which of the pictures is shown."""
        count, number = len(self._paths), int(max(age, 0) * self._share)
        if self._play is Play.STILL:
            return 0
        if self._play is Play.LOOP:
            return number % count
        if self._play is Play.PING_PONG:
            number %= 2 * count
            return number if number < count else 2 * count - 1 - number
        return min(number, count - 1)

    def _piece(self, index: int) -> Piece | None:
        """The picture, or the last one before it that can be read."""
        while index:
            while index and self._paths[index - 1] == self._paths[index]:
                index -= 1  # where there is none, the path is that of the one before
            with self._lock:
                if index in self._kept:
                    self._kept.move_to_end(index)
                    return self._kept[index]
            try:
                piece = self._read(index, _told)
            except (Unusable, OSError, ValueError, MemoryError):
                index -= 1
                continue
            self._keep(index, piece)
            return piece
        return self._first

    def _keep(self, index: int, piece: Piece | None) -> None:
        """Let go of what was used longest ago where there is no room."""
        with self._lock:
            self._kept[index] = piece
            while len(self._kept) > 1 and sum(map(_bytes, self._kept.values())) > CACHE_BYTES:
                self._kept.popitem(last=False)

    def _read(self, index: int, tell: Tell) -> Piece | None:
        return self._cut(open_picture(self._paths[index]), tell)

    def _cut(self, picture: Image.Image, tell: Tell) -> Piece | None:
        """As much of the picture as is seen, in its size."""
        drawn = scaled(picture, self._image, self._layer.position, self._fine, self._bounds)
        return None if drawn is None else _trimmed(masked(drawn, self._layer.mask, self._fine, tell))


def _without_gaps(pattern: Path, tell: Tell) -> list[Path]:
    """A path for each number from the first to the last; what is missing, or no picture, is told."""
    paths: list[Path] = []
    missing: list[int] = []
    found = numbered(pattern)
    for number, path in _each(found):
        if len(paths) == MAX_PICTURES:
            tell(f"The sequence {pattern} is cut off after {MAX_PICTURES} pictures.")
            break
        if path is not None and _readable(path):
            paths.append(path)
        else:
            missing.append(number)
            if paths:
                paths.append(paths[-1])
    if missing and paths:
        some = ", ".join(map(str, missing[:5])) + (" and others" if len(missing) > 5 else "")
        what = "1 picture is" if len(missing) == 1 else f"{len(missing)} pictures are"
        tell(
            f"Of the sequence {pattern}, {what} missing or cannot be read ({some}); the "
            "one before is shown instead."
        )
    return paths


def _each(found: dict[int, Path]) -> Iterator[tuple[int, Path | None]]:
    """Every number from the first to the last, with its file."""
    numbers = list(found)
    for number, following in pairwise([*numbers, numbers[-1] + 1] if numbers else []):
        yield number, found[number]
        for missing in range(number + 1, min(following, number + 1 + MAX_PICTURES)):
            yield missing, None


def _readable(path: Path) -> bool:
    """Whether it looks like a picture; it is not decoded."""
    try:
        size_of(path)
    except Unusable:
        return False
    return True


def _trimmed(piece: Piece) -> Piece | None:
    """Without the edges that are transparent."""
    alpha = piece.rgba[..., 3]
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not len(rows):
        return None
    top, bottom, left, right = (int(edge) for edge in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    seen = piece.seen._replace(
        x=piece.seen.x + left, y=piece.seen.y + top, width=right - left, height=bottom - top
    )
    return Piece(np.ascontiguousarray(piece.rgba[top:bottom, left:right]), seen, piece.box)


def _bytes(piece: Piece | None) -> int:
    return 0 if piece is None else piece.rgba.nbytes


def _told(_sentence: str) -> None:
    """What is wrong with the mask is told for the first picture alone."""
