from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sources.manifests import BROKEN, camera, cameras, secret
from vistterstream.base.redaction import redact
from vistterstream.sources import loading
from vistterstream.sources.loading import Reading, read, read_all, where


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.yaml"


def said(path: Path, before: Reading | None = None) -> Reading:
    reading = read(path, before)
    assert reading is not None
    return reading


def test_objects_know_the_file_and_line_that_they_come_from(path: Path) -> None:
    path.write_text("# two\n" + cameras("wharf", "pier"))
    wharf, pier = said(path).objects
    assert where(wharf) == f"{path}:2"
    assert where(pier) == f"{path}:8"


def test_a_file_with_errors_gives_them_with_their_places(path: Path) -> None:
    path.write_text(camera("wharf") + "---\n" + camera("pier").replace("source", "sauce"))
    reading = said(path)
    assert [resource.metadata.name for resource in reading.objects] == ["wharf"]
    assert all(error.startswith(f"{path}:") for error in reading.errors)
    assert any("sauce" in error for error in reading.errors)


def test_an_object_that_is_in_a_file_twice_is_an_error(path: Path) -> None:
    path.write_text(cameras("wharf", "wharf"))
    assert "twice" in said(path).errors[0]


def test_the_same_bytes_are_not_parsed_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(camera("wharf"))
    before = said(path)
    monkeypatch.setattr(loading, "load", None)
    assert said(path, before).objects is before.objects


def test_after_an_edit_of_one_cue_of_many_that_cue_alone_is_parsed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cues = "".join(f"    - {{camera: wharf, duration: {n + 1}s}}\n" for n in range(30))
    head = "apiVersion: stream.vistter.io/v1alpha1\nkind: Timeline\nmetadata: {name: day}\nspec:\n  tracks:\n"
    text = head + "  - name: pictures\n    video:\n" + cues + "---\n" + camera("wharf")
    path.write_text(text)
    before = said(path)
    new = text.replace("duration: 7s}", "duration: 7s,\n       transition: {type: wipe}}")
    path.write_text(new)
    whole = said(path)
    with monkeypatch.context() as patched:
        patched.setattr(loading, "load", None)
        after = said(path, before)
        path.write_text(text)
        assert said(path, after).objects == before.objects
    assert after == whole
    assert [where(resource) for resource in after.objects] == [f"{path}:1", f"{path}:40"]
    path.write_text(new.replace("wipe", "wype"))
    assert ":15:27 spec.tracks[0].video[6].transition.type: " in said(path, after).errors[0]


def test_a_mistake_of_ours_in_reading_an_edit_leaves_the_file_to_be_read_as_a_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cues = "".join(f"    - {{camera: wharf, duration: {n + 1}s}}\n" for n in range(30))
    head = "apiVersion: stream.vistter.io/v1alpha1\nkind: Timeline\nmetadata: {name: day}\nspec:\n  tracks:\n"
    path.write_text(head + "  - name: pictures\n    video:\n" + cues)
    before = said(path)
    monkeypatch.setattr(loading, "amended", None)
    path.write_text(path.read_text().replace("duration: 7s", "duration: 8s"))
    assert said(path, before) == said(path)


def test_a_file_that_is_gone_is_left_out(path: Path) -> None:
    assert read(path, None) is None
    assert read_all([(path, None)]) == {}


def test_a_file_that_cannot_be_read_is_an_error(path: Path) -> None:
    path.symlink_to(path.name)
    assert said(path).errors == (
        f"{path}: cannot be read (Too many levels of symbolic links); make it readable for this user",
    )


def test_a_pipe_in_the_place_of_a_file_does_not_hang(path: Path) -> None:
    os.mkfifo(path)
    assert "not a regular file" in said(path).errors[0]


def test_a_huge_file_is_refused_without_reading_it_all(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(20 << 30)
    began = time.monotonic()
    assert "larger than 1 MiB" in said(path).errors[0]
    assert time.monotonic() - began < 5


def test_a_file_that_was_written_just_now_is_to_be_read_again(path: Path) -> None:
    path.write_text(camera("wharf"))
    os.utime(path)
    assert said(path).unsure
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))
    assert not said(path).unsure
    os.utime(path, (hour_ago + 7200, hour_ago + 7200))
    assert not said(path).unsure


def test_a_secret_is_masked_from_the_moment_it_was_read(path: Path) -> None:
    path.write_text(secret("youtube", "planted-in-a-manifest"))
    said(path)
    assert redact("planted-in-a-manifest") == "***"


def test_bytes_that_are_no_text_are_an_error(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00kind: Camera\x80")
    assert said(path).errors
    path.write_text(BROKEN)
    assert said(path).errors
