"""Overlay: a graphic of layers (the first part of the Overlay Composition Language, OCL)."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import Self

from pydantic import model_validator

from vistterstream.resources.model import Effect, Model, Problems, field
from vistterstream.resources.names import PartName
from vistterstream.resources.quantities import Color, Duration
from vistterstream.resources.texts import FilePath, Line, Text, TimeFormat, TimeZone


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


class Easing(StrEnum):
    """How a value moves from one keyframe to the next; the curve of the CSS function of that name."""

    LINEAR = "linear"
    HOLD = "hold"
    EASE_IN_CUBIC = "easeInCubic"
    EASE_OUT_CUBIC = "easeOutCubic"
    EASE_IN_OUT_CUBIC = "easeInOutCubic"


class AnimatedProperty(StrEnum):
    """Which property of a layer a track moves."""

    OPACITY = "opacity"


class Canvas(Model):
    """The coordinate space of the layers; scaled to the program's size."""

    width: int = field(1920, description="Width in canvas pixels.", ge=16, le=7680)
    height: int = field(1080, description="Height in canvas pixels.", ge=16, le=4320)


class Position(Model):
    """Where a layer stands: its own anchor point on the canvas's anchor point, then moved by x and y."""

    anchor: Anchor = field(Anchor.TOP_LEFT, description="The point that x and y count from.")
    x: int = field(0, description="Canvas pixels to the right.", ge=-16384, le=16384)
    y: int = field(0, description="Canvas pixels down.", ge=-16384, le=16384)


class Keyframe(Model):
    """A value at a time; times count from the moment the overlay enters."""

    at: Duration = field(description="Time since the overlay entered.")
    value: float = field(description="The value at that time.", ge=0, le=1)
    easing: Easing = field(Easing.LINEAR, description="How the value got here from the keyframe before.")


class Track(Model):
    """One property of a layer, moved by keyframes."""

    property: AnimatedProperty = field(description="Which property.")
    keyframes: tuple[Keyframe, ...] = field(
        description="In order of time; before the first and after the last the value holds.",
        min_length=1,
        max_length=1000,
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for index, (before, keyframe) in enumerate(pairwise(self.keyframes), 1):
            if keyframe.at.seconds <= before.at.seconds:
                path = ("keyframes", index, "at")
                raise Problems((path, f"{keyframe.at} is not later than the keyframe before ({before.at})"))
        return self


class ImageLayer(Model):
    """A picture from a file (PNG, JPEG or WebP)."""

    file: FilePath = field(description="The file; a relative path starts at the folder of the manifest.")
    width: int | None = field(None, description="Width in canvas pixels; its own without.", ge=1, le=7680)
    height: int | None = field(
        None, description="Height in canvas pixels; keeps its proportions without.", ge=1, le=7680
    )


class TextLayer(Model):
    """One or more lines of text. Tokens such as {{ title }} take the values of the cue."""

    value: Text = field(description="The text.", max_length=4096)
    font: Line = field("Inter", description="Font family.", max_length=64)
    size: int = field(48, description="Font size in canvas pixels.", ge=4, le=1024)
    color: Color = field(Color("#FFFFFF"), description="Colour of the letters.")
    background: Color | None = field(None, description="Colour of a box behind the text; none without.")
    padding: int = field(
        16, description="Space between text and the edge of its box, canvas pixels.", ge=0, le=512
    )


class RectangleLayer(Model):
    """A filled rectangle."""

    width: int = field(description="Width in canvas pixels.", ge=1, le=7680)
    height: int = field(description="Height in canvas pixels.", ge=1, le=7680)
    color: Color = field(description="Fill colour.")


class ClockLayer(Model):
    """The time of day."""

    time_zone: TimeZone = field("UTC", description="IANA time zone, such as Europe/Oslo.")
    format: TimeFormat = field(
        "%H:%M:%S", description="strftime format of the text.", min_length=1, max_length=64
    )
    font: Line = field("Inter", description="Font family.", max_length=64)
    size: int = field(48, description="Font size in canvas pixels.", ge=4, le=1024)
    color: Color = field(Color("#FFFFFF"), description="Colour of the digits.")
    background: Color | None = field(None, description="Colour of a box behind the text; none without.")
    padding: int = field(
        16, description="Space between text and the edge of its box, canvas pixels.", ge=0, le=512
    )


class FrameCodeLayer(Model):
    """The program's frame number as a row of 32 black and white squares, most significant bit first.

    A recording of the program then tells which of its frames is which, exactly: for measuring delay and
    proving that no frame was lost.
    """

    square: int = field(
        16, description="Side of a square in program pixels, even.", ge=8, le=64, multiple_of=2
    )


class Layer(Model):
    """One layer: exactly one of image, text, rectangle, clock, frameCode. Later layers lie on top."""

    EXACTLY_ONE = ("image", "text", "rectangle", "clock", "frame_code")

    name: PartName = field(description="Name of the layer, unique in the overlay.")
    image: ImageLayer | None = field(None, description="A picture.")
    text: TextLayer | None = field(None, description="Text.")
    rectangle: RectangleLayer | None = field(None, description="A filled rectangle.")
    clock: ClockLayer | None = field(None, description="The time of day.")
    frame_code: FrameCodeLayer | None = field(None, description="The frame number, for machines.")
    position: Position = field(Position(), description="Where it stands.")
    opacity: float = field(1.0, description="0 is invisible, 1 is solid.", ge=0, le=1)
    tracks: tuple[Track, ...] = field((), description="Properties that move.", max_length=16)

    @model_validator(mode="after")
    def _one_track_each(self) -> Self:
        properties = [track.property for track in self.tracks]
        for index, moved in enumerate(properties):
            if moved in properties[:index]:
                raise Problems((("tracks", index, "property"), f"{moved} has a track already"))
        return self


class OverlaySpec(Model):
    """What an overlay looks like."""

    canvas: Canvas = field(Canvas(), description="The coordinate space.", effect=Effect.LIVE)
    layers: tuple[Layer, ...] = field(
        description="From the bottom up.", effect=Effect.LIVE, min_length=1, max_length=64
    )
