"""Processor time and memory of processes, from /proc (proc_pid_stat(5)); and keeping a core busy."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from peers import needs

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time that these processes, and the children they have waited for, have used; s."""
    return sum(map(_cpu, pids))


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / _TICK


def resident(pid: int) -> float:
    """Resident memory of a process in MB (10^6 bytes)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


@contextlib.contextmanager
def encoding_beside() -> Iterator[None]:
    """Encode 1080p60 with x264 on one core all the while; this process has another, where there are two."""
    cores = os.sched_getaffinity(0)
    theirs = {min(cores)}
    command = [needs.ffmpeg(), "-hide_banner", "-nostdin", "-loglevel", "error"]
    command += ["-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=60,noise=alls=8:allf=t,format=yuv420p"]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "6M", "-f", "null", "-"]
    try:
        os.sched_setaffinity(0, theirs)  # what is started has it, and all its threads
        encoder = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        os.sched_setaffinity(0, cores - theirs or cores)
        try:
            yield
            if encoder.poll() is not None:
                raise RuntimeError(f"the encoder beside ended with status {encoder.returncode}")
        finally:
            encoder.kill()
            encoder.wait()
    finally:
        os.sched_setaffinity(0, cores)
