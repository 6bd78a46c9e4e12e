"""One frame of the program, made from what is on the stage: the same code on the air and offline.

`make` is a function of the stage, the frame's number and the epoch, as far as the sources are: it remembers
nothing between two frames, so that any frame may be made alone, or again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from vistterstream.playout.clock import NANOSECONDS, Epoch
from vistterstream.playout.compositor import Instance, Scene, compose
from vistterstream.playout.frames import Frame
from vistterstream.playout.jitter import Taken
from vistterstream.playout.mixing import Bus, Part, Sounds
from vistterstream.playout.protocol import CameraState
from vistterstream.playout.sound import Samples, samples_of
from vistterstream.resources.camera import CameraSpec
from vistterstream.resources.timeline import SoundFade
from vistterstream.timeline.beds import Bed, beds
from vistterstream.timeline.evaluate import Picture, TimelineIndex, directed, elapsed, picture, position
from vistterstream.timeline.plan import CLIP, IMAGE, PlaybackPlan

_SLATE_REASONS = {
    CameraState.IDLE: "CameraConnecting",
    CameraState.STANDBY: "CameraConnecting",
    CameraState.CONNECTING: "CameraConnecting",
    CameraState.LIVE: "CameraStalled",
    CameraState.STALLED: "CameraStalled",
    CameraState.WAITING: "CameraLost",
}
_FILE_REASONS = {"CameraConnecting": "FileStarting", "CameraLost": "FileLost"}


class Source(Protocol):
    """One camera, as a frame that is being made sees it."""

    spec: CameraSpec

    def take(self, number: int, samples: int, shown: bool) -> Taken | None:
        """Picture and sound for program frame `number`; None when there is nothing to show."""

    def usable(self, now: float, number: int) -> bool:
        """Whether what `take` gives for program frame `number` is fit to be shown at monotonic time `now`."""

    def state(self, now: float) -> CameraState:
        """What the camera is doing."""


@dataclass(frozen=True)
class Stage:
    """Everything that the frames are made from; never changed, only replaced."""

    index: TimelineIndex | None
    scene: Scene
    feeds: Mapping[str, Source]
    sounds: Sounds


@dataclass(frozen=True)
class Choice:
    """What stands for a cue's source: a camera (itself or a backup), a clip, a still picture or the slate;
    and why.

    `name` is that of the camera, or of the file of clip or picture; `still` is the id of the picture, `clip`
    the source that the clip is.
    """

    kind: str
    name: str
    reason: str
    still: str = ""
    clip: str = ""

    @property
    def feed(self) -> str:
        """The feed that gives it; none where nothing moves."""
        return self.clip or (self.name if self.kind == "Camera" else "")


@dataclass(frozen=True)
class Made:
    """What a frame shows, and its sound. `position` is the frame of the timeline, `along` the beds.
    `playback` says why the timeline is there, where its anchor does not.
    """

    cue: Picture
    outgoing: Choice
    incoming: Choice | None
    sound: Samples
    position: int | None = None
    along: Sequence[Bed] = ()
    playback: PlaybackPlan | None = None

    @property
    def shown(self) -> Choice:
        """What counts as being on air: from the start of a crossfade, what comes in."""
        return self.incoming or self.outgoing


def choose(camera: str | None, feeds: Mapping[str, Source], now: float, number: int) -> Choice:
    """The camera that the cue names, its first usable backup, or the slate."""
    if camera is None:
        return Choice("Slate", "", "NoCue")
    wanted, name, seen = camera, camera, set[str]()
    while name in feeds and name not in seen:
        seen.add(name)
        if feeds[name].usable(now, number):
            return Choice("Camera", name, "Cue" if name == wanted else "Backup")
        name = feeds[name].spec.backup or ""
    if wanted not in feeds:
        return Choice("Slate", wanted, "CameraMissing")
    reason = _SLATE_REASONS[feeds[wanted].state(now)]
    if feeds[wanted].spec.source.file is not None:
        reason = _FILE_REASONS.get(reason, reason)
    return Choice("Slate", wanted, reason)


def _chosen(stage: Stage, source: str | None, cue: Picture, now: float, number: int) -> Choice:
    """What stands for `source`, as `choose`; a still picture that could not be read is the slate."""
    if source is None and cue.cue is not None and (cue.transition is None or cue.incoming is None):
        return Choice("Slate", "", "Cue")
    if source is not None and source.startswith(CLIP):
        return _clip(stage, source, now, number)
    if source is None or not source.startswith(IMAGE):
        return choose(source, stage.feeds, now, number)
    still, stills = source.removeprefix(IMAGE), stage.scene.stills
    name = stills.names.get(still, "")
    if still in stills.frames:
        return Choice("Image", name, "Cue", still)
    return Choice("Slate", name, "ImageMissing")


def _clip(stage: Stage, source: str, now: float, number: int) -> Choice:
    feed = stage.feeds[source]
    assert feed.spec.source.file is not None
    name = Path(feed.spec.source.file.path).name
    if feed.usable(now, number):
        return Choice("Clip", name, "Cue", clip=source)
    lost = feed.state(now) is CameraState.WAITING
    return Choice("Slate", name, "ClipMissing" if lost else "ClipStarting")


def make(
    stage: Stage, number: int, rate: Fraction, epoch: Epoch, now: float, out: Frame | None, bus: Bus
) -> Made:
    """Make program frame `number` in `out`; only its sound where that is None.

    `now` is the time at which sources are asked whether they can be shown. Every source is asked for its
    share, whether it is shown or not: live cameras go on. `bus` mixes the sound, and is told every frame.
    """
    where = None if stage.index is None else position(stage.index, number, rate, epoch.wall_ns)
    cue = Picture(None) if stage.index is None else picture(stage.index, where)
    outgoing = _chosen(stage, cue.camera, cue, now, number)
    incoming = _chosen(stage, cue.incoming, cue, now, number) if cue.transition is not None else None
    samples = samples_of(number, rate)
    taken = _take(stage, number, samples, {choice.feed for choice in (outgoing, incoming) if choice})
    # The sound follows the picture, through a crossfade too.
    parts = [Part(outgoing.feed, _samples_from(taken, outgoing), cue.gains[0])]
    if incoming is not None:
        start, end = cue.sound
        power = cue.transition is not None and cue.transition.sound is SoundFade.EQUAL_POWER
        parts = [
            replace(parts[0], share=(1 - start, 1 - end), power=power),
            Part(incoming.feed, _samples_from(taken, incoming), cue.gains[1], cue.sound, power),
        ]
    measure = stage.index is not None and stage.index.ducks
    along = _beds(stage.index, number, rate, epoch)
    sound = bus.mix(number, parts, along, stage.sounds, measure=measure)
    if out is not None:
        base = _picture_of(stage, taken, outgoing)
        over = _picture_of(stage, taken, incoming) if incoming else None
        compose(
            stage.scene,
            out,
            base,
            over,
            cue.mix,
            _overlays(cue),
            number,
            _wall(number, rate, epoch),
            cue.transition,
            position=where,
            epoch_ns=epoch.wall_ns,
        )
    playback = None if stage.index is None else directed(stage.index, number, rate, epoch.wall_ns)
    return Made(cue, outgoing, incoming, sound, where, along, playback)


def look_ahead(stage: Stage, number: int, rate: Fraction, epoch: Epoch) -> None:
    """After frame `number`: have drawn, on another thread, what takes long of the overlays to come."""
    if stage.index is None:
        return
    for coming in stage.scene.ahead_of(number):
        where = position(stage.index, coming, rate, epoch.wall_ns)
        overlays, wall = _overlays(picture(stage.index, where)), _wall(coming, rate, epoch)
        stage.scene.foresee(overlays, coming, wall, position=where, epoch_ns=epoch.wall_ns)


def _overlays(cue: Picture) -> list[Instance]:
    return [(*shown, length) for shown, length in zip(cue.overlays, cue.lengths, strict=True)]


def _wall(number: int, rate: Fraction, epoch: Epoch) -> datetime:
    """The frame's time of day."""
    return datetime.fromtimestamp(epoch.wall_of(number, rate) / NANOSECONDS, UTC)


def _take(stage: Stage, number: int, samples: int, shown: set[str]) -> dict[str, Taken]:
    """One frame's worth from every source."""
    taken = {}
    for name, feed in stage.feeds.items():
        got = feed.take(number, samples, name in shown)
        if got is not None:
            taken[name] = got
    return taken


def _picture_of(stage: Stage, taken: Mapping[str, Taken], choice: Choice) -> Frame:
    if choice.feed in taken:
        return taken[choice.feed].frame
    return stage.scene.stills.frames.get(choice.still, stage.scene.slate)


def _samples_from(taken: Mapping[str, Taken], choice: Choice) -> Samples | None:
    return taken[choice.feed].samples if choice.feed in taken else None


def _beds(index: TimelineIndex | None, number: int, rate: Fraction, epoch: Epoch) -> Sequence[Bed]:
    """What plays along with program frame `number`: nothing while the timeline stands."""
    if index is None or not index.plan.audio:
        return ()
    passed = elapsed(index, number, rate, epoch.wall_ns)
    stands = elapsed(index, number + 1, rate, epoch.wall_ns) == passed
    return () if stands else beds(index, passed)
