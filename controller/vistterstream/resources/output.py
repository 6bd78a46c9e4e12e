"""Output: where a program goes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from vistterstream.resources.camera import SecretKeyRef
from vistterstream.resources.model import Effect, Model, Problems, field
from vistterstream.resources.names import Name
from vistterstream.resources.quantities import BitRate, Duration, between
from vistterstream.resources.texts import FilePath
from vistterstream.resources.urls import OutputUrl


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


def _of_sound(rate: BitRate) -> BitRate:
    if rate.bits_per_second > 512_000:
        raise ValueError(f"{str(rate)!r} is more than AAC takes; use at most 512k")
    return rate


class VideoEncoding(Model):
    """How the picture is encoded."""

    codec: VideoCodec = field(VideoCodec.H264, description="Video codec.")
    bitrate: BitRate = field(BitRate("4500k"), description="Target bit rate.")
    keyframe_interval: Annotated[Duration, between("100ms", "30s")] = field(
        Duration("2s"), description="Time from one key frame to the next."
    )
    preset: Preset = field(Preset.VERYFAST, description="x264 preset.")


class AudioEncoding(Model):
    """How the sound is encoded."""

    codec: AudioCodec = field(AudioCodec.AAC, description="Audio codec.")
    bitrate: Annotated[BitRate, AfterValidator(_of_sound)] = field(
        BitRate("128k"), description="Target bit rate, at most 512k."
    )


class Encoding(Model):
    """How a program is encoded. Outputs of a program with equal encodings share one encoder."""

    video: VideoEncoding = field(VideoEncoding(), description="The picture.")
    audio: AudioEncoding = field(AudioEncoding(), description="The sound.")
    lossless: bool = field(
        False,
        description="Give every bit of picture and sound back: H.264 without loss and PCM, for archives and "
        "for proof. Bit rates and the audio codec play no part; targets can be recordings (mkv, ts) and srt.",
    )


class Tls(Model):
    """How the platform's certificate is checked (rtmps)."""

    verify: bool = field(True, description="Refuse a certificate that cannot be verified.")
    ca_file: FilePath | None = field(
        None, description="PEM file of certificates to trust; the system's without."
    )


class HlsTarget(Model):
    """A folder of HLS segments and a playlist, index.m3u8."""

    folder: FilePath | None = field(
        None, description="The folder; one inside the state folder, served by the preview page, without."
    )
    segment_duration: Annotated[Duration, between("100ms", "1m")] = field(
        Duration("2s"), description="Length of a segment."
    )
    list_size: int = field(6, description="Segments in the playlist; older ones are deleted.", ge=2, le=3600)


class RecordingTarget(Model):
    """Files on disk, a new one each `segmentDuration`."""

    folder: FilePath | None = field(None, description="The folder; one inside the state folder without.")
    segment_duration: Annotated[Duration, between("1s", "168h")] = field(
        Duration("1h"), description="Length of a file."
    )
    container: Container = field(Container.MKV, description="File format.")


class Target(Model):
    """One place to deliver to: exactly one of url, hls, recording."""

    EXACTLY_ONE = ("url", "hls", "recording")

    name: Name = field(description="Name, unique in the output; part of the path of its default folder.")
    url: OutputUrl | None = field(
        None,
        description="rtmp, rtmps or srt address. The stream key goes into a Secret, not in here.",
    )
    stream_key_secret_ref: SecretKeyRef | None = field(
        None, description="The stream key: the last path segment of rtmp(s), the streamid of srt."
    )
    passphrase_secret_ref: SecretKeyRef | None = field(
        None, description="The passphrase of an srt address that is encrypted: 10 to 79 bytes."
    )
    tls: Tls = field(Tls(), description="Certificate checks.")
    hls: HlsTarget | None = field(None, description="HLS into a folder.")
    recording: RecordingTarget | None = field(None, description="Recording into files.")

    @model_validator(mode="after")
    def _fits_the_url(self) -> Self:
        url = (self.url or "").lower()
        if self.stream_key_secret_ref is not None and "streamid=" in url:
            raise Problems((("url",), "the stream key is the streamid; take streamid out of the address"))
        if self.stream_key_secret_ref is not None and not url:
            raise Problems((("streamKeySecretRef",), "goes with url alone; take it out"))
        if self.passphrase_secret_ref is not None and not url.startswith("srt:"):
            raise Problems((("passphraseSecretRef",), "goes with srt addresses alone; take it out"))
        if self.tls != Tls() and not url.startswith("rtmps:"):
            raise Problems((("tls",), "goes with rtmps addresses alone; take it out"))
        return self

    @property
    def secrets(self) -> dict[str, SecretKeyRef]:
        """The secret values that it needs, by the field that names them."""
        given = {
            "streamKeySecretRef": self.stream_key_secret_ref,
            "passphraseSecretRef": self.passphrase_secret_ref,
        }
        return {name: reference for name, reference in given.items() if reference is not None}


def carried_on(active: Target, targets: Sequence[Target]) -> Target | None:
    """The one of `targets` that is `active` as it was, be it by another name; None where there is none."""
    same = [target for target in targets if target.model_copy(update={"name": active.name}) == active]
    return next((target for target in same if target.name == active.name), same[0] if same else None)


class Failover(Model):
    """When to go over to the next target."""

    attempts: int = field(
        3, description="Attempts in a row that may fail before the next target is tried.", ge=1, le=100
    )
    stable_after: Annotated[Duration, between("0s", "1h")] = field(
        Duration("10s"), description="A target that delivered for this long counts as healthy again."
    )


class OutputSpec(Model):
    """Where a program goes, and how."""

    program: Name = field(description="The Program to deliver.", reference="Program", effect=Effect.PUSHER)
    encoding: Encoding = field(Encoding(), description="How it is encoded.", effect=Effect.ENCODER)
    targets: tuple[Target, ...] = field(
        description="In order of preference; one is active at a time.",
        effect=Effect.TARGET,
        min_length=1,
        max_length=16,
    )
    failover: Failover = field(Failover(), description="When to change targets.", effect=Effect.LIVE)

    @model_validator(mode="after")
    def _targets_carry_the_encoding(self) -> Self:
        if not self.encoding.lossless:
            return self
        sentence = "a lossless encoding goes into recordings (mkv or ts) and over srt alone"
        problems = [
            (("targets", index), f"{sentence}; take lossless out, or give this target an Output of its own")
            for index, target in enumerate(self.targets)
            if not _carries_pcm(target)
        ]
        if problems:
            raise Problems(*problems)
        return self


def _carries_pcm(target: Target) -> bool:
    if target.recording is not None:
        return target.recording.container is not Container.MP4
    return (target.url or "").lower().startswith("srt:")
