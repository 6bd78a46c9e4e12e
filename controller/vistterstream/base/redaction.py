"""Keeps secrets out of everything that people or other programs read.

Two nets, both cast before a log line, a condition or an event exists: secret values that are known are
replaced wherever they stand, also URL-encoded or base64; and addresses lose what usually is secret in
them: user info (which ends at the last ``@``), the query, and for streams the last path segment.
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
_MIN_LENGTH = 4  # a shorter value would mask half of every sentence
_URL = re.compile(r"\b([a-z][a-z0-9+.-]*)://([^\s'\"<>]+)", re.IGNORECASE)
_STREAM_SCHEMES = {"rtmp", "rtmps", "rtmpt", "rtmpe", "srt"}


def redact_url(url: str) -> str:
    """`url` without user info, query values and, for rtmp(s) and srt, the last path segment."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    rest, question, _query = rest.partition("?")
    rest, hash_, _fragment = rest.partition("#")
    # User info ends at the last "@" of everything, since an unencoded password may hold "/" and "@".
    if "@" in rest:
        rest = f"{MASK}@{rest.rpartition('@')[2]}"
    if scheme.lower() in _STREAM_SCHEMES:
        host, *segments = rest.split("/")
        if len(segments) > 1 and segments[-1]:
            segments[-1] = MASK
        rest = "/".join([host, *segments])
    return f"{scheme}://{rest}" + (f"?{MASK}" if question else "") + (f"#{MASK}" if hash_ else "")


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
            self._forms |= forms
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
    encoded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), encoded, encoded.rstrip("=")}


redact = Redactor()
"""The process's redactor: every process has one, and teaches it each secret it reads."""
