"""An FFmpeg process that ordinary, not asynchronous code drives: for rendering offline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import anyio

from vistterstream.ffmpeg.failures import Failure, explain
from vistterstream.ffmpeg.processes import Child


class Tool:
    """A running process whose stderr a thread reads; `take` is told each line, and keeps it out of the last
    ones by giving True. Raises TemporaryError where it cannot be started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        role: str,
        environment: Mapping[str, str],
        stdin: bool = False,
        stdout: bool = False,
        pass_fds: Sequence[int] = (),
        take: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.child = Child.spawn(
            argv, role=role, environment=environment, stdin=stdin, stdout=stdout, pass_fds=pass_fds
        )
        self._listener = threading.Thread(
            target=anyio.run, args=(self.child.read_lines, take), name=f"{role} says", daemon=True
        )
        self._listener.start()

    def wait(self) -> Failure:
        """Wait for its end, however long that takes; how it ended. Its reason is "Ended" if well."""
        status = anyio.run(self.child.wait)
        self._listener.join()
        return explain(status, self.child.last_lines)

    def end(self) -> None:
        """End it if it still runs."""
        if self.child.status is None:
            anyio.run(partial(self.child.stop, grace=0.0))

    def close(self) -> None:
        """End it if it still runs, and let go of it."""
        self.end()
        self._listener.join()
        self.child.close()
