"""What is observed of each kind. Written by the controller alone; unknown fields are kept, since a newer
controller may have written them.
"""

from __future__ import annotations

from pydantic import ConfigDict

from vistterstream.resources.conditions import Condition
from vistterstream.resources.model import Model, field


class StatusPart(Model):
    """A part of a status."""

    model_config = ConfigDict(extra="allow")


class Status(StatusPart):
    """What every kind's status has."""

    conditions: tuple[Condition, ...] = field((), description="What holds of the object; Ready always.")
    observed_generation: int | None = field(
        None, description="The metadata.generation that this status was written for.", ge=0
    )


class Process(StatusPart):
    """A child process."""

    pid: int | None = field(None, description="Its process id.")


class Video(StatusPart):
    """What a camera sends."""

    codec: str | None = field(None, description="Codec, as FFmpeg names it.")
    width: int | None = field(None, description="Width in pixels.")
    height: int | None = field(None, description="Height in pixels.")
    frame_rate: str | None = field(None, description="Frames a second, such as 25 or 30000/1001.")


class CameraStatus(Status):
    """What is observed of a camera."""

    ingest: Process | None = field(None, description="The process that pulls and decodes it.")
    video: Video | None = field(None, description="Its picture.")
    audio: bool | None = field(None, description="Whether it sends sound.")
    program: str | None = field(None, description="The Program whose playout looks at it.")


class DataValue(Model):
    """What a data source says."""

    name: str = field(description="Name of the data source.")
    text: str | None = field(None, description="Its last good value, as much as 200 characters of it.")


class OverlayStatus(Status):
    """What is observed of an overlay."""

    data: tuple[DataValue, ...] = field((), description="What its data sources say.")


class TimelineStatus(Status):
    """What is observed of a timeline."""


class PlayoutProcess(Process):
    """The process that owns a program."""

    revision: str | None = field(None, description="Digest of the plan it runs.")
    since: str | None = field(None, description="When it started, RFC 3339.")


class OnAirSource(StatusPart):
    """What the picture comes from."""

    kind: str = field(description="Camera, Clip, Image, or Slate for the fallback.")
    name: str = field("", description="Name of the Camera; for the slate, of the Camera that is missing.")


class OnAirPlayback(StatusPart):
    """That the timeline is kept from going on."""

    state: str = field(description="paused, or held at the end of the video cue.")
    at: str | None = field(None, description="The place on the timeline where it is paused, such as 1m30s.")
    since: str | None = field(None, description="From when on that holds, RFC 3339; always where None.")


class OnAir(StatusPart):
    """What the program shows."""

    source: OnAirSource = field(description="What the picture comes from.")
    since: str | None = field(None, description="When it came on air, RFC 3339.")
    frame: int | None = field(None, description="Number of its first program frame.")
    reason: str | None = field(None, description="Cue, Backup, NoCue, or why the slate is shown.")
    overlays: tuple[str, ...] = field((), description="Names of the Overlays shown, from the bottom up.")
    playback: OnAirPlayback | None = field(
        None, description="What keeps the timeline from going on; None where it plays."
    )


class ProgramStatus(Status):
    """What is observed of a program."""

    playout: PlayoutProcess | None = field(None, description="The process that owns the program.")
    on_air: OnAir | None = field(None, description="What it shows.")
    sound: str | None = field(
        None,
        description="Silent (nothing to be heard for ten seconds), Normal, or Clipping (too loud within the "
        "last ten). Levels are metrics.",
    )


class OutputStatus(Status):
    """What is observed of an output."""

    active_target: str | None = field(None, description="Name of the target that is delivered to.")
    pusher: Process | None = field(None, description="The process that carries the stream there.")
    encoder: Process | None = field(None, description="The process that encodes it.")
    reconnects: int | None = field(
        None, description="Times a target was connected to again, edits included.", ge=0
    )


class SecretStatus(Status):
    """What is observed of a secret: never anything of its values."""
