"""Data sources: values for tokens, from JSON documents that are fetched again and again."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, WithJsonSchema, model_validator

from vistterstream.resources.camera import SecretKeyRef
from vistterstream.resources.messages import shown
from vistterstream.resources.model import Model, Problems, field
from vistterstream.resources.quantities import Duration, between
from vistterstream.resources.texts import NAME_OF_A_VALUE, Text, check_token_name
from vistterstream.resources.urls import DataUrl

MAX_ITEMS = 100
"""Items of a list that a value is made of."""

_POINTER = r"(/([^~]|~[01])*)?"


def check_pointer(text: str) -> str:
    """`text`, if it is a JSON Pointer (RFC 6901); else ValueError."""
    if text and not text.startswith("/"):
        raise ValueError(f"{shown(text)} does not start with a slash; write {shown('/' + text)}")
    if not re.fullmatch(_POINTER, text, re.DOTALL):
        raise ValueError(
            f"{shown(text)} has a ~ that stands for nothing; in a JSON Pointer a ~ is written ~0, a / in a "
            "name ~1"
        )
    return text


JsonPointer = Annotated[
    str,
    AfterValidator(check_pointer),
    WithJsonSchema({"type": "string", "maxLength": 512, "pattern": f"^{_POINTER}$"}),
]
"""A JSON Pointer of RFC 6901, such as ``/wind/0/speed``."""

SourceName = Annotated[
    str,
    AfterValidator(check_token_name),
    WithJsonSchema({"type": "string", "maxLength": 63, "pattern": f"^{NAME_OF_A_VALUE}$"}),
]


class DataSource(Model):
    """One value out of a JSON document that is fetched over HTTP: for the token {{ name }}.

    Sources with the same url share what is fetched. The last good value stays, also over a restart, until
    there is a better one.
    """

    name: SourceName = field(description="Name of the token; values of the cue and the Program win over it.")
    url: DataUrl = field(description="Address of the document, http or https, without a login.")
    path: JsonPointer = field(
        "",
        description="Where in the document the value is, as a JSON Pointer (RFC 6901) such as "
        "/wind/0/speed; the whole document without. A text, a number, true, false, or a list of these.",
        max_length=512,
    )
    each: JsonPointer | None = field(
        None, description="Of a list: where in each of its items the value is.", max_length=512
    )
    separator: Text = field(
        "\n", description="What stands between the items of a list; a new line without.", max_length=64
    )
    decimals: int | None = field(
        None, description="Digits behind the point of a number; as in the document without.", ge=0, le=9
    )
    interval: Annotated[Duration, between("1s", "24h")] = field(
        Duration("60s"), description="How often the document is fetched, 1s to 24h."
    )
    timeout: Annotated[Duration, between("100ms", "60s")] = field(
        Duration("5s"), description="How long a fetch may take, from first to last, 100ms to 60s."
    )
    max_age: Annotated[Duration, between("1s", "8760h")] | None = field(
        None, description="A value that could not be fetched anew for so long is not shown any more."
    )
    default: Text | None = field(
        None, description="The text while there is no value; without, the layer's fallback.", max_length=4096
    )
    authorization_secret_ref: SecretKeyRef | None = field(
        None, description="Secret with the text of the Authorization header, such as Bearer and a token."
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.max_age is not None and self.max_age.seconds < self.interval.seconds:
            sentence = f"{self.max_age} is less than the interval ({self.interval}), so it would come and go"
            raise Problems((("maxAge",), sentence))
        if self.authorization_secret_ref is not None and not self.url.startswith("https:"):
            local = re.match(r"http://(127\.[0-9.]+|localhost|\[::1\])(:|/|\?|\Z)", self.url)
            if not local:
                sentence = "a secret would be read by others on the way; use https"
                raise Problems((("authorizationSecretRef",), sentence))
        return self
