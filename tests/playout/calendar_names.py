"""Makes `playout/calendar.json`, the names of days and months, anew from the Unicode CLDR.

It takes the Babel package, which nothing else here needs::

    pip install --target DIR babel
    PYTHONPATH=DIR:controller python tests/playout/calendar_names.py FILE
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from vistterstream.resources.texts import LOCALES


def calendar() -> dict[str, Any]:
    """The names by language; days from Monday on."""
    parse = importlib.import_module("babel").Locale.parse
    return {tag: _names(parse(tag, sep="-")) for tag in LOCALES}


def _names(locale: Any) -> dict[str, list[str]]:
    months, days = locale.months, locale.days
    found = {
        "months": _months(months["format"]["wide"]),
        "monthsAlone": _months(months["stand-alone"]["wide"]),
        "monthsShort": _months(months["format"]["abbreviated"]),
        "monthsShortAlone": _months(months["stand-alone"]["abbreviated"]),
        "days": [days["format"]["wide"][day] for day in range(7)],
        "daysShort": [days["format"]["abbreviated"][day] for day in range(7)],
        "halves": [locale.day_periods["format"]["abbreviated"][half] for half in ("am", "pm")],
    }
    for name in ("months", "monthsShort"):
        if found[f"{name}Alone"] == found[name]:
            del found[f"{name}Alone"]
    return found


def _months(names: Any) -> list[str]:
    return [names[month] for month in range(1, 13)]


def main() -> None:
    """Write them, a language in a line."""
    lines = [
        f"{json.dumps(tag)}: {json.dumps(names, ensure_ascii=False)}" for tag, names in calendar().items()
    ]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    Path(sys.argv[1]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
