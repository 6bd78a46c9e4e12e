"""The order of text that runs in two directions: the Unicode Bidirectional Algorithm, UAX #9.

Levels belong to a paragraph and are found once, before it is broken into lines (`resolved`); each line then
takes its part of them (`of_line`) and says in which order its parts stand (`order`). Even levels run to the
right, odd ones to the left. Names of rules (W1, N0, …) and of classes (AL, EN, …) are those of the annex.
Classes come from `unicodedata`; that has no Bidi_Paired_Bracket, so that brackets are listed here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MOST_LEVELS = 125
_MOST_BRACKETS = 63
_EMBEDDINGS = {"LRE": 0, "LRO": 0, "RLE": 1, "RLO": 1}
_OVERRIDES = {"LRO": "L", "RLO": "R"}
_ISOLATES = {"LRI", "RLI", "FSI"}
_REMOVED = {"LRE", "LRO", "RLE", "RLO", "PDF", "BN"}
_NEUTRAL = {"B", "S", "WS", "ON", "LRI", "RLI", "FSI", "PDI"}
_RIGHTWARD_ONLY = {"L", "EN", "ES", "ET", "CS", "NSM", "BN", "B", "S", "WS", "ON", "PDI", "PDF"}
_STRONG = {"L": "L", "R": "R", "AL": "R", "EN": "R", "AN": "R"}  # what each counts as for what is neutral
_PAIRS = (
    "()[]{}\u0f3a\u0f3b\u0f3c\u0f3d\u169b\u169c\u2045\u2046\u207d\u207e\u208d\u208e\u2308\u2309\u230a\u230b"
    "\u2329\u232a\u2768\u2769\u276a\u276b\u276c\u276d\u276e\u276f\u2770\u2771\u2772\u2773\u2774\u2775"
    "\u27c5\u27c6\u27e6\u27e7\u27e8\u27e9\u27ea\u27eb\u27ec\u27ed\u27ee\u27ef\u2983\u2984\u2985\u2986"
    "\u2987\u2988\u2989\u298a\u298b\u298c\u298d\u2990\u298f\u298e\u2991\u2992\u2993\u2994\u2995\u2996"
    "\u2997\u2998\u29d8\u29d9\u29da\u29db\u29fc\u29fd\u2e22\u2e23\u2e24\u2e25\u2e26\u2e27\u2e28\u2e29"
    "\u2e55\u2e56\u2e57\u2e58\u2e59\u2e5a\u2e5b\u2e5c\u3008\u3009\u300a\u300b\u300c\u300d\u300e\u300f"
    "\u3010\u3011\u3014\u3015\u3016\u3017\u3018\u3019\u301a\u301b\ufe59\ufe5a\ufe5b\ufe5c\ufe5d\ufe5e"
    "\uff08\uff09\uff3b\uff3d\uff5b\uff5d\uff5f\uff60\uff62\uff63"
)
_EQUIVALENT = str.maketrans("\u2329\u232a", "\u3008\u3009")
_CLOSERS = dict(zip(_PAIRS[0::2], _PAIRS[1::2], strict=True))
_MIRRORED = str.maketrans(_PAIRS + "<>\u00ab\u00bb\u2039\u203a", "".join(
    _PAIRS[at + 1] + _PAIRS[at] for at in range(0, len(_PAIRS), 2)
) + "><\u00bb\u00ab\u203a\u2039")  # fmt: skip
CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that do nothing but give direction (Bidi_Control)."""
OVERRIDES, POP = ("\u202d", "\u202e"), "\u202c"
"""Characters that make text run to the right or to the left, and that which ends it."""


@dataclass(frozen=True, slots=True)
class Directions:
    """What a paragraph's characters are, each: its class (Bidi_Class) and its level; and the paragraph's."""

    base: int
    classes: Sequence[str]
    levels: Sequence[int]


def resolved(text: str, base: int | None = None) -> Directions:
    """The levels of a paragraph, which has no separator but at its end; `base` 0 or 1 overrules P2 and P3."""
    classes = [unicodedata.bidirectional(character) or "L" for character in text]
    if not base and _RIGHTWARD_ONLY.issuperset(classes):
        return Directions(0, classes, [0] * len(classes))
    closers = _isolated(classes)
    if base is None:
        base = int(_first_strong(classes, 0, len(classes), closers) == "R")
    kinds = list(classes)
    levels = _Explicit(classes, closers, base).apply(kinds)
    for sequence in list(_sequences(classes, levels, closers, base)):
        _implicit(sequence, text, kinds, levels)
    for index, kind in enumerate(classes):
        if kind in _REMOVED:
            levels[index] = levels[index - 1] if index else base
    return Directions(base, classes, levels)


def of_line(directions: Directions, start: int, end: int) -> list[int]:
    """The levels of the line that holds characters `start` to `end` of a paragraph: rule L1."""
    levels = list(directions.levels[start:end])
    ending = True
    for index in range(end - 1, start - 1, -1):
        kind = directions.classes[index]
        ending = kind in {"B", "S"} or (
            ending and (kind == "WS" or kind == "PDI" or kind in _ISOLATES or kind in _REMOVED)
        )
        if ending:
            levels[index - start] = directions.base
    return levels


def order(levels: Sequence[int]) -> list[int]:
    """The places of what has these levels, from left to right: rule L2."""
    places = list(range(len(levels)))
    for level in range(max(levels, default=0), 0, -1):
        start = 0
        while start < len(places):
            end = start
            while end < len(places) and levels[places[end]] >= level:
                end += 1
            places[start:end] = reversed(places[start:end])
            start = max(end, start + 1)
    return places


def mirrored(text: str) -> str:
    """`text` with the brackets that look the other way where it runs to the left: L4, in part."""
    return text.translate(_MIRRORED)


def uniform(text: str, level: int) -> bool:
    """Whether `text` runs as its level says on its own, without an override."""
    against = {"R", "AL", "AN"} if level % 2 == 0 else {"L", "EN", "AN"}
    return not any(unicodedata.bidirectional(character) in against for character in text)


def _isolated(classes: Sequence[str]) -> dict[int, int]:
    """The place of the PDI of each isolate initiator that has one: BD9."""
    closers, opened = dict[int, int](), list[int]()
    for index, kind in enumerate(classes):
        if kind in _ISOLATES:
            opened.append(index)
        elif kind == "PDI" and opened:
            closers[opened.pop()] = index
        elif kind == "B":
            opened.clear()
    return closers


def _first_strong(classes: Sequence[str], start: int, end: int, closers: dict[int, int]) -> str:
    """L or R, as the first strong character is that stands in no isolate: P2 and P3."""
    index = start
    while index < end:
        kind = classes[index]
        if kind in {"L", "R", "AL"}:
            return _STRONG[kind]
        index = closers.get(index, end) if kind in _ISOLATES else index + 1
    return "L"


class _Explicit:
    """Embeddings, overrides and isolates: X1 to X8."""

    def __init__(self, classes: Sequence[str], closers: dict[int, int], base: int) -> None:
        self._classes, self._closers, self._base = classes, closers, base
        self._clear()

    def _clear(self) -> None:
        self._stack: list[tuple[int, str | None, bool]] = [(self._base, None, False)]
        self._isolates_over = self._embeddings_over = self._isolates = 0

    def apply(self, kinds: list[str]) -> list[int]:
        """The explicit level of each character; those of `kinds` that are overridden are changed."""
        levels = []
        for index, kind in enumerate(self._classes):
            if kind == "PDI":
                self._end_isolate()
            elif kind == "B":
                self._clear()
            level, override, _ = self._stack[-1]
            levels.append(level)
            if override and kind not in _REMOVED and kind != "B":
                kinds[index] = override
            if kind in _EMBEDDINGS:
                self._embed(_EMBEDDINGS[kind], _OVERRIDES.get(kind))
            elif kind in _ISOLATES:
                self._isolate(self._leftward(index))
            elif kind == "PDF":
                self._end_embedding()
        return levels

    def _leftward(self, index: int) -> int:
        """1 where an isolate runs to the left: X5a to X5c."""
        if self._classes[index] != "FSI":
            return int(self._classes[index] == "RLI")
        end = self._closers.get(index, len(self._classes))
        return int(_first_strong(self._classes, index + 1, end, self._closers) == "R")

    def _next(self, leftward: int) -> int:
        """The next level of that direction."""
        level = self._stack[-1][0]
        return level + 1 + (level + 1 + leftward) % 2

    def _room(self, level: int) -> bool:
        return level <= _MOST_LEVELS and not self._isolates_over and not self._embeddings_over

    def _embed(self, leftward: int, override: str | None) -> None:
        if self._room(level := self._next(leftward)):
            self._stack.append((level, override, False))
        elif not self._isolates_over:
            self._embeddings_over += 1

    def _isolate(self, leftward: int) -> None:
        if self._room(level := self._next(leftward)):
            self._isolates += 1
            self._stack.append((level, None, True))
        else:
            self._isolates_over += 1

    def _end_isolate(self) -> None:
        if self._isolates_over:
            self._isolates_over -= 1
        elif self._isolates:
            self._embeddings_over = 0
            while not self._stack.pop()[2]:
                pass
            self._isolates -= 1

    def _end_embedding(self) -> None:
        if self._isolates_over:
            return
        if self._embeddings_over:
            self._embeddings_over -= 1
        elif not self._stack[-1][2] and len(self._stack) > 1:
            self._stack.pop()


@dataclass(frozen=True, slots=True)
class _Sequence:
    """An isolating run sequence: the places of its characters, its level, and what stands at its ends."""

    places: list[int]
    level: int
    before: str
    after: str

    @property
    def direction(self) -> str:
        """L or R, as its level says."""
        return "LR"[self.level % 2]


def _sequences(
    classes: Sequence[str], levels: Sequence[int], closers: dict[int, int], base: int
) -> Iterator[_Sequence]:
    """The isolating run sequences of a paragraph, without what X9 removes: BD13 and X10."""
    kept = [index for index, kind in enumerate(classes) if kind not in _REMOVED]
    outside: int | None = None  # what is left of the first, and right of the last
    lefts = dict(zip(kept, [outside, *kept], strict=False))
    rights = dict(zip(kept, [*kept[1:], outside], strict=False))
    runs: dict[int, list[int]] = {}
    start = -1
    for index in kept:
        left = lefts[index]
        if left is None or levels[left] != levels[index]:
            start = index
        runs.setdefault(start, []).append(index)
    closing = set(closers.values())
    for first, run in runs.items():
        if first in closing:
            continue  # goes on with the run of its initiator
        places = list(run)
        while classes[places[-1]] in _ISOLATES and closers.get(places[-1]) in runs:
            places += runs[closers[places[-1]]]
        level = levels[first]
        left, right = lefts[first], rights[places[-1]]
        opened = classes[places[-1]] in _ISOLATES
        before = base if left is None else levels[left]
        after = base if right is None or opened else levels[right]
        yield _Sequence(places, level, "LR"[max(level, before) % 2], "LR"[max(level, after) % 2])


def _implicit(sequence: _Sequence, text: str, kinds: Sequence[str], levels: list[int]) -> None:
    """Give the characters of a sequence their levels: W1 to W7, N0 to N2, I1 and I2."""
    before = [kinds[place] for place in sequence.places]
    types = _weak(before, sequence.before)
    _brackets(sequence, [text[place] for place in sequence.places], before, types)
    _neutral(sequence, types)
    for place, kind in zip(sequence.places, types, strict=True):
        if kind == "R":
            levels[place] += 1 - sequence.level % 2
        elif kind != "L":
            levels[place] += 2 - sequence.level % 2
        else:
            levels[place] += sequence.level % 2


def _weak(kinds: Sequence[str], before: str) -> list[str]:
    """Numbers and what belongs to them: W1 to W7. Leaves L, R, EN, AN and ON (any neutral)."""
    types = []
    previous = strong = before
    for kind in kinds:
        if kind == "NSM":  # W1
            kind = "ON" if previous in _ISOLATES or previous == "PDI" else previous
        previous = kind
        if kind in {"L", "R", "AL"}:
            strong = kind
        elif kind == "EN" and strong == "AL":  # W2
            kind = "AN"
        types.append(kind)
    types = ["R" if kind == "AL" else kind for kind in types]  # W3
    for index in range(1, len(types) - 1):  # W4
        sides = types[index - 1], types[index + 1]
        if sides == ("EN", "EN") and types[index] in {"ES", "CS"}:
            types[index] = "EN"
        elif sides == ("AN", "AN") and types[index] == "CS":
            types[index] = "AN"
    for start, end in _stretches(types, {"ET"}):  # W5
        if "EN" in (types[start - 1 : start] + types[end : end + 1]):
            types[start:end] = ["EN"] * (end - start)
    strong = before
    for index, kind in enumerate(types):
        if kind in {"L", "R"}:
            strong = kind
        elif kind == "EN" and strong == "L":  # W7
            types[index] = "L"
        elif kind in {"ES", "ET", "CS"} or kind in _NEUTRAL:  # W6
            types[index] = "ON"
    return types


def _stretches(types: Sequence[str], wanted: set[str]) -> Iterator[tuple[int, int]]:
    """Start and end of each stretch of those types."""
    start = 0
    while start < len(types):
        end = start
        while end < len(types) and types[end] in wanted:
            end += 1
        if end > start:
            yield start, end
        start = end + 1


def _brackets(sequence: _Sequence, text: Sequence[str], before: Sequence[str], types: list[str]) -> None:
    """Brackets take the direction of what they hold: N0. `before` has the classes before W1."""
    for opener, closer in _paired(text, types):
        inside = {_STRONG[kind] for kind in types[opener + 1 : closer] if kind in _STRONG}
        if not inside:
            continue
        direction = sequence.direction
        if direction not in inside:
            strong = (_STRONG[kind] for kind in reversed(types[:opener]) if kind in _STRONG)
            if next(strong, sequence.before) != direction:
                direction = "RL"[sequence.level % 2]
        for place in (opener, closer):
            types[place] = direction
            for mark in range(place + 1, len(types)):
                if before[mark] != "NSM":
                    break
                types[mark] = direction


def _paired(text: Sequence[str], types: Sequence[str]) -> list[tuple[int, int]]:
    """Places of opening and closing brackets that belong together, in order: BD16."""
    pairs, opened = list[tuple[int, int]](), list[tuple[str, int]]()
    for index, (character, kind) in enumerate(zip(text, types, strict=True)):
        if kind != "ON":
            continue
        if character in _CLOSERS:
            if len(opened) == _MOST_BRACKETS:
                break
            opened.append((_CLOSERS[character].translate(_EQUIVALENT), index))
            continue
        closer = character.translate(_EQUIVALENT)
        for depth in range(len(opened) - 1, -1, -1):
            if opened[depth][0] == closer:
                pairs.append((opened[depth][1], index))
                del opened[depth:]
                break
    return sorted(pairs)


def _neutral(sequence: _Sequence, types: list[str]) -> None:
    """What is neutral takes the direction of both its sides, or that of its level: N1 and N2."""
    for start, end in _stretches(types, {"ON"}):
        left = _STRONG[types[start - 1]] if start else sequence.before
        right = _STRONG[types[end]] if end < len(types) else sequence.after
        types[start:end] = [left if left == right else sequence.direction] * (end - start)
