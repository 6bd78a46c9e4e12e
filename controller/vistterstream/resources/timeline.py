"""Timeline: tracks of cues on one clock."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Self

from pydantic import AfterValidator, StringConstraints, model_validator

from vistterstream.resources.messages import shown
from vistterstream.resources.model import Effect, Model, Problems, field
from vistterstream.resources.names import Name, PartName
from vistterstream.resources.quantities import Duration, PositiveDuration
from vistterstream.resources.texts import Text


def _instant(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not an instant such as 2026-05-17T09:30:00+02:00") from None
    if instant.tzinfo is None:
        raise ValueError(f"{shown(text)} lacks a zone; write Z or an offset such as +02:00 behind it")
    return text


def _token_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", text):
        raise ValueError(f"{shown(text)} is not a token name (letters, digits and _)")
    return text


Value = Annotated[Text, StringConstraints(max_length=4096)]


class TransitionType(StrEnum):
    """How one picture becomes the next."""

    CUT = "cut"
    CROSSFADE = "crossfade"


class Transition(Model):
    """How a video cue comes in. The outgoing cue is held over into it for `duration`."""

    type: TransitionType = field(TransitionType.CUT, description="cut or crossfade.")
    duration: PositiveDuration | None = field(None, description="Length of a crossfade; 1s without.")

    @model_validator(mode="after")
    def _cut_has_no_duration(self) -> Self:
        if self.type is TransitionType.CUT and self.duration is not None:
            raise Problems((("duration",), "a cut takes no time; write type: crossfade"))
        return self

    @property
    def seconds(self) -> Fraction:
        """How long it takes; 0 for a cut."""
        if self.type is TransitionType.CUT:
            return Fraction(0)
        return self.duration.seconds if self.duration is not None else Fraction(1)


class VideoCue(Model):
    """Show a camera from `at` (or the end of the cue before) for `duration`."""

    camera: Name = field(description="The Camera to show.", reference="Camera")
    at: Duration | None = field(None, description="Start on the timeline; the end of the cue before without.")
    duration: PositiveDuration = field(description="How long.")
    transition: Transition = field(Transition(), description="How it comes in.")

    @model_validator(mode="after")
    def _fade_fits(self) -> Self:
        if self.transition.seconds > self.duration.seconds:
            length = self.transition.duration or "1s, where none is given"
            raise Problems(
                (("transition",), f"the crossfade ({length}) is longer than its cue ({self.duration})")
            )
        return self


class OverlayCue(Model):
    """Show an overlay from `at` for `duration`."""

    overlay: Name = field(description="The Overlay to show.", reference="Overlay")
    at: Duration = field(Duration("0s"), description="Start on the timeline.")
    duration: PositiveDuration | None = field(
        None, description="How long; to the end of the timeline without."
    )
    values: dict[Annotated[str, AfterValidator(_token_name)], Value] = field(
        {}, description="Texts for the tokens of the overlay's text layers."
    )


class TimelineTrack(Model):
    """Cues of one sort, one after another: either video or overlays."""

    EXACTLY_ONE = ("video", "overlays")

    name: PartName = field(description="Name of the track, unique in the timeline.")
    video: tuple[VideoCue, ...] | None = field(None, description="Video cues.", min_length=1)
    overlays: tuple[OverlayCue, ...] | None = field(None, description="Overlay cues.", min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        end = Fraction(0)
        for index, cue in enumerate(self.video or ()):
            if cue.at is not None and cue.at.seconds < end:
                raise Problems(
                    (
                        ("video", index, "at"),
                        f"{cue.at} is before the end of the cue above ({float(end):.10g}s); cues of a "
                        "video track stand in order and do not overlap",
                    )
                )
            end = (cue.at.seconds if cue.at is not None else end) + cue.duration.seconds
        return self

    @property
    def end(self) -> Fraction:
        """When the last cue with a known end is over, in seconds; 0 where there is none."""
        end = Fraction(0)
        for cue in self.video or ():
            end = (cue.at.seconds if cue.at is not None else end) + cue.duration.seconds
        ends = (cue.at.seconds + cue.duration.seconds for cue in self.overlays or () if cue.duration)
        return max(end, *ends, Fraction(0))


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
    def _one_video_track(self) -> Self:
        video = [index for index, track in enumerate(self.tracks) if track.video is not None]
        if len(video) > 1:
            raise Problems((("tracks", video[1], "video"), "a timeline has one track of video at most"))
        return self

    @model_validator(mode="after")
    def _overlays_start_in_time(self) -> Self:
        end = max(track.end for track in self.tracks)
        problems = [
            (
                ("tracks", index, "overlays", cue_index, "at"),
                f"{cue.at} is the end of the timeline or later ({float(end):.10g}s); give an earlier time, "
                "or a duration",
            )
            for index, track in enumerate(self.tracks)
            for cue_index, cue in enumerate(track.overlays or ())
            if cue.duration is None and end and cue.at.seconds >= end
        ]
        if problems:
            raise Problems(*problems)
        return self
