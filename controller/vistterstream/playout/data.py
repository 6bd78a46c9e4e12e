"""What the data sources of a plan say: fetched again and again, and kept over a restart.

Each address has a thread of its own, which does nothing but wait most of the time; what it finds lies in a
snapshot that anybody may read without waiting. The last good value stays until there is a better one.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vistterstream.base import logs
from vistterstream.base.files import write_atomic
from vistterstream.base.redaction import redact, redact_url
from vistterstream.playout.download import Download, DownloadFailed, NotModified
from vistterstream.playout.pacing import Backoff
from vistterstream.playout.protocol import DataStatus
from vistterstream.resources.data import DataSource
from vistterstream.resources.messages import enumeration
from vistterstream.timeline.documents import drawable, parse, text_of
from vistterstream.timeline.plan import OverlayInstance

MAX_ADDRESSES = 64
"""Addresses that are fetched from; what more there are is told, and never fetched."""

_FIRST_RETRY = 1.0
_LONGEST_RETRY = 15.0  # but never more often than the interval says, after that
_TOLD_AFTER = 2  # failures in a row, while there is a good value: one alone is nobody's business
_PATIENCE = 2.0  # for a thread that was asked to end
_LARGEST_CACHE = 4 * 2**20
_SHOWN = 200  # characters of a value in the status
_log = logs.get("playout")


Found = Mapping[str, str | DownloadFailed | None]
"""What a fetch brought, by the keys of sources: a value, what is wrong, or None where it is as it was."""


@dataclass(frozen=True, slots=True)
class Known:
    """A value, and the Unix time at which it was fetched last."""

    text: str
    at: float


@dataclass(frozen=True, slots=True)
class _Address:
    """What one thread fetches: where from, and what is sent along."""

    url: str
    secret: str | None  # SECRET/KEY


@dataclass(frozen=True, slots=True)
class _Source:
    """A source of an overlay; what its value depends on, and where it is fetched."""

    overlay: str
    source: DataSource
    key: str
    address: _Address


@dataclass
class _Figures:
    """What was counted at an address."""

    fetches: int = 0
    failures: dict[str, int] = field(default_factory=dict)


class Data:
    """The values of all data sources of a plan. For one thread; only `close` and `save` wait."""

    def __init__(self, file: Path, *, now: Callable[[], float] = time.time) -> None:
        """`file` keeps the values over a restart; it need not be there."""
        self._file, self._now = file, now
        self._lock = threading.Lock()  # of the three that follow; held for a few assignments only
        self._known: dict[str, Known] = _read(file)
        self._wrong: dict[str, tuple[DownloadFailed, int]] = {}  # and how often in a row
        self._version = 0
        self._saved = 0
        self._sources: tuple[_Source, ...] = ()
        self._fetchers: dict[_Address, _Fetcher] = {}
        self._left_out: frozenset[str] = frozenset()  # keys

    def converge(self, overlays: Iterable[OverlayInstance], secrets: Mapping[str, str]) -> None:
        """Fetch what these overlays need, and nothing else."""
        by_name = {
            (overlay.overlay, source.name): _Source(overlay.overlay, source, key_of(source), _address(source))
            for overlay in overlays
            for source in overlay.spec.data
        }
        self._sources = tuple(by_name.values())
        wanted: dict[_Address, dict[str, DataSource]] = {}
        for one in self._sources:
            wanted.setdefault(one.address, {})[one.key] = one.source
        kept = dict(list(wanted.items())[:MAX_ADDRESSES])
        self._left_out = frozenset(key for address in wanted.keys() - kept.keys() for key in wanted[address])
        with self._lock:
            keys = {one.key for one in self._sources}
            self._known = {key: known for key, known in self._known.items() if key in keys}
            self._wrong = {key: wrong for key, wrong in self._wrong.items() if key in keys}
        for address in self._fetchers.keys() - kept.keys():
            self._fetchers.pop(address).end()
        for address, sources in kept.items():
            self._fetch(address, sources, secrets)

    @property
    def texts(self) -> Mapping[str, str | None]:
        """All values, by `key_of`, None where there is none or it is too old: for `lookup`.

        They are equal to those before as long as nothing is to be drawn anew.
        """
        found = {}
        for one in self._sources:
            known = self._known.get(one.key)
            found[one.key] = None if known is None or self._too_old(known, one.source) else known.text
        return found

    def words(self, texts: Mapping[str, str | None]) -> dict[str, dict[str, str | None]]:
        """What `texts` have overlays show: by the names of the Overlay and of the source."""
        found: dict[str, dict[str, str | None]] = {}
        for one in self._sources:
            text = texts.get(one.key)
            found.setdefault(one.overlay, {})[one.source.name] = one.source.default if text is None else text
        return found

    @property
    def problems(self) -> dict[str, list[str]]:
        """Sentences for what cannot be fetched now, by the name of the Overlay; one for all sources that have
        the same to tell.
        """
        told: dict[tuple[str, str], list[str]] = {}
        for one in self._sources:
            sentence = self._problem(one)
            if sentence is not None:
                told.setdefault((one.overlay, sentence), []).append(one.source.name)
        found: dict[str, list[str]] = {}
        for (overlay, sentence), names in told.items():
            found.setdefault(overlay, []).append(redact(f"Data {enumeration(names, 'and')}: {sentence}"))
        return found

    @property
    def status(self) -> list[DataStatus]:
        """Each source, and what was counted at its address."""
        found = []
        for one in self._sources:
            known = self._known.get(one.key)
            fetcher = self._fetchers.get(one.address)
            figures = fetcher.figures if fetcher is not None else _Figures()
            found.append(
                DataStatus(
                    overlay=one.overlay,
                    name=one.source.name,
                    text=None if known is None else redact(known.text[:_SHOWN]),
                    age=None if known is None else max(self._now() - known.at, 0.0),
                    fetches=figures.fetches,
                    failures=dict(figures.failures),
                )
            )
        return found

    @property
    def unsaved(self) -> bool:
        """Whether there is a value that would be lost."""
        return self._version != self._saved

    def save(self) -> None:
        """Keep the values for the next start. Waits for the disk. Raises OSError."""
        with self._lock:
            version, known = self._version, dict(self._known)
        form = {key: {"text": value.text, "at": value.at} for key, value in known.items()}
        data = json.dumps({"values": form}, ensure_ascii=False).encode(errors="replace")
        if len(data) <= _LARGEST_CACHE:
            write_atomic(self._file, data)
        self._saved = version

    def close(self) -> None:
        """End all threads; waits for them, but not for long."""
        fetchers = list(self._fetchers.values())
        self._fetchers.clear()
        for fetcher in fetchers:
            fetcher.end()
        until = time.monotonic() + _PATIENCE
        for fetcher in fetchers:
            fetcher.join(max(until - time.monotonic(), 0.0))

    def _fetch(
        self, address: _Address, sources: Mapping[str, DataSource], secrets: Mapping[str, str]
    ) -> None:
        authorization = None if address.secret is None else secrets.get(address.secret, "")
        fetcher = self._fetchers.get(address)
        if fetcher is not None and fetcher.authorization == authorization:
            fetcher.take(sources)
            return
        if fetcher is not None:
            fetcher.end()
        self._fetchers[address] = _Fetcher(address.url, authorization, sources, self._found)

    def _found(self, found: Found) -> None:
        """Take in what a fetcher found, by the keys of its sources. From its thread."""
        at = self._now()
        with self._lock:
            known, wrong = dict(self._known), dict(self._wrong)
            for key, value in found.items():
                if isinstance(value, DownloadFailed):
                    wrong[key] = (value, wrong[key][1] + 1 if key in wrong else 1)
                    continue
                wrong.pop(key, None)
                if value is None:
                    if key in known:
                        known[key] = Known(known[key].text, at)
                    continue
                if key not in known or known[key].text != value:
                    self._version += 1
                known[key] = Known(value, at)
            self._known, self._wrong = known, wrong

    def _problem(self, one: _Source) -> str | None:
        """What is wrong with a source, if anything is; without its name."""
        key, source = one.key, one.source
        wrong, known = self._wrong.get(key), self._known.get(key)
        good = known is not None and not self._too_old(known, source)
        if key in self._left_out:
            what = f"is one address too many; at most {MAX_ADDRESSES} are fetched from"
        elif wrong is None or (wrong[1] < _TOLD_AFTER and good):
            return None
        else:
            what = wrong[0].message
        instead = "the last good value is shown"
        if not good:
            instead = "there is no value yet" if known is None else "its last good value is too old"
            if source.default is not None:
                instead += ", and its default is shown"
        return f"{redact_url(source.url)} {what}; {instead}."

    def _too_old(self, known: Known, source: DataSource) -> bool:
        return source.max_age is not None and self._now() - known.at > source.max_age.seconds


class _Fetcher:
    """The thread of one address."""

    def __init__(
        self,
        url: str,
        authorization: str | None,
        sources: Mapping[str, DataSource],
        found: Callable[[Found], None],
    ) -> None:
        self.authorization = authorization
        self.figures = _Figures()
        self._url, self._sources, self._found = url, dict(sources), found
        self._backoff = Backoff(first=_FIRST_RETRY, stable_after=0.0)
        self._wake = threading.Condition()
        self._ended = self._changed = False
        self._download: Download | None = None
        self._etag: str | None = None  # of the document that has the values of these sources
        self._etag_of: dict[str, DataSource] = {}
        # A daemon: a look-up of a name that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="data", daemon=True)
        self._thread.start()

    def take(self, sources: Mapping[str, DataSource]) -> None:
        """Look for these from now on; at once where something is new."""
        with self._wake:
            if sources != self._sources:
                self._sources, self._changed = dict(sources), True
                self._wake.notify()

    def end(self) -> None:
        """Fetch nothing more."""
        with self._wake:
            self._ended = True
            self._wake.notify()
            if self._download is not None:
                self._download.cancel()

    def join(self, seconds: float) -> None:
        """Wait for the thread's end for at most so long."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._ended:
            with self._wake:
                sources, self._changed = dict(self._sources), False
                etag = self._etag if sources == self._etag_of else None
                self._download = Download(
                    self._url, _timeout(sources.values()), self.authorization, etag=etag
                )
            found: Found
            try:
                found = _look_for(sources, self._download)
                self._remember(sources, found, self._download.etag)
            except NotModified:
                found = dict.fromkeys(sources)
            except Exception as error:  # the thread's edge: a defect must not end the fetching for ever
                _log.exception("data could not be fetched", url=redact_url(self._url))
                found = _all(sources, DownloadFailed("Failed", f"cannot be fetched ({type(error).__name__})"))
            if not self._ended:
                self._count(found)
                self._found(found)
                self._wait(
                    sources.values(), failed=all(isinstance(one, DownloadFailed) for one in found.values())
                )

    def _remember(self, sources: dict[str, DataSource], found: Found, etag: str | None) -> None:
        """Keep the name of a document in which all was found that was looked for."""
        whole = all(isinstance(one, str) for one in found.values())
        self._etag, self._etag_of = (etag, sources) if whole else (None, {})

    def _count(self, found: Found) -> None:
        self.figures.fetches += 1
        for reason in {one.reason for one in found.values() if isinstance(one, DownloadFailed)}:
            self.figures.failures[reason] = self.figures.failures.get(reason, 0) + 1

    def _wait(self, sources: Iterable[DataSource], *, failed: bool) -> None:
        """Until the next time; a failed fetch is tried again sooner where the interval is long."""
        interval = min(float(source.interval.seconds) for source in sources)
        if failed:
            self._backoff.most = max(interval, _LONGEST_RETRY)
            interval = self._backoff.next()
        else:
            self._backoff.worked(0.0)
        with self._wake:
            self._wake.wait_for(lambda: self._ended or self._changed, interval)


def lookup(texts: Mapping[str, str | None]) -> Callable[[OverlayInstance, DataSource], str | None]:
    """The value of a data source, as `prepare` asks for it."""
    return lambda _overlay, source: texts.get(key_of(source))


def key_of(source: DataSource) -> str:
    """What the value of a source depends on, as a digest: equal keys have equal values."""
    reference = source.authorization_secret_ref
    secret = None if reference is None else [reference.name, reference.key]
    parts = [source.url, secret, source.path, source.each, source.separator, source.decimals]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def _address(source: DataSource) -> _Address:
    reference = source.authorization_secret_ref
    return _Address(source.url, None if reference is None else f"{reference.name}/{reference.key}")


def _timeout(sources: Iterable[DataSource]) -> float:
    return max(float(source.timeout.seconds) for source in sources)


def _look_for(sources: Mapping[str, DataSource], download: Download) -> dict[str, str | DownloadFailed]:
    """What each of the sources finds in the document."""
    if download.authorization == "":
        return _all(sources, DownloadFailed("SecretMissing", "needs a Secret that has no such key"))
    try:
        document: Any = parse(download.run())
    except DownloadFailed as error:
        return _all(sources, error)
    except ValueError as error:
        return _all(sources, DownloadFailed("BadDocument", f"sent something that cannot be read: {error}"))
    found: dict[str, str | DownloadFailed] = {}
    for key, source in sources.items():
        try:
            found[key] = text_of(document, source)
        except ValueError as error:
            found[key] = DownloadFailed("NoValue", f"sent something else than expected: {error}")
    return found


def _all(sources: Mapping[str, DataSource], error: DownloadFailed) -> dict[str, str | DownloadFailed]:
    return dict.fromkeys(sources, error)


def _read(file: Path) -> dict[str, Known]:
    """The values that were kept; none where there are none that can be read."""
    try:
        with file.open("rb") as stored:
            data = stored.read(_LARGEST_CACHE + 1)
        values = json.loads(data)["values"]
        return {
            str(key): Known(drawable(str(value["text"])), float(value["at"])) for key, value in values.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        _log.warning("the kept data cannot be read", error=type(error).__name__)
        return {}
