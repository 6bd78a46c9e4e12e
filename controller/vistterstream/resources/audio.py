"""The sound of a timeline: what a video cue's own sounds like, and beds that play along."""

from __future__ import annotations

from itertools import pairwise
from typing import Self

from pydantic import model_validator

from vistterstream.resources.model import Model, Problems, field
from vistterstream.resources.quantities import (
    Duration,
    EasingFunction,
    Gain,
    PositiveTimelinePosition,
    Threshold,
    TimelinePosition,
    follows,
)
from vistterstream.resources.texts import FilePath

LONGEST = "10s"
"""The longest attack, hold and release of a duck: how far back a frame's sound can depend on others."""


class CueAudio(Model):
    """How loud the sound of a video cue is."""

    gain: Gain = field(Gain("0dB"), description="Louder or softer than it comes; -96dB is silence.")
    mute: bool = field(False, description="No sound at all, whatever the gain.")


class GainKeyframe(Model):
    """A gain at a time."""

    at: TimelinePosition = field(description="Time since the cue started.")
    gain: Gain = field(description="The gain at that time, on top of the cue's own; -96dB is silence.")
    easing: EasingFunction = field(
        EasingFunction("linear"),
        description="How the gain got here, in dB, from the keyframe before: linear (without), hold, "
        "easeInOut, easeOutCubic, cubic-bezier(x1, y1, x2, y2) and so on.",
    )

    def too_early(self, before: GainKeyframe) -> str:
        """The sentence that says that it is not after the keyframe before it."""
        return f"{self.at} is not later than the keyframe before ({before.at})"


class Duck(Model):
    """Makes room: the bed goes down while the sound of the pictures is as loud as speech."""

    threshold: Threshold = field(
        Threshold("-35dB"),
        description="From which level on: the RMS of one frame of the pictures' sound, of the louder "
        "channel, in dB of full scale.",
    )
    amount: Gain = field(Gain("-12dB"), description="The bed's gain meanwhile, on top of its own.")
    attack: Duration = field(Duration("200ms"), description="How long it takes to go down; 10s at most.")
    hold: Duration = field(
        Duration("500ms"), description="How long it stays down after the last loud frame; 10s at most."
    )
    release: Duration = field(
        Duration("800ms"), description="How long it takes to come up again; 10s at most."
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        problems = []
        for name in ("attack", "hold", "release"):
            given = getattr(self, name)
            if given.seconds > Duration(LONGEST).seconds:
                problems.append(((name,), f"{given} is longer than {LONGEST}"))
        if self.amount.decibels > 0:
            problems.append((("amount",), f"{self.amount} would make it louder; write -12dB or so"))
        if problems:
            raise Problems(*problems)
        return self


class AudioCue(Model):
    """Play a sound file from `at` for `duration`, with whatever else is heard."""

    file: FilePath = field(
        description="A sound file, or the sound of any media file; a relative path starts at the folder of "
        "the manifest. A file that is missing or broken is silent, and told."
    )
    at: TimelinePosition = field(TimelinePosition("0s"), description="Start on the timeline.")
    duration: PositiveTimelinePosition | None = field(
        None,
        description="How long; to the end of the timeline without. One that loops, and starts with a "
        "timeline that loops, then plays on through its rounds.",
    )
    loop: bool = field(False, description="Start the file again when it ends; silence without.")
    gain: Gain = field(Gain("0dB"), description="Louder or softer than the file is; -96dB is silence.")
    mute: bool = field(False, description="No sound at all, whatever the gain.")
    curve: tuple[GainKeyframe, ...] = field(
        (),
        description="Gain over time, on top of `gain`, in order of time; before the first and after the "
        "last the value holds.",
        max_length=1000,
    )
    fade_in: TimelinePosition = field(
        TimelinePosition("0s"), description="How long it takes to come up from silence."
    )
    fade_out: TimelinePosition = field(
        TimelinePosition("0s"), description="How long, before its end, it goes down to silence."
    )
    duck: Duck | None = field(
        None, description="Go down while somebody speaks: `duck: {}`, or with values of your own."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for index, (before, keyframe) in enumerate(pairwise(self.curve), 1):
            if follows(keyframe.at, before.at) is False:  # at a rate it is checked when a plan is made
                raise Problems((("curve", index, "at"), keyframe.too_early(before)))
        return self

    @model_validator(mode="after")
    def _fades_fit(self) -> Self:
        length = self.duration.seconds if self.duration is not None else None
        problems = [
            ((name,), self.fade_too_long(name))
            for name, fade in (("fadeIn", self.fade_in), ("fadeOut", self.fade_out))
            if length is not None and fade.seconds is not None and fade.seconds > length
        ]
        if problems:
            raise Problems(*problems)
        return self

    def fade_too_long(self, name: str) -> str:
        """The sentence that says that the fade of that name does not fit into the cue."""
        fade = self.fade_in if name == "fadeIn" else self.fade_out
        whose = f" ({self.duration})" if self.duration is not None else ", which ends with the timeline"
        return f"{fade} is longer than its cue{whose}"
