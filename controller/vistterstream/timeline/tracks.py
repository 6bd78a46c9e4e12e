"""What a layer looks like at an age: its tracks, and how it comes and goes. Pure functions.

Ages count frames since the overlay entered, times are taken in frames as real numbers. The length of the
cue (frames, None where it has no end) is needed for `exit` alone. Nothing remembers what was asked before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from vistterstream.resources.overlay import AnimatedProperty, Envelope, Layer, Repeat, Side, Track
from vistterstream.timeline.easing import ease

Rgba = tuple[float, float, float, float]

CuePoints = Mapping[str, int]
"""Ages of an overlay at which the cue points lie that its tracks name; others count from its entry."""

_NONE: CuePoints = MappingProxyType({})
_COLOR_STEPS = 255.0


@dataclass(frozen=True, slots=True)
class Pose:
    """How a layer stands in one frame.

    `x` and `y` are canvas pixels from its anchor, `scale` a factor, `rotation` degrees clockwise, `crop` the
    shares cut off at the left, top, right and bottom. `slide` tells how far it is on its way out by a side:
    that side, the share of the way, and the length of the way in canvas pixels (None: out of the picture).
    `color` (0 to 255 each, not premultiplied) and `text` (an index of `Motion.texts`) where they have tracks.
    """

    x: float
    y: float
    scale: float = 1.0
    rotation: float = 0.0
    crop: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    slide: tuple[Side, float, int | None] | None = None
    color: Rgba | None = None
    text: int | None = None


class _Times:
    """Finds the two keyframes around an age, and the eased share of the way between them."""

    def __init__(self, track: Track, rate: Fraction, points: CuePoints) -> None:
        self._start = points.get(track.sync, 0) if track.sync is not None else 0
        self._times = [float(keyframe.at.frames(rate)) for keyframe in track.keyframes]
        self._easings = [str(keyframe.easing) for keyframe in track.keyframes]
        self._repeat = track.repeat

    def at(self, age: float) -> tuple[int, int, float]:
        """Indices of the keyframes before and after, and the share of the way to the latter."""
        times = self._times
        now = self._folded(age - self._start)
        index = bisect_right(times, now)
        if index == 0 or index == len(times):
            edge = min(index, len(times) - 1)
            return edge, edge, 0.0
        share = (now - times[index - 1]) / (times[index] - times[index - 1])
        return index - 1, index, ease(self._easings[index], share)

    def _folded(self, age: float) -> float:
        """The age within the first run of the track."""
        period = self._times[-1]
        if self._repeat is Repeat.NONE or age < 0:
            return age
        if self._repeat is Repeat.LOOP:
            return age % period
        return period - abs(age % (2 * period) - period)


class Numbers:
    """A property that is a number; constant without a track."""

    def __init__(self, fixed: float, track: Track | None, rate: Fraction, points: CuePoints = _NONE) -> None:
        self._values = [fixed] if track is None else [keyframe.number for keyframe in track.keyframes]
        self._times = None if track is None else _Times(track, rate, points)

    @property
    def constant(self) -> float | None:
        """The value, if it is always the same."""
        return self._values[0] if len(set(self._values)) == 1 else None

    @property
    def reach(self) -> tuple[float, float]:
        """The least and the greatest value at a keyframe; an easing may go beyond."""
        return min(self._values), max(self._values)

    def at(self, age: float) -> float:
        """The value at that age."""
        if self._times is None:
            return self._values[0]
        before, after, share = self._times.at(age)
        start, end = self._values[before], self._values[after]
        return start + (end - start) * share


class Colors:
    """A colour that changes: mixed premultiplied, so that what is transparent lends no colour."""

    def __init__(self, track: Track, rate: Fraction, points: CuePoints = _NONE) -> None:
        self._values = [_premultiplied(keyframe.color.rgba) for keyframe in track.keyframes if keyframe.color]
        self._times = _Times(track, rate, points)

    def at(self, age: float) -> Rgba:
        """Red, green, blue and opacity at that age, 0 to 255 each, not premultiplied."""
        before, after, share = self._times.at(age)
        mixed = [
            start + (end - start) * share
            for start, end in zip(self._values[before], self._values[after], strict=True)
        ]
        alpha = min(max(mixed[3], 0.0), _COLOR_STEPS)
        if alpha <= 0:
            return 0.0, 0.0, 0.0, 0.0
        red, green, blue = (min(max(part * 255 / alpha, 0.0), _COLOR_STEPS) for part in mixed[:3])
        return red, green, blue, alpha


class Texts:
    """A text that changes: each keyframe's holds until the next, whatever the easing."""

    def __init__(self, track: Track, rate: Fraction, points: CuePoints = _NONE) -> None:
        self.values = tuple(keyframe.text or "" for keyframe in track.keyframes)
        self._times = _Times(track, rate, points)

    def at(self, age: float) -> int:
        """The index of the text at that age."""
        return self._times.at(age)[0]


class Opacity:
    """The opacity of a layer, with how it comes in and goes."""

    def __init__(self, layer: Layer, rate: Fraction, points: CuePoints = _NONE) -> None:
        self._track = Numbers(layer.opacity, _track(layer, AnimatedProperty.OPACITY), rate, points)
        self._enter = _fading(_Envelope(layer.enter, rate) if layer.enter else None)
        self._exit = _fading(_Envelope(layer.exit, rate) if layer.exit else None)

    @property
    def constant(self) -> float | None:
        """The value, if it is always the same."""
        return None if self._enter or self._exit else self._track.constant

    def at(self, age: int, length: int | None = None) -> float:
        """The opacity at that age, of a cue of that length; 0 to 1."""
        value = self._track.at(age)
        if self._enter is not None:
            value *= self._enter.opacity(self._enter.out_at_start(age))
        if self._exit is not None and length is not None:
            value *= self._exit.opacity(self._exit.out_at_end(age, length))
        return min(max(value, 0.0), 1.0)


class Motion:
    """Everything but the opacity of a layer, over time."""

    def __init__(self, layer: Layer, rate: Fraction, points: CuePoints = _NONE) -> None:
        def numbers(property: AnimatedProperty, fixed: float) -> Numbers:
            return Numbers(fixed, _track(layer, property), rate, points)

        self._home = Pose(float(layer.position.x), float(layer.position.y))
        self._x = numbers(AnimatedProperty.X, layer.position.x)
        self._y = numbers(AnimatedProperty.Y, layer.position.y)
        self._scale = numbers(AnimatedProperty.SCALE, layer.scale)
        self._rotation = numbers(AnimatedProperty.ROTATION, layer.rotation)
        self._crop = (
            numbers(AnimatedProperty.CROP_LEFT, layer.crop.left),
            numbers(AnimatedProperty.CROP_TOP, layer.crop.top),
            numbers(AnimatedProperty.CROP_RIGHT, layer.crop.right),
            numbers(AnimatedProperty.CROP_BOTTOM, layer.crop.bottom),
        )
        color, text = _track(layer, AnimatedProperty.COLOR), _track(layer, AnimatedProperty.TEXT)
        self._color = Colors(color, rate, points) if color else None
        self._texts = Texts(text, rate, points) if text else None
        self._enter = _sliding(_Envelope(layer.enter, rate) if layer.enter else None)
        self._exit = _sliding(_Envelope(layer.exit, rate) if layer.exit else None)

    @property
    def still(self) -> bool:
        """Whether it always stands as its position says: no track, no envelope, and no change of shape."""
        return self.constant and self._texts is None and self.at(0) == self._home

    @property
    def constant(self) -> bool:
        """Whether it stands the same in every frame (but for its text)."""
        moving = (self._x, self._y, self._scale, self._rotation, *self._crop)
        return (
            all(numbers.constant is not None for numbers in moving)
            and self._color is None
            and self._enter is None
            and self._exit is None
        )

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that it changes between; none without a track."""
        return self._texts.values if self._texts else ()

    @property
    def colored(self) -> bool:
        """Whether its colour changes."""
        return self._color is not None

    @property
    def largest(self) -> float:
        """The greatest scale at a keyframe."""
        return self._scale.reach[1]

    @property
    def moves_only(self) -> bool:
        """Whether it keeps its shape and is only moved, at its own size."""
        shape = (self._rotation, *self._crop)
        return (
            self._scale.constant == 1.0
            and all(numbers.constant == 0.0 for numbers in shape)
            and self._color is None
        )

    def at(self, age: int, length: int | None = None) -> Pose:
        """How it stands at that age, in a cue of that length."""
        left, top, right, bottom = (min(max(numbers.at(age), 0.0), 1.0) for numbers in self._crop)
        return Pose(
            x=self._x.at(age),
            y=self._y.at(age),
            scale=max(self._scale.at(age), 0.0),
            rotation=self._rotation.at(age),
            crop=(left, top, right, bottom),
            slide=self._slide(age, length),
            color=self._color.at(age) if self._color else None,
            text=self._texts.at(age) if self._texts else None,
        )

    def _slide(self, age: int, length: int | None) -> tuple[Side, float, int | None] | None:
        """The envelope that has it farther out counts where both do at once."""
        ways = []
        if self._enter is not None:
            ways.append((self._enter.out_at_start(age), self._enter))
        if self._exit is not None and length is not None:
            ways.append((self._exit.out_at_end(age, length), self._exit))
        out, envelope = max(ways, key=lambda way: way[0], default=(0.0, None))
        if envelope is None or envelope.slide is None or not out:
            return None
        return envelope.slide, out, envelope.distance


class Passage:
    """When something that comes and goes does either."""

    def __init__(self, enter: Envelope | None, exit: Envelope | None, rate: Fraction) -> None:
        self._enter = _Envelope(enter, rate) if enter else None
        self._exit = _Envelope(exit, rate) if exit else None

    def at(self, age: int, length: int | None = None) -> bool:
        """Whether it is on its way in or out at that age, in a cue of that length."""
        if self._enter is not None and age < self._enter.frames:
            return True
        return self._exit is not None and length is not None and length - age < self._exit.frames


class _Envelope:
    """An `Envelope` in frames."""

    def __init__(self, envelope: Envelope, rate: Fraction) -> None:
        self.frames = float(envelope.duration.frames(rate))
        self.easing = str(envelope.easing)
        self.outer = envelope.opacity
        self.slide, self.distance = envelope.slide, envelope.distance

    def out_at_start(self, age: int) -> float:
        """How far it is from being in: 1 at its first frame, 0 when `frames` have passed."""
        return 0.0 if age >= self.frames else 1.0 - ease(self.easing, max(age, 0) / self.frames)

    def out_at_end(self, age: int, length: int) -> float:
        """How far it is on its way out: 0 until `frames` before the end, 1 when the cue is over."""
        left = length - age
        return 0.0 if left >= self.frames else 1.0 - ease(self.easing, max(left, 0) / self.frames)

    def opacity(self, out: float) -> float:
        """The share of the opacity when it is that far out."""
        return 1.0 - (1.0 - self.outer) * out


def _fading(envelope: _Envelope | None) -> _Envelope | None:
    return envelope if envelope is not None and envelope.outer < 1.0 else None


def _sliding(envelope: _Envelope | None) -> _Envelope | None:
    return envelope if envelope is not None and envelope.slide is not None else None


def _track(layer: Layer, property: AnimatedProperty) -> Track | None:
    return next((track for track in layer.tracks if track.property is property), None)


def _premultiplied(rgba: Sequence[int]) -> Rgba:
    red, green, blue, alpha = rgba
    return red * alpha / 255, green * alpha / 255, blue * alpha / 255, float(alpha)
