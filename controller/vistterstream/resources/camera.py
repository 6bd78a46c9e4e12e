"""Camera: a source of pictures and sound."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import model_validator

from vistterstream.resources.model import Effect, Model, Problems, field
from vistterstream.resources.names import Name, Subdomain
from vistterstream.resources.quantities import Color, Duration, between
from vistterstream.resources.texts import FilePath, Line
from vistterstream.resources.urls import InputUrl


class SecretRef(Model):
    """Names a Secret in the same namespace."""

    name: Subdomain = field(description="Name of the Secret.", reference="Secret")


class SecretKeyRef(Model):
    """Names one key of a Secret in the same namespace."""

    name: Subdomain = field(description="Name of the Secret.", reference="Secret")
    key: str = field(description="Key inside the Secret's data.", min_length=1, max_length=253)


class RtspTransport(StrEnum):
    """How RTSP carries the media."""

    TCP = "tcp"
    UDP = "udp"


class Pattern(StrEnum):
    """The test patterns."""

    BARS = "bars"  # 75 % colour bars with a moving marker
    MOTION = "motion"  # a disc that runs over a gradient
    GRID = "grid"  # a moving grid, for geometry and scaling


class FileSource(Model):
    """A media file."""

    path: FilePath = field(description="The file; a relative path starts at the folder of the manifest.")
    loop: bool = field(True, description="Start again at the end.")


class TestPatternSource(Model):
    """A picture made here, for set-up and tests; it needs no device."""

    __test__ = False  # not a test class for pytest

    pattern: Pattern = field(Pattern.BARS, description="Which picture.")
    label: Line | None = field(None, description="Text shown in the picture.", max_length=64)
    color: Color = field(Color("#2A6FDB"), description="Main colour of motion and grid.")
    tone: int = field(0, description="Frequency of a test tone in Hz; 0 is silence.", ge=0, le=20000)
    number: int = field(
        0,
        description="A number from 0 to 255 that the picture carries as a row of black and white squares "
        "(see the frameCode layer), so that a recording tells which camera it shows.",
        ge=0,
        le=255,
    )


class CameraSource(Model):
    """Where pictures come from: exactly one of url, file, testPattern."""

    EXACTLY_ONE = ("url", "file", "test_pattern")

    url: InputUrl | None = field(
        None,
        description="Address of the device: rtsp, rtsps, rtmp, rtmps, srt, http or https. No user name or "
        "password in it: those belong in a Secret.",
    )
    transport: RtspTransport = field(RtspTransport.TCP, description="How RTSP carries the media.")
    credentials_secret_ref: SecretRef | None = field(
        None, description="A Secret with the keys username and password."
    )
    passphrase_secret_ref: SecretKeyRef | None = field(
        None, description="The passphrase of an srt address that is encrypted: 10 to 79 bytes."
    )
    file: FileSource | None = field(None, description="A media file instead of a device.")
    test_pattern: TestPatternSource | None = field(None, description="A picture made here.")

    @model_validator(mode="after")
    def _fits_the_url(self) -> Self:
        if self.credentials_secret_ref is not None and self.url is None:
            raise Problems(
                (("credentialsSecretRef",), "goes with url alone; nobody asks for a password here")
            )
        if self.passphrase_secret_ref is not None:
            if not (self.url or "").startswith("srt:"):
                raise Problems((("passphraseSecretRef",), "goes with srt addresses alone; take it out"))
            if self.credentials_secret_ref is not None:
                raise Problems(
                    (("passphraseSecretRef",), "the password in credentialsSecretRef is one, too; give one")
                )
        if self.transport is RtspTransport.UDP and not (self.url or "").lower().startswith("rtsp"):
            raise Problems((("transport",), "goes with rtsp addresses alone; take it out"))
        return self


class CameraSpec(Model):
    """What a camera should be."""

    source: CameraSource = field(description="Where the pictures come from.", effect=Effect.INGEST)
    stall_after: Annotated[Duration, between("100ms", "1h")] = field(
        Duration("2s"),
        description="When no new frame has come for this long, show the backup or the fallback.",
        effect=Effect.LIVE,
    )
    backup: Name | None = field(
        None,
        description="Another Camera to show while this one has nothing to show.",
        reference="Camera",
        effect=Effect.LIVE,
    )
