from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.serving import Served, served


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as made:
        yield made
