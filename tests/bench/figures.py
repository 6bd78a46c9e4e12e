"""A measured figure with its limit, and what becomes of them: a table, JSON, an exit status."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured figure and its limit; `better` is "lower" or "higher"."""

    name: str
    value: float
    unit: str
    limit: float
    better: str
    detail: str = ""

    @property
    def met(self) -> bool:
        """Whether it is as good as required."""
        return self.value <= self.limit if self.better == "lower" else self.value >= self.limit


def table(figures: Iterable[Figure]) -> str:
    """The figures for people."""
    lines = []
    for figure in figures:
        sign = "≤" if figure.better == "lower" else "≥"
        value, limit = f"{figure.value:.2f} {figure.unit}", f"{sign} {figure.limit:g}"
        met = "met" if figure.met else "MISSED"
        lines.append(f"{figure.name:54} {value:>20}   {limit:>8}  {met:7} {figure.detail}")
    return "\n".join(lines)


def write_json(figures: Iterable[Figure], path: Path) -> None:
    """The figures for machines. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(figure) | {"met": figure.met} for figure in figures], indent=1))


def main(measure: Callable[..., list[Figure]]) -> None:
    """Measure, print, write; status 1 where a limit is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="short looks: for trying out, not for figures")
    parser.add_argument("--json", type=Path, help="where to write the figures as JSON")
    options = parser.parse_args()
    figures = measure(quick=options.quick)
    print(table(figures))
    if options.json is not None:
        write_json(figures, options.json)
        print(f"JSON: {options.json}")
    if not all(figure.met for figure in figures):
        raise SystemExit(1)
