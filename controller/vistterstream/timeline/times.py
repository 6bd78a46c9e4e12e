"""Times of overlays at the rate of a program: what their models could not check. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise

from vistterstream.resources.overlay import Layer, Track, every_layer
from vistterstream.resources.quantities import TimelinePosition

Path = tuple[str | int, ...]
Wrong = tuple[Path, str]
"""The path of a field, and a sentence that says what is wrong with it."""


def mistimed(layers: Iterable[Layer], rate: Fraction) -> Iterator[Wrong]:
    """The times in the layers that are none at `rate`, or not in order there."""
    for path, layer in every_layer(layers):
        for index, track in enumerate(layer.tracks):
            yield from _of_track(track, (*path, "tracks", index, "keyframes"), rate)
        for name, part in (("enter", layer.enter), ("exit", layer.exit), ("countdown", layer.countdown)):
            if part is not None and part.duration is not None:
                yield from _of_time(part.duration, (*path, name, "duration"), rate)


def _of_track(track: Track, path: Path, rate: Fraction) -> Iterator[Wrong]:
    wrong = [
        problem
        for index, keyframe in enumerate(track.keyframes)
        for problem in _of_time(keyframe.at, (*path, index, "at"), rate)
    ]
    yield from wrong
    if wrong:
        return
    for index, (before, keyframe) in enumerate(pairwise(track.keyframes), 1):
        if keyframe.at.frames(rate) <= before.at.frames(rate):
            yield (*path, index, "at"), keyframe.too_early(before)


def _of_time(time: TimelinePosition, path: Path, rate: Fraction) -> Iterator[Wrong]:
    try:
        time.frames(rate)
    except ValueError as error:
        yield path, str(error)
