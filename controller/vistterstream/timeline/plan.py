"""The plan: the compiled, self-contained description that a playout converges to.

A plan holds everything the playout needs to run alone: paths are absolute, times are whole frames,
references are resolved. It holds no secret; it names them (`SecretKeyRef` and so on) and the values lie
in a file of their own beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any, Self

from vistterstream.resources.camera import CameraSpec
from vistterstream.resources.model import Effect, Model, field
from vistterstream.resources.output import Encoding, Failover, Target
from vistterstream.resources.overlay import Envelope, OverlaySpec
from vistterstream.resources.program import Fallback, Format, PlaybackState
from vistterstream.resources.quantities import Color, Digest, EasingFunction
from vistterstream.resources.timeline import ClipEnd, Direction, Fit, SoundFade, TransitionType

PLAN_VERSION = 2


class Worded(Model):
    """A part of a plan that there may be thousands of: it is put into words once, and stands on a line of its
    own, by which the next plan's reader knows it again.
    """

    @cached_property
    def text(self) -> bytes:
        """It as JSON."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()

    @classmethod
    def read(cls, text: bytes) -> Self:
        """What `text` says. Raises ValidationError."""
        found = cls.model_validate_json(text)
        found.__dict__["text"] = text
        return found

    def __copy__(self) -> Self:
        copied = super().__copy__()
        copied.__dict__.pop("text", None)  # `model_copy` makes another of it
        return copied


class CameraPlan(Model):
    """A camera that the program may show."""

    name: str = field(description="Name of the Camera.")
    spec: CameraSpec = field(description="Its spec, paths made absolute.")


class OverlayInstance(Worded):
    """An overlay with the values of a cue filled in; cues that look the same share one."""

    id: str = field(description="Digest of the content.")
    overlay: str = field(description="Name of the Overlay.")
    spec: OverlaySpec = field(
        description="Its spec, paths made absolute, tokens replaced; they still stand there if it has data."
    )
    values: dict[str, str] = field({}, description="Texts for the tokens that are not of data.")
    enter: Envelope | None = field(None, description="How all of it comes in, as one.")
    exit: Envelope | None = field(None, description="How all of it goes.")
    cue_points: dict[str, int] = field(
        {}, description="Frames from its entry to the cue points that its tracks name; may be negative."
    )


class ImagePlan(Model):
    """A still picture that fills the frame."""

    id: str = field(description="Digest of the rest.")
    file: str = field(description="Absolute path, of a copy that is kept of it for instance.")
    name: str = field("", description="Name of the file that the manifest names; that of `file` where empty.")
    fit: Fit = field(Fit.FILL, description="How it meets the frame.")
    color: Color = field(Color("#000000"), description="Colour around and behind it.")

    @property
    def called(self) -> str:
        """What people call it."""
        return self.name or PurePath(self.file).name


class ClipPlan(Model):
    """A clip of a video cue."""

    id: str = field(description="Digest of the rest, and of which of two such cues in a row it is for.")
    file: str = field(description="Absolute path.")
    start: int = field(0, description="The picture at the in-point, in frames of the program.", ge=0)
    at_end: ClipEnd = field(ClipEnd.HOLD, description="What follows its last picture.")
    sha256: Digest | None = field(None, description="What the file must be.")


class TransitionPlan(Model):
    """How a video cue comes in over what was shown before it; every field has a value, used or not."""

    type: TransitionType = field(description="Never cut.")
    frames: int = field(description="How long, counted from the start of the cue.", ge=1)
    direction: Direction = field(Direction.LEFT, description="Of wipe, slide and push.")
    softness: float = field(0.0, description="Of wipe: width of the edge, share of the picture.", ge=0, le=1)
    color: Color = field(Color("#000000"), description="Of fadeThroughBlack.")
    easing: EasingFunction = field(EasingFunction("linear"), description="Of the picture; sound goes evenly.")
    sound: SoundFade = field(SoundFade.EQUAL_GAIN, description="How the sounds go over.")


IMAGE = "image:"
"""A source that starts so is the ImagePlan whose id follows; no Camera's name has a colon in it."""


CLIP = "clip:"
"""A source that starts so is the ClipPlan whose id follows."""


class VideoCuePlan(Worded):
    """Frames `start` to `end` (not included) of the timeline show a camera, a clip, an image, or else the
    slate.
    """

    start: int = field(description="First frame.", ge=0)
    end: int = field(description="Frame after the last.", ge=1)
    camera: str | None = field(None, description="Name of the Camera.")
    preset: str | None = field(None, description="The place that the camera is to look at.")
    clip: str | None = field(None, description="Id of the ClipPlan.")
    image: str | None = field(None, description="Id of the ImagePlan.")
    transition: TransitionPlan | None = field(None, description="How it comes in; cut where None.")
    gain: float = field(1.0, description="Factor of its sound; 0 is mute.", ge=0)

    @property
    def source(self) -> str | None:
        """The camera's name, `CLIP` or `IMAGE` and an id, or None for the slate."""
        if self.clip is not None:
            return f"{CLIP}{self.clip}"
        return self.camera if self.image is None else f"{IMAGE}{self.image}"

    @property
    def fade(self) -> int:
        """Frames of transition from the cue before, counted from start."""
        return 0 if self.transition is None else self.transition.frames


class OverlayCuePlan(Worded):
    """Frames `start` to `end` (not included) of the timeline show the overlay instance."""

    start: int = field(description="First frame.", ge=0)
    end: int | None = field(None, description="Frame after the last; never ends where None.")
    instance: str = field(description="Id of the OverlayInstance.")


class GainPoint(Model):
    """A gain at a time."""

    frame: float = field(description="When, in frames since the cue started; not rounded.", ge=0)
    decibels: float = field(description="The gain; SILENCE is none at all.")
    easing: EasingFunction = field(EasingFunction("linear"), description="How it got here from the last.")


SILENCE = -96.0
"""The gain, in dB, that means no sound at all."""


class DuckPlan(Model):
    """A `Duck`, in frames."""

    threshold: float = field(description="Mean square of full scale (1.0) from which on a frame is loud.")
    factor: float = field(description="Of the gain while it is down.", ge=0, le=1)
    attack: int = field(description="Frames to go down.", ge=1)
    hold: int = field(description="Frames to stay down after the last loud one.", ge=0)
    release: int = field(description="Frames to come up.", ge=1)


class AudioCuePlan(Model):
    """Frames `start` to `end` (not included) of the timeline play the sound file along."""

    start: int = field(description="First frame.", ge=0)
    end: int | None = field(None, description="Frame after the last; never ends where None.")
    file: str = field(description="Absolute path.")
    loop: bool = field(False, description="Whether the file starts again when it ends.")
    through: bool = field(False, description="Whether it plays on when the timeline starts another round.")
    gain: float = field(1.0, description="Factor; 0 is mute.", ge=0)
    curve: tuple[GainPoint, ...] = field((), description="Gain over time, on top of that.")
    fade_in: int = field(0, description="Frames to come up from silence.", ge=0)
    fade_out: int = field(0, description="Frames, before its end, to go down to silence.", ge=0)
    duck: DuckPlan | None = field(None, description="When it goes down for speech.")


class DailyPlan(Model):
    """A time of each day."""

    second: int = field(description="Seconds since midnight by the clock on the wall.", ge=0, lt=86400)
    time_zone: str = field(description="IANA time zone.")


class PlaybackPlan(Model):
    """Where a timeline stands, if not where its anchor has it; see `Playback`."""

    state: PlaybackState = field(description="What it does.")
    frame: int | None = field(None, description="The frame at `since`; where it was then, where None.", ge=0)
    since: str | None = field(None, description="Instant from which on this holds; always where None.")


class CuePointPlan(Model):
    """A named frame of the timeline."""

    name: str = field(description="Its name.")
    frame: int = field(description="The frame.", ge=0)


class TimelinePlan(Model):
    """A timeline in whole frames of the program."""

    name: str = field(description="Name of the Timeline.")
    length: int = field(description="Frames until its end.", ge=1)
    loop: bool = field(description="Whether frame `length` is frame 0 again.")
    anchor: str | None = field(
        None, description="Instant of frame 0, ISO 8601 with zone; the program's epoch where None."
    )
    daily: DailyPlan | None = field(None, description="When it starts from frame 0 each day, instead.")
    playback: PlaybackPlan | None = field(None, description="Where it stands instead of all that.")
    video: tuple[VideoCuePlan, ...] = field((), description="In order, not overlapping.")
    overlays: tuple[OverlayCuePlan, ...] = field((), description="From the bottom up.")
    audio: tuple[AudioCuePlan, ...] = field((), description="In the order of the manifest.")
    cue_points: tuple[CuePointPlan, ...] = field((), description="In the order of the manifest.")

    @property
    def along(self) -> tuple[OverlayCuePlan | AudioCuePlan, ...]:
        """The cues that are not video."""
        return (*self.overlays, *self.audio)


class OutputPlan(Model):
    """An output of the program."""

    name: str = field(description="Name of the Output.")
    encoding: str = field(description="Id of the EncodingPlan.", effect=Effect.PUSHER)
    targets: tuple[Target, ...] = field(
        description="In order of preference; folders made absolute.", effect=Effect.TARGET
    )
    failover: Failover = field(description="When to change targets.", effect=Effect.LIVE)
    home: str | None = field(
        None,
        description="The folder of its manifest, where the folder of a target is relative to it. It is never "
        "made: while it is away, somebody is about to put it back.",
        effect=Effect.LIVE,
    )


class EncodingPlan(Model):
    """One encoder process."""

    id: str = field(description="Digest of the encoding.")
    encoding: Encoding = field(description="How.", effect=Effect.ENCODER)


class Plan(Model):
    """Everything one playout does."""

    version: int = field(PLAN_VERSION, description="Version of this form.")
    namespace: str = field(description="Namespace of the Program.")
    program: str = field(description="Name of the Program.")
    format: Format = field(description="Size and rate.", effect=Effect.PLAYOUT)
    cameras: tuple[CameraPlan, ...] = field((), description="By name.")
    overlays: tuple[OverlayInstance, ...] = field((), description="By id.", effect=Effect.LIVE)
    images: tuple[ImagePlan, ...] = field((), description="By id.", effect=Effect.LIVE)
    clips: tuple[ClipPlan, ...] = field((), description="By id.", effect=Effect.LIVE)
    timeline: TimelinePlan | None = field(
        None, description="What is shown when; the fallback where None.", effect=Effect.LIVE
    )
    fallback: Fallback = field(Fallback(), description="The slate.", effect=Effect.LIVE)
    encodings: tuple[EncodingPlan, ...] = field((), description="By id.")
    outputs: tuple[OutputPlan, ...] = field((), description="By name.")
    originals: dict[str, str] = field(
        {},
        description="The files that images are copies of, by the path of the copy: for words to people.",
        effect=Effect.LIVE,
    )
    secrets_revision: str = field("", description="Digest of the secret values the plan refers to.")

    def worded(self, sentence: str) -> str:
        """`sentence`, which may name copies, with the names of the files that they are copies of."""
        for copy, original in self.originals.items():
            sentence = sentence.replace(copy, original)
        return sentence

    @cached_property
    def text(self) -> bytes:
        """The plan as JSON, as it stands in its file: overlays and cues each on a line, all else between."""
        head = self.model_dump_json(by_alias=True, exclude_none=True, exclude={"overlays", "timeline"})
        pieces = [_opened(head, "overlays"), _lines(self.overlays)]
        if self.timeline is not None:
            shown = {"video", "overlays"}
            head = self.timeline.model_dump_json(by_alias=True, exclude_none=True, exclude=shown)
            pieces += [b'],"timeline":', _opened(head, "video"), _lines(self.timeline.video)]
            pieces += [b'],"overlays":[', _lines(self.timeline.overlays), b"]}}"]
        else:
            pieces.append(b"]}")
        return b"".join(pieces)

    @classmethod
    def read(cls, given: PlanText, before: Plan | None = None) -> Self:
        """The plan that stands there; what stands there as in the plan `before` is that plan's.

        Raises ValidationError.
        """
        document, known = given.document, _known(before)
        for (sort, place), parts, lines in zip(_LISTS, known, given.lines, strict=False):
            *above, name = place
            holder = document[above[0]] if above else document
            holder[name] = [parts.get(line) or sort.read(line) for line in lines]
        plan = cls.model_validate(document)
        plan.__dict__["text"] = given.text  # as if it had been made: equal files are equal plans
        return plan

    def __copy__(self) -> Self:
        copied = super().__copy__()
        copied.__dict__.pop("text", None)
        return copied


def _opened(head: str, name: str) -> bytes:
    """The JSON object, ready to take a list of that name as its last field."""
    return f'{head[:-1]}{"," if head[-2] != "{" else ""}"{name}":['.encode()


def _lines(parts: Sequence[Worded]) -> bytes:
    return b"".join((b"\n", b",\n".join([part.text for part in parts]), b"\n" if parts else b""))


_LISTS: tuple[tuple[type[Worded], tuple[str, ...]], ...] = (
    (OverlayInstance, ("overlays",)),
    (VideoCuePlan, ("timeline", "video")),
    (OverlayCuePlan, ("timeline", "overlays")),
)
"""What stands on lines, and where in the plan; of one without a timeline the first alone."""


def _known(plan: Plan | None) -> tuple[Mapping[bytes, Worded], ...]:
    """The parts of `plan` that stand on lines, list by list, by their texts."""
    if plan is None:
        return ({},) * len(_LISTS)
    cues: tuple[Sequence[Worded], ...] = ((), ())
    if plan.timeline is not None:
        cues = plan.timeline.video, plan.timeline.overlays
    return tuple({part.text: part for part in parts} for parts in (plan.overlays, *cues))


@dataclass(frozen=True, slots=True)
class PlanText:
    """The text of a plan, taken apart: `lines` has the parts that stand on lines, list by list, and
    `document` is all else.

    It is taken apart in small steps, since nothing may hold Python's lock in a playout for long.
    """

    text: bytes
    document: dict[str, Any]
    lines: tuple[tuple[bytes, ...], ...]

    @classmethod
    def of(cls, text: bytes) -> Self:
        """`text`, taken apart; of a plan that is laid out otherwise all is in the document.

        Raises ValueError and RecursionError where it is no JSON object.
        """
        first, *rest = text.split(b"\n")  # JSON has no line break in a text
        frame, lists = [first], [list[bytes]()]
        for line in rest:
            if line.startswith(b"{"):
                lists[-1].append(line.removesuffix(b","))
            else:
                frame.append(line)
                lists.append([])
        *lists, nothing = lists
        if nothing or len(lists) not in (1, len(_LISTS)):
            return cls(text, _object(text), ())
        document = _object(b"".join(frame))
        if len(lists) > 1 and not isinstance(document.get("timeline"), dict):
            raise ValueError("its timeline is not a JSON object")
        return cls(text, document, tuple(map(tuple, lists)))


def _object(text: bytes) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("it is not a JSON object")
    return found
