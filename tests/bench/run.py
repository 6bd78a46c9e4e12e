"""The figures of "how fast it must be": a table for people and JSON for machines, ratios within one run.

``python -m bench.run [--quick] [--json FILE] [--markdown FILE] [PART…]``; each part can be run alone.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench import (
    bench_appliance,
    bench_compositor,
    bench_edit,
    bench_endurance,
    bench_filters,
    bench_machine,
    bench_render,
    bench_timeline,
)
from bench.figures import Figure, markdown, table, write_json

PARTS: dict[str, Callable[..., list[Figure]]] = {
    "machine": bench_machine.measure,
    "compositor": bench_compositor.measure,
    "filters": bench_filters.measure,
    "timeline": bench_timeline.measure,
    "render": bench_render.measure,
    "edit": bench_edit.measure,
    "endurance": bench_endurance.measure,
    "cost": bench_appliance.measure_cost,
    "idle": bench_appliance.measure_idle,
    "memory": bench_appliance.measure_memory,
}


def _when(*, quick: bool) -> str:
    """When and how they are measured."""
    how = "short looks, not figures to rely on" if quick else "whole runs"
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[2]
    day = datetime.now(UTC).date().isoformat()
    where = f"{cores} cores, {platform.machine()}"
    return f"Measured on {day}, {where}; {how}; load {load:.1f} in its last 15 minutes."


def _end(number: int, _frame: object) -> None:
    """End as Ctrl-C ends it, so that the appliances and encoders it has started are ended with it."""
    sys.exit(128 + number)


def main() -> None:
    """Measure, print, write; status 1 where a limit is missed."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGHUP, _end)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="short looks: for trying out, not for figures")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where the JSON goes")
    parser.add_argument("--markdown", type=Path, help="where to write the figures as a page, docs/figures.md")
    options = parser.parse_args()
    figures: list[Figure] = []
    for part in options.parts or PARTS:
        found = PARTS[part](quick=options.quick)
        print(table(found), flush=True)  # each as soon as it is there: all of it takes a quarter of an hour
        figures += found
    write_json(figures, options.json)
    print(f"JSON: {options.json}")
    if options.markdown is not None:
        options.markdown.write_text(markdown(figures, _when(quick=options.quick)))
        print(f"Markdown: {options.markdown}")
    missed = [figure.name for figure in figures if not figure.met]
    if missed:
        raise SystemExit(f"Limits missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
