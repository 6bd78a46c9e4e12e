"""Who answers the commands that only read: a controller, or the store where none runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

Form = dict[str, Any]


class Reader(Protocol):
    """Answers the requests of api/local.py that only read."""

    def ask(self, op: str, **fields: Any) -> Form:
        """The answer. Raises VistterError."""

    def follow(self, op: str, **fields: Any) -> Iterator[Form]:
        """The answers to a request that goes on. Raises VistterError."""
