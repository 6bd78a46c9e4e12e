"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TookTooLong(AssertionError):
    """A condition did not come true in time."""


def until(
    condition: Callable[[], T],
    deadline: float = 10.0,
    what: str | Callable[[], str] = "the condition",
    *,
    every: float = 0.02,
) -> T:
    """Call `condition` until its value is true, and return that value.

    Raises TookTooLong after `deadline` seconds, naming `what` (a sentence, or a function that makes one,
    for what is only worth finding out on failure).
    """
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            said = what() if callable(what) else what
            raise TookTooLong(f"not within {deadline:g} s: {said} (last value: {value!r})")
        time.sleep(every)


def holds(condition: Callable[[], object], seconds: float, what: str, *, every: float = 0.05) -> None:
    """Require that `condition` stays true for `seconds`; raises AssertionError as soon as it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), f"did not stay so for {seconds:g} s: {what}"
        time.sleep(every)
