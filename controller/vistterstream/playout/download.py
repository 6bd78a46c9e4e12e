"""Fetches a small document over HTTP, within bounds that the other side cannot stretch.

For a thread that may wait. The time runs from the first look-up of a name to the last byte, however slowly
these come; proxies of the environment, cookies and compression play no part. An address that is redirected
to has to be as allowed as the first one.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from vistterstream import __version__
from vistterstream.resources.urls import check_data_url

MAX_BYTES = 256 * 1024
MAX_REDIRECTS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 16 * 1024
_ETAG = re.compile(r'(W/)?"[!#-~]{0,256}"')


class DownloadFailed(Exception):
    """It could not be fetched: a reason in CamelCase, and a sentence that lacks its subject, the address."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


class NotModified(Exception):
    """The document is the one with the `etag` that was named (RFC 9110, section 13.1.2)."""


@dataclass
class Download:
    """One document. `run` is for one thread; `cancel`, from any other, makes it fail soon.

    `timeout` is in seconds. `authorization` is the header of that name; it is sent to the host of `url` only.
    `etag` names the document that is known already; after `run` it names the one that was fetched, if the
    server gives it a name.
    """

    url: str
    timeout: float
    authorization: str | None = None
    etag: str | None = None
    limit: int = MAX_BYTES
    _until: float = field(default=0.0, init=False)
    _socket: socket.socket | None = field(default=None, init=False)
    _cancelled: bool = field(default=False, init=False)

    def run(self) -> bytes:
        """The document. Raises DownloadFailed, or NotModified."""
        self._until = time.monotonic() + self.timeout
        url = self.url
        for _ in range(MAX_REDIRECTS + 1):
            try:
                found = self._get(url)
            except (DownloadFailed, NotModified):
                raise
            except ssl.SSLError as error:
                raise DownloadFailed("TlsFailed", f"cannot be trusted ({_tls(error)})") from error
            except TimeoutError as error:
                raise self._too_late() from error
            except OSError as error:
                what = error.strerror or type(error).__name__
                raise DownloadFailed("ConnectionFailed", f"cannot be reached ({what})") from error
            except http.client.HTTPException as error:
                raise DownloadFailed("BadAnswer", "does not speak HTTP as it should") from error
            if isinstance(found, bytes):
                return found
            url = _redirected(url, found.location)
        raise DownloadFailed("TooManyRedirects", f"redirects more than {MAX_REDIRECTS} times")

    def cancel(self) -> None:
        """Have `run` fail soon; a look-up of a name alone cannot be ended. From any thread."""
        self._cancelled = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _get(self, url: str) -> bytes | _Redirect:
        parts = urlsplit(url)
        connected = self._connect(parts)
        try:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80)
            connection.sock = _Timed(connected, self._left)
            connection.putrequest("GET", _target(parts), skip_host=True, skip_accept_encoding=True)
            for name, value in self._headers(parts).items():
                connection.putheader(name, value)
            connection.endheaders()
            with connection.getresponse() as response:
                return self._read(response)
        finally:
            connected.close()
            self._socket = None

    def _connect(self, parts: SplitResult) -> socket.socket:
        """A connection to the host, with its certificate checked where it is https."""
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise DownloadFailed("NameUnknown", f"has a name that cannot be looked up ({host})") from error
        failure: OSError = OSError("no address")
        for number, (family, type_, protocol, _, address) in enumerate(places):
            plain = socket.socket(family, type_, protocol)
            self._socket = plain
            try:
                # One that does not answer must leave time for those that are still to come.
                plain.settimeout(self._left() / (len(places) - number))
                plain.connect(address)
                if parts.scheme != "https":
                    return plain
                plain.settimeout(self._left())
                self._socket = _tls_context().wrap_socket(plain, server_hostname=host)
                return self._socket
            except OSError as error:
                plain.close()
                failure = error
            except BaseException:
                plain.close()
                raise
        raise failure

    def _headers(self, parts: SplitResult) -> dict[str, str]:
        headers = {
            "Host": parts.netloc,
            "User-Agent": f"VistterStream/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        if self.authorization is not None and _origin(parts) == _origin(urlsplit(self.url)):
            headers["Authorization"] = self.authorization
        if self.etag is not None:
            headers["If-None-Match"] = self.etag
        return headers

    def _read(self, response: http.client.HTTPResponse) -> bytes | _Redirect:
        if response.status in _REDIRECTS:
            return _Redirect(response.getheader("Location") or "")
        if response.status == 304 and self.etag is not None:
            raise NotModified
        if response.status != 200:
            words = http.client.responses.get(response.status, "")
            raise DownloadFailed("BadStatus", f"answered {response.status} {words}".rstrip())
        if response.getheader("Content-Encoding", "identity").lower() != "identity":
            raise DownloadFailed("BadAnswer", "sent something compressed that was asked for as it is")
        data = bytearray()
        while chunk := response.read(min(_CHUNK, self.limit + 1 - len(data))):
            data += chunk
            if len(data) > self.limit:
                raise DownloadFailed("TooLarge", f"sent more than {self.limit // 1024} KiB")
        if response.length:
            raise DownloadFailed("BadAnswer", "broke off in the middle")
        tag = response.getheader("ETag", "")
        self.etag = tag if _ETAG.fullmatch(tag) else None
        return bytes(data)

    def _left(self) -> float:
        """Seconds that are left. Raises DownloadFailed where there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise self._too_late()
        if self._cancelled:
            raise DownloadFailed("Cancelled", "was not waited for")
        return left

    def _too_late(self) -> DownloadFailed:
        return DownloadFailed("Timeout", f"did not answer within {self.timeout:g} s")


@dataclass(frozen=True, slots=True)
class _Redirect:
    location: str


class _Timed:
    """What http.client needs of a socket, each wait of which ends when the time is over."""

    def __init__(self, connected: socket.socket, left: Callable[[], float]) -> None:
        self._connected, self._left = connected, left

    def sendall(self, data: bytes) -> None:
        self._connected.settimeout(self._left())
        self._connected.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        assert mode == "rb"
        return io.BufferedReader(_Incoming(self._connected, self._left))

    def close(self) -> None:
        """The connection is closed by who opened it."""


class _Incoming(io.RawIOBase):
    def __init__(self, connected: socket.socket, left: Callable[[], float]) -> None:
        self._connected, self._left = connected, left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connected.settimeout(self._left())
        return self._connected.recv_into(buffer)


def _redirected(url: str, location: str) -> str:
    """The address that `url` redirects to. Raises DownloadFailed where it is not allowed."""
    try:
        target = check_data_url(urljoin(url, location).partition("#")[0])
    except ValueError as error:
        raise DownloadFailed("BadRedirect", "redirects to an address that is not allowed") from error
    if url.startswith("https:") and not target.startswith("https:"):
        raise DownloadFailed("BadRedirect", "redirects from https to http")
    return target


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port


def _tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate: {error.verify_message}"
    return (error.reason or "TLS").replace("_", " ").lower()


@cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()
