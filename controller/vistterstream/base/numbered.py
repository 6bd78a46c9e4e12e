"""Files with a number in their name."""

from __future__ import annotations

import re
from pathlib import Path

_NUMBER = re.compile(r"%(?:0([1-9]))?d")


def numbered(pattern: Path) -> dict[int, Path]:
    """The files that a pattern such as ``frame-%04d.png`` stands for, by number, in order.

    ``%04d`` is a number of four digits or more, filled up with zeros, ``%d`` one without zeros in front.
    There are none where the folder cannot be read, or the name has no such directive.
    """
    directive = _NUMBER.search(pattern.name)
    if directive is None:
        return {}
    digits = (
        f"[0-9]{{{directive[1]}}}|[1-9][0-9]{{{directive[1]},8}}" if directive[1] else "0|[1-9][0-9]{0,8}"
    )
    before, after = pattern.name[: directive.start()], pattern.name[directive.end() :]
    name = re.compile(f"{re.escape(before)}({digits}){re.escape(after)}")
    try:
        found = [(match, path) for path in pattern.parent.iterdir() if (match := name.fullmatch(path.name))]
    except OSError:
        return {}
    return dict(sorted((int(match[1]), path) for match, path in found))
