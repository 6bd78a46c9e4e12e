from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.resources.urls import (
    INPUT_SCHEMES,
    OUTPUT_SCHEMES,
    check_input_url,
    check_output_url,
    seems_to_hold_a_key,
    with_credentials,
    with_passphrase,
    with_stream_key,
)

GOOD = [
    "rtsp://10.0.0.21:554/h264Preview_01_main",
    "rtsps://cam.example.org/main?channel=1&subtype=0",
    "rtsp://[2001:db8::1]:8554/main",
    "http://cam_1/flv?port=1935&app=bcs&stream=channel0_main.bcs",
    "https://example.org/live/index.m3u8",
    "srt://example.org:9000?mode=caller&latency=200000",
    "rtmp://127.0.0.1:1935/live/cam%401",
    "rtsp://cam",
]


@pytest.mark.parametrize("url", GOOD)
def test_addresses_of_cameras_are_taken_as_they_are(url: str) -> None:
    assert check_input_url(url) == url


@pytest.mark.parametrize("url", ["rtmp://a.example/live2", "rtmps://a.example:443/live2", "srt://h:9000"])
def test_addresses_of_platforms_are_taken_as_they_are(url: str) -> None:
    assert check_output_url(url) == url


# What FFmpeg would open besides the network.
DANGEROUS = [
    "file:///etc/passwd",
    "file:/etc/passwd",
    "concat:/etc/passwd|/etc/shadow",
    "concatf:list",
    "subfile,,start,0,end,99,,:/etc/passwd",
    "pipe:0",
    "fd:0",
    "unix:/run/x.sock",
    "data:text/plain,x",
    "crypto:file:/x",
    "cache:rtsp://h/x",
    "async:rtsp://h/x",
    "tee:rtmp://a/b",
    "udp://239.0.0.1:1234",
    "tcp://h:1",
    "ftp://h/x",
    "gopher://h/x",
    "lavfi:testsrc",
    "/dev/video0",
    "../secret.mp4",
    "-version",
    "",
]


@pytest.mark.parametrize("url", DANGEROUS)
def test_nothing_but_the_listed_schemes_is_opened(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        check_input_url(url)
    with pytest.raises(ValueError, match="address"):
        check_output_url(url)


@pytest.mark.parametrize("scheme", sorted(set(INPUT_SCHEMES) - set(OUTPUT_SCHEMES)))
def test_nothing_is_sent_to_schemes_that_can_only_be_read(scheme: str) -> None:
    with pytest.raises(ValueError, match="use rtmp, rtmps or srt"):
        check_output_url(f"{scheme}://h/x")


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://admin:hunter2@cam/main",
        "rtsp://admin@cam/main",
        "rtsp://admin:hun@ter2@cam/main",
        "rtsp://admin:hun/ter2@cam/main",
        "rtsp://admin:hun?ter2@cam/main",
        "rtsp://admin:hun#ter2@cam/main",
        "rtsp://admin:1234?hunter2@cam/main",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="Secret") as error:
        check_input_url(url)
    assert "hun" not in str(error.value)
    assert "ter2" not in str(error.value)


@pytest.mark.parametrize("character", ["\n", "\r", "\t", " ", "\x00", "\x7f", "\u2028", "\x85"])
def test_white_space_and_control_characters_are_refused(character: str) -> None:
    for url in (f"rtsp://cam/{character}x", f"rtsp://cam/x{character}", f"{character}rtsp://cam/x"):
        with pytest.raises(ValueError, match="white space"):
            check_input_url(url)


@given(st.text(max_size=80))
def test_whatever_is_taken_is_of_a_listed_scheme_with_a_host_and_without_user_info(text: str) -> None:
    for candidate in (text, f"rtsp://{text}", f"rtsp://cam/{text}"):
        try:
            url = check_input_url(candidate)
        except ValueError:
            continue
        parts = urlsplit(url)
        assert parts.scheme in INPUT_SCHEMES
        assert parts.hostname
        assert parts.username is None
        assert url.isascii()
        assert url.isprintable()


class TestCredentials:
    def test_they_are_percent_encoded(self) -> None:
        url = with_credentials("rtsp://cam:554/main", "ad min", "p@:/?#[%é")
        assert url == "rtsp://ad%20min:p%40%3A%2F%3F%23%5B%25%C3%A9@cam:554/main"

    @given(
        st.text(st.characters(codec="utf-8", exclude_characters=":\x00\r\n"), min_size=1),
        st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n")),
    )
    def test_what_goes_in_can_be_read_back(self, username: str, password: str) -> None:
        parts = urlsplit(with_credentials("rtsp://cam:554/main?a=b", username, password))
        assert (parts.hostname, parts.port, parts.path, parts.query) == ("cam", 554, "/main", "a=b")
        assert unquote(parts.username or "") == username
        assert unquote(parts.password or "") == password

    def test_the_line_break_at_the_end_of_a_file_is_not_part_of_a_password(self) -> None:
        assert with_credentials("rtsp://cam/x", "a\n", "b\r\n") == "rtsp://a:b@cam/x"

    def test_srt_has_a_passphrase(self) -> None:
        assert with_credentials("srt://h:9", "", "ten & more!") == "srt://h:9?passphrase=ten%20%26%20more%21"
        url = with_credentials("srt://h:9?mode=caller", "#!::r=a", "0123456789")
        assert parse_qs(urlsplit(url).query) == {
            "mode": ["caller"],
            "passphrase": ["0123456789"],
            "streamid": ["#!::r=a"],
        }

    @pytest.mark.parametrize(
        ("url", "username", "password"),
        [
            ("rtsp://cam/x", "a:b", "hunter2"),
            ("rtmp://cam/x", "a", "hunter2/"),
            ("rtmp://cam/x", "a", "hunter2 "),
            ("srt://cam:9", "", "hunter2"),
            ("rtsp://cam/x", "a", "hunter2\x00"),
        ],
    )
    def test_what_cannot_be_carried_is_refused_and_not_repeated(
        self, url: str, username: str, password: str
    ) -> None:
        with pytest.raises(ValueError, match=r"cannot|bytes|NUL") as error:
            with_credentials(url, username, password)
        assert "hunter2" not in str(error.value)


class TestPassphrase:
    def test_it_is_encoded_into_the_query(self) -> None:
        assert with_passphrase("srt://h:9", "ten & more!\n") == "srt://h:9?passphrase=ten%20%26%20more%21"
        url = with_stream_key(with_passphrase("srt://h:9?mode=caller", "é" * 39), "#!::r=a")
        assert parse_qs(urlsplit(url).query) == {
            "mode": ["caller"],
            "passphrase": ["é" * 39],
            "streamid": ["#!::r=a"],
        }

    @pytest.mark.parametrize("passphrase", ["", "hunter2 x", "hunter2" * 12, "é" * 40, "hunter2 hun\x00ter2"])
    def test_one_that_srt_cannot_carry_is_refused_and_not_shown(self, passphrase: str) -> None:
        with pytest.raises(ValueError, match=r"10 to 79 bytes|NUL") as error:
            with_passphrase("srt://h:9", passphrase)
        assert "hunter2" not in str(error.value)

    def test_one_in_the_address_is_refused_with_where_it_belongs(self) -> None:
        for check in (check_input_url, check_output_url):
            with pytest.raises(ValueError, match="passphraseSecretRef") as error:
                check("srt://h:9?passphrase=hunter2hunter2")
            assert "hunter2" not in str(error.value)


class TestStreamKey:
    @pytest.mark.parametrize(
        ("url", "key", "whole"),
        [
            ("rtmps://h/live2", "abcd-efgh", "rtmps://h/live2/abcd-efgh"),
            ("rtmps://h/live2/", "abcd-efgh\n", "rtmps://h/live2/abcd-efgh"),
            ("rtmps://h:443/rtmp/", "FB-1-0?s_bl=1&s_ps=1", "rtmps://h:443/rtmp/FB-1-0?s_bl=1&s_ps=1"),
            ("rtmp://h/live?token=1", "key", "rtmp://h/live/key?token=1"),
            (
                "srt://h:9000",
                "#!::r=live,m=publish",
                "srt://h:9000?streamid=%23%21%3A%3Ar%3Dlive%2Cm%3Dpublish",
            ),
            ("srt://h:9000?mode=caller", "a&b", "srt://h:9000?mode=caller&streamid=a%26b"),
        ],
    )
    def test_it_stands_where_the_platform_looks_for_it(self, url: str, key: str, whole: str) -> None:
        assert with_stream_key(url, key) == whole

    @pytest.mark.parametrize(
        ("url", "key"),
        [
            ("rtmp://h/live", ""),
            ("rtmp://h/live", "\n"),
            ("rtmp://h/live", "abcd efgh"),
            ("rtmp://h/live?a=1", "abcd?b=2"),
            ("srt://h:9", "abcd" * 129),
        ],
    )
    def test_what_cannot_be_carried_is_refused_and_not_repeated(self, url: str, key: str) -> None:
        with pytest.raises(ValueError, match="stream") as error:
            with_stream_key(url, key)
        assert "abcd" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "seems"),
    [
        ("rtmp://127.0.0.1:1935/live", False),
        ("rtmp://127.0.0.1:1935/live/", False),
        ("rtmps://a.rtmps.youtube.com/live2", False),
        ("rtmp://example.org/live/wharf-cam", False),
        ("rtmp://example.org/live/harbour-and-lighthouse", False),
        ("srt://example.org:9000?mode=caller", False),
        ("rtmp://example.org/live/a/b", True),
        ("rtmps://a.rtmps.youtube.com/live2/abcd-efgh-ijkl-mnop-qrst", True),
        ("rtmp://live.twitch.tv/app/live_123456789_AbCdEfGhIjKlMn", True),
        ("rtmps://live-api-s.facebook.com:443/rtmp/FB-123456789-0-AbCdEf", True),
        ("rtmp://example.org/live/5f2b1c9e7d3a4b6c", True),
    ],
)
def test_a_stream_key_in_an_address_is_suspected(url: str, seems: bool) -> None:
    assert check_output_url(url) == url
    assert seems_to_hold_a_key(url) is seems
