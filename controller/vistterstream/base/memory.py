"""Python's garbage collector, kept from holding up what is waited for.

A full collection looks at every object there is and stops all threads meanwhile: 70 to 100 ms with a timeline
of 10,000 cues (measured). What manifests and plans are made of is freed by reference counting, so there is
nothing to be found in it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """No collection meanwhile; what is there at the end is never looked at by a later one."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def put_off() -> Iterator[None]:
    """No collection meanwhile, while an edit is on its way; `tidy` is to be called when nobody waits."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def tidy() -> None:
    """Collect now; what is left is never looked at by a later one. Costs what was made since the last."""
    gc.collect()
    gc.freeze()
