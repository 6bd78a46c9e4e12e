"""Program: the mixed picture and sound."""

from __future__ import annotations

from vistterstream.resources.model import Effect, Model, field
from vistterstream.resources.names import Name
from vistterstream.resources.quantities import Color, FrameRate
from vistterstream.resources.texts import FilePath, Text


class Format(Model):
    """Size and rate of the program. Colour is BT.709 limited range, sound 48 kHz stereo."""

    width: int = field(1280, description="Width in pixels, even.", ge=64, le=3840, multiple_of=2)
    height: int = field(720, description="Height in pixels, even.", ge=64, le=2160, multiple_of=2)
    frame_rate: FrameRate = field(
        FrameRate("30"), description="Frames a second, such as 25, 30 or 30000/1001."
    )


class Fallback(Model):
    """The slate: what stands in when nothing else can be shown."""

    image: FilePath | None = field(
        None,
        description="A picture file, scaled to fill; a relative path starts at the manifest's folder.",
    )
    text: Text | None = field(None, description="Text in the middle of the slate.", max_length=512)
    color: Color = field(Color("#121521"), description="Colour behind it.")


class ProgramSpec(Model):
    """What a program should be."""

    format: Format = field(Format(), description="Size and rate.", effect=Effect.PLAYOUT)
    timeline: Name | None = field(
        None,
        description="The Timeline it plays; the fallback alone without.",
        reference="Timeline",
        effect=Effect.LIVE,
    )
    fallback: Fallback = field(Fallback(), description="The slate.", effect=Effect.LIVE)
