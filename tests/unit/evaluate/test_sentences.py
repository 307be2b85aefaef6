"""Sentences read as people speak: durations in minutes, one instant said once."""

from __future__ import annotations

from typing import Any

from emon.domain.instant import HOUR, MINUTE, parse
from emon.evaluate.sentences import sentence
from emon.evaluate.verdict import Interval

AT = parse("2026-09-07T19:35:00Z")


def _interval(kind: str, *, lasts: int | None = 0, reason: str = "", family: str | None = None,
              **numbers: Any) -> Interval:
    ended = None if lasts is None else AT + lasts
    return Interval(family=family or kind, kind=kind, onset=AT, ended=ended, level=3, reason=reason,
                    settled=AT, used=(), numbers=numbers, order_version=1)


def test_what_happened_at_one_instant_is_said_to_be_at_it() -> None:
    assert sentence(_interval("breath_refused", reason="refused")).startswith(
        "Breath test refused at 2026-09-07T19:35:00Z; ")
    assert "from 2026-09-07T19:35:00Z to 2026-09-07T20:35:00Z" in sentence(
        _interval("contact_lost", lasts=HOUR, reason="heard"))
    assert "from 2026-09-07T19:35:00Z, and still so" in sentence(_interval("contact_lost", lasts=None))


def test_durations_are_told_in_hours_minutes_and_seconds() -> None:
    told = sentence(_interval("attendance_late", lasts=25 * MINUTE, reason="window_ended", family="attendance",
                              dwell_s=478.0, longest_gap_s=60.0, parameters={"minimum_s": 5_400.0}))
    assert "Seen there for 7 min 58 s of 1 h 30 min" in told
    told = sentence(_interval("location_lost", lasts=25 * MINUTE, reason="window_ended", dwell_s=0.0,
                              longest_gap_s=1_500.0, parameters={"minimum_s": 900.0}))
    assert "Seen there for 0 s of 15 min; nothing said where for up to 25 min" in told
    told = sentence(_interval("curfew_accumulated", lasts=None, reason="allowance_used", away_s=480.5,
                              parameters={"allowance_s_per_week": 480}))
    assert "Away for 8 min 0.5 s so far; 8 min a week are allowed" in told
