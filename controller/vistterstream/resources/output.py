"""Output: where a program goes."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import model_validator

from vistterstream.resources.camera import SecretKeyRef
from vistterstream.resources.model import Effect, Model, field
from vistterstream.resources.quantities import BitRate, Duration


class VideoCodec(StrEnum):
    """Video codecs."""

    H264 = "h264"


class AudioCodec(StrEnum):
    """Audio codecs."""

    AAC = "aac"


class Preset(StrEnum):
    """x264 presets, from the least work to the most."""

    ULTRAFAST = "ultrafast"
    SUPERFAST = "superfast"
    VERYFAST = "veryfast"
    FASTER = "faster"
    FAST = "fast"
    MEDIUM = "medium"


class Container(StrEnum):
    """Recording containers; each can be played when the recording was cut off."""

    MKV = "mkv"
    TS = "ts"
    MP4 = "mp4"  # fragmented


class VideoEncoding(Model):
    """How the picture is encoded."""

    codec: VideoCodec = field(VideoCodec.H264, description="Video codec.")
    bitrate: BitRate = field(BitRate("4500k"), description="Target bit rate.")
    keyframe_interval: Duration = field(Duration("2s"), description="Time from one key frame to the next.")
    preset: Preset = field(Preset.VERYFAST, description="x264 preset.")


class AudioEncoding(Model):
    """How the sound is encoded."""

    codec: AudioCodec = field(AudioCodec.AAC, description="Audio codec.")
    bitrate: BitRate = field(BitRate("128k"), description="Target bit rate.")


class Encoding(Model):
    """How a program is encoded. Outputs of a program with equal encodings share one encoder."""

    video: VideoEncoding = field(VideoEncoding(), description="The picture.")
    audio: AudioEncoding = field(AudioEncoding(), description="The sound.")


class Tls(Model):
    """How the platform's certificate is checked (rtmps)."""

    verify: bool = field(True, description="Refuse a certificate that cannot be verified.")
    ca_file: str | None = field(
        None, description="PEM file of certificates to trust; the system's without.", min_length=1
    )


class HlsTarget(Model):
    """A folder of HLS segments and a playlist, index.m3u8."""

    folder: str | None = field(
        None,
        description="The folder; one inside the state folder, served by the preview page, without.",
        min_length=1,
    )
    segment_duration: Duration = field(Duration("2s"), description="Length of a segment.")
    list_size: int = field(6, description="Segments in the playlist; older ones are deleted.", ge=2, le=3600)


class RecordingTarget(Model):
    """Files on disk, a new one each `segmentDuration`."""

    folder: str | None = field(
        None, description="The folder; one inside the state folder without.", min_length=1
    )
    segment_duration: Duration = field(Duration("1h"), description="Length of a file.")
    container: Container = field(Container.MKV, description="File format.")


class Target(Model):
    """One place to deliver to: exactly one of url, hls, recording."""

    name: str = field(description="Name, unique in the output.", min_length=1, max_length=63)
    url: str | None = field(
        None,
        description="rtmp, rtmps or srt address. The stream key goes into a Secret, not in here.",
    )
    stream_key_secret_ref: SecretKeyRef | None = field(
        None, description="The stream key: the last path segment of rtmp(s), the streamid of srt."
    )
    tls: Tls = field(Tls(), description="Certificate checks.")
    hls: HlsTarget | None = field(None, description="HLS into a folder.")
    recording: RecordingTarget | None = field(None, description="Recording into files.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(getattr(self, name) is not None for name in ("url", "hls", "recording")) != 1:
            raise ValueError("exactly one of url, hls and recording must be given")
        return self


class Failover(Model):
    """When to go over to the next target."""

    attempts: int = field(
        3, description="Attempts in a row that may fail before the next target is tried.", ge=1, le=100
    )
    stable_after: Duration = field(
        Duration("10s"), description="A target that delivered for this long counts as healthy again."
    )


class OutputSpec(Model):
    """Where a program goes, and how."""

    program: str = field(description="The Program to deliver.", reference="Program", effect=Effect.PUSHER)
    encoding: Encoding = field(Encoding(), description="How it is encoded.", effect=Effect.ENCODER)
    targets: tuple[Target, ...] = field(
        description="In order of preference; one is active at a time.",
        effect=Effect.PUSHER,
        min_length=1,
        max_length=16,
    )
    failover: Failover = field(Failover(), description="When to change targets.", effect=Effect.LIVE)

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        names = [target.name for target in self.targets]
        if len(set(names)) != len(names):
            raise ValueError("two targets have the same name")
        return self
