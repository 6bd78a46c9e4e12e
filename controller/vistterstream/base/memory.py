"""Python's garbage collector, kept from holding up what is waited for.

A full collection looks at every object there is and stops all threads meanwhile: 70 to 100 ms with a timeline
of 10,000 cues (measured). What manifests and plans are made of is freed by reference counting, so there is
nothing to be found in it.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterator
from contextlib import contextmanager

_WHOLE = 50


@contextmanager
def put_off() -> Iterator[None]:
    """No collection meanwhile, while an edit is on its way; `tidy` is to be called when nobody waits."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def undisturbed() -> Iterator[None]:
    """No collection meanwhile; what is there at the end is never looked at by a later one."""
    with put_off():
        try:
            yield
        finally:
            gc.freeze()


_turns = itertools.count(1)


def tidy() -> None:
    """Collect now; what is left is looked at again by each fiftieth call alone. The others cost what was made
    since the last.
    """
    if next(_turns) % _WHOLE == 0:
        gc.unfreeze()  # cycles that were alive at an earlier call may have died since
    gc.collect()
    gc.freeze()
