"""From a timeline, and the timelines that it shows, to one list of cues in exact frames.

A cue that shows another timeline becomes that timeline's cues, over and over if that timeline loops, and cut
off where the cue ends: exactly what somebody who wrote them out by hand would get. Nothing is rounded here.
What the models could not check, since it depends on the frame rate or on another timeline, is checked here.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import lcm
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from vistterstream.base.errors import PermanentError
from vistterstream.resources.audio import AudioCue, CueAudio
from vistterstream.resources.kinds import Timeline
from vistterstream.resources.quantities import TimelinePosition, ticks_of_a_frame
from vistterstream.resources.timeline import (
    OverlayCue,
    TimelineSpec,
    TimelineTrack,
    Transition,
    VideoCue,
    too_early,
    too_late,
)

MAX_CUES = 100_000
"""Cues that a timeline may come to, loops of the timelines in it written out."""

_NO_GAIN = Fraction(0)


class PlanError(PermanentError):
    """A timeline that cannot be compiled: `path` is the field, such as ``spec.tracks[0].video[1].at``."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message, reason="InvalidTimeline")
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class FlatCue(NamedTuple):
    """A video cue: times in ticks. `owner` is the timeline it stands in, `path` the field of the outermost
    one, `cue` what it shows; None: the slate. `cut_short`: the end of a cue that shows a timeline cut it off.
    """

    owner: Timeline
    path: str
    start: int
    end: int
    cue: VideoCue | None
    transition: Transition
    transition_ticks: int
    cut_short: bool
    gain: Fraction | None = _NO_GAIN  # in dB; None: mute


class FlatOverlay(NamedTuple):
    """An overlay cue, as `FlatCue`; without `end` it stays to the end of the outermost timeline.

    `cue_points` are those of its owner, as ticks of the outermost timeline when `offset` is added.
    """

    owner: Timeline
    path: str
    start: int
    end: int | None
    cue: OverlayCue
    cut_short: bool
    cue_points: Mapping[str, int]
    offset: int


class FlatAudio(NamedTuple):
    """An audio cue, as `FlatOverlay`, with the `gain` of the cues that show its timeline, as of `FlatCue`."""

    owner: Timeline
    path: str
    start: int
    end: int | None
    cue: AudioCue
    fade_in: int
    fade_out: int
    gain: Fraction | None
    cut_short: bool
    outermost: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """The video cue at `path` shows a timeline that does not exist."""

    path: str
    name: str


class Piece(NamedTuple):
    """One round of a timeline in another, written out; the same objects for as long as it is the same round.

    `counted` is how many cues it was counted as.
    """

    owner: Timeline
    video: list[FlatCue]
    overlays: list[FlatOverlay]
    audio: list[FlatAudio]
    counted: int


@dataclass
class Flat:
    """A timeline written out."""

    video: list[FlatCue] = field(default_factory=list)
    overlays: list[FlatOverlay] = field(default_factory=list)  # from the bottom up
    audio: list[FlatAudio] = field(default_factory=list)
    cue_points: list[int] = field(default_factory=list)  # in the order of the spec
    missing: dict[Missing, None] = field(default_factory=dict)  # an ordered set
    length: int = 0  # 0 where nothing has an end
    pieces: dict[object, Piece] = field(default_factory=dict)  # what it is made of, for the next


def flatten(
    timeline: Timeline,
    timelines: Mapping[str, Timeline],
    rate: Fraction,
    pieces: Mapping[object, Piece] = MappingProxyType({}),
) -> Flat:
    """`timeline` written out for a program of `rate`; `timelines` are those it may show, by name. `pieces` of
    what was written out before make no difference but to the time it takes.

    Raises PlanError where cues contradict each other, or a timeline shows itself.
    """
    reader = _Reader(timelines, rate)
    outer = reader.read(timeline)
    flat = Flat(length=outer.length)
    writer = _Writer(flat, rate, pieces)
    writer.write(outer, 0, outer.length, "", _NO_GAIN)
    flat.overlays.sort(key=lambda overlay: overlay.cue.layer)  # of the same layer they stay as they were
    flat.cue_points += outer.cue_points.values()
    return flat


class _Cue(NamedTuple):
    """A video cue, read; `inner` is the timeline it shows, `gain` as of `FlatCue`."""

    path: str
    start: int
    end: int
    cue: VideoCue
    transition_ticks: int
    inner: _Read | None
    gain: Fraction | None


class _Overlay(NamedTuple):
    path: str
    start: int
    end: int | None
    cue: OverlayCue


class _Audio(NamedTuple):
    path: str
    start: int
    end: int | None
    cue: AudioCue
    fade_in: int
    fade_out: int
    gain: Fraction | None


_Any = TypeVar("_Any", _Cue, _Overlay, _Audio)


@dataclass(frozen=True, slots=True)
class _Track:
    """A track, read; `loop` tells whether its cues start again when the last has ended."""

    path: str
    loop: bool
    video: tuple[_Cue, ...]
    overlays: tuple[_Overlay, ...]
    audio: tuple[_Audio, ...]

    @property
    def end(self) -> int:
        """When its last cue with an end is over; 0 where there is none."""
        cues: list[_Cue | _Overlay | _Audio] = [*self.video[-1:], *self.overlays, *self.audio]
        return max((cue.end for cue in cues if cue.end is not None), default=0)


@dataclass(frozen=True, slots=True)
class _Read:
    """A timeline, read: checked, and its times exact."""

    timeline: Timeline
    video: tuple[_Cue, ...]
    overlays: tuple[_Overlay, ...]
    audio: tuple[_Audio, ...]
    length: int
    cue_points: Mapping[str, int]


_Parts = tuple[tuple[_Cue, ...], tuple[_Overlay, ...], tuple[_Audio, ...], int, Mapping[str, int]]
_read_before: dict[int, tuple[weakref.ref[TimelineSpec], Fraction, _Parts]] = {}
"""What was read last of each spec that still exists, by its id, and at what rate: of a day's programme in
many timelines an edit changes one. A spec never changes."""


class _Reader:
    """Reads timelines, each once."""

    def __init__(self, timelines: Mapping[str, Timeline], rate: Fraction) -> None:
        self._timelines = timelines
        self._rate = rate
        self._frame = ticks_of_a_frame(rate)
        self._known: dict[str, _Read] = {}
        self._reading: list[str] = []

    def read(self, timeline: Timeline) -> _Read:
        """The timeline with its times; raises PlanError with the field in it."""
        name = timeline.metadata.name
        if name not in self._known:
            self._reading.append(name)
            self._known[name] = self._remembered(timeline)
            self._reading.pop()
        return self._known[name]

    def _remembered(self, timeline: Timeline) -> _Read:
        """What was read of it before, if it shows no other timeline: that may be another now."""
        spec = timeline.spec
        id_, known = id(spec), _read_before.get(id(spec))
        if known is not None and known[0]() is spec and known[1] == self._rate:
            return _Read(timeline, *known[2])
        read = self._read(timeline)
        if not any(cue.cue.timeline for cue in read.video):
            gone = weakref.ref(spec, lambda _: _read_before.pop(id_, None))
            parts = read.video, read.overlays, read.audio, read.length, read.cue_points
            _read_before[id_] = gone, self._rate, parts  # not the timeline, which would keep its spec
        return read

    def exact(self, position: TimelinePosition, path: str) -> int:
        """The position in ticks."""
        try:
            return position.ticks(self._rate)
        except ValueError as error:
            raise PlanError(path, str(error)) from None

    def _read(self, timeline: Timeline) -> _Read:
        points = {
            point.name: self.exact(point.at, f"spec.cuePoints[{index}].at")
            for index, point in enumerate(timeline.spec.cue_points)
        }
        tracks = [
            self._track(track, f"spec.tracks[{index}]", points)
            for index, track in enumerate(timeline.spec.tracks)
        ]
        length = _length(tracks)
        for track in tracks:
            self._check_along(track, length)
        _check_rounds(tracks, length)
        tracks = [_repeated(track, length) for track in tracks]
        return _Read(
            timeline,
            video=tuple(cue for track in tracks for cue in track.video),
            overlays=tuple(cue for track in tracks for cue in track.overlays),
            audio=tuple(cue for track in tracks for cue in track.audio),
            length=length,
            cue_points=points,
        )

    def _track(self, track: TimelineTrack, path: str, points: Mapping[str, int]) -> _Track:
        return _Track(
            path,
            track.loop,
            video=tuple(self._video(track, f"{path}.video")),
            overlays=tuple(self._overlays(track, f"{path}.overlays", points)),
            audio=tuple(self._audio(track, f"{path}.audio")),
        )

    def _check_along(self, track: _Track, length: int) -> None:
        """Raise PlanError for what does not start, or fade, within a timeline of that length."""
        along: list[_Overlay | _Audio] = [*track.overlays, *track.audio]
        for cue in along:
            if cue.end is None and length and cue.start >= length:
                raise PlanError(f"{cue.path}.at", too_late(cue.cue, self._text(length)))
        for sound in track.audio:
            _check_fades(sound, length)

    def _video(self, track: TimelineTrack, path: str) -> Iterator[_Cue]:
        end = 0
        for index, cue in enumerate(track.video or ()):
            here = f"{path}[{index}]"
            start = end if cue.at is None else self.exact(cue.at, f"{here}.at")
            if start < end:
                raise PlanError(f"{here}.at", too_early(cue, self._text(end)))
            inner = self._inner(cue, here)
            if cue.file is not None:
                self.exact(cue.file.start, f"{here}.file.in")
            if cue.duration is not None:
                length = self.exact(cue.duration, f"{here}.duration")
            else:
                length = self._whole(inner, cue, here)
            end = start + length
            coming = self._transition(cue, length, inner, here)
            yield _Cue(here, start, end, cue, coming, inner, _own_gain(cue.audio))

    def _inner(self, cue: VideoCue, path: str) -> _Read | None:
        if cue.timeline is None:
            return None
        if cue.timeline in self._reading:
            circle = " shows ".join([*self._reading[self._reading.index(cue.timeline) :], cue.timeline])
            raise PlanError(f"{path}.timeline", f"a timeline cannot show itself: {circle}")
        timeline = self._timelines.get(cue.timeline)
        if timeline is None:
            return None
        try:
            return self.read(timeline)
        except PlanError as error:
            if f"{error.path}".endswith(".timeline") and "cannot show itself" in error.message:
                raise PlanError(f"{path}.timeline", error.message) from None
            sentence = f"the Timeline {cue.timeline!r} cannot be played: {error.path}: {error.message}"
            raise PlanError(f"{path}.timeline", sentence) from None

    def _whole(self, inner: _Read | None, cue: VideoCue, path: str) -> int:
        """The length of a cue that plays a timeline once."""
        if inner is not None and not inner.length:
            raise PlanError(path, f"the Timeline {cue.timeline!r} has no end; give the cue a duration")
        return 0 if inner is None else inner.length

    def _transition(self, cue: VideoCue, length: int, inner: _Read | None, path: str) -> int:
        """Ticks of the cue's transition; raises PlanError where it does not fit."""
        given = cue.transition.length
        if given is None:
            return 0
        ticks = self.exact(given, f"{path}.transition.duration")
        if 2 * ticks < self._frame:
            kind = cue.transition.type.value
            sentence = f"the {kind} ({given}) is shorter than half a frame; give it 1f at least, or write cut"
            raise PlanError(f"{path}.transition.duration", sentence)
        if cue.timeline is not None and inner is None:
            return ticks
        if ticks > length:
            raise PlanError(f"{path}.transition", cue.transition_too_long())
        first = None if inner is None else _first_picture(inner)
        if first is not None and ticks > first:
            raise PlanError(
                f"{path}.transition",
                f"the {cue.transition.type.value} ({given}) is longer than the first picture of the Timeline "
                f"{cue.timeline!r}",
            )
        return ticks

    def _overlays(self, track: TimelineTrack, path: str, points: Mapping[str, int]) -> Iterator[_Overlay]:
        for index, cue in enumerate(track.overlays or ()):
            here = f"{path}[{index}]"
            start = self.exact(cue.at, f"{here}.at")
            if cue.cue is not None:
                start += points[cue.cue]
            end = None if cue.duration is None else start + self.exact(cue.duration, f"{here}.duration")
            if cue.until is not None:
                end = points[cue.until]
                if end <= start:
                    sentence = f"the cue point {cue.until} is not after the cue's start ({self._text(start)})"
                    raise PlanError(f"{here}.until", sentence)
            for name, envelope in (("enter", cue.enter), ("exit", cue.exit)):
                if envelope is not None:
                    self.exact(envelope.duration, f"{here}.{name}.duration")
            yield _Overlay(here, start, end, cue)

    def _audio(self, track: TimelineTrack, path: str) -> Iterator[_Audio]:
        for index, cue in enumerate(track.audio or ()):
            here = f"{path}[{index}]"
            start = self.exact(cue.at, f"{here}.at")
            length = None if cue.duration is None else self.exact(cue.duration, f"{here}.duration")
            fade_in = self.exact(cue.fade_in, f"{here}.fadeIn")
            fade_out = self.exact(cue.fade_out, f"{here}.fadeOut")
            self._check_curve(cue, here)
            end = None if length is None else start + length
            yield _Audio(here, start, end, cue, fade_in, fade_out, _own_gain(cue))

    def _check_curve(self, cue: AudioCue, path: str) -> None:
        """Raise PlanError where the keyframes of its gain are not in order at this rate."""
        times = [
            self.exact(keyframe.at, f"{path}.curve[{index}].at") for index, keyframe in enumerate(cue.curve)
        ]
        for index in range(1, len(times)):
            if times[index] <= times[index - 1]:
                sentence = cue.curve[index].too_early(cue.curve[index - 1])
                raise PlanError(f"{path}.curve[{index}].at", sentence)

    def _text(self, ticks: int) -> str:
        return f"{float(ticks / (self._frame * self._rate)):.10g}s"


def _length(tracks: Iterable[_Track]) -> int:
    """How long a timeline is: until the last of the tracks that do not loop is over, and where all that have
    an end loop, until they all start together again.
    """
    once = max((track.end for track in tracks if not track.loop), default=0)
    rounds = [track.end for track in tracks if track.loop and track.end]
    if once or not rounds:
        return once
    return lcm(*rounds)


def _rounds(track: _Track, length: int) -> int:
    """How often a track that loops starts until `length`; 0 for another one."""
    return -(-length // track.end) if track.loop and track.end else 0


def _check_rounds(tracks: Iterable[_Track], length: int) -> None:
    """Raise PlanError where tracks that loop would come to too many cues, before they do."""
    count = 0
    for track in tracks:
        count += _rounds(track, length) * max(len(track.video), len(track.overlays), len(track.audio))
        if count > MAX_CUES:
            sentence = f"comes to more than {MAX_CUES} cues until the timeline ends, or all start together"
            raise PlanError(
                f"{track.path}.loop", f"{sentence}; let a track that does not loop end it earlier"
            )


def _repeated(track: _Track, length: int) -> _Track:
    """A track that loops written out until `length`, where it is cut off."""
    round_, rounds = track.end, _rounds(track, length)
    if not rounds:
        return track

    def over_and_over(cues: tuple[_Any, ...]) -> tuple[_Any, ...]:
        starts = [number * round_ for number in range(rounds)]
        return tuple(_later(cue, by, length) for by in starts for cue in cues if cue.start + by < length)

    return replace(
        track,
        video=over_and_over(track.video),
        overlays=over_and_over(track.overlays),
        audio=over_and_over(track.audio),
    )


def _later(cue: _Any, by: int, end: int) -> _Any:
    """The cue so much later, cut off at `end`; it has an end itself, as every cue of a track that loops."""
    assert cue.end is not None
    return cue._replace(start=cue.start + by, end=min(cue.end + by, end))


def _check_fades(sound: _Audio, length: int) -> None:
    """Raise PlanError where the fades of `sound` do not fit into it; its timeline is `length` ticks long."""
    end = sound.end if sound.end is not None else length or None
    if end is None and sound.fade_out:
        raise PlanError(f"{sound.path}.fadeOut", "the cue has no end to fade out to; give it a duration")
    for name, fade in (("fadeIn", sound.fade_in), ("fadeOut", sound.fade_out)):
        if end is not None and fade > end - sound.start:
            raise PlanError(f"{sound.path}.{name}", sound.cue.fade_too_long(name))


def _own_gain(audio: CueAudio | AudioCue) -> Fraction | None:
    """The gain in dB that a cue gives itself; None is mute."""
    return None if audio.mute else audio.gain.decibels or _NO_GAIN


def _louder(gain: Fraction | None, more: Fraction | None) -> Fraction | None:
    """The gain of what has `more`, in a cue that has `gain`."""
    if gain is None or more is None:
        return None
    return gain if more is _NO_GAIN else gain + more


def _first_picture(read: _Read) -> int | None:
    """How long the timeline's first picture (or the gap before it) lasts; None where it has no pictures."""
    if not read.video:
        return None
    first = read.video[0]
    if first.start:
        return first.start
    inner = None if first.inner is None else _first_picture(first.inner)
    return first.end if inner is None else min(first.end, inner)


class _Writer:
    """Writes timelines out, one after another and into each other."""

    def __init__(self, flat: Flat, rate: Fraction, before: Mapping[object, Piece]) -> None:
        self._flat = flat
        self._rate = rate
        self._before = before
        self._count = 0

    def write(self, read: _Read, offset: int, end: int, path: str, gain: Fraction | None) -> None:
        """One round of the timeline from `offset` on, nothing of it from `end` on; `path` is the cue that
        shows it in the outermost timeline, empty for that one itself, and `gain` that of all its sound.
        """
        fits = 0 < read.length <= end - offset
        for cue in read.video:
            start = offset + cue.start
            if path and not fits and start >= end:
                break
            stop = offset + cue.end
            place = path or cue.path
            until = stop if fits else min(stop, end)
            if cue.cue.timeline is None:
                self._picture(read.timeline, cue, place, start, until, stop, gain)
            elif cue.inner is None:
                self._flat.missing[Missing(place, cue.cue.timeline)] = None
            else:
                self._nested(read.timeline, cue, place, start, until, gain)
        for overlay in read.overlays:
            self._overlay(read, overlay, path, offset, end)
        for sound in read.audio:
            self._sound(read, sound, path, offset, end, gain)

    def _picture(
        self,
        owner: Timeline,
        cue: _Cue,
        path: str,
        start: int,
        end: int,
        whole: int,
        gain: Fraction | None,
    ) -> None:
        self._counted(path)
        gain = _louder(gain, cue.gain)
        given = cue.cue.transition
        self._flat.video.append(
            FlatCue(owner, path, start, end, cue.cue, given, cue.transition_ticks, end != whole, gain)
        )

    def _nested(
        self,
        owner: Timeline,
        cue: _Cue,
        path: str,
        start: int,
        end: int,
        gain: Fraction | None,
    ) -> None:
        inner, gain = cue.inner, _louder(gain, cue.gain)
        assert inner is not None
        before = len(self._flat.video)
        if inner.length:
            offset = start
            while offset < end:
                self._round(inner, offset, end, path, gain)
                offset += inner.length
                self._counted(path)
                if not inner.timeline.spec.loop:
                    break
        else:  # overlays that stay
            self._round(inner, start, end, path, gain)
        if cue.transition_ticks:
            self._come_in(owner, cue, path, start, end, before)

    def _round(self, read: _Read, offset: int, end: int, path: str, gain: Fraction | None) -> None:
        """As `write`, of a timeline in another: as it was written before, where it is the same.

        One that shows others is always written: they may be others now.
        """
        if any(cue.cue.timeline for cue in read.video):
            self.write(read, offset, end, path, gain)
            return
        flat, owner = self._flat, read.timeline
        origin = owner.metadata.name, frozenset(owner.metadata.annotations.items())
        key = (id(owner.spec), origin, self._rate, offset, end, path, gain)  # the piece keeps its spec
        piece = self._before.get(key)
        if piece is None or self._count + piece.counted > MAX_CUES:
            marks = len(flat.video), len(flat.overlays), len(flat.audio), self._count
            self.write(read, offset, end, path, gain)
            video, overlays = flat.video[marks[0] :], flat.overlays[marks[1] :]
            piece = Piece(owner, video, overlays, flat.audio[marks[2] :], self._count - marks[3])
        else:
            flat.video += piece.video
            flat.overlays += piece.overlays
            flat.audio += piece.audio
            self._count += piece.counted
        flat.pieces[key] = piece

    def _come_in(self, owner: Timeline, cue: _Cue, path: str, start: int, end: int, before: int) -> None:
        """Have the first picture of the cue come in by its transition; the slate, where it starts later."""
        video = self._flat.video
        first = video[before] if len(video) > before else None
        if first is not None and first.start == start:
            del video[before]
        else:
            until = end if first is None else first.start
            first = FlatCue(owner, path, start, until, None, Transition(), 0, cut_short=False)
        coming = first._replace(transition=cue.cue.transition, transition_ticks=cue.transition_ticks)
        video.insert(before, coming)

    def _overlay(self, read: _Read, overlay: _Overlay, path: str, offset: int, end: int) -> None:
        times = self._placed(read, overlay, path, offset, end)
        if times is None:
            return
        start, stop, cut = times
        where = path or overlay.path
        self._flat.overlays.append(
            FlatOverlay(read.timeline, where, start, stop, overlay.cue, cut, read.cue_points, offset)
        )

    def _sound(
        self, read: _Read, sound: _Audio, path: str, offset: int, end: int, gain: Fraction | None
    ) -> None:
        place = self._placed(read, sound, path, offset, end)
        if place is None:
            return
        start, stop, cut = place
        self._flat.audio.append(
            FlatAudio(
                owner=read.timeline,
                path=path or sound.path,
                start=start,
                end=stop,
                cue=sound.cue,
                fade_in=sound.fade_in,
                fade_out=sound.fade_out,
                gain=_louder(gain, sound.gain),
                cut_short=cut,
                outermost=not path,
            )
        )

    def _placed(
        self, read: _Read, cue: _Overlay | _Audio, path: str, offset: int, end: int
    ) -> tuple[int, int | None, bool] | None:
        """Start and end of a cue, and whether it is cut short; None where nothing of it is left."""
        start = offset + cue.start
        stop: int | None = None if cue.end is None else offset + cue.end
        cut = False
        if path:
            if start >= end:
                return None
            whole = stop if stop is not None else (offset + read.length if read.length else end)
            stop = min(whole, end)
            cut = stop != whole
        self._counted(path or cue.path)
        return start, stop, cut

    def _counted(self, path: str) -> None:
        self._count += 1
        if self._count > MAX_CUES:
            raise PlanError(
                path, f"comes to more than {MAX_CUES} cues with all that it repeats; make the cue shorter"
            )
