from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vistterstream.resources.texts import (
    check_line,
    check_path,
    check_text,
    check_time_format,
    check_time_zone,
)


@pytest.mark.parametrize(
    "path", ["a.png", "/srv/media/a b.mp4", "../up/a.mkv", "Ünï.png", "C:/a.mp4", "a/b:c.mp4", "~/x"]
)
def test_paths_are_taken_as_they_are(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a\x00b",
        "a\nb",
        "concat:a|b",
        "file:/x",
        "rtsp://h/x",
        "subfile,,start,0,:/x",
        "pipe:0",
        "a" * 4096,
    ],
)
def test_what_ffmpeg_would_take_for_an_address_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        check_path(path)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Oslo", "America/Argentina/Ushuaia", "Etc/GMT+5"])
def test_zones_that_exist(zone: str) -> None:
    assert check_time_zone(zone) == zone


@pytest.mark.parametrize(
    "zone",
    ["", "Europe", "Europe/", "/etc/localtime", "../zoneinfo/UTC", "Mars/Base", "UTC\x00", "é", "a" * 999],
)
def test_zones_that_do_not_exist(zone: str) -> None:
    with pytest.raises(ValueError, match="there is no time zone"):
        check_time_zone(zone)


def test_the_nearest_zone_is_told() -> None:
    with pytest.raises(ValueError, match="did you mean America/New_York"):
        check_time_zone("america/newyork")


@pytest.mark.parametrize("text", ["%H:%M:%S", "%d. %B %Y", "100 %%", "%I:%M %p", "no directive"])
def test_formats_that_every_system_knows(text: str) -> None:
    assert check_time_format(text) == text
    assert datetime(2026, 5, 17, tzinfo=UTC).strftime(text)


@pytest.mark.parametrize("text", ["%", "%Q", "%-Z", "%-", "%5", "a%\n", "a\nb"])
def test_formats_that_some_do_not(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not known here|one line"):
        check_time_format(text)


def test_texts_have_lines_and_no_control_characters() -> None:
    assert check_text("a\n\tb é 😀") == "a\n\tb é 😀"
    with pytest.raises(ValueError, match="control characters"):
        check_text("a\x1b[0m")
    with pytest.raises(ValueError, match="one line"):
        check_line("a\nb")
