"""Transitions: one picture becomes the next, on YUV planes, into a frame that is there already.

A wipe with a hard edge is a copy: its edge stands on an even column or row, so that each chroma sample (2×2
pixels) belongs to one of the pictures. Slides and pushes move by whole pixels. `Transitions` has scratch
memory and is for one thread; what it makes depends on its arguments alone.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from vistterstream.playout.frames import HALF, Bytes, Frame, Words, to_yuv
from vistterstream.resources.timeline import Direction, TransitionType
from vistterstream.timeline.plan import TransitionPlan

_BAND = 1 << 16  # samples mixed at a time, so that what is read twice is still in the processor's cache


class Transitions:
    """Makes the frames of transitions of one size."""

    def __init__(self) -> None:
        self._light: Words = np.empty(_BAND, np.uint16)
        self._dark: Words = np.empty(_BAND, np.uint16)
        self._solid: Frame | None = None  # of one colour
        self._color = ""

    def blend(
        self, out: Frame, base: Frame, incoming: Frame, mix: float, how: TransitionPlan | None = None
    ) -> None:
        """Make `out` the picture between `base` (at `mix` 0) and `incoming` (at 1); a crossfade where `how`
        is None. The three have one size; `out` is neither of the others, except in a crossfade, where it
        may be.
        """
        if how is None or how.type is TransitionType.CROSSFADE:
            cv2.addWeighted(base.data, 1.0 - mix, incoming.data, mix, 0.0, dst=out.data)
        elif how.type is TransitionType.FADE_THROUGH_BLACK:
            self._through_color(out, base, incoming, mix, how.color)
        elif how.type is TransitionType.WIPE:
            self._wipe(out, base, incoming, mix, how)
        else:
            _move(out, base, incoming, mix, how.direction, both=how.type is TransitionType.PUSH)

    def _through_color(self, out: Frame, base: Frame, incoming: Frame, mix: float, color: str) -> None:
        """Out to the colour in the first half, in from it in the second."""
        solid = self._of_color(out, color)
        if mix < 0.5:
            cv2.addWeighted(base.data, 1.0 - 2 * mix, solid.data, 2 * mix, 0.0, dst=out.data)
        else:
            cv2.addWeighted(solid.data, 2 - 2 * mix, incoming.data, 2 * mix - 1, 0.0, dst=out.data)

    def _of_color(self, like: Frame, color: str) -> Frame:
        if self._solid is None or self._color != color or self._solid.data.shape != like.data.shape:
            if self._solid is None or self._solid.data.shape != like.data.shape:
                self._solid = Frame(like.width, like.height)
            self._solid.fill(_yuv(color))
            self._color = color
        return self._solid

    def _wipe(self, out: Frame, base: Frame, incoming: Frame, mix: float, how: TransitionPlan) -> None:
        across = how.direction in (Direction.LEFT, Direction.RIGHT)
        length = out.width if across else out.height
        backwards = how.direction in (Direction.LEFT, Direction.UP)
        edge, band = mix * (1 + how.softness), how.softness * length
        if band < 2:  # a softer edge than two pixels is none
            covered = even(mix * length)
            start, stop = (length - covered, length) if backwards else (0, covered)
            _split(out, base, incoming, start, stop, across)
            return
        # The soft band lies between the columns that are all new and those that are all old.
        new = min(max(int((edge - how.softness) * length) // 2 * 2, 0), length)
        old = min(max(-(-int(np.ceil(edge * length)) // 2) * 2, 0), length)
        first, last = (length - old, length - new) if backwards else (new, old)
        start, stop = (length - new, length) if backwards else (0, new)
        _split(out, base, incoming, start, stop, across)
        for plane, other, mine, step in (
            (out.y, base.y, incoming.y, 1),
            (out.u, base.u, incoming.u, 2),
            (out.v, base.v, incoming.v, 2),
        ):
            window = slice(first // step, last // step)
            part = (slice(None), window) if across else (window, slice(None))
            # Middles of the samples, as a share of the way that the edge goes.
            centres = (np.arange(window.start, window.stop) + 0.5) * step / length
            shares = np.clip((edge - (1 - centres if backwards else centres)) / how.softness, 0, 1)
            weights = np.floor(shares * 255 + 0.5).astype(np.uint16)
            self._weigh(plane[part], other[part], mine[part], weights if across else weights[:, None])

    def _weigh(self, out: Bytes, base: Bytes, incoming: Bytes, weights: Words) -> None:
        """Out = round((base * (255 - w) + incoming * w) / 255), exactly.

        `weights` is a row for all rows, or a column for all columns.
        """
        height, width = out.shape
        if not height or not width:
            return
        rests = np.uint16(255) - weights
        rows = max(_BAND // width, 1)
        for top in range(0, height, rows):
            band = slice(top, min(top + rows, height))
            shape = (band.stop - top, width)
            light = self._light[: shape[0] * width].reshape(shape)
            dark = self._dark[: light.size].reshape(shape)
            one_row = weights.ndim == 1
            np.multiply(incoming[band], weights if one_row else weights[band], out=light)
            np.multiply(base[band], rests if one_row else rests[band], out=dark)
            light += dark
            light += np.uint16(HALF)
            light //= np.uint16(255)
            np.copyto(out[band], light, casting="unsafe")


def even(length: float) -> int:
    """The even number nearest to `length`."""
    return 2 * int(length / 2 + 0.5)


def _split(out: Frame, base: Frame, incoming: Frame, start: int, stop: int, across: bool) -> None:
    """`incoming` from column (or row) `start` to `stop`, even numbers, `base` in the rest."""
    for target, old, new, step in (
        (out.y, base.y, incoming.y, 1),
        (out.u, base.u, incoming.u, 2),
        (out.v, base.v, incoming.v, 2),
    ):
        first, last = start // step, stop // step
        if across:
            target[:, :first] = old[:, :first]
            target[:, first:last] = new[:, first:last]
            target[:, last:] = old[:, last:]
        else:
            target[:first] = old[:first]
            target[first:last] = new[first:last]
            target[last:] = old[last:]


def _move(out: Frame, base: Frame, incoming: Frame, mix: float, direction: Direction, *, both: bool) -> None:
    """`incoming` comes in from the side that `direction` leads away from; with `both`, `base` goes out.

    They stand on whole pixels. On an odd one each chroma sample is the mean of the two that it comes to lie
    between, and that at the seam of one of each picture.
    """
    across = direction in (Direction.LEFT, Direction.RIGHT)
    covered = int(mix * (out.width if across else out.height) + 0.5)
    backwards = direction in (Direction.LEFT, Direction.UP)
    for target, old, new, step in (
        (out.y, base.y, incoming.y, 1),
        (out.u, base.u, incoming.u, 2),
        (out.v, base.v, incoming.v, 2),
    ):
        planes = _Moved(target, old, new, across=across, both=both)
        come, odd = divmod(covered, step)
        if odd:
            planes.backwards_between(come) if backwards else planes.forwards_between(come)
        elif backwards:
            planes.backwards(come)
        else:
            planes.forwards(come)


class _Moved:
    """Planes of a slide or push, along columns if `across`, else along rows; the old moves too if `both`."""

    def __init__(self, target: Bytes, old: Bytes, new: Bytes, *, across: bool, both: bool) -> None:
        self._target, self._old, self._new = target, old, new
        self._across, self._both = across, both
        self._size = target.shape[1 if across else 0]

    def backwards(self, come: int) -> None:
        """`come` samples of the new have come in at the end."""
        stay = self._size - come
        first = come if self._both else 0
        self._copy(0, stay, self._old, first)
        self._copy(stay, self._size, self._new, 0)

    def forwards(self, come: int) -> None:
        """`come` samples of the new have come in at the beginning."""
        self._copy(come, self._size, self._old, 0 if self._both else come)
        self._copy(0, come, self._new, self._size - come)

    def backwards_between(self, come: int) -> None:
        """The same, half a sample farther."""
        seam, last = self._size - come - 1, self._size - 1
        self._mean(seam + 1, self._size, self._new, 0)
        if self._both:
            self._mean(0, seam, self._old, come)
        else:
            self._copy(0, seam, self._old, 0)
        self._mix(seam, last if self._both else seam, 0)

    def forwards_between(self, come: int) -> None:
        """The same, half a sample farther."""
        last = self._size - 1
        self._mean(0, come, self._new, last - come)
        if self._both:
            self._mean(come + 1, self._size, self._old, 0)
        else:
            self._copy(come + 1, self._size, self._old, come + 1)
        self._mix(come, 0 if self._both else come, last)

    def _part(self, plane: Bytes, first: int, count: int) -> Bytes:
        part = slice(first, first + count)
        return plane[:, part] if self._across else plane[part]

    def _copy(self, start: int, stop: int, source: Bytes, first: int) -> None:
        """Samples `start` to `stop` are those of `source` from `first` on."""
        self._part(self._target, start, stop - start)[:] = self._part(source, first, stop - start)

    def _mean(self, start: int, stop: int, source: Bytes, first: int) -> None:
        """They are the means of those of `source` from `first` on and of their successors."""
        count = stop - start
        if count > 0:
            one, other = self._part(source, first, count), self._part(source, first + 1, count)
            cv2.addWeighted(one, 0.5, other, 0.5, 0.0, dst=self._part(self._target, start, count))

    def _mix(self, seam: int, old: int, new: int) -> None:
        """Sample `seam` is the mean of one of each picture."""
        one, other = self._part(self._old, old, 1), self._part(self._new, new, 1)
        self._part(self._target, seam, 1)[:] = (one.astype(np.uint16) + other + 1) // 2


@lru_cache(maxsize=64)
def _yuv(color: str) -> tuple[int, int, int]:
    return to_yuv(int(color[start : start + 2], 16) for start in (1, 3, 5))
