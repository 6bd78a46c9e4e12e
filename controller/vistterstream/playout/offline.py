"""A program without its playout: any frame of it, made by the code that makes it on air.

Nothing here knows the time. Test patterns are the same as on air; a file's picture follows from the plan and
the frame's number alone; a device, which is not there, is a card with its name, or a file given in its place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from vistterstream.base.redaction import redact
from vistterstream.playout import guides as guides_
from vistterstream.playout.clock import NANOSECONDS, Epoch
from vistterstream.playout.compositor import prepare
from vistterstream.playout.feeds import PatternFeed
from vistterstream.playout.film import Film
from vistterstream.playout.frames import Frame
from vistterstream.playout.jitter import Taken
from vistterstream.playout.mixing import Bus, memory
from vistterstream.playout.protocol import CameraState
from vistterstream.playout.reel import Reel, camera_reel, clip_camera, clip_reel
from vistterstream.playout.slate import slate
from vistterstream.playout.sound import samples_of
from vistterstream.playout.stage import Made, Source, Stage, make
from vistterstream.playout.tape import Tapes
from vistterstream.resources.camera import CameraSource, CameraSpec, FileSource
from vistterstream.resources.data import DataSource
from vistterstream.resources.program import Fallback, Format
from vistterstream.resources.quantities import Color
from vistterstream.timeline.compile import SOUNDS_AT_ONCE
from vistterstream.timeline.evaluate import TimelineIndex
from vistterstream.timeline.plan import CLIP, CameraPlan, ClipPlan, OverlayInstance, Plan

_CARDS = ("#1F3A5F", "#5F1F3A", "#1F5F3A", "#5F4A1F", "#3A1F5F", "#1F5A5F")


class Card:
    """A device that is not there: a picture with its name and address."""

    def __init__(self, name: str, spec: CameraSpec, format: Format, number: int) -> None:
        self.spec = spec
        text = f"{name}\n{redact(spec.source.url or '')}"
        color = Color.parse(_CARDS[number % len(_CARDS)])
        fallback = Fallback(text=text[:512], color=color)
        self._frame = slate(fallback, format.width, format.height, lambda _: None)

    def take(self, number: int, samples: int, shown: bool) -> Taken | None:
        """The card, in silence."""
        return Taken(self._frame, None, fresh=True) if shown else None

    def usable(self, now: float, number: int) -> bool:
        """Always."""
        return True

    def state(self, now: float) -> CameraState:
        """Always live."""
        return CameraState.LIVE


class FilmSource:
    """A file, by the rule that holds on air too: plan and frame number say what it shows."""

    def __init__(
        self,
        name: str,
        spec: CameraSpec,
        reel: Reel,
        format: Format,
        environment: Mapping[str, str],
        *,
        sha256: str | None = None,
    ) -> None:
        """`name` says what it is to people; `sha256` is what the file must be."""
        assert spec.source.file is not None
        self.spec = spec
        self._name, self._reel = name, reel
        self._rate = format.frame_rate.fraction
        self._open = partial(Film, spec.source.file.path, format, environment, sha256=sha256)
        self._film: Film | None = None
        self._made: tuple[int, Taken | None] | None = None
        self.problem: str | None = None

    def take(self, number: int, samples: int, shown: bool) -> Taken | None:
        """The picture and sound that belong to program frame `number`."""
        return self._fetch(number) if shown else None

    def usable(self, now: float, number: int) -> bool:
        """Whether the file has a picture for program frame `number`."""
        return self._fetch(number) is not None

    def state(self, now: float) -> CameraState:
        """Lost: it is asked for only where there is no picture, as the file is over or cannot be read."""
        return CameraState.WAITING

    def close(self) -> None:
        """Let go of the file."""
        if self._film is not None:
            self._film.close()

    def _fetch(self, number: int) -> Taken | None:
        if self._made is None or self._made[0] != number:
            self._made = number, self._decode(number)
        return self._made[1]

    def _decode(self, number: int) -> Taken | None:
        if self._film is None:
            self._film = self._open()
        film = self._film
        place = self._reel.place(number, film.length) if film.length else None
        taken = film.take(place, samples_of(number, self._rate)) if place is not None else None
        failure = film.failure or (self._reel.lacks(film.length) if film.length else None)
        if failure is not None and self.problem is None:
            self.problem = f"{self._name}: {failure.message}"
        return taken


class _Given:
    """The values of data sources, as somebody gave them."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.missing: dict[str, None] = {}  # a sentence for each that is not given

    def text(self, overlay: OverlayInstance, source: DataSource) -> str | None:
        """The value; None where none is given."""
        given = self._values.get(f"{overlay.overlay}.{source.name}", self._values.get(source.name))
        if given is None:
            instead = "its default is shown" if source.default is not None else "there is no value to show"
            self.missing[
                f"Overlay {overlay.overlay}: data {source.name} is not fetched here, and {instead}; give one "
                f"with --data {source.name}=TEXT."
            ] = None
        return given


class Offline:
    """The frames of a plan. Not thread-safe; `close` ends the processes that decode files."""

    def __init__(
        self,
        plan: Plan,
        epoch_wall_ns: int,
        *,
        files: Mapping[str, Path] | None = None,
        first: int = 0,
        data: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        guides: bool = False,
    ) -> None:
        """`epoch_wall_ns` is the Unix time of program frame 0, `files` stand for cameras, by name; `first` is
        the first frame that will be asked for. `data` are the values of data sources, which are not fetched:
        by NAME, or by OVERLAY.NAME; others have their defaults. `guides` draws the safe areas' outlines.
        """
        self.format = plan.format
        self.rate = plan.format.frame_rate.fraction
        self.epoch = Epoch(0, epoch_wall_ns)
        self._environment = os.environ if environment is None else environment
        self._index = TimelineIndex(plan.timeline) if plan.timeline is not None else None
        cameras = {camera.name: _with_file(camera, files or {}) for camera in plan.cameras}
        sources = {
            name: self._source(camera, cameras, number)
            for number, (name, camera) in enumerate(cameras.items())
        }
        if self._index is not None:
            sources |= {f"{CLIP}{clip.id}": self._clip(clip, self._index) for clip in plan.clips}
        given = [sources[name] for name in files or {} if name in sources]
        self._given_films = [source for source in given if isinstance(source, FilmSource)]
        self._films = [source for source in sources.values() if isinstance(source, FilmSource)]
        wall = datetime.fromtimestamp(self.epoch.wall_of(first, self.rate) / NANOSECONDS, UTC)
        self._data = _Given(data or {})
        scene = prepare(
            plan.format, plan.overlays, plan.fallback, wall=wall, images=plan.images, data=self._data.text
        )
        scene.draw_at_once()
        self._tapes = Tapes(self._environment, 2 * SOUNDS_AT_ONCE)
        self._stage = Stage(index=self._index, scene=scene, feeds=sources, sounds=self._tapes)
        self._bus = Bus(self.rate)
        self._memory = memory(self._index)
        self._next: int | None = None
        self._guides = guides

    @property
    def problems(self) -> list[str]:
        """A sentence for each thing that is not shown as it should be, so far."""
        scene = self._stage.scene
        found = [f"Overlay {name}: {sentence}" for name, sentence in scene.problems.items()]
        found += [*self._data.missing, *scene.stills.problems.values()]
        found += [scene.slate_problem] if scene.slate_problem else []
        found += self._tapes.problems.values()
        return [*found, *(film.problem for film in self._films if film.problem)]

    @property
    def failures(self) -> list[str]:
        """Those of `problems` that are about files that were given for cameras."""
        return [film.problem for film in self._given_films if film.problem]

    def make(self, number: int, out: Frame) -> Made:
        """Make program frame `number` in `out`. Frames may be asked for in any order; rising is fastest."""
        if number != self._next:  # its sound depends on what was heard before
            for before in range(max(0, number - self._memory), number):
                self._make(before, None)
        self._next = number + 1
        made = self._make(number, out)
        if self._guides:
            guides_.draw(out)
        return made

    def _make(self, number: int, out: Frame | None) -> Made:
        return make(self._stage, number, self.rate, self.epoch, float(number / self.rate), out, self._bus)

    def close(self) -> None:
        """End everything."""
        for film in self._films:
            film.close()
        self._tapes.close()
        self._stage.scene.close()

    def _source(self, camera: CameraPlan, cameras: Mapping[str, CameraPlan], number: int) -> Source:
        if camera.spec.source.test_pattern is not None:
            return PatternFeed(camera.name, camera.spec, self.format)
        if camera.spec.source.file is None or self._index is None:
            return Card(camera.name, camera.spec, self.format, number)
        reel = camera_reel(camera, cameras.values(), self._index, self.rate, self.epoch.wall_ns)
        return FilmSource(f"Camera {camera.name}", camera.spec, reel, self.format, self._environment)

    def _clip(self, clip: ClipPlan, index: TimelineIndex) -> Source:
        reel = clip_reel(clip, index, self.rate, self.epoch.wall_ns)
        name, sha256 = f"Clip {Path(clip.file).name}", clip.sha256
        return FilmSource(name, clip_camera(clip), reel, self.format, self._environment, sha256=sha256)


def _with_file(camera: CameraPlan, files: Mapping[str, Path]) -> CameraPlan:
    """`camera` with a file for its source, if one is given; it loops, as a device never ends."""
    if camera.name not in files:
        return camera
    source = CameraSource(file=FileSource(path=str(files[camera.name].absolute()), loop=True))
    return camera.model_copy(update={"spec": camera.spec.model_copy(update={"source": source})})
