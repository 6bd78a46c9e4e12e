"""Child processes: one way to start one, read what it says, wait for it and end it.

A `Child` runs in a process group of its own, so that a Ctrl-C on the terminal reaches the program alone,
which then ends its children in order. What it writes to stderr is read through a bounded reader. It is
waited for by pidfd: no thread, no signal handler, and never a wrong process.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO

import anyio

from vistterstream.base.errors import TemporaryError
from vistterstream.base.redaction import redact

# glibc's malloc gives a freed picture back to the kernel, and FFmpeg allocates one for each frame: 30 to 130
# page faults a frame of 720p, and about 0.2 ms (docs/decisions/0020). See mallopt(3).
_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(64 << 20), "MALLOC_TRIM_THRESHOLD_": str(64 << 20)}
_LINE_LIMIT = 4096
_KEPT_LINES = 20
PIPE_SIZE = 1 << 20
"""Bytes that a pipe with pictures holds; the most that an ordinary user gets (pipe(7))."""


class LineReader:
    """Cuts a stream of bytes into lines of at most 4096 bytes; what is longer loses its rest.

    FFmpeg ends some lines with a carriage return; that counts as an end too.
    """

    def __init__(self) -> None:
        self._partial = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """The lines completed by `data`, decoded, without their ends; empty ones left out."""
        *complete, rest = data.replace(b"\r", b"\n").split(b"\n")
        lines: list[str] = []
        for piece in complete:
            self._extend(piece)
            if self._partial:
                lines.append(self._partial.decode("utf-8", "replace"))
                self._partial.clear()
        self._extend(rest)
        return lines

    def _extend(self, piece: bytes) -> None:
        self._partial += piece[: max(0, _LINE_LIMIT - len(self._partial))]


class Child:
    """A running child process. `stdin` and `stdout` are the parent's ends of its pipes, or None."""

    def __init__(self, process: subprocess.Popen[bytes], role: str) -> None:
        self._process = process
        self._pidfd = os.pidfd_open(process.pid)
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self.role = role
        self.pid = process.pid

    @classmethod
    def spawn(
        cls,
        argv: Sequence[str],
        *,
        role: str,
        environment: Mapping[str, str],
        stdin: bool = False,
        stdout: bool = False,
        pass_fds: Sequence[int] = (),
    ) -> Child:
        """Start `argv`; pipes for stdin and stdout where asked, /dev/null otherwise, always for stderr.

        The child is an ordinary process; a real-time priority of this thread is for itself. Raises
        TemporaryError where the process cannot be started.
        """
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE if stdout else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=pass_fds,
                process_group=0,
                env={**_KEEP_MEMORY, **environment},
            )
        except OSError as error:
            raise TemporaryError(
                f"{role}: {argv[0]} cannot be started: {error.strerror}.", delay=5, reason="CannotStart"
            ) from error
        _be_ordinary(process.pid)
        return cls(process, role)

    @property
    def stdin(self) -> IO[bytes] | None:
        """Our end of its standard input."""
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes] | None:
        """Our end of its standard output."""
        return self._process.stdout

    @property
    def command(self) -> str:
        """Its command line, redacted."""
        argv = self._process.args
        assert isinstance(argv, (list, tuple))
        return shlex.join(redact(str(part)) for part in argv)  # before quoting, which may split a secret

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The last lines it said on stderr, redacted."""
        return tuple(self._lines)

    @property
    def status(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    async def read_lines(self, take: Callable[[str], bool]) -> None:
        """Read stderr to its end. A line for which `take` gives False is kept among the last lines."""
        assert self._process.stderr is not None
        descriptor = self._process.stderr.fileno()
        os.set_blocking(descriptor, False)
        reader = LineReader()
        while True:
            await anyio.wait_readable(descriptor)
            try:
                data = os.read(descriptor, 65536)
            except BlockingIOError:
                continue
            if not data:
                return
            for line in reader.feed(data):
                if not take(line):
                    self._lines.append(redact(line))

    async def wait(self) -> int:
        """Wait until it has ended; its status (negative for a signal). Any number of tasks may wait."""
        while (status := self._process.poll()) is None:
            descriptor = os.dup(self._pidfd)  # a descriptor has one waiter at most
            try:
                await anyio.wait_readable(descriptor)
            finally:
                os.close(descriptor)
        return status

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, to exactly this process; nothing happens when it has ended."""
        if self._process.poll() is None:
            self._process.send_signal(number)

    async def stop(self, *, grace: float, close_stdin: bool = False) -> int:
        """End it: stdin closed or SIGTERM, after `grace` seconds SIGTERM, after one more second SIGKILL.

        Shielded, so that a cancelled caller does not cut off a muxer that writes its trailer; it always
        ends, since SIGKILL comes at a known time. Gives the exit status.
        """
        with anyio.CancelScope(shield=True):
            if close_stdin and self._process.stdin is not None:
                self._process.stdin.close()
            else:
                self.signal(signal.SIGTERM)
            for patience, last in ((grace, signal.SIGTERM), (1.0, signal.SIGKILL)):
                with anyio.move_on_after(patience) as scope:
                    await self.wait()
                if scope.cancelled_caught:
                    self.signal(last)
        return await self.wait()

    def close(self) -> None:
        """Let go of every descriptor; the process must have ended."""
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1


def _be_ordinary(pid: int) -> None:
    """Take from a process that was just started the real-time priority that it has from this thread.

    Not asked of the kernel beforehand (SCHED_RESET_ON_FORK): until the child runs its program this thread
    waits with Python's lock in its hand (vfork(2)), on a busy machine as long as whatever is ordinary waits.
    """
    if os.sched_getscheduler(0) == os.SCHED_OTHER:
        return
    seen: set[str] = set()
    while new := set(_tasks(pid)) - seen:  # a thread that was not ordinary yet may have started others
        for task in new:
            with suppress(OSError):  # it has ended
                os.sched_setscheduler(int(task), os.SCHED_OTHER, os.sched_param(0))
        seen |= new


def _tasks(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def enlarge_pipe(descriptor: int, size: int = PIPE_SIZE) -> int:
    """Ask for a pipe buffer of `size` bytes (F_SETPIPE_SZ); the size that the kernel gave.

    A raw picture then goes through with few switches between the processes. An ordinary user may have
    64 MiB of such buffers in all (pipe(7)); beyond that the default of 64 KiB stays.
    """
    try:
        return fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, size)
    except OSError:
        return fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
