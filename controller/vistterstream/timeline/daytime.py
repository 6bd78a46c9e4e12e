"""The time of day in frames: timecode as the clock on a wall has it, exact for every frame. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from vistterstream.resources.timecode import DROP_RATES, frame_of, text_of
from vistterstream.timeline.evaluate import round_half_up

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000_000
_DAY = 86400 * _SECOND


def timecode_of(frame: int, rate: Fraction) -> str:
    """The timecode of a frame, drop-frame at the rates that have it (SMPTE ST 12-1)."""
    return text_of(frame, rate, drop=rate in DROP_RATES)


def timecode_of_day(number: int, rate: Fraction, epoch_wall_ns: int, zone: ZoneInfo) -> str:
    """The time of day of program frame `number` as timecode; what is left of a day after its last number
    begins again at 00:00:00:00, until midnight does.

    `epoch_wall_ns` is the Unix time, in ns, of program frame 0.
    """
    frames = frame_of(24, 0, 0, 0, rate, drop=rate in DROP_RATES)
    return timecode_of(frames_since_midnight(number, rate, epoch_wall_ns, zone) % frames, rate)


def frames_since_midnight(number: int, rate: Fraction, epoch_wall_ns: int, zone: ZoneInfo) -> int:
    """Frames from the one nearest to the last midnight of the clock on the wall to frame `number`.

    Where that clock has been put forward or back since, as many as it shows.
    """
    microseconds = (epoch_wall_ns * rate.numerator + number * _SECOND * rate.denominator) // (
        1000 * rate.numerator
    )
    offset = (_EPOCH + timedelta(microseconds=microseconds)).astimezone(zone).utcoffset()
    assert offset is not None, "it has a zone"
    start = epoch_wall_ns + offset // timedelta(microseconds=1) * 1000  # of frame 0, by that clock

    def first(day: int) -> int:
        return round_half_up(Fraction(day * _DAY - start, _SECOND) * rate)

    day = (start * rate.numerator + number * _SECOND * rate.denominator) // (_DAY * rate.numerator)
    if number >= first(day + 1):
        day += 1
    elif number < first(day):
        day -= 1
    return number - first(day)
