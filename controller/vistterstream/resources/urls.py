"""Addresses of cameras, platforms and data: which are allowed; and the one place where secrets go into them.

The rules are stricter than RFC 3986 where FFmpeg is looser: only listed schemes (FFmpeg opens ``file:``,
``concat:``, ``subfile:`` and ``pipe:`` just as gladly), only visible ASCII, no user name or password.
How FFmpeg reads what is put in here was tried with FFmpeg 9 and read in its libavformat/httpauth.c
(percent-decodes user info for RTSP and HTTP), rtmpproto.c (decodes nothing) and libsrt.c (decodes the query).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable
from typing import Annotated
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import AfterValidator, WithJsonSchema

from vistterstream.base.redaction import MASK, redact_url
from vistterstream.resources.messages import enumeration

INPUT_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "srt", "http", "https")
OUTPUT_SCHEMES = ("rtmp", "rtmps", "srt")
DATA_SCHEMES = ("http", "https")

_MAX_LENGTH = 2048
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(,[^:]*)?:")
_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?")
_NOT_IN_URLS = re.compile(r"[\"<>\\`]")
_NOT_IN_RTMP_USER_INFO = re.compile(r"[/?#:\s]")
_KEY = re.compile(
    r"(?=.*[0-9])(?=.*[A-Za-z])[^/]{12,}"  # letters and digits
    r"|(?=.*[a-z])[a-z0-9]{4}(-[a-z0-9]{4}){3,}"  # as YouTube's
    r"|(?=.*[A-Z][a-z]+[A-Z])[A-Za-z_-]{16,}"
    r"|[0-9_-]{12,}"
)
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]")


def check_input_url(url: str) -> str:
    """`url`, if a camera can have it; else ValueError with a sentence that shows nothing secret."""
    hints = {"file": "to play a file, give source.file.path instead of source.url"}
    return _check(url, INPUT_SCHEMES, hints, "put them into a Secret and name that in credentialsSecretRef")


def check_output_url(url: str) -> str:
    """`url`, if a platform can have it; else ValueError with a sentence that shows nothing secret."""
    hint = "to write files, give recording or hls instead of url"
    hints = dict.fromkeys(("file", "concat", "tee", "pipe"), hint)
    hints |= dict.fromkeys(("http", "https"), "to make HLS, give hls")
    secrets = "what a Secret can hold is the stream key, named in streamKeySecretRef"
    return _check(url, OUTPUT_SCHEMES, hints, secrets)


def check_data_url(url: str) -> str:
    """`url`, if data can be fetched from it; else ValueError with a sentence that shows nothing secret."""
    hints = {"file": "serve the file over http, or write its text into the values of the Program"}
    return _check(url, DATA_SCHEMES, hints, "what a Secret can hold is named in authorizationSecretRef")


def _schema(schemes: Iterable[str]) -> WithJsonSchema:
    """What a schema can say of the rules; the rest is said by the controller."""
    pattern = rf"^({'|'.join(schemes)})://[^/@# ][^@# ]*$"
    return WithJsonSchema({"type": "string", "maxLength": _MAX_LENGTH, "pattern": pattern})


InputUrl = Annotated[str, AfterValidator(check_input_url), _schema(INPUT_SCHEMES)]
OutputUrl = Annotated[str, AfterValidator(check_output_url), _schema(OUTPUT_SCHEMES)]
DataUrl = Annotated[str, AfterValidator(check_data_url), _schema(DATA_SCHEMES)]


def with_credentials(url: str, username: str, password: str) -> str:
    """`url` with user name and password, percent-encoded so that FFmpeg reads back exactly these.

    In an SRT address the password becomes the passphrase, and the user name, if there is one, the streamid.
    Raises ValueError (which does not show them) for values that the protocol cannot carry.
    """
    username, password = _stripped(username, "the user name"), _stripped(password, "the password")
    scheme, _, rest = url.partition("://")
    if scheme.lower() == "srt":
        url = with_passphrase(url, password)
        return _with_query(url, "streamid", username) if username else url
    if scheme.lower() in ("rtmp", "rtmps"):
        if _NOT_IN_RTMP_USER_INFO.search(username + password):
            raise ValueError("RTMP cannot carry / ? # : or white space in a user name or password")
        return f"{scheme}://{username}:{password}@{rest}"
    if ":" in username:
        raise ValueError("a user name cannot hold a colon (RFC 7617)")
    return f"{scheme}://{quote(username, safe='')}:{quote(password, safe='')}@{rest}"


def with_passphrase(url: str, passphrase: str) -> str:
    """An SRT `url` with the passphrase that encrypts what goes over it, percent-encoded.

    Raises ValueError (which does not show it) for one that SRT cannot carry: it has 10 to 79 bytes.
    """
    passphrase = _stripped(passphrase, "the passphrase")
    if not 10 <= len(passphrase.encode()) <= 79:
        raise ValueError("an SRT passphrase has 10 to 79 bytes")
    return _with_query(url, "passphrase", passphrase)


def with_stream_key(url: str, key: str) -> str:
    """`url` with the stream key where the platform looks for it.

    RTMP: behind the path, as it is, since FFmpeg decodes nothing and sends what stands there; a key may so
    have parameters of its own (``KEY?backup=1``). SRT: as streamid in the query, percent-encoded.
    Raises ValueError (which does not show the key) for a key that the protocol cannot carry.
    """
    key = _stripped(key, "the stream key")
    if not key:
        raise ValueError("the stream key is empty")
    if url.lower().startswith("srt://"):
        if len(key.encode()) > 512:
            raise ValueError("an SRT streamid has at most 512 bytes")
        return _with_query(url, "streamid", key)
    if _CONTROL.search(key):
        raise ValueError("the stream key has white space or control characters in it")
    path, question, query = url.partition("?")
    separator = "" if path.endswith("/") else "/"
    if question and "?" in key:
        raise ValueError("the address and the stream key both have a ?")
    return f"{path}{separator}{key}{question}{query}"


def seems_to_hold_a_key(url: str) -> bool:
    """Whether the last path segment of an rtmp(s) address looks like a stream key: it is the third or a later
    one, or it is long and not made of words.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("rtmp", "rtmps"):
        return False
    segments = parts.path.strip("/").split("/")
    return len(segments) > 2 or _KEY.fullmatch(segments[-1]) is not None


def _stripped(text: str, what: str) -> str:
    # A Secret made from a file or by echo ends in a line break that is not part of the value.
    text = text.strip("\r\n")
    if "\x00" in text:
        raise ValueError(f"{what} has a NUL character in it")
    return text


def _with_query(url: str, name: str, value: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{name}={quote(value, safe='')}"


def _check(url: str, schemes: Collection[str], hints: dict[str, str], secrets: str) -> str:
    allowed = enumeration(schemes)
    if MASK in url:
        raise ValueError(f"{MASK} stands for what was not shown; write what belongs there")
    if _CONTROL.search(url):
        raise ValueError("an address has no white space or control characters in it")
    if len(url) > _MAX_LENGTH:
        raise ValueError(f"an address has at most {_MAX_LENGTH} characters")
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise ValueError(f"{redact_url(url)!r} is not an address; it must start with {allowed}, then ://")
    word = scheme[1].lower()
    if word not in schemes or scheme[2]:
        hint = f"; {hints[word]}" if word in hints else ""
        raise ValueError(f"an address cannot start with {word}: here; use {allowed}{hint}")
    if scheme[1] != word:
        raise ValueError(f"write {word}: in lower case")
    if not url[len(word) :].startswith("://"):
        raise ValueError(f"two slashes must follow {word}:")
    if not url.isascii():
        raise ValueError("only ASCII can be in an address; write other characters percent-encoded")
    _check_parts(url, word, secrets)
    return url


def _check_parts(url: str, scheme: str, secrets: str) -> None:
    # Before anything is split, and anywhere: an unencoded password may hold "/", "?" and "#".
    if "@" in url:
        raise ValueError(
            f"user name and password do not belong in the address; {secrets} (an @ that is meant is %40)"
        )
    if bad := _NOT_IN_URLS.search(url):
        raise ValueError(f"{bad[0]} cannot be in an address; write it percent-encoded, %{ord(bad[0]):02X}")
    if "#" in url:
        raise ValueError("a # cannot be in an address; write %23")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(
            "host or port are not right; write SCHEME://HOST:PORT/PATH, ports 1 to 65535"
        ) from None
    _check_host(host, bracketed="[" in parts.netloc)
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError("the port must be 1 to 65535")
    if scheme == "srt":
        _check_srt(port, parts.query)


def _check_host(host: str | None, *, bracketed: bool) -> None:
    if not host:
        raise ValueError("the address lacks a host; write SCHEME://HOST:PORT/PATH")
    if bracketed:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError(f"{host!r} is not an IPv6 address") from None
    elif not _HOST.fullmatch(host):
        raise ValueError(f"{host!r} is not a host name or an IP address")
    elif re.fullmatch(r"[0-9.]+", host):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise ValueError(f"{host!r} is not an IP address; it has four numbers from 0 to 255") from None


def _check_srt(port: int | None, query: str) -> None:
    if port is None:
        raise ValueError("an SRT address needs a port, such as srt://HOST:9000")
    if any(name == "passphrase" for name, _ in parse_qsl(query, keep_blank_values=True)):
        raise ValueError(
            "a passphrase does not belong in the address; put it into a Secret and name that in "
            "passphraseSecretRef"
        )
