"""A playout as a process: its engine and its socket, from the plan in its folder until it is to stop."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import anyio

from vistterstream.base import logs
from vistterstream.base.errors import VistterError
from vistterstream.playout.engine import Engine
from vistterstream.playout.files import LOG, SOCKET, Identity, write_identity
from vistterstream.playout.server import serve
from vistterstream.playout.sweep import sweep

_log = logs.get("playout")


def run(folder: Path) -> int:
    """Be the playout of `folder`, whose lock is held; the exit status."""
    logs.configure(stream=logs.RotatingFile(folder / LOG))
    try:
        anyio.run(_run, folder)
    except VistterError as error:
        _log.error("the playout cannot run", reason=error.reason, message=error.message)
        return 1
    except Exception:  # the process's edge: what nobody foresaw is logged, redacted
        _log.exception("the playout failed")
        return 1
    return 0


def refuse(folder: Path) -> int:
    """Say that another one runs in `folder`; the exit status."""
    logs.configure(stream=logs.RotatingFile(folder / LOG))
    _log.error("a playout already runs here", folder=str(folder))
    return 3


async def _run(folder: Path) -> None:
    await sweep(folder)
    engine = Engine(folder, environment=os.environ)
    identity = Identity.of_this_process()

    async with anyio.create_task_group() as tasks:

        def on_air() -> None:
            write_identity(folder, identity)
            tasks.start_soon(serve, folder, engine, identity)
            _log.info("on air", program=engine.plan.program, pid=identity.pid)

        tasks.start_soon(_stop_on_signal, engine)
        await engine.run(on_air)
        tasks.cancel_scope.cancel()
    (folder / SOCKET).unlink(missing_ok=True)
    _log.info("off air", program=engine.plan.program)


async def _stop_on_signal(engine: Engine) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            engine.stop()
