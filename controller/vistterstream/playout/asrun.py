"""The as-run log: what was really shown, a line for each change, written as it happens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vistterstream.base.redaction import redact
from vistterstream.playout.mixer import Words
from vistterstream.playout.protocol import OnAir


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words that overlays take from data sources, from a frame on; `since` is the Unix time of that."""

    frame: int
    since: float
    words: Words


def changed_words(before: Words, now: Words) -> Words:
    """Those of `now` that are new, or were others in `before`."""
    changed = {
        overlay: {
            name: text
            for name, text in words.items()
            if name not in before.get(overlay, {}) or before[overlay][name] != text
        }
        for overlay, words in now.items()
    }
    return {overlay: words for overlay, words in changed.items() if words}


class AsRunLog:
    """Appends to ``FOLDER/DATE.jsonl``, a new file each day (UTC).

    Each line stands alone: it is written in one piece, so that a crash costs at most the last one.
    """

    def __init__(self, folder: Path, program: str) -> None:
        self._folder = folder
        self._program = program

    def write(self, shown: OnAir | Spoken) -> None:
        """Write down that `shown` is on air from its frame on. Raises OSError."""
        when = datetime.fromtimestamp(shown.since, UTC)
        self._folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps(self._entry(shown, when), ensure_ascii=False)
        with (self._folder / f"{when:%Y-%m-%d}.jsonl").open("a", encoding="utf-8") as file:
            file.write(redact(line) + "\n")

    def _entry(self, shown: OnAir | Spoken, when: datetime) -> dict[str, Any]:
        start = {
            "time": when.isoformat(timespec="microseconds"),
            "frame": shown.frame,
            "program": self._program,
        }
        if isinstance(shown, Spoken):
            return start | {"data": shown.words}
        return start | {
            "source": {"kind": shown.kind, "name": shown.name}
            | ({"preset": shown.preset} if shown.preset else {}),
            "reason": shown.reason,
            "timeline": {
                "name": shown.timeline,
                "frame": shown.position,
                "cue": shown.cue,
                "playback": "playing" if shown.standing is None else shown.standing.state,
            },
            "overlays": shown.overlays,
            "entered": shown.entered,
            "left": shown.left,
            "sounds": shown.sounds,
        }
