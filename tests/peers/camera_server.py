"""An RTSP camera whose picture says which camera and which frame it is; run under Debian's Python.

Prints ``ready PORT`` when it listens. No numpy and nothing of ours in here: Debian's interpreter has neither.
"""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

import argparse
import json
import math
import os
import struct
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

WHITE, BLACK = 235, 16  # of limited-range luma
SAMPLE_RATE = 48_000
BEEP = SAMPLE_RATE // 10  # samples; the flash is as long
PIECE = SAMPLE_RATE // 50  # samples in a buffer


class Picture:
    """Makes I420 pictures: a row of 32 squares, a block that moves below it, a ground with some grain."""

    def __init__(self, number: int, width: int, height: int, square: int, grain: int) -> None:
        self.number, self.width, self.height, self.square = number, width, height, square
        ground = 60 + (number * 37) % 100
        self._luma = _grained(ground, grain, width * height)
        self._steps = width * height // 2 if grain else 0
        half = width * height // 4
        self._chroma = bytes([96 + (number * 53) % 64]) * half + bytes([96 + (number * 29) % 64]) * half
        self._ones, self._zeros = bytes([WHITE]) * square, bytes([BLACK]) * square

    def frame(self, counter: int) -> bytes:
        """The picture with that counter (24 bits are shown): width * height * 3 / 2 bytes."""
        width, square = self.width, self.square
        code = self.number << 24 | counter & 0xFFFFFF
        row = b"".join(self._ones if code >> bit & 1 else self._zeros for bit in range(31, -1, -1))
        # Grain runs on from frame to frame: the same noise, read from another place.
        shift = counter * 7919 % self._steps if self._steps else 0
        row += self._luma[: width - len(row)]
        side = min(32, (self.height - 2 * square) // 2)
        left = counter * 4 % (width - side)
        bar = bytearray(self._luma[:width])
        bar[left : left + side] = b"\xc8" * side
        top = row * square
        rest = (self.height - square - side) * width
        below = self._luma[shift : shift + rest] + self._luma[: max(0, shift + rest - len(self._luma))]
        return top + below + bytes(bar) * side + self._chroma


class Flash:
    """Once a second, exactly together: a white square in the picture, and a beep."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._width, self._fps, self._length = options.width, options.fps, max(1, options.fps // 10)
        self._x, self._y, self._side = options.flash["x"], options.flash["y"], options.flash["side"]
        step = 2 * math.pi * options.flash["beep"] / SAMPLE_RATE
        second = [round(8000 * math.sin(k * step)) for k in range(BEEP)] + [0] * (SAMPLE_RATE - BEEP)
        self._second = struct.pack(f">{2 * SAMPLE_RATE}h", *(value for value in second for _ in range(2)))

    def picture(self, position: int, plain: bytes) -> bytes:
        """The picture number `position` of the stream."""
        lit = position % self._fps < self._length
        picture = bytearray(plain)
        line = bytes([WHITE if lit else BLACK]) * self._side
        for row in range(self._y, self._y + self._side):
            start = row * self._width + self._x
            picture[start : start + self._side] = line
        return bytes(picture)

    def sound(self, position: int) -> bytes:
        """Piece number `position` of the stream."""
        start = position % 50 * PIECE * 4
        return self._second[start : start + PIECE * 4]


def _grained(ground: int, grain: int, size: int) -> bytes:
    if not grain:
        return bytes([ground]) * size
    return os.urandom(size).translate(bytes(ground - grain + value % (2 * grain + 1) for value in range(256)))


class Factory(GstRtspServer.RTSPMediaFactory):
    """Serves the picture, shared by all who watch."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__()
        self._options = options
        self._picture = Picture(options.number, options.width, options.height, options.square, options.grain)
        self._flash = Flash(options) if options.flash else None
        self._counter = 0
        self.set_shared(True)
        self.set_suspend_mode(GstRtspServer.RTSPSuspendMode.NONE)

    def do_create_element(self, _url: Any) -> Any:
        """Build the pipeline of a new media."""
        options = self._options
        audio = (
            f"audiotestsrc is-live=true freq={options.tone} ! audio/x-raw,rate=48000,channels=2"
            " ! avenc_aac bitrate=96000 ! rtpmp4gpay name=pay1 pt=97"
            if options.tone
            else ""
        )
        if self._flash:  # L16 has no delay of its own, as AAC has
            audio = (
                "appsrc name=sound is-live=true format=time block=false max-buffers=2 max-bytes=0"
                f" caps=audio/x-raw,format=S16BE,layout=interleaved,rate={SAMPLE_RATE},channels=2"
                " ! identity sync=true ! rtpL16pay name=pay1 pt=97"
            )
        pipeline = Gst.parse_launch(
            "( appsrc name=picture is-live=true format=time block=false max-buffers=2 max-bytes=0"
            f" caps=video/x-raw,format=I420,width={options.width},height={options.height}"
            f",framerate={options.fps}/1,colorimetry=bt709,interlace-mode=progressive"
            " ! identity sync=true ! x264enc tune=zerolatency speed-preset=ultrafast threads=1"
            f" bitrate={options.bitrate} key-int-max={options.keyframes}"
            f" ! rtph264pay name=pay0 pt=96 config-interval=-1 {audio} )"
        )
        source = pipeline.get_by_name("picture")
        source.connect("need-data", self._push, [0])
        if self._flash:
            pipeline.get_by_name("sound").connect("need-data", self._push_sound, [0])
        return pipeline

    def _push(self, source: Any, _length: int, position: list[int]) -> None:
        duration = Gst.SECOND // self._options.fps
        picture = self._picture.frame(self._counter)
        if self._flash:
            picture = self._flash.picture(position[0], picture)
        buffer = Gst.Buffer.new_wrapped(picture)
        buffer.pts = buffer.dts = position[0] * Gst.SECOND // self._options.fps
        buffer.duration = duration
        position[0] += 1
        self._counter += 1
        source.emit("push-buffer", buffer)

    def _push_sound(self, source: Any, _length: int, position: list[int]) -> None:
        assert self._flash is not None
        buffer = Gst.Buffer.new_wrapped(self._flash.sound(position[0]))
        buffer.pts = buffer.dts = position[0] * Gst.SECOND // 50
        buffer.duration = Gst.SECOND // 50
        position[0] += 1
        source.emit("push-buffer", buffer)


def _auth(options: argparse.Namespace, factory: Factory) -> Any:
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    if options.auth == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(options.user, options.password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(options.user, options.password), token)
    role = Gst.Structure.new_empty("viewer")
    role.set_value("media.factory.access", True)
    role.set_value("media.factory.construct", True)
    factory.add_role_from_structure(role)
    return auth


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("options", help="JSON object")
    options = argparse.Namespace(**json.loads(parser.parse_args().options))
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(options.port))
    factory = Factory(options)
    if options.user:
        server.set_auth(_auth(options, factory))
    server.get_mount_points().add_factory("/live", factory)
    if server.attach(None) == 0:
        raise SystemExit(f"cannot listen on port {options.port}")
    print("ready", options.port, flush=True)
    GLib.MainLoop().run()


main()
