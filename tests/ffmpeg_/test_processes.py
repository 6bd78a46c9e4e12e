"""Child processes: started in a group of their own, read within bounds, and always ended."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.base.errors import TemporaryError
from vistterstream.base.processes import start_time
from vistterstream.base.redaction import redact
from vistterstream.ffmpeg.processes import Child, LineReader, enlarge_pipe

STUBBORN = "trap '' TERM; echo ready >&2; while :; do sleep 0.05; done"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


# --- lines ----------------------------------------------------------------------------------------------


LINES = st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), min_size=1, max_size=50))


@pytest.mark.slow
@given(LINES, st.sampled_from(["\n", "\r", "\r\n"]), st.data())
def test_any_chunking_gives_the_same_lines(lines: list[str], end: str, data: st.DataObject) -> None:
    stream = "".join(line + end for line in lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    reader = LineReader()
    found: list[str] = []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += reader.feed(stream[start:stop])
    assert found == lines


def test_a_line_without_end_is_bounded_and_the_next_one_is_whole() -> None:
    reader = LineReader()
    for _ in range(256):
        assert reader.feed(b"x" * 4096) == []
    assert reader.feed(b"tail\nnext\n") == ["x" * 4096, "next"]
    assert sys.getsizeof(reader._partial) < 20_000


def test_a_line_is_cut_at_the_same_place_however_it_comes() -> None:
    line = b"".join(b"%04d" % number for number in range(2000))
    for size in (1, 7, 4095, 4096, 4097, 100_000):
        reader = LineReader()
        found: list[str] = []
        for start in range(0, len(line), size):
            found += reader.feed(line[start : start + size])
        assert found + reader.feed(b"\n") == [line[:4096].decode()]


def test_what_is_no_text_does_not_hurt() -> None:
    assert LineReader().feed(b"\xff\xfe caf\xc3\n") == ["\ufffd\ufffd caf\ufffd"]


# --- processes ------------------------------------------------------------------------------------------


def shell(script: str, *, stdin: bool = False, stdout: bool = False) -> Child:
    argv = ["/bin/sh", "-c", script]
    return Child.spawn(argv, role="test", environment=os.environ, stdin=stdin, stdout=stdout)


@asynccontextmanager
async def running(child: Child) -> AsyncIterator[Child]:
    """End it whatever happens."""
    try:
        yield child
    finally:
        child.signal(signal.SIGKILL)
        await child.wait()
        child.close()


async def until_it_says(child: Child, word: str) -> list[str]:
    """Read its lines until one is `word`; all of them."""
    found: list[str] = []
    with anyio.move_on_after(10) as limit:
        async with anyio.create_task_group() as tasks:

            def take(line: str) -> bool:
                found.append(line)
                if line == word:
                    tasks.cancel_scope.cancel()
                return True

            tasks.start_soon(child.read_lines, take)
    assert not limit.cancelled_caught, f"it said {found}"
    return found


@pytest.mark.anyio
async def test_a_child_ends_with_its_status_and_its_last_words() -> None:
    async with running(shell("echo one >&2; echo two >&2; exit 3")) as child:
        await child.read_lines(lambda line: line == "one")
        assert await child.wait() == 3
        assert (child.status, child.last_lines) == (3, ("two",))


@pytest.mark.anyio
async def test_only_the_last_twenty_lines_are_kept() -> None:
    async with running(shell("seq 1 100 >&2")) as child:
        await child.read_lines(lambda line: False)
        assert child.last_lines == tuple(str(number) for number in range(81, 101))


@pytest.mark.anyio
async def test_a_megabyte_without_a_line_end_does_not_hurt() -> None:
    script = "head -c 1000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo end >&2"
    async with running(shell(script)) as child:
        await child.read_lines(lambda line: False)
        assert child.last_lines == ("x" * 4096, "end")


@pytest.mark.anyio
async def test_what_it_says_and_how_it_was_called_is_redacted() -> None:
    redact.learn(["it's-a\"secret"])
    url = "rtmp://host/live/it's-a\"secret"
    argv = ["/bin/sh", "-c", 'echo "cannot open $1" >&2', "sh", url]
    async with running(Child.spawn(argv, role="test", environment=os.environ)) as child:
        await child.read_lines(lambda line: False)
        assert child.last_lines == ("cannot open rtmp://host/live/***",)
        assert "rtmp://host/live/***" in child.command
        assert "secret" not in child.command


@pytest.mark.anyio
async def test_it_runs_in_a_group_of_its_own_with_nothing_on_stdin_and_stdout() -> None:
    async with running(shell("sleep 60")) as child:
        assert os.getpgid(child.pid) == child.pid != os.getpgid(0)
        assert [os.readlink(f"/proc/{child.pid}/fd/{number}") for number in (0, 1)] == ["/dev/null"] * 2
        assert (child.stdin, child.stdout) == (None, None)


@pytest.mark.anyio
async def test_it_gets_no_descriptor_but_those_it_is_given() -> None:
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)
    try:
        argv = ["/bin/sh", "-c", "ls /proc/self/fd | tr '\\n' ' ' >&2; echo >&2"]
        child = Child.spawn(argv, role="test", environment=os.environ, pass_fds=[read_end])
        async with running(child):
            await child.read_lines(lambda line: False)
            numbers = {int(word) for word in child.last_lines[0].split()}
    finally:
        os.close(read_end)
        os.close(write_end)
    assert read_end in numbers
    assert write_end not in numbers


@pytest.mark.anyio
async def test_pipes_are_there_where_they_were_asked_for() -> None:
    async with running(shell("cat", stdin=True, stdout=True)) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"through")
        child.stdin.close()
        await anyio.wait_readable(child.stdout.fileno())
        assert os.read(child.stdout.fileno(), 100) == b"through"
        assert await child.wait() == 0


def test_a_program_that_does_not_exist_is_an_error_that_is_tried_again() -> None:
    with pytest.raises(TemporaryError, match="/nowhere/ffmpeg cannot be started") as caught:
        Child.spawn(["/nowhere/ffmpeg"], role="ingest a", environment={})
    assert caught.value.reason == "CannotStart"


@pytest.mark.anyio
async def test_many_may_wait_for_one_child() -> None:
    statuses: list[int] = []

    async def wait(child: Child) -> None:
        statuses.append(await child.wait())

    async with running(shell("sleep 0.2; exit 5")) as child:
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(wait, child)
        assert statuses == [5, 5, 5]
        assert await child.wait() == 5, "also after its end"


# --- stopping -------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_child_is_asked_to_end_and_may_end_well() -> None:
    async with running(shell("trap 'exit 7' TERM; echo ready >&2; while :; do sleep 0.02; done")) as child:
        await until_it_says(child, "ready")
        assert await child.stop(grace=5) == 7


@pytest.mark.anyio
async def test_a_child_that_reads_to_the_end_of_its_input_is_let_finish() -> None:
    async with running(shell("trap '' TERM; cat >/dev/null; sleep 0.2; exit 9", stdin=True)) as child:
        assert await child.stop(grace=5, close_stdin=True) == 9


@pytest.mark.e2e
@pytest.mark.anyio
async def test_a_child_that_does_not_listen_is_killed_at_the_deadline() -> None:
    async with running(shell(STUBBORN)) as child:
        await until_it_says(child, "ready")
        started = time.monotonic()
        assert await child.stop(grace=0.2) == -signal.SIGKILL
        assert 1.1 < time.monotonic() - started < 3


@pytest.mark.anyio
@pytest.mark.slow
async def test_a_frozen_child_is_killed_at_the_deadline() -> None:
    async with running(shell("echo ready >&2; sleep 60", stdin=True)) as child:
        await until_it_says(child, "ready")
        child.signal(signal.SIGSTOP)
        assert await child.stop(grace=0.1, close_stdin=True) in (-signal.SIGKILL, -signal.SIGTERM)


@pytest.mark.anyio
async def test_a_cancelled_caller_does_not_cut_the_end_short(tmp_path: Path) -> None:
    trailer = tmp_path / "trailer"
    script = (
        f"trap 'sleep 0.3; echo end > {trailer}; exit 0' TERM; echo ready >&2; while :; do sleep 0.02; done"
    )
    async with running(shell(script)) as child:
        await until_it_says(child, "ready")
        with anyio.CancelScope() as scope:
            scope.cancel()
            await child.stop(grace=5)
        assert trailer.read_text() == "end\n"
        assert child.status == 0


@pytest.mark.anyio
async def test_stopping_what_has_ended_gives_its_status() -> None:
    async with running(shell("exit 4")) as child:
        await child.wait()
        assert await child.stop(grace=5) == 4
        child.signal(signal.SIGKILL)  # does nothing
        assert child.status == 4


@pytest.mark.anyio
async def test_closing_leaves_no_descriptor_and_no_zombie() -> None:
    before = set(os.listdir("/proc/self/fd"))
    child = shell("exit 0", stdin=True, stdout=True)
    await child.wait()
    child.close()
    child.close()  # twice is as good as once
    assert set(os.listdir("/proc/self/fd")) <= before
    assert start_time(child.pid) is None
    assert not os.access(f"/proc/{child.pid}", os.F_OK)


def test_a_pipe_is_made_larger_where_that_is_allowed() -> None:
    read_end, write_end = os.pipe()
    try:
        size = enlarge_pipe(write_end)
        assert size == fcntl.fcntl(read_end, fcntl.F_GETPIPE_SZ)
        assert size >= 65536
        file = os.open("/dev/null", os.O_WRONLY)
        with pytest.raises(OSError, match="Bad file"):
            enlarge_pipe(file)  # not a pipe at all
        os.close(file)
    finally:
        os.close(read_end)
        os.close(write_end)
