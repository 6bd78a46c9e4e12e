"""The folder of a playout: names in it, and reading and writing them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from vistterstream.base.errors import PermanentError
from vistterstream.base.files import write_atomic
from vistterstream.base.processes import boot_id, start_time
from vistterstream.timeline.plan import PLAN_VERSION, Plan, PlanText

PLAN = "plan.json"
SECRETS = "secrets.json"
IDENTITY = "identity.json"
EPOCH = "epoch.json"
DATA = "data.json"  # the last good values of data sources
SOCKET = "control.sock"
LOG = "log.jsonl"
CRASH = "crash.log"  # what Python itself says of a playout that breaks


def object_name(namespace: str, name: str) -> str:
    """How an object is called in the state folder: NAME, or NAME@NAMESPACE outside of ``default``."""
    return name if namespace == "default" else f"{name}@{namespace}"


def playout_dir(state_dir: Path, namespace: str, name: str) -> Path:
    """The folder of a program's playout."""
    return state_dir.absolute() / "playout" / object_name(namespace, name)


def write_plan(folder: Path, plan: Plan, values: Mapping[str, str]) -> None:
    """Write what the playout is to converge to; `values` are the secrets it names. Raises OSError.

    Secrets first: a plan never names one that is not there yet.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomic(folder / SECRETS, json.dumps(dict(values), sort_keys=True).encode())
    write_atomic(folder / PLAN, plan.text)


def read_plan(folder: Path, before: Plan | None = None) -> tuple[Plan, dict[str, str]]:
    """The plan and the secrets; what is as in the plan `before` is taken over from it.

    Raises PermanentError with a sentence.
    """
    try:
        given = PlanText.of((folder / PLAN).read_bytes())
        values = json.loads((folder / SECRETS).read_bytes())
        if not isinstance(values, dict):
            raise ValueError(f"{SECRETS} does not hold a JSON object")
        if not all(isinstance(value, str) for value in values.values()):
            raise ValueError(f"a value in {SECRETS} is not a text")
        if given.document.get("version") != PLAN_VERSION:
            raise PermanentError(
                f"The plan is of version {given.document.get('version')}, this playout reads {PLAN_VERSION}.",
                reason="PlanVersion",
            )
        return Plan.read(given, before), values
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise PermanentError(
            f"The plan in {folder} cannot be read: {place}: {first['msg']}", reason="BadPlan"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise PermanentError(f"The plan in {folder} cannot be read: {error}", reason="BadPlan") from error


@dataclass(frozen=True)
class Identity:
    """Who runs in a folder: the boot, the process and when it started, and a secret number."""

    boot_id: str
    pid: int
    start_time: int
    nonce: str

    @classmethod
    def of_this_process(cls) -> Identity:
        """A new identity for this process."""
        started = start_time(os.getpid())
        assert started is not None
        return cls(boot_id(), os.getpid(), started, secrets.token_hex(16))

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        return self.boot_id == boot_id() and start_time(self.pid) == self.start_time


def write_identity(folder: Path, identity: Identity) -> None:
    """Say who runs here. Raises OSError."""
    write_atomic(folder / IDENTITY, json.dumps(identity.__dict__).encode())


def read_identity(folder: Path) -> Identity | None:
    """Who runs, or ran, here; None where nothing readable says so."""
    try:
        stored = json.loads((folder / IDENTITY).read_bytes())
        return Identity(
            str(stored["boot_id"]), int(stored["pid"]), int(stored["start_time"]), str(stored["nonce"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def socket_path(folder: Path) -> Iterator[str]:
    """A path to the folder's socket that is short enough for a Unix address (108 bytes, unix(7))."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)
