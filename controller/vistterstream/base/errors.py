"""The errors that rooms raise at each other."""

from __future__ import annotations


class VistterError(Exception):
    """Something a user can be told: `message` is a redacted sentence, `reason` its CamelCase name."""

    def __init__(self, message: str, *, reason: str = "Failed") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason


class TemporaryError(VistterError):
    """Try again in `delay` seconds; nobody has to do anything."""

    def __init__(self, message: str, *, delay: float, reason: str = "Waiting") -> None:
        super().__init__(message, reason=reason)
        self.delay = delay


class PermanentError(VistterError):
    """Trying again does not help until the user changes something."""
