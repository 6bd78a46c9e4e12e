"""Secrets stay out of everything that is read, in whatever form they come."""

from __future__ import annotations

import base64
import html
import threading
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.base.redaction import Redactor, redact_url

HARD = [
    "p@ss:w/rd%#?&",
    "a b+c",
    "öäü€",
    "tail@@",
    "12345678",
    "back\\slash",
    "quote'quote\"",
    "br[ac]k(e)t*s",
    "long" * 200,
]
SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="*"), min_size=4
).filter(lambda text: len(text.strip()) >= 4)


@pytest.mark.parametrize("secret", HARD)
@pytest.mark.parametrize(
    "encode",
    [
        str,
        lambda text: quote(text, safe=""),
        quote,
        quote_plus,
        lambda text: quote(text, safe="!'()*"),  # JavaScript's encodeURIComponent
        lambda text: quote(text, safe="").lower(),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
        lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    ],
    ids=["plain", "quote all", "quote", "plus", "javascript", "lower", "base64", "unpadded", "urlsafe"],
)
def test_a_known_secret_is_masked_in_every_encoding(secret: str, encode: object) -> None:
    assert callable(encode)
    form = encode(secret)
    if form == secret.lower() != secret:
        pytest.skip("nothing in it is percent-encoded")
    said = Redactor([secret])(f"connecting with {form}, then again ({form})")
    assert said == "connecting with ***, then again (***)"


@pytest.mark.parametrize("user", ["", "a", "jo", "joe", "öre", "admin"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("secret", [secret for secret in HARD if len(secret.encode()) > 5])
def test_a_password_behind_its_user_is_masked_in_base64(
    secret: str, user: str, encode: Callable[[bytes], bytes]
) -> None:
    form = encode(f"{user}:{secret}".encode()).decode()
    said = Redactor([secret])(f"Authorization: Basic {form}")
    assert "***" in said
    left = said.removeprefix("Authorization: Basic ").replace("***", "").rstrip("=")
    # What is left says the user, and a few bits of the first and the last octet.
    assert len(left) <= len(encode(f"{user}:".encode())) + 2


@pytest.mark.slow
@given(SECRETS, st.text(), st.text())
def test_a_known_secret_never_comes_through(secret: str, before: str, after: str) -> None:
    said = Redactor([secret])(f"{before} {secret} {after}")
    if secret.strip() not in f"{before}|{after}":
        assert secret.strip() not in said.replace("***", "\0")


@pytest.mark.slow
@given(st.lists(SECRETS, min_size=2, max_size=5))
def test_a_secret_that_holds_another_is_masked_as_a_whole(secrets: list[str]) -> None:
    whole = "-".join(secrets).strip()
    assert Redactor([*secrets, whole])(f"<{whole}>") == "<***>"


def test_the_line_break_of_a_secret_from_a_file_is_not_part_of_it() -> None:
    assert Redactor(["open sesame\n"])("said open sesame.") == "said ***."


def test_a_value_too_short_to_be_a_secret_leaves_sentences_readable() -> None:
    assert Redactor(["on", ""])("The camera is on.") == "The camera is on."


def test_what_is_learned_later_is_masked_too_and_what_was_known_stays() -> None:
    redactor = Redactor(["first-secret"])
    assert redactor("first-secret second-secret") == "*** second-secret"
    redactor.learn(["second-secret"])
    redactor.learn(["second-secret"])
    assert redactor("first-secret second-secret") == "*** ***"


@pytest.mark.slow
def test_learning_while_others_mask_is_safe() -> None:
    redactor = Redactor(["secret-0000"])
    failures: list[str] = []

    def mask() -> None:
        for _ in range(500):
            said = redactor("secret-0000 rtmp://h/a/k")
            if said != "*** rtmp://h/a/***":
                failures.append(said)

    threads = [threading.Thread(target=mask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(100):
        redactor.learn([f"secret-{number:04}"])
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://10.0.0.2:554/h264", "rtsp://10.0.0.2:554/h264"),
        ("rtsp://joe:pw@10.0.0.2:554/h264", "rtsp://***@10.0.0.2:554/h264"),
        ("rtsp://joe@10.0.0.2/", "rtsp://***@10.0.0.2/"),
        ("rtsp://joe:p@ss@host/x", "rtsp://***@host/x"),
        ("rtsp://joe:p/ss@host/x", "rtsp://***@host/x"),
        ("RTSP://joe:p:s%40@host/x", "RTSP://***@host/x"),
        ("http://host/a.m3u8?token=abc", "http://host/a.m3u8?***"),
        ("http://host/a#frag", "http://host/a#***"),
        ("rtmp://host/live2/key-1234", "rtmp://host/live2/***"),
        ("rtmps://host:443/live2/a/key-1234?backup=1", "rtmps://host:443/live2/a/***?***"),
        ("RTMPS://host/live2/key", "RTMPS://host/live2/***"),
        ("rtmp://host/live2/", "rtmp://host/live2/"),
        ("srt://host:9000?streamid=key&passphrase=1234567890", "srt://host:9000?***"),
        ("rtmp://host", "rtmp://host"),
        ("no address", "no address"),
    ],
)
def test_an_address_loses_what_is_secret_in_it(url: str, shown: str) -> None:
    assert redact_url(url) == shown
    assert Redactor()(f"to {url} now") == f"to {shown} now"


@given(
    st.sampled_from(["rtsp", "rtmp", "http", "srt", "rtmps"]),
    st.text(st.sampled_from("abcXYZ019@:/%#?&=.,;!$+*~()[]"), min_size=1, max_size=12),
)
def test_a_password_is_masked_even_when_nobody_encoded_it(scheme: str, noise: str) -> None:
    password = f"Pw{noise}dW"
    url = f"{scheme}://admin:{password}@10.0.0.2/app/x"
    for said in (redact_url(url), Redactor()(f"cannot open {url}: refused")):
        assert "admin" not in said
        assert password not in said
        assert "Pw" not in said
        assert "dW" not in said


@pytest.mark.parametrize("quote_mark", ["'", '"', "<"])
def test_an_address_in_quotes_ends_at_the_quote(quote_mark: str) -> None:
    said = Redactor()(f"Error opening output {quote_mark}rtmp://host/live/key{quote_mark}: refused")
    assert said == f"Error opening output {quote_mark}rtmp://host/live/***{quote_mark}: refused"


def test_a_secret_in_html_is_masked_where_it_needs_no_escaping() -> None:
    assert Redactor(["plain-secret"])(html.escape("<b>plain-secret</b>")) == "&lt;b&gt;***&lt;/b&gt;"
