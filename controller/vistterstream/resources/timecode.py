"""Timecode: frames counted in hours, minutes, seconds and frames (SMPTE ST 12-1). Whole numbers only.

Timecode counts as if the rate were the whole number above it (30 for 30000/1001). Drop-frame timecode
leaves out frame *numbers*, never frames, so that it keeps up with the clock: at 30000/1001 the numbers 00
and 01 of each minute that is no multiple of ten, at 60000/1001 the numbers 00 to 03 (ST 12-1, 5.2.2 and
ST 12-3). It is written with a semicolon before the frames.
"""

from __future__ import annotations

from fractions import Fraction

DROP_RATES = {Fraction(30000, 1001): 2, Fraction(60000, 1001): 4}
"""Rates that have drop-frame timecode, with the numbers that a minute leaves out."""


def nominal(rate: Fraction) -> int:
    """The whole number of frames that a second of timecode has at `rate`."""
    return -(-rate.numerator // rate.denominator)


def frame_of(hours: int, minutes: int, seconds: int, frames: int, rate: Fraction, *, drop: bool) -> int:
    """The frame, from 0, that has this timecode; raises ValueError with a sentence where none has."""
    whole = nominal(rate)
    if frames >= whole:
        raise ValueError(
            f"has frame number {frames}; a second has the numbers 00 to {whole - 1:02} at {_text(rate)}"
        )
    total = 60 * hours + minutes
    number = (total * 60 + seconds) * whole + frames
    if not drop:
        return number
    dropped = DROP_RATES.get(rate)
    if dropped is None:
        raise ValueError(
            f"is drop-frame timecode (with a semicolon), which {_text(rate)} does not have; only 30000/1001 "
            "and 60000/1001 do. Write a colon before the frames"
        )
    if frames < dropped and seconds == 0 and minutes % 10:
        raise ValueError(
            f"is left out by drop-frame timecode; the minute begins at "
            f"{hours:02}:{minutes:02}:00;{dropped:02}"
        )
    return number - dropped * (total - total // 10)


def text_of(frame: int, rate: Fraction, *, drop: bool = False) -> str:
    """The timecode of `frame` (from 0), as ``01:02:03:04`` or with `drop` as ``01:02:03;04``.

    The inverse of `frame_of`; raises ValueError for `drop` at a rate that has no drop-frame timecode.
    """
    whole = nominal(rate)
    number = frame
    if drop:
        dropped = DROP_RATES.get(rate)
        if dropped is None:
            raise ValueError(f"there is no drop-frame timecode at {_text(rate)}")
        minute, ten = 60 * whole - dropped, 600 * whole - 9 * dropped  # frames of a short minute, of ten
        tens, rest = divmod(frame, ten)
        number += dropped * (9 * tens + max((rest - dropped) // minute, 0))
    seconds, frames = divmod(number, whole)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{';' if drop else ':'}{frames:02}"


def _text(rate: Fraction) -> str:
    return f"{rate} frames a second"
