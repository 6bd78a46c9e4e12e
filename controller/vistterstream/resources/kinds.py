"""The kinds: objects with metadata, spec and status, and the words that name them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, model_validator

from vistterstream.base.errors import VistterError
from vistterstream.base.redaction import MASK
from vistterstream.resources.camera import CameraSpec
from vistterstream.resources.model import Model, Problems, field
from vistterstream.resources.names import Name, Subdomain
from vistterstream.resources.output import OutputSpec
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import ProgramSpec
from vistterstream.resources.status import (
    CameraStatus,
    OutputStatus,
    OverlayStatus,
    ProgramStatus,
    SecretStatus,
    Status,
    TimelineStatus,
)
from vistterstream.resources.timeline import TimelineSpec

GROUP = "stream.vistter.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
DEFAULT_NAMESPACE = "default"

SOURCE_FILE = f"{GROUP}/source-file"
"""Annotation: absolute path of the manifest an object came from."""
SOURCE_LINE = f"{GROUP}/source-line"
"""Annotation: the line of that file where the object starts."""


@dataclass(frozen=True, order=True, slots=True)
class Key:
    """Names an object."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class OwnerReference(Model):
    """An object that this one belongs to (metav1.OwnerReference)."""

    api_version: str = field(description="API version of the owner.")
    kind: str = field(description="Kind of the owner.")
    name: str = field(description="Name of the owner.")
    uid: str = field(description="UID of the owner.")
    controller: bool | None = field(None, description="Whether the owner manages this object.")
    block_owner_deletion: bool | None = field(
        None, description="Whether the owner cannot go before this object."
    )


class ObjectMeta(Model):
    """What every object has (metav1.ObjectMeta)."""

    name: Name = field(description="Name, unique among the objects of its kind and namespace.")
    namespace: Name = field(DEFAULT_NAMESPACE, description="Namespace.")
    labels: dict[str, str] = field({}, description="Words to select objects by.")
    annotations: dict[str, str] = field({}, description="Notes of people and tools.")
    uid: str | None = field(None, description="Set by the store.")
    generation: int | None = field(None, description="Counts changes of the spec; set by the store.", ge=0)
    resource_version: str | None = field(None, description="Counts writes; set by the store.")
    creation_timestamp: str | None = field(None, description="RFC 3339; set by the store.")
    deletion_timestamp: str | None = field(None, description="RFC 3339; set by the store.")
    finalizers: tuple[str, ...] = field((), description="What must be done before the object goes.")
    owner_references: tuple[OwnerReference, ...] = field((), description="Objects this one belongs to.")


class SecretMeta(ObjectMeta):
    """Metadata of a Secret, whose name may hold dots."""

    name: Subdomain = field(description="Name, unique among the Secrets of its namespace.")


class Resource(Model):
    """An object; each kind is a subclass with its own `spec` and `status`."""

    api_version: str = field(API_VERSION, description="Version of the kind's schema.")
    kind: str = field(description="The kind.")
    metadata: ObjectMeta = field(description="Name and so on.")
    spec: Any = field(None, description="What should be.")
    status: Status = field(Status(), description="What is; written by the controller.")

    def dump(self) -> dict[str, Any]:
        """The JSON form, without what is empty in metadata and status (as Kubernetes leaves it out)."""
        form = super().dump()
        for part in ("metadata", "status"):
            form[part] = {key: value for key, value in form[part].items() if value not in ({}, [])}
        if not form["status"]:
            del form["status"]
        return form

    @property
    def key(self) -> Key:
        """What names the object."""
        return Key(self.kind, self.metadata.namespace, self.metadata.name)

    @property
    def generation(self) -> int:
        """Counts changes of the spec; 0 for an object that was never stored."""
        return self.metadata.generation or 0


class Camera(Resource):
    """A source of pictures and sound: a device, a file or a test pattern."""

    api_version: Literal["stream.vistter.io/v1alpha1"] = field(API_VERSION, description="API version.")
    kind: Literal["Camera"] = field("Camera", description="The kind.")
    spec: CameraSpec = field(description="What the camera should be.")
    status: CameraStatus = field(CameraStatus(), description="What is; written by the controller.")

    @model_validator(mode="after")
    def _another_backup(self) -> Self:
        if self.spec.backup == self.metadata.name:
            raise Problems((("spec", "backup"), "a camera cannot stand in for itself; name another"))
        return self


class Overlay(Resource):
    """A graphic: layers with text, pictures, shapes and clocks."""

    api_version: Literal["stream.vistter.io/v1alpha1"] = field(API_VERSION, description="API version.")
    kind: Literal["Overlay"] = field("Overlay", description="The kind.")
    spec: OverlaySpec = field(description="What the overlay looks like.")
    status: OverlayStatus = field(OverlayStatus(), description="What is; written by the controller.")


class Timeline(Resource):
    """Tracks of cues on one clock: which camera and which overlays are shown when."""

    api_version: Literal["stream.vistter.io/v1alpha1"] = field(API_VERSION, description="API version.")
    kind: Literal["Timeline"] = field("Timeline", description="The kind.")
    spec: TimelineSpec = field(description="What is shown when.")
    status: TimelineStatus = field(TimelineStatus(), description="What is; written by the controller.")


class Program(Resource):
    """The mixed picture and sound: format, timeline and fallback."""

    api_version: Literal["stream.vistter.io/v1alpha1"] = field(API_VERSION, description="API version.")
    kind: Literal["Program"] = field("Program", description="The kind.")
    spec: ProgramSpec = field(ProgramSpec(), description="What the program should be.")
    status: ProgramStatus = field(ProgramStatus(), description="What is; written by the controller.")


class Output(Resource):
    """Where a program goes: its encoding and its targets."""

    api_version: Literal["stream.vistter.io/v1alpha1"] = field(API_VERSION, description="API version.")
    kind: Literal["Output"] = field("Output", description="The kind.")
    spec: OutputSpec = field(description="Where a program goes, and how.")
    status: OutputStatus = field(OutputStatus(), description="What is; written by the controller.")


def _base64(text: str) -> str:
    try:
        value = base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        raise ValueError(
            "not base64 of UTF-8 text; write the value as it is under stringData instead of data"
        ) from None
    _no_mask(value)
    return text


def _no_mask(value: str) -> str:
    # What `vistter get secret -o yaml` writes, saved and applied, must not take the place of a value.
    if value == MASK:
        raise ValueError(f"{MASK} stands for a value that was not shown; write the value itself")
    return value


def _secret_key(text: str) -> str:
    if not re.fullmatch(r"[-._A-Za-z0-9]{1,253}", text):
        raise ValueError("a key has letters, digits, -, _ and . in it, and nothing else")
    return text


SecretKey = Annotated[str, AfterValidator(_secret_key)]


class Secret(Resource):
    """Values that nobody should see (core/v1): stream keys, passwords.

    Neither ``repr``, ``str`` nor a validation error shows a value. `dump` does: it is for the store alone.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    api_version: Literal["v1"] = field("v1", description="API version.")
    kind: Literal["Secret"] = field("Secret", description="The kind.")
    metadata: SecretMeta = field(description="Name and so on.")
    spec: None = field(None, description="A Secret has none.", repr=False)
    type: str = field("Opaque", description="A word for programs; not used here.")
    immutable: bool | None = field(None, description="Not used here.")
    data: dict[SecretKey, Annotated[str, AfterValidator(_base64)]] = field(
        {}, description="Values in base64.", repr=False
    )
    string_data: dict[SecretKey, Annotated[str, AfterValidator(_no_mask)]] = field(
        {}, description="Values as they are; they win over data.", repr=False
    )
    status: SecretStatus = field(SecretStatus(), description="What is; written by the controller.")

    def values(self) -> dict[str, str]:
        """The values as they are, by key."""
        decoded = {key: base64.b64decode("".join(text.split())).decode() for key, text in self.data.items()}
        return decoded | self.string_data


@dataclass(frozen=True, slots=True)
class KindInfo:
    """The words for a kind, and its model."""

    kind: str
    plural: str
    singular: str
    short_names: tuple[str, ...]
    api_version: str
    model: type[Resource]

    @property
    def words(self) -> tuple[str, ...]:
        """Everything a user may call the kind, lower case."""
        group = self.api_version.rpartition("/")[0]
        full = (f"{self.plural}.{group}",) if group else ()
        return (self.singular, self.plural, *self.short_names, *full)


def _info(model: type[Resource], *short_names: str) -> KindInfo:
    kind = model.model_fields["kind"].default
    singular = kind.lower()
    api_version = model.model_fields["api_version"].default
    return KindInfo(kind, f"{singular}s", singular, short_names, api_version, model)


KINDS: Mapping[str, KindInfo] = MappingProxyType(
    {
        info.kind: info
        for info in (
            _info(Camera, "cam"),
            _info(Overlay, "ov"),
            _info(Timeline, "tl"),
            _info(Program, "prog"),
            _info(Output, "out"),
            _info(Secret),
        )
    }
)
"""Every kind, by its name as it stands in ``kind:``."""


class UnknownKind(VistterError):
    """No kind is called that."""


def find_kind(word: str) -> KindInfo:
    """The kind that a user calls `word`: singular, plural, short or full, in any case. Raises UnknownKind."""
    for info in KINDS.values():
        if word.lower() in info.words:
            return info
    known = ", ".join(info.plural for info in KINDS.values())
    raise UnknownKind(f"there is no kind {word!r}; the kinds are {known}", reason="UnknownKind")
