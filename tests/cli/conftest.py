from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.conftest import appliance as appliance
from cli.commands import SMALL, warm
from peers.vistter import Appliance


@pytest.fixture(scope="session", autouse=True)
def _warm_commands() -> Iterator[None]:
    """Commands run in processes that have imported the libraries: the tests are half as long."""
    with warm():
        yield


@pytest.fixture(scope="session")
def on_air(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """An appliance that is on air; tests look at it and leave it as it is."""
    appliance = Appliance(tmp_path_factory.mktemp("on-air"), arguments=("--listen", "127.0.0.1:0"))
    appliance.write("small.yaml", SMALL)
    with appliance:
        appliance.wait_on_air("main", "pier")
        appliance.wait_condition("Output", "preview", "Publishing")
        yield appliance
