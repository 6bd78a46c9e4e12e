"""A timeline that starts each day anew, by the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistterstream.timeline.evaluate import TimelineIndex, elapsed, needed, position, restart
from vistterstream.timeline.plan import DailyPlan, TimelinePlan, VideoCuePlan

OSLO = ZoneInfo("Europe/Oslo")
FPS = Fraction(30)
NTSC = Fraction(30000, 1001)
DAY = 86400
ZONES = ["Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "UTC"]


def ns(instant: datetime) -> int:
    return int(instant.timestamp()) * 1_000_000_000


def index(second: int, zone: str = "Europe/Oslo", *, loop: bool = True, length: int = 900) -> TimelineIndex:
    cues = (
        VideoCuePlan(start=0, end=length // 2, camera="a"),
        VideoCuePlan(start=length // 2, end=length, camera="b"),
    )
    daily = DailyPlan(second=second, time_zone=zone)
    return TimelineIndex(TimelinePlan(name="t", length=length, loop=loop, daily=daily, video=cues))


HALF_PAST_NINE = 9 * 3600 + 30 * 60


def at(local: datetime, timeline: TimelineIndex, epoch: datetime) -> int:
    """Elapsed frames at a local time."""
    n = int((local.astimezone(UTC) - epoch).total_seconds()) * 30
    return elapsed(timeline, n, FPS, ns(epoch))


@pytest.mark.parametrize(
    "day", ["2026-03-28", "2026-03-29", "2026-03-30", "2026-10-24", "2026-10-25", "2026-10-26"]
)
def test_frame_0_is_at_the_local_time_before_and_after_the_clocks_change(day: str) -> None:
    timeline, epoch = index(HALF_PAST_NINE), datetime(2026, 1, 1, 12, tzinfo=UTC)
    local = datetime.fromisoformat(f"{day}T09:30:00").replace(tzinfo=OSLO)
    assert at(local, timeline, epoch) == 0
    assert at(local + timedelta(seconds=1), timeline, epoch) == 30


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 23), ("2026-05-01", 24), ("2026-10-24", 25)])
def test_a_day_is_as_long_as_the_clocks_make_it(day: str, hours: int) -> None:
    timeline, epoch = index(HALF_PAST_NINE), datetime(2026, 1, 1, tzinfo=UTC)
    local = datetime.fromisoformat(f"{day}T09:30:00").replace(tzinfo=OSLO)
    n = int((local.astimezone(UTC) - epoch).total_seconds()) * 30
    assert restart(timeline, n, FPS, ns(epoch)) == hours * 3600 * 30


def test_a_time_that_the_clocks_skip_is_an_hour_later_that_day() -> None:
    timeline, epoch = index(2 * 3600 + 1800), datetime(2026, 3, 1, tzinfo=UTC)
    assert at(datetime(2026, 3, 29, 3, 30, tzinfo=OSLO), timeline, epoch) == 0
    assert at(datetime(2026, 3, 30, 2, 30, tzinfo=OSLO), timeline, epoch) == 0


def test_of_a_time_that_comes_twice_the_first_counts() -> None:
    timeline, epoch = index(2 * 3600 + 1800), datetime(2026, 10, 1, tzinfo=UTC)
    assert at(datetime(2026, 10, 25, 2, 30, fold=0, tzinfo=OSLO), timeline, epoch) == 0
    assert at(datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=OSLO), timeline, epoch) == 3600 * 30


def test_without_a_loop_the_rest_of_the_day_shows_nothing() -> None:
    timeline, epoch = index(HALF_PAST_NINE, loop=False), datetime(2026, 5, 1, 7, 30, tzinfo=UTC)
    assert position(timeline, 899, FPS, ns(epoch)) == 899
    assert position(timeline, 900, FPS, ns(epoch)) is None
    assert position(timeline, DAY * 30, FPS, ns(epoch)) == 0


@pytest.mark.slow
@given(
    st.integers(0, DAY - 1),
    st.sampled_from(ZONES),
    st.sampled_from([FPS, NTSC, Fraction(24000, 1001), Fraction(60)]),
    st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)),
    st.lists(st.integers(0, 400 * DAY * 60), min_size=1, max_size=20),
)
def test_each_frame_is_that_of_the_last_occurrence_whatever_was_asked_before(
    second: int, zone: str, rate: Fraction, epoch: datetime, frames: list[int]
) -> None:
    timeline, epoch_ns = index(second, zone), ns(epoch.replace(tzinfo=UTC))
    for n in frames:
        passed = elapsed(timeline, n, rate, epoch_ns)
        assert passed == elapsed(index(second, zone), n, rate, epoch_ns)
        assert 0 <= passed <= 50 * 3600 * rate  # Samoa had no 30th of December 2011
        again = restart(timeline, n, rate, epoch_ns)
        assert again is not None
        assert again > 0
        first = Fraction(epoch_ns, 10**9) + (n - passed) / rate  # the instant of frame 0, within half a frame
        local = datetime.fromtimestamp(round(first), ZoneInfo(zone))
        shown = local.hour * 3600 + local.minute * 60 + local.second
        skipped = (shown - second) % DAY
        assert skipped in (0, 1800, 3600)  # later where the clocks skip the time
        assert elapsed(timeline, n + again, rate, epoch_ns) == 0
        assert elapsed(timeline, n + again - 1, rate, epoch_ns) == passed + again - 1


def test_what_the_next_day_starts_with_is_needed_in_time() -> None:
    timeline, epoch = index(HALF_PAST_NINE, loop=False), ns(datetime(2026, 5, 1, 7, 30, tzinfo=UTC))
    n = DAY * 30 - 100
    again = restart(timeline, n, FPS, epoch)
    passed = elapsed(timeline, n, FPS, epoch)
    assert needed(timeline, passed, 300, again) == {"a": 100}
    assert needed(timeline, passed, 600, again) == {"a": 100, "b": 550}
    assert needed(timeline, passed, 99, again) == {}
