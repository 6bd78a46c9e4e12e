"""Every FFmpeg command line of the program. Nothing else builds an argv for FFmpeg.

Users' strings reach FFmpeg only as an input or output address whose scheme has been checked, never inside
a filter graph. All processes share one loglevel form, ``[level] text``, which `streams` and `failures` read.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from vistterstream.base.errors import PermanentError
from vistterstream.ffmpeg.binary import executable
from vistterstream.ffmpeg.streams import Survey, VideoStream
from vistterstream.resources.camera import CameraSource
from vistterstream.resources.output import Container, Encoding, HlsTarget, RecordingTarget, Target
from vistterstream.resources.program import Format
from vistterstream.resources.urls import with_credentials, with_passphrase, with_stream_key

SAMPLE_RATE = 48_000
CHANNELS = 2
PLAYLIST = "index.m3u8"

_CONNECT_TIMEOUT_US = 5_000_000
_WRITE_TIMEOUT_US = 10_000_000
_SEND_BUFFER = 128 << 10
_COMMON = ("-hide_banner", "-nostats", "-loglevel", "level+info")
_INPUT_PROTOCOLS = "rtsp,rtsps,rtp,srtp,udp,tcp,tls,rtmp,rtmps,srt,http,https,httpproxy,crypto"
_OUTPUT_PROTOCOLS = "rtmp,rtmps,tcp,tls,srt,udp,file,pipe"
MOVIE_PRESET = "fast"
"""Of x264, for movies that are rendered offline."""
_VIDEO_PID = 0x100
# MPEG-TS has the name of its service in an old alphabet, unless a letter is none of ASCII: then in UTF-8.
# An FFmpeg that is linked statically (seen with 7.0.2) crashes when it reads the old one.
_SERVICE = {"metadata:g:0": "service_name=VistterStream·", "metadata:g:1": "service_provider=VistterStream·"}
# A camera that sets its clock jumps by hours; without this, FFmpeg fills the gap with pictures (9 GB of them
# for one hour at 320x180, measured). Timestamps go on by at most two seconds, and never back.
_STEADY_TIME = "'if(isnan(PREV_INPTS),PTS,PREV_OUTPTS+clip(PTS-PREV_INPTS,0,2/TB))'"

# Whether a packet is dropped: all but key frames, and after the first four (which a decoder may hold back, to
# put pictures into order) key frames within 1.5 s of the last that was kept. Where the clock of a camera
# jumps back, the next one is kept.
_BUT_SOME_KEY_FRAMES = (
    "if(not(key)+gte(ld(1),4)*gte(pts*tb,ld(0)-1.5)*lt(pts*tb,ld(0)),1,0*st(0,pts*tb+1.5)*st(1,ld(1)+1))"
)

# For how long FFmpeg looks at what a device sends until it knows its streams (µs), and for how many bytes.
# What it looked at is shown, too: without `-fflags nobuffer`, which throws it away, and a key frame with it.
_LOOK, _PATIENT_LOOK = (1_000_000, 1_000_000), (12_000_000, 32_000_000)

_LAST_SECONDS = 10  # of a file, in which its last picture surely is
# Containers that say of what size their pictures are once, for all of them.
_OF_ONE_SIZE = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
_ONE_THREAD = 1280 * 720 * 30  # pixels a second, of which one thread decodes several times as many
# Seconds before the wanted picture to which FFmpeg seeks, for containers whose timestamps hold after a seek.
# Those with an index find the key frame before; of the others, the next one after that place must be in time.
_BEFORE = {"mov,mp4,m4a,3gp,3g2,mj2": 1, "matroska,webm": 1, "avi": 1, "mpegts": 12, "mpeg": 12, "flv": 12}


@dataclass(frozen=True)
class Credentials:
    """A user name and a password."""

    username: str
    password: str


def _argv(stream: Any, *more: str) -> list[str]:
    """`stream` compiled, our common options in front of everything."""
    command = ffmpeg.compile(stream, cmd=executable())
    return [command[0], *_COMMON, *more, *command[1:]]


# --- ingest ---------------------------------------------------------------------------------------------


def ingest(
    source: CameraSource,
    format: Format,
    *,
    credentials: Credentials | None = None,
    keyframes_only: bool = False,
    patient: bool = False,
    matrix: str = "bt709",
) -> list[str]:
    """Pull and decode one camera to stdout: an AVI of raw yuv420p pictures and 16-bit stereo at 48 kHz.

    AVI, since one pipe then carries both, and a camera without sound needs no other command. Pictures
    come at the program's rate and size, letterboxed, their pixels square; BT.709 limited range. With
    `keyframes_only`, only key frames are decoded, no two within 1.5 s, and no sound (a camera that stands
    by). `patient` waits longer for the first of them, for devices that say nothing of their picture before
    it. `matrix` is that of the source, "bt709" or "bt601": it is said, since FFmpeg takes what is not tagged
    for BT.601 and would convert it, wrongly for nearly every camera and at a third of the cost of decoding.
    """
    options = _ingest_input(source, keyframes_only=keyframes_only, patient=patient)
    address = _ingest_address(source, credentials)
    pictures = _fit(format, matrix)
    if not keyframes_only:
        pictures = f"setpts={_STEADY_TIME},fps={format.frame_rate}:start_time=0,{pictures}"
    output: dict[str, Any] = {
        "format": "avi",
        "c:v": "rawvideo",
        "vf": pictures,
        "flush_packets": 1,
        "avioflags": "direct",  # a picture in one write, not copied into 32 KiB first
        "max_interleave_delta": 200_000,  # µs; a camera whose sound stops must not hold the picture back
    }
    media = ffmpeg.input(address, **options)
    if keyframes_only:
        streams = [media["v:0"]]
        output["fps_mode"] = "passthrough"
    else:
        streams = [media["v:0"], media["a:0?"]]
        output |= {
            "c:a": "pcm_s16le",
            "ac": CHANNELS,
            "af": f"asetpts={_STEADY_TIME},aresample={SAMPLE_RATE}:async=1000:first_pts=0",
        }
    return _argv(ffmpeg.output(*streams, "pipe:1", **output), "-nostdin")


def sound(path: str) -> list[str]:
    """Decode the first sound of a media file to stdout, from its start: raw 16-bit stereo at 48 kHz."""
    media = ffmpeg.input(f"file:{path}", protocol_whitelist="file", threads=1)
    raw = {"format": "s16le", "c:a": "pcm_s16le", "ar": SAMPLE_RATE, "ac": CHANNELS}
    return _argv(ffmpeg.output(media["a:0"], "pipe:1", **raw), "-nostdin")


def _fit(format: Format, matrix: str) -> str:
    """Filters that make any pictures those of the program: as large as fits, in the shape in which they are
    to be seen, which is not that of their pixels where these are not square (`sar`; 1 where nothing says it).
    """
    width, height = format.width, format.height
    across = f"max(2,trunc(min({width},round({height}*iw*sar/ih))/2)*2)"
    down = f"max(2,trunc(min({height},round({width}*ih/(iw*sar)))/2)*2)"
    return (
        f"scale='{across}':'{down}':flags=bicubic"
        f":in_color_matrix={matrix}:out_color_matrix=bt709:out_range=tv"
        f",pad={width}:{height}:-1:-1:color=black,setsar=1,format=yuv420p"
    )


def _ingest_address(source: CameraSource, credentials: Credentials | None) -> str:
    if source.file is not None:
        return f"file:{source.file.path}"
    assert source.url is not None
    if credentials is None:
        return source.url
    return with_credentials(source.url, credentials.username, credentials.password)


def _ingest_input(source: CameraSource, *, keyframes_only: bool, patient: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"threads": 1 if keyframes_only else 2}
    if keyframes_only:
        options["bsf:v"] = f"noise=drop='{_BUT_SOME_KEY_FRAMES}'"  # a decoder looks into what it skips
    if source.file is not None:
        options["protocol_whitelist"] = "file"
        if source.file.loop:
            options["stream_loop"] = -1
        return options
    assert source.url is not None
    scheme = source.url.partition("://")[0].lower()
    duration, size = _PATIENT_LOOK if patient else _LOOK
    options |= {"protocol_whitelist": _INPUT_PROTOCOLS, "analyzeduration": duration, "probesize": size}
    if scheme in ("rtsp", "rtsps"):
        options |= {"rtsp_transport": source.transport.value, "timeout": _CONNECT_TIMEOUT_US}
    elif scheme != "srt":
        options["rw_timeout"] = _CONNECT_TIMEOUT_US
    return options


# --- files ----------------------------------------------------------------------------------------------


def survey(path: str, *, whole: bool = False) -> list[str]:
    """Say on stderr what a media file is and when its last pictures are (read by `SurveyReader`).

    Decodes nothing. Only the end of the file is read, unless the `whole` of it is to be: that is slow, and
    for files which say nothing of their length, such as a recording that was cut off.
    """
    options: dict[str, Any] = {"protocol_whitelist": "file", "copyts": None, "start_at_zero": None}
    if not whole:
        options["sseof"] = -_LAST_SECONDS
    media = ffmpeg.input(f"file:{path}", **options)
    last = {"c": "copy", "copyinkf": None, "format": "framecrc"}
    return _argv(ffmpeg.output(media["v:0"], media["a:0?"], "pipe:2", **last), "-nostdin")


def film(
    path: str, found: Survey, format: Format, *, first: int = 0, threads: int | None = None
) -> list[str]:
    """Decode a media file from picture `first` on: as `ingest`, but exactly by the file's own timestamps.

    Picture k is the one that the file shows k frames of the program after its start, whatever `first` is. Far
    from the start FFmpeg seeks to a key frame before it, and what is too much is dropped before it is scaled.
    Pictures that are missing, because a key frame lay behind, are empty chunks. Nothing copies pictures that
    are what the program's are. `threads` is how many decode; one where that is plenty (docs/decisions/0020),
    else two, if None.
    """
    rate = format.frame_rate
    pictures = f"fps={rate}:start_time=0"
    sound = f"aresample={SAMPLE_RATE}:async=1000:first_pts=0"
    threads = threads or _decoding_threads(found.video)
    options: dict[str, Any] = {"threads": threads, "protocol_whitelist": "file"}
    options |= {"copyts": None, "start_at_zero": None}
    steady = int(first / rate.fraction) - 1  # s; whole ones, which every time base has exactly
    seek = steady - _BEFORE.get(found.container, steady)
    if seek > 0:
        options |= {"noaccurate_seek": None, "ss": seek}
        pictures = f"fps={rate}"
        sound = f"atrim=start={steady},aresample={SAMPLE_RATE}:async=1000:first_pts={steady * SAMPLE_RATE}"
    if first:
        sample = first * SAMPLE_RATE * rate.fraction.denominator // rate.fraction.numerator
        pictures += f",trim=start_pts={first},setpts=PTS-{first}"
        sound += f",atrim=start_pts={sample},asetpts=PTS-{sample}"
    fit = _as_they_are(format) if _fits(found, format) else _fit(format, found.video.matrix)
    media = ffmpeg.input(f"file:{path}", **options)
    output: dict[str, Any] = {
        "format": "avi",
        "c:v": "rawvideo",
        "threads:v": 1,  # it is a copy of each picture
        "vf": f"{pictures},{fit}",
        "fps_mode": "passthrough",
        "c:a": "pcm_s16le",
        "ac": CHANNELS,
        "af": sound,
        "flush_packets": 1,
        "avioflags": "direct",  # as for an ingest
        "max_interleave_delta": 1_000_000,  # µs; nobody waits for a file, so that sound may lie behind
    }
    return _argv(ffmpeg.output(media["v:0"], media["a:0?"], "pipe:1", **output), "-nostdin")


def _decoding_threads(video: VideoStream) -> int:
    """A second one costs a tenth more for the same pictures."""
    rate = float(video.frame_rate) if video.frame_rate is not None else 1000.0
    return 1 if video.width * video.height * rate <= _ONE_THREAD else 2


def _fits(found: Survey, format: Format) -> bool:
    """Whether the file's pictures are what the program's are."""
    size = (found.video.width, found.video.height)
    return found.container in _OF_ONE_SIZE and found.video.plain and size == (format.width, format.height)


def _as_they_are(format: Format) -> str:
    """As `_fit`, for pictures that need nothing: those `scale` passes on, `pad` would copy."""
    return f"scale={format.width}:{format.height}:flags=bicubic,setsar=1,format=yuv420p"


# --- encoder --------------------------------------------------------------------------------------------


def encoder(
    encoding: Encoding, format: Format, *, audio_fd: int, offset: Fraction, threads: int | None = None
) -> list[str]:
    """Encode raw pictures from stdin and raw sound from `audio_fd` to MPEG-TS on stdout.

    A lossless encoding is H.264 at quantiser 0 and the PCM of SMPTE 302M, the one that MPEG-TS carries.
    `offset` seconds are added to every timestamp: the program's clock, so that a successor's timestamps
    go on where those of an encoder that died ended. `threads` is how many encode; FFmpeg's choice if None.
    """
    rate = format.frame_rate.fraction
    group = max(1, round(encoding.video.keyframe_interval.seconds * rate))
    raw = {"probesize": 32, "analyzeduration": 0}
    video = ffmpeg.input(
        "pipe:0",
        **raw,
        format="rawvideo",
        pix_fmt="yuv420p",
        s=f"{format.width}x{format.height}",  # ffmpeg-python takes video_size apart
        framerate=str(format.frame_rate),
        color_range="tv",
        colorspace="bt709",
    )
    audio = ffmpeg.input(f"pipe:{audio_fd}", **raw, format="s16le", ar=SAMPLE_RATE, ac=CHANNELS)
    output = ffmpeg.output(
        video["v:0"],
        audio["a:0"],
        "pipe:1",
        **{
            "c:v": "libx264",
            "preset": encoding.video.preset.value,
            "pix_fmt": "yuv420p",
            **_quality(encoding),
            "g": group,
            "keyint_min": group,
            "sc_threshold": 0,
            **({} if threads is None else {"threads": threads}),
            "color_primaries": "bt709",
            "color_trc": "bt709",
            "colorspace": "bt709",
            "color_range": "tv",
            **_sound(encoding),
            "output_ts_offset": f"{float(offset):.6f}",
            "muxdelay": 0,
            "muxpreload": 0,
            "flush_packets": 1,
            "mpegts_flags": "+resend_headers",
            "mpegts_start_pid": _VIDEO_PID,
            **_SERVICE,
            "format": "mpegts",
        },
    )
    return _argv(output, "-nostdin", "-progress", "pipe:2", "-stats_period", "1")


def _quality(encoding: Encoding) -> dict[str, Any]:
    if encoding.lossless:
        return {"qp": 0}
    bitrate = encoding.video.bitrate.bits_per_second
    return {"b:v": bitrate, "maxrate": bitrate, "bufsize": bitrate * 2}


def _sound(encoding: Encoding) -> dict[str, Any]:
    if encoding.lossless:
        return {"c:a": "s302m", "strict": "experimental"}
    return {"c:a": "aac", "b:a": encoding.audio.bitrate.bits_per_second}


# --- offline --------------------------------------------------------------------------------------------


def movie(
    path: Path, format: Format, *, audio_fd: int, lossless: bool, preset: str = MOVIE_PRESET
) -> list[str]:
    """Encode raw pictures from stdin and raw sound from `audio_fd` into the file `path`, overwriting it.

    H.264 and AAC in MP4; `lossless`, FFV1 and PCM in Matroska, which give every bit back.
    """
    raw = {"probesize": 32, "analyzeduration": 0}
    video = ffmpeg.input(
        "pipe:0",
        **raw,
        format="rawvideo",
        pix_fmt="yuv420p",
        s=f"{format.width}x{format.height}",
        framerate=str(format.frame_rate),
        color_range="tv",
        colorspace="bt709",
    )
    audio = ffmpeg.input(f"pipe:{audio_fd}", **raw, format="s16le", ar=SAMPLE_RATE, ac=CHANNELS)
    options: dict[str, Any] = {
        "pix_fmt": "yuv420p",
        "color_primaries": "bt709",
        "color_trc": "bt709",
        "colorspace": "bt709",
        "color_range": "tv",
    }
    if lossless:
        options |= {"c:v": "ffv1", "level": 3, "g": 1, "slices": 4, "slicecrc": 1, "c:a": "pcm_s16le"}
        options |= {"format": "matroska"}
    else:
        options |= {"c:v": "libx264", "preset": preset, "crf": 18}
        options |= {"g": max(1, round(2 * format.frame_rate.fraction))}  # s; players seek to key frames
        options |= {"c:a": "aac", "b:a": 192_000, "movflags": "+faststart", "format": "mp4"}
    output = ffmpeg.output(video["v:0"], audio["a:0"], f"file:{path}", **options)
    return _argv(output, "-nostdin", "-y")


# --- pusher ---------------------------------------------------------------------------------------------


def pusher(
    target: Target,
    *,
    stream_key: str | None = None,
    passphrase: str | None = None,
    pcm: bool = False,
    rate: Fraction = Fraction(30),
    first_segment: int | None = None,
) -> list[str]:
    """Carry MPEG-TS from stdin to one target without encoding it again.

    FFmpeg connects only after it has looked at some of the stream: as little as has sound in it for sure,
    at `rate` frames a second of which an encoder may hold the first few back.

    Where its sound is `pcm`, Matroska gets that in the one form of it that it has; no sample changes.

    `first_segment` is the media sequence number of a playlist that HLS goes on from; without one the numbers
    of segments start at the time.

    Stdin's end ends the process, with its trailer written. Folders must be absolute and exist. Raises
    PermanentError for a folder that FFmpeg cannot write to, ValueError for a key or passphrase that cannot
    be carried.
    """
    source = ffmpeg.input(
        "pipe:0",
        format="mpegts",
        analyzeduration=round(1_000_000 * min(Fraction(1), max(Fraction(3, 10), 5 / rate))),
        fpsprobesize=0,
        protocol_whitelist="pipe",
    )
    if target.url is not None:
        address, options = _stream(target, stream_key, passphrase)
    elif target.hls is not None:
        address, options = _hls(target.hls, first_segment)
    else:
        assert target.recording is not None
        address, options = _recording(target.recording)
    if pcm and target.recording is not None and target.recording.container is Container.MKV:
        options["c:a"] = "pcm_s16le"
    output = ffmpeg.output(source["v:0"], source["a:0"], address, **{"c": "copy"}, **options)
    return _argv(output, "-y", "-progress", "pipe:2", "-stats_period", "0.5")


def _stream(target: Target, stream_key: str | None, passphrase: str | None) -> tuple[str, dict[str, Any]]:
    assert target.url is not None
    address = target.url if stream_key is None else with_stream_key(target.url, stream_key)
    if passphrase is not None:
        address = with_passphrase(address, passphrase)
    scheme = target.url.partition("://")[0].lower()
    options: dict[str, Any] = {"protocol_whitelist": _OUTPUT_PROTOCOLS}
    if scheme == "srt":
        options |= {"format": "mpegts", "connect_timeout": _CONNECT_TIMEOUT_US // 1000, "pkt_size": 1316}
        return address, options
    options |= {
        "format": "flv",
        "flvflags": "no_duration_filesize",
        "rw_timeout": _WRITE_TIMEOUT_US,
        # The kernel would take megabytes for a platform that reads no more, and hide it for a minute.
        "send_buffer_size": _SEND_BUFFER,
    }
    if scheme == "rtmps":
        options["tls_verify"] = int(target.tls.verify)
        if target.tls.ca_file is not None:
            options["ca_file"] = target.tls.ca_file
        elif target.tls.verify and (bundle := _system_certificates()) is not None:
            options["ca_file"] = bundle
    return address, options


def _system_certificates() -> str | None:
    """The system's bundle of trusted certificates, which a static OpenSSL does not find by itself."""
    places = (
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    )
    return next((place for place in places if Path(place).is_file()), None)


def _hls(target: HlsTarget, first_segment: int | None) -> tuple[str, dict[str, Any]]:
    assert target.folder is not None
    folder = Path(target.folder)
    if "%" in target.folder:
        raise PermanentError(  # FFmpeg's HLS muxer takes %d and %v in any part of the path, and has no escape
            f"HLS segments cannot lie in a folder with % in its path: {folder}. Choose another folder.",
            reason="FolderUnusable",
        )
    options = {
        "format": "hls",
        "hls_time": float(target.segment_duration.seconds),
        "hls_list_size": target.list_size,
        "hls_flags": "delete_segments+append_list+omit_endlist+program_date_time+temp_file",
        "hls_segment_filename": str(folder / "segment-%d.ts"),
        "hls_allow_cache": 0,
    }
    # A segment keeps its number as long as it is listed (RFC 8216, 6.2.2). The muxer that appends to a list
    # numbers it anew from where it was told to start, unless the list's own numbers are not below that.
    if first_segment is None:
        options["hls_start_number_source"] = "epoch"
    else:
        options["start_number"] = first_segment
    return str(folder / PLAYLIST), options


def _recording(target: RecordingTarget) -> tuple[str, dict[str, Any]]:
    assert target.folder is not None
    # Each packet is written at once: a killed process loses nothing, and a full disk is noticed.
    inner = ["flush_packets=1"]
    if target.container is Container.MP4:
        inner.append("movflags=+frag_keyframe+empty_moov+default_base_moof")
    options: dict[str, Any] = {
        "format": "segment",
        "segment_time": float(target.segment_duration.seconds),
        "segment_format": {
            Container.MKV: "matroska",
            Container.TS: "mpegts",
            Container.MP4: "mp4",
        }[target.container],
        "reset_timestamps": 1,
        "strftime": 1,
        "segment_format_options": ":".join(inner),
    }
    # strftime reads the whole path; with the zone, since the hour when summer ends comes twice.
    folder = Path(target.folder.replace("%", "%%"))
    return str(folder / f"%Y-%m-%dT%H-%M-%S%z.{target.container.value}"), options
