"""Waiting in async tests for conditions, with deadlines that a busy machine meets too."""

from __future__ import annotations

from collections.abc import Callable

import anyio


async def until(condition: Callable[[], object], what: str, deadline: float = 30.0) -> None:
    """Wait for `condition`; fails after `deadline` seconds."""
    with anyio.move_on_after(deadline):
        while True:
            if condition():
                return
            await anyio.sleep(0.01)
    raise AssertionError(f"not within {deadline:g} s: {what}")


async def holds(condition: Callable[[], object], what: str, seconds: float = 0.6) -> None:
    """Require that `condition` stays true for `seconds`."""
    with anyio.move_on_after(seconds):
        while True:
            assert condition(), f"did not stay so: {what}"
            await anyio.sleep(0.01)
