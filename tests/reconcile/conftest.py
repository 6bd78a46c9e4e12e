from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from reconcile.fakes import FakeHost
from reconcile.virtual import BACKEND
from vistterstream.base import logs
from vistterstream.store.store import Store


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return BACKEND


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def store(state_dir: Path) -> Iterator[Store]:
    store = Store(state_dir / "store.sqlite3")
    yield store
    store.close()


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the program logs, in its own form."""
    stream = io.StringIO()
    logs.configure(stream=stream)
    yield stream
    structlog.reset_defaults()
