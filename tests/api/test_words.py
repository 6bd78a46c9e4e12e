from __future__ import annotations

from typing import Any

import pytest

from api.serving import condition
from vistterstream.api import words
from vistterstream.playout.stage import _FILE_REASONS, _SLATE_REASONS


def form(kind: str, *conditions: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "x"}, "status": {"conditions": list(conditions), **status}}


def on_air(kind: str, name: str, reason: str) -> dict[str, Any]:
    return {"source": {"kind": kind, "name": name}, "reason": reason}


@pytest.mark.parametrize(
    ("shown", "title", "reason"),
    [
        (on_air("Camera", "pier", "Cue"), "pier", "as the timeline says"),
        (
            on_air("Camera", "pier", "Backup"),
            "pier",
            "as a backup, while the planned camera has nothing to show",
        ),
        (on_air("Slate", "", "NoCue"), "Slate", "the timeline has nothing to show now"),
        (on_air("Slate", "wharf", "CameraStalled"), "Slate", "camera wharf has stopped sending pictures"),
        (on_air("Slate", "wharf", "SomethingNew"), "Slate", "camera wharf: SomethingNew"),
        (on_air("Slate", "a.mp4", "ClipMissing"), "Slate", "clip a.mp4 cannot be played"),
        (on_air("Slate", "a.mp4", "ClipStarting"), "Slate", "clip a.mp4 is being opened"),
        (on_air("Slate", "a.jpg", "ImageMissing"), "Slate", "image a.jpg cannot be shown"),
    ],
)
def test_what_is_on_air_is_said_with_its_reason(shown: dict[str, Any], title: str, reason: str) -> None:
    assert (words.on_air_title(shown), words.on_air_reason(shown)) == (title, reason)


@pytest.mark.parametrize(
    ("playback", "said"),
    [
        ({"state": "paused", "at": "2s"}, "paused at 2s"),
        ({"state": "paused", "since": "2026-05-17T10:00:00Z"}, "paused since 2026-05-17T10:00:00Z"),
        ({"state": "held", "since": "2026-05-17T10:00:00Z"}, "held since 2026-05-17T10:00:00Z"),
    ],
)
def test_a_timeline_that_does_not_go_on_is_said(playback: dict[str, str], said: str) -> None:
    shown = {**on_air("Camera", "pier", "Cue"), "playback": playback}
    assert words.standing(shown) == said
    assert words.on_air_reason(shown) == f"as the timeline says; {said}"


@pytest.mark.parametrize(
    "reason", sorted({*_SLATE_REASONS.values(), *_FILE_REASONS.values(), "CameraMissing"})
)
def test_every_reason_for_a_slate_has_words(reason: str) -> None:
    sentence = words.on_air_reason(on_air("Slate", "wharf", reason))
    assert "wharf" in sentence
    assert reason not in sentence


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], words.State("Unknown", "idle")),
        ([condition("Online", "True", "Live")], words.State("Online", "good")),
        ([condition("Online", "Unknown", "NotUsed", "Nobody.")], words.State("NotUsed", "idle", "Nobody.")),
        ([condition("Online", "False", "Connecting", "Soon.")], words.State("Connecting", "warn", "Soon.")),
        ([condition("Online", "False", "Unauthorized", "No.")], words.State("Unauthorized", "bad", "No.")),
        ([condition("Ready", "False", "Invalid", "Bad.")], words.State("Invalid", "bad", "Bad.")),
        (
            [condition("Online", "True", "Live"), condition("Ready", "False", "Stale", "Old.")],
            words.State("Online", "good", "Old."),
        ),
    ],
)
def test_the_state_of_a_camera(conditions: list[dict[str, Any]], expected: words.State) -> None:
    assert words.camera_state(form("Camera", *conditions)) == expected


def test_the_state_of_a_program() -> None:
    assert words.program_state(form("Program")).word == "OffAir"
    failed = form("Program", condition("Ready", "False", "PlayoutFailed", "It failed."))
    assert words.program_state(failed) == words.State("OffAir", "bad", "It failed.")
    shown = form("Program", condition("Ready", "True"), onAir=on_air("Camera", "pier", "Cue"))
    assert words.program_state(shown) == words.State("OnAir", "good")
    slate = form("Program", onAir=on_air("Slate", "pier", "CameraLost"))
    assert words.program_state(slate) == words.State("OnAir", "warn")


def test_an_output_that_nothing_carries_says_why_it_is_not_ready() -> None:
    unused = condition("Publishing", "False", "NotCarried", "No playout carries it.")
    dangling = condition("Ready", "False", "ProgramNotFound", "There is no program.")
    expected = words.State("ProgramNotFound", "bad", "There is no program.")
    assert words.output_state(form("Output", dangling, unused)) == expected


def test_the_state_of_an_output() -> None:
    assert words.output_state(form("Output", condition("Publishing", "True"))).tone == "good"
    assert words.output_state(form("Output", condition("Publishing", "False", "NotCarried"))).tone == "idle"
    assert words.output_state(form("Output", condition("Publishing", "False", "Rejected"))).tone == "bad"


def test_a_picture_is_described_as_far_as_it_is_known() -> None:
    video = {"codec": "h264", "width": 640, "height": 360, "frameRate": "25"}
    assert words.picture(form("Camera", video=video)) == "640x360 h264 25/s"
    assert words.picture(form("Camera", video={"codec": "h264"})) == "h264"
    assert words.picture(form("Camera")) == ""
