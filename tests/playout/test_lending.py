"""Pictures lent to a pipe come out whole, and are not used again before."""

from __future__ import annotations

import ctypes
import errno
import os
import threading
from collections.abc import Iterator

import pytest

from peers.waiting import until
from vistterstream.ffmpeg.processes import PIPE_SIZE, enlarge_pipe
from vistterstream.playout import lending
from vistterstream.playout.frames import Frame, FramePool
from vistterstream.playout.lending import PicturePipe, most_lent

WIDTH, HEIGHT = 640, 480  # above the size from which pictures are lent
SIZE = WIDTH * HEIGHT * 3 // 2


class Ends:
    """Both ends of a pipe, with what has been given back."""

    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        enlarge_pipe(self.write)
        self.back: list[Frame] = []
        self.pipe = PicturePipe(self.write, self.back.append)

    def take(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = os.read(self.read, size - len(data))
            assert piece
            data += piece
        return data

    def close(self) -> None:
        for descriptor in (self.read, self.write):
            try:
                os.close(descriptor)
            except OSError:
                continue


@pytest.fixture
def ends() -> Iterator[Ends]:
    found = Ends()
    yield found
    found.close()


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> Frame:
    frame = Frame(width, height)
    frame.fill((number, number, number))
    return frame


def test_a_picture_is_given_back_when_it_has_been_read_and_not_before(ends: Ends) -> None:
    first, second, third = (picture(number) for number in (1, 2, 3))
    ends.pipe.write(first)
    ends.pipe.write(second)
    assert ends.back == [], "both are in the pipe"
    assert ends.take(SIZE) == bytes([1]) * SIZE
    ends.pipe.write(third)
    assert ends.back == [first]
    assert ends.take(2 * SIZE) == bytes([2]) * SIZE + bytes([3]) * SIZE
    ends.pipe.take_back()
    assert ends.back == [first, second, third]


def test_the_pipe_holds_the_picture_itself(ends: Ends) -> None:
    frame = picture(7)
    ends.pipe.write(frame)
    frame.fill((9, 9, 9))
    assert ends.take(SIZE) == bytes([9]) * SIZE, "what is written into a lent picture is what comes out"


def test_a_picture_that_is_larger_than_the_pipe_goes_through_in_parts(ends: Ends) -> None:
    frame = picture(5, 1920, 1080)
    size = len(frame.buffer)
    assert size > PIPE_SIZE
    thread = threading.Thread(target=ends.pipe.write, args=(frame,))
    thread.start()
    assert ends.take(size) == bytes([5]) * size
    thread.join(10)
    assert not thread.is_alive()
    ends.pipe.write(picture(6))
    assert ends.back == [frame]


def test_small_pictures_are_copied_and_given_back_at_once(ends: Ends) -> None:
    frame = picture(3, 64, 64)
    ends.pipe.write(frame)
    assert ends.back == [frame]
    assert ends.take(len(frame.buffer)) == bytes([3]) * len(frame.buffer)


def test_where_the_kernel_does_not_lend_pictures_are_copied(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        ctypes.set_errno(errno.ENOSYS)
        return -1

    monkeypatch.setattr(lending._libc, "vmsplice", refused)
    first, second = picture(1), picture(2)
    ends.pipe.write(first)
    ends.pipe.write(second)
    assert second in ends.back
    assert ends.take(2 * SIZE) == bytes([1]) * SIZE + bytes([2]) * SIZE
    ends.pipe.write(picture(4, 64, 64))
    assert first in ends.back


def test_a_pipe_that_nobody_reads_is_an_error_and_everything_comes_back(ends: Ends) -> None:
    frame = picture(1)
    os.close(ends.read)
    with pytest.raises(BrokenPipeError):
        ends.pipe.write(frame)
    ends.pipe.take_back()
    assert ends.back == [frame]


def test_no_more_pictures_are_lent_than_was_said(ends: Ends) -> None:
    pool = FramePool(WIDTH, HEIGHT, most_lent(SIZE, PIPE_SIZE) + 1)
    ends.pipe = PicturePipe(ends.write, pool.give)
    taken = 0

    def read_all() -> None:
        nonlocal taken
        while piece := os.read(ends.read, 1 << 16):
            taken += len(piece)

    reader = threading.Thread(target=read_all)
    reader.start()
    for _ in range(200):
        frame = pool.take()
        assert frame is not None, "there is always one"
        ends.pipe.write(frame)
    until(lambda: taken == 200 * SIZE, 20, "all is read")
    ends.pipe.take_back()
    assert pool.free == pool.count
    os.close(ends.write)
    reader.join(10)
