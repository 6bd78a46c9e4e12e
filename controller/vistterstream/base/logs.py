"""Structured logs to stderr: readable on a terminal, JSON lines elsewhere; redacted before they exist."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, Protocol, TextIO, cast

import structlog

from vistterstream.base.redaction import redact


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, bytes):
        return redact(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(item) for item in value]
    if isinstance(value, (int, float, bool)) or value is None:
        return value
    return redact(str(value))


def _redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {key: _redacted(value) for key, value in event.items()}


class RotatingFile:
    """A log file that never grows beyond `limit` bytes: what is older stands in PATH.1, and then goes."""

    def __init__(self, path: Path, limit: int = 5_000_000) -> None:
        self._path = path
        self._limit = limit
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")

    def write(self, text: str) -> int:
        """Append `text`; where the disk is full it is lost, since a log must not stop a program."""
        with self._lock, contextlib.suppress(OSError):
            if self._file.tell() > self._limit:
                self._file.close()
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
                self._file = self._path.open("a", encoding="utf-8")
            self._file.write(text)
            self._file.flush()
        return len(text)

    def flush(self) -> None:
        """Everything is written already."""

    def isatty(self) -> bool:
        """Never a terminal."""
        return False

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Stream(Protocol):
    """Where logs go."""

    def write(self, text: str, /) -> int:
        """Take a line."""

    def flush(self) -> None:
        """Write out what is held back."""

    def isatty(self) -> bool:
        """Whether a person reads it on a terminal."""


def configure(*, level: str = "info", stream: Stream | None = None) -> None:
    """Send this process's logs to `stream` (stderr without), from `level` up."""
    stream = stream or sys.stderr
    terminal = stream.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=True) if terminal else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, stream)),
        cache_logger_on_first_use=False,
    )


def get(room: str) -> Any:
    """The logger of a room; its lines carry ``room``."""
    return structlog.get_logger(room=room)  # lazy: the configuration may still come
