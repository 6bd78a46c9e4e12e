from __future__ import annotations

import pytest

from vistterstream.cli import spans

NOW = 1779012000.0  # 2026-05-17T10:00:00Z


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (None, "-"),
        ("2026-05-17T10:00:00Z", "0s"),
        ("2026-05-17T10:00:05Z", "0s"),
        ("2026-05-17T09:58:01Z", "119s"),
        ("2026-05-17T09:57:50Z", "2m10s"),
        ("2026-05-17T09:55:00Z", "5m"),
        ("2026-05-17T09:30:00Z", "30m"),
        ("2026-05-17T07:00:00Z", "3h"),
        ("2026-05-14T10:00:00Z", "3d"),
    ],
)
def test_spans_are_short(instant: str | None, expected: str) -> None:
    assert spans.since(instant, NOW) == expected


def test_an_instant_is_a_unix_time() -> None:
    assert spans.unix("2026-05-17T10:00:00Z") == NOW
    assert spans.unix(None) is None
