"""FFmpeg's last words become a reason and a sentence; checked on what the real one says."""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ffmpeg_.media import transport_stream
from peers import needs
from vistterstream.ffmpeg import failures
from vistterstream.ffmpeg.failures import Failure, explain
from vistterstream.ffmpeg.processes import LineReader

FFMPEG = ["-hide_banner", "-nostats", "-nostdin", "-loglevel", "level+info", "-y"]


def said(*arguments: str) -> Failure:
    """What is made of a real FFmpeg's end."""
    command = [needs.ffmpeg(), *FFMPEG, *arguments]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    return explain(done.returncode, LineReader().feed(done.stderr)[-20:])


def read(address: str) -> Failure:
    return said("-rw_timeout", "2000000", "-i", address, "-f", "null", "-")


def write(address: str, container: str) -> Failure:
    return said("-i", str(transport_stream()), "-c", "copy", "-f", container, address)


@contextmanager
def refusing() -> Iterator[int]:
    """The port of an SRT listener that refuses every caller, as one that does not know the key.

    The handshake: draft-sharabayko-srt, section 3.2.1 and 4.3; 1403 is Forbidden in libsrt's access control.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))

        thread = threading.Thread(target=_refuse, args=[listener])
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as enough:
                enough.sendto(b"", listener.getsockname())
            thread.join()


def _refuse(listener: socket.socket) -> None:
    """Answer handshakes until an empty packet comes."""
    fields = struct.Struct(">IIIIIiII")
    while True:
        data, caller = listener.recvfrom(2048)
        if not data:
            return
        _, _, first, mtu, window, kind, peer, _ = fields.unpack_from(data, 16)
        if kind == 1:  # induction: the cookie
            answer = fields.pack(5, 0x4A17, first, mtu, window, 1, peer, 12345)
        else:  # conclusion
            answer = fields.pack(5, 0, first, mtu, window, 1403, peer, 12345)
        header = struct.pack(">4I", 0x80000000, 0, 0, peer)
        listener.sendto(header + answer + data[48:64], caller)


@pytest.mark.parametrize("scheme", ["rtsp", "rtmp", "http"])
def test_a_camera_that_is_switched_off_refuses_the_connection(scheme: str) -> None:
    assert read(f"{scheme}://127.0.0.1:{needs.free_port()}/live").reason == "ConnectionRefused"


@pytest.mark.parametrize("scheme", ["rtmp", "rtmps"])
def test_a_platform_that_is_down_refuses_the_connection(scheme: str) -> None:
    failure = write(f"{scheme}://127.0.0.1:{needs.free_port()}/live/key", "flv")
    assert failure.reason == "ConnectionRefused"
    assert "Check that the device or server is on" in failure.message


@pytest.mark.slow
def test_an_srt_address_where_nobody_listens_is_not_taken_for_a_wrong_key() -> None:
    address = f"srt://127.0.0.1:{needs.free_port(socket.SOCK_DGRAM)}?connect_timeout=300"
    for failure in (write(address, "mpegts"), read(address)):
        assert failure.reason == "Unreachable"
        assert "Nobody answers at that address" in failure.message


@pytest.mark.slow
def test_an_srt_platform_that_refuses_is_told_from_nobody_there() -> None:
    with refusing() as port:
        failure = write(f"srt://127.0.0.1:{port}?streamid=wrong", "mpegts")
    assert failure.reason == "NotAccepted"
    assert "stream key" in failure.message


def test_an_unknown_host_is_told_from_a_silent_one() -> None:
    assert read("rtsp://camera.invalid/live").reason == "UnknownHost"


def test_a_host_that_accepts_and_says_nothing_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        failure = said("-timeout", "300000", "-i", f"rtsp://127.0.0.1:{port}/live", "-f", "null", "-")
    assert failure.reason == "Timeout"


def test_a_missing_file_is_named_as_such() -> None:
    assert read("file:/nowhere/film.mp4").reason == "FileNotFound"
    assert write("/nowhere/film.ts", "mpegts").reason == "FileNotFound"


def test_a_folder_is_no_film() -> None:
    assert read("file:/etc").reason == "NotAFile"


def test_what_is_no_film_is_invalid(tmp_path: Path) -> None:
    file = tmp_path / "film.mp4"
    file.write_text("this is not a film\n" * 100)
    assert read(f"file:{file}").reason == "InvalidData"


def test_a_folder_that_takes_no_files_is_a_matter_of_permission() -> None:
    assert write("/sys/kernel/film.ts", "mpegts").reason == "PermissionDenied"


def test_a_full_disk_is_called_a_full_disk() -> None:
    failure = write("/dev/full", "mpegts")
    assert failure.reason == "DiskFull"
    assert "Free some space" in failure.message


def test_a_stream_that_ends_has_ended() -> None:
    assert said("-i", str(transport_stream()), "-f", "null", "-").reason == "Ended"


def test_a_process_that_was_killed_says_by_which_signal() -> None:
    failure = explain(-signal.SIGKILL, ["[info] Input #0"])
    assert failure == Failure("Killed", "The process was ended by SIGKILL from outside.")
    assert explain(-250, []).reason == "Killed"


def test_what_is_not_known_shows_the_last_line() -> None:
    failure = explain(187, ["[error] first", "[fatal] the moon is full", "[info] bye"])
    assert failure == Failure("Failed", "FFmpeg ended with status 187: [fatal] the moon is full")
    assert "said nothing" in explain(1, []).message


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[rtsp @ 0x1] [error] method DESCRIBE failed: 401 Unauthorized", "Unauthorized"),
        ("[in#0] [error] Error opening input: Server returned 401 (authorization failed)", "Unauthorized"),
        ("[rtsp @ 0x1] [error] method DESCRIBE failed: 404 Not Found", "NotFound"),
        ("[rtsp @ 0x1] [error] method SETUP failed: 454 Session Not Found", "NotFound"),
        ("[in#0] [error] method PLAY failed: 503 (Service Unavailable)", "DeviceError"),
        ("[in#0] [error] Error opening input: Server returned 5XX Server Error reply", "DeviceError"),
        ("[tls @ 0x1] [error] certificate verify failed", "CertificateInvalid"),
        ("[rtmp @ 0x1] [error] Server error: Already publishing", "Rejected"),
        ("[rtmp @ 0x1] [error] Server error: NetStream.Publish.BadName", "Rejected"),
        ("[tcp @ 0x1] [error] Connection to tcp://h:554 failed: No route to host", "Unreachable"),
        ("[tcp @ 0x1] [error] Connection to tcp://h:554 failed: Network is unreachable", "Unreachable"),
        ("[out#0/flv] [error] Error muxing a packet: Broken pipe", "ConnectionLost"),
    ],
)
def test_known_lines_have_their_reason(line: str, reason: str) -> None:
    assert explain(1, ["[info] something", line]).reason == reason


def test_the_more_telling_line_wins_whatever_comes_last() -> None:
    lines = [
        "[rtsp @ 0x1] [error] method DESCRIBE failed: 401 Unauthorized",
        "[in#0 @ 0x1] [error] Error opening input: Input/output error",
        "[fatal] Error opening input files: Input/output error",
    ]
    assert explain(1, lines).reason == "Unauthorized"
    assert explain(1, lines[::-1]).reason == "Unauthorized"


def test_what_was_said_at_info_level_is_no_cause() -> None:
    lines = ["[info] title: 404 Not Found", "[info] Connection refused"]
    assert explain(0, lines).reason == "Ended"


def test_every_sentence_ends_with_a_full_stop_and_every_reason_is_camel_case() -> None:
    causes: tuple[tuple[str, str, str], ...] = failures._CAUSES
    for _, reason, message in causes:
        assert reason.isalpha()
        assert reason[0].isupper()
        assert message.endswith(".")


def test_a_platform_that_hangs_up_before_it_took_the_stream_is_told_from_a_connection_that_broke() -> None:
    refused = "[out#0/flv @ 0x55] [error] Error opening output rtmp://10.0.0.9/live/***: Input/output error"
    broke = "[out#0/flv @ 0x55] [error] Error writing trailer: Broken pipe"
    assert explain(1, [refused]).reason == "NotAccepted"
    assert explain(1, [broke]).reason == "ConnectionLost"
