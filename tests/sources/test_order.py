from __future__ import annotations

import random

import pytest

from store.objects import camera, make
from vistterstream.resources.kinds import Resource
from vistterstream.sources.order import in_order


def names(*resources: Resource) -> list[str]:
    return [resource.metadata.name for resource in in_order(resources)]


def test_what_is_referred_to_comes_first() -> None:
    cues = [{"camera": name, "duration": "1s"} for name in ("wharf", "pier")]
    parts = [
        make("Output", "out", {"program": "main", "targets": [{"name": "a", "recording": {}}]}),
        make("Program", "main", {"timeline": "day"}),
        make("Timeline", "day", {"tracks": [{"name": "v", "video": cues}]}),
        camera("wharf", backup="pier"),
        camera("pier"),
    ]
    for seed in range(10):
        random.Random(seed).shuffle(parts)
        order = names(*parts)
        assert order.index("pier") < order.index("wharf") < order.index("day")
        assert order[-2:] == ["main", "out"]


def test_circles_are_cut_and_nothing_is_lost_or_doubled() -> None:
    ring = [camera(f"camera-{n}", backup=f"camera-{(n + 1) % 5}") for n in range(5)]
    assert sorted(names(*ring)) == [f"camera-{n}" for n in range(5)]
    assert names(*ring) == names(*reversed(ring))


@pytest.mark.slow
def test_a_long_chain_is_no_problem() -> None:
    chain = [camera(f"camera-{n}", backup=f"camera-{n + 1}") for n in range(3000)]
    assert names(*chain) == [f"camera-{n}" for n in reversed(range(3000))]


def test_references_to_what_is_not_there_do_not_matter() -> None:
    assert names(camera("wharf", backup="gone")) == ["wharf"]
