"""Program: the mixed picture and sound."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import model_validator

from vistterstream.resources.model import Effect, Model, Problems, field
from vistterstream.resources.names import Name, PartName
from vistterstream.resources.quantities import Color, FrameRate, TimelinePosition
from vistterstream.resources.texts import FilePath, Text, Values
from vistterstream.resources.timeline import Instant


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


class PlaybackState(StrEnum):
    """What the timeline of a program does."""

    PLAYING = "playing"
    PAUSED = "paused"
    HELD = "held"


class Playback(Model):
    """Where the timeline stands, if not where its anchor has it. All of it follows from these fields and
    the time of day, so that it survives a restart.
    """

    state: PlaybackState = field(
        PlaybackState.PLAYING,
        description="playing goes on; paused stands still (cameras stay live); held goes on to the end of "
        "the video cue and stays there.",
    )
    at: TimelinePosition | None = field(None, description="The place on the timeline at the instant `since`.")
    cue: PartName | None = field(None, description="The same, by the name of a cue point.")
    since: Instant | None = field(
        None,
        description="From when on this holds, an instant with a zone; before, the timeline follows its "
        "anchor. Without a place, the one that the timeline has reached then.",
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.at is not None and self.cue is not None:
            raise Problems((("cue",), "give either at or cue, not both"))
        placed = self.at is not None or self.cue is not None
        if self.state is PlaybackState.PLAYING and placed != (self.since is not None):
            missing = "since" if placed else "at or cue"
            raise Problems(((), f"to play from another place, give a place and since; {missing} is missing"))
        if self.state is PlaybackState.HELD and self.since is None:
            raise Problems((("since",), "must be given, to tell when the cue that is held began to be"))
        if self.state is PlaybackState.PAUSED and not placed and self.since is None:
            raise Problems(((), "to pause, give a place (at or cue), or since"))
        return self


class ProgramSpec(Model):
    """What a program should be."""

    format: Format = field(Format(), description="Size and rate.", effect=Effect.PLAYOUT)
    timeline: Name | None = field(
        None,
        description="The Timeline it plays; the fallback alone without.",
        reference="Timeline",
        effect=Effect.LIVE,
    )
    playback: Playback = field(
        Playback(), description="Whether the timeline plays, and from where.", effect=Effect.LIVE
    )
    fallback: Fallback = field(Fallback(), description="The slate.", effect=Effect.LIVE)
    values: Values = field(
        {},
        description="Texts for the tokens of all overlays that it shows; those of a cue win over them.",
        effect=Effect.LIVE,
    )
