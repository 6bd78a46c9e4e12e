"""One thread encodes where one is plenty."""

from __future__ import annotations

import pytest

from playout.plans import ENCODING
from vistterstream.playout import threads
from vistterstream.playout.threads import one_is_enough
from vistterstream.resources.output import Encoding, Preset
from vistterstream.resources.program import Format
from vistterstream.resources.quantities import FrameRate


def with_preset(preset: Preset) -> Encoding:
    return ENCODING.model_copy(update={"video": ENCODING.video.model_copy(update={"preset": preset})})


@pytest.mark.parametrize(
    ("preset", "width", "height", "rate", "enough"),
    [
        (Preset.VERYFAST, 1280, 720, "30", True),
        (Preset.ULTRAFAST, 320, 180, "60", True),
        (Preset.FASTER, 1280, 720, "30", False),
        (Preset.VERYFAST, 1280, 720, "50", False),
        (Preset.ULTRAFAST, 1920, 1080, "30", False),
    ],
)
def test_one_thread_is_for_what_takes_half_a_core_at_most(
    preset: Preset, width: int, height: int, rate: str, enough: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    format = Format(width=width, height=height, frame_rate=FrameRate(rate))
    monkeypatch.setattr(threads, "wide_vectors", lambda: True)
    assert one_is_enough(with_preset(preset), format) is enough
    monkeypatch.setattr(threads, "wide_vectors", lambda: False)
    assert not one_is_enough(with_preset(preset), format), "a small processor gets all the threads there are"
