"""Data that changes is in the picture soon, by itself: no frame lost, no plan touched, nobody waits."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from peers import frames as recorded
from peers.documents import Documents, sends
from playout.plans import FORMAT, FPS, make_plan
from playout.test_engine import Playout, on_air, seen_in
from playout.waiting import eventually
from vistterstream.playout.files import DATA
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.timeline.digests import plan_revision
from vistterstream.timeline.plan import OverlayCuePlan, OverlayInstance, Plan

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_DARK, _BRIGHT = (0, 12), (200, 255)  # of mean luma
_LETTERS = (24, 190)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def with_sign(plan: Plan, url: str) -> Plan:
    """`plan` with a dark box that has a word of data in it: letters, or a bright box while there is none."""
    corner = {"position": {"anchor": "bottomRight"}}
    layers: list[dict[str, Any]] = [
        {"name": "ground", "rectangle": {"width": 40, "height": 40, "color": "#000000"}} | corner,
        {
            "name": "word",
            "text": {"value": "{{ word }}\n{{ word }}", "size": 20, "padding": 0},
            "fallback": {"rectangle": {"width": 40, "height": 40, "color": "#FFFFFF"}},
        }
        | corner,
    ]
    data = [{"name": "word", "url": url, "path": "/word", "interval": "1s"}]
    document = {"canvas": {"width": FORMAT.width, "height": FORMAT.height}, "layers": layers, "data": data}
    sign = OverlayInstance(id="sign", overlay="sign", spec=OverlaySpec.model_validate(document))
    assert plan.timeline is not None
    cues = (*plan.timeline.overlays, OverlayCuePlan(start=0, end=plan.timeline.length, instance="sign"))
    timeline = plan.timeline.model_copy(update={"overlays": cues})
    return plan.model_copy(update={"overlays": (*plan.overlays, sign), "timeline": timeline})


def lumas(seen: list[recorded.Frame]) -> list[str]:
    """What the sign showed, in words, one after the other."""
    bounds = {"dark": _DARK, "letters": _LETTERS, "bright": _BRIGHT}
    told: list[str] = []
    for frame in seen:
        (luma,) = frame.lumas
        word = next((word for word, (least, most) in bounds.items() if least <= luma <= most), f"{luma}")
        if not told or told[-1] != word:
            told.append(word)
    return told


def changes(seen: list[recorded.Frame]) -> list[int | None]:
    """The program frames at which the sign looks otherwise than before."""
    return [frame.program for before, frame in pairwise(seen) if abs(before.lumas[0] - frame.lumas[0]) > 12]


def shows(playout: Playout, word: str) -> bool:
    """Whether a frame was shown with that word."""
    return any(line.get("data") == {"sign": {"word": word}} for line in playout.as_run())


async def test_data_changes_the_picture_without_a_lost_frame_and_is_kept_over_a_restart(
    tmp_path: Path,
) -> None:
    playout = Playout(tmp_path)
    with Documents() as server:
        url = server.url + "/sign.json"
        plan = playout.write(with_sign(make_plan(tmp_path), url))
        async with on_air(playout):
            await playout.publishes("rec")
            await eventually(lambda: playout.status.overlay_problems, 10)
            assert playout.status.overlay_problems["sign"] == (
                f"Data word: {url} answered 404 Not Found; there is no value yet."
            )
            await playout.frames(FPS)
            for word in ("HH", " "):
                server.put("/sign.json", {"word": word})
                await eventually(partial(shows, playout, word), 20)
                await playout.frames(FPS)
            assert playout.status.overlay_problems == {}
            server.answer("/sign.json", sends(b"", status=500))
            await eventually(lambda: playout.status.overlay_problems, 10)
            await playout.frames(FPS)
            status = playout.status
            assert status.revision == plan_revision(plan), "the plan is what it was"
            assert status.errors == []
        seen = seen_in(tmp_path / "recording")
        recorded.assert_each_once(recorded.program_numbers(seen))
        assert lumas(seen) == ["bright", "letters", "dark"]
        said = [(line["frame"], line["data"]) for line in playout.as_run() if "data" in line]
        assert [data for _, data in said] == [{"sign": {"word": word}} for word in (None, "HH", " ")]
        assert [frame for frame, _ in said[1:]] == changes(seen)
        assert (playout.folder / DATA).exists()
        playout.write(with_sign(make_plan(tmp_path / "again"), url))
        async with on_air(playout):
            await playout.publishes("rec")
            await playout.frames(FPS)
        again = seen_in(tmp_path / "again" / "recording")
        assert lumas(again) == ["dark"], "from the first frame on"
