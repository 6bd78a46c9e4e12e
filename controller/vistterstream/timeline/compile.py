"""From objects to a plan: references resolved, times in whole frames, texts filled in, paths absolute.

Pure: the same objects give the same plan, with the same ids. What cannot be shown does not stop what can:
a cue whose Camera does not exist compiles to a camera without a `CameraPlan` (the playout shows the slate),
an overlay that does not exist is left out, and each is told as a `Problem`. Only a timeline that no frames
can be made of, or with cues that contradict each other (flatten.py), raises `PlanError`; the program then
keeps the plan it has.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, TypeVar

from vistterstream.resources.audio import Duck, GainKeyframe
from vistterstream.resources.camera import CameraSpec
from vistterstream.resources.kinds import Camera, Output, Overlay, Program, Resource, Timeline
from vistterstream.resources.model import path_text
from vistterstream.resources.output import Encoding, Target
from vistterstream.resources.overlay import Envelope, ImageLayer, Layer, MaskImage, every_layer
from vistterstream.resources.program import Fallback, PlaybackState
from vistterstream.resources.quantities import ticks_of_a_frame
from vistterstream.resources.timeline import DailyAnchor, FileCue, ImageCue, Transition, no_cue_point
from vistterstream.timeline.digests import digest
from vistterstream.timeline.evaluate import round_half_up
from vistterstream.timeline.flatten import Flat, FlatAudio, FlatCue, FlatOverlay, Piece, PlanError, flatten
from vistterstream.timeline.parts import NOTHING, Overlaid, Parts, Shown, Workshop
from vistterstream.timeline.plan import (
    SILENCE,
    AudioCuePlan,
    CameraPlan,
    ClipPlan,
    CuePointPlan,
    DailyPlan,
    DuckPlan,
    EncodingPlan,
    GainPoint,
    ImagePlan,
    OutputPlan,
    OverlayCuePlan,
    OverlayInstance,
    Plan,
    PlaybackPlan,
    TimelinePlan,
    TransitionPlan,
    VideoCuePlan,
)
from vistterstream.timeline.times import mistimed
from vistterstream.timeline.tokens import filled, tokens

__all__ = [
    "MAX_FRAMES",
    "OVERLAYS_AT_ONCE",
    "SOUNDS_AT_ONCE",
    "AssetKind",
    "Compiled",
    "PlanError",
    "Problem",
    "compile_plan",
    "encoding_id",
]

P = TypeVar("P", ImageLayer, MaskImage)

_LOUDEST = Fraction(96)  # dB that gains may add up to: the softest sample is at full scale then
OVERLAYS_AT_ONCE = 64
"""Overlays that may be shown at the same time; more could not be composed within a frame anyway."""
SOUNDS_AT_ONCE = 16
"""Audio cues that may play at the same time; each is a decoder."""
MAX_FRAMES = 2**53
"""Longest timeline, in frames (a double counts them exactly); far beyond any use."""


class AssetKind(StrEnum):
    """What a relative path in a manifest leads to."""

    IMAGE = "image"  # of an overlay, a slate or a video cue
    MEDIA = "media"  # of a file camera or an audio cue
    CERTIFICATES = "certificates"  # of a target
    FOLDER = "folder"  # that a target writes to


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the plan had to leave out: the object and field to blame, and a sentence."""

    kind: str
    name: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.path}: {self.message}"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A plan, and what it had to leave out."""

    plan: Plan
    problems: tuple[Problem, ...]
    parts: Parts = field(repr=False)
    """For the next plan."""


Resolve = Callable[[Resource, str, AssetKind], str]
"""Absolute path of what a path in the resource's manifest means; a file that does not exist is no error."""
DefaultFolder = Callable[[Output, Target], str]
"""Absolute path of the folder of a target that names none."""


def compile_plan(
    program: Program,
    *,
    timeline: Timeline | None,
    overlays: Mapping[str, Overlay],
    cameras: Mapping[str, Camera],
    outputs: Sequence[Output],
    resolve: Resolve,
    hls_folder: DefaultFolder,
    recording_folder: DefaultFolder,
    originals: Mapping[str, str] = MappingProxyType({}),
    secrets_revision: str = "",
    timelines: Mapping[str, Timeline] = MappingProxyType({}),
    parts: Parts = NOTHING,
) -> Compiled:
    """The plan of `program`. `overlays`, `cameras` and `timelines` (those that the timeline shows, and that
    they show) are by name, `outputs` those that deliver the program, `originals` the images that `resolve`
    gives copies of, by the path of the copy. `parts` of a plan that was compiled before make no difference
    but to the time it takes.

    Raises PlanError where no frames can be made of the timeline.
    """
    compiler = _Compiler(program, overlays, cameras, timelines, resolve, parts)
    timeline_plan = compiler.timeline(timeline)
    mine = sorted(
        (output for output in outputs if output.spec.program == program.metadata.name),
        key=lambda output: output.metadata.name,
    )
    encodings: dict[str, EncodingPlan] = {}
    for output in mine:
        id = encoding_id(output.spec.encoding)
        encodings.setdefault(id, EncodingPlan(id=id, encoding=output.spec.encoding))
    plan = Plan(
        namespace=program.metadata.namespace,
        program=program.metadata.name,
        format=program.spec.format,
        cameras=compiler.cameras_of(timeline_plan),
        overlays=tuple(compiler.instances[id] for id in sorted(compiler.instances)),
        images=tuple(compiler.images[id] for id in sorted(compiler.images)),
        clips=tuple(compiler.clips[id] for id in sorted(compiler.clips)),
        timeline=timeline_plan,
        fallback=compiler.fallback(),
        encodings=tuple(encodings[id] for id in sorted(encodings)),
        outputs=tuple(_output(output, resolve, hls_folder, recording_folder) for output in mine),
        originals=dict(originals),
        secrets_revision=secrets_revision,
    )
    return Compiled(plan, tuple(compiler.problems), compiler.made())


def encoding_id(encoding: Encoding) -> str:
    """Digest of what the encoding means: ``2s`` and ``2000ms`` are one encoding."""
    form = encoding.dump()
    form["video"]["bitrate"] = encoding.video.bitrate.bits_per_second
    form["video"]["keyframeInterval"] = str(encoding.video.keyframe_interval.seconds)
    form["audio"]["bitrate"] = encoding.audio.bitrate.bits_per_second
    if not form["lossless"]:
        del form["lossless"]  # what was an encoding before there was such a thing is the same one now
    return digest(form)


@dataclass(frozen=True, slots=True)
class _Base:
    """An overlay before values are put in: its layers, each with the tokens in it; all tokens; a digest."""

    layers: tuple[tuple[Layer, frozenset[str]], ...]
    used: frozenset[str]
    digest: str


@dataclass
class _Compiler:
    """What is collected while one plan is compiled."""

    program: Program
    overlays: Mapping[str, Overlay]
    cameras: Mapping[str, Camera]
    timelines: Mapping[str, Timeline]
    resolve: Resolve
    parts: Parts
    images: dict[str, ImagePlan] = field(default_factory=dict)
    clips: dict[str, ClipPlan] = field(default_factory=dict)
    instances: dict[str, OverlayInstance] = field(default_factory=dict)
    bases: dict[str, _Base] = field(default_factory=dict)  # by name of the overlay
    in_time: dict[str, bool] = field(default_factory=dict)  # what `timed` said, by name of the overlay
    problems: dict[Problem, None] = field(default_factory=dict)  # an ordered set

    keys: dict[str, object] = field(default_factory=dict)  # what each of `instances` follows from
    blames: int = 0  # of the same problem too

    def __post_init__(self) -> None:
        self.made_instances = Workshop(self.parts.instances)
        self.video_cues = Workshop(self.parts.video)
        self.overlay_cues = Workshop(self.parts.overlays)
        self.pieces: Mapping[object, Piece] = {}
        self.shown: dict[int, Shown] = {}
        self.overlaid: dict[int, Overlaid] = {}
        bases = {name: self._base(overlay).digest for name, overlay in self.overlays.items()}
        self.surroundings = (self.rate, frozenset(self.cameras), bases, dict(self.program.spec.values))

    def made(self) -> Parts:
        """What the plan is made of."""
        return Parts(
            video=self.video_cues.made,
            overlays=self.overlay_cues.made,
            instances=self.made_instances.made,
            pieces=self.pieces,
            surroundings=self.surroundings,
            shown=self.shown,
            overlaid=self.overlaid,
        )

    @property
    def rate(self) -> Fraction:
        return self.program.spec.format.frame_rate.fraction

    def fallback(self) -> Fallback:
        fallback = self.program.spec.fallback
        if fallback.image is None:
            return fallback
        path = self.resolve(self.program, fallback.image, AssetKind.IMAGE)
        return fallback.model_copy(update={"image": path})

    def timeline(self, timeline: Timeline | None) -> TimelinePlan | None:
        if timeline is None:
            if self.program.spec.timeline is not None:
                self.blame(
                    self.program,
                    "spec.timeline",
                    f"there is no Timeline {self.program.spec.timeline!r}; the slate is shown instead",
                )
            return None
        return _TimelineCompiler(self, timeline).compile()

    def cameras_of(self, timeline: TimelinePlan | None) -> tuple[CameraPlan, ...]:
        """The cameras of the cues that exist, and their backups, and theirs, by name."""
        cues = timeline.video if timeline is not None else ()
        wanted = [cue.camera for cue in cues if cue.camera is not None]
        found: dict[str, CameraPlan] = {}
        while wanted:
            name = wanted.pop()
            camera = self.cameras.get(name)
            if camera is None or name in found:
                continue
            found[name] = CameraPlan(name=name, spec=self._camera_spec(camera))
            if camera.spec.backup is not None:
                wanted.append(camera.spec.backup)
                self._check_backup(camera, camera.spec.backup)
        return tuple(found[name] for name in sorted(found))

    def _check_backup(self, camera: Camera, backup: str) -> None:
        if backup not in self.cameras:
            self.blame(
                camera, "spec.backup", f"there is no Camera {backup!r}; without a backup the slate is shown"
            )

    def _camera_spec(self, camera: Camera) -> CameraSpec:
        source = camera.spec.source
        if source.file is None:
            return camera.spec
        path = self.resolve(camera, source.file.path, AssetKind.MEDIA)
        file = source.file.model_copy(update={"path": path})
        return camera.spec.model_copy(update={"source": source.model_copy(update={"file": file})})

    def clip(self, owner: Timeline, cue: FileCue, before: str | None) -> str:
        """Id of the clip that a cue of `owner` shows, another than `before`: that of the cue just before may
        still be in the picture.
        """
        file = self.resolve(owner, cue.path, AssetKind.MEDIA)
        start = round_half_up(cue.start.frames(self.rate))
        what = [file, start, cue.at_end, cue.sha256]
        id = digest(what)
        if id == before:
            id = digest([*what, "again"])
        plan = ClipPlan(id=id, file=file, start=start, at_end=cue.at_end, sha256=cue.sha256)
        self.clips.setdefault(id, plan)
        return id

    def image(self, owner: Timeline, image: ImageCue) -> str:
        """Id of the picture that a cue of `owner` shows."""
        file = self.resolve(owner, image.file, AssetKind.IMAGE)
        name = PurePath(image.file).name
        id = digest([file, name, image.fit, image.color])
        plan = ImagePlan(id=id, file=file, name=name, fit=image.fit, color=image.color)
        self.images.setdefault(id, plan)
        return id

    def instance(
        self,
        overlay: Overlay,
        values: Mapping[str, str],
        points: Mapping[str, int],
        enter: Envelope | None,
        exit: Envelope | None,
    ) -> tuple[str, tuple[str, ...]]:
        """Id of the overlay with these values and cue points, that comes and goes so, and what it lacks.

        The tokens of one that shows data are replaced by the playout, all at once.
        """
        base = self._base(overlay)
        mine = {name: values[name] for name in sorted(base.used & values.keys())}
        key = (base.digest, tuple(mine.items()), tuple(points.items()), enter, exit)
        instance, told = self.made_instances.get(
            key, lambda: _instance(overlay, base, mine, points, enter, exit)
        )
        self.instances[instance.id] = instance
        self.keys[instance.id] = key
        return instance.id, told

    def keep(self, key: object) -> None:
        """Have the overlay that followed from `key` in the plan before in this one, too."""
        instance, _ = self.made_instances.made[key] = self.parts.instances[key]
        self.instances[instance.id] = instance
        self.keys[instance.id] = key

    def timed(self, overlay: Overlay) -> bool:
        """Whether its times are ones at the program's rate; what is wrong is told once."""
        name = overlay.metadata.name
        if name not in self.in_time:
            wrong = [*mistimed(overlay.spec.layers, self.rate)]
            for path, sentence in wrong:
                self.blame(overlay, path_text(("spec", *path)), f"{sentence}; the overlay is left out")
            self.in_time[name] = not wrong
        return self.in_time[name]

    def _base(self, overlay: Overlay) -> _Base:
        """The overlay with absolute paths, before any value is put in; made once."""
        name = overlay.metadata.name
        if name not in self.bases:
            placed = tuple(self._placed(overlay, layer) for layer in overlay.spec.layers)
            spec = overlay.spec.model_copy(update={"layers": placed})
            layers = tuple((layer, tokens(layer)) for layer in placed)
            used = frozenset[str]().union(*(names for _, names in layers))
            self.bases[name] = _Base(layers, used, digest([name, spec.dump()]))
        return self.bases[name]

    def _placed(self, overlay: Overlay, layer: Layer) -> Layer:
        """The layer, and those in it, with absolute paths."""

        def absolute(image: P) -> P:
            if isinstance(image, ImageLayer) and image.sequence is not None:
                path = self.resolve(overlay, image.sequence, AssetKind.MEDIA)
                return image.model_copy(update={"sequence": path})
            assert image.file is not None, "the model has checked that there is one of them"
            path = self.resolve(overlay, image.file, AssetKind.IMAGE)
            return image.model_copy(update={"file": path})

        update: dict[str, Any] = {}
        if layer.image is not None:
            update["image"] = absolute(layer.image)
        if layer.mask is not None and layer.mask.image is not None:
            update["mask"] = layer.mask.model_copy(update={"image": absolute(layer.mask.image)})
        if layer.fallback is not None and layer.fallback.image is not None:
            update["fallback"] = layer.fallback.model_copy(update={"image": absolute(layer.fallback.image)})
        if layer.group is not None:
            inner = tuple(self._placed(overlay, one) for one in layer.group.layers)
            update["group"] = layer.group.model_copy(update={"layers": inner})
        return layer.model_copy(update=update) if update else layer

    def blame(self, resource: Resource, path: str, message: str) -> None:
        self.blames += 1
        self.problems[Problem(resource.kind, resource.metadata.name, path, message)] = None


def _instance(
    overlay: Overlay,
    base: _Base,
    values: Mapping[str, str],
    points: Mapping[str, int],
    enter: Envelope | None,
    exit: Envelope | None,
) -> tuple[OverlayInstance, tuple[str, ...]]:
    """The overlay with these values, and what it lacks."""
    told: list[str] = []
    data = tuple(source for source in overlay.spec.data if source.name in base.used - values.keys())
    layers = tuple(layer for layer, _ in base.layers)
    known = {**dict.fromkeys((source.name for source in data), ""), **values}
    shown = tuple(
        _filled(layer, known, told.append) if names else layer for layer, names in base.layers
    )  # also where the playout does it: what is missing is told
    instance = OverlayInstance(
        id=digest([base.digest, dict(values), dict(points), *(how and how.dump() for how in (enter, exit))]),
        overlay=overlay.metadata.name,
        spec=overlay.spec.model_copy(update={"layers": layers if data else shown, "data": data}),
        values=dict(values) if data else {},
        enter=enter,
        exit=exit,
        cue_points=dict(points),
    )
    return instance, tuple(told)


def _synced(overlay: Overlay) -> Iterator[tuple[str, str]]:
    """The fields of tracks that name a cue point, and the names."""
    for path, layer in every_layer(overlay.spec.layers):
        for index, track in enumerate(layer.tracks):
            if track.sync is not None:
                yield path_text(("spec", *path, "tracks", index, "sync")), track.sync


def _filled(layer: Layer, values: Mapping[str, str], blame: Callable[[str], None]) -> Layer:
    """The layer with its tokens replaced; `blame` is told what is missing."""
    instead = "nothing is shown in its place" if layer.fallback is None else "the layer's fallback is shown"

    def tell(sentence: str) -> None:
        blame(f"layer {layer.name}: {sentence}")

    def missing(token: str) -> None:
        tell(f"neither the cue nor the Program gives a value for {{{{ {token} }}}}; {instead}")

    return filled(layer, values, missing, tell)


class _TimelineCompiler:
    """Compiles one timeline for one program. Times are exact until they are rounded to frames, once."""

    def __init__(self, compiler: _Compiler, timeline: Timeline) -> None:
        self._compiler = compiler
        self._timeline = timeline
        self._unit = ticks_of_a_frame(compiler.rate)
        parts, same = compiler.parts, compiler.parts.surroundings == compiler.surroundings
        self._shown: Mapping[int, Shown] = parts.shown if same else {}
        self._overlaid: Mapping[int, Overlaid] = parts.overlaid if same else {}
        self._transitions: dict[tuple[object, ...], TransitionPlan] = {}
        self._instances: dict[object, tuple[str, tuple[str, ...]]] = {}  # by overlay, values, cue points
        self._synced: dict[str, tuple[tuple[str, str], ...]] = {}  # see `_synced`, by overlay

    def compile(self) -> TimelinePlan:
        spec = self._timeline.spec
        compiler = self._compiler
        flat = flatten(self._timeline, compiler.timelines, compiler.rate, compiler.parts.pieces)
        compiler.pieces = flat.pieces
        for missing in flat.missing:
            self._blame(
                f"{missing.path}.timeline",
                f"there is no Timeline {missing.name!r}; the slate is shown instead",
            )
        video = self._video(flat.video)
        length = self._frame("spec.tracks", flat.length)
        along: list[FlatOverlay | FlatAudio] = [*flat.overlays, *flat.audio]
        endless = length == 0 and any(cue.end is None for cue in along)
        if endless:  # overlays and sounds alone, none of which ends: they stay
            length = 1 + max(self._frame(cue.path, cue.start) for cue in along)
        if length == 0:
            raise PlanError("spec.tracks", "no cue lasts as long as a frame; give one a longer duration")
        overlays = [
            plan for cue in flat.overlays if (plan := self._overlay(cue, None if endless else length))
        ]
        sounds = (self._audio(cue, None if endless else length) for cue in flat.audio)
        audio = [plan for plan in sounds if plan is not None]
        _check_at_once(overlays, OVERLAYS_AT_ONCE, "shows", "overlays")
        _check_at_once(audio, SOUNDS_AT_ONCE, "plays", "sounds")
        daily = spec.anchor.daily if spec.anchor is not None else None
        return TimelinePlan(
            name=self._timeline.metadata.name,
            length=length,
            loop=spec.loop and not endless,
            anchor=spec.anchor.start if spec.anchor is not None else None,
            daily=None if daily is None else _daily(daily),
            playback=self._playback(flat, None if endless else length),
            video=tuple(video),
            overlays=tuple(overlays),
            audio=tuple(audio),
            cue_points=tuple(
                CuePointPlan(
                    name=point.name,
                    frame=self._frame(f"spec.cuePoints[{index}].at", flat.cue_points[index]),
                )
                for index, point in enumerate(spec.cue_points)
            ),
        )

    def _video(self, cues: Iterable[FlatCue]) -> list[VideoCuePlan]:
        """The cues in whole frames; those that are shorter than a frame are left out."""
        plans: list[VideoCuePlan] = []
        before: str | None = None
        cameras, frame = self._compiler.cameras, self._frame
        for cue in cues:
            taken = self._shown.get(id(cue))
            if taken is not None:
                plans.append(self._take(taken))
                before = None
                continue
            start, end = frame(cue.path, cue.start), frame(cue.path, cue.end)
            camera = None if cue.cue is None else cue.cue.camera
            if camera is not None and camera not in cameras:
                sentence = f"there is no Camera {camera!r}; the slate is shown instead"
                self._blame(f"{cue.path}.camera", sentence)
            if end == start:
                if not cue.cut_short:
                    self._blame(cue.path, "lasts less than a frame; the cue is left out")
                continue
            plan = self._video_plan(cue, start, end, before)
            plans.append(plan)
            before = plan.clip
        return plans

    def _video_plan(self, flat: FlatCue, start: int, end: int, before: str | None) -> VideoCuePlan:
        """The cue from frame `start` to `end`; `before` is the clip just before it."""
        cue, compiler = flat.cue, self._compiler
        camera = preset = clip = image = None
        if cue is not None:
            camera, preset = cue.camera, cue.preset
            image = None if cue.image is None else compiler.image(flat.owner, cue.image)
            clip = None if cue.file is None else compiler.clip(flat.owner, cue.file, before)
        how, gain = self._transition(flat, end - start), _factor(flat.gain)
        key = (start, end, camera, preset, clip, image, how, gain)
        plan = compiler.video_cues.get(
            key,
            lambda: VideoCuePlan(
                start=start,
                end=end,
                camera=camera,
                preset=preset,
                clip=clip,
                image=image,
                transition=None if how is None else self._transitions[how],
                gain=gain,
            ),
        )
        known = camera is None or camera in compiler.cameras
        if flat.owner is not self._timeline and clip is None and image is None and known:
            compiler.shown[id(flat)] = Shown(flat, key, plan)
        return plan

    def _take(self, taken: Shown) -> VideoCuePlan:
        """What came of that very cue before."""
        self._compiler.shown[id(taken.flat)] = taken
        self._compiler.video_cues.made[taken.key] = taken.plan
        return taken.plan

    def _transition(self, cue: FlatCue, length: int) -> tuple[object, ...] | None:
        """What the cue's transition follows from; made once."""
        if not cue.transition_ticks:
            return None
        frames = min(self._nearest(cue.transition_ticks), length)
        given = cue.transition
        # Not the model itself: its hash and comparison take ten times as long.
        key = (given.type, given.direction, given.softness, given.color, given.easing, given.sound, frames)
        if key not in self._transitions:
            self._transitions[key] = _transition(given, frames)
        return key

    def _overlay(self, cue: FlatOverlay, length: int | None) -> OverlayCuePlan | None:
        """The cue in whole frames of a timeline of `length` (None: endless); None if it shows nothing."""
        compiler, blames = self._compiler, self._compiler.blames
        taken = self._overlaid.get(id(cue))
        if taken is not None:
            return self._take_overlay(taken)
        overlay = compiler.overlays.get(cue.cue.overlay)
        if overlay is None:
            sentence = f"there is no Overlay {cue.cue.overlay!r}; the cue is left out"
            self._blame(f"{cue.path}.overlay", sentence)
            return None
        if not compiler.timed(overlay):
            return None
        frames = self._start_and_end(cue, length)
        if frames is None:
            return None
        (start, end), instance = frames, self._instance(cue)
        key = start, end, instance
        plan = compiler.overlay_cues.get(key, lambda: OverlayCuePlan(start=start, end=end, instance=instance))
        if cue.owner is not self._timeline and cue.end is not None and compiler.blames == blames:
            compiler.overlaid[id(cue)] = Overlaid(cue, key, plan, compiler.keys[instance])
        return plan

    def _take_overlay(self, taken: Overlaid) -> OverlayCuePlan:
        """As `_take`, of an overlay cue."""
        compiler = self._compiler
        compiler.overlaid[id(taken.flat)] = taken
        compiler.overlay_cues.made[taken.key] = taken.plan
        if taken.plan.instance not in compiler.instances:
            compiler.keep(taken.instance)
        return taken.plan

    def _audio(self, cue: FlatAudio, length: int | None) -> AudioCuePlan | None:
        """As `_overlay`."""
        frames = self._start_and_end(cue, length)
        if frames is None:
            return None
        start, end = frames
        whole = cue.outermost and cue.end is None and start == 0
        on_and_on = whole and cue.cue.loop and self._timeline.spec.loop and not cue.fade_out
        return AudioCuePlan(
            start=start,
            end=end,
            file=self._compiler.resolve(cue.owner, cue.cue.file, AssetKind.MEDIA),
            loop=cue.cue.loop,
            through=on_and_on and length is not None,
            gain=_factor(cue.gain),
            curve=tuple(self._gain_point(keyframe) for keyframe in cue.cue.curve),
            fade_in=self._nearest(cue.fade_in),
            fade_out=self._nearest(cue.fade_out),
            duck=None if cue.cue.duck is None else self._duck(cue.cue.duck),
        )

    def _gain_point(self, keyframe: GainKeyframe) -> GainPoint:
        return GainPoint(
            frame=float(keyframe.at.frames(self._compiler.rate)),
            decibels=float(keyframe.gain.decibels),
            easing=keyframe.easing,
        )

    def _duck(self, duck: Duck) -> DuckPlan:
        rate = self._compiler.rate
        return DuckPlan(
            threshold=10 ** float(duck.threshold.decibels / 10),
            factor=_factor(duck.amount.decibels),
            attack=max(1, round_half_up(duck.attack.seconds * rate)),
            hold=round_half_up(duck.hold.seconds * rate),
            release=max(1, round_half_up(duck.release.seconds * rate)),
        )

    def _start_and_end(
        self, cue: FlatOverlay | FlatAudio, length: int | None
    ) -> tuple[int, int | None] | None:
        """The cue's frames in a timeline of `length` (None: endless); None if it has none."""
        start = self._frame(cue.path, cue.start)
        end = length if cue.end is None else self._frame(cue.path, cue.end)
        if end is not None and end <= start:
            if not cue.cut_short:
                self._blame(cue.path, "lasts less than a frame; the cue is left out")
            return None
        return start, end

    def _instance(self, cue: FlatOverlay) -> str:
        """The overlay with the cue's values; made once for all cues that have the same."""
        points, given = self._cue_points(cue), cue.cue
        key = (
            given.overlay,
            tuple(given.values.items()),
            tuple(points.items()),
            given.enter,
            given.exit,
        )
        if key not in self._instances:
            overlay = self._compiler.overlays[given.overlay]
            values = {**self._compiler.program.spec.values, **given.values}
            self._instances[key] = self._compiler.instance(overlay, values, points, given.enter, given.exit)
        id, sentences = self._instances[key]
        for sentence in sentences:
            self._blame(f"{cue.path}.values", sentence)
        return id

    def _cue_points(self, cue: FlatOverlay) -> dict[str, int]:
        """The ages of the overlay at which the cue points lie that its tracks name."""
        overlay = self._compiler.overlays[cue.cue.overlay]
        if cue.cue.overlay not in self._synced:
            self._synced[cue.cue.overlay] = tuple(_synced(overlay))
        points: dict[str, int] = {}
        for path, name in self._synced[cue.cue.overlay]:
            if name in cue.cue_points:
                there = self._frame(cue.path, cue.offset + cue.cue_points[name])
                points[name] = there - self._frame(cue.path, cue.start)
            else:
                whose, so = (
                    f"Timeline {cue.owner.metadata.name}",
                    ", so its times count from the overlay's entry",
                )
                self._compiler.blame(overlay, path, no_cue_point(name, cue.cue_points, whose, so))
        return points

    def _playback(self, flat: Flat, length: int | None) -> PlaybackPlan | None:
        """Where the program wants the timeline; None where its anchor has it, or the place is wrong."""
        program = self._compiler.program
        given = program.spec.playback
        frame: int | None = None
        if given.state is PlaybackState.PLAYING and given.since is None:
            return None
        if given.cue is not None:
            names = [point.name for point in self._timeline.spec.cue_points]
            if given.cue not in names:
                sentence = f"the Timeline {self._timeline.metadata.name!r} has no cue point {given.cue!r}"
                self._compiler.blame(program, "spec.playback.cue", f"{sentence}; it plays as its anchor says")
                return None
            frame = self._nearest(flat.cue_points[names.index(given.cue)])
        elif given.at is not None:
            try:
                frame = round_half_up(given.at.frames(self._compiler.rate))
            except ValueError as error:
                self._compiler.blame(program, "spec.playback.at", f"{error}; it plays as its anchor says")
                return None
        if frame is not None and length is not None and frame >= length:
            path = "spec.playback.at" if given.cue is None else "spec.playback.cue"
            sentence = "lies at the end of the timeline or later; it plays as its anchor says"
            self._compiler.blame(program, path, sentence)
            return None
        return PlaybackPlan(state=given.state, frame=frame, since=given.since)

    def _nearest(self, ticks: int) -> int:
        """The whole number of frames that is nearest; the upper one of two that are equally near."""
        return (2 * ticks + self._unit) // (2 * self._unit)

    def _frame(self, path: str, ticks: int) -> int:
        """The frame nearest to an exact time on the timeline."""
        frame = self._nearest(ticks)
        if frame > MAX_FRAMES:
            raise PlanError(path, "lies too far in the future; the timeline is longer than a million years")
        return frame

    def _blame(self, path: str, message: str) -> None:
        self._compiler.blame(self._timeline, path, message)


def _transition(given: Transition, frames: int) -> TransitionPlan:
    how: dict[str, Any] = {"direction": given.direction, "softness": given.softness}
    how |= {"color": given.color, "easing": given.easing, "sound": given.sound}
    return TransitionPlan(
        type=given.type,
        frames=frames,
        **{name: value for name, value in how.items() if value is not None},
    )


def _daily(anchor: DailyAnchor) -> DailyPlan:
    hours, minutes, seconds = (int(part) for part in f"{anchor.time}:00".split(":")[:3])
    return DailyPlan(second=3600 * hours + 60 * minutes + seconds, time_zone=anchor.time_zone)


def _factor(decibels: Fraction | None) -> float:
    """The factor of a gain; 0 where it is silence, or mute (None)."""
    if decibels is not None and not decibels:
        return 1.0
    return 0.0 if decibels is None or decibels <= SILENCE else 10 ** float(min(decibels, _LOUDEST) / 20)


def _check_at_once(
    cues: Sequence[OverlayCuePlan] | Sequence[AudioCuePlan], most: int, does: str, what: str
) -> None:
    """Refuse more overlays or sounds at the same time than can be composed."""
    starts = sorted(cue.start for cue in cues)
    ends = sorted(cue.end for cue in cues if cue.end is not None)
    if any(begun - bisect_right(ends, start) > most for begun, start in enumerate(starts, 1)):
        raise PlanError("spec.tracks", f"{does} more than {most} {what} at the same time; take some out")


def _output(
    output: Output, resolve: Resolve, hls_folder: DefaultFolder, recording_folder: DefaultFolder
) -> OutputPlan:
    def folder(target: Target, given: str | None, default: DefaultFolder) -> str:
        return default(output, target) if given is None else resolve(output, given, AssetKind.FOLDER)

    def absolute(target: Target) -> Target:
        update: dict[str, Any] = {}
        if target.hls is not None:
            path = folder(target, target.hls.folder, hls_folder)
            update["hls"] = target.hls.model_copy(update={"folder": path})
        if target.recording is not None:
            path = folder(target, target.recording.folder, recording_folder)
            update["recording"] = target.recording.model_copy(update={"folder": path})
        if target.tls.ca_file is not None:
            path = resolve(output, target.tls.ca_file, AssetKind.CERTIFICATES)
            update["tls"] = target.tls.model_copy(update={"ca_file": path})
        return target.model_copy(update=update)

    given = [files.folder for one in output.spec.targets if (files := one.hls or one.recording) is not None]
    relative = any(path is not None and not path.startswith("/") for path in given)
    return OutputPlan(
        name=output.metadata.name,
        encoding=encoding_id(output.spec.encoding),
        targets=tuple(absolute(target) for target in output.spec.targets),
        failover=output.spec.failover,
        home=resolve(output, ".", AssetKind.FOLDER) if relative else None,
    )
