"""Puts a frame of the program together: the picture, a crossfade, and overlays, on YUV planes in place.

`prepare` does everything slow and runs on another thread; it returns a `Scene`, which the clock thread
swaps in between two frames. `compose` is all that happens on the clock thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import numpy as np

from vistterstream.base import logs
from vistterstream.playout.ahead import FRAMES, Worker
from vistterstream.playout.blend import Blender
from vistterstream.playout.frames import Frame
from vistterstream.playout.geometry import View
from vistterstream.playout.items import Item, Studio, item_of
from vistterstream.playout.moment import Moment
from vistterstream.playout.passing import as_one
from vistterstream.playout.pieces import Tell
from vistterstream.playout.room import Kept, Purse, Room
from vistterstream.playout.slate import slate, slate_key
from vistterstream.playout.sprites import SpriteCache
from vistterstream.playout.stills import Stills
from vistterstream.playout.transitions import Transitions
from vistterstream.resources.data import DataSource
from vistterstream.resources.overlay import Layer, OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.plan import ImagePlan, OverlayInstance, TransitionPlan
from vistterstream.timeline.tokens import dressed

_log = logs.get("playout")
Data = Callable[[OverlayInstance, DataSource], str | None]
"""The text of a data source of an overlay; None where there is none."""


def no_data(_overlay: OverlayInstance, _source: DataSource) -> str | None:
    """Data of which nothing is known: every source has its default."""
    return None


Instance = tuple[str, int] | tuple[str, int, int | None]
"""An overlay instance's id, its age in frames, and the length of its cue where that is known."""


class Scene:
    """Everything that overlays and slate of one plan look like, ready to be put on frames.

    `slate` is the fallback's picture (read only). `problems` has a sentence for each Overlay (by name)
    that could not be drawn as it should, `slate_problem` one for the slate. One thread composes.
    """

    def __init__(
        self, format: Format, fallback: Fallback, previous: Scene | None, images: Sequence[ImagePlan] = ()
    ) -> None:
        self.width, self.height = format.width, format.height
        self.cache: SpriteCache = previous.cache if previous is not None else SpriteCache()
        self.slate_key = slate_key(fallback, format.width, format.height)
        self._slate_file = fallback.image
        self.slate_problem: str | None = None
        if previous is not None and previous.slate_key == self.slate_key:
            self.slate: Frame = previous.slate
            self.slate_problem = previous.slate_problem
        else:
            wrong: list[str] = []
            self.slate = slate(fallback, format.width, format.height, wrong.append)
            self.slate_problem = " ".join(wrong) or None
        self.problems: dict[str, str] = {}
        self.items: dict[str, tuple[Item, ...]] = {}
        self.specs: dict[str, OverlaySpec] = {}  # what the items are of
        self.kept: dict[str, list[Kept]] = {}  # what each overlay takes of the program's purse
        self.incomplete: set[str] = set()  # overlays with a problem
        self.names: dict[str, str] = {}  # of the Overlays
        self._exact = False
        self.blender = Blender(format.width)
        self.transitions = Transitions()
        self.worker: Worker = previous.worker.shared() if previous is not None else Worker()
        self._foreseen = -1  # the last frame that was looked at ahead
        self.stills: Stills = Stills(format, images, previous.stills if previous is not None else None)

    @property
    def unreadable(self) -> dict[str, str]:
        """A sentence for each picture file of the slate and of cues that cannot be read."""
        wrong = dict(self.stills.problems)
        if self._slate_file is not None and self.slate_problem is not None:
            wrong[self._slate_file] = self.slate_problem
        return wrong

    def ahead_of(self, number: int) -> range:
        """The frames that are to be foreseen now that frame `number` has been composed."""
        if not self.worker.wanted:
            return range(0)
        last = number + FRAMES
        first = max(self._foreseen, number) + 1 if self._foreseen <= last else number + 1
        self._foreseen = last
        return range(first, last + 1)

    def foresee(
        self,
        overlays: Sequence[Instance],
        number: int,
        wall: datetime,
        *,
        position: int | None = None,
        epoch_ns: int = 0,
    ) -> None:
        """Have drawn ahead what takes long of frame `number`; parameters as of `compose`."""
        for id, age, *rest in overlays:
            moment = Moment(age, rest[0] if rest else None, number, wall, position, epoch_ns)
            with self._spared(id, number):
                for item in self.items.get(id, ()):
                    item.foresee(moment)

    def draw_at_once(self) -> None:
        """Have every frame right rather than in time: for frames that are made offline. `compose` then raises
        what goes wrong.
        """
        self._exact = True
        self.worker.close()
        for items in self.items.values():
            for item in items:
                item.draw_at_once()

    def put(self, out: Frame, id: str, moment: Moment) -> None:
        """Put an overlay on the frame."""
        with self._spared(id, moment.number):
            for item in self.items.get(id, ()):
                for sprite, opacity in item.shown(moment):
                    self.blender.blend(out, sprite, opacity)

    @contextmanager
    def _spared(self, id: str, number: int) -> Iterator[None]:
        """An overlay that goes wrong here is left out from then on, and told; the clock would end of it."""
        try:
            yield
        except Exception as error:
            if self._exact:
                raise
            name = self.names.get(id, id)
            self.items.pop(id, None)
            self.incomplete.add(id)
            self.problems[name] = f"It could not be drawn and is left out: {error}"
            _log.exception("an overlay could not be drawn", overlay=name, frame=number)

    def take_over(self, scene: Scene, overlay: OverlayInstance, spec: OverlaySpec, purse: Purse) -> bool:
        """Give `scene` what was drawn of the overlay here, if it looked like `spec` and nothing was wrong."""
        if overlay.id in self.incomplete or self.specs.get(overlay.id) != spec:
            return False
        kept = self.kept[overlay.id]
        if not purse.fits(kept):
            return False
        purse.take(kept)
        scene.kept[overlay.id] = kept
        scene.items[overlay.id], scene.specs[overlay.id] = self.items[overlay.id], spec
        scene.names[overlay.id] = overlay.overlay
        return True

    def close(self, successor: Scene | None = None) -> None:
        """Let go of threads, but for those that `successor` took over; compose it no more."""
        kept = {id(items) for items in successor.items.values()} if successor is not None else set()
        self.worker.close()
        for items in self.items.values():
            for item in items if id(items) not in kept else ():
                item.close()


def prepare(
    format: Format,
    overlays: Sequence[OverlayInstance],
    fallback: Fallback,
    *,
    wall: datetime,
    previous: Scene | None = None,
    images: Sequence[ImagePlan] = (),
    data: Data = no_data,
    same_plan: bool = False,
) -> Scene:
    """Draw everything that a plan may show. Slow (up to a second); never raises for what cannot be drawn.

    `wall` is the time of day, with a zone, that clock layers start from; `data` tells the values of data
    sources. What `previous` drew and still looks the same is taken over; `previous` may be on the air
    meanwhile, and is closed by its owner after. With `same_plan`, it was made of this very plan and other
    data: overlays whose texts are the same are then those of `previous`.
    """
    scene = Scene(format, fallback, previous, images)
    rate, purse = format.frame_rate.fraction, Purse()
    for overlay in overlays:
        sentences: dict[str, None] = {}
        told: list[str] = []
        spec = dressed(overlay, data, told.append)
        sentences |= dict.fromkeys(told)
        if same_plan and previous is not None and previous.take_over(scene, overlay, spec, purse):
            continue
        view = View(format.width, format.height, overlay.spec.canvas)
        room = Room(purse)
        studio = Studio(view, rate, scene.cache, room, wall, scene.worker, overlay.cue_points)
        items = [(layer, _item(layer, studio, sentences)) for layer in spec.layers]
        drawn = [(layer, item) for layer, item in items if item is not None]
        tell = _teller(sentences)
        scene.items[overlay.id] = as_one(drawn, overlay.enter, overlay.exit, studio, tell)
        scene.kept[overlay.id] = room.kept
        scene.specs[overlay.id] = spec
        scene.names[overlay.id] = overlay.overlay
        if sentences:
            scene.incomplete.add(overlay.id)
            known = scene.problems.get(overlay.overlay, "")
            new = " ".join(sentence for sentence in sentences if sentence not in known)
            scene.problems[overlay.overlay] = f"{known} {new}".strip()
    return scene


def compose(
    scene: Scene,
    out: Frame,
    base: Frame,
    incoming: Frame | None,
    mix: float,
    overlays: Sequence[Instance],
    number: int,
    wall: datetime,
    transition: TransitionPlan | None = None,
    *,
    position: int | None = None,
    epoch_ns: int = 0,
) -> None:
    """Make `out` the frame of the program: `base`, or where there is an `incoming` picture the `transition`
    (a crossfade where None) that has come the share `mix` of its way from `base` to it, and on it the
    overlays (instance id, age in frames, and the length of the cue where it
    is known, from the bottom up).

    `number` is the program's frame number (for frameCode layers), `wall` the frame's time of day, with a
    zone; `position` the frame of the timeline and `epoch_ns` the Unix time of program frame 0, in ns (for
    timecode). `base` and `incoming` stay as they are; `out` may be `base`. An id that the scene does not know
    shows nothing.
    """
    if incoming is not None:
        scene.transitions.blend(out, base, incoming, mix, transition)
    elif out is not base:
        np.copyto(out.data, base.data)
    for id, age, *rest in overlays:
        moment = Moment(age, rest[0] if rest else None, number, wall, position, epoch_ns)
        scene.put(out, id, moment)


def _item(layer: Layer, studio: Studio, sentences: dict[str, None]) -> Item | None:
    """The layer, drawn; what is wrong with it becomes a key of `sentences`."""
    tell = _teller(sentences)
    return item_of(layer, studio, lambda sentence: tell(f"{layer.name}: {sentence}"))


def _teller(sentences: dict[str, None]) -> Tell:
    """Takes a sentence that begins with the name of a layer."""

    def tell(sentence: str) -> None:
        sentences[f"Layer {sentence}"] = None

    return tell
