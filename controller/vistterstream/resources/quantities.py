"""Values with units, written as strings in manifests and kept as the user wrote them.

Each type is a ``str`` (so that what was written is what is shown again) that has been checked and that
knows its exact value as an integer or a fraction. Nothing here ever becomes a float. The patterns are such
that RE2, which Kubernetes uses, reads them too.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from vistterstream.resources.messages import shown
from vistterstream.resources.timecode import frame_of

_DURATION_PART = re.compile(r"([0-9]+)(?:\.([0-9]+))?(ms|h|m|s)")
_DURATION_UNITS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}  # in ms
_BILLION = 10**9

TICKS = 1000 * _BILLION
"""A duration is a whole number of parts of a second, of so many: it has nine digits behind a millisecond."""


class Quantity(str):
    """A checked string with an exact value; subclasses say which strings are good."""

    __slots__ = ()

    pattern: ClassVar[str]
    example: ClassVar[str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the quantity written as `text`; raise ValueError with a sentence that helps."""
        if len(text) > 64 or not re.fullmatch(cls.pattern, text):
            raise ValueError(f"{shown(text)} is not {cls.example}")
        value = cls(text)
        value.check()
        return value

    def check(self) -> None:
        """Raise ValueError where the form is right but the value is not."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls.parse,
            core_schema.custom_error_schema(
                core_schema.str_schema(),
                custom_error_type="quantity_type",
                custom_error_message=f"must be {cls.example}, in quotes",
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(str),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{cls.pattern}$", "minLength": 1, "maxLength": 64}


def ticks_of_a_frame(rate: Fraction) -> int:
    """What a frame at `rate` has of the ticks that `TimelinePosition.ticks` counts."""
    return TICKS * rate.denominator


class Duration(Quantity):
    """A length of time: ``250ms``, ``1m30s``, ``2h``. Exact, in seconds as a fraction."""

    __slots__ = ()
    pattern = "".join(rf"([0-9]{{1,9}}(\.[0-9]{{1,9}})?{unit})?" for unit in ("h", "m", "s", "ms"))
    example = "a duration such as 250ms, 10s or 1m30s"

    def check(self) -> None:
        """Refuse what is out of range."""
        if not self:
            raise ValueError(f"an empty string is not {self.example}")

    @property
    def seconds(self) -> Fraction:
        """The length in seconds."""
        return _seconds(str(self))

    @classmethod
    def of(cls, seconds: Fraction | float) -> Duration:
        """That many seconds, not below 0, to the nearest millisecond: ``1m30s``, ``2.5s``."""
        whole, rest = divmod(math.floor(seconds * 1000 + Fraction(1, 2)), 1000)
        parts = [(whole // 3600, "h"), (whole // 60 % 60, "m")]
        text = "".join(f"{number}{unit}" for number, unit in parts if number)
        last = f"{whole % 60}.{rest:03}".rstrip("0").rstrip(".")
        return cls(text + (f"{last}s" if last != "0" or not text else ""))


@lru_cache(maxsize=1024)  # asked for with every frame
def _seconds(text: str) -> Fraction:
    return Fraction(_parts_of_a_second(text), TICKS)


@lru_cache(maxsize=16384)
def _parts_of_a_second(text: str) -> int:
    """A duration in parts of a second, of `TICKS`."""
    found = 0
    for whole, part, unit in _DURATION_PART.findall(text):
        billionths = int(whole) * _BILLION + (int(part.ljust(9, "0")) if part else 0)
        found += billionths * _DURATION_UNITS[unit]
    return found


def between(least: str, most: str) -> AfterValidator:
    """Allows durations from `least` to `most`, which are durations themselves."""
    bounds = Duration.parse(least).seconds, Duration.parse(most).seconds

    def check(value: Duration) -> Duration:
        if not bounds[0] <= value.seconds <= bounds[1]:
            raise ValueError(f"{str(value)!r} is not between {least} and {most}")
        return value

    return AfterValidator(check)


_SOMETHING = re.compile("[1-9]")


class TimelinePosition(Quantity):
    """A time on a timeline, or a length of one: a duration, frames (``120f``) or timecode.

    Timecode is ``00:01:23:12``, or drop-frame ``00:01:23;12`` at the rates that have it. What frames and
    timecode mean depends on the rate of the program, so `frames` is asked when a plan is made.
    """

    __slots__ = ()
    pattern = rf"({Duration.pattern}|[0-9]{{1,15}}f|[0-9]{{2,7}}:[0-5][0-9]:[0-5][0-9][:;][0-9]{{2,3}})"
    example = "a time such as 1m30s, 120f (frames) or 00:01:23:12 (timecode)"

    def check(self) -> None:
        """Refuse what is no time at any rate."""
        if not self:
            raise ValueError(f"an empty string is not {self.example}")
        if ";" in self and re.fullmatch(r"[0-9]+:[0-9][1-9]:00;0[01]", self):
            raise ValueError(
                f"{shown(self)} is left out by drop-frame timecode; write {self[:-1]}2 "
                "for the first frame of the minute at 30000/1001, ;04 at 60000/1001"
            )

    @property
    def seconds(self) -> Fraction | None:
        """The time in seconds, exact; None where it depends on the rate."""
        if self[-1] == "f" or ":" in self:
            return None
        return Duration(self).seconds

    @property
    def parts(self) -> int | None:
        """The same in parts of a second, of `TICKS`: for sums of thousands."""
        return None if self[-1] == "f" or ":" in self else _parts_of_a_second(self)

    @property
    def zero(self) -> bool:
        """Whether it is no time at all."""
        return _SOMETHING.search(self) is None

    def frames(self, rate: Fraction) -> Fraction:
        """The time in frames at `rate`, exact and not rounded; raises ValueError with a sentence."""
        return _frames(self, rate.numerator, rate.denominator)

    def ticks(self, rate: Fraction) -> int:
        """The time as `frames` has it, in ticks, of which a frame has `ticks_of_a_frame`: every time at a
        rate is a whole number of them, and sums of thousands are made ten times as fast as of fractions.
        """
        return _ticks(self, rate.numerator, rate.denominator)


@lru_cache(maxsize=16384)
def _ticks(text: str, numerator: int, denominator: int) -> int:
    if ":" not in text and text[-1] != "f":
        return _parts_of_a_second(text) * numerator
    return _frames(text, numerator, denominator).numerator * TICKS * denominator  # whole frames


@lru_cache(maxsize=4096)
def _frames(text: str, numerator: int, denominator: int) -> Fraction:
    """`text` in frames at the rate; the cues of a long timeline have few different lengths."""
    rate = Fraction(numerator, denominator)
    if text[-1] == "f":
        return Fraction(int(text[:-1]))
    if ":" not in text:
        return Duration(text).seconds * rate
    hours, minutes, seconds, frames = (int(part) for part in re.split("[:;]", text))
    try:
        return Fraction(frame_of(hours, minutes, seconds, frames, rate, drop=";" in text))
    except ValueError as error:
        raise ValueError(f"{shown(text)} {error}") from None


def _some_time(value: TimelinePosition) -> TimelinePosition:
    if value.zero:
        raise ValueError(f"{str(value)!r} is no time at all; it must be longer than 0s")
    return value


PositiveTimelinePosition = Annotated[TimelinePosition, AfterValidator(_some_time)]
"""A length of time longer than nothing."""


def follows(later: TimelinePosition, earlier: TimelinePosition) -> bool | None:
    """Whether `later` is after `earlier`; None where that depends on the rate."""
    for sort in (lambda time: time.seconds, lambda time: int(time[:-1]) if time[-1] == "f" else None):
        first, second = sort(earlier), sort(later)
        if first is not None and second is not None:
            return bool(second > first)
    return None


class FrameRate(Quantity):
    """Frames a second: ``25``, ``30000/1001``. Exact, as a fraction; 1 to 120."""

    __slots__ = ()
    pattern = r"[0-9]{1,6}(/[0-9]{1,6})?"
    example = "a frame rate such as 25, 30 or 30000/1001"

    def check(self) -> None:
        """Refuse what is out of range."""
        if not int(self.partition("/")[2] or 1) or not 1 <= self.fraction <= 120:
            raise ValueError(f"{str(self)!r} is not a frame rate between 1 and 120")

    @property
    def fraction(self) -> Fraction:
        """Frames a second."""
        return Fraction(self)


class BitRate(Quantity):
    """Bits a second: ``128k``, ``4500k``, ``6M``."""

    __slots__ = ()
    pattern = r"[0-9]{1,9}(\.[0-9]{1,3})?[kM]?"
    example = "a bit rate such as 128k, 4500k or 6M"

    def check(self) -> None:
        """Refuse what is out of range."""
        if not 8_000 <= self.bits_per_second <= 200_000_000:
            raise ValueError(f"{str(self)!r} is not a bit rate between 8k and 200M")

    @property
    def bits_per_second(self) -> int:
        """The rate in bit/s."""
        factor = {"k": 1_000, "M": 1_000_000}.get(self[-1])
        return int(Fraction(self[:-1]) * factor) if factor else int(Fraction(self))


class Gain(Quantity):
    """A change of level in decibels: ``-6dB``, ``0dB``, ``+3dB``; ``-96dB`` is silence."""

    __slots__ = ()
    pattern = r"[+-]?[0-9]{1,2}(\.[0-9]{1,2})? ?dB"
    example = "a gain such as -6dB, 0dB or +3dB"

    def check(self) -> None:
        """Refuse what is out of range."""
        if not -96 <= self.decibels <= 24:
            raise ValueError(f"{str(self)!r} is not between -96dB (silence) and +24dB")

    @property
    def decibels(self) -> Fraction:
        """The change in dB."""
        return _decibels(self)


@lru_cache(maxsize=1024)
def _decibels(text: str) -> Fraction:
    return Fraction(text[:-2].strip())


class Threshold(Gain):
    """A level in decibels of full scale: ``-35dB``."""

    __slots__ = ()
    pattern = r"-?[0-9]{1,2}(\.[0-9]{1,2})? ?dB"
    example = "a level such as -35dB, of full scale"

    def check(self) -> None:
        """Refuse what is out of range."""
        if not -96 <= self.decibels <= 0:
            raise ValueError(f"{str(self)!r} is not between -96dB and 0dB (full scale)")


class Color(Quantity):
    """A colour: ``#RRGGBB`` or, with opacity, ``#RRGGBBAA``; sRGB."""

    __slots__ = ()
    pattern = r"#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?"
    example = 'a colour such as "#F4F6FB" or "#121521CC"'

    @property
    def rgba(self) -> tuple[int, int, int, int]:
        """Red, green, blue and opacity, each 0 to 255; not premultiplied."""
        red, green, blue = (int(self[i : i + 2], 16) for i in (1, 3, 5))
        return red, green, blue, int(self[7:9], 16) if len(self) == 9 else 255


CUBIC_BEZIERS: dict[str, tuple[float, float, float, float]] = {
    "ease": (0.25, 0.1, 0.25, 1.0),
    "easeIn": (0.42, 0.0, 1.0, 1.0),
    "easeOut": (0.0, 0.0, 0.58, 1.0),
    "easeInOut": (0.42, 0.0, 0.58, 1.0),
    "easeInSine": (0.12, 0.0, 0.39, 0.0),
    "easeOutSine": (0.61, 1.0, 0.88, 1.0),
    "easeInOutSine": (0.37, 0.0, 0.63, 1.0),
    "easeInQuad": (0.11, 0.0, 0.5, 0.0),
    "easeOutQuad": (0.5, 1.0, 0.89, 1.0),
    "easeInOutQuad": (0.45, 0.0, 0.55, 1.0),
    "easeInCubic": (0.32, 0.0, 0.67, 0.0),
    "easeOutCubic": (0.33, 1.0, 0.68, 1.0),
    "easeInOutCubic": (0.65, 0.0, 0.35, 1.0),
    "easeInQuart": (0.5, 0.0, 0.75, 0.0),
    "easeOutQuart": (0.25, 1.0, 0.5, 1.0),
    "easeInOutQuart": (0.76, 0.0, 0.24, 1.0),
    "easeInQuint": (0.64, 0.0, 0.78, 0.0),
    "easeOutQuint": (0.22, 1.0, 0.36, 1.0),
    "easeInOutQuint": (0.83, 0.0, 0.17, 1.0),
    "easeInExpo": (0.7, 0.0, 0.84, 0.0),
    "easeOutExpo": (0.16, 1.0, 0.3, 1.0),
    "easeInOutExpo": (0.87, 0.0, 0.13, 1.0),
    "easeInCirc": (0.55, 0.0, 1.0, 0.45),
    "easeOutCirc": (0.0, 0.55, 0.45, 1.0),
    "easeInOutCirc": (0.85, 0.0, 0.15, 1.0),
    "easeInBack": (0.36, 0.0, 0.66, -0.56),
    "easeOutBack": (0.34, 1.56, 0.64, 1.0),
    "easeInOutBack": (0.68, -0.6, 0.32, 1.6),
}
"""Control points x1, y1, x2, y2 of the named curves: `ease` to `easeInOut` as in CSS Easing Functions 1,
2.2, the others those of easings.net. Back goes beyond 0 and 1."""

_STEPS = ("linear", "hold", "stepStart", "stepEnd")
_NUMBER = r"-?([0-9]{1,4}(\.[0-9]{1,6})?|\.[0-9]{1,6})"


class EasingFunction(Quantity):
    """How a value gets from one to the next: a name, or the ``cubic-bezier(x1, y1, x2, y2)`` of CSS.

    CSS's own spelling of its names (``ease-in-out``) is taken too; `name` is the same for both.
    """

    __slots__ = ()
    pattern = (
        "("
        + "|".join((*_STEPS, *CUBIC_BEZIERS, "ease-in", "ease-out", "ease-in-out", "step-start", "step-end"))
        + rf"|cubic-bezier\( ?{_NUMBER} ?, ?{_NUMBER} ?, ?{_NUMBER} ?, ?{_NUMBER} ?\))"
    )
    example = "an easing such as linear, hold, easeInOut, easeOutCubic or cubic-bezier(0.2, 0, 0, 1)"

    def check(self) -> None:
        """Refuse a curve that would run backwards in time."""
        points = self.control_points
        if points is not None and not (0 <= points[0] <= 1 and 0 <= points[2] <= 1):
            raise ValueError(f"{shown(self)}: x1 and x2 (the first and third number) lie between 0 and 1")

    @property
    def name(self) -> str:
        """The name in camelCase; ``cubic-bezier`` for a curve of its own."""
        if "(" in self:
            return "cubic-bezier"
        first, *rest = self.split("-")
        return first + "".join(word.capitalize() for word in rest)

    @property
    def control_points(self) -> tuple[float, float, float, float] | None:
        """x1, y1, x2, y2; None where it is no curve (linear, hold and the steps)."""
        if "(" not in self:
            return CUBIC_BEZIERS.get(self.name)
        x1, y1, x2, y2 = (float(number) for number in self[self.index("(") + 1 : -1].split(","))
        return x1, y1, x2, y2


class Digest(Quantity):
    """A SHA-256 in hexadecimal."""

    __slots__ = ()
    pattern = r"[0-9a-fA-F]{64}"
    example = "a SHA-256, 64 hexadecimal digits"
