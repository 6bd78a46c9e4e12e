"""What does not fit is not drawn, and told with what to do; the rest is drawn."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vistterstream.playout import compositor, room
from vistterstream.playout.compositor import Scene, prepare
from vistterstream.playout.pieces import Unusable
from vistterstream.playout.room import Purse, Room
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.plan import OverlayInstance

WALL = datetime(2026, 1, 1, tzinfo=UTC)
FORMAT = Format(width=640, height=360)
PIXELS = 640 * 360


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "frame.png"
    Image.effect_noise((640, 360), 64).convert("RGBA").save(path)
    return str(path)


def overlay(name: str, layers: list[dict[str, Any]]) -> OverlayInstance:
    named = [{"name": f"layer-{number}"} | layer for number, layer in enumerate(layers)]
    spec = OverlaySpec.model_validate({"canvas": {"width": 640, "height": 360}, "layers": named})
    return OverlayInstance(id=name, overlay=name, spec=spec)


def scene(*overlays: OverlayInstance, previous: Scene | None = None, same_plan: bool = False) -> Scene:
    return prepare(FORMAT, overlays, Fallback(), wall=WALL, previous=previous, same_plan=same_plan)


def images(picture: str, count: int) -> list[dict[str, Any]]:
    return [{"image": {"file": picture}, "opacity": 0.5 + number / 99} for number in range(count)]


class TestAnOverlay:
    def test_what_stands_still_beyond_its_pixels_is_left_out_and_told(
        self, picture: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(room, "MAX_STILL_PIXELS", 2 * PIXELS + 500)
        small = {"rectangle": {"width": 20, "height": 20, "color": "#F4C020"}}
        made = scene(overlay("o", [*images(picture, 4), small]))
        assert len(made.items["o"]) == 3
        assert "Layer layer-2: The layers of this overlay that stand still" in made.problems["o"]
        assert "Layer layer-3" in made.problems["o"]
        assert "make some smaller" in made.problems["o"]
        assert "layer-4" not in made.problems["o"]

    def test_its_fallback_stands_in(self, picture: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(room, "MAX_STILL_PIXELS", PIXELS + 500)
        second = images(picture, 2)[1] | {
            "fallback": {"rectangle": {"width": 20, "height": 20, "color": "#F4C020"}}
        }
        made = scene(overlay("o", [images(picture, 1)[0], second]))
        assert len(made.items["o"]) == 2
        assert "Layer layer-1" in made.problems["o"]

    def test_rectangles_of_one_colour_cost_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(room, "MAX_STILL_PIXELS", PIXELS)
        large = {"rectangle": {"width": 640, "height": 360, "radius": 12, "color": "#10203080"}}
        assert not scene(overlay("o", [large] * 20)).problems

    def test_what_is_in_the_cache_takes_as_much_as_what_is_drawn(
        self, picture: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = scene(overlay("a", images(picture, 4)))
        assert not first.problems
        monkeypatch.setattr(room, "MAX_STILL_PIXELS", 2 * PIXELS)
        again, alone = (scene(overlay("a", images(picture, 4)), previous=one) for one in (first, None))
        assert len(again.items["a"]) == len(alone.items["a"]) == 2
        assert again.problems == alone.problems

    def test_what_moves_is_refused_before_it_is_drawn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        moving = {
            "text": {"value": "Wharf " * 40, "width": 640, "size": 30},
            "tracks": [{"property": "x", "keyframes": [{"at": "0s", "value": 0}, {"at": "1s", "value": 9}]}],
        }
        monkeypatch.setattr(room, "MAX_MOVING_PIXELS", PIXELS // 2)
        drawn = []
        monkeypatch.setattr("vistterstream.playout.texts.ground", lambda *_: drawn.append(1))
        made = scene(overlay("o", [moving]))
        assert not drawn
        assert "that move have more than" in made.problems["o"]

    def test_groups_whose_contents_change_have_pixels_of_their_own(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fade = {
            "property": "opacity",
            "keyframes": [{"at": "0s", "value": 0}, {"at": "1s", "value": 1}],
        }
        inner = {"name": "a", "rectangle": {"width": 20, "height": 20, "color": "#F4C020"}, "tracks": [fade]}
        group = {"group": {"width": 300, "height": 300, "layers": [inner]}}
        monkeypatch.setattr(room, "MAX_GROUP_PIXELS", 200_000)
        made = scene(overlay("o", [group] * 3))
        assert len(made.items["o"]) == 2
        assert "give them a smaller width and height" in made.problems["o"]
        made.close()

    def test_clocks_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(room, "MAX_STILL_PIXELS", 1_000)
        made = scene(overlay("o", [{"clock": {"format": "%H:%M"}}]))
        assert not made.items["o"]
        assert "stand still" in made.problems["o"]


class TestAProgram:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(compositor, "Purse", lambda: Purse(3 * 2**20))

    def test_what_all_overlays_keep_is_bounded(self, picture: str) -> None:
        made = scene(*(overlay(name, [images(picture, number)[-1]]) for number, name in enumerate("abcd", 1)))
        assert [len(made.items[name]) for name in "abcd"] == [1, 1, 0, 0]
        assert "The overlays of this program take more than 3 MB together" in made.problems["c"]

    def test_what_overlays_share_is_counted_once(self, picture: str) -> None:
        made = scene(*(overlay(name, images(picture, 2)) for name in "abcd"))
        assert not made.problems

    def test_it_is_the_same_where_some_were_taken_over(self, picture: str) -> None:
        small, large = images(picture, 1), images(picture, 3)[1:]
        first = scene(overlay("a", [{"text": {"value": "a"}}]), overlay("b", small))
        grown = [overlay("a", large), overlay("b", small)]
        again = scene(*grown, previous=first, same_plan=True)
        alone = scene(*grown)
        assert again.problems == alone.problems
        assert (
            [len(again.items[name]) for name in "ab"] == [len(alone.items[name]) for name in "ab"] == [2, 0]
        )


def test_a_purse_that_is_empty_says_what_to_do() -> None:
    purse = Purse(2**20)
    some = Room(purse)
    some.keep("a", 2**20)
    some.keep("a", 2**20)
    with pytest.raises(Unusable, match="show fewer of them"):
        some.keep("b", 1)
    assert some.kept == [("a", 2**20), ("a", 2**20)]
