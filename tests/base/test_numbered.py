"""Files with a number in their name."""

from __future__ import annotations

from pathlib import Path

import pytest

from vistterstream.base.numbered import numbered

NAMES = [
    "a-1.png",
    "a-01.png",
    "a-0002.png",
    "a-0010.png",
    "a-12345.png",
    "a-00012.png",
    "a-0003.jpg",
    "b-0001.png",
    "a-x.png",
]


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        ("a-%04d.png", [2, 10, 12345]),
        ("a-%d.png", [1, 12345]),
        ("a-%02d.png", [1, 12345]),
        ("a-%04d.jpg", [3]),
        ("c-%d.png", []),
        ("a-0002.png", []),
    ],
)
def test_a_number_is_found_as_it_is_written(tmp_path: Path, pattern: str, numbers: list[int]) -> None:
    for name in NAMES:
        (tmp_path / name).touch()
    found = numbered(tmp_path / pattern)
    assert list(found) == numbers
    assert all(path.exists() for path in found.values())


def test_what_looks_like_a_rule_in_a_name_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.b[c]7.png").touch()
    (tmp_path / "aXb[c]8.png").touch()
    assert list(numbered(tmp_path / "a.b[c]%d.png")) == [7]


def test_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert numbered(tmp_path / "gone" / "%d.png") == {}
