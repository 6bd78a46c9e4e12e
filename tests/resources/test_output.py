from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from vistterstream.resources.output import Encoding, OutputSpec, Target, Tls


def target(**form: Any) -> Target:
    return Target.model_validate({"name": "a", **form})


def test_a_target_reads_back_from_its_json_form() -> None:
    forms: tuple[dict[str, Any], ...] = (
        {"url": "rtmps://h/live", "tls": {"verify": False, "caFile": "ca.pem"}},
        {"url": "rtmp://h/live", "streamKeySecretRef": {"name": "s", "key": "k"}},
        {"url": "srt://h:9", "passphraseSecretRef": {"name": "s", "key": "k"}},
        {"hls": {}},
        {"recording": {"folder": "/srv/rec"}},
    )
    for form in forms:
        whole = target(**form)
        assert Target.model_validate(whole.dump()) == whole


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"hls": {}, "tls": {"verify": False}}, "tls: goes with rtmps"),
        ({"url": "rtmp://h/live", "tls": {"caFile": "x.pem"}}, "tls: goes with rtmps"),
        ({"hls": {}, "streamKeySecretRef": {"name": "s", "key": "k"}}, "streamKeySecretRef: goes with url"),
        (
            {"url": "srt://h:9?streamid=a", "streamKeySecretRef": {"name": "s", "key": "k"}},
            "url: the stream key",
        ),
        (
            {"url": "rtmp://h/live", "passphraseSecretRef": {"name": "s", "key": "k"}},
            "passphraseSecretRef: goes with srt addresses alone",
        ),
        (
            {"hls": {}, "passphraseSecretRef": {"name": "s", "key": "k"}},
            "passphraseSecretRef: goes with srt addresses alone",
        ),
        ({"recording": {"segmentDuration": "500ms"}}, "is not between 1s and 168h"),
    ],
)
def test_what_does_not_go_together_is_refused(form: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        target(**form)


def test_certificates_are_checked_unless_said_otherwise() -> None:
    assert target(url="rtmps://h/live").tls == Tls(verify=True)


def test_an_output_encodes_reasonably_by_default() -> None:
    spec = OutputSpec.model_validate({"program": "main", "targets": [{"name": "a", "hls": {}}]})
    assert spec.encoding == Encoding()
    assert spec.encoding.video.bitrate.bits_per_second == 4_500_000
    assert spec.encoding.video.keyframe_interval.seconds == 2


@pytest.mark.parametrize("name", ["Primary", "../up", "a/b", ""])
def test_the_name_of_a_target_can_be_a_folder(name: str) -> None:
    with pytest.raises(ValidationError, match="is not a name"):
        target(name=name, hls={})


@pytest.mark.parametrize(
    ("form", "carries"),
    [
        ({"recording": {}}, True),
        ({"recording": {"container": "ts"}}, True),
        ({"url": "srt://10.0.0.9:9000"}, True),
        ({"recording": {"container": "mp4"}}, False),
        ({"url": "rtmp://a.example.com/live"}, False),
        ({"hls": {}}, False),
    ],
)
def test_a_lossless_encoding_goes_where_it_can_be_carried(form: dict[str, Any], carries: bool) -> None:
    targets = [{"name": "a", "recording": {}}, {"name": "b", **form}]
    spec = {"program": "main", "encoding": {"lossless": True}, "targets": targets}
    if carries:
        assert OutputSpec.model_validate(spec).encoding.lossless
        return
    with pytest.raises(ValidationError, match="a lossless encoding goes into recordings"):
        OutputSpec.model_validate(spec)
    assert OutputSpec.model_validate(spec | {"encoding": {}}).targets[1].name == "b"
