"""Random overlays that the loader accepts, prepared and composed: none crashes, hangs or takes long."""

from __future__ import annotations

import resource
import time
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from playout.pictures import noise
from resources.test_ocl_fuzz import mutated, read
from vistterstream.playout.compositor import compose, prepare
from vistterstream.playout.frames import Frame
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.plan import OverlayInstance

DOCUMENTS = 120
SECONDS = 1.0
MEGABYTES = 250
WALL = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)
FORMAT = Format(width=640, height=360)


def test_what_is_accepted_is_shown() -> None:
    pytest.importorskip("segno")
    base, out = noise(640, 360), Frame(640, 360)
    shown = 0
    for seed in range(DOCUMENTS):
        for overlay in read(yaml.safe_dump(mutated(seed), allow_unicode=True).encode()):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            began = time.process_time()
            instance = OverlayInstance(id="o", overlay="o", spec=overlay.spec)
            scene = prepare(FORMAT, [instance], Fallback(), wall=WALL)
            spent = time.process_time() - began
            for age in (0, 1, 29, 10**6):
                overlays = [("o", age, age + 5)]
                compose(scene, out, base, None, 0.0, overlays, age, WALL + timedelta(seconds=age))
            scene.close()
            more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            assert spent < SECONDS, f"document {seed} took {spent:.2f} s"
            assert more < MEGABYTES, f"document {seed} took {more:.0f} MB"
            shown += 1
    assert shown > DOCUMENTS // 20
