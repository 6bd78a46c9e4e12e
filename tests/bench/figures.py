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
    limit: float | None
    """None: it is told, and nothing is required of it."""
    better: str
    detail: str = ""

    @property
    def met(self) -> bool:
        """Whether it is as good as required."""
        if self.limit is None:
            return True
        return self.value <= self.limit if self.better == "lower" else self.value >= self.limit


def table(figures: Iterable[Figure]) -> str:
    """The figures for people."""
    lines = []
    for figure in figures:
        value, limit = f"{figure.value:.2f} {figure.unit}", _limit(figure)
        met = "" if figure.limit is None else "met" if figure.met else "MISSED"
        lines.append(f"{figure.name:54} {value:>20}   {limit:>8}  {met:7} {figure.detail}")
    return "\n".join(lines)


def _limit(figure: Figure) -> str:
    if figure.limit is None:
        return "-"
    return f"{'≤' if figure.better == 'lower' else '≥'} {figure.limit:g}"


def markdown(figures: Iterable[Figure], when: str) -> str:
    """The figures as a page of the documentation; `when` says when and how they were measured."""
    lines = [
        "# Figures",
        "",
        "How fast it is, against how fast it must be. `make bench BENCH_ARGS='--markdown docs/figures.md'`",
        "on a quiet machine writes this page; ratios travel from machine to machine, milliseconds do not.",
        "",
        when,
        "",
        "| figure | measured | limit | met | besides |",
        "|---|---|---|---|---|",
    ]
    for figure in figures:
        met = "-" if figure.limit is None else "yes" if figure.met else "**no**"
        cells = (figure.name, f"{figure.value:.2f} {figure.unit}", _limit(figure), met, figure.detail)
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"


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
