from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconcile.objects import key
from vistterstream.playout.protocol import (
    CameraState,
    CameraStatus,
    DataStatus,
    EncoderStatus,
    OnAir,
    OutputState,
    OutputStatus,
    PlayoutStatus,
    SoundStatus,
    Standing,
)
from vistterstream.reconcile.observations import (
    Shown,
    complained,
    happened,
    shown,
    touched,
    unshowable,
)
from vistterstream.store.events import EventType

MAIN = key("Program", "main")


def report(**more: Any) -> PlayoutStatus:
    return PlayoutStatus(**{"pid": 1, "revision": "r", "frame": 0, "fps": 30.0, "realtime": True, **more})


def camera(state: CameraState, **more: Any) -> PlayoutStatus:
    return report(cameras={"wharf": CameraStatus(state=state, **more)})


def output(state: OutputState, **more: Any) -> PlayoutStatus:
    return report(outputs={"tape": OutputStatus(state=state, **{"active_target": "disk", **more})})


def on_air(kind: str, name: str, reason: str) -> PlayoutStatus:
    return report(on_air=OnAir(kind=kind, name=name, since=0, frame=0, reason=reason))


def loud(state: str, momentary: float = -23.0) -> PlayoutStatus:
    return report(sound=SoundStatus(momentary=momentary, peak=-3.0, state=state))


def told(before: PlayoutStatus | None, now: PlayoutStatus) -> list[str]:
    return [f"{event.regarding.kind} {event.reason}" for event in happened(MAIN, before, now)]


def test_an_overlay_is_touched_by_a_new_word_and_not_by_its_age() -> None:
    def says(text: str | None, age: float) -> PlayoutStatus:
        return report(data=[DataStatus(overlay="weather", name="wind", text=text, age=age)])

    assert touched(MAIN, says("7", 1.0), says("7", 2.0)) == set()
    assert touched(MAIN, says("7", 1.0), says("8", 0.0)) == {key("Overlay", "weather")}
    assert key("Overlay", "weather") in touched(MAIN, None, says("8", 0.0))
    assert told(says("7", 1.0), says("8", 0.0)) == []


def test_figures_touch_nobody() -> None:
    before = report(
        cameras={"wharf": CameraStatus(state=CameraState.LIVE, frames=1, frame_age=0.1)},
        encoders={"e": EncoderStatus(pid=1, speed=1.0, bitrate=1e6)},
        outputs={"tape": OutputStatus(state=OutputState.PUBLISHING, bytes=1, encoding="e")},
    )
    now = report(
        frame=30,
        fps=29.9,
        late_frames=2,
        cameras={"wharf": CameraStatus(state=CameraState.LIVE, frames=31, frame_age=0.2)},
        encoders={"e": EncoderStatus(pid=1, speed=0.9, bitrate=2e6)},
        outputs={"tape": OutputStatus(state=OutputState.PUBLISHING, bytes=9, dropped_groups=1, encoding="e")},
    )
    assert touched(MAIN, before, now) == set()
    assert told(before, now) == []


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (report(), report(revision="s"), {MAIN}),
        (report(), on_air("Camera", "wharf", "Cue"), {MAIN}),
        (report(), camera(CameraState.LIVE), {key("Camera", "wharf")}),
        (camera(CameraState.LIVE), camera(CameraState.LIVE, pid=5), {key("Camera", "wharf")}),
        (camera(CameraState.LIVE), report(), {key("Camera", "wharf")}),
        (report(), output(OutputState.CONNECTING), {key("Output", "tape")}),
        (output(OutputState.CONNECTING), output(OutputState.PUBLISHING), {key("Output", "tape")}),
        (report(), report(overlay_problems={"logo": "gone"}), {key("Overlay", "logo")}),
        (report(), loud("Silent"), {MAIN}),
        (loud("Normal"), loud("Clipping", momentary=-3.0), {MAIN}),
        (loud("Normal"), loud("Normal", momentary=-30.0), set()),
    ],
)
def test_whoever_is_said_something_else_of_is_touched(
    before: PlayoutStatus, now: PlayoutStatus, expected: set[Any]
) -> None:
    assert touched(MAIN, before, now) == expected
    assert expected <= touched(MAIN, None, now) or now == report()


def test_another_pid_of_an_encoder_touches_the_outputs_that_use_it() -> None:
    outputs = {
        name: OutputStatus(state=OutputState.PUBLISHING, encoding=id)
        for name, id in (("tape", "e"), ("live", "f"))
    }
    before, now = (
        report(outputs=outputs, encoders={"e": EncoderStatus(pid=pid), "f": EncoderStatus(pid=9)})
        for pid in (1, 2)
    )
    assert touched(MAIN, before, now) == {key("Output", "tape")}


@pytest.mark.parametrize(
    ("states", "events"),
    [
        (["CONNECTING", "LIVE"], ["CameraOnline"]),
        (["CONNECTING", "STANDBY", "LIVE", "STANDBY"], ["CameraOnline"]),
        (["LIVE", "STALLED", "LIVE"], ["CameraOnline", "CameraStalled", "CameraOnline"]),
        (["IDLE", "LIVE", "IDLE"], []),
        (["CONNECTING", "IDLE", "LIVE"], []),
        (["WAITING", "CONNECTING", "IDLE"], ["CameraOffline"]),
        (["WAITING", "IDLE", "LIVE"], ["CameraOffline", "CameraOnline"]),
        (["CONNECTING", "WAITING", "CONNECTING", "WAITING"], ["CameraOffline", "CameraOffline"]),
        (["STALLED", "WAITING"], ["CameraStalled"]),
    ],
)
def test_a_cameras_ups_and_downs_are_told_once_each(states: list[str], events: list[str]) -> None:
    before: PlayoutStatus | None = None
    said: list[str] = []
    for name in states:
        now = camera(CameraState[name])
        said += [event.split()[1] for event in told(before, now)]
        before = now
    assert said == events


def test_a_camera_that_fails_for_another_reason_is_told_again() -> None:
    refused = camera(CameraState.WAITING, reason="ConnectionRefused", message="Nothing answers.")
    denied = camera(CameraState.WAITING, reason="Unauthorized", message="The login was refused.")
    (event,) = happened(MAIN, refused, denied)
    assert (event.reason, event.message, event.type) == (
        "Unauthorized",
        "The login was refused.",
        EventType.WARNING,
    )
    assert told(denied, denied) == []


def test_the_slate_is_told_when_it_comes_when_its_reason_changes_and_when_it_goes() -> None:
    cue, backup = on_air("Camera", "wharf", "Cue"), on_air("Camera", "pier", "Backup")
    stalled, empty = on_air("Slate", "wharf", "CameraStalled"), on_air("Slate", "", "NoCue")
    assert told(cue, stalled) == ["Program SlateShown"]
    assert told(stalled, stalled) == []
    assert told(stalled, empty) == ["Program SlateShown"]
    assert told(empty, cue) == ["Program SlateGone"]
    assert told(cue, on_air("Camera", "pier", "Cue")) == [], "cuts stand in the as-run log"
    assert told(cue, backup) == ["Program BackupShown"]
    assert told(backup, backup) == []
    (planned,) = happened(MAIN, cue, empty)
    assert planned.type is EventType.NORMAL, "nothing was to be shown"
    (unplanned,) = happened(MAIN, cue, stalled)
    assert unplanned.type is EventType.WARNING


def test_an_output_that_fails_recovers_and_changes_target_is_told() -> None:
    good = output(OutputState.PUBLISHING)
    bad = output(OutputState.WAITING, reason="ConnectionRefused", message="Nothing answers.")
    spare = output(OutputState.CONNECTING, active_target="spare")
    assert told(None, good) == ["Output OutputPublishing"]
    assert told(good, bad) == ["Output OutputFailed"]
    assert told(bad, spare) == ["Output TargetChanged"]
    (event,) = happened(MAIN, good, bad)
    assert event.message == "Target disk: ConnectionRefused. Nothing answers."


def test_a_target_that_was_given_another_name_and_goes_on_is_no_other_target() -> None:
    good = output(OutputState.PUBLISHING, active_target="good", pid=7)
    assert told(good, output(OutputState.PUBLISHING, active_target="better", pid=7)) == []
    assert told(good, output(OutputState.PUBLISHING, active_target="better", pid=8)) == [
        "Output TargetChanged"
    ]


def test_a_failure_is_blamed_on_the_target_that_failed_and_not_on_the_next() -> None:
    one = output(OutputState.CONNECTING, active_target="one")
    waiting = output(
        OutputState.WAITING, active_target="two", failed_target="one", reason="Timeout", message="No answer."
    )
    events = [(event.reason, event.message) for event in happened(MAIN, one, waiting)]
    assert events == [
        ("OutputFailed", "Target one: Timeout. No answer."),
        ("TargetChanged", "From target one to two."),
    ]
    trying = output(OutputState.CONNECTING, active_target="two", failed_target="one", reason="Timeout")
    assert told(waiting, trying) == []
    failed = output(OutputState.WAITING, active_target="two", failed_target="two", reason="Timeout")
    (event,) = happened(MAIN, waiting, failed)
    assert event.message == "Target two: Timeout.", "also where nobody saw it being tried"


def test_a_change_of_target_is_told_before_the_new_one_takes_the_stream() -> None:
    before, now = output(OutputState.WAITING), output(OutputState.PUBLISHING, active_target="spare")
    assert told(before, now) == ["Output TargetChanged", "Output OutputPublishing"]


def test_an_encoder_that_was_started_again_is_told_with_the_outputs_that_use_it() -> None:
    outputs = {"tape": OutputStatus(state=OutputState.PUBLISHING, active_target="disk", encoding="e")}
    before = report(outputs=outputs, encoders={"e": EncoderStatus(restarts={"Killed": 1})})
    now = report(outputs=outputs, encoders={"e": EncoderStatus(restarts={"Killed": 2})})
    (event,) = happened(MAIN, before, now)
    assert event.message == "The encoder of tape was started again (Killed)."
    assert told(now, now) == []


def test_problems_of_overlays_and_errors_of_the_playout_are_told_once() -> None:
    now = report(overlay_problems={"logo": "no such font"}, errors=["the disk is full"])
    assert told(report(), now) == ["Overlay OverlayIncomplete", "Program PlayoutError"]
    assert told(now, now) == []


@pytest.mark.parametrize(
    ("kind", "name", "reason", "sentence"),
    [
        ("Camera", "wharf", "Cue", "Camera wharf is shown."),
        ("Camera", "pier", "Backup", "Camera pier is shown as a backup."),
        ("Slate", "wharf", "CameraStalled", "The slate is shown in place of camera wharf (CameraStalled)."),
        ("Slate", "", "NoCue", "The slate is shown (NoCue)."),
    ],
)
def test_what_is_on_air_is_a_sentence(kind: str, name: str, reason: str, sentence: str) -> None:
    assert shown(OnAir(kind=kind, name=name, since=0, frame=0, reason=reason)) == sentence


def test_a_pause_and_a_hold_are_said_and_told_as_they_begin_and_end() -> None:
    def stands(standing: Standing | None) -> PlayoutStatus:
        shown = OnAir(kind="Camera", name="pier", since=0, frame=0, reason="Cue", standing=standing)
        return report(on_air=shown)

    plays, paused = stands(None), stands(Standing(state="paused", at=90.5, since=0.0))
    held = stands(Standing(state="held", since=0.0))
    assert paused.on_air is not None
    assert shown(paused.on_air) == "Camera pier is shown; the timeline is paused at 1m30.5s."
    assert [(event.reason, event.message) for event in happened(MAIN, plays, paused)] == [
        ("TimelinePaused", "The timeline is paused at 1m30.5s.")
    ]
    assert [(event.reason, event.message) for event in happened(MAIN, paused, held)] == [
        ("TimelineHeld", "The timeline is held since 1970-01-01T00:00:00Z.")
    ]
    assert told(held, plays) == ["Program TimelineResumed"]
    assert told(None, plays) == told(held, held) == []
    assert touched(MAIN, plays, paused) == {MAIN}


def test_what_cannot_be_shown_is_a_problem_of_the_field_that_names_it() -> None:
    timeline, picture = key("Timeline", "day"), Path("/m/rot.jpg")
    files = [
        Shown(timeline, "a", picture, "/st/1a.jpg"),
        Shown(timeline, "b", picture, "/st/1a.jpg"),
        Shown(timeline, "c", Path("/m/bad.mp4"), "/m/bad.mp4"),
        Shown(timeline, "e", Path("/m/cut.mp4"), "/m/cut.mp4"),
        Shown(MAIN, "d", Path("/m/slate.png"), "/st/2b.png"),
    ]
    assert list(unshowable(files, report())) == []
    now = report(
        picture_problems={"/st/1a.jpg": "/m/rot.jpg is no picture; save it anew."},
        clip_problems={"/m/bad.mp4": "It was killed.", "/m/cut.mp4": "/m/cut.mp4 has no pictures. Mend it."},
    )
    found = list(unshowable(files, now))
    assert [(problem.key, problem.reason, problem.message) for problem in found] == [
        (timeline, "ImageUnreadable", "a: /m/rot.jpg is no picture; save it anew"),
        (timeline, "ImageUnreadable", "b: /m/rot.jpg is no picture; save it anew"),
        (timeline, "ClipUnplayable", "c: /m/bad.mp4 cannot be played: It was killed"),
        (timeline, "ClipUnplayable", "e: /m/cut.mp4 has no pictures. Mend it"),
    ]
    events = [(event.regarding, event.reason, event.message) for event in complained((), found)]
    images = "; ".join(problem.message for problem in found[:2])
    assert events == [
        (timeline, "ImageUnreadable", images),
        (timeline, "ClipUnplayable", "; ".join(problem.message for problem in found[2:])),
    ]
    assert list(complained(found, found)) == []


def test_a_sound_that_cannot_be_heard_is_told_once() -> None:
    now = report(sound_problems={"/a.mp3": "It is gone."})
    (event,) = happened(MAIN, report(), now)
    assert (event.reason, event.message) == ("SoundUnplayable", "/a.mp3 cannot be heard: It is gone.")
    assert told(now, now) == []
