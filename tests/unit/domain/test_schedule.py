"""Windows become instants by the wall clock of the order's zone, through both clock changes."""

from __future__ import annotations

from datetime import date

from emon.domain import instant, schedule
from emon.domain.order import DayException, Window

CHICAGO = "America/Chicago"
HOUR_S = 3600
NIGHT = Window(from_s=20 * HOUR_S, to_s=6 * HOUR_S)


def span(begin: str, end: str) -> tuple[int, int]:
    return instant.parse(begin), instant.parse(end)


def test_a_night_window_belongs_to_the_day_it_starts_on() -> None:
    monday = Window(days=(0,), from_s=20 * HOUR_S, to_s=6 * HOUR_S)
    assert schedule.day_windows([monday], (), CHICAGO, date(2026, 11, 23)) == [
        span("2026-11-23T20:00:00-06:00", "2026-11-24T06:00:00-06:00")]
    assert schedule.day_windows([monday], (), CHICAGO, date(2026, 11, 24)) == []


def test_the_night_of_each_clock_change_is_an_hour_longer_or_shorter() -> None:
    autumn, = schedule.day_windows([NIGHT], (), CHICAGO, date(2026, 10, 31))
    spring, = schedule.day_windows([NIGHT], (), CHICAGO, date(2026, 3, 7))
    assert (autumn[1] - autumn[0], spring[1] - spring[0]) == (11 * instant.HOUR, 9 * instant.HOUR)


def test_a_doubled_time_takes_the_first_and_a_missing_one_the_instant_after_the_gap() -> None:
    half_past_one, half_past_two = 90 * 60, 150 * 60
    assert schedule.wall_clock(date(2026, 11, 1), half_past_one, CHICAGO) == instant.parse(
        "2026-11-01T01:30:00-05:00")
    assert schedule.wall_clock(date(2026, 3, 8), half_past_two, CHICAGO) == instant.parse(
        "2026-03-08T03:00:00-05:00")


def test_a_window_wholly_in_the_gap_is_no_duty() -> None:
    window = Window(from_s=135 * 60, to_s=165 * 60)
    assert schedule.day_windows([window], (), CHICAGO, date(2026, 3, 8)) == []


def test_exceptions_replace_a_days_windows() -> None:
    late = DayException(date="2026-12-24", windows=(Window(from_s=23 * HOUR_S, to_s=6 * HOUR_S),))
    free = DayException(date="2026-12-25")
    assert schedule.day_windows([NIGHT], [late, free], CHICAGO, date(2026, 12, 24)) == [
        span("2026-12-24T23:00:00-06:00", "2026-12-25T06:00:00-06:00")]
    assert schedule.day_windows([NIGHT], [late, free], CHICAGO, date(2026, 12, 25)) == []


def test_touching_windows_are_one_stretch_and_leave_takes_time_out() -> None:
    day = Window(from_s=6 * HOUR_S, to_s=20 * HOUR_S)
    from_, until = span("2026-06-01T12:00:00-05:00", "2026-06-02T12:00:00-05:00")
    whole = schedule.stretches([NIGHT, day], (), CHICAGO, from_, until)
    assert len(whole) == 1
    assert schedule.subtract([(0, 10)], [(2, 3), (3, 5), (9, 12)]) == [(0, 2), (5, 9)]
