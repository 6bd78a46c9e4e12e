"""Strings with rules of their own: paths, time zones, formats of times."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, StringConstraints, WithJsonSchema

from vistterstream.resources.messages import enumeration, nearest, shown

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(,[^:/]*)?:")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_DIRECTIVE = re.compile(r"%(-?)(.?)", re.DOTALL)
NAME_OF_A_VALUE = r"[A-Za-z_][A-Za-z0-9_]{0,62}"
_DIRECTIVES = "aAbBdeFHIjmMpRSTuUVwWyYzZ%"
_UNPADDED = "deHIjmMSUVWy"
LOCALES = (
    *("ar", "bg", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "ga", "gl"),
    *("he", "hi", "hr", "hu", "id", "is", "it", "ja", "ko", "lt", "lv", "ms", "nb", "nl", "nn", "pl", "pt"),
    *("pt-PT", "ro", "ru", "sk", "sl", "sq", "sr", "sr-Latn", "sv", "sw", "th", "tr", "uk", "vi", "zh"),
    "zh-Hant",
)
"""Languages (BCP 47) whose names of days and months are known here."""


def check_path(text: str) -> str:
    """`text`, if it is a path and no address (FFmpeg takes ``concat:a|b`` for one); else ValueError."""
    if not text:
        raise ValueError("a path is missing")
    if _CONTROL.search(text) or "\n" in text:
        raise ValueError("a path has no control characters in it")
    if len(text.encode(errors="replace")) > 4095:
        raise ValueError("a path has at most 4095 bytes")
    if scheme := _SCHEME.match(text):
        raise ValueError(f"this is a path to a file; it cannot start with {scheme[0]}")
    return text


def check_time_zone(text: str) -> str:
    """`text`, if it is a zone of the IANA time zone database; else ValueError."""
    try:
        ZoneInfo(text)
    except (OSError, ValueError, LookupError):
        suggestion = nearest(text, available_timezones())
        raise ValueError(
            f"there is no time zone {shown(text)}; use a name such as Europe/Oslo{suggestion}"
        ) from None
    return text


def check_time_format(text: str) -> str:
    """`text`, if it is a strftime format that every system knows; else ValueError.

    ``%-d`` and the like, without a leading zero, are known here whatever the system knows.
    """
    for directive in _DIRECTIVE.finditer(text):
        unpadded, letter = directive[1], directive[2]
        if not letter or letter not in (_UNPADDED if unpadded else _DIRECTIVES):
            raise ValueError(
                f"{shown(directive[0])} is not known here; use %H:%M:%S and such, %-d for a number without a "
                "leading zero, and %% for a % sign"
            )
    return check_line(text)


def check_locale(text: str) -> str:
    """`text`, if it is a language whose names of days and months are known; else ValueError."""
    if text not in LOCALES:
        raise ValueError(
            f"the language {shown(text)} is not known here{nearest(text, LOCALES)}; there are "
            f"{enumeration(LOCALES, 'and')}"
        )
    return text


def check_token_name(text: str) -> str:
    """`text`, if a token can be called that; else ValueError."""
    if not re.fullmatch(NAME_OF_A_VALUE, text):
        raise ValueError(f"{shown(text)} is not a token name (letters, digits and _)")
    return text


def check_line(text: str) -> str:
    """`text`, if it can be drawn in one line; else ValueError."""
    if "\n" in text:
        raise ValueError("there is room for one line only")
    return check_text(text)


def check_text(text: str) -> str:
    """`text`, if it can be drawn; else ValueError."""
    if _CONTROL.search(text):
        raise ValueError("a text has no control characters in it")
    return text


def check_instant(text: str) -> str:
    """`text`, if it is an instant of ISO 8601 with a zone; else ValueError."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not an instant such as 2026-05-17T09:30:00+02:00") from None
    if instant.tzinfo is None:
        raise ValueError(f"{shown(text)} has no zone; write {text}Z, or with an offset such as +02:00")
    return text


FilePath = Annotated[
    str,
    AfterValidator(check_path),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 4095}),
]
TimeZone = Annotated[str, AfterValidator(check_time_zone)]
Locale = Annotated[
    str, AfterValidator(check_locale), WithJsonSchema({"type": "string", "enum": list(LOCALES)})
]
TimeFormat = Annotated[str, AfterValidator(check_time_format)]
Instant = Annotated[str, AfterValidator(check_instant)]
TokenName = Annotated[str, AfterValidator(check_token_name)]
Line = Annotated[str, AfterValidator(check_line)]
Text = Annotated[str, AfterValidator(check_text)]
Values = dict[TokenName, Annotated[Text, StringConstraints(max_length=4096)]]
"""Texts for tokens, by their names."""
