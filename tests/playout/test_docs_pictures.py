"""The pictures of the documentation are what `make pictures` makes of the manifests beside them."""

from __future__ import annotations

import pytest
from PIL import Image

from playout.docs_pictures import IMAGES, PICTURES, distance


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_its_manifest_gives(name: str) -> None:
    with Image.open(IMAGES / name) as kept:
        away = distance(kept, PICTURES[name]())
    assert away < 2, f"docs/images/{name} is {away:.1f} code values away; look at what make pictures makes"


@pytest.mark.slow
def test_pictures_that_differ_are_told_apart() -> None:
    with Image.open(IMAGES / "clocks.png") as one, Image.open(IMAGES / "text-effects.png") as other:
        assert distance(one, other) > 8
        assert distance(one, one.resize((10, 10))) == 255
