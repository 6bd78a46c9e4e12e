"""Golden frames: what is drawn looks as it did when somebody looked at it (`tests/golden/*.png`)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from golden import sheets

PSNR = 50.0  # dB at least
APART = 2  # code values at most
MADE = Path(__file__).parents[2] / "build" / "golden"


@pytest.mark.parametrize("name", list(sheets.SHEETS))
def test_every_picture_looks_as_it_did(name: str) -> None:
    made = sheets.pictures(name)
    sheet = np.asarray(Image.open(sheets.FOLDER / f"{name}.png").convert("RGB"))
    assert sheet.shape == sheets.joined(made).shape, "it has other pictures: write it anew (tests/README.md)"
    wrong = []
    for number, (mine, golden) in enumerate(zip(made, sheets.parted(sheet, len(made)), strict=True)):
        apart = np.abs(mine.astype(float) - golden)
        error = float((apart**2).mean())
        psnr = math.inf if error == 0 else 10 * math.log10(255**2 / error)
        if psnr < PSNR or apart.max() > APART:
            row, column = divmod(number, sheets.COLUMNS)
            wrong.append(
                f"{name}.png, picture {number} (row {row}, column {column}): {psnr:.1f} dB, up to "
                f"{apart.max():.0f} code values"
            )
    if wrong:
        MADE.mkdir(parents=True, exist_ok=True)
        Image.fromarray(sheets.joined(made)).save(MADE / f"{name}.png")
    assert not wrong, f"See {MADE / name}.png\n" + "\n".join(wrong)


def test_a_picture_that_changed_is_found_and_left_for_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    made = sheets.pictures("easings")
    made[5] = made[5].copy()
    made[5][40:50, 40:50] ^= 0xFF
    monkeypatch.setattr(sheets, "pictures", lambda _name: made)
    with pytest.raises(AssertionError, match=r"easings.png, picture 5 \(row 1, column 1\)"):
        test_every_picture_looks_as_it_did("easings")
    assert (MADE / "easings.png").is_file()
    (MADE / "easings.png").unlink()


def test_the_sheets_take_a_few_hundred_kilobytes_at_most() -> None:
    assert sum(file.stat().st_size for file in sheets.FOLDER.glob("*.png")) < 450_000
