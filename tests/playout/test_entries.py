"""What comes on air and goes, frame by frame: each cue and each overlay, in loops and plan edits too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.playout.entries import Change, Entries
from vistterstream.playout.stage import Choice, Made
from vistterstream.resources.program import PlaybackState
from vistterstream.timeline.beds import beds
from vistterstream.timeline.evaluate import Picture, TimelineIndex, picture, wrap
from vistterstream.timeline.plan import (
    AudioCuePlan,
    OverlayCuePlan,
    PlaybackPlan,
    TimelinePlan,
    VideoCuePlan,
)

NAMES = {"1": "title", "2": "title", "3": "clock"}  # of the instances: the title with two texts
SOUND = np.zeros((1, 2), np.int16)


def index(
    *cues: VideoCuePlan,
    overlays: Iterable[OverlayCuePlan] = (),
    audio: Iterable[AudioCuePlan] = (),
    length: int,
    loop: bool = False,
) -> TimelineIndex:
    plan = TimelinePlan(
        name="t", length=length, loop=loop, video=cues, overlays=tuple(overlays), audio=tuple(audio)
    )
    return TimelineIndex(plan)


def cue(start: int, end: int, camera: str = "a") -> VideoCuePlan:
    return VideoCuePlan(start=start, end=end, camera=camera)


def made(timeline: TimelineIndex, position: int | None, passed: int = 0) -> Made:
    shown: Picture = picture(timeline, position)
    choice = Choice("Camera", shown.camera, "Cue") if shown.camera else Choice("Slate", "", "NoCue")
    return Made(shown, choice, None, SOUND, position, beds(timeline, passed))


def changes(timeline: TimelineIndex, positions: Iterable[int | None]) -> list[tuple[int, Change]]:
    """The changes, each with the index of its frame."""
    entries = Entries()
    noted = [
        entries.note(number, made(timeline, position, number), NAMES)
        for number, position in enumerate(positions)
    ]
    return [(number, change) for number, change in enumerate(noted) if change is not None]


def played(timeline: TimelineIndex, frames: int) -> list[tuple[int, Change]]:
    return changes(timeline, [wrap(timeline, number) for number in range(frames)])


def test_each_cue_is_told_also_where_the_picture_stays() -> None:
    found = played(index(cue(0, 5), cue(5, 9), cue(9, 12, "b"), length=12), 15)
    assert [(number, change.shown.name) for number, change in found] == [
        (0, "a"),
        (5, "a"),
        (9, "b"),
        (12, ""),
    ]


def test_overlays_are_told_as_they_come_and_go() -> None:
    overlays = [
        OverlayCuePlan(start=3, end=8, instance="1"),
        OverlayCuePlan(start=6, end=None, instance="3"),
        OverlayCuePlan(start=8, end=10, instance="2"),  # the same overlay again, right after itself
    ]
    found = played(index(cue(0, 20), overlays=overlays, length=20), 20)
    assert [(number, change.entered, change.left, change.overlays) for number, change in found] == [
        (0, (), (), ()),
        (3, ("title",), (), ("title",)),
        (6, ("clock",), (), ("title", "clock")),
        (8, ("title",), ("title",), ("clock", "title")),
        (10, (), ("title",), ("clock",)),
    ]


def test_each_round_of_a_loop_is_told() -> None:
    always = OverlayCuePlan(start=0, end=None, instance="3")
    found = played(index(cue(0, 5), overlays=[always], length=5, loop=True), 12)
    assert [(number, change.entered, change.left) for number, change in found] == [
        (0, ("clock",), ()),
        (5, ("clock",), ("clock",)),
        (10, ("clock",), ("clock",)),
    ]


@pytest.mark.parametrize("positions", [[3] * 10, [None] * 10], ids=["paused", "after the end"])
def test_what_stands_still_is_told_once(positions: list[int | None]) -> None:
    assert len(changes(index(cue(0, 5), length=5), positions)) == 1


def test_a_pause_within_a_cue_is_told_as_it_begins_and_ends() -> None:
    timeline, paused = index(cue(0, 9), length=9), PlaybackPlan(state=PlaybackState.PAUSED, frame=3)
    entries = Entries()
    told = []
    for number, playback in enumerate([None, None, paused, paused, None]):
        if entries.note(number, replace(made(timeline, 3), playback=playback), NAMES) is not None:
            told.append(number)
    assert told == [0, 2, 4]


def test_gaps_without_overlays_are_told_once_in_a_loop_too() -> None:
    assert len(played(index(cue(9, 10), length=10, loop=True), 9)) == 1
    assert [number for number, _ in played(index(cue(9, 10), length=10, loop=True), 22)] == [0, 9, 10, 19, 20]


def test_sounds_are_told_as_they_come_and_go() -> None:
    sounds = [
        AudioCuePlan(start=2, end=5, file="/media/sea.flac"),
        AudioCuePlan(start=5, end=7, file="/media/sea.flac"),  # the same again
        AudioCuePlan(start=0, end=None, file="/media/bed.wav", through=True),
    ]
    found = played(index(cue(0, 10), audio=sounds, length=10, loop=True), 13)
    assert [(number, change.sounds) for number, change in found] == [
        (0, ("bed.wav",)),
        (2, ("sea.flac", "bed.wav")),
        (5, ("sea.flac", "bed.wav")),
        (7, ("bed.wav",)),
        (10, ("bed.wav",)),  # another round, of the cue alone: the bed plays on
        (12, ("sea.flac", "bed.wav")),
    ]
    alone = played(index(audio=[sounds[2]], length=10, loop=True), 35)
    assert len(alone) == 1


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 20), st.sampled_from("123")), max_size=8),
    st.lists(st.integers(1, 9), min_size=1, max_size=6),
)
def test_entering_and_leaving_add_up_to_what_is_shown(
    overlays: list[tuple[int, int, str]], lengths: list[int]
) -> None:
    starts = [sum(lengths[:number]) for number in range(len(lengths))]
    cues = [cue(start, start + length) for start, length in zip(starts, lengths, strict=True)]
    shown = [OverlayCuePlan(start=a, end=a + length, instance=id) for a, length, id in overlays]
    timeline = index(*cues, overlays=shown, length=60)
    there: list[str] = []
    found = dict(played(timeline, 60))
    for number in range(60):
        change = found.get(number)
        if change is not None:
            for name in change.left:
                there.remove(name)
            there += change.entered
        assert sorted(there) == sorted(NAMES[id] for id, _ in picture(timeline, number).overlays)
        began = number in {one.start for one in cues} | {one.start for one in shown}
        assert change is not None or not began
    assert not there
