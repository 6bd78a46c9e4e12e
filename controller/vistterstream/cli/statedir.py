"""Which state folder is meant."""

from __future__ import annotations

import os
from pathlib import Path

from vistterstream.base.errors import VistterError

VARIABLE = "VISTTER_STATE_DIR"


def default() -> Path:
    """The state folder where none is named: /var/lib/vistter for root, else under the user's own state
    (XDG Base Directory Specification). Raises VistterError where there is no home.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/vistter")
    home = os.environ.get("XDG_STATE_HOME", "")
    try:
        return (Path(home) if os.path.isabs(home) else Path.home() / ".local/state") / "vistter"
    except RuntimeError:
        raise VistterError(
            "this user has no home folder; say where the state is to be with --state-dir DIR"
        ) from None


def resolve(given: Path | None) -> Path:
    """The folder that was given, by option or variable, or the default; absolute."""
    return (given or default()).expanduser().absolute()
