"""Raw pictures into a pipe without copying them: their pages are lent to it (vmsplice(2)).

A picture that is lent must stay as it is until the reader has taken it out of the pipe: how far the reader
is, is known from the bytes that still wait (FIONREAD). Where the kernel does not lend, pictures are copied.
"""

from __future__ import annotations

import array
import ctypes
import errno
import fcntl
import os
import termios
from collections import deque
from collections.abc import Callable

from vistterstream.playout.frames import Frame

_WORTH_IT = 256 << 10  # bytes; smaller pictures are copied, or very many would be lent at once
_NOT_HERE = (errno.ENOSYS, errno.EPERM, errno.EINVAL, errno.EACCES)
_libc = ctypes.CDLL(None, use_errno=True)


class _IoVec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def most_lent(picture: int, pipe: int) -> int:
    """How many pictures of that size in bytes a pipe of that size can hold on to at once."""
    return 0 if picture < _WORTH_IT else pipe // picture + 2  # the first and the last in part


class PicturePipe:
    """The writing end of a blocking pipe. For one thread; `take_back` may be called by another once that has
    ended.
    """

    def __init__(self, descriptor: int, give: Callable[[Frame], None]) -> None:
        """`give` gets each picture back when the reader has taken it."""
        self._descriptor = descriptor
        self._give = give
        self._lent: deque[tuple[int, Frame]] = deque()  # and where it ends, in bytes from the start
        self._written = 0
        self._copies = False
        self._waiting = array.array("i", [0])

    def write(self, frame: Frame) -> None:
        """Write a picture, which this has from now on; waits for room. Raises OSError where nobody reads."""
        if self._copies or len(frame.buffer) < _WORTH_IT:
            try:
                self._copy(frame.buffer)
            finally:
                self._give(frame)
        else:
            self._lent.append((self._written + len(frame.buffer), frame))
            self._lend(frame)
        self._reclaim()

    def take_back(self) -> None:
        """Give back everything: nobody reads any more."""
        while self._lent:
            self._give(self._lent.popleft()[1])

    def _reclaim(self) -> None:
        if not self._lent:
            return
        fcntl.ioctl(self._descriptor, termios.FIONREAD, self._waiting)
        taken = self._written - self._waiting[0]
        while self._lent and self._lent[0][0] <= taken:
            self._give(self._lent.popleft()[1])

    def _lend(self, frame: Frame) -> None:
        address, left = frame.data.ctypes.data, len(frame.buffer)
        while left:
            part = _IoVec(address, left)
            count = _libc.vmsplice(self._descriptor, ctypes.byref(part), 1, 0)
            if count < 0:
                number = ctypes.get_errno()
                if number in _NOT_HERE:
                    self._copies = True
                    self._copy(frame.buffer[len(frame.buffer) - left :])
                    return
                if number != errno.EINTR:
                    raise OSError(number, os.strerror(number))
                continue
            address, left, self._written = address + count, left - count, self._written + count

    def _copy(self, data: memoryview) -> None:
        while data:
            count = os.write(self._descriptor, data)
            data, self._written = data[count:], self._written + count
