"""Everything in this folder is end-to-end: real processes, real servers, real time."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of this folder, so that nobody forgets to."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)
