from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from vistterstream.resources.program import ProgramSpec


def test_a_program_is_720p30_with_a_slate_unless_said_otherwise() -> None:
    spec = ProgramSpec()
    assert (spec.format.width, spec.format.height, spec.format.frame_rate) == (1280, 720, "30")
    assert (spec.timeline, spec.fallback.image, spec.fallback.text) == (None, None, None)
    assert ProgramSpec.model_validate(spec.dump()) == spec


@pytest.mark.parametrize(
    "spec",
    [
        {"format": {"width": 1281}},
        {"format": {"height": 0}},
        {"format": {"frameRate": "29.97"}},
        {"timeline": "Harbour"},
        {"fallback": {"image": "https://example.org/slate.png"}},
        {"fallback": {"color": "blue"}},
    ],
)
def test_what_cannot_be_shown_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProgramSpec.model_validate(spec)
