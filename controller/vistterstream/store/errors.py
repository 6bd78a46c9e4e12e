"""What the store refuses, and why."""

from __future__ import annotations

from collections.abc import Sequence

from vistterstream.base.errors import PermanentError
from vistterstream.resources.kinds import Key


class Conflict(PermanentError):
    """A field has another owner, who set another value. Nothing was written.

    `field` is the first such field, such as ``spec.stallAfter``, and `owner` its manager; `fields` has all
    of them. An empty `field` stands for the object as a whole.
    """

    def __init__(self, key: Key, fields: Sequence[tuple[str, str]]) -> None:
        self.key = key
        self.fields = tuple(fields)
        self.field, self.owner = self.fields[0]
        super().__init__(self._sentence(), reason="Conflict")

    def _sentence(self) -> str:
        if not self.field:
            return f"{self.key} belongs to {self.owner}; delete it there"
        others = len(self.fields) - 1
        more = f" (and {others} more field{'s' if others > 1 else ''})" if others else ""
        return (
            f"{self.field}{more} of {self.key} was set to another value by {self.owner}; "
            "change it there, or take it over with force"
        )


class Invalid(PermanentError):
    """The object, together with the fields that others own, is not valid. Nothing was written."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="Invalid")


class Gone(PermanentError):
    """A watch asked for changes that the store no longer (or does not yet) have: list, then watch again."""

    def __init__(self, since: int, oldest: int, newest: int) -> None:
        super().__init__(
            f"resource version {since} is not between {oldest} and {newest}, which the store remembers; "
            "list the objects and watch from the list's version",
            reason="Expired",
        )
