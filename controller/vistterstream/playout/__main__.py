"""``python -m vistterstream.playout FOLDER``: run the playout of that folder until it is asked to stop.

It needs no controller: everything it does stands in the folder. SIGTERM and SIGINT stop it in order.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from pathlib import Path

import anyio

from vistterstream.base import logs
from vistterstream.base.errors import VistterError
from vistterstream.playout.engine import Engine
from vistterstream.playout.files import LOCK, LOG, SOCKET, Identity, write_identity
from vistterstream.playout.server import serve
from vistterstream.playout.sweep import sweep

_SWITCH_INTERVAL = 0.0005  # seconds; the clock must not wait 5 ms for Python's lock
_log = logs.get("playout")


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


def main() -> int:
    """Run; the exit status."""
    folder = Path(sys.argv[1]).absolute()
    logs.configure(stream=logs.RotatingFile(folder / LOG))
    sys.setswitchinterval(_SWITCH_INTERVAL)
    with (folder / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _log.error("a playout already runs here", folder=str(folder))
            return 3
        try:
            anyio.run(_run, folder)
        except VistterError as error:
            _log.error("the playout cannot run", reason=error.reason, message=error.message)
            return 1
        except Exception:  # the process's edge: what nobody foresaw is logged, redacted
            _log.exception("the playout failed")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
