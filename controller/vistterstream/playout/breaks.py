"""Where a line may end: the practical part of the Unicode Line Breaking Algorithm, UAX #14.

Python has no Line_Break property; classes (AL, BA, …, named as in the annex) come from general categories
and from the lists below. Left out are what takes a dictionary (Thai, Lao, Khmer and Burmese part at spaces),
conjoining Jamo, and the signs of few scripts. Small kana are strict: no line starts with one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

SOFT_HYPHEN = "\u00ad"
_ZWJ = "\u200d"
_LISTED = {
    "WJ": "\u2060\ufeff",
    "ZW": "\u200b",
    "GL": "\u00a0\u202f\u2007\u2011\u034f\u180e\u0f08\u0f0c\u0f12",
    "BA": "\u00ad\u2010\u2012\u2013\u058a\u05be\u2027\u007c\u0964\u0965\u0f0b\u1361\u17d4\u17d5\u3000\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u205f\t",
    "HY": "-",
    "B2": "\u2014\u2e3a\u2e3b",
    "BB": "\u00b4\u02c8\u02cc\u02df",
    "SY": "/",
    "IS": ",.:;\u037e\u0589\u060c\u060d\u07f8\u2044\ufe10\ufe13\ufe14",
    "EX": "!?\u05c6\u061b\u061e\u061f\u06d4\u07f9\ufe15\ufe16\ufe56\ufe57\uff01\uff1f",
    "CL": "\u3001\u3002\ufe11\ufe12\ufe50\ufe52\uff0c\uff0e\uff61\uff64",
    "CP": ")]",
    "QU": "\"'\u275b\u275c\u275d\u275e",
    "OP": "\u00a1\u00bf\u2e18\u201a\u201e",
    "NS": "\u3005\u301c\u303b\u303c\u309b\u309c\u309d\u309e\u30a0\u30fb\u30fd\u30fe\u203c\u203d\u2047\u2048"
    "\u2049\ufe54\ufe55\uff1a\uff1b\uff65\uff9e\uff9f\u17d6\u3041\u3043\u3045\u3047\u3049\u3063\u3083\u3085"
    "\u3087\u308e\u3095\u3096\u30a1\u30a3\u30a5\u30a7\u30a9\u30c3\u30e3\u30e5\u30e7\u30ee\u30f5\u30f6\u30fc"
    "\uff67\uff68\uff69\uff6a\uff6b\uff6c\uff6d\uff6e\uff6f\uff70",
    "IN": "\u2024\u2025\u2026\u22ef\ufe19",
    "PR": "+\\\u00b1\u2116\u2212\u2213",
    "PO": "%\u00a2\u00b0\u2030\u2031\u2032\u2033\u2034\u2035\u2036\u2037\u20a7\u20b6\u2103\u2109\u066a\u060b"
    "\ufe6a\uff05\uffe0",
}
_CLASSES = {character: name for name, listed in _LISTED.items() for character in listed}
_BY_CATEGORY = {
    "Ps": "OP", "Pe": "CL", "Pi": "QU", "Pf": "QU", "Sc": "PR", "Mn": "CM", "Mc": "CM", "Me": "CM",
    "Cf": "CM", "Cc": "CM", "Zs": "SP", "Zl": "SP",
}  # fmt: skip
_IDEOGRAPHS = re.compile(
    "[\u2e80-\u2fff\u3003-\u3007\u3012\u3013\u3020-\u3029\u3030-\u303f\u3041-\u31ff\u3200-\u4dbf\u4e00-\u9fff"
    "\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff02-\uff5a\uff66-\uffdc"
    "\u231a\u231b\u23f0-\u23f3\u2600-\u2603\u2614\u2615\u2618\u261a-\u261f\u2639-\u263b\u2668\u267f"
    "\u2693\u26bd-\u26c8\u26cd\u26cf-\u26d1\u26d3\u26d4\u26d8-\u26d9\u26dc\u26df-\u26e1\u26ea\u26f1-\u26f5"
    "\u26f7-\u26fa\u26fd-\u2704\u2708-\u270d\u2764\U00016fe0-\U00018dff\U0001aff0-\U0001b2ff"
    "\U0001f000-\U0001f0ff\U0001f10d-\U0001f10f\U0001f16d-\U0001f16f\U0001f1ad-\U0001f1e5\U0001f200-\U0001f3fa"
    "\U0001f400-\U0001f5ff\U0001f600-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7ff\U0001f90c-\U0001f9ff"
    "\U0001fa70-\U0001faff\U00020000-\U0003fffd]"
)
_LETTERS = {"AL", "HL"}
_NEVER_FIRST = {"CL", "CP", "EX", "SY"}
_HELD_TOGETHER = {
    *((left, right) for left in ("AL", "HL") for right in ("AL", "HL", "NU", "OP", "PR", "PO")),
    *((left, right) for left in ("NU", "PR", "PO") for right in ("AL", "HL")),
    *((left, right) for left in ("NU", "CL", "CP") for right in ("PO", "PR")),
    *((left, "NU") for left in ("PO", "PR", "HY", "IS", "NU", "SY", "CP")),
    ("PO", "OP"), ("PR", "OP"), ("NU", "OP"), ("CP", "AL"), ("CP", "HL"), ("IS", "AL"), ("IS", "HL"),
    ("PR", "ID"), ("ID", "PO"), ("SY", "HL"),
}  # fmt: skip
"""Classes between which no line ends, that do so only when no space parts them: LB21b to LB30."""
_AFTER_SPACES = {("OP", None), ("QU", "OP"), ("CL", "NS"), ("CP", "NS"), ("B2", "B2")}


def opportunities(text: str) -> list[int]:
    """The places (of characters) at which a line may start, but for the first; spaces stay before them."""
    if text.isascii() and text.replace(" ", "").isalnum():
        return [at for at in range(1, len(text)) if text[at - 1] == " " != text[at]]
    found: list[int] = []
    before, far, flags = "", "", 0  # what is left of a place, what is left of that, regional indicators
    spaces = False
    for index, character in enumerate(text):
        kind = _class(character)
        if kind == "SP":
            spaces = spaces or index > 0
            continue
        if kind == "CM" and before and not spaces and before != "ZW":
            continue  # LB9: it is one with what it stands on
        kind = "AL" if kind == "CM" else kind
        joined = not spaces and index > 0 and text[index - 1] == _ZWJ  # LB8a
        if (
            index
            and not joined
            and _parted(far, before, kind, spaces=spaces, flags=flags, text=text, at=index)
        ):
            found.append(index)
        flags = flags + 1 if kind == "RI" else 0
        far, before, spaces = ("SP" if spaces else before), kind, False
    return found


def _parted(far: str, before: str, kind: str, *, spaces: bool, flags: int, text: str, at: int) -> bool:
    """Whether a line may end between two classes, perhaps after spaces: the rules in their order."""
    if kind == "ZW" or before == "ZW":
        return before == "ZW" and kind != "ZW"  # LB7, LB8
    if kind == "WJ" or (not spaces and (before == "WJ" or before == "GL")):
        return False  # LB11, LB12
    if kind == "GL":
        return spaces or before in {"BA", "HY"}  # LB12a
    if kind in _NEVER_FIRST or (kind == "IS" and not _starts_number(text, at, spaces=spaces)):
        return False  # LB13
    if (before, None) in _AFTER_SPACES or (before, kind) in _AFTER_SPACES:
        return False  # LB14 to LB17
    if spaces:
        return True  # LB18
    if kind == "QU" or before == "QU" or kind in {"BA", "HY", "NS", "IN", "IS"} or before == "BB":
        return False  # LB19, LB21, LB22
    if before in {"HY", "BA"}:
        return not _bound(far, before, kind, text[at - 1])
    if before == "RI" and kind == "RI":
        return flags % 2 == 0  # LB30a
    if kind == "OP" and unicodedata.east_asian_width(text[at]) in "FWH":
        return before not in {"PR", "PO"}  # LB30 is for narrow brackets
    return (before, kind) not in _HELD_TOGETHER


def _bound(far: str, before: str, kind: str, hyphen: str) -> bool:
    """Whether a hyphen holds what follows: a sign of a number, a first letter's, one after Hebrew letters."""
    if before == "HY" and kind == "NU":
        return True  # LB25
    if kind in _LETTERS and far in {"", "SP", "ZW", "GL", "OP", "QU"} and hyphen in "-\u2010":
        return True  # LB20a
    return far == "HL" and kind != "HL"  # LB21a


def _starts_number(text: str, at: int, *, spaces: bool) -> bool:
    """Whether a point after a space begins a number, such as .5: LB15c."""
    return spaces and text[at + 1 : at + 2].isdecimal()


@lru_cache(maxsize=4096)
def _class(character: str) -> str:
    """The class of a character; of what is not listed, by its general category."""
    if character in _CLASSES:
        return _CLASSES[character]
    if "\U0001f1e6" <= character <= "\U0001f1ff":
        return "RI"
    if "\U0001f3fb" <= character <= "\U0001f3ff":
        return "CM"  # an emoji's skin, which belongs to it
    category = unicodedata.category(character)
    if category in _BY_CATEGORY:
        return _BY_CATEGORY[category]
    if category == "Nd" and not "\uff10" <= character <= "\uff19":
        return "NU"
    if _IDEOGRAPHS.match(character):
        return "ID"
    return "HL" if category == "Lo" and "\u05d0" <= character <= "\ufb4f" and _hebrew(character) else "AL"


def _hebrew(character: str) -> bool:
    return character <= "\u05f2" or character >= "\ufb1d"
