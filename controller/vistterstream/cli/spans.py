"""Times for people."""

from __future__ import annotations

import time
from datetime import datetime


def unix(instant: str | None) -> float | None:
    """Unix time of an RFC 3339 instant."""
    return datetime.fromisoformat(instant).timestamp() if instant else None


def since(instant: str | None, now: float | None = None) -> str:
    """How long ago `instant` (RFC 3339) was, such as ``42s``, ``5m10s``, ``3h``; ``-`` without one."""
    then = unix(instant)
    if then is None:
        return "-"
    seconds = max(0, int((time.time() if now is None else now) - then))
    if seconds < 120:
        return f"{seconds}s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 10 and seconds:
        return f"{minutes}m{seconds}s"
    if minutes < 120:
        return f"{minutes}m"
    hours = minutes // 60
    return f"{hours}h" if hours < 48 else f"{hours // 24}d"


def clock(instant: str | None) -> str:
    """The local time of day of `instant` (RFC 3339)."""
    then = unix(instant)
    return time.strftime("%H:%M:%S", time.localtime(then)) if then is not None else "-"
