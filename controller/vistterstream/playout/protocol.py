"""What a playout and its controller say to each other, over the Unix socket ``control.sock``.

One JSON object a line, each way. A request has ``op`` and answers come in the order of the requests:

- ``{"op": "hello"}`` → ``{"hello": Hello}``: proves identity (the nonce of ``identity.json``).
- ``{"op": "apply"}`` → ``{"applied": Applied}``: read ``plan.json`` and ``secrets.json`` again and converge.
- ``{"op": "status"}`` → ``{"status": PlayoutStatus}``.
- ``{"op": "watch"}`` → a ``{"status": …}`` line now, on each change of what the status says, and once a
  second; it never ends.
- ``{"op": "stop"}`` → ``{"stopping": true}``: off air, all children ended, the process gone.

An answer ``{"error": MESSAGE}`` leaves everything as it was. Nothing in here carries a secret.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")  # an older controller may talk to a newer playout


class Hello(_Message):
    """Who answers."""

    pid: int
    nonce: str
    program: str
    namespace: str
    version: str  # of VistterStream


class Applied(_Message):
    """A plan was taken."""

    revision: str
    frame: int  # first program frame composed from it
    due: float  # Unix time at which that frame was due


class Came(_Message):
    """When what is on air came."""

    since: float  # Unix time of its first frame
    frame: int  # number of that frame


class Standing(_Message):
    """That the timeline does not just go on."""

    state: str  # "paused", or "held" at the end of the video cue
    at: float | None = None  # where it is paused, s from its start; None: before that, or after its end
    since: float | None = None  # Unix time from which on that holds; None: always


class OnAir(_Message):
    """What the current program frame shows."""

    kind: str  # "Camera", "Clip", "Image" for a still picture, or "Slate" for the fallback
    name: str  # of the Camera or the file of clip or image; of what is missing, or "", for the slate
    since: float  # Unix time of the first such frame
    frame: int  # number of that frame
    preset: str = ""  # the place that the cue wants the Camera to look at
    reason: str  # "Cue", "Backup", "NoCue", or why the slate: "CameraStalled", "CameraConnecting", …
    overlays: list[str] = []  # names of Overlays, from the bottom up
    entered: list[str] = []  # those of them that were not there in the frame before
    left: list[str] = []  # those that were
    sounds: list[str] = []  # files of the audio cues that play, in the order of the manifest
    timeline: str = ""  # name of the Timeline; none where the program has none
    position: int | None = None  # the frame of the timeline; None before its anchor and after its end
    cue: int | None = None  # number of the video cue, from 0, nested timelines written out; None in a gap
    standing: Standing | None = None  # None: the timeline plays, or there is none
    came: Came | None = None  # when this source came, however many cues and overlays have come since


_MISSING = {"ImageMissing": "image", "ClipMissing": "clip", "ClipStarting": "clip"}


def missing_kind(reason: str) -> str:
    """What the slate stands in for where that is the reason for it: a camera, a clip or an image."""
    return _MISSING.get(reason, "camera")


class CameraState(StrEnum):
    """What an ingest is doing."""

    IDLE = "Idle"  # a file that is not shown now: not needed soon, or ready at its next picture
    STANDBY = "Standby"  # connected, decoding key frames only
    CONNECTING = "Connecting"  # started, no frame yet
    LIVE = "Live"  # frames are coming
    STALLED = "Stalled"  # connected, but no frame for longer than stallAfter
    WAITING = "Waiting"  # ended or failed; starts again at a known time


class CameraStatus(_Message):
    """One camera."""

    state: CameraState
    reason: str = ""  # CamelCase, of the last failure: ConnectionRefused, Unauthorized, Timeout, …
    message: str = ""  # a sentence, redacted
    pid: int | None = None
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: str | None = None
    audio: bool | None = None
    frame_age: float | None = None  # seconds since the newest frame
    frames: int = 0  # decoded since the playout started
    restarts: dict[str, int] = {}  # by reason


class EncoderStatus(_Message):
    """One encoder."""

    pid: int | None = None
    state: str = "Starting"  # Starting, Running, Waiting
    message: str = ""
    speed: float | None = None  # media time over wall time, from FFmpeg's progress
    bitrate: float | None = None  # bit/s over the last seconds
    restarts: dict[str, int] = {}  # by reason


class OutputState(StrEnum):
    """What an output is doing."""

    CONNECTING = "Connecting"  # a pusher runs but has not delivered yet
    PUBLISHING = "Publishing"  # the platform takes what is sent
    WAITING = "Waiting"  # failed; tries again at a known time


class OutputStatus(_Message):
    """One output."""

    state: OutputState
    reason: str = ""  # CamelCase, of the last failure, until the stream is taken again
    message: str = ""  # a sentence, redacted
    failed_target: str = ""  # whose failure that was; "" from an older playout, which does not tell
    active_target: str = ""  # that is delivered to, or tried now or next
    encoding: str = ""  # id of the encoder
    pid: int | None = None  # of the pusher
    reconnects: int = 0  # since the playout began to carry it, as all that is counted here
    bytes: int = 0  # handed to pushers
    dropped_groups: int = 0
    retry_at: float | None = None  # Unix time
    restarts: dict[str, int] = {}  # by reason


class DataStatus(_Message):
    """One data source of an overlay."""

    overlay: str  # name of the Overlay
    name: str
    text: str | None = None  # the value, or the beginning of a long one
    age: float | None = None  # seconds since the value was fetched; None: there is none
    fetches: int = 0  # at its address, since the playout began to
    failures: dict[str, int] = {}  # of these, by reason


class SoundStatus(_Message):
    """How loud the program is; silence has -120."""

    momentary: float  # LUFS, of the last 400 ms
    peak: float  # dBFS, highest sample of the last second on either channel
    state: str  # Silent (for ten seconds), Normal, Clipping (within the last ten)


class PlayoutStatus(_Message):
    """Everything a playout observes of itself."""

    pid: int
    revision: str  # digest of the plan it runs
    frame: int
    fps: float  # measured over the last seconds
    realtime: bool  # whether the clock thread got real-time priority
    late_frames: int = 0  # composed after they were due
    repeated_frames: int = 0  # repeated because the program was too far behind
    on_air: OnAir | None = None
    cameras: dict[str, CameraStatus] = {}
    encoders: dict[str, EncoderStatus] = {}
    outputs: dict[str, OutputStatus] = {}
    overlay_problems: dict[str, str] = {}  # Overlay name → sentence (missing image, unknown font)
    picture_problems: dict[str, str] = {}  # picture of a cue or of the slate, as in the plan → sentence
    clip_problems: dict[str, str] = {}  # file of a clip → sentence
    data: list[DataStatus] = []
    sound: SoundStatus | None = None  # None: an older playout, which does not measure it
    sound_problems: dict[str, str] = {}  # sound file → sentence (missing, broken)
    errors: list[str] = []  # sentences, the newest last, at most ten
