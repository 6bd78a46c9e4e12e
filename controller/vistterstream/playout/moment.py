"""What a frame is to an overlay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame, as an overlay sees it: frames since it entered, and of its cue (None: it never ends); the
    program's frame number and its time of day, with a zone; the frame of the timeline, and the Unix time of
    program frame 0 in ns, for clocks that count frames.
    """

    age: int
    length: int | None
    number: int
    wall: datetime
    position: int | None = None
    epoch_ns: int = 0
