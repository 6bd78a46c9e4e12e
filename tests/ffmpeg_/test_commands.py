"""The command lines, word for word; and that FFmpeg does with them what they are for."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffmpeg_.media import H264, clip, make, silent_clip, transport_stream
from peers.probe import probe
from vistterstream.base.errors import PermanentError
from vistterstream.ffmpeg import commands
from vistterstream.ffmpeg.binary import executable
from vistterstream.ffmpeg.commands import Credentials
from vistterstream.ffmpeg.processes import LineReader
from vistterstream.ffmpeg.streams import AudioStream, Survey, SurveyReader, VideoStream
from vistterstream.resources.camera import CameraSource, FileSource, RtspTransport, SecretKeyRef
from vistterstream.resources.output import (
    AudioEncoding,
    Container,
    Encoding,
    HlsTarget,
    Preset,
    RecordingTarget,
    Target,
    Tls,
    VideoEncoding,
)
from vistterstream.resources.program import Format
from vistterstream.resources.quantities import BitRate, Duration, FrameRate

FORMAT = Format(width=320, height=180, frame_rate=FrameRate("30"))
SURVEY = Survey(
    "mov,mp4,m4a,3gp,3g2,mj2", VideoStream("h264", 320, 180, "25"), AudioStream("aac"), Fraction(60)
)
INPUTS = "rtsp,rtsps,rtp,srtp,udp,tcp,tls,rtmp,rtmps,srt,http,https,httpproxy,crypto"
OUTPUTS = "rtmp,rtmps,tcp,tls,srt,udp,file,pipe"
FIT = (
    "scale='max(2,trunc(min(320,round(180*iw*sar/ih))/2)*2)':'max(2,trunc(min(180,round(320*ih/(iw*sar)))/2)*2)'"
    ":flags=bicubic:in_color_matrix=bt709:out_color_matrix=bt709:out_range=tv"
    ",pad=320:180:-1:-1:color=black,setsar=1,format=yuv420p"
)
COMMON = "ffmpeg -hide_banner -nostats -loglevel level+info"
FROM_STDIN = (
    f"{COMMON} -y -progress pipe:2 -stats_period 0.5"
    " -f mpegts -analyzeduration 300000 -fpsprobesize 0 -protocol_whitelist pipe -i pipe:0"
    " -map 0:v:0 -map 0:a:0"
)
RTMP = f"-f flv -c copy -flvflags no_duration_filesize -protocol_whitelist {OUTPUTS} -rw_timeout 10000000"


@pytest.fixture(autouse=True, scope="module")
def _plain_name() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "executable", lambda: "ffmpeg")
        yield


def option(argv: list[str], name: str) -> str:
    """The value of an option that is there once."""
    assert argv.count(name) == 1, f"{name} in {argv}"
    return argv[argv.index(name) + 1]


def run(argv: list[str], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a command line with the real FFmpeg."""
    done = subprocess.run(
        [executable(), *argv[1:]], input=stdin, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done


# --- sounds ---------------------------------------------------------------------------------------------


def test_a_sound_file_is_decoded_from_its_first_sample() -> None:
    assert " ".join(commands.sound("/sounds/a b.mp3")) == (
        f"{COMMON} -nostdin -protocol_whitelist file -threads 1 -i file:/sounds/a b.mp3 -map 0:a:0 -f s16le"
        " -ac 2 -ar 48000 -c:a pcm_s16le pipe:1"
    )
    assert len(run(commands.sound(str(clip()))).stdout) == pytest.approx(2 * 48000 * 4, rel=0.05)


# --- ingest ---------------------------------------------------------------------------------------------


def test_a_camera_is_decoded_to_the_program_s_size_and_rate_with_its_sound() -> None:
    argv = commands.ingest(CameraSource(url="rtsp://10.0.0.21:554/main"), FORMAT)
    assert " ".join(argv) == (
        f"{COMMON} -nostdin -analyzeduration 1000000 -probesize 1000000"
        f" -protocol_whitelist {INPUTS} -rtsp_transport tcp -threads 2 -timeout 5000000"
        " -i rtsp://10.0.0.21:554/main -map 0:v:0 -map 0:a:0? -f avi -ac 2"
        f" -af asetpts={commands._STEADY_TIME},aresample=48000:async=1000:first_pts=0 -avioflags direct"
        " -c:a pcm_s16le -c:v rawvideo -flush_packets 1"
        f" -max_interleave_delta 200000 -vf setpts={commands._STEADY_TIME},fps=30:start_time=0,{FIT} pipe:1"
    )


def test_a_camera_that_stands_by_is_decoded_on_key_frames_only_and_without_sound() -> None:
    argv = commands.ingest(CameraSource(url="rtsp://10.0.0.21/main"), FORMAT, keyframes_only=True)
    assert " ".join(argv) == (
        f"{COMMON} -nostdin -analyzeduration 1000000 -bsf:v noise=drop='{commands._BUT_SOME_KEY_FRAMES}'"
        f" -probesize 1000000 -protocol_whitelist {INPUTS} -rtsp_transport tcp -threads 1"
        " -timeout 5000000"
        " -i rtsp://10.0.0.21/main -map 0:v:0 -f avi -avioflags direct -c:v rawvideo -flush_packets 1"
        f" -fps_mode passthrough -max_interleave_delta 200000 -vf {FIT} pipe:1"
    )


def test_a_device_may_be_waited_for_until_a_key_frame_comes() -> None:
    quick, patient = (
        commands.ingest(CameraSource(url="rtmp://h/x"), FORMAT, patient=patient) for patient in (False, True)
    )
    assert int(option(quick, "-analyzeduration")) == 1_000_000
    assert int(option(patient, "-analyzeduration")) > 10_000_000, (
        "µs; encoders' key frames are up to 10 s apart"
    )
    assert int(option(patient, "-probesize")) > 12 * 20_000_000 / 8, "bytes: as long at 20 Mbit/s"


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps"])
@pytest.mark.parametrize("transport", list(RtspTransport))
def test_rtsp_has_a_transport_and_a_timeout_in_microseconds(scheme: str, transport: RtspTransport) -> None:
    argv = commands.ingest(CameraSource(url=f"{scheme}://h/x", transport=transport), FORMAT)
    assert option(argv, "-rtsp_transport") == transport.value
    assert option(argv, "-timeout") == "5000000"
    assert "-rw_timeout" not in argv


@pytest.mark.parametrize("scheme", ["rtmp", "rtmps", "http", "https"])
def test_other_cameras_have_a_read_timeout_since_timeout_would_mean_listen(scheme: str) -> None:
    argv = commands.ingest(CameraSource(url=f"{scheme}://h/x"), FORMAT)
    assert option(argv, "-rw_timeout") == "5000000"
    assert not {"-timeout", "-rtsp_transport"} & {*argv}


def test_srt_has_timeouts_of_its_own() -> None:
    argv = commands.ingest(CameraSource(url="srt://h:9000"), FORMAT)
    assert not {"-timeout", "-rw_timeout", "-rtsp_transport"} & {*argv}


def test_a_file_may_open_files_only_and_loops_where_it_should() -> None:
    looped = commands.ingest(CameraSource(file=FileSource(path="/media/a b.mp4")), FORMAT)
    assert option(looped, "-i") == "file:/media/a b.mp4"
    assert option(looped, "-protocol_whitelist") == "file"
    assert option(looped, "-stream_loop") == "-1"
    assert looped.index("-stream_loop") < looped.index("-i")
    once = commands.ingest(CameraSource(file=FileSource(path="/media/a.mp4", loop=False)), FORMAT)
    assert "-stream_loop" not in once


@pytest.mark.parametrize(
    ("url", "with_login"),
    [
        ("rtsp://h/x", "rtsp://joe:p%40ss%2F%3A%25%23@h/x"),
        ("https://h/x", "https://joe:p%40ss%2F%3A%25%23@h/x"),
    ],
)
def test_a_login_goes_into_the_address_encoded(url: str, with_login: str) -> None:
    login = Credentials("joe", "p@ss/:%#")
    assert option(commands.ingest(CameraSource(url=url), FORMAT, credentials=login), "-i") == with_login


@pytest.mark.parametrize("rate", ["25", "30", "30000/1001", "60000/1001", "1"])
def test_the_frame_rate_stays_a_fraction(rate: str) -> None:
    format = Format(width=320, height=180, frame_rate=FrameRate(rate))
    argv = commands.ingest(CameraSource(url="rtsp://h/x"), format)
    assert f",fps={rate}:start_time=0,{FIT}" in option(argv, "-vf")


WORDS = st.text(
    st.characters(categories=["L", "N", "P", "S"], max_codepoint=0x17F), min_size=1, max_size=20
).map(lambda text: f"/film/Zq{text}")


@given(WORDS)
def test_no_string_of_a_user_gets_into_a_filter_graph_or_becomes_an_option(path: str) -> None:
    plain = commands.ingest(CameraSource(file=FileSource(path="/plain")), FORMAT)
    argv = commands.ingest(CameraSource(file=FileSource(path=path)), FORMAT)
    assert [word for word in argv if "Zq" in word] == [f"file:{path}"]
    assert [word for word in argv if word != f"file:{path}"] == [w for w in plain if w != "file:/plain"]


@given(WORDS)
def test_no_key_and_no_folder_of_a_user_becomes_an_option(word: str) -> None:
    reference = SecretKeyRef(name="s", key="k")
    target = Target(name="t", url="rtmp://h/live", stream_key_secret_ref=reference)
    argv = commands.pusher(target, stream_key=word)
    assert [part for part in argv if "Zq" in part] == [argv[-1]]
    argv = commands.pusher(Target(name="t", recording=RecordingTarget(folder=word)))
    assert [part for part in argv if "Zq" in part] == [argv[-1]]


def avi_chunks(data: bytes) -> dict[bytes, int]:
    """How many chunks of each kind an AVI stream has after its header; empty ones left out."""
    found: dict[bytes, int] = {}
    position = data.index(b"movi") + 4
    while position + 8 <= len(data):
        tag, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        found[tag] = found.get(tag, 0) + (size > 0)
        position += 8 + size + size % 2
    return found


def test_a_real_file_comes_as_raw_pictures_and_sound_at_the_program_s_rate() -> None:
    source = CameraSource(file=FileSource(path=str(clip()), loop=False))
    data = run(commands.ingest(source, FORMAT)).stdout
    chunks = avi_chunks(data)
    assert chunks[b"00dc"] == 60
    assert chunks[b"01wb"] > 10
    assert len(data) >= 60 * 320 * 180 * 3 // 2


def test_a_real_file_without_sound_comes_with_the_same_command() -> None:
    source = CameraSource(file=FileSource(path=str(silent_clip()), loop=False))
    chunks = avi_chunks(run(commands.ingest(source, FORMAT)).stdout)
    assert chunks[b"00dc"] == 60
    assert b"01wb" not in chunks


def test_standing_by_really_gives_key_frames_alone_and_not_each_of_them() -> None:
    """There is one each 8 frames, 0.53 s. After four, the third after one that is shown is the next."""
    source = CameraSource(file=FileSource(path=str(transport_stream()), loop=False))
    found = run(commands.ingest(source, FORMAT, keyframes_only=True)).stdout
    every = pictures(run(commands.ingest(source, FORMAT)).stdout)
    assert b"01wb" not in avi_chunks(found)
    assert [every.index(picture) // 2 for picture in pictures(found)] == [0, 8, 16, 24, 48], (
        "30 frames/s of 15"
    )


def pictures(avi: bytes) -> list[bytes]:
    size = FORMAT.width * FORMAT.height * 3 // 2
    parts = avi[avi.index(b"movi") :].split(b"00dc" + size.to_bytes(4, "little"))
    return [part[:size] for part in parts[1:]]


def test_a_tall_picture_gets_bars_at_the_sides(tmp_path: Path) -> None:
    tall = make(
        tmp_path / "tall.mp4", "-f", "lavfi", "-i", "color=white:size=90x160:rate=10:duration=0.3", *H264
    )
    data = run(commands.ingest(CameraSource(file=FileSource(path=str(tall), loop=False)), FORMAT)).stdout
    start = data.index(b"00dc", data.index(b"movi")) + 8
    line = data[start + 90 * 320 : start + 91 * 320]
    assert line[:100] == bytes([16]) * 100
    assert line[-100:] == bytes([16]) * 100
    assert min(line[115:205]) >= 230


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "shape", "left", "top"),
    [
        ("180x144", "64/45", 0, 0),  # 16:9 as television has it
        ("320x180", "0/1", 0, 0),  # says nothing: square
        ("320x180", "3/4", 40, 0),  # 4:3, though as many pixels as the program's
        ("160x180", "4/1", 0, 45),  # 32:9
    ],
)
def test_pixels_that_are_not_square_are_seen_in_their_shape(
    size: str, shape: str, left: int, top: int, tmp_path: Path
) -> None:
    source = f"color=white:size={size}:rate=30:duration=0.1,setsar={shape}"
    file = make(tmp_path / "a.mp4", "-f", "lavfi", "-i", source, *H264)
    reader = SurveyReader()
    for line in LineReader().feed(run(commands.survey(str(file))).stderr):
        reader.feed(line)
    assert reader.found is not None
    camera = CameraSource(file=FileSource(path=str(file), loop=False))
    for argv in (commands.ingest(camera, FORMAT), commands.film(str(file), reader.found, FORMAT)):
        light = np.frombuffer(pictures(run(argv).stdout)[0], np.uint8)[: 320 * 180].reshape(180, 320)
        rows, columns = np.flatnonzero(light[:, 160] > 200), np.flatnonzero(light[90] > 200)
        assert (rows[0], rows[-1]) == pytest.approx((top, 179 - top), abs=1)
        assert (columns[0], columns[-1]) == pytest.approx((left, 319 - left), abs=1)


# --- encoder --------------------------------------------------------------------------------------------


def encoding(**video: Any) -> Encoding:
    return Encoding(
        video=VideoEncoding(bitrate=BitRate("800k"), preset=Preset.ULTRAFAST, **video),
        audio=AudioEncoding(bitrate=BitRate("64k")),
    )


def test_the_program_is_encoded_from_two_pipes_to_mpeg_ts() -> None:
    argv = commands.encoder(encoding(), FORMAT, audio_fd=9, offset=Fraction(40, 3))
    assert " ".join(argv) == (
        f"{COMMON} -nostdin -progress pipe:2 -stats_period 1"
        " -f rawvideo -analyzeduration 0 -color_range tv -colorspace bt709 -framerate 30 -pix_fmt yuv420p"
        " -probesize 32 -s 320x180 -i pipe:0"
        " -f s16le -ac 2 -analyzeduration 0 -ar 48000 -probesize 32 -i pipe:9"
        " -map 0:v:0 -map 1:a:0 -f mpegts -b:a 64000 -b:v 800000 -bufsize 1600000 -c:a aac -c:v libx264"
        " -color_primaries bt709 -color_range tv -color_trc bt709 -colorspace bt709 -flush_packets 1 -g 60"
        " -keyint_min 60 -maxrate 800000"
        " -metadata:g:0 service_name=VistterStream· -metadata:g:1 service_provider=VistterStream·"
        " -mpegts_flags +resend_headers -mpegts_start_pid 256 -muxdelay 0"
        " -muxpreload 0 -output_ts_offset 13.333333 -pix_fmt yuv420p -preset ultrafast -sc_threshold 0 pipe:1"
    )


@pytest.mark.parametrize(
    ("rate", "interval", "group"),
    [("30", "2s", "60"), ("30000/1001", "2s", "60"), ("25", "500ms", "12"), ("1", "100ms", "1")],
)
def test_key_frames_come_at_their_interval_and_the_rate_stays_exact(
    rate: str, interval: str, group: str
) -> None:
    format = Format(width=320, height=180, frame_rate=FrameRate(rate))
    argv = commands.encoder(
        encoding(keyframe_interval=Duration(interval)), format, audio_fd=3, offset=Fraction(0)
    )
    assert (option(argv, "-framerate"), option(argv, "-g"), option(argv, "-keyint_min")) == (
        rate,
        group,
        group,
    )


def test_an_encoder_uses_as_many_threads_as_it_is_given() -> None:
    argv = commands.encoder(encoding(), FORMAT, audio_fd=3, offset=Fraction(0), threads=1)
    assert option(argv, "-threads") == "1"


def test_the_real_encoder_writes_every_frame_and_starts_at_the_program_s_clock(tmp_path: Path) -> None:
    format = Format(width=64, height=64, frame_rate=FrameRate("30000/1001"))
    read_end, write_end = os.pipe()
    try:
        argv = commands.encoder(
            encoding(keyframe_interval=Duration("200ms")), format, audio_fd=read_end, offset=Fraction(1000)
        )
        with subprocess.Popen(
            [executable(), *argv[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(read_end,),
        ) as process:
            os.write(write_end, bytes(4 * 1602) * 9)  # 9 frames' worth fit into a pipe
            os.close(write_end)
            stream, _ = process.communicate(bytes(64 * 64 * 3 // 2) * 9, timeout=30)
    finally:
        os.close(read_end)
    file = tmp_path / "out.ts"
    file.write_bytes(stream)
    media = probe(file)
    assert (media.video, media.width, media.audio, media.sample_rate) == ("h264", 64, "aac", 48000)
    packets = _packets(file)
    assert len(packets) == 9
    assert 1000 <= min(time for time, _ in packets) < 1000.2
    assert [key for _, key in packets] == [index % 6 == 0 for index in range(9)]
    name = b"\x15" + "VistterStream·".encode()  # U+0015: it is UTF-8, which every build of FFmpeg can read
    assert name in stream


def _packets(file: Path) -> list[tuple[float, bool]]:
    """Presentation times of the pictures, in decoding order, and whether each is a key frame."""
    command = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_packets", "-of", "json", str(file)]
    done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    packets = json.loads(done.stdout)["packets"]
    return [(float(packet["pts_time"]), "K" in packet["flags"]) for packet in packets]


# --- pusher ---------------------------------------------------------------------------------------------


def target(**fields: Any) -> Target:
    return Target(name="t", **fields)


@pytest.mark.parametrize("lossless", [False, True])
def test_a_movie_is_made_from_two_pipes(lossless: bool) -> None:
    argv = commands.movie(Path("/a/out"), FORMAT, audio_fd=5, lossless=lossless)
    how = (
        "-f matroska -c:a pcm_s16le -c:v ffv1 -color_primaries bt709 -color_range tv -color_trc bt709"
        " -colorspace bt709 -g 1 -level 3 -pix_fmt yuv420p -slicecrc 1 -slices 4"
        if lossless
        else "-f mp4 -b:a 192000 -c:a aac -c:v libx264 -color_primaries bt709 -color_range tv"
        " -color_trc bt709 -colorspace bt709 -crf 18 -g 60 -movflags +faststart -pix_fmt yuv420p"
        " -preset fast"
    )
    assert " ".join(argv) == (
        f"{COMMON} -nostdin -y"
        " -f rawvideo -analyzeduration 0 -color_range tv -colorspace bt709 -framerate 30 -pix_fmt yuv420p"
        " -probesize 32 -s 320x180 -i pipe:0"
        " -f s16le -ac 2 -analyzeduration 0 -ar 48000 -probesize 32 -i pipe:5"
        f" -map 0:v:0 -map 1:a:0 {how} file:/a/out"
    )


def test_rtmp_is_flv_with_a_write_timeout_and_the_key_behind_the_path() -> None:
    argv = commands.pusher(target(url="rtmp://a.example.com/live2"), stream_key="abcd-1234")
    assert " ".join(argv) == (
        f"{FROM_STDIN} {RTMP} -send_buffer_size 131072 rtmp://a.example.com/live2/abcd-1234"
    )


def test_rtmps_verifies_the_certificate_with_the_system_s_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_system_certificates", lambda: "/etc/bundle.crt")
    argv = commands.pusher(target(url="rtmps://a.example.com/live2"), stream_key="abcd")
    assert " ".join(argv) == (
        f"{FROM_STDIN} -f flv -c copy -ca_file /etc/bundle.crt -flvflags no_duration_filesize"
        f" -protocol_whitelist {OUTPUTS} -rw_timeout 10000000 -send_buffer_size 131072 -tls_verify 1"
        " rtmps://a.example.com/live2/abcd"
    )


def test_rtmps_without_verifying_says_so_and_needs_no_bundle() -> None:
    argv = commands.pusher(target(url="rtmps://h/live", tls=Tls(verify=False)))
    assert option(argv, "-tls_verify") == "0"
    assert "-ca_file" not in argv


def test_rtmps_with_a_certificate_of_its_own_trusts_that_one() -> None:
    argv = commands.pusher(target(url="rtmps://h/live", tls=Tls(ca_file="/my/ca.pem")))
    assert option(argv, "-ca_file") == "/my/ca.pem"
    assert option(argv, "-tls_verify") == "1"


def test_the_machine_has_a_bundle_of_certificates_that_can_be_read() -> None:
    bundle = commands._system_certificates()
    if bundle is None:
        pytest.skip("this machine has no ca-certificates")
    assert "BEGIN CERTIFICATE" in Path(bundle).read_text()


def test_srt_is_mpeg_ts_with_the_key_as_encoded_streamid() -> None:
    argv = commands.pusher(target(url="srt://h:9000?latency=200000"), stream_key="#!::r=a/b,m=publish")
    assert " ".join(argv) == (
        f"{FROM_STDIN} -f mpegts -c copy -connect_timeout 5000 -pkt_size 1316 -protocol_whitelist {OUTPUTS}"
        " srt://h:9000?latency=200000&streamid=%23%21%3A%3Ar%3Da%2Fb%2Cm%3Dpublish"
    )


def test_a_passphrase_goes_into_srt_addresses_alone() -> None:
    argv = commands.pusher(target(url="srt://h:9000"), stream_key="k", passphrase="ten & more!")
    assert argv[-1] == "srt://h:9000?streamid=k&passphrase=ten%20%26%20more%21"
    source = CameraSource(url="srt://h:9000")
    argv = commands.ingest(source, FORMAT, credentials=Credentials("", "ten & more!"))
    assert option(argv, "-i") == "srt://h:9000?passphrase=ten%20%26%20more%21"


def test_hls_is_a_playlist_of_segments_that_are_deleted_in_time() -> None:
    hls = HlsTarget(folder="/var/hls", segment_duration=Duration("1500ms"), list_size=4)
    assert " ".join(commands.pusher(target(hls=hls))) == (
        f"{FROM_STDIN} -f hls -c copy -hls_allow_cache 0"
        " -hls_flags delete_segments+append_list+omit_endlist+program_date_time+temp_file -hls_list_size 4"
        " -hls_segment_filename /var/hls/segment-%d.ts -hls_start_number_source epoch -hls_time 1.5"
        " /var/hls/index.m3u8"
    )


@pytest.mark.parametrize(
    ("rate", "looked_at"), [("120", 300_000), ("15", 333_333), ("10", 500_000), ("1", 1_000_000)]
)
def test_no_more_is_looked_at_before_a_target_is_connected_than_the_frame_rate_needs(
    rate: str, looked_at: int
) -> None:
    argv = commands.pusher(target(url="rtmp://h/live"), rate=FrameRate(rate).fraction)
    assert option(argv, "-analyzeduration") == str(looked_at)


@pytest.mark.parametrize(
    ("container", "muxer", "inner"),
    [
        (Container.MKV, "matroska", "flush_packets=1"),
        (Container.TS, "mpegts", "flush_packets=1"),
        (Container.MP4, "mp4", "flush_packets=1:movflags=+frag_keyframe+empty_moov+default_base_moof"),
    ],
)
def test_a_recording_is_cut_into_files_named_by_their_time(
    container: Container, muxer: str, inner: str
) -> None:
    recording = RecordingTarget(folder="/var/rec", segment_duration=Duration("1m"), container=container)
    assert " ".join(commands.pusher(target(recording=recording))) == (
        f"{FROM_STDIN} -f segment -c copy -reset_timestamps 1 -segment_format {muxer}"
        f" -segment_format_options {inner} -segment_time 60.0 -strftime 1"
        f" /var/rec/%Y-%m-%dT%H-%M-%S%z.{container.value}"
    )


@pytest.mark.slow
@pytest.mark.parametrize("container", list(Container))
def test_a_real_recording_can_be_played_whatever_the_folder_is_called(
    tmp_path: Path, container: Container
) -> None:
    folder = tmp_path / '100%done, 50%% it\'s [a] "film"'
    folder.mkdir()
    recording = RecordingTarget(folder=str(folder), segment_duration=Duration("2s"), container=container)
    run(commands.pusher(target(recording=recording)), transport_stream().read_bytes())
    files = sorted(folder.iterdir())
    assert files
    for file in files:
        media = probe(file)
        assert (media.video, media.audio) == ("h264", "aac")


def test_a_real_hls_folder_holds_a_playlist_with_the_newest_segments(tmp_path: Path) -> None:
    hls = HlsTarget(folder=str(tmp_path), segment_duration=Duration("500ms"), list_size=3)
    run(commands.pusher(target(hls=hls)), transport_stream().read_bytes())
    names = [
        line for line in (tmp_path / "index.m3u8").read_text().splitlines() if line.startswith("segment")
    ]
    assert len(names) == 3
    assert all((tmp_path / name).stat().st_size > 0 for name in names)
    assert not list(tmp_path.glob("*.tmp"))


def test_hls_that_goes_on_is_told_the_number_of_the_list_that_is_there() -> None:
    argv = commands.pusher(target(hls=HlsTarget(folder="/var/hls")), first_segment=1795933533)
    assert option(argv, "-start_number") == "1795933533"
    assert "-hls_start_number_source" not in argv


def test_hls_refuses_a_folder_whose_name_ffmpeg_would_take_apart() -> None:
    with pytest.raises(PermanentError, match=r"100%done.*another folder") as caught:
        commands.pusher(target(hls=HlsTarget(folder="/var/100%done")))
    assert caught.value.reason == "FolderUnusable"


@settings(max_examples=50)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40))
def test_a_key_that_can_be_carried_arrives_at_the_end_and_nowhere_else(key: str) -> None:
    argv = commands.pusher(target(url="rtmp://h/live"), stream_key=key)
    assert argv[-1] == f"rtmp://h/live/{key}"
    assert argv[:-1] == commands.pusher(target(url="rtmp://h/live"), stream_key="other")[:-1]


@pytest.mark.parametrize("key", ["", "two words", "\n"])
def test_a_key_that_cannot_be_carried_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match="stream key") as caught:
        commands.pusher(target(url="rtmp://h/live"), stream_key=key)
    assert "two" not in str(caught.value)


def test_a_film_is_decoded_from_its_beginning_by_its_own_timestamps() -> None:
    argv = commands.film("/media/a b.mp4", SURVEY, FORMAT)
    assert option(argv, "-i") == "file:/media/a b.mp4"
    assert option(argv, "-protocol_whitelist") == "file"
    assert "-copyts" in argv
    assert "-ss" not in argv
    assert "-stream_loop" not in argv
    assert option(argv, "-vf").startswith(f"fps={FORMAT.frame_rate}:start_time=0,scale=")
    assert option(argv, "-af") == "aresample=48000:async=1000:first_pts=0"


def test_a_place_in_a_film_is_sought_where_timestamps_hold_and_else_decoded_to() -> None:
    format = Format(frame_rate=FrameRate("30000/1001"))
    argv = commands.film("/a.mp4", SURVEY, format, first=900)
    assert option(argv, "-ss") == "28"
    assert "-noaccurate_seek" in argv
    assert option(argv, "-vf").startswith("fps=30000/1001,trim=start_pts=900,setpts=PTS-900,scale=")
    assert option(argv, "-af") == (
        "atrim=start=29,aresample=48000:async=1000:first_pts=1392000,atrim=start_pts=1441440,asetpts=PTS-1441440"
    )
    for container, seek in (("mpegts", "17"), ("h264", None), ("gif", None)):
        argv = commands.film("/a", replace(SURVEY, container=container), format, first=900)
        assert (option(argv, "-ss") if "-ss" in argv else None) == seek
        assert "trim=start_pts=900" in option(argv, "-vf")
    assert "-ss" not in commands.film("/a.mp4", SURVEY, format, first=60), "it is near"


def test_pictures_of_a_film_that_are_the_programs_are_not_scaled_nor_padded() -> None:
    format = Format(width=1280, height=720)
    video = VideoStream("h264", 1280, 720, "30", plain=True)
    same = replace(SURVEY, video=video)
    plain = "scale=1280:720:flags=bicubic,setsar=1,format=yuv420p"
    assert option(commands.film("/a.mp4", same, format), "-vf").endswith(f",{plain}")
    for other in (
        replace(SURVEY, video=replace(video, width=960)),
        replace(SURVEY, video=replace(video, plain=False)),
        replace(same, container="mpegts"),  # may change its size on the way
    ):
        assert ",pad=" in option(commands.film("/a", other, format), "-vf")


def test_a_second_thread_decodes_a_film_only_where_it_may_be_needed() -> None:
    for width, height, rate, threads in (
        (1280, 720, "30", "1"),
        (1280, 720, "50", "2"),
        (1920, 1080, "25", "2"),
        (640, 360, None, "2"),
    ):
        found = replace(SURVEY, video=VideoStream("h264", width, height, rate))
        assert option(commands.film("/a.mp4", found, FORMAT), "-threads") == threads


def test_a_survey_reads_the_end_of_a_file_or_all_of_it_and_decodes_nothing() -> None:
    argv = commands.survey("/a.mp4")
    assert (option(argv, "-sseof"), option(argv, "-c"), option(argv, "-f")) == ("-10", "copy", "framecrc")
    assert "-sseof" not in commands.survey("/a.mp4", whole=True)


@pytest.mark.parametrize("container", [Container.MKV, Container.TS])
def test_a_lossless_encoding_gives_every_bit_of_picture_and_sound_back(
    tmp_path: Path, container: Container
) -> None:
    format = Format(width=64, height=64, frame_rate=FrameRate("30000/1001"))
    source = np.random.default_rng(7)
    pictures = source.integers(0, 256, 20 * 64 * 96, dtype=np.uint8).tobytes()
    sound = source.integers(-32768, 32768, (20 * 48000 * 1001 // 30000, 2)).astype(np.int16).tobytes()
    read, write = os.pipe()
    argv = commands.encoder(Encoding(lossless=True), format, audio_fd=read, offset=Fraction(10))

    def speak() -> None:
        with os.fdopen(write, "wb") as pipe:
            pipe.write(sound)

    writer = threading.Thread(target=speak)
    writer.start()
    command = [executable(), *argv[1:]]
    done = subprocess.run(
        command, input=pictures, pass_fds=(read,), capture_output=True, timeout=60, check=True
    )
    writer.join()
    os.close(read)
    recording = RecordingTarget(folder=str(tmp_path), container=container)
    run(commands.pusher(Target(name="t", recording=recording), pcm=True), done.stdout)
    (file,) = tmp_path.iterdir()
    how = ["ffmpeg", "-v", "error", "-i", str(file)]
    assert run([*how, "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"]).stdout == pictures
    assert run([*how, "-map", "0:a", "-f", "s16le", "pipe:1"]).stdout == sound
