"""``vistter crds``."""

from __future__ import annotations

import sys
from pathlib import Path

from vistterstream.base.files import write_atomic
from vistterstream.cli.console import say
from vistterstream.resources.crds import crd_files


def crds(out: Path | None) -> None:
    """Write the CustomResourceDefinitions into a folder, or all to stdout. Raises OSError."""
    files = crd_files()
    if out is None:
        sys.stdout.write("---\n".join(files.values()))
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_atomic(out / name, text.encode(), mode=0o644)
    say(f"{len(files)} files written to {out}.")
