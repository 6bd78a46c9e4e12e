"""The hub: whole packets and whole groups for everybody, at everybody's own speed."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffmpeg_.media import transport_stream
from peers import needs
from playout.waiting import eventually
from vistterstream.playout import hub as hub_module
from vistterstream.playout.hub import PACKET, GroupSplitter, Hub, Piece, Subscription

TABLES = {0, 0x1000}
LOW = 64_000  # bit/s; the hub keeps 1 MiB at least


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def stream() -> bytes:
    return transport_stream().read_bytes()


def packets(data: bytes) -> list[bytes]:
    assert len(data) % PACKET == 0, "whole packets only"
    found = [data[start : start + PACKET] for start in range(0, len(data), PACKET)]
    assert all(packet[0] == 0x47 for packet in found)
    return found


def pid(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def starts_group(packet: bytes) -> bool:
    return pid(packet) == 0x100 and packet[3] & 0x20 != 0 and packet[4] > 0 and packet[5] & 0x40 != 0


def without_tables(data: bytes) -> bytes:
    return b"".join(packet for packet in packets(data) if pid(packet) not in TABLES)


def groups(pieces: Sequence[Piece]) -> list[bytes]:
    """What lies between starts, tables left out; the first is what came before any group."""
    found = [b""]
    for piece in pieces:
        if piece.starts:
            found.append(b"")
        found[-1] += without_tables(piece.data)
    return found


def expected_groups(data: bytes) -> list[bytes]:
    found = [b""]
    for packet in packets(data):
        if starts_group(packet):
            found.append(b"")
        if pid(packet) not in TABLES:
            found[-1] += packet
    return found


def chunked(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:stop] for start, stop in pairwise(edges)]


CUTS = st.lists(st.integers(0, 10**7), max_size=30)


# --- cutting --------------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(CUTS)
def test_any_chunking_of_a_real_stream_gives_the_same_groups(cuts: list[int]) -> None:
    splitter = GroupSplitter()
    pieces = [piece for chunk in chunked(stream(), cuts) for piece in splitter.feed(chunk)]
    assert groups(pieces) == expected_groups(stream())
    assert len(groups(pieces)) == 9, "a key frame each half second of four, and what came before"


def test_a_stream_that_comes_byte_by_byte_is_cut_the_same() -> None:
    splitter = GroupSplitter()
    head = stream()[: PACKET * 60]
    pieces = [piece for byte in head for piece in splitter.feed(bytes([byte]))]
    assert groups(pieces) == expected_groups(head)


@settings(max_examples=20, deadline=None)
@given(CUTS)
def test_each_group_starts_with_the_tables_and_a_key_frame(cuts: list[int]) -> None:
    splitter = GroupSplitter()
    for chunk in chunked(stream(), cuts):
        for piece in splitter.feed(chunk):
            if piece.starts:
                first = packets(piece.data)[:3]
                assert [pid(packet) for packet in first] == [0, 0x1000, 0x100]
                assert starts_group(first[2])


def test_what_is_no_mpeg_ts_is_refused() -> None:
    with pytest.raises(ValueError, match="not aligned"):
        GroupSplitter().feed(b"\0" * PACKET)


def test_an_encoder_that_died_within_a_packet_does_not_spoil_its_successor() -> None:
    hub = Hub(LOW)
    hub.feed(stream()[: PACKET * 10 + 50])
    hub.restart()
    hub.feed(stream())
    assert hub.bytes == PACKET * 10 + 50 + len(stream())


# --- fanning out ----------------------------------------------------------------------------------------


def queued(subscription: Subscription) -> bytes:
    return b"".join(piece.data for piece in subscription._queue)


def test_a_newcomer_starts_at_once_with_the_group_in_progress() -> None:
    hub = Hub(LOW)
    data = stream()
    starts = [index for index, packet in enumerate(packets(data)) if starts_group(packet)]
    hub.feed(data[: (starts[2] + 5) * PACKET])
    newcomer = hub.subscribe()
    got = queued(newcomer)
    assert without_tables(got) == without_tables(data[starts[2] * PACKET : (starts[2] + 5) * PACKET])
    hub.feed(data[(starts[2] + 5) * PACKET :])
    assert without_tables(queued(newcomer)) == without_tables(data[starts[2] * PACKET :])


def test_a_newcomer_before_the_first_key_frame_waits_for_it() -> None:
    hub = Hub(LOW)
    data = stream()
    first = next(index for index, packet in enumerate(packets(data)) if starts_group(packet))
    hub.feed(data[: first * PACKET])
    newcomer = hub.subscribe()
    assert queued(newcomer) == b""
    hub.feed(data[first * PACKET :])
    assert without_tables(queued(newcomer)) == without_tables(data[first * PACKET :])


def test_who_has_left_gets_nothing_more() -> None:
    hub = Hub(LOW)
    subscription = hub.subscribe()
    hub.unsubscribe(subscription)
    hub.unsubscribe(subscription)
    hub.feed(stream())
    assert queued(subscription) == b""


def test_a_slow_one_loses_whole_groups_which_are_counted_and_the_others_lose_nothing() -> None:
    hub = Hub(LOW)
    slow, all_groups = hub.subscribe(), expected_groups(stream())[1:]
    fast = hub.subscribe()
    got_fast = b""
    rounds = 30
    for _ in range(rounds):
        hub.restart()
        for chunk in chunked(stream(), range(0, len(stream()), 3000)):
            hub.feed(chunk)
            while fast._queue:
                got_fast += fast._queue.popleft().data
            fast._queued = 0
    assert fast.dropped_groups == 0
    assert without_tables(got_fast).count(all_groups[3]) == rounds
    assert slow.dropped_groups > 0
    got_slow = queued(slow)
    assert len(got_slow) <= (1 << 20) + len(stream())
    kept = expected_groups(got_slow)[1:]
    # The preamble of the next round's stream follows the last group of a round.
    assert all(any(group.startswith(whole) for whole in all_groups) for group in kept[:-1])
    assert slow.dropped_groups + len(kept) == rounds * len(all_groups)


class Pipe:
    """A pipe whose far end is read as the test says."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.write_end, False)
        os.set_blocking(self.read_end, False)
        self.got = b""

    def read(self, most: int = 1 << 20) -> int:
        try:
            data = os.read(self.read_end, most)
        except BlockingIOError:
            return 0
        self.got += data
        return len(data)

    def close(self) -> None:
        for descriptor in (self.read_end, self.write_end):
            try:
                os.close(descriptor)
            except OSError:
                continue


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 40_000)), min_size=5, max_size=40))
def test_whoever_reads_at_whatever_speed_gets_whole_packets_and_whole_groups(
    turns: list[tuple[int, int]],
) -> None:
    """Each turn feeds so many groups' worth and reads so many bytes; the queue holds two groups."""

    async def play() -> tuple[bytes, int]:
        with pytest.MonkeyPatch.context() as patch:
            hub = Hub(LOW)
            patch.setattr(hub, "_limit", 40_000)
            subscription, pipe = hub.subscribe(), Pipe()
            data, at = stream() * 2, 0
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(subscription.write, pipe.write_end)
                    for amount, most in turns:
                        hub.feed(data[at : at + amount * 4096])
                        at += amount * 4096
                        for _ in range(3):
                            await anyio.lowlevel.checkpoint()
                        if most:
                            pipe.read(most)
                    with anyio.fail_after(10):
                        while subscription._queue:
                            pipe.read()
                            await anyio.sleep(0.001)
                    while pipe.read():
                        pass
                    tasks.cancel_scope.cancel()
            finally:
                pipe.close()
            return pipe.got, subscription.dropped_groups

    got, dropped = anyio.run(play)
    found = expected_groups(got)
    if not got:
        return
    assert found[0] == b"", "it starts with a group"
    whole = expected_groups(stream())[1:]
    tail = expected_groups(stream())[0]
    for group in found[1:-1]:
        # The piece at the head may have been begun when the queue was given up: it is finished, no more.
        assert any(group in (one, one + tail) or one.startswith(group) for one in whole)
        if not dropped:
            assert any(group in (one, one + tail) for one in whole)


@pytest.mark.anyio
async def test_a_pipe_that_breaks_ends_the_writing() -> None:
    hub, pipe = Hub(LOW), Pipe()
    subscription = hub.subscribe()
    try:
        os.close(pipe.read_end)
        hub.feed(stream())
        with anyio.fail_after(5):
            await subscription.write(pipe.write_end)
    finally:
        pipe.close()


@pytest.mark.anyio
async def test_bytes_are_counted_when_they_are_taken() -> None:
    hub, pipe = Hub(LOW), Pipe()
    subscription = hub.subscribe()
    try:
        hub.feed(stream()[: PACKET * 40])
        assert subscription.bytes == 0
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(subscription.write, pipe.write_end)
            await eventually(lambda: not subscription._queue)
            tasks.cancel_scope.cancel()
        pipe.read()
        assert subscription.bytes == len(pipe.got) > 0
    finally:
        pipe.close()


def test_being_blocked_is_measured_from_when_something_could_have_been_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = time.monotonic()
    monkeypatch.setattr("vistterstream.playout.hub.time.monotonic", lambda: now)
    hub = Hub(LOW)
    subscription = hub.subscribe()
    assert subscription.blocked_for(now + 100) == 0.0, "nothing waits"
    now += 100  # an encoder that comes back after a long time
    hub.feed(stream())
    assert subscription.blocked_for(now) == 0.0
    assert subscription.blocked_for(now + 9) == pytest.approx(9)


def test_a_queue_that_is_given_up_while_its_writer_wakes_does_no_harm() -> None:
    async def play() -> None:
        hub, pipe = Hub(LOW), Pipe()
        hub._limit = 10_000
        subscription = hub.subscribe()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(subscription.write, pipe.write_end)
                await anyio.lowlevel.checkpoint()
                await anyio.lowlevel.checkpoint()
                subscription.offer(Piece(b"x" * PACKET, starts=True))
                subscription.offer(Piece(b"x" * 20_000, starts=False))
                assert not subscription._queue
                for _ in range(3):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
        finally:
            pipe.close()

    anyio.run(play)


def test_a_group_that_never_ends_is_not_kept_for_newcomers_without_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_module, "_MAX_GROUP", 100_000)
    hub = Hub(LOW)
    data = stream()
    starts = [index for index, packet in enumerate(packets(data)) if starts_group(packet)]
    hub.feed(data[: (starts[0] + 1) * PACKET])
    for _ in range(50):
        hub.feed(data[(starts[0] + 1) * PACKET : starts[1] * PACKET])
    assert hub._group_size < 100_000 + len(data)


def test_a_real_ffmpeg_that_joins_late_reads_the_stream_from_its_first_key_frame(tmp_path: Path) -> None:
    hub = Hub(LOW)
    data = stream()
    starts = [index for index, packet in enumerate(packets(data)) if starts_group(packet)]
    hub.feed(data[: (starts[3] + 7) * PACKET])
    late = hub.subscribe()
    hub.feed(data[(starts[3] + 7) * PACKET :])
    file = tmp_path / "late.ts"
    file.write_bytes(queued(late))
    command = [needs.ffmpeg(), "-hide_banner", "-nostats", "-nostdin", "-loglevel", "level+info"]
    done = subprocess.run(
        [*command, "-i", str(file), "-f", "null", "-"], capture_output=True, text=True, timeout=30, check=True
    )
    assert not re.search(r"\[(error|fatal)\]", done.stderr), done.stderr
    assert re.findall(r"frame= *(\d+)", done.stderr)[-1] == "36", "60 pictures less three groups of eight"
