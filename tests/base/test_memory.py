"""The collector is kept away from what a plan is made of."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from vistterstream.base.memory import put_off, tidy, undisturbed


class _Thing:
    """Refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_meanwhile_and_what_was_made_is_not_looked_at_again() -> None:
    with undisturbed():
        assert not gc.isenabled()
        made = [[number] for number in range(20_000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(made)
    looked_at = {id(thing) for thing in gc.get_objects()}
    assert not looked_at & {id(thing) for thing in made}


def test_the_collector_goes_on_after_something_went_wrong() -> None:
    with pytest.raises(ValueError, match="no plan"), undisturbed():
        raise ValueError("no plan")
    assert gc.isenabled()


def test_what_was_put_off_is_collected_when_it_is_tidied_up_and_what_is_left_never_again() -> None:
    with put_off():
        assert not gc.isenabled()
        made = [[number] for number in range(20_000)]
        lost = weakref.ref(_Thing())
        assert lost() is not None
    assert gc.isenabled()
    tidy()
    assert lost() is None
    assert gc.get_freeze_count() > len(made)


def test_cycles_made_later_are_still_found() -> None:
    with undisturbed():
        pass
    gc.collect()
    cycle: list[object] = []
    cycle.append(cycle)
    del cycle
    assert gc.collect() >= 1


def test_what_died_after_it_was_put_aside_is_found_in_the_end() -> None:
    thing = _Thing()
    tidy()
    seen = weakref.ref(thing)
    del thing
    for _ in range(50):
        tidy()
    assert seen() is None
