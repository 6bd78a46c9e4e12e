"""Whole timelines, of every sort of cue, made up: what holds of each that contradicts nothing."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.objects import camera, graphics, overlay, program, text, timeline, video
from vistterstream.resources.kinds import Timeline
from vistterstream.resources.timecode import DROP_RATES, text_of
from vistterstream.resources.timeline import TransitionType
from vistterstream.timeline.beds import beds
from vistterstream.timeline.compile import Compiled, PlanError, compile_plan
from vistterstream.timeline.evaluate import TimelineIndex, elapsed, picture, position, round_half_up, wrap
from vistterstream.timeline.parts import NOTHING, Parts
from vistterstream.timeline.plan import Plan, PlanText, TimelinePlan

RATES = ["15", "24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60"]
NTSC = Fraction(30000, 1001)
SECOND_NS = 10**9
SYNCED = [
    {
        "name": "s",
        "rectangle": {"width": 9, "height": 9, "color": "#FFFFFF"},
        "tracks": [
            {
                "property": "x",
                "sync": "goal",
                "keyframes": [{"at": "0f", "value": 0}, {"at": "1s", "value": 9}],
            }
        ],
    }
]
"""A layer whose track counts from a cue point that some of the timelines have."""
YEAR_HOURS = 365 * 24


@dataclass(frozen=True)
class Show:
    """A timeline with those that it shows, and the rate of its program."""

    outer: Timeline
    inner: tuple[Timeline, ...]
    rate: str
    ends: tuple[Fraction, ...] = ()
    """The exact frame at which each of the outer timeline's video cues is over."""

    def compiled(self, parts: Parts = NOTHING) -> Compiled:
        return compile_plan(
            program(self.rate),
            timeline=self.outer,
            timelines={one.metadata.name: one for one in (self.outer, *self.inner)},
            overlays={name: overlay(name, text("t", "{{ title }}"), *SYNCED) for name in "xyz"},
            cameras={name: camera(name) for name in "abc"},
            outputs=(),
            resolve=lambda _owner, path, _kind: f"/{path}",
            hls_folder=lambda *_: "",
            recording_folder=lambda *_: "",
            parts=parts,
        )

    def plan(self) -> TimelinePlan:
        plan = self.compiled().plan.timeline
        assert plan is not None
        return plan


def named(name: str, *tracks: dict[str, Any], **spec: Any) -> Timeline:
    made = timeline(*tracks, **spec)
    return made.model_copy(update={"metadata": made.metadata.model_copy(update={"name": name})})


# --- making them up -------------------------------------------------------------------------------------


@st.composite
def lengths(draw: st.DrawFn, rate: Fraction) -> tuple[str, Fraction]:
    """A duration of a frame or longer, as written and in frames."""
    sort = draw(st.sampled_from(["frames", "timecode", "milliseconds"]))
    frames = draw(st.integers(1, 90))
    if sort == "frames":
        return f"{frames}f", Fraction(frames)
    if sort == "timecode":
        return text_of(frames, rate, drop=rate in DROP_RATES and draw(st.booleans())), Fraction(frames)
    milliseconds = draw(st.integers(math.ceil(1000 / rate), 4000))
    return f"{milliseconds}ms", Fraction(milliseconds, 1000) * rate


@st.composite
def transitions(draw: st.DrawFn, longest: int) -> dict[str, Any]:
    """A transition of at most so many frames."""
    kind = draw(st.sampled_from(TransitionType))
    if kind is TransitionType.CUT:
        return {"type": "cut"}
    how: dict[str, Any] = {"type": kind.value, "duration": f"{draw(st.integers(1, longest))}f"}
    if kind in (TransitionType.WIPE, TransitionType.SLIDE, TransitionType.PUSH):
        how["direction"] = draw(st.sampled_from(["left", "right", "up", "down"]))
    if kind is TransitionType.WIPE:
        how["softness"] = draw(st.sampled_from([0, 0.25, 1]))
    if kind is TransitionType.FADE_THROUGH_BLACK:
        how["color"] = "#204080"
    if draw(st.booleans()):
        how["sound"] = draw(st.sampled_from(["equalGain", "equalPower"]))
    how["easing"] = draw(st.sampled_from(["linear", "easeInOut", "hold", "cubic-bezier(0.5, -1, 0.5, 2)"]))
    return how


@st.composite
def video_tracks(
    draw: st.DrawFn, rate: Fraction, inner: tuple[str, ...]
) -> tuple[dict[str, Any], tuple[Fraction, ...]]:
    """A track of video, and the exact frames at which its cues are over."""
    cues, ends, end = [], list[Fraction](), Fraction(0)
    sources: list[dict[str, Any]] = [{"camera": name} for name in ("a", "b", "c", "gone")]
    sources += [{"image": {"file": "x.png"}}, {"slate": {}}, *({"timeline": name} for name in inner)]
    sources += [{"camera": "a", "preset": "bridge"}, {"file": {"path": "x.mp4"}}]
    sources += [{"file": {"path": "x.mp4", "in": "00:00:02:03", "atEnd": "loop"}}]
    for _ in range(draw(st.integers(1, 6))):
        cue = dict(draw(st.sampled_from(sources)))
        written, length = draw(lengths(rate))
        if draw(st.integers(0, 3)) == 0:
            end = Fraction(math.ceil(end) + draw(st.integers(0, 20)))
            cue["at"] = f"{end}f"
        cue["duration"] = written
        # What comes first in an inner timeline is a frame long, at least.
        longest = 1 if "timeline" in cue else math.floor(length)
        cue["transition"] = draw(transitions(longest))
        if draw(st.booleans()):
            cue["audio"] = draw(st.sampled_from([{"mute": True}, {"gain": "-6dB"}, {"gain": "+3.5dB"}]))
        end += length
        cues.append(cue)
        ends.append(end)
    return video(*cues), tuple(ends)


@st.composite
def overlay_tracks(draw: st.DrawFn, rate: Fraction, last: int, name: str) -> dict[str, Any]:
    """Overlay cues that start before frame `last`."""
    cues = []
    for _ in range(draw(st.integers(1, 4))):
        cue: dict[str, Any] = {"overlay": draw(st.sampled_from(["x", "y", "z", "gone"]))}
        cue["at"] = f"{draw(st.integers(0, last - 1))}f"
        if draw(st.booleans()):
            cue["duration"] = draw(lengths(rate))[0]
        if draw(st.booleans()):
            cue["values"] = {"title": draw(st.sampled_from(["One", "\u05d0"]))}
        if draw(st.booleans()):
            cue["layer"] = draw(st.integers(-2, 2))
        for how in ("enter", "exit"):
            if draw(st.integers(0, 3)) == 0:
                cue[how] = {"duration": draw(lengths(rate))[0], "slide": "left"}
        if draw(st.integers(0, 3)) == 0:  # the points p and q are at frames 0 and `last`
            cue |= {"cue": "p", "until": "q"}
            cue.pop("duration", None)
        cues.append(cue)
    return graphics(*cues, name=name)


@st.composite
def looped_tracks(draw: st.DrawFn, rate: Fraction, name: str) -> dict[str, Any]:
    """Overlays or sounds that start again and again, once a second or more slowly."""
    length = math.ceil(rate) + draw(st.integers(0, 40))
    cue: dict[str, Any] = {"at": f"{length - 3}f", "duration": "3f"}
    if draw(st.booleans()):
        return graphics({"overlay": "x", **cue}, name=name) | {"loop": True}
    return {"name": name, "audio": [{"file": "sea.flac", **cue}], "loop": True}


@st.composite
def audio_tracks(draw: st.DrawFn, rate: Fraction, last: int, name: str) -> dict[str, Any]:
    """Sounds that start before frame `last`; each ends before the next, or stays."""
    cues, at = [], draw(st.integers(0, last - 1))
    for _ in range(draw(st.integers(1, 3))):
        written, length = draw(lengths(rate))
        cues.append({"file": "sea.flac", "at": f"{at}f", "duration": written, "loop": draw(st.booleans())})
        at = math.ceil(at + length)
    if draw(st.booleans()):
        cues[-1].update(gain="-12dB", fadeIn="1f", fadeOut="1f", duck={"amount": "-9dB"})
        cues[-1]["curve"] = [{"at": "0s", "gain": "-60dB"}, {"at": "1s", "gain": "0dB"}]
    return {"name": name, "audio": cues}


@st.composite
def timelines(draw: st.DrawFn, rate: Fraction, name: str, inner: tuple[str, ...] = ()) -> Any:
    """A timeline that contradicts nothing, and the exact ends of its video cues."""
    track, ends = draw(video_tracks(rate, inner))
    last = math.floor(ends[-1])
    tracks = [track, *(draw(overlay_tracks(rate, last, f"g{n}")) for n in range(draw(st.integers(0, 2))))]
    if draw(st.booleans()):
        tracks.append(draw(audio_tracks(rate, last, "sound")))
    if draw(st.booleans()):
        tracks.append(draw(looped_tracks(rate, "again")))
    points = [{"name": "p", "at": "0f"}, {"name": "q", "at": text_of(last, rate)}]
    if draw(st.booleans()):
        points.append({"name": "goal", "at": f"{draw(st.integers(0, 500))}f"})
    spec: dict[str, Any] = {"loop": draw(st.booleans()), "cuePoints": points}
    if draw(st.booleans()):
        spec["anchor"] = draw(
            st.sampled_from(
                [
                    {"start": "2026-05-17T09:30:00.001+02:00"},
                    {"daily": {"time": "02:30", "timeZone": "Europe/Oslo"}},
                ]
            )
        )
    return named(name, *tracks, **spec), ends


@st.composite
def shows(draw: st.DrawFn) -> Show:
    rate = draw(st.sampled_from(RATES))
    exact = Fraction(rate)
    inner = tuple(draw(timelines(exact, name))[0] for name in ("in", "deep")[: draw(st.integers(0, 2))])
    outer, ends = draw(timelines(exact, "day", tuple(one.metadata.name for one in inner)))
    return Show(outer, inner, rate, ends)


# --- what holds -----------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(shows())
def test_each_compiles_to_a_plan_in_order_that_can_be_read_again(show: Show) -> None:
    made = show.compiled()
    plan = made.plan.timeline
    assert plan is not None
    assert Plan.model_validate_json(made.plan.model_dump_json(by_alias=True)) == made.plan
    assert plan.length >= round_half_up(show.ends[-1])
    for earlier, later in pairwise(plan.video):
        assert earlier.end <= later.start
    for cue in plan.video:
        assert 0 <= cue.start < cue.end <= plan.length
        assert cue.fade <= cue.end - cue.start
    along = [(cue.start, cue.end) for cue in plan.overlays]
    along += [(cue.start, cue.end) for cue in plan.audio]
    for start, end in along:
        assert 0 <= start < (end or plan.length) <= plan.length
    assert {round_half_up(end) for end in show.ends} <= {
        *(cue.end for cue in plan.video),
        *(cue.start for cue in plan.video),
        *_unseen_ends(show, plan),
    }
    for problem in made.problems:
        known = ("there is no ", "neither the cue nor the Program", "lasts less than a frame", "no cue point")
        assert any(words in problem.message for words in known), problem


def _unseen_ends(show: Show, plan: TimelinePlan) -> set[int]:
    """Ends of cues that play a timeline which is over before: nothing in the plan need end there."""
    cues = show.outer.spec.tracks[0].video or ()
    return {
        round_half_up(end) for cue, end in zip(cues, show.ends, strict=True) if cue.timeline is not None
    } | {plan.length}


@pytest.mark.slow
@st.composite
def edits(draw: st.DrawFn) -> list[Show]:
    """A show, and what becomes of it: other timelines take the place of some that it shows, or of all."""
    versions = [draw(shows()) for _ in range(2)]
    steps = [versions[0]]
    for _ in range(draw(st.integers(1, 3))):
        source = draw(st.sampled_from(versions))
        inner = tuple(
            draw(st.sampled_from([old, new])) for old, new in zip(steps[-1].inner, source.inner, strict=False)
        )
        outer = draw(st.sampled_from([steps[-1].outer, source.outer]))
        steps.append(
            Show(outer, inner or source.inner, draw(st.sampled_from([show.rate for show in versions])))
        )
    return steps


def _outcome(show: Show, parts: Parts = NOTHING) -> tuple[object, Parts]:
    """What compiling comes to, an error too, and the parts for the next."""
    try:
        compiled = show.compiled(parts)
    except PlanError as error:
        return str(error), parts
    return (compiled.plan, compiled.plan.text, compiled.problems), compiled.parts


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(edits())
def test_what_is_taken_over_from_the_plan_before_makes_no_difference(steps: list[Show]) -> None:
    parts = NOTHING
    for show in steps:
        outcome, parts = _outcome(show, parts)
        anew, own = _outcome(show)
        assert outcome == anew
        if not isinstance(anew, str):  # nothing piles up over the edits
            assert len(parts.video) == len(own.video)
            assert parts.overlays.keys() == own.overlays.keys()
            assert parts.instances.keys() == own.instances.keys()


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(shows(), shows())
def test_a_plan_reads_back_from_its_lines_whatever_plan_was_before(show: Show, other: Show) -> None:
    plan, before = show.compiled().plan, other.compiled().plan
    assert json.loads(plan.text) == plan.dump()
    read = Plan.read(PlanText.of(plan.text), before)
    assert read == plan == Plan.model_validate_json(plan.text)
    assert read.text == plan.text == Plan.model_validate_json(plan.text).text


def test_a_cue_that_stays_as_it_is_is_the_same_object_in_the_next_plan() -> None:
    def show(last: str) -> Show:
        cues = [
            {"camera": name, "duration": "5s", "transition": {"type": "wipe"}} for name in ("a", "b", last)
        ]
        return Show(
            timeline(video(*cues), graphics({"overlay": "x", "at": "1s", "duration": "2s"})), (), "30"
        )

    first = show("a").compiled()
    second = show("c").compiled(first.parts)
    before, after = first.plan.timeline, second.plan.timeline
    assert before is not None
    assert after is not None
    assert [one is other for one, other in zip(before.video, after.video, strict=True)] == [True, True, False]
    assert before.overlays[0] is after.overlays[0]
    assert first.plan.overlays[0] is second.plan.overlays[0]


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(shows(), st.integers(-(10**6), 10**6), st.randoms(use_true_random=False))
def test_a_frame_does_not_depend_on_which_were_asked_for_before(
    show: Show, seconds: int, order: random.Random
) -> None:
    """Through the whole way from the program's frame: anchors by day and instant, loops, transitions."""
    plan, rate = show.plan(), Fraction(show.rate)
    epoch = 1_779_003_000 * SECOND_NS + seconds * SECOND_NS // 7
    frames = [order.randrange(-(10**6), 10**7) for _ in range(60)]
    frames += [frame + step for frame in frames[:20] for step in (1, plan.length)]

    def shown(index: TimelineIndex, number: int) -> Any:
        found = picture(index, position(index, number, rate, epoch))
        return found, found.lengths, beds(index, elapsed(index, number, rate, epoch))

    index = TimelineIndex(plan)
    forward = {number: shown(index, number) for number in sorted(frames)}
    order.shuffle(frames)
    assert {number: shown(index, number) for number in frames} == forward
    alone = order.sample(frames, 10)
    assert [shown(TimelineIndex(plan), number) for number in alone] == [forward[n] for n in alone]


Cues = list[dict[str, Any]]
SOURCES: Cues = [
    {"camera": "a"},
    {"camera": "b", "preset": "bridge"},
    {"slate": {}},
    {"image": {"file": "x.png"}},
    {"file": {"path": "x.mp4", "in": "1s"}},
]
CURVE = [{"at": "0f", "gain": "-60dB"}, {"at": "9f", "gain": "0dB"}]
GAINS = {"0dB": "-6dB", "-3dB": "-9dB", "+2.5dB": "-3.5dB"}
"""Gains of cues, and what they are in a cue of -6 dB."""


@dataclass(frozen=True)
class Content:
    """What stands in a timeline of `length`: times in ms, which are exact at every rate."""

    pictures: Cues
    overlays: Cues
    sounds: Cues
    length: int

    def tracks(self, laps: list[int], before: Cues, gains: Mapping[str, str] = MappingProxyType({})) -> Cues:
        """The tracks with this once from each of these times on, after the pictures `before`, and with other
        gains.
        """

        def over_and_over(cues: Cues) -> Cues:
            return [cue for lap in laps for cue in _moved(cues, lap, lap + self.length)]

        tracks = [video(*before, *(_gained(cue, gains) for cue in over_and_over(self.pictures)))]
        if self.overlays:
            tracks.append(graphics(*over_and_over(self.overlays)))
        if self.sounds:
            sounds = [
                cue | {"gain": gains.get(cue["gain"], cue["gain"])} for cue in over_and_over(self.sounds)
            ]
            tracks.append({"name": "sounds", "audio": sounds})
        return tracks


def _moved(cues: Cues, by: int, end: int) -> Cues:
    """The cues, later, and cut off at `end`."""
    return [
        {**cue, "at": f"{cue['at'] + by}ms", "duration": f"{min(cue['duration'], end - by - cue['at'])}ms"}
        for cue in cues
        if cue["at"] + by < end
    ]


def _gained(cue: dict[str, Any], gains: Mapping[str, str]) -> dict[str, Any]:
    gain = cue["audio"]["gain"]
    return cue | {"audio": {"gain": gains.get(gain, gain)}}


@st.composite
def contents(draw: st.DrawFn) -> Content:
    """Pictures without gaps, overlays and sounds that all end."""
    pictures: Cues = []
    total = 0
    for _ in range(draw(st.integers(1, 4))):
        length = draw(st.integers(100, 3000))
        how = draw(transitions(1))
        how |= {"duration": "67ms"} if "duration" in how else {}
        audio = {"gain": draw(st.sampled_from(sorted(GAINS)))}
        cue = {**draw(st.sampled_from(SOURCES)), "transition": how, "audio": audio}
        pictures.append(cue | {"at": total, "duration": length})
        total += length
    return Content(pictures, draw(some_overlays(total)), draw(some_sounds(total)), total)


@st.composite
def some_overlays(draw: st.DrawFn, total: int) -> Cues:
    found: Cues = []
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, total - 1))
        cue: dict[str, Any] = {"overlay": draw(st.sampled_from("xyz")), "layer": draw(st.integers(-1, 1))}
        if draw(st.booleans()):
            cue["enter"] = {"duration": "5f"}
        found.append(cue | {"at": at, "duration": draw(st.integers(1, total - at))})
    return found


@st.composite
def some_sounds(draw: st.DrawFn, total: int) -> Cues:
    found: Cues = []
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, total - 1))
        length = draw(st.integers(1, total - at))
        cue: dict[str, Any] = {"file": "sea.flac", "loop": draw(st.booleans())}
        cue["gain"] = draw(st.sampled_from(sorted(GAINS)))
        if draw(st.booleans()):
            cue |= {"fadeIn": f"{length}ms", "curve": CURVE}
        found.append(cue | {"at": at, "duration": length})
    return found


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(contents(), st.integers(0, 5000), st.integers(1, 4), st.sampled_from(RATES))
def test_one_that_is_nested_and_loops_shows_and_plays_what_its_unrolled_form_does(
    content: Content, before: int, rounds: int, rate: str
) -> None:
    inner = named("in", *content.tracks([0], []), loop=True)
    gap: Cues = [{"slate": {}, "at": "0ms", "duration": f"{before}ms"}] if before else []
    again = {"timeline": "in", "duration": f"{rounds * content.length}ms", "audio": {"gain": "-6dB"}}
    laps = [before + lap * content.length for lap in range(rounds)]
    ours, theirs = (
        TimelineIndex(show.plan())
        for show in (
            Show(named("day", video(*gap, again)), (inner,), rate),
            Show(named("day", *content.tracks(laps, gap, GAINS)), (), rate),
        )
    )
    assert ours.plan.video == theirs.plan.video
    assert ours.length == theirs.length
    for number in range(ours.length):
        one, other = picture(ours, number), picture(theirs, number)
        assert (one, one.lengths) == (other, other.lengths)
        assert beds(ours, number) == beds(theirs, number)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(contents(), st.integers(1, 4), st.sampled_from(RATES))
def test_tracks_that_loop_show_and_play_what_their_unrolled_form_does(
    content: Content, rounds: int, rate: str
) -> None:
    """Each goes round by itself, until a track that does not loop is over."""
    end = rounds * content.length
    stay = {"name": "stay", "audio": [{"file": "long.flac", "duration": f"{end}ms", "mute": True}]}
    full: Cues = [{"overlay": "x", "at": content.length - 1, "duration": 1}]
    silent: Cues = [{"file": "x.flac", "gain": "0dB", "at": content.length - 1, "duration": 1}]
    whole = Content(content.pictures, [*content.overlays, *full], [*content.sounds, *silent], content.length)
    looped = [track | {"loop": True} for track in whole.tracks([0], [])]
    flat = whole.tracks([lap * content.length for lap in range(rounds)], [])
    ours, theirs = (
        TimelineIndex(Show(named("day", *tracks, stay), (), rate).plan()) for tracks in (looped, flat)
    )
    assert ours.plan == theirs.plan
    for number in range(ours.length):
        assert picture(ours, number) == picture(theirs, number)
        assert beds(ours, number) == beds(theirs, number)


@pytest.mark.slow
def test_a_year_of_nested_hours_at_30000_1001_is_on_the_exact_frame_at_each_of_them() -> None:
    hour = named(
        "hour", video({"camera": "a", "duration": "59m"}, {"camera": "b", "duration": "1m"}), loop=True
    )
    year = named("day", video({"timeline": "hour", "duration": f"{YEAR_HOURS}h"}), loop=True)
    plan = Show(year, (hour,), "30000/1001").plan()
    exact = [3600 * NTSC * number for number in range(YEAR_HOURS + 1)]
    starts = [cue.start for cue in plan.video if cue.camera == "a"]
    assert [*starts, plan.length] == [round_half_up(frame) for frame in exact]
    assert plan.length == round_half_up(Fraction(365 * 86400 * 30000, 1001)) == 945_134_865
    index = TimelineIndex(plan)
    last = plan.length - 1
    assert [picture(index, wrap(index, number)).camera for number in (last, last + 1)] == ["b", "a"]
    assert elapsed(index, plan.length, NTSC, 0) == plan.length
