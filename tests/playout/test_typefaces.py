"""Finding fonts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vistterstream.playout import typefaces
from vistterstream.playout.typefaces import UnknownFont, figures, typeface

FONTS = Path(typefaces.__file__).with_name("fonts")


def test_inter_is_here_in_two_weights_and_any_case() -> None:
    assert typeface("Inter", 20).getname() == ("Inter", "Regular")
    assert typeface("inter", 20).getname() == ("Inter", "Regular")
    assert typeface("INTER bold", 20).getname() == ("Inter", "Bold")


def test_inter_comes_with_its_licence() -> None:
    assert "SIL OPEN FONT LICENSE" in (FONTS / "OFL.txt").read_text()


@pytest.mark.parametrize("text", ["Ærø Łódź Žižkov", "Ελλάδα", "Привет, Київ", "12:34 – 5 € → ✓ ★"])
def test_inter_covers_what_people_write(text: str) -> None:
    font = typeface("Inter", 40)
    missing = bytes(font.getmask("\ue123"))
    for sign in text.replace(" ", ""):
        assert bytes(font.getmask(sign)) != missing, sign


def test_digits_of_a_clock_are_equally_wide() -> None:
    font = typeface("Inter", 40)
    assert font.getlength("11:11", features=figures()) == font.getlength("00:00", features=figures())
    assert font.getlength("11:11") < font.getlength("00:00")


def test_a_font_that_nobody_has_is_an_error() -> None:
    with pytest.raises(UnknownFont):
        typeface("No Such Font", 20)


def test_a_font_of_the_user_is_found_once_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(typefaces, "_bundled", dict)
    with pytest.raises(UnknownFont):
        typeface("Inter Bold", 21.5)
    folder = tmp_path / ".fonts" / "mine"
    folder.mkdir(parents=True)
    (folder / "broken.ttf").write_bytes(b"no font")
    shutil.copy(FONTS / "Inter-Bold.ttf", folder / "whatever.ttf")
    assert typeface("Inter Bold", 21.5).getname() == ("Inter", "Bold")


def test_of_several_styles_the_plain_one_stands_for_the_family() -> None:
    found = typefaces._index([FONTS / "Inter-Bold.ttf", FONTS / "Inter-Regular.ttf"])
    assert found["inter"].name == "Inter-Regular.ttf"
    assert found["inter bold"].name == "Inter-Bold.ttf"
    assert typefaces._index([FONTS / "Inter-Bold.ttf"])["inter"].name == "Inter-Bold.ttf"
