"""What FFmpeg says about its input is read from the lines it prints."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffmpeg_.media import clip, silent_clip, transport_stream
from peers import needs
from vistterstream.ffmpeg import commands
from vistterstream.ffmpeg.processes import LineReader
from vistterstream.ffmpeg.streams import AudioStream, SurveyReader, VideoStream, parse_stream


@pytest.mark.parametrize(
    ("line", "stream"),
    [
        (
            "[info]   Stream #0:0: Video: h264 (Main), yuvj420p(pc, bt709, progressive), 2560x1440,"
            " 20 fps, 20 tbr, 90k tbn",
            VideoStream("h264", 2560, 1440, "20"),
        ),
        (
            "[info]   Stream #0:0[0x100]: Video: hevc (Main) ([36][0][0][0] / 0x0024), yuv420p(tv),"
            " 3840x2160 [SAR 1:1 DAR 16:9], 29.97 fps, 29.97 tbr, 90k tbn, start 1.421333",
            VideoStream("hevc", 3840, 2160, "29.97", plain=True),
        ),
        (
            "[info]   Stream #0:1[0x2](eng): Video: mjpeg (Baseline), yuvj422p, 640x480, 90k tbr",
            VideoStream("mjpeg", 640, 480, None),
        ),
        (
            "[info]   Stream #0:1(und): Audio: aac (LC) (mp4a / 0x6134706D), 16000 Hz, mono",
            AudioStream("aac"),
        ),
        ("[info]   Stream #0:1: Audio: pcm_alaw, 8000 Hz, mono, s16, 64 kb/s", AudioStream("pcm_alaw")),
        ("[info]   Stream #0:0: Video: h264, none", None),
        ("[info]   Stream #0:0 -> #0:0 (h264 (native) -> rawvideo (native))", None),
        ("[info]   Stream #0:2: Data: none", None),
        ("[info] Input #0, rtsp, from 'rtsp://h/x':", None),
        ("", None),
    ],
)
def test_a_line_names_a_stream_or_nothing(line: str, stream: VideoStream | AudioStream | None) -> None:
    assert parse_stream(line) == stream


@pytest.mark.parametrize(
    ("pixels", "plain"),
    [
        ("yuv420p", True),
        ("yuv420p(progressive, left)", True),
        ("yuv420p(tv, bt709/unknown/unknown, progressive)", True),
        ("yuv420p(pc, bt709, progressive)", False),
        ("yuv420p(tv, smpte170m/bt470bg/smpte170m, progressive)", False),
        ("yuv420p(tv, bt709, top first)", False),
        ("yuv420p10le(tv, bt709)", False),
        ("yuvj420p", False),
        ("yuv422p(tv, bt709)", False),
    ],
)
def test_what_needs_no_conversion_is_known_by_its_pixels(pixels: str, plain: bool) -> None:
    stream = parse_stream(f"[info]   Stream #0:0: Video: h264 (High), {pixels}, 1280x720, 30 fps, 30 tbr")
    assert isinstance(stream, VideoStream)
    assert stream.plain is plain


@pytest.mark.parametrize(("shape", "plain"), [("1:1", True), ("64:45", False), ("1:11", False)])
def test_pixels_that_are_not_square_need_conversion(shape: str, plain: bool) -> None:
    size = f"720x576 [SAR {shape} DAR 16:9], 25 fps"
    stream = parse_stream(f"[info]   Stream #0:0: Video: h264 (High), yuv420p, {size}")
    assert stream == VideoStream("h264", 720, 576, "25", plain=plain)


@given(st.text(max_size=200))
def test_no_line_makes_it_fail(text: str) -> None:
    parse_stream(text)
    parse_stream(f"  Stream #0:0: Video: {text}")


@pytest.mark.parametrize(("file", "sound"), [(clip, True), (silent_clip, False), (transport_stream, True)])
def test_real_files_are_understood(file: object, sound: bool) -> None:
    assert callable(file)
    found = _streams(file())
    assert found[0] == VideoStream("h264", 128, 72, "15", plain=True)
    assert found[1:] == ([AudioStream("aac")] if sound else [])


def _streams(file: Path) -> list[VideoStream | AudioStream]:
    """All streams of the input dump; FFmpeg ends after it, since it is given no output."""
    command = [needs.ffmpeg(), "-hide_banner", "-nostdin", "-loglevel", "level+info", "-i", str(file)]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    found = [parse_stream(line) for line in LineReader().feed(done.stderr)]
    return [stream for stream in found if stream is not None]


def test_a_survey_tells_what_a_file_is_and_when_its_last_picture_ends() -> None:
    done = subprocess.run(commands.survey(str(clip())), capture_output=True, check=True, timeout=30)
    reader = SurveyReader()
    for line in LineReader().feed(done.stderr):
        reader.feed(line)
    found = reader.found
    assert found is not None
    assert found.container == "mov,mp4,m4a,3gp,3g2,mj2"
    assert (found.video.codec, found.video.width, found.video.height) == ("h264", 128, 72)
    assert found.audio == AudioStream("aac")
    assert found.end == 2


def test_pictures_that_are_turned_after_decoding_are_not_as_they_are_coded(tmp_path: Path) -> None:
    turned = tmp_path / "turned.mp4"
    command = [
        needs.ffmpeg(),
        "-v",
        "error",
        "-display_rotation",
        "90",
        "-i",
        str(clip()),
        "-c",
        "copy",
        str(turned),
    ]
    subprocess.run(command, capture_output=True, check=True, timeout=30)
    found = {}
    for file in (clip(), turned):
        done = subprocess.run(commands.survey(str(file)), capture_output=True, check=True, timeout=30)
        reader = SurveyReader()
        for line in LineReader().feed(done.stderr):
            reader.feed(line)
        assert reader.found is not None
        found[file] = reader.found.video.plain
    assert found == {clip(): True, turned: False}


def test_a_survey_of_what_was_not_read_finds_nothing() -> None:
    reader = SurveyReader()
    assert not reader.feed("[info] Press [q] to stop")
    assert reader.found is None
