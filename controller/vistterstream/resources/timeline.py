"""Timeline: tracks of cues on one clock."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from vistterstream.resources.audio import AudioCue, CueAudio
from vistterstream.resources.messages import enumeration, nearest, shown
from vistterstream.resources.model import Effect, Model, Problems, field
from vistterstream.resources.names import Name, PartName
from vistterstream.resources.overlay import Envelope
from vistterstream.resources.quantities import (
    TICKS,
    Color,
    Digest,
    EasingFunction,
    PositiveTimelinePosition,
    TimelinePosition,
)
from vistterstream.resources.texts import FilePath, TimeZone, Values


def _check_instant(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not an instant such as 2026-05-17T09:30:00+02:00") from None
    if instant.tzinfo is None:
        raise ValueError(f"{shown(text)} lacks a zone; write Z or an offset such as +02:00 behind it")
    return text


def _time_of_day(text: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?", text):
        raise ValueError(f"{shown(text)} is not a time of day such as 09:30 or 09:30:00")
    return text


Instant = Annotated[str, AfterValidator(_check_instant)]
"""An instant with a zone, as text."""


class TransitionType(StrEnum):
    """How one picture becomes the next."""

    CUT = "cut"
    CROSSFADE = "crossfade"
    FADE_THROUGH_BLACK = "fadeThroughBlack"
    WIPE = "wipe"
    SLIDE = "slide"
    PUSH = "push"


class Direction(StrEnum):
    """Where the edge of a transition moves to."""

    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"


class SoundFade(StrEnum):
    """How the sound of one picture goes over into that of the next."""

    EQUAL_GAIN = "equalGain"
    EQUAL_POWER = "equalPower"


_MOVING = (TransitionType.WIPE, TransitionType.SLIDE, TransitionType.PUSH)
_ONLY_FOR: dict[str, tuple[TransitionType, ...]] = {
    "duration": tuple(TransitionType)[1:],
    "easing": tuple(TransitionType)[1:],
    "sound": tuple(TransitionType)[1:],
    "direction": _MOVING,
    "softness": (TransitionType.WIPE,),
    "color": (TransitionType.FADE_THROUGH_BLACK,),
}
_A_SECOND = TimelinePosition("1s")


class Transition(Model):
    """How a video cue comes in. The outgoing cue is held over into it for `duration`."""

    type: TransitionType = field(
        TransitionType.CUT,
        description="crossfade mixes; fadeThroughBlack goes out to a colour and in from it; wipe uncovers "
        "the new picture behind an edge; slide moves it over the old one; push moves both.",
    )
    duration: PositiveTimelinePosition | None = field(
        None, description="How long; 1s without. A cut takes no time."
    )
    easing: EasingFunction | None = field(
        None,
        description="How it gathers and loses speed: linear (without), easeInOut, easeOutCubic, "
        "cubic-bezier(x1, y1, x2, y2) and so on. The sound goes evenly.",
    )
    sound: SoundFade | None = field(
        None,
        description="equalGain (without): the gains of both sounds add up to one, right for like ones; "
        "equalPower: their squares do, so that unlike ones, as of two cameras, do not dip in the middle.",
    )
    direction: Direction | None = field(
        None, description="Where to: of a wipe its edge, of slide and push the picture; left without."
    )
    softness: float | None = field(
        None, description="Of a wipe: the width of its edge, as a share of the picture.", ge=0, le=1
    )
    color: Color | None = field(None, description="Of fadeThroughBlack: the colour; black without.")

    @model_validator(mode="after")
    def _fields_of_the_type(self) -> Self:
        problems = []
        for name, types in _ONLY_FOR.items():
            if getattr(self, name) is None or self.type in types:
                continue
            if name == "duration":
                sentence = "a cut takes no time; write type: crossfade"
            else:
                sentence = f"a {self.type.value} has none; it is for {enumeration([t.value for t in types])}"
            problems.append(((name,), sentence))
        if problems:
            raise Problems(*problems)
        return self

    @property
    def length(self) -> TimelinePosition | None:
        """How long it takes; None for a cut."""
        if self.type is TransitionType.CUT:
            return None
        return self.duration if self.duration is not None else _A_SECOND

    @property
    def seconds(self) -> Fraction | None:
        """How long it takes in seconds, 0 for a cut; None where that depends on the rate."""
        return Fraction(0) if self.length is None else self.length.seconds


class Fit(StrEnum):
    """How a picture of another shape meets the frame."""

    FILL = "fill"
    FIT = "fit"


class ImageCue(Model):
    """A still picture."""

    file: FilePath = field(
        description="A PNG, JPEG or WebP file; a relative path starts at the folder of the manifest."
    )
    fit: Fit = field(
        Fit.FILL, description="fill covers the frame and cuts what is over; fit shows all of the picture."
    )
    color: Color = field(Color("#000000"), description="Colour around and behind it.")


class ClipEnd(StrEnum):
    """What follows the last picture of a clip, while its cue lasts."""

    HOLD = "hold"  # it stays, silent
    LOOP = "loop"  # the clip again, from its in-point


class FileCue(Model):
    """A clip: a media file, played from its in-point with its sound."""

    path: FilePath = field(
        description="The file, such as MP4, MOV or MKV; a relative path starts at the folder of the manifest."
    )
    start: TimelinePosition = field(
        TimelinePosition("0s"),
        description="The in-point: where in the file the cue begins, from its start.",
        alias="in",
    )
    at_end: ClipEnd = field(
        ClipEnd.HOLD,
        description="What follows its last picture while the cue lasts: hold keeps it, silent; loop goes "
        "back to the in-point.",
    )
    sha256: Digest | None = field(
        None, description="SHA-256 of the file, 64 hexadecimal digits; another file is not shown."
    )


class SlateCue(Model):
    """The program's fallback picture, shown on purpose."""


class VideoCue(Model):
    """Show a camera, a clip, a picture, the slate or another timeline, from `at` (or the end of the cue
    before) for `duration`.
    """

    EXACTLY_ONE = ("camera", "file", "image", "slate", "timeline")

    camera: Name | None = field(None, description="The Camera to show.", reference="Camera")
    preset: PartName | None = field(
        None,
        description="With camera: the name of a place that it is to look at. It is written down in the plan "
        "and in the as-run log; nothing moves the camera yet.",
    )
    file: FileCue | None = field(None, description="A clip to play.")
    image: ImageCue | None = field(None, description="A still picture to show.")
    slate: SlateCue | None = field(None, description="Show the program's fallback: `slate: {}`.")
    timeline: Name | None = field(
        None,
        description="The Timeline to play from its start, with its overlays; if it loops, over and over.",
        reference="Timeline",
    )
    at: TimelinePosition | None = field(
        None, description="Start on the timeline; the end of the cue before without."
    )
    duration: PositiveTimelinePosition | None = field(
        None, description="How long; must be given, except of a timeline, which then is played once."
    )
    transition: Transition = field(Transition(), description="How it comes in.")
    audio: CueAudio = field(
        CueAudio(), description="How loud its sound is; of a timeline, all that is heard in it."
    )

    @model_validator(mode="after")
    def _has_a_duration(self) -> Self:
        if self.duration is None and self.timeline is None:
            raise Problems((("duration",), "must be given"))
        return self

    @model_validator(mode="after")
    def _preset_has_a_camera(self) -> Self:
        if self.preset is not None and self.camera is None:
            raise Problems((("preset",), "goes with camera alone; take it out"))
        return self

    @model_validator(mode="after")
    def _fade_fits(self) -> Self:
        taken, given = self.transition.seconds, self.duration.seconds if self.duration is not None else None
        if taken is not None and given is not None and taken > given:
            raise Problems((("transition",), self.transition_too_long()))
        return self

    def transition_too_long(self) -> str:
        """The sentence that says so."""
        length = self.transition.duration or "1s, where none is given"
        whose = f" ({self.duration})" if self.duration is not None else ""
        return f"the {self.transition.type.value} ({length}) is longer than its cue{whose}"


class OverlayCue(Model):
    """Show an overlay from `at` for `duration`."""

    overlay: Name = field(description="The Overlay to show.", reference="Overlay")
    cue: PartName | None = field(None, description="Start at the cue point of that name; `at` is added.")
    at: TimelinePosition = field(TimelinePosition("0s"), description="Start on the timeline.")
    until: PartName | None = field(None, description="End at the cue point of that name.")
    duration: PositiveTimelinePosition | None = field(
        None, description="How long; to the end of the timeline without."
    )
    values: Values = field(
        {}, description="Texts for the tokens of the overlay; they win over those of the Program."
    )
    layer: int = field(
        0,
        description="Higher ones lie on top, in other timelines' cues too; of the same, tracks further down, "
        "and in a track later cues.",
        ge=-1000,
        le=1000,
    )
    enter: Envelope | None = field(
        None, description="How all of it comes in, as one, with whatever its layers do; at once without."
    )
    exit: Envelope | None = field(
        None, description="How all of it goes at the end of the cue, if that has one; at once without."
    )

    @model_validator(mode="after")
    def _ends_once(self) -> Self:
        if self.until is not None and self.duration is not None:
            raise Problems((("until",), "give either until or duration, not both"))
        return self


class TimelineTrack(Model):
    """Cues of one sort: video, one after another, or overlays, or audio, which may overlap."""

    EXACTLY_ONE = ("video", "overlays", "audio")

    name: PartName = field(description="Name of the track, unique in the timeline.")
    video: tuple[VideoCue, ...] | None = field(None, description="Video cues.", min_length=1)
    overlays: tuple[OverlayCue, ...] | None = field(None, description="Overlay cues.", min_length=1)
    audio: tuple[AudioCue, ...] | None = field(
        None, description="Sounds that play along, such as music under the pictures.", min_length=1
    )

    loop: bool = field(
        False,
        description="Start the cues again when the last has ended, until the timeline ends. Where all tracks "
        "that have an end loop, the timeline is as long as it takes them to start together again.",
    )

    @model_validator(mode="after")
    def _ends_to_loop(self) -> Self:
        problems = [
            ((sort, index, "duration"), "must be given in a track that loops")
            for sort, index, cue in self.along()
            if self.loop and cue.duration is None and not (isinstance(cue, OverlayCue) and cue.until)
        ]
        if problems:
            raise Problems(*problems)
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """Checks what needs no frame rate; the rest is checked when a plan is made."""
        end: int | None = 0
        for index, cue in enumerate(self.video or ()):
            start = end if cue.at is None else cue.at.parts
            if cue.at is not None and start is not None and end is not None and start < end:
                raise Problems((("video", index, "at"), too_early(cue, _text(end))))
            end = _sum(start, None if cue.duration is None else cue.duration.parts)
        return self

    def along(self) -> Iterator[tuple[str, int, OverlayCue | AudioCue]]:
        """The cues that may overlap, each with its field and its place in it."""
        yield from (("overlays", index, cue) for index, cue in enumerate(self.overlays or ()))
        yield from (("audio", index, cue) for index, cue in enumerate(self.audio or ()))

    @property
    def end(self) -> int | None:
        """When the last cue with a known end is over, in parts of a second (`TICKS`); 0 where there is none,
        None where that depends on the frame rate or on another timeline.
        """
        end: int | None = 0
        for cue in self.video or ():
            length = None if cue.duration is None else cue.duration.parts
            end = _sum(end if cue.at is None else cue.at.parts, length)
        ends = [
            end,
            *(_end(cue) for _, _, cue in self.along() if cue.duration or synced(cue)),
        ]
        known = [one for one in ends if one is not None]
        return max(known) if len(known) == len(ends) else None


def no_cue_point(name: str, names: Collection[str], whose: str = "the timeline", so: str = "") -> str:
    """The sentence that says that a timeline, which has cue points of these `names`, has none of that; and
    what comes of it.
    """
    hint = nearest(name, names) or (f"; it has {enumeration(names, 'and')}" if names else "")
    return f"{whose} has no cue point {shown(name)}{so}{hint}"


def too_early(cue: VideoCue, end: str) -> str:
    """The sentence that says that `cue` starts before `end`, that of the cue above."""
    return (
        f"{cue.at} is before the end of the cue above ({end}); cues of a video track stand in order and do "
        "not overlap"
    )


def too_late(cue: OverlayCue | AudioCue, end: str) -> str:
    """The sentence that says that `cue` would start when the timeline ends, or later."""
    return f"{cue.at} is the end of the timeline or later ({end}); give an earlier time, or a duration"


def synced(cue: OverlayCue | AudioCue) -> bool:
    """Whether a cue starts or ends at a cue point."""
    return isinstance(cue, OverlayCue) and (cue.cue is not None or cue.until is not None)


def _end(cue: OverlayCue | AudioCue) -> int | None:
    """When a cue with an end is over; None where that depends on the rate or on cue points."""
    return None if cue.duration is None or synced(cue) else _sum(cue.at.parts, cue.duration.parts)


def _sum(start: int | None, length: int | None) -> int | None:
    return None if start is None or length is None else start + length


def _text(parts: int) -> str:
    """Parts of a second as people write them."""
    return f"{parts / TICKS:.10g}s"


class DailyAnchor(Model):
    """A time of each day."""

    time: Annotated[str, AfterValidator(_time_of_day)] = field(
        description="The time of day, HH:MM or HH:MM:SS, in the zone. Where the clocks skip it, it is as "
        "much later; where they show it twice, the first time counts."
    )
    time_zone: TimeZone = field("UTC", description="IANA time zone, such as Europe/Oslo.")


class TimelineAnchor(Model):
    """When the timeline's first frame is shown: at one instant, or each day anew."""

    EXACTLY_ONE = ("start", "daily")

    start: Instant | None = field(
        None, description="An instant with a zone, such as 2026-05-17T09:30:00+02:00."
    )
    daily: DailyAnchor | None = field(
        None, description="Each day at this time the timeline starts from its beginning, wherever it is."
    )


class CuePoint(Model):
    """A named place on the timeline."""

    name: PartName = field(description="Name of the place, unique in the timeline.")
    at: TimelinePosition = field(description="Where it is.")


class TimelineSpec(Model):
    """What is shown when."""

    loop: bool = field(False, description="Start again at the end.", effect=Effect.LIVE)
    anchor: TimelineAnchor | None = field(
        None,
        description="Where the first frame lies in time; the start of the program without.",
        effect=Effect.LIVE,
    )
    tracks: tuple[TimelineTrack, ...] = field(
        description="At most one track of video; overlay tracks further down lie on top; audio tracks are "
        "heard together.",
        effect=Effect.LIVE,
        min_length=1,
        max_length=64,
    )
    cue_points: tuple[CuePoint, ...] = field(
        (), description="Places that have a name.", effect=Effect.LIVE, max_length=1000
    )

    @model_validator(mode="after")
    def _one_video_track(self) -> Self:
        video = [index for index, track in enumerate(self.tracks) if track.video is not None]
        if len(video) > 1:
            raise Problems((("tracks", video[1], "video"), "a timeline has one track of video at most"))
        return self

    @model_validator(mode="after")
    def _all_start_in_time(self) -> Self:
        ends = [track.end for track in self.tracks]
        known = [end for end in ends if end is not None]
        certain = len(known) == len(ends) and not any(track.loop for track in self.tracks)
        end = max(known) if certain else None  # how far tracks that loop go is found when a plan is made
        problems = [
            (("tracks", index, sort, cue_index, "at"), too_late(cue, _text(end)))
            for index, track in enumerate(self.tracks)
            for sort, cue_index, cue in track.along()
            if cue.duration is None and not synced(cue) and end
            if cue.at.parts is not None and cue.at.parts >= end
        ]
        if problems:
            raise Problems(*problems)
        return self

    @model_validator(mode="after")
    def _cue_points_exist(self) -> Self:
        names = [point.name for point in self.cue_points]
        problems = [
            (("tracks", index, "overlays", cue_index, field), no_cue_point(name, names))
            for index, track in enumerate(self.tracks)
            for cue_index, cue in enumerate(track.overlays or ())
            for field, name in (("cue", cue.cue), ("until", cue.until))
            if name is not None and name not in names
        ]
        if problems:
            raise Problems(*problems)
        return self
