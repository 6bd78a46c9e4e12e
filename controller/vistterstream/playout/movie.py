"""Writes frames made offline: a movie through FFmpeg, or one frame as a PNG.

A file appears under its name when it is whole: until then it is a hidden file beside it, which is gone again
when something goes wrong.
"""

from __future__ import annotations

import contextlib
import io
import os
import queue
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from vistterstream.base.errors import PermanentError
from vistterstream.base.files import write_atomic
from vistterstream.ffmpeg import commands
from vistterstream.ffmpeg.failures import Failure
from vistterstream.ffmpeg.processes import PIPE_SIZE, enlarge_pipe
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.playout.lending import PicturePipe, most_lent
from vistterstream.playout.offline import Offline
from vistterstream.playout.tool import Tool
from vistterstream.resources.program import Format

_WAITING = 6  # pictures at least that may wait for the encoder
_WAITING_SECONDS = 0.25  # and seconds; FFmpeg reads sound in pieces of up to a tenth of a second

_TO_RGB = np.array(  # BT.709-6, items 3.2 to 3.5 solved for R, G and B; limited range
    [
        [255 / 219, 0.0, 1.5748 * 255 / 224],
        [255 / 219, -0.0722 * 1.8556 / 0.7152 * 255 / 224, -0.2126 * 1.5748 / 0.7152 * 255 / 224],
        [255 / 219, 1.8556 * 255 / 224, 0.0],
    ],
    np.float32,
)


def to_rgb(frame: Frame) -> Bytes:
    """The picture as (height, width, 3) uint8 RGB; chroma is interpolated between its samples."""
    size = (frame.width, frame.height)
    u, v = (
        cv2.resize(plane.astype(np.float32) - 128, size, interpolation=cv2.INTER_LINEAR)
        for plane in (frame.u, frame.v)
    )
    rgb = np.stack((frame.y.astype(np.float32) - 16, u, v), axis=-1) @ _TO_RGB.T
    found: Bytes = np.clip(np.floor(rgb + 0.5), 0, 255).astype(np.uint8)
    return found


def write_png(frame: Frame, path: Path) -> None:
    """Write the picture as a PNG. Raises PermanentError."""
    data = io.BytesIO()
    Image.fromarray(to_rgb(frame)).save(data, "PNG", optimize=True)
    with _in_words(path):
        write_atomic(path, data.getvalue(), mode=0o644)


def write_movie(
    program: Offline,
    first: int,
    count: int,
    path: Path,
    *,
    lossless: bool,
    preset: str = commands.MOVIE_PRESET,
    progress: Callable[[int], None] = lambda _: None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Write program frames `first` to `first` + `count` - 1 with their sound into `path`.

    `progress` is told how many frames have been made. Raises VistterError; then, as when it is
    interrupted, `path` stays as it was.
    """
    with _whole(path) as temporary:
        writer = _Writer(
            temporary,
            program.format,
            partial(commands.movie, lossless=lossless, preset=preset),
            os.environ if environment is None else environment,
        )
        try:
            for number in range(first, first + count):
                frame = writer.free()
                if frame is None:
                    break
                made = program.make(number, frame)
                writer.put(frame, made.sound.tobytes())
                progress(number - first + 1)
            failure = writer.finish()
        finally:
            writer.close()
        if failure.reason != "Ended":
            raise PermanentError(
                f"The file {path} cannot be written: {failure.message}", reason=failure.reason
            )


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file to write to, that becomes `path` at the end, or vanishes."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    with _in_words(path):
        temporary.open("xb").close()  # says at once where the folder is missing or may not be written to
    try:
        yield temporary
        with _in_words(path):
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """What goes wrong with writing the file is told of it, not of the hidden one beside it."""
    try:
        yield
    except OSError as error:
        raise PermanentError(
            f"The file {path} cannot be written in the folder {path.absolute().parent} ({error.strerror}); "
            "name another one.",
            reason="NotWritable",
        ) from error


class _Writer:
    """The encoder's process, and the threads that feed it while further frames are made.

    Pictures and sound have a thread each: FFmpeg reads whichever of the two lies behind, and would wait for
    ever for the one while the only writer waits to be rid of the other.
    """

    def __init__(
        self, path: Path, format: Format, command: Callable[..., list[str]], environment: Mapping[str, str]
    ) -> None:
        self._free: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._pictures: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._sounds: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        lent = most_lent(format.width * format.height * 3 // 2, PIPE_SIZE)
        for _ in range(lent + max(_WAITING, round(_WAITING_SECONDS * format.frame_rate.fraction))):
            self._free.put(Frame(format.width, format.height))
        read, audio = os.pipe()
        try:
            argv = command(path, format, audio_fd=read)
            self._tool = Tool(argv, role="movie", environment=environment, stdin=True, pass_fds=(read,))
        except BaseException:
            os.close(audio)
            raise
        finally:
            os.close(read)
        assert self._tool.child.stdin is not None
        video = os.dup(self._tool.child.stdin.fileno())
        self._tool.child.stdin.close()
        enlarge_pipe(video)
        self._threads = [
            threading.Thread(target=self._write_pictures, args=(video,), name="movie-pictures", daemon=True),
            threading.Thread(target=self._write_sounds, args=(audio,), name="movie-sounds", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def free(self) -> Frame | None:
        """A frame to fill; None when the process has ended."""
        return self._free.get()

    def put(self, frame: Frame, sound: bytes) -> None:
        """The next frame of the movie."""
        self._sounds.put(sound)
        self._pictures.put(frame)

    def finish(self) -> Failure:
        """Write what waits and the end of the file; how that ended."""
        self._end_of_input()
        return self._tool.wait()

    def close(self) -> None:
        """End the process if it still runs, and the threads."""
        self._tool.end()
        self._end_of_input()
        self._tool.close()

    def _end_of_input(self) -> None:
        self._pictures.put(None)
        self._sounds.put(None)
        for thread in self._threads:
            thread.join()

    def _write_pictures(self, descriptor: int) -> None:
        pipe = PicturePipe(descriptor, self._free.put)
        try:
            while (frame := self._pictures.get()) is not None:
                pipe.write(frame)
        except OSError:
            self._free.put(None)  # the process has ended; `finish` says why
        os.close(descriptor)

    def _write_sounds(self, descriptor: int) -> None:
        with contextlib.suppress(OSError):
            while (sound := self._sounds.get()) is not None:
                _write_all(descriptor, memoryview(sound))
        os.close(descriptor)


def _write_all(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
