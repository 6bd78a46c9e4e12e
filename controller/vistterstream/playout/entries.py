"""When something comes on air or goes: each cue, overlay and sound, also when the same comes again; and when
the timeline is stopped, sent elsewhere, or goes on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from vistterstream.playout.stage import Choice, Made


@dataclass(frozen=True, slots=True)
class Change:
    """What is different from a frame on. Overlays are named from the bottom up, sounds by their files."""

    shown: Choice
    overlays: tuple[str, ...]
    entered: tuple[str, ...]
    left: tuple[str, ...]
    sounds: tuple[str, ...] = ()
    fresh: bool = True
    """Whether it shows another source, or the same for another reason, than the frame before."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An overlay that is shown: in which round of the timeline, and since which of its frames."""

    name: str
    round: int
    start: int


class Entries:
    """Told each frame that is made, it finds those that show something that the one before did not.

    For the clock thread. A cue or an overlay that comes again (in a loop, or right after itself) is new; a
    position that goes back is a new round of the timeline.
    """

    def __init__(self) -> None:
        self._round = 0
        self._position = 0
        self._shown: tuple[object, ...] | None = None
        self._choice: Choice | None = None
        self._overlays: tuple[_Entry, ...] = ()

    def note(self, number: int, made: Made, names: Mapping[str, str]) -> Change | None:
        """What program frame `number` changes, if anything; `names` are of the overlay instances, by id."""
        position = made.position or 0
        if made.position is not None:
            self._round += position < self._position
            self._position = position
        cue = None if made.cue.cue is None else (self._round, made.cue.cue)
        overlays = tuple(
            _Entry(names[instance], self._round, position - age) for instance, age in made.cue.overlays
        )
        sounds = tuple((bed.cue.file, number - bed.age) for bed in made.along)
        shown = (made.shown, cue, overlays, sounds, made.playback)
        if shown == self._shown:
            return None
        before, self._overlays, self._shown = self._overlays, overlays, shown
        last, self._choice = self._choice, made.shown
        return Change(
            made.shown,
            tuple(entry.name for entry in overlays),
            entered=_without(overlays, before),
            left=_without(before, overlays),
            sounds=tuple(os.path.basename(file) for file, _ in sounds),
            fresh=last != made.shown,
        )


def _without(some: tuple[_Entry, ...], others: tuple[_Entry, ...]) -> tuple[str, ...]:
    """The names of `some` that `others` lacks; each counts as often as it is there."""
    rest, found = list(others), []
    for entry in some:
        if entry in rest:
            rest.remove(entry)
        else:
            found.append(entry.name)
    return tuple(found)
