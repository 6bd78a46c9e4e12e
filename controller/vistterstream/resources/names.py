"""Names of objects, after RFC 1123 as Kubernetes reads it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from vistterstream.resources.messages import shown

LABEL_PATTERN = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_LABEL = re.compile(LABEL_PATTERN)
_SUBDOMAIN = re.compile(rf"{LABEL_PATTERN}(\.{LABEL_PATTERN})*")


def check_name(text: str) -> str:
    """`text`, if it is a DNS-1123 label; else ValueError.

    Labels, and not the subdomains that Kubernetes allows, since names become folders and parts of socket
    paths (at most 108 bytes, unix(7)).
    """
    if not _LABEL.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is not a name: use lower-case letters, digits and -, at most 63 of them, "
            "with a letter or digit first and last"
        )
    return text


def check_subdomain(text: str) -> str:
    """`text`, if it is a DNS-1123 subdomain (labels with dots between); else ValueError."""
    if len(text) > 253 or not _SUBDOMAIN.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is not a name: use lower-case letters, digits, - and ., at most 253 of them, "
            "with a letter or digit first and last"
        )
    return text


_PART = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


def check_part_name(text: str) -> str:
    """`text`, if a part of an object can be called that; else ValueError."""
    if not _PART.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is not a name: use letters, digits, -, _ and ., at most 63 of them, "
            "with a letter or digit first and last"
        )
    return text


PartName = Annotated[
    str,
    AfterValidator(check_part_name),
    WithJsonSchema({"type": "string", "maxLength": 63, "pattern": f"^{_PART.pattern}$"}),
]
"""Name of a part of an object, such as a layer."""

Name = Annotated[
    str,
    AfterValidator(check_name),
    WithJsonSchema({"type": "string", "maxLength": 63, "pattern": f"^{LABEL_PATTERN}$"}),
]
"""Name of an object of ours, or of what becomes a folder."""

Subdomain = Annotated[
    str,
    AfterValidator(check_subdomain),
    WithJsonSchema(
        {"type": "string", "maxLength": 253, "pattern": rf"^{LABEL_PATTERN}(\.{LABEL_PATTERN})*$"}
    ),
]
"""Name of an object of Kubernetes' own kinds."""
