"""What a frame is to an overlay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame, as an overlay sees it: frames since it entered, and of its cue (None: it never ends); the
    program's frame number and its time of day, with a zone.
    """

    age: int
    length: int | None
    number: int
    wall: datetime
