"""Words for sentences about what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from vistterstream.base.redaction import redact

_MAX_SHOWN = 60


def shown(text: str, *, quoted: bool = True) -> str:
    """`text` in quotes, as much of it as a sentence can take, and nothing secret that is known."""
    text = redact(text[:1000])
    text = repr(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…")
    return text if quoted else text[1:-1]


def nearest(word: str, candidates: Iterable[str]) -> str:
    """``; did you mean X?`` for the candidate nearest to `word`, or nothing."""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    found = get_close_matches(word[:_MAX_SHOWN].lower().replace("_", ""), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[found[0]]}?" if found else ""


def enumeration(words: Iterable[str], last: str = "or") -> str:
    """``a, b or c``."""
    *most, final = words
    return f"{', '.join(most)} {last} {final}" if most else final
