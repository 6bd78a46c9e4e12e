"""Overlay: a graphic of layers, in the Overlay Composition Language (OCL) 1.0.

Everything that moves is a function of the time since the overlay entered, and for `exit` of the length of
its cue: the same frame of the same manifests is the same picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, model_validator
from pydantic.alias_generators import to_camel

from vistterstream.resources.data import DataSource
from vistterstream.resources.model import Decisive, Effect, Model, Problems, Tokens, field
from vistterstream.resources.names import PartName
from vistterstream.resources.quantities import (
    Color,
    Digest,
    EasingFunction,
    FrameRate,
    PositiveTimelinePosition,
    Quantity,
    TimelinePosition,
    follows,
)
from vistterstream.resources.texts import (
    FilePath,
    Instant,
    Line,
    Locale,
    Text,
    TimeFormat,
    TimeZone,
    check_line,
)

OCL_VERSION = "1.0"
"""The newest version of OCL that is understood here."""
MAX_TEXTS = 100
"""Texts that one layer may change between: each is drawn beforehand."""
MAX_GROUPS = 3
"""How deep groups may stand in each other."""
MAX_LAYERS = 256
"""Layers of an overlay, those in groups and the groups themselves included."""

_NUMBER = re.compile(r"%(0[1-9])?d")
_COUNTDOWN_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)


class OclVersion(Quantity):
    """A version of OCL; one that is newer than `OCL_VERSION` is refused."""

    __slots__ = ()
    pattern = r"[0-9]{1,4}\.[0-9]{1,4}"
    example = 'a version such as "1.0"'

    def check(self) -> None:
        """Refuse what is not known here; what else is unknown in a newer document is not told."""
        major, minor = (int(part) for part in self.split("."))
        known = tuple(int(part) for part in OCL_VERSION.split("."))
        if major < 1:
            raise ValueError(f"there is no OCL {self!s}; the first version is 1.0")
        if (major, minor) > known:
            raise Decisive(
                f"this overlay needs OCL {self!s}, and this VistterStream knows OCL up to {OCL_VERSION}; "
                f"install a newer one, or write the overlay in OCL {OCL_VERSION}"
            )


def check_countdown_format(text: str) -> str:
    """`text`, if it is the format of a countdown; else ValueError."""
    directives = [match[1] for match in _COUNTDOWN_DIRECTIVE.finditer(text)]
    for directive in directives:
        if directive not in {"D", "H", "M", "S", "%"}:
            raise ValueError(f"%{directive} is not known here; there are %D, %H, %M, %S, and %% for a % sign")
    return check_line(text)


CountdownFormat = Annotated[str, AfterValidator(check_countdown_format)]


def check_sequence(path: str) -> str:
    """`path`, if it names numbered files; else ValueError."""
    folder, _, name = path.rpartition("/")
    if "%" in folder:
        raise ValueError("the number stands in the name of the file, not in that of a folder")
    if name.count("%") != 1 or not _NUMBER.search(name):
        raise ValueError("exactly one %d, or %04d and the like, stands for the number in the file's name")
    return path


SequencePath = Annotated[FilePath, AfterValidator(check_sequence)]


class Anchor(StrEnum):
    """Which point of the canvas, and of the layer, a position counts from."""

    TOP_LEFT = "topLeft"
    TOP = "top"
    TOP_RIGHT = "topRight"
    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"
    BOTTOM_LEFT = "bottomLeft"
    BOTTOM = "bottom"
    BOTTOM_RIGHT = "bottomRight"


class Area(StrEnum):
    """What positions count from: all of the canvas, or the middle of it (EBU R 95, for 16:9)."""

    CANVAS = "canvas"
    ACTION_SAFE = "actionSafe"
    TITLE_SAFE = "titleSafe"

    @property
    def share(self) -> float:
        """Its share of the width and of the height."""
        return _AREAS[self]


_AREAS = {Area.CANVAS: 1.0, Area.ACTION_SAFE: 0.93, Area.TITLE_SAFE: 0.9}
"""EBU R 95, Safe areas for 16:9 television production: 3.5 % at each side for action, 5 % for graphics."""


class AnimatedProperty(StrEnum):
    """Which property of a layer a track moves."""

    OPACITY = "opacity"
    X = "x"
    Y = "y"
    SCALE = "scale"
    ROTATION = "rotation"
    CROP_LEFT = "cropLeft"
    CROP_TOP = "cropTop"
    CROP_RIGHT = "cropRight"
    CROP_BOTTOM = "cropBottom"
    COLOR = "color"
    TEXT = "text"


_RANGES = {
    AnimatedProperty.OPACITY: (0.0, 1.0),
    AnimatedProperty.X: (-16384.0, 16384.0),
    AnimatedProperty.Y: (-16384.0, 16384.0),
    AnimatedProperty.SCALE: (0.0, 16.0),
    AnimatedProperty.ROTATION: (-36000.0, 36000.0),
    AnimatedProperty.CROP_LEFT: (0.0, 1.0),
    AnimatedProperty.CROP_TOP: (0.0, 1.0),
    AnimatedProperty.CROP_RIGHT: (0.0, 1.0),
    AnimatedProperty.CROP_BOTTOM: (0.0, 1.0),
}
"""Least and greatest value of each property that is a number."""


class Repeat(StrEnum):
    """What a track does after its last keyframe."""

    NONE = "none"
    LOOP = "loop"
    PING_PONG = "pingPong"


class Side(StrEnum):
    """A side of the picture."""

    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"


class Align(StrEnum):
    """How the lines of a text stand to each other; text that runs to the left starts at the right."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"
    START = "start"
    END = "end"


class Play(StrEnum):
    """How a picture file of several frames is shown."""

    STILL = "still"
    ONCE = "once"
    LOOP = "loop"
    PING_PONG = "pingPong"


class Correction(StrEnum):
    """How much of a QR code may be hidden or damaged: about 7, 15, 25 or 30 %."""

    LOW = "low"
    MEDIUM = "medium"
    QUARTILE = "quartile"
    HIGH = "high"


class Canvas(Model):
    """The coordinate space of the layers; scaled to the program's size."""

    width: int = field(1920, description="Width in canvas pixels.", ge=16, le=7680)
    height: int = field(1080, description="Height in canvas pixels.", ge=16, le=4320)
    area: Area = field(
        Area.CANVAS, description="What the layers' positions count from, where they do not say: see there."
    )


class Position(Model):
    """Where a layer stands: its own anchor point on that of the area, then moved by x and y."""

    area: Area | None = field(
        None,
        description="What the anchor is a point of: canvas; actionSafe, the middle 93 % of its width and "
        "height; or titleSafe, the middle 90 %. Without, the area of the canvas; in a group always its box.",
    )
    anchor: Anchor = field(Anchor.TOP_LEFT, description="The point that x and y count from.")
    x: int = field(0, description="Canvas pixels to the right.", ge=-16384, le=16384)
    y: int = field(0, description="Canvas pixels down.", ge=-16384, le=16384)


class Keyframe(Model):
    """A value at a time; times count from the moment the overlay enters.

    A number is given as value, a colour as color, a text as text, as the property wants it.
    """

    at: TimelinePosition = field(description="Time since the overlay entered.")
    value: float | None = field(
        None, description="The value at that time, of a property that is a number.", ge=-36000, le=36000
    )
    color: Color | None = field(None, description="The value of the property color.")
    text: Text | None = field(
        None, description="The value of the property text.", max_length=4096, tokens=Tokens.TEXT
    )
    easing: EasingFunction = field(
        EasingFunction("linear"), description="How the value got here from the keyframe before."
    )

    def too_early(self, before: Keyframe) -> str:
        """The sentence that says that it is not after the keyframe before it."""
        return f"{self.at} is not later than the keyframe before ({before.at})"

    @property
    def number(self) -> float:
        """The value of a property that is a number."""
        assert self.value is not None, "the track has been checked"
        return self.value


class Track(Model):
    """One property of a layer, moved by keyframes.

    The properties: opacity (0 to 1); x and y, which replace those of position, may be fractions; scale and
    rotation (degrees, clockwise), about the layer's anchor point; cropLeft, cropTop, cropRight and
    cropBottom, shares of the layer that are cut off; color of letters or shape; text.
    """

    property: AnimatedProperty = field(description="Which property.")
    keyframes: tuple[Keyframe, ...] = field(
        description="In order of time; before the first and after the last the value holds.",
        min_length=1,
        max_length=1000,
    )
    repeat: Repeat = field(
        Repeat.NONE, description="After the last keyframe: hold, start again at 0s, or run back and forth."
    )
    sync: PartName | None = field(
        None,
        description="The name of a cue point of the Timeline: times count from there, and not from when the "
        "overlay enters.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for index, (before, keyframe) in enumerate(pairwise(self.keyframes), 1):
            if follows(keyframe.at, before.at) is False:  # at a rate it is checked when a plan is made
                raise Problems((("keyframes", index, "at"), keyframe.too_early(before)))
        if self.repeat is not Repeat.NONE and self.keyframes[-1].at.zero:
            raise Problems((("repeat",), "the last keyframe is at 0s, so there is nothing to repeat"))
        return self

    @model_validator(mode="after")
    def _of_one_sort(self) -> Self:
        wanted = _SORTS.get(self.property, "value")
        for index, keyframe in enumerate(self.keyframes):
            given = [name for name in ("value", "color", "text") if getattr(keyframe, name) is not None]
            if given != [wanted]:
                wrong = next((name for name in given if name != wanted), None)
                path = ("keyframes", index, *((wrong,) if wrong else ()))
                raise Problems(
                    (path, f"a keyframe of {self.property.value} has a {wanted}, and nothing else")
                )
            least, most = _RANGES.get(self.property, (0.0, 0.0))
            if keyframe.value is not None and not least <= keyframe.value <= most:
                sentence = f"{keyframe.value:g} is not between {least:g} and {most:g}"
                raise Problems((("keyframes", index, "value"), sentence))
        if self.property is AnimatedProperty.TEXT and len(self.keyframes) > MAX_TEXTS:
            raise Problems((("keyframes",), f"a text has at most {MAX_TEXTS} keyframes"))
        return self


class Envelope(Model):
    """How a layer comes or goes, with the overlay: it fades, slides, or both."""

    duration: PositiveTimelinePosition = field(description="How long it takes.")
    easing: EasingFunction = field(EasingFunction("easeInOut"), description="How it moves meanwhile.")
    opacity: float = field(
        0.0, description="The share of its opacity at the outer end; 1 does not fade.", ge=0, le=1
    )
    slide: Side | None = field(None, description="The side that it slides in from, or out to; none without.")
    distance: int | None = field(
        None, description="How far it slides, in canvas pixels; without, out of the picture.", ge=0, le=16384
    )


class Crop(Model):
    """What is cut off a layer: shares of its width and height."""

    left: float = field(0.0, description="Share cut off at the left.", ge=0, le=1)
    top: float = field(0.0, description="Share cut off at the top.", ge=0, le=1)
    right: float = field(0.0, description="Share cut off at the right.", ge=0, le=1)
    bottom: float = field(0.0, description="Share cut off at the bottom.", ge=0, le=1)


class Outline(Model):
    """A line around letters."""

    width: float = field(2.0, description="Width in canvas pixels.", gt=0, le=64)
    color: Color = field(Color("#000000"), description="Its colour.")


class Shadow(Model):
    """A shadow of letters and their outline."""

    right: int = field(4, description="Canvas pixels to the right.", ge=-256, le=256)
    down: int = field(4, description="Canvas pixels down.", ge=-256, le=256)
    blur: float = field(6.0, description="Radius of the blur in canvas pixels; 0 is sharp.", ge=0, le=64)
    color: Color = field(Color("#000000A0"), description="Its colour.")


class Missing(Model):
    """What stands in for a picture that cannot be shown: a box of its size, with a text in it."""

    color: Color = field(Color("#2B2F3ACC"), description="Colour of the box.")
    text: Line = field("", description="Text in the box.", max_length=128)


class MaskRectangle(Model):
    """The part of a layer that a mask leaves."""

    left: int = field(0, description="Canvas pixels from the left of the layer.", ge=-16384, le=16384)
    top: int = field(0, description="Canvas pixels from its top.", ge=-16384, le=16384)
    width: int | None = field(
        None, description="Width in canvas pixels; to the right end of the layer without.", ge=1, le=7680
    )
    height: int | None = field(
        None, description="Height in canvas pixels; to the bottom of the layer without.", ge=1, le=7680
    )
    radius: int = field(0, description="Radius of its corners in canvas pixels.", ge=0, le=3840)


class MaskImage(Model):
    """A picture whose opacity is that of the layer under it."""

    file: FilePath = field(
        description="The file, a picture with transparency; it is scaled to the size of the layer."
    )
    sha256: Digest | None = field(
        None, description="SHA-256 of the file, 64 hexadecimal digits; another file hides nothing."
    )


class Mask(Model):
    """What is left of a layer: the rest of it is not shown. It stands, moves and turns with its layer."""

    EXACTLY_ONE = ("rectangle", "image")

    rectangle: MaskRectangle | None = field(None, description="A rectangle of it, with round corners or not.")
    image: MaskImage | None = field(None, description="Where a picture is opaque.")
    invert: bool = field(False, description="Whether that is hidden, and the rest is shown.")


class ImageLayer(Model):
    """A picture from a file (PNG, JPEG, WebP or GIF), which may be an animation; or from a sequence of files
    one after the other.
    """

    EXACTLY_ONE = ("file", "sequence")

    file: FilePath | None = field(
        None, description="The file; a relative path starts at the folder of the manifest."
    )
    sequence: SequencePath | None = field(
        None,
        description="Files with a number in their name: %d stands for it, %04d for one of four digits. They "
        "are read where they lie, while they are shown, from the lowest number that is there.",
    )
    rate: FrameRate | None = field(
        None, description="Pictures of a sequence a second; one for each frame of the program without."
    )
    width: int | None = field(None, description="Width in canvas pixels; its own without.", ge=1, le=7680)
    height: int | None = field(
        None, description="Height in canvas pixels; keeps its proportions without.", ge=1, le=7680
    )
    play: Play | None = field(
        None,
        description="How the frames of an animation or sequence are shown; still is the first. Without, a "
        "file is still, and a sequence is shown once.",
    )
    sha256: Digest | None = field(
        None, description="SHA-256 of the file, 64 hexadecimal digits; another file is not shown."
    )
    fallback: Missing | None = field(
        None, description="What stands in when the picture cannot be shown; nothing without."
    )

    @property
    def played(self) -> Play:
        """How it is shown."""
        return self.play or (Play.STILL if self.sequence is None else Play.ONCE)

    @model_validator(mode="after")
    def _of_one_sort(self) -> Self:
        if self.sequence is None and self.rate is not None:
            raise Problems((("rate",), "only a sequence has a rate; the file of an animation says its own"))
        if self.sequence is not None and self.sha256 is not None:
            raise Problems((("sha256",), "a sequence has many files, and no sha256"))
        return self


class TextLayer(Model):
    """One or more lines of text. Tokens such as {{ title }} take the values of the cue, of the Program, or
    of the overlay's data; so they do in tickers, QR codes, countdowns and keyframes.
    """

    value: Text = field(description="The text.", max_length=4096, tokens=Tokens.TEXT)
    font: Line = field("Inter", description="Font family.", max_length=64)
    size: int = field(48, description="Font size in canvas pixels.", ge=4, le=1024)
    color: Color = field(Color("#FFFFFF"), description="Colour of the letters.")
    background: Color | None = field(None, description="Colour of a box behind the text; none without.")
    padding: int = field(
        16, description="Space between text and the edge of its box, canvas pixels.", ge=0, le=512
    )
    width: int | None = field(
        None,
        description="Width that lines are wrapped at, canvas pixels; not wrapped without.",
        ge=16,
        le=7680,
    )
    align: Align | None = field(
        None,
        description="How lines stand to each other; start is the right for text that runs to the left. As "
        "anchored without, but that such text starts at the right where it is anchored at its left.",
    )
    line_spacing: float = field(
        1.0, description="Distance of lines, as a multiple of that of the font.", ge=0.5, le=4
    )
    outline: Outline | None = field(None, description="A line around the letters; none without.")
    shadow: Shadow | None = field(None, description="A shadow of the letters; none without.")


class RectangleLayer(Model):
    """A filled rectangle."""

    width: int = field(description="Width in canvas pixels.", ge=1, le=7680)
    height: int = field(description="Height in canvas pixels.", ge=1, le=7680)
    color: Color = field(description="Fill colour.")
    radius: int = field(0, description="Radius of its corners in canvas pixels.", ge=0, le=3840)


class TimecodeOf(StrEnum):
    """What a clock that shows timecode counts."""

    TIME_OF_DAY = "timeOfDay"
    TIMELINE = "timeline"


class ClockLayer(Model):
    """The time of day, by the clock or in frames; or how far the timeline is, in frames."""

    time_zone: TimeZone = field("UTC", description="IANA time zone, such as Europe/Oslo.")
    format: TimeFormat = field(
        "%H:%M:%S",
        description="strftime format of the text; %-d, %-H, %-I and so on are without a leading zero.",
        min_length=1,
        max_length=128,
        tokens=Tokens.FORMAT,
    )
    locale: Locale | None = field(
        None,
        description="Language of the names of days and months, and of %p, such as nb, de or pt-PT; English "
        "without.",
    )
    timecode: TimecodeOf | None = field(
        None,
        description="Show hours, minutes, seconds and frames, drop-frame at 30000/1001 and 60000/1001 frames "
        "a second, instead of the format: timeOfDay those since midnight, timeline those since the start of "
        "the timeline.",
    )
    font: Line = field("Inter", description="Font family.", max_length=64)
    size: int = field(48, description="Font size in canvas pixels.", ge=4, le=1024)
    color: Color = field(Color("#FFFFFF"), description="Colour of the digits.")
    background: Color | None = field(None, description="Colour of a box behind the text; none without.")
    padding: int = field(
        16, description="Space between text and the edge of its box, canvas pixels.", ge=0, le=512
    )

    @model_validator(mode="after")
    def _of_one_sort(self) -> Self:
        fixed = ("format", "locale", *(("time_zone",) if self.timecode is TimecodeOf.TIMELINE else ()))
        if self.timecode is not None:
            problems = [
                ((to_camel(name),), "goes with no timecode; take one of them out")
                for name in fixed
                if getattr(self, name) != type(self).model_fields[name].default
            ]
            if problems:
                raise Problems(*problems)
        return self


class CountdownLayer(Model):
    """The time that is left until an instant, or of a duration that starts with the cue."""

    EXACTLY_ONE = ("to", "duration")

    to: Instant | None = field(None, description="The instant, such as 2026-05-17T09:30:00Z.")
    duration: PositiveTimelinePosition | None = field(
        None, description="The time, counted from the cue's start."
    )
    format: CountdownFormat = field(
        "%M:%S",
        description="Text with %D days, %H hours, %M minutes and %S seconds that are left; the largest unit "
        "given counts all that is above it.",
        min_length=1,
        max_length=128,
        tokens=Tokens.FORMAT,
    )
    done: Line | None = field(
        None,
        description="The text when no time is left, may be empty; without, the format with zeros.",
        max_length=128,
        tokens=Tokens.LINE,
    )
    font: Line = field("Inter", description="Font family.", max_length=64)
    size: int = field(48, description="Font size in canvas pixels.", ge=4, le=1024)
    color: Color = field(Color("#FFFFFF"), description="Colour of the digits.")
    background: Color | None = field(None, description="Colour of a box behind the text; none without.")
    padding: int = field(
        16, description="Space between text and the edge of its box, canvas pixels.", ge=0, le=512
    )


class TickerLayer(Model):
    """A line of text that runs through from right to left, again and again."""

    value: Text = field(
        description="The text; lines follow each other, with the gap between.",
        max_length=4096,
        tokens=Tokens.TEXT,
    )
    width: int = field(1920, description="Width of the band in canvas pixels.", ge=16, le=7680)
    speed: float = field(
        120.0,
        description="Canvas pixels a second, not 0; negative runs to the right, as Arabic and Hebrew want.",
        ge=-4000,
        le=4000,
    )
    gap: int = field(120, description="Space after each line, canvas pixels.", ge=0, le=7680)
    font: Line = field("Inter", description="Font family.", max_length=64)
    size: int = field(48, description="Font size in canvas pixels.", ge=4, le=256)
    color: Color = field(Color("#FFFFFF"), description="Colour of the letters.")
    background: Color | None = field(None, description="Colour of the band; none without.")
    padding: int = field(16, description="Space above and below the text, canvas pixels.", ge=0, le=512)

    @model_validator(mode="after")
    def _runs(self) -> Self:
        if self.speed == 0:
            raise Problems((("speed",), "a ticker without speed never comes in; text stands still"))
        return self


class QrLayer(Model):
    """A QR code."""

    value: Text = field(
        description="What it says, such as an address.",
        min_length=1,
        max_length=1024,
        tokens=Tokens.EXACT,
    )
    size: int = field(240, description="Side in canvas pixels, with the quiet zone.", ge=32, le=4320)
    color: Color = field(Color("#000000"), description="Colour of the dark squares.")
    background: Color = field(Color("#FFFFFF"), description="Colour of the light squares.")
    quiet_zone: int = field(4, description="Light squares around it; the standard asks for 4.", ge=0, le=16)
    correction: Correction = field(Correction.MEDIUM, description="How much damage it survives.")


class FrameCodeLayer(Model):
    """The program's frame number as a row of 32 black and white squares, most significant bit first.

    A recording of the program then tells which of its frames is which, exactly: for measuring delay and
    proving that no frame was lost.
    """

    square: int = field(
        16, description="Side of a square in program pixels, even.", ge=8, le=64, multiple_of=2
    )


class StandIn(Model):
    """What is shown in place of a layer: exactly one of image, text, rectangle, where the layer stands."""

    EXACTLY_ONE = ("image", "text", "rectangle")

    image: ImageLayer | None = field(None, description="A picture.")
    text: TextLayer | None = field(None, description="Text.")
    rectangle: RectangleLayer | None = field(None, description="A filled rectangle.")


class GroupLayer(Model):
    """Layers that stand, move, fade and are cut as one, in a box of their own: their anchors are points of
    the box, and what reaches out of it is cut off. A box without a size is as large as what its position
    counts from.
    """

    MAX_DEPTH: ClassVar[int] = MAX_GROUPS

    width: int | None = field(
        None,
        description="Width of the box in canvas pixels; that of the area it is in without.",
        ge=1,
        le=7680,
    )
    height: int | None = field(
        None,
        description="Height of the box in canvas pixels; that of the area it is in without.",
        ge=1,
        le=4320,
    )
    layers: tuple[Layer, ...] = field(description="From the bottom up.", min_length=1, max_length=64)


class Layer(Model):
    """One layer: exactly one of image, text, rectangle, clock, countdown, ticker, qr, frameCode, group.

    Later layers lie on top.
    """

    EXACTLY_ONE = ("image", "text", "rectangle", "clock", "countdown", "ticker", "qr", "frame_code", "group")

    name: PartName = field(description="Name of the layer, unique in the overlay.")
    image: ImageLayer | None = field(None, description="A picture.")
    text: TextLayer | None = field(None, description="Text.")
    rectangle: RectangleLayer | None = field(None, description="A filled rectangle.")
    clock: ClockLayer | None = field(None, description="The time of day.")
    countdown: CountdownLayer | None = field(None, description="The time that is left.")
    ticker: TickerLayer | None = field(None, description="Text that runs through.")
    qr: QrLayer | None = field(None, description="A QR code.")
    frame_code: FrameCodeLayer | None = field(None, description="The frame number, for machines.")
    group: GroupLayer | None = field(None, description="Layers that are treated as one.")
    position: Position = field(Position(), description="Where it stands.")
    opacity: float = field(1.0, description="0 is invisible, 1 is solid.", ge=0, le=1)
    scale: float = field(1.0, description="Its size, as a multiple, about its anchor point.", ge=0, le=16)
    rotation: float = field(
        0.0, description="Degrees clockwise, about its anchor point.", ge=-36000, le=36000
    )
    crop: Crop = field(Crop(), description="What is cut off.")
    mask: Mask | None = field(None, description="What is left of it; all of it without.")
    tracks: tuple[Track, ...] = field((), description="Properties that move.", max_length=16)
    enter: Envelope | None = field(None, description="How it comes in; at once without.")
    exit: Envelope | None = field(
        None, description="How it goes, at the end of its cue (if that has one); at once without."
    )
    fallback: StandIn | None = field(
        None,
        description="What is shown in its place while it cannot be drawn, or a token of it has no value; "
        "without, what is left of it.",
    )

    @property
    def stand_in(self) -> Layer | None:
        """The layer that takes its place, None where there is none; it moves as this one does."""
        if self.fallback is None:
            return None
        content: dict[str, object] = {name: getattr(self.fallback, name, None) for name in self.EXACTLY_ONE}
        tracks = tuple(track for track in self.tracks if track.property not in _SORTS)
        return self.model_copy(update=content | {"tracks": tracks, "fallback": None})

    def pictures(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """The picture files of this layer, not of those in it, each with the path of its field."""
        if self.image is not None and self.image.file is not None:
            yield ("image", "file"), self.image.file
        if self.mask is not None and self.mask.image is not None:
            yield ("mask", "image", "file"), self.mask.image.file
        instead = self.fallback.image if self.fallback is not None else None
        if instead is not None and instead.file is not None:
            yield ("fallback", "image", "file"), instead.file

    def sequences(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """The sequences of files of this layer, as `pictures`."""
        if self.image is not None and self.image.sequence is not None:
            yield ("image", "sequence"), self.image.sequence
        instead = self.fallback.image if self.fallback is not None else None
        if instead is not None and instead.sequence is not None:
            yield ("fallback", "image", "sequence"), instead.sequence

    @model_validator(mode="after")
    def _one_track_each(self) -> Self:
        properties = [track.property for track in self.tracks]
        for index, moved in enumerate(properties):
            if moved in properties[:index]:
                raise Problems((("tracks", index, "property"), f"{moved} has a track already"))
        return self

    @model_validator(mode="after")
    def _able_to_move(self) -> Self:
        """Refuse what the sort of layer cannot do."""
        kind = next(name for name in self.EXACTLY_ONE if getattr(self, name) is not None)
        for index, track in enumerate(self.tracks):
            path = ("tracks", index, "property")
            if track.property is AnimatedProperty.TEXT and kind != "text":
                raise Problems((path, "only a text layer has a text that changes"))
            if track.property is AnimatedProperty.COLOR and kind not in _COLORED:
                raise Problems((path, "only text, rectangle, clock and countdown layers change their colour"))
            if track.property not in _ABLE.get(kind, AnimatedProperty):
                raise Problems((path, f"a {to_camel(kind)} layer cannot change its {_HELP[kind]}"))
        if kind in _ABLE:
            self._check_fixed(kind)
        return self

    def _check_fixed(self, kind: str) -> None:
        """Refuse what a layer that always has the same shape cannot have."""
        for name in ("scale", "rotation", "crop", "mask"):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise Problems(((name,), f"a {to_camel(kind)} layer cannot change its {_HELP[kind]}"))
        if AnimatedProperty.OPACITY in _ABLE[kind]:
            return
        if self.opacity != 1.0:
            raise Problems((("opacity",), f"a {to_camel(kind)} layer is always solid, for machines to read"))
        for name in ("enter", "exit"):
            envelope: Envelope | None = getattr(self, name)
            if envelope is not None and envelope.opacity != 1.0:
                sentence = f"a {to_camel(kind)} layer cannot fade; give opacity: 1"
                raise Problems(
                    ((name, *(("opacity",) if "opacity" in envelope.model_fields_set else ())), sentence)
                )


GroupLayer.model_rebuild()
Layer.model_rebuild()

_COLORED = ("text", "rectangle", "clock", "countdown")
_PLACE = frozenset({AnimatedProperty.X, AnimatedProperty.Y})
_ABLE = {"ticker": _PLACE | {AnimatedProperty.OPACITY}, "frame_code": _PLACE}
"""What tracks may move of layers that cannot do everything."""
_HELP = {
    "ticker": "shape, only its place and opacity; put it into a group, which can",
    "frame_code": "shape or opacity, only its place: machines must be able to read it",
}
_SORTS = {AnimatedProperty.COLOR: "color", AnimatedProperty.TEXT: "text"}


def every_layer(
    layers: Iterable[Layer], path: tuple[str | int, ...] = ("layers",)
) -> Iterator[tuple[tuple[str | int, ...], Layer]]:
    """Every layer with its path, a group before the layers in it."""
    for index, layer in enumerate(layers):
        yield (*path, index), layer
        if layer.group is not None:
            yield from every_layer(layer.group.layers, (*path, index, "group", "layers"))


def pictures(layers: Iterable[Layer]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The picture files of the layers, each with the path of its field."""
    for path, layer in every_layer(layers):
        for inner, file in layer.pictures():
            yield (*path, *inner), file


class OverlaySpec(Model):
    """What an overlay looks like: a document of the Overlay Composition Language (OCL)."""

    version: OclVersion = field(
        OclVersion(OCL_VERSION), description="The version of OCL that it is written in.", effect=Effect.LIVE
    )
    canvas: Canvas = field(Canvas(), description="The coordinate space.", effect=Effect.LIVE)
    layers: tuple[Layer, ...] = field(
        description="From the bottom up.", effect=Effect.LIVE, min_length=1, max_length=64
    )
    data: tuple[DataSource, ...] = field(
        (), description="Values for tokens, fetched over HTTP.", effect=Effect.LIVE, max_length=64
    )

    @model_validator(mode="after")
    def _not_too_deep(self) -> Self:
        problems: list[tuple[tuple[str | int, ...], str]] = []
        for number, (path, layer) in enumerate(every_layer(self.layers), 1):
            deep = path.count("group")
            if number == MAX_LAYERS + 1:
                problems.append(
                    (path, f"an overlay has at most {MAX_LAYERS} layers, those in groups included")
                )
            if layer.group is not None and deep == MAX_GROUPS:
                sentence = f"groups stand at most {MAX_GROUPS} deep in each other; take this one out"
                problems.append(((*path, "group"), sentence))
            if layer.frame_code is not None and deep:
                sentence = "a frameCode layer stands on the picture itself; take it out of the group"
                problems.append(((*path, "frameCode"), sentence))
            if layer.position.area is not None and deep:
                sentence = "a layer in a group stands in its box; give the group's position the area"
                problems.append(((*path, "position", "area"), sentence))
        if problems:
            raise Problems(*problems)
        return self
