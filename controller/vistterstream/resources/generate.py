"""Writes the files that are made from the models, or says which are stale.

``python -m vistterstream.resources.generate [--check] [ROOT]``, as ``make generate`` and ``make check``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from vistterstream.base.files import write_atomic
from vistterstream.resources.crds import crd_files, editor_schema, ocl_schema
from vistterstream.resources.reference import reference_files

FOLDERS = ("crds", "docs/reference")
"""What is generated, under the root of the repository; nothing else lies in these folders."""


@cache
def generated() -> Mapping[str, str]:
    """Every generated file: its path under the root, and its text."""
    files = {f"crds/{name}": text for name, text in crd_files().items()}
    files["crds/schema.json"] = editor_schema()
    files["crds/ocl.schema.json"] = ocl_schema()
    return files | {f"docs/reference/{name}": text for name, text in reference_files().items()}


def generate(root: Path, check: bool) -> list[str]:
    """Bring the generated files under `root` up to date; with `check`, only look.

    Returns the paths, relative to `root`, of files that were stale: other than they should be, missing, or no
    longer generated. Raises OSError.
    """
    wanted = generated()
    stale = [path for path, text in wanted.items() if _read(root / path) != text]
    left_over = [
        path
        for folder in FOLDERS
        for file in sorted((root / folder).glob("*"))
        if (path := file.relative_to(root).as_posix()) not in wanted
    ]
    if not check:
        for path in stale:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            write_atomic(root / path, wanted[path].encode(), mode=0o644)
        for path in left_over:
            (root / path).unlink()
    return sorted([*stale, *left_over])


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line: status 1 where ``--check`` finds something stale."""
    parser = argparse.ArgumentParser(prog="python -m vistterstream.resources.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is stale")
    parser.add_argument("root", nargs="?", type=Path, default=Path(), help="root of the repository")
    options = parser.parse_args(arguments)
    stale = generate(options.root, options.check)
    for path in stale:
        sys.stderr.write(f"{path} {'is stale; run python -m ' if options.check else 'written'}")
        sys.stderr.write("vistterstream.resources.generate\n" if options.check else "\n")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
