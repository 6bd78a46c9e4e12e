"""Reads FFmpeg's ``-progress`` output: ``key=value`` lines, a block ended by ``progress=…``."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"([a-z][a-z0-9_]*)=\s*(\S+)\s*")


@dataclass(frozen=True)
class Progress:
    """One block: frames, bytes written so far (0 where unknown), media time over wall time."""

    frame: int
    total_size: int
    out_time_us: int
    speed: float | None


class ProgressReader:
    """Collects lines into blocks."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def feed(self, line: str) -> Progress | bool:
        """Take one line: False when it is not progress, True within a block, the block at its end."""
        match = _LINE.fullmatch(line)
        if match is None:
            return False
        key, value = match.groups()
        self._values[key] = value
        if key != "progress":
            return True
        values, self._values = self._values, {}
        return Progress(
            frame=_integer(values.get("frame")),
            total_size=_integer(values.get("total_size")),
            out_time_us=_integer(values.get("out_time_us")),
            speed=_ratio(values.get("speed")),
        )


def _integer(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,18}", text) else 0


def _ratio(text: str | None) -> float | None:
    return float(text[:-1]) if text and re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?x", text) else None
