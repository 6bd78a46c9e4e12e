"""Timeline: tracks of cues on one clock."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from vistterstream.resources.model import Effect, Model, field
from vistterstream.resources.quantities import Duration


def _instant(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an instant such as 2026-05-17T09:30:00+02:00") from None
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} lacks a zone; write Z or an offset such as +02:00 behind it")
    return text


def _token_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", text):
        raise ValueError(f"{text!r} is not a token name (letters, digits and _)")
    return text


class TransitionType(StrEnum):
    """How one picture becomes the next."""

    CUT = "cut"
    CROSSFADE = "crossfade"


class Transition(Model):
    """How a video cue comes in. The outgoing cue is held over into it for `duration`."""

    type: TransitionType = field(TransitionType.CUT, description="cut or crossfade.")
    duration: Duration | None = field(None, description="Length of a crossfade; 1s without.")

    @model_validator(mode="after")
    def _cut_has_no_duration(self) -> Self:
        if self.type is TransitionType.CUT and self.duration is not None:
            raise ValueError("a cut takes no duration")
        return self


class VideoCue(Model):
    """Show a camera from `at` (or the end of the cue before) for `duration`."""

    camera: str = field(description="The Camera to show.", reference="Camera")
    at: Duration | None = field(None, description="Start on the timeline; the end of the cue before without.")
    duration: Duration = field(description="How long.")
    transition: Transition = field(Transition(), description="How it comes in.")


class OverlayCue(Model):
    """Show an overlay from `at` for `duration`."""

    overlay: str = field(description="The Overlay to show.", reference="Overlay")
    at: Duration = field(Duration("0s"), description="Start on the timeline.")
    duration: Duration | None = field(None, description="How long; to the end of the timeline without.")
    values: dict[Annotated[str, AfterValidator(_token_name)], str] = field(
        {}, description="Texts for the tokens of the overlay's text layers."
    )


class TimelineTrack(Model):
    """Cues of one sort, one after another: either video or overlays."""

    name: str = field(description="Name of the track, unique in the timeline.", min_length=1, max_length=63)
    video: tuple[VideoCue, ...] | None = field(None, description="Video cues.", min_length=1)
    overlays: tuple[OverlayCue, ...] | None = field(None, description="Overlay cues.", min_length=1)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.video is None) == (self.overlays is None):
            raise ValueError("exactly one of video and overlays must be given")
        return self


class TimelineAnchor(Model):
    """The instant of the timeline's first frame."""

    start: Annotated[str, AfterValidator(_instant)] = field(
        description="An instant with a zone, such as 2026-05-17T09:30:00+02:00."
    )


class TimelineSpec(Model):
    """What is shown when."""

    loop: bool = field(False, description="Start again at the end.", effect=Effect.LIVE)
    anchor: TimelineAnchor | None = field(
        None,
        description="Where the first frame lies in time; the start of the program without.",
        effect=Effect.LIVE,
    )
    tracks: tuple[TimelineTrack, ...] = field(
        description="At most one track of video; overlay tracks further down lie on top.",
        effect=Effect.LIVE,
        min_length=1,
        max_length=64,
    )

    @model_validator(mode="after")
    def _tracks(self) -> Self:
        names = [track.name for track in self.tracks]
        if len(set(names)) != len(names):
            raise ValueError("two tracks have the same name")
        if sum(track.video is not None for track in self.tracks) > 1:
            raise ValueError("a timeline has one track of video at most")
        return self
