"""Keeps secrets out of everything that people or other programs read.

Two nets, both cast before a log line, a condition or an event exists: secret values that are known are
replaced wherever they stand, also URL-encoded, in base64 or in a JSON string; and addresses lose what usually
is secret in them: user info (which ends at the last ``@``), the query, and for streams the last path segment.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
_MIN_LENGTH = 4  # a shorter value would mask half of every sentence
_MIN_INNER = 6  # as much of a piece of base64
_URL = re.compile(r"\b([a-z][a-z0-9+.-]*)://([^\s'\"<>]+)", re.IGNORECASE)
_ENCODED = re.compile(r"%[0-9A-F]{2}")
_JAVASCRIPT_SAFE = "!'()*"  # what encodeURIComponent leaves as it is and quote does not
_STREAM_SCHEMES = {"rtmp", "rtmps", "rtmpt", "rtmpe", "srt"}


def redact_url(url: str) -> str:
    """`url` without user info, query values and, for rtmp(s) and srt, the last path segment."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    # User info ends at the last "@" of everything, since an unencoded password may hold "/", "?", "#" and
    # "@". Where "?" or "#" comes before it, that may as well be the query's: then nothing is shown.
    user_info, at, rest = rest.rpartition("@")
    if "?" in user_info or "#" in user_info:
        return f"{scheme}://{MASK}"
    rest, question, _query = rest.partition("?")
    rest, hash_, _fragment = rest.partition("#")
    if scheme.lower() in _STREAM_SCHEMES:
        host, *segments = rest.split("/")
        if len(segments) > 1 and segments[-1]:
            segments[-1] = MASK
        rest = "/".join([host, *segments])
    shown = f"{scheme}://" + (f"{MASK}@" if at else "") + rest
    return shown + (f"?{MASK}" if question else "") + (f"#{MASK}" if hash_ else "")


class Redactor:
    """Replaces known secret values and the secret parts of addresses. Safe to use from any thread."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Mask these values from now on, in each form they may take."""
        forms = {form for secret in secrets for form in _forms(secret)}
        with self._lock:
            if forms <= self._forms:
                return
            self._forms = self._forms | forms
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(re.escape(form) for form in longest_first))

    def __call__(self, text: str) -> str:
        """`text` with every secret masked."""
        pattern = self._pattern
        if pattern is not None:
            text = pattern.sub(MASK, text)
        return _URL.sub(lambda match: redact_url(match.group(0)), text)


def _forms(secret: str) -> set[str]:
    secret = secret.strip()
    if len(secret) < _MIN_LENGTH:
        return set()
    percent = {quote(secret, safe=safe) for safe in ("", "/", _JAVASCRIPT_SAFE)} | {quote_plus(secret)}
    lower = {_ENCODED.sub(lambda match: match[0].lower(), form) for form in percent}
    octets = secret.encode()
    base = {encode(octets).decode() for encode in (base64.b64encode, base64.urlsafe_b64encode)}
    quoted = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    unpadded = {form.rstrip("=") for form in base}
    return {secret, *percent, *lower, *base, *unpadded, *_within_base64(octets), *quoted}


def _within_base64(octets: bytes) -> set[str]:
    """What base64 makes of `octets` behind something else, as behind ``user:`` in Basic authentication (RFC
    7617): the characters that they alone decide, for each way of falling into groups of three octets.
    """
    found = set()
    for before in range(3):
        first, end = -(-before * 8 // 6), (before + len(octets)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(encode(bytes(before) + octets).decode()[first:end])
    return {form for form in found if len(form) >= _MIN_INNER}


redact = Redactor()
"""The process's redactor: every process has one, and teaches it each secret it reads."""
