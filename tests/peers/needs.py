"""What a test needs from the machine: skips on a developer's laptop, fails where CI is set."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from functools import cache
from pathlib import Path

import imageio_ffmpeg
import pytest

SYSTEM_PYTHON = "/usr/bin/python3"  # Debian's gi modules are for Debian's interpreter
NGINX_RTMP = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
NODE_MEDIA_SERVER = Path(__file__).parent / "node_modules" / "node-media-server"


def missing(what: str) -> None:
    """Skip the test, or fail it where CI is set, because `what` is not installed."""
    message = f"{what} is not installed (run: make peers)"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def program(name: str) -> str:
    """Path of the program `name`; /usr/sbin counts too."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    if path is None:
        missing(name)
    assert path is not None
    return path


def ffmpeg() -> str:
    """The FFmpeg that the product uses."""
    return os.environ.get("VISTTER_FFMPEG") or imageio_ffmpeg.get_ffmpeg_exe()


def gstreamer() -> str:
    """The interpreter that has GStreamer's RTSP server."""
    if not _has_gstreamer():
        missing("GStreamer's RTSP server")
    return SYSTEM_PYTHON


@cache
def _has_gstreamer() -> bool:
    code = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer;"
        "Gst.init(None); import sys;"
        "sys.exit(not all(map(Gst.ElementFactory.find, ['x264enc', 'avenc_aac', 'rtph264pay', 'appsrc'])))"
    )
    try:
        done = subprocess.run([SYSTEM_PYTHON, "-c", code], capture_output=True, timeout=60, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


def nginx_rtmp() -> str:
    """Path of nginx, where its RTMP module is there too."""
    if not NGINX_RTMP.exists():
        missing("nginx's RTMP module")
    return program("nginx")


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port on 127.0.0.1 that nobody uses now.

    Chosen below the ephemeral range, where the kernel takes ports for outgoing connections, so that
    nobody takes it before a server does, or while a server restarts on it.
    """
    for _ in range(200):
        port = 20_000 + int.from_bytes(os.urandom(2)) % 12_000
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError("no free port")
