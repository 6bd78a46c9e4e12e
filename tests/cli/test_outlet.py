from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from peers.waiting import until
from vistterstream.cli import outlet
from vistterstream.cli.outlet import LIMIT, Outlet


@contextmanager
def piped() -> Iterator[tuple[Outlet, int]]:
    """An outlet onto a pipe, and the pipe's other end; its thread ends with it."""
    reading, writing = os.pipe()
    stream = Outlet(writing, "test")
    try:
        yield stream, reading
    finally:
        stream.close()
        os.close(reading)  # who still writes gets an error
        until(lambda: not any(t.name == "outlet-test" for t in threading.enumerate()), 5, "the thread ends")
        os.close(writing)


def fill(stream: Outlet) -> int:
    """Write more than the pipe and the outlet hold; how many lines."""
    count = 2 * LIMIT // 1000
    for number in range(count):
        stream.write(f"{number:999}\n")
    return count


def test_what_is_written_comes_out_in_order() -> None:
    with piped() as (stream, reading):
        for number in range(100):
            stream.write(f"{number}\n")
        assert stream.settle(5)
        assert os.read(reading, 65536).split() == [b"%d" % number for number in range(100)]


def test_nobody_waits_for_a_pipe_that_takes_nothing_and_what_was_lost_is_told() -> None:
    with piped() as (stream, reading):
        count = fill(stream)
        assert not stream.settle(0.05)
        found = b""
        while b"lost" not in found:
            found += os.read(reading, 65536)
        kept, told = found.splitlines()[:-1], found.splitlines()[-1]
        assert [int(line) for line in kept] == list(range(len(kept)))
        assert told == b"(%d lines were lost: nobody took them.)" % (count - len(kept))
        stream.write("again\n")
        assert stream.settle(5)
        assert os.read(reading, 65536) == b"again\n"


def test_a_stream_that_somebody_made_non_blocking_gets_everything() -> None:
    with piped() as (stream, reading):
        os.set_blocking(stream.fileno(), False)
        written = b"x" * (LIMIT // 2)
        stream.write(written.decode())
        found = b""
        while len(found) < len(written):
            found += os.read(reading, 65536)
        assert found == written


def test_nobody_has_to_read() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = Outlet(writing, "test")
    stream.write("hello\n")
    assert stream.settle(5)
    stream.close()
    until(lambda: not any(t.name == "outlet-test" for t in threading.enumerate()), 5, "the thread ends")
    os.close(writing)


def test_settling_needs_no_outlets() -> None:
    outlet.settle(0)
