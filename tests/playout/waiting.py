"""Waiting for a condition without holding up the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio

from peers.waiting import TookTooLong

T = TypeVar("T")


async def eventually(
    condition: Callable[[], T], deadline: float = 10.0, what: str | Callable[[], str] = "the condition"
) -> T:
    """Call `condition` until its value is true, and return it; raises TookTooLong, naming `what`."""
    end = anyio.current_time() + deadline
    while not (value := condition()):
        if anyio.current_time() > end:
            said = what() if callable(what) else what
            raise TookTooLong(f"not within {deadline:g} s: {said} (last value: {value!r})")
        await anyio.sleep(0.01)
    return value
