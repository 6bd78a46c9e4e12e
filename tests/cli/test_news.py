from __future__ import annotations

from pathlib import Path
from typing import Any

from api.serving import condition
from vistterstream.cli.news import News
from vistterstream.resources.kinds import Key


def where(key: Key, target: str) -> Path | None:
    return Path("/rec") / key.name / target if target == "disk" else None


def form(kind: str, name: str, *conditions: dict[str, Any], **status: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    return {"kind": kind, "metadata": metadata, "status": {"conditions": list(conditions), **status}}


def shows(kind: str, name: str, reason: str, frame: int = 0) -> dict[str, Any]:
    return form(
        "Program", "main", onAir={"source": {"kind": kind, "name": name}, "reason": reason, "frame": frame}
    )


def told(news: News, *forms: dict[str, Any], now: float = 0.0) -> list[str]:
    return [sentence for one in forms for sentence, _tone in news.of_object(one, now)]


def removed(news: News, form: dict[str, Any]) -> list[str]:
    return [sentence for sentence, _tone in news.of_removed(form)]


def refused(what: str = "Target primary: Nothing answers.") -> dict[str, Any]:
    return form("Output", "a", condition("Publishing", "False", "ConnectionRefused", what))


def test_what_is_on_air_is_told_when_it_changes() -> None:
    assert told(
        News(where),
        shows("Camera", "pier", "Cue"),
        shows("Camera", "pier", "Cue", 7),
        shows("Slate", "wharf", "CameraLost"),
        shows("Camera", "pier", "Backup"),
        shows("Slate", "", "NoCue"),
    ) == [
        "main shows camera pier",
        "main shows the slate: camera wharf cannot be reached; it is tried again",
        "main shows camera pier as a backup",
        "main shows the slate: the timeline has nothing to show now",
    ]


def test_a_pause_is_told_as_it_begins_and_ends() -> None:
    plays, paused = shows("Camera", "pier", "Cue"), shows("Camera", "pier", "Cue")
    paused["status"]["onAir"]["playback"] = {"state": "paused", "at": "2s"}
    assert told(News(where), plays, paused, paused, plays) == [
        "main shows camera pier",
        "main shows camera pier; paused at 2s",
        "main shows camera pier",
    ]


def test_an_output_says_where_it_goes_and_what_is_wrong() -> None:
    publishing = condition("Publishing", "True", "Publishing")
    assert told(
        News(where),
        form("Output", "a", condition("Publishing", "False", "NotCarried", "No playout carries it.")),
        form("Output", "a", condition("Publishing", "False", "Connecting", "Soon.")),
        form("Output", "a", publishing, activeTarget="primary"),
        form("Output", "b", publishing, activeTarget="disk"),
        form("Output", "a", condition("Publishing", "False", "Refused", "Target primary: it refuses.")),
        form("Output", "a", publishing, activeTarget="backup"),
    ) == [
        "output a is publishing to primary",
        "output b is recording to /rec/b/disk",
        "output a: target primary: it refuses",
        "output a is publishing to backup",
    ]


def test_a_camera_is_told_of_when_it_fails_and_when_it_is_back() -> None:
    online = form("Camera", "pier", condition("Online", "True"))
    lost = form("Camera", "pier", condition("Online", "False", "Timeout", "10.0.0.5 does not answer."))
    assert told(News(where), online, lost, online) == [
        "camera pier: 10.0.0.5 does not answer",
        "camera pier is online",
    ]


def test_problems_are_told_once_and_when_they_are_gone() -> None:
    news = News(where)
    found = [list(news.of_problems(problems)) for problems in (["a"], ["a", "b"], ["b"], [], [])]
    assert found == [[("a", "bad")], [("b", "bad")], [], [("all manifests can be read again", "good")], []]


def test_what_keeps_the_controller_from_its_work_is_told_once_and_its_end() -> None:
    news = News(where)
    found = [list(news.of_warnings(warnings)) for warnings in (["full"], ["full"], [], [])]
    assert found == [[("full", "bad")], [], [("the state folder can be written again", "good")], []]


def test_what_is_removed_is_told_and_what_comes_back_is_new() -> None:
    news = News(where)
    output = form("Output", "a", condition("Publishing", "True"), activeTarget="primary")
    camera = form("Camera", "pier", condition("Online", "True"))
    told(news, shows("Camera", "pier", "Cue"), output, camera)
    assert removed(news, form("Program", "main")) == ["main goes off air: it was removed"]
    assert removed(news, form("Output", "a")) == ["output a ended: it was removed"]
    assert removed(news, form("Camera", "pier")) == ["camera pier was removed"]
    assert removed(news, form("Overlay", "logo")) == []
    assert told(news, shows("Camera", "pier", "Cue"), output, camera) == [
        "main shows camera pier",
        "output a is publishing to primary",
    ]


def test_a_program_that_was_not_on_air_does_not_go_off_air() -> None:
    news = News(where)
    told(news, form("Program", "main", condition("Ready", "False", "Starting", "Soon.")))
    assert removed(news, form("Program", "main")) == ["program main was removed"]
    other = form("Program", "other")
    assert removed(news, other) == ["other goes off air: it was removed"], "of a run before this one"


def test_what_fails_again_and_again_is_told_at_growing_distances() -> None:
    news = News(where)
    said = [now for now in range(0, 20_000, 5) if told(news, refused(), now=now)]
    assert said == [0, 60, 300, 1260, 4860, 8460, 12060, 15660, 19260]


def test_causes_that_alternate_are_told_once_each() -> None:
    news = News(where)
    other = refused("Target backup: The platform refused the stream.")
    assert told(news, refused(), other, refused(), other, now=0) == [
        "output a: target primary: Nothing answers",
        "output a: target backup: The platform refused the stream",
    ]


def test_a_failure_after_all_was_well_is_told_at_once() -> None:
    news = News(where)
    well = form("Output", "a", condition("Publishing", "True"), activeTarget="primary")
    assert len(told(news, refused(), well, refused())) == 3
    connecting = form("Output", "a", condition("Publishing", "False", "Connecting", "Soon."))
    assert len(told(news, connecting, refused())) == 1, "it was begun anew, with an edit for instance"
