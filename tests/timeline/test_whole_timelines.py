"""Whole timelines, of every sort of cue, made up: what holds of each that contradicts nothing."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.objects import camera, graphics, overlay, program, resolve, text, timeline, video
from vistterstream.resources.kinds import Timeline
from vistterstream.resources.timeline import TransitionType
from vistterstream.timeline.beds import beds
from vistterstream.timeline.compile import Compiled, compile_plan
from vistterstream.timeline.evaluate import TimelineIndex, elapsed, picture, position, round_half_up, wrap
from vistterstream.timeline.plan import Plan, TimelinePlan

RATES = ["15", "24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60"]
NTSC = Fraction(30000, 1001)
SECOND_NS = 10**9
YEAR_HOURS = 365 * 24


@dataclass(frozen=True)
class Show:
    """A timeline with those that it shows, and the rate of its program."""

    outer: Timeline
    inner: tuple[Timeline, ...]
    rate: str
    ends: tuple[Fraction, ...] = ()
    """The exact frame at which each of the outer timeline's video cues is over."""

    def compiled(self) -> Compiled:
        return compile_plan(
            program(self.rate),
            timeline=self.outer,
            timelines={one.metadata.name: one for one in (self.outer, *self.inner)},
            overlays={name: overlay(name, text("t", "{{ title }}")) for name in "xyz"},
            cameras={name: camera(name) for name in "abc"},
            outputs=(),
            resolve=resolve,
            hls_folder=lambda *_: "",
            recording_folder=lambda *_: "",
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
    if draw(st.booleans()):
        frames = draw(st.integers(1, 90))
        return f"{frames}f", Fraction(frames)
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
        cues.append(cue)
    return graphics(*cues, name=name)


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
    points = [{"name": "p", "at": f"{draw(st.integers(0, 500))}f"}] if draw(st.booleans()) else []
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
        known = ("there is no ", "neither the cue nor the Program", "lasts less than a frame")
        assert any(words in problem.message for words in known), problem


def _unseen_ends(show: Show, plan: TimelinePlan) -> set[int]:
    """Ends of cues that play a timeline which is over before: nothing in the plan need end there."""
    cues = show.outer.spec.tracks[0].video or ()
    return {
        round_half_up(end) for cue, end in zip(cues, show.ends, strict=True) if cue.timeline is not None
    } | {plan.length}


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


@st.composite
def in_milliseconds(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """Video cues without gaps, overlay cues that all end, and the length, all in ms: exact at every rate."""
    cues, total = [], 0
    for _ in range(draw(st.integers(1, 4))):
        length = draw(st.integers(100, 3000))
        sources: list[dict[str, Any]] = [{"camera": "a"}, {"camera": "b"}, {"slate": {}}]
        source = draw(st.sampled_from(sources))
        how = {"transition": {"type": "push", "duration": "67ms"}} if draw(st.booleans()) else {}
        cues.append({**source, "at": total, "duration": length, **how})
        total += length
    shown = []
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, total - 1))
        long = draw(st.integers(1, total - at))
        shown.append({"overlay": draw(st.sampled_from("xyz")), "at": at, "duration": long})
    return cues, shown, total


def _moved(cues: list[dict[str, Any]], by: int, end: int) -> list[dict[str, Any]]:
    """The cues, later, and cut off at `end`."""
    return [
        {**cue, "at": f"{cue['at'] + by}ms", "duration": f"{min(cue['duration'], end - by - cue['at'])}ms"}
        for cue in cues
        if cue["at"] + by < end
    ]


@settings(max_examples=40, deadline=None)
@given(in_milliseconds(), st.integers(0, 5000), st.integers(1, 4), st.sampled_from(RATES))
def test_one_that_is_nested_and_loops_shows_what_its_unrolled_form_shows(
    content: tuple[list[dict[str, Any]], list[dict[str, Any]], int], before: int, rounds: int, rate: str
) -> None:
    cues, shown, total = content
    tracks = [video(*_moved(cues, 0, total))]
    tracks += [graphics(*_moved(shown, 0, total))] if shown else []
    inner = named("in", *tracks, loop=True)
    gap = [{"slate": {}, "at": "0ms", "duration": f"{before}ms"}] if before else []
    nested = named("day", video(*gap, {"timeline": "in", "duration": f"{rounds * total}ms"}))
    laps = [before + lap * total for lap in range(rounds)]
    flat = [cue for lap in laps for cue in _moved(cues, lap, lap + total)]
    tracks = [video(*gap, *flat)]
    tracks += [graphics(*(cue for lap in laps for cue in _moved(shown, lap, lap + total)))] if shown else []
    ours, theirs = (
        TimelineIndex(show.plan())
        for show in (Show(nested, (inner,), rate), Show(named("day", *tracks), (), rate))
    )
    assert ours.length == theirs.length
    for number in range(ours.length):
        one, other = picture(ours, number), picture(theirs, number)
        assert (one, one.lengths) == (other, other.lengths)


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
