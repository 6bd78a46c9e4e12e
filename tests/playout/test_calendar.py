"""Dates in words: strftime's directives, without leading zeros, and in the words of a language."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vistterstream.playout.calendar import _calendar, written
from vistterstream.resources.texts import LOCALES, check_time_format

SUNDAY = datetime(2026, 5, 3, 7, 4, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("%H:%M:%S", "07:04:09"),
        ("%-d.%-m. %-H:%M", "3.5. 7:04"),
        ("%-I:%M %p", "7:04 AM"),
        ("%-M:%-S", "4:9"),
        ("%-j %-y", "123 26"),
        ("%e|%-e", " 3|3"),
        ("%A %B %a %b", "Sunday May Sun May"),
        ("%H %Z %z", "07 UTC +0000"),
        ("100 %% %%-d", "100 % %-d"),
    ],
)
def test_a_directive_with_a_minus_has_no_leading_zero(format: str, text: str) -> None:
    assert written(check_time_format(format), None)(SUNDAY) == text


def test_midnight_and_noon_by_the_unpadded_forms() -> None:
    say = written("%-H %-I %p %-S", None)
    assert say(datetime(2026, 1, 1, tzinfo=UTC)) == "0 12 AM 0"
    assert say(datetime(2026, 1, 1, 12, tzinfo=UTC)) == "12 12 PM 0"


@pytest.mark.parametrize(
    ("locale", "format", "text"),
    [
        ("nb", "%A %-d. %B", "søndag 3. mai"),
        ("de", "%a, %-d. %b", "So., 3. Mai"),
        ("pl", "%-d %B %Y", "3 maja 2026"),
        ("pl", "%B %Y", "maj 2026"),  # alone the month stands in another case
        ("ja", "%B%-d日 %A", "5月3日 日曜日"),
        ("ar", "%A", "الأحد"),
        ("el", "%p", "π.μ."),
        ("en", "%A %-d %B", "Sunday 3 May"),
    ],
)
def test_names_are_those_of_the_language(locale: str, format: str, text: str) -> None:
    assert written(format, locale)(SUNDAY) == text


def test_every_language_that_is_allowed_has_all_its_names() -> None:
    assert tuple(_calendar()) == LOCALES
    for locale in LOCALES:
        say = written("%A %a %-d %B %b %p", locale)
        year = [SUNDAY + timedelta(days=31 * n, hours=12 * n) for n in range(12)]
        assert len({say(day) for day in year}) == 12
        names = written("%A", locale)
        assert len({names(SUNDAY + timedelta(days=n)) for n in range(7)}) == 7
